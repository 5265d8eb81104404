//! One case, as `input.yaml` has it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use sheave_plugin_host::wire::{Doc, Instance, Mark, MarkKind, TypeInfo};

use crate::fault::{self, Result};

/// Live objects by slot; none where one does not exist.
pub(super) type LiveObjects = BTreeMap<String, Option<Value>>;

/// What a plugin is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The type; left out: the plugin's only one.
    #[serde(rename = "type")]
    type_name: Option<String>,
    /// The resource's address.
    #[serde(default = "name")]
    name: String,
    /// The plugin's settings.
    settings: Option<Value>,
    /// Of an emitter.
    properties: Option<Value>,
    /// Pointers of properties that are known only after apply.
    #[serde(default)]
    unknown: Vec<String>,
    /// Pointers of properties that are secret.
    #[serde(default)]
    secret: Vec<String>,
    /// Of an emitter: the live objects by slot, for `observe`.
    live: Option<LiveObjects>,
    /// Of a provider: one change after the other.
    #[serde(default)]
    steps: Vec<Step>,
}

/// A change of a provider's resource.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// What is wanted.
    pub(super) properties: Option<Value>,
    /// Instead: nothing is wanted any more.
    #[serde(default)]
    pub(super) delete: bool,
    #[serde(default)]
    unknown: Vec<String>,
    #[serde(default)]
    secret: Vec<String>,
}

fn name() -> String {
    "web".to_owned()
}

/// A case that can be run.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) of: Instance,
    pub(super) emits: Option<(Doc, Option<LiveObjects>)>,
    pub(super) steps: Vec<Option<Doc>>,
}

impl Case {
    pub(super) fn read(name: &str, path: &Path, types: &[TypeInfo]) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|e| fault::files(path, &e))?;
        let input: Input = serde_saphyr::from_str(&text).map_err(|e| fault::bad_case(name, e.to_string()))?;
        let found = match &input.type_name {
            Some(wanted) => types.iter().find(|t| t.name == *wanted),
            None => types.first().filter(|_| types.len() == 1),
        };
        let Some(found) = found else {
            let names: Vec<&str> = types.iter().map(|t| t.name.as_str()).collect();
            return Err(fault::bad_case(name, format!("`type` is one of {}", names.join(", "))));
        };
        if input.properties.is_some() != input.steps.is_empty() {
            return Err(fault::bad_case(name, "it has either `properties` or `steps`"));
        }
        let settings = input.settings.map(|s| Doc { json: s.to_string(), marks: Vec::new() });
        let of = Instance {
            type_name: found.name.clone(),
            name: input.name,
            stack: "golden".to_owned(),
            schema_version: found.schema_version,
            settings: settings.unwrap_or_else(|| Doc { json: "{}".to_owned(), marks: Vec::new() }),
        };
        let doc = |value: Value, unknown: &[String], secret: &[String]| {
            marked(value, unknown, secret).map_err(|why| fault::bad_case(name, why))
        };
        let emits = match input.properties {
            Some(properties) => Some((doc(properties, &input.unknown, &input.secret)?, input.live)),
            None => None,
        };
        let mut steps = Vec::new();
        for Step { properties, delete, unknown, secret } in input.steps {
            steps.push(match (properties, delete) {
                (Some(properties), false) => Some(doc(properties, &unknown, &secret)?),
                (None, true) => None,
                _ => return Err(fault::bad_case(name, "a step has either `properties` or `delete: true`")),
            });
        }
        Ok(Self { of, emits, steps })
    }
}

/// A document whose marked leaves hold tokens: always the same, as long as the host's, and safe where theirs are.
fn marked(mut value: Value, unknown: &[String], secret: &[String]) -> std::result::Result<Doc, String> {
    let mut marks = Vec::new();
    for (pointers, kind) in [(unknown, MarkKind::Unknown), (secret, MarkKind::Secret)] {
        for pointer in pointers {
            let leaf =
                value.pointer_mut(pointer).ok_or_else(|| format!("there is no property at `{pointer}`"))?;
            *leaf = Value::String(token(pointer));
            marks.push(Mark { pointer: pointer.clone(), kind });
        }
    }
    Ok(Doc { json: value.to_string(), marks })
}

/// A stand-in for a token, named after its place.
pub(super) fn token(pointer: &str) -> String {
    let word: String = pointer.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("token-{}", word.to_ascii_lowercase())
}
