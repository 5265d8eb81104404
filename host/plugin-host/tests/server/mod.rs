//! Servers on loopback that answer as they like.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// How a server answers each connection.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// With these bytes; then it ends the connection.
    Says(Vec<u8>),
    /// With these, and then with letters without end.
    Endless(Vec<u8>),
    /// Never.
    Hangs,
    /// With a letter now and then.
    Drips,
    /// With the request's head as JSON, and its authorization as a header.
    Echoes,
    /// With `{}`, once this many requests are there together.
    Together(usize),
}

/// A 200 with a JSON body.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

pub(crate) struct Server {
    pub(crate) port: u16,
    here: Arc<Here>,
    seen: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

/// The requests that are there and not answered.
#[derive(Default)]
struct Here {
    /// Now, and at the most.
    count: Mutex<(usize, usize)>,
    come: Notify,
}

impl Here {
    /// Waits until a whole group is there, counted from the first request on.
    async fn together(&self, group: usize) {
        {
            let mut count = self.count.lock().unwrap();
            count.0 += 1;
            count.1 = count.1.max(count.0);
        }
        self.come.notify_waiters();
        loop {
            let more = self.come.notified();
            tokio::pin!(more);
            more.as_mut().enable();
            if self.count.lock().unwrap().1 >= group {
                break;
            }
            more.await;
        }
    }

    fn gone(&self) {
        self.count.lock().unwrap().0 -= 1;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let here = Arc::new(Here::default());
        let present = here.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (way, log, present) = (way.clone(), log.clone(), present.clone());
                // A client that goes away is no fault of the server.
                tokio::spawn(async move { drop(answer(stream, way, &log, &present).await) });
            }
        });
        Self { port, here, seen, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many requests were there together, at the most; only where it waits for them.
    #[allow(dead_code, reason = "each test crate uses a part of it")]
    pub(crate) fn most_at_once(&self) -> usize {
        self.here.count.lock().unwrap().1
    }

    /// The requests since the last look.
    pub(crate) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

async fn answer(
    mut stream: TcpStream,
    way: Way,
    log: &Mutex<Vec<String>>,
    here: &Here,
) -> std::io::Result<()> {
    let request = request(&mut stream).await?;
    log.lock().unwrap().push(request.clone());
    match way {
        Way::Says(bytes) => stream.write_all(&bytes).await?,
        Way::Endless(bytes) => {
            stream.write_all(&bytes).await?;
            loop {
                stream.write_all(&[b'x'; 64 << 10]).await?;
            }
        }
        Way::Together(group) => {
            here.together(group).await;
            // Before the client hears of it: then it may send the next.
            here.gone();
            stream.write_all(&ok("{}")).await?;
        }
        Way::Hangs => std::future::pending().await,
        Way::Drips => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            let mut drips = tokio::time::interval(Duration::from_millis(50));
            loop {
                drips.tick().await;
                stream.write_all(b"x").await?;
            }
        }
        Way::Echoes => {
            let lines: Vec<&str> = request.lines().collect();
            let auth = lines.iter().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or("none");
            let body = serde_json::to_string(&lines).unwrap();
            let head = format!("HTTP/1.1 200 OK\r\nx-auth: {auth}\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body.as_bytes()).await?;
        }
    }
    stream.shutdown().await
}

/// The head, and the body where it has a length.
async fn request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Ok(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        let mut part = [0; 16 << 10];
        match stream.read(&mut part).await? {
            0 => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            read => bytes.extend_from_slice(&part[..read]),
        }
    }
}
