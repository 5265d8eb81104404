//! An emitter whose types misbehave: `rogue:Loop` loops, `rogue:Trap` traps, and so on. All take any properties.
//!
//! Types that need a text take it from the property `value`; the ConfigMaps that they emit are called like the resource.

mod misdeeds;
mod tokens;

wit_bindgen::generate!({ path: "../../../wit", world: "sheave:plugin/emitter@0.1.0", generate_all });

use exports::sheave::plugin::emit::{self, Emitted, Live, Lookup, Observation};
use exports::sheave::plugin::model::{self, Role, TypeInfo};
use serde_json::{Value, json};
use sheave::plugin::types::{Diagnostic, Doc, Failure, Instance, Severity};

struct Rogue;
export!(Rogue);

/// What a type does when it is rendered.
type Deed = fn(&Instance, &Doc) -> Vec<Emitted>;

const TYPES: &[(&str, &str, Deed)] = &[
    ("Loop", "loops for ever", misdeeds::loops),
    ("Hog", "takes memory without end", misdeeds::hog),
    ("Recurse", "calls itself without end", misdeeds::recurse),
    ("Trap", "executes `unreachable`", misdeeds::trap),
    ("Panic", "panics, with a message", misdeeds::panics),
    ("Flood", "replies with 100 MB, or as many as `megabytes` or `bytes` say", misdeeds::flood),
    ("Deep", "replies with 10,000 nested lists", misdeeds::deep),
    ("Garbage", "replies with what is no JSON", misdeeds::garbage),
    ("Many", "replies with 10,001 objects, or as many as `many` says", misdeeds::many),
    ("Twins", "replies with two objects in one slot", misdeeds::twins),
    ("Nowhere", "marks a leaf that does not exist", misdeeds::nowhere),
    ("Dangling", "waits for a slot that does not exist", misdeeds::dangling),
    ("Logs", "logs 100,000 lines, or as many as `lines` says", misdeeds::logs),
    ("Paint", "logs escape sequences", misdeeds::paint),
    ("Echo", "shows all that it was given, in a ConfigMap and in its log", tokens::echo),
    ("Honest", "puts `value` into a URL", tokens::honest),
    ("Hash", "writes a hash of `value`", tokens::hash),
    ("Base64", "writes `value` in base64", tokens::base64),
    ("Piece", "writes a piece of `value`", tokens::piece),
    ("Leak", "writes `value` into a ConfigMap", tokens::leak),
    ("Differs", "names a key after `value`", tokens::differs),
    ("Emit", "emits the manifests in `objects`, to `target`, with `kilobytes` in each", misdeeds::emits),
    (
        "Seen",
        "shows the live object that `lookup` names, and looks for it in as many rounds as `rounds` says",
        misdeeds::seen,
    ),
    ("Branch", "names an object after a hash of `value`", tokens::branch),
];

impl model::Guest for Rogue {
    fn describe() -> Vec<TypeInfo> {
        let info = |(name, summary, _): &(&str, &str, Deed)| TypeInfo {
            name: (*name).to_owned(),
            role: Role::Emits,
            schema_version: 1,
            summary: (*summary).to_owned(),
        };
        TYPES.iter().map(info).collect()
    }

    fn settings_schema() -> Option<String> {
        None
    }

    fn schema(type_name: String) -> Result<String, Failure> {
        find(&type_name)?;
        let outputs = json!({"type": "object", "properties": {"ready": {"type": "integer"}}});
        Ok(json!({"type": "object", "additionalProperties": true, "x-outputs": outputs}).to_string())
    }

    /// Fills in what `fill` says under the name `filled`, and then marks nothing.
    fn check(of: Instance, props: Doc) -> Result<Doc, Failure> {
        find(&of.type_name)?;
        let mut json: Value = serde_json::from_str(&props.json).unwrap_or_default();
        match json.get("fill").cloned() {
            Some(fill) => {
                json["filled"] = fill;
                Ok(Doc { json: json.to_string(), marks: Vec::new() })
            }
            None => Ok(props),
        }
    }

    fn upgrade(_of: Instance, _stored_version: u32, state: Doc) -> Result<Doc, Failure> {
        Ok(state)
    }
}

impl emit::Guest for Rogue {
    fn needs(_of: Instance, props: Doc, found: Vec<Live>) -> Result<Vec<Lookup>, Failure> {
        let props: Value = serde_json::from_str(&props.json).unwrap_or_default();
        let wanted = props.get("lookup").filter(|l| l.is_object());
        let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
        let lookup = |of: &Value| Lookup {
            target: text(of, "target"),
            api_version: text(of, "apiVersion"),
            kind: text(of, "kind"),
            namespace: of["namespace"].as_str().map(str::to_owned),
            name: text(of, "name"),
        };
        let rounds = props["rounds"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
        // The same one again each time: what is asked for grows, what there is does not.
        Ok(wanted.map(|of| vec![lookup(of); rounds.min(found.len() + 1)]).unwrap_or_default())
    }

    fn render(of: Instance, mut props: Doc, found: Vec<Live>) -> Result<Vec<Emitted>, Failure> {
        if of.type_name == "Seen" {
            let body =
                found.into_iter().find_map(|live| live.body).map_or("nothing".to_owned(), |doc| doc.json);
            props.json = json!({"seen": body}).to_string();
        }
        Ok(find(&of.type_name)?(&of, &props))
    }

    fn observe(_of: Instance, _props: Doc, live: Vec<Live>) -> Result<Observation, Failure> {
        let ready = live.iter().filter(|l| l.body.is_some()).count();
        let outputs = Doc { json: json!({"ready": ready}).to_string(), marks: Vec::new() };
        Ok(Observation { ready: ready == live.len(), reason: format!("{ready} of {}", live.len()), outputs })
    }
}

fn find(type_name: &str) -> Result<Deed, Failure> {
    TYPES.iter().find(|(name, ..)| *name == type_name).map(|(_, _, deed)| *deed).ok_or_else(|| {
        Failure::Invalid(vec![Diagnostic {
            severity: Severity::Error,
            code: "rogue.unknown-type".to_owned(),
            summary: format!("there is no type {type_name}"),
            detail: String::new(),
            pointer: None,
        }])
    })
}

/// A ConfigMap with this data.
fn config_map(of: &Instance, slot: &str, data: Value) -> Emitted {
    let name =
        format!("{}-{slot}", of.name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data});
    emitted(slot, object.to_string())
}

fn emitted(slot: &str, json: String) -> Emitted {
    Emitted {
        slot: slot.to_owned(),
        target: String::new(),
        manifest: Doc { json, marks: Vec::new() },
        after: Vec::new(),
        ready_when: None,
        restart_on: Vec::new(),
    }
}
