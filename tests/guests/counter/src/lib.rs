//! A provider whose things are files of its granted folder, `things/OP-KEY`: one for each creation, as a cloud that
//! makes another machine whenever it is asked under another key. Every call of `apply` is a line of `calls`; everything
//! that the plugin was ever given with a grant is in `seen`.

mod folder;

mod files {
    wit_bindgen::generate!({ path: "../../../wit", world: "wasi:filesystem/imports@0.2.0", generate_all });
}
wit_bindgen::generate!({ path: "../../../wit", world: "sheave:plugin/provider@0.1.0", generate_all });

use exports::sheave::plugin::model::{self, Role, TypeInfo};
use exports::sheave::plugin::provide::{self, Change, Planned, Step};
use folder::Folder;
use serde_json::{Value, json};
use sheave::plugin::types::{Doc, Failure, Instance, Mark, MarkKind, Snapshot};

struct Counter;
export!(Counter);

const TYPE: &str = "Thing";

impl model::Guest for Counter {
    fn describe() -> Vec<TypeInfo> {
        let summary = "a file that knows its operation's key".to_owned();
        vec![TypeInfo { name: TYPE.to_owned(), role: Role::Provides, schema_version: 1, summary }]
    }

    fn settings_schema() -> Option<String> {
        None
    }

    fn schema(_type_name: String) -> Result<String, Failure> {
        let text = json!({"type": "string"});
        let outputs = json!({"type": "object", "properties": {"name": text, "id": text}});
        Ok(json!({"type": "object", "additionalProperties": true, "x-outputs": outputs}).to_string())
    }

    fn check(_of: Instance, props: Doc) -> Result<Doc, Failure> {
        Ok(props)
    }

    fn upgrade(_of: Instance, _stored_version: u32, state: Doc) -> Result<Doc, Failure> {
        Ok(state)
    }
}

impl provide::Guest for Counter {
    fn plan(what: Change) -> Result<Planned, Failure> {
        let outputs = match what.prior {
            Some(prior) => prior.outputs,
            None => Doc {
                json: json!({"name": what.of.name, "id": ""}).to_string(),
                marks: vec![Mark { pointer: "/id".to_owned(), kind: MarkKind::Unknown }],
            },
        };
        Ok(Planned { outputs, replace: Vec::new(), notes: Vec::new() })
    }

    fn read(of: Instance, prior: Snapshot) -> Result<Option<Snapshot>, Failure> {
        let folder = Folder::granted()?;
        folder.append("seen", &seen(&of, Some(&prior), None))?;
        Ok(folder.has(&thing(&prior.id)).then_some(prior))
    }

    fn apply(
        what: Change,
        _agreed: Planned,
        op_key: String,
        _resume: Option<Vec<u8>>,
    ) -> Result<Step, Failure> {
        let folder = Folder::granted()?;
        let Change { of, prior, desired } = what;
        folder.append("seen", &seen(&of, prior.as_ref(), desired.as_ref()))?;
        let deed = match (&prior, &desired) {
            (None, _) => "create",
            (Some(_), Some(_)) => "update",
            (Some(_), None) => "delete",
        };
        folder.append("calls", &format!("{deed} {} {op_key}", of.name))?;
        let id = prior.map_or(op_key, |p| p.id);
        let Some(desired) = desired else {
            folder.remove(&thing(&id))?;
            return Ok(Step::Done(None));
        };
        folder.write(&thing(&id), &desired.json)?;
        let outputs = json!({"name": of.name, "id": id});
        Ok(Step::Done(Some(Snapshot {
            state: Doc { json: desired.json.clone(), marks: Vec::new() },
            outputs: Doc { json: outputs.to_string(), marks: Vec::new() },
            private_data: desired.json.into_bytes(),
            id,
        })))
    }
}

fn thing(id: &str) -> String {
    format!("things/{id}")
}

/// All that came in with a call, as one line.
fn seen(of: &Instance, prior: Option<&Snapshot>, desired: Option<&Doc>) -> String {
    let prior = prior.map(|p| {
        json!({"id": p.id, "state": p.state.json, "outputs": p.outputs.json,
               "private": String::from_utf8_lossy(&p.private_data)})
    });
    let desired: Option<&str> = desired.map(|d| d.json.as_str());
    let all: Value =
        json!({"name": of.name, "settings": of.settings.json, "prior": prior, "desired": desired});
    all.to_string()
}
