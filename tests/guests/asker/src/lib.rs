//! A provider of one type: `asker:Ask` sends `times` requests to `server`, a host with its port, without TLS; `at-once` of
//! them before it waits for the first. What came of them is in the outputs.

mod http {
    wit_bindgen::generate!({ path: "../../../wit", world: "wasi:http/imports@0.2.0", generate_all });
}
wit_bindgen::generate!({ path: "../../../wit", world: "sheave:plugin/provider@0.1.0", generate_all });

use exports::sheave::plugin::model::{self, Role, TypeInfo};
use exports::sheave::plugin::provide::{self, Change, Planned, Step};
use http::wasi::http::outgoing_handler::handle;
use http::wasi::http::types::{ErrorCode, Fields, FutureIncomingResponse, OutgoingRequest, Scheme};
use serde_json::{Value, json};
use sheave::plugin::types::{Doc, Failure, Instance, Snapshot};

struct Asker;
export!(Asker);

impl model::Guest for Asker {
    fn describe() -> Vec<TypeInfo> {
        let (name, summary) = ("Ask".to_owned(), "asks a server".to_owned());
        vec![TypeInfo { name, role: Role::Provides, schema_version: 1, summary }]
    }

    fn settings_schema() -> Option<String> {
        None
    }

    fn schema(_type_name: String) -> Result<String, Failure> {
        Ok(json!({"type": "object", "additionalProperties": true}).to_string())
    }

    fn check(_of: Instance, props: Doc) -> Result<Doc, Failure> {
        Ok(props)
    }

    fn upgrade(_of: Instance, _stored_version: u32, state: Doc) -> Result<Doc, Failure> {
        Ok(state)
    }
}

impl provide::Guest for Asker {
    fn plan(_what: Change) -> Result<Planned, Failure> {
        Ok(Planned { outputs: doc(&json!({})), replace: Vec::new(), notes: Vec::new() })
    }

    fn read(_of: Instance, prior: Snapshot) -> Result<Option<Snapshot>, Failure> {
        Ok(Some(prior))
    }

    fn apply(
        what: Change,
        _agreed: Planned,
        _op_key: String,
        _resume: Option<Vec<u8>>,
    ) -> Result<Step, Failure> {
        let Some(desired) = what.desired else { return Ok(Step::Done(None)) };
        let outputs = doc(&ask(&serde_json::from_str(&desired.json).unwrap_or_default()));
        let state = doc(&json!({}));
        Ok(Step::Done(Some(Snapshot { id: "asked".to_owned(), state, outputs, private_data: Vec::new() })))
    }
}

fn ask(props: &Value) -> Value {
    let number = |key: &str| props[key].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    let server = props["server"].as_str().unwrap_or_default();
    let (mut answered, mut refused) = (0, Vec::new());
    let mut rest = number("times");
    while rest > 0 {
        let now = rest.min(number("at-once"));
        let asked: Vec<_> = (0..now).map(|_| begin(server)).collect();
        for answer in asked {
            match answer.and_then(|answer| wait(&answer)) {
                Ok(()) => answered += 1,
                Err(code) => refused.push(format!("{code:?}")),
            }
        }
        rest -= now;
    }
    // A thousand times the same tells no more than once.
    refused.truncate(10);
    json!({"answered": answered, "refused": refused})
}

fn begin(server: &str) -> Result<FutureIncomingResponse, ErrorCode> {
    let request = OutgoingRequest::new(Fields::new());
    let _ = request.set_scheme(Some(&Scheme::Http));
    let _ = request.set_authority(Some(server));
    let _ = request.set_path_with_query(Some("/"));
    handle(request, None)
}

fn wait(answer: &FutureIncomingResponse) -> Result<(), ErrorCode> {
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(answer)) => answer.map(drop),
        _ => Err(ErrorCode::ConnectionTerminated),
    }
}

fn doc(value: &Value) -> Doc {
    Doc { json: value.to_string(), marks: Vec::new() }
}
