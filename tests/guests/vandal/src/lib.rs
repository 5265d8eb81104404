//! A provider that misuses what it was granted: `vandal:Escape` tries to leave its folder, `vandal:Sleep` waits in the
//! host for an hour, and so on. What it managed to do is in the outputs.

mod deeds;
mod floods;

mod files {
    wit_bindgen::generate!({ path: "../../../wit", world: "wasi:filesystem/imports@0.2.0", generate_all });
}
mod naps {
    wit_bindgen::generate!({ path: "wit", world: "sheave:vandal/naps", generate_all });
}
wit_bindgen::generate!({ path: "../../../wit", world: "sheave:plugin/provider@0.1.0", generate_all });

use exports::sheave::plugin::model::{self, Role, TypeInfo};
use exports::sheave::plugin::provide::{self, Change, Planned, Step};
use serde_json::{Value, json};
use sheave::plugin::types::{Diagnostic, Doc, Failure, Instance, Mark, MarkKind, Severity, Snapshot};

struct Vandal;
export!(Vandal);

/// How applying ends.
type Done = Result<Step, Failure>;
/// What a type does when it is applied: its outputs, or how else it ends.
type Deed = fn(&Value, Option<Vec<u8>>) -> Done;

const TYPES: &[(&str, &str, Deed)] = &[
    ("Note", "writes `text` into `path`, as it should", deeds::note),
    ("Escape", "tries to read and write outside of its folder", deeds::escape),
    ("Modes", "tries to change permissions, also where it may not", deeds::modes),
    ("Look", "tells what it sees of the machine", deeds::look),
    ("Peek", "asks to see the token in `value`, or in the settings' `key`", deeds::peek),
    ("Coin", "makes a secret of its own", deeds::coin),
    ("Dice", "shows clock and random numbers", deeds::dice),
    ("Sleep", "waits for an hour inside the host", deeds::sleep),
    ("Spin", "loops for ever", deeds::spin),
    ("Half", "is done in three steps", deeds::half),
    ("Ruin", "leaves half of it behind", deeds::ruin),
    ("Liar", "says that it is done, and shows nothing", deeds::liar),
    ("Crowd", "waits for more things at once than there may be", floods::crowd),
    ("Hoard", "opens one file over and over, and closes none", floods::hoard),
    ("Gamble", "takes random bytes without measure", floods::gamble),
    ("Busy", "asks to be called again later", deeds::busy),
];

impl model::Guest for Vandal {
    fn describe() -> Vec<TypeInfo> {
        let info = |(name, summary, _): &(&str, &str, Deed)| TypeInfo {
            name: (*name).to_owned(),
            role: Role::Provides,
            schema_version: 1,
            summary: (*summary).to_owned(),
        };
        TYPES.iter().map(info).collect()
    }

    fn settings_schema() -> Option<String> {
        None
    }

    fn schema(_type_name: String) -> Result<String, Failure> {
        let text = json!({"type": "string"});
        let outputs = json!({
            "coin": {"type": "string", "x-sensitive": true},
            "token": text, "refused": text, "seen": text,
        });
        let outputs = json!({"type": "object", "properties": outputs, "additionalProperties": true});
        Ok(json!({"type": "object", "additionalProperties": true, "x-outputs": outputs}).to_string())
    }

    fn check(_of: Instance, props: Doc) -> Result<Doc, Failure> {
        Ok(props)
    }

    fn upgrade(_of: Instance, _stored_version: u32, state: Doc) -> Result<Doc, Failure> {
        Ok(state)
    }
}

impl provide::Guest for Vandal {
    /// Shows what it sees of the machine: nothing, since a plan runs with no grant. `Modes` tries already now.
    fn plan(what: Change) -> Result<Planned, Failure> {
        let mut outputs = deeds::seen();
        if what.of.type_name == "Modes" {
            let props = what.desired.and_then(|d| serde_json::from_str(&d.json).ok());
            outputs["tried"] = deeds::tried(&props.unwrap_or_default());
        }
        // What these give they know when they have done it.
        let unknown: &[&str] = match what.of.type_name.as_str() {
            "Peek" => &["token", "refused"],
            "Coin" => &["coin"],
            _ => &[],
        };
        for name in unknown {
            outputs[*name] = "".into();
        }
        let mark = |name: &&str| Mark { pointer: format!("/{name}"), kind: MarkKind::Unknown };
        let outputs = Doc { json: outputs.to_string(), marks: unknown.iter().map(mark).collect() };
        Ok(Planned { outputs, replace: Vec::new(), notes: Vec::new() })
    }

    fn read(_of: Instance, prior: Snapshot) -> Result<Option<Snapshot>, Failure> {
        Ok(Some(prior))
    }

    fn apply(
        what: Change,
        _agreed: Planned,
        _op_key: String,
        resume: Option<Vec<u8>>,
    ) -> Result<Step, Failure> {
        let Some(desired) = what.desired else { return Ok(Step::Done(None)) };
        let mut props: Value = serde_json::from_str(&desired.json).unwrap_or_default();
        let settings: Value = serde_json::from_str(&what.of.settings.json).unwrap_or_default();
        if let (None, Some(key)) = (props.get("value"), settings.get("key")) {
            props["value"] = key.clone();
        }
        let deed = TYPES.iter().find(|(name, ..)| *name == what.of.type_name);
        let (_, _, deed) = deed.ok_or_else(|| other("vandal.unknown-type", "there is no such type"))?;
        deed(&props, resume)
    }
}

fn doc(value: &Value) -> Doc {
    Doc { json: value.to_string(), marks: Vec::new() }
}

fn snapshot(outputs: &Value) -> Snapshot {
    Snapshot {
        id: "vandal".to_owned(),
        state: doc(&json!({})),
        outputs: doc(outputs),
        private_data: vec![0, 255, 7],
    }
}

fn other(code: &str, summary: &str) -> Failure {
    Failure::Other(diagnostic(code, summary))
}

fn diagnostic(code: &str, summary: &str) -> Diagnostic {
    let (code, summary) = (code.to_owned(), summary.to_owned());
    Diagnostic { severity: Severity::Error, code, summary, detail: String::new(), pointer: None }
}
