//! An API that keeps things in memory and counts what it is asked: each creation makes another thing, as a cloud does.

use std::collections::BTreeMap;
use std::io::{BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

use crate::must;
use crate::request::Request;

/// An API on loopback.
///
/// `POST /things` makes one (with the header `idempotency-key` once a key), `GET`, `PUT` and `DELETE /things/ID` are as
/// usual, `GET /find?name=NAME` finds. A thing goes from `steps` down to 0, one at each `GET`, and is `up` then. What a
/// request held is echoed under `echo`.
#[derive(Debug)]
pub struct Api {
    /// Where it listens.
    pub port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    things: BTreeMap<String, Value>,
    keys: BTreeMap<String, String>,
    next: u32,
    log: Vec<String>,
    heads: String,
}

impl Api {
    /// One that has nothing yet.
    pub fn start() -> Self {
        let listener = must(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)), "a port");
        let port = must(listener.local_addr(), "a port").port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                // A client that was killed is no fault of the server.
                thread::spawn(move || drop(serve(&stream, &shared)));
            }
        });
        Self { port, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is, by id.
    pub fn things(&self) -> BTreeMap<String, Value> {
        self.state().things.clone()
    }

    /// `POST /things`, ... since the last look.
    pub fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.state().log)
    }

    /// The heads of all requests.
    pub fn heads(&self) -> String {
        self.state().heads.clone()
    }

    /// Changes a thing behind everybody's back; null: it is gone.
    pub fn set(&self, id: &str, thing: Value) {
        if thing.is_null() {
            self.state().things.remove(id);
        } else {
            self.state().things.insert(id.to_owned(), thing);
        }
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let Some(request) = Request::read(&mut reader)? else { return Ok(()) };
    let mut line = request.head.split(' ');
    let (method, path) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
    let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    state.log.push(format!("{method} {path}"));
    state.heads.push_str(&request.head);
    let (status, answer) =
        state.answer(method, path, body, request.header("idempotency-key").map(str::to_owned));
    drop(state);
    let text = if answer.is_null() { String::new() } else { answer.to_string() };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    )
}

/// The answer to a creation: the only one with the thing's key.
fn made(id: &str, body: &Value) -> Value {
    json!({"id": id, "key": format!("minted-for-{id}-once"), "echo": body})
}

impl State {
    fn answer(&mut self, method: &str, path: &str, body: Value, key: Option<String>) -> (u16, Value) {
        let gone = (404, json!({"error": "there is no such thing"}));
        if let Some(name) = path.strip_prefix("/find?name=") {
            let found = self.things.iter().filter(|(_, thing)| thing["name"] == name);
            let items: Vec<Value> = found.map(|(id, _)| json!({"id": id})).collect();
            return (200, json!({"items": items}));
        }
        let id = path.strip_prefix("/things/").unwrap_or_default().to_owned();
        match (method, path) {
            ("POST", "/things") => {
                if let Some(known) = key.as_ref().and_then(|key| self.keys.get(key)) {
                    return (200, made(known, &body));
                }
                self.next += 1;
                let id = format!("t{}", self.next);
                self.keys.extend(key.map(|key| (key, id.clone())));
                self.things.insert(id.clone(), body.clone());
                (201, made(&id, &body))
            }
            ("GET", _) => match self.things.get_mut(&id) {
                None => gone,
                Some(thing) => {
                    let left = thing["steps"].as_u64().unwrap_or(0);
                    let mut shown = thing.clone();
                    shown["id"] = json!(id);
                    shown["state"] = json!(if left == 0 { "up" } else { "booting" });
                    shown["why"] = json!(format!("{left} to go"));
                    if left > 0 {
                        thing["steps"] = json!(left - 1);
                    }
                    (200, shown)
                }
            },
            ("PUT", _) if self.things.contains_key(&id) => {
                self.things.insert(id, body.clone());
                (200, body)
            }
            ("DELETE", _) => match self.things.remove(&id) {
                None => gone,
                Some(_) => (204, Value::Null),
            },
            ("PUT", _) => gone,
            _ => (405, Value::Null),
        }
    }
}
