//! `Manifests`: every document of a file or folder, an object each.
//!
//! The host reads the files. In place of the path it puts a list, an item for each document:
//! `{"file": "a.yaml", "index": 0, "document": {...}}`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sheave_sdk::{
    Context, Description, Diagnostic, EmitterType, Failure, Live, Map, Object, Observation, Value, json,
};

use crate::outputs;

pub(crate) struct Manifests;

/// The property that names the files, and later holds what is in them.
const PATH: &str = "path";
/// Lists in lists: kubectl writes none, and an unfolding that ends by itself needs no trust.
const MOST_LISTS: usize = 8;
/// Faults that are told: the first few say what is wrong with a folder.
const MOST_FAULTS: usize = 50;

/// A document, and where it came from.
struct Found<'a> {
    /// `file.yaml`, or `file.yaml (document 2)`; with the item where a list was unfolded.
    place: String,
    object: Cow<'a, Map<String, Value>>,
}

impl EmitterType for Manifests {
    fn describe(&self) -> Description {
        let summary = "every document of a file or folder of manifests, an object each";
        Description { name: "Manifests", summary, version: 1 }
    }

    fn schema(&self) -> Cow<'static, str> {
        let text = |about: &str| json!({"type": "string", "description": about});
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": false,
            "required": [PATH],
            "properties": {PATH: {
                "description": "A file or folder of YAML or JSON manifests, from the blueprint's folder; of a folder all \
                    files, in the order of their names. A file may hold several documents. What a document leaves out, such \
                    as its namespace, is the target's.",
                "type": "string",
                "minLength": 1,
                "x-files": true,
            }},
            "x-outputs": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "count": {"type": "integer", "description": "How many objects there are."},
                    "objects": {
                        "description": "The objects, by kind and name: `Deployment.apps/web`, or `Deployment.apps/blog/web` where \
                            the document names its namespace.",
                        "type": "object",
                        "additionalProperties": {
                            "type": "object",
                            "additionalProperties": false,
                            "properties": {
                                "apiVersion": text("Its group and version."),
                                "kind": text("Its kind."),
                                "namespace": text("The namespace that it stands in; empty where it stands in none."),
                                "name": text("Its name."),
                                "uid": text("The cluster's own identity of it."),
                            },
                        },
                    },
                },
            },
        })
        .to_string()
        .into()
    }

    fn check(&self, _: &Context, props: &Value) -> Vec<Diagnostic> {
        // Before the host has read the files there is nothing to look at.
        match props.get(PATH) {
            Some(Value::Array(items)) => objects(items).err().unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    fn render(&self, _: &Context, props: Value, _: &Live) -> Result<Vec<Object>, Failure> {
        let Some(Value::Array(items)) = props.get(PATH) else {
            let why = Diagnostic::error("manifests.not-read", "the files were not read");
            return Err(Failure::invalid(why.at("/path")));
        };
        let objects = objects(items).map_err(Failure::Invalid)?;
        Ok(objects.into_iter().map(|(slot, object)| Object::new(slot, Value::Object(object))).collect())
    }

    fn observe(&self, _: &Context, props: Value, live: &Live) -> Result<Observation<Value>, Failure> {
        let items = props.get(PATH).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        // What was rendered is what was applied; what cannot be rendered any more has no outputs.
        let slots = objects(items).unwrap_or_default().into_keys();
        let mut absent = 0;
        let seen: Map<String, Value> = slots
            .filter_map(|slot| match live.get(&slot) {
                Some(object) => {
                    let text = |pointer: &str| outputs::text(object, pointer);
                    let known = json!({
                        "apiVersion": text("/apiVersion"),
                        "kind": text("/kind"),
                        "namespace": text("/metadata/namespace"),
                        "name": text("/metadata/name"),
                        "uid": text("/metadata/uid"),
                    });
                    Some((slot, known))
                }
                None => {
                    absent += 1;
                    None
                }
            })
            .collect();
        let (outputs, seen) = (json!({"count": seen.len(), "objects": seen}), seen.len());
        Ok(match absent {
            0 => Observation::ready(outputs),
            _ => Observation::waiting(format!("{absent} of {} are not there yet", absent + seen), outputs),
        })
    }
}

/// The objects of all documents by slot, or all that is wrong with them.
fn objects(items: &[Value]) -> Result<BTreeMap<String, Map<String, Value>>, Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let mut found = Vec::new();
    for item in items {
        let place = place(item);
        match item.get("document") {
            // `---` with nothing behind it.
            None | Some(Value::Null) => {}
            Some(Value::Object(object)) => unfold(Cow::Borrowed(object), place, 0, &mut found, &mut faults),
            Some(_) => faults.push(fault("manifests.no-object", &place, "it is no object", "")),
        }
    }
    let mut objects = BTreeMap::new();
    let mut places = BTreeMap::new();
    for Found { place, object } in found {
        match slot(&object, &place) {
            Ok(slot) => {
                if let Some(before) = places.insert(slot.clone(), place.clone()) {
                    let summary = format!("{slot} stands in `{before}` too");
                    faults.push(fault("manifests.duplicate", &place, &summary, "take one of them away"));
                }
                objects.insert(slot, tidy(object.into_owned()));
            }
            Err(why) => faults.push(why),
        }
    }
    faults.truncate(MOST_FAULTS);
    if faults.is_empty() { Ok(objects) } else { Err(faults) }
}

fn place(item: &Value) -> String {
    let file = item.get("file").and_then(Value::as_str).unwrap_or_default();
    match item.get("index").and_then(Value::as_u64) {
        Some(index) if index > 0 => format!("{file} (document {})", index + 1),
        _ => file.to_owned(),
    }
}

fn fault(code: &str, place: &str, what: &str, detail: &str) -> Diagnostic {
    Diagnostic::error(code, format!("{place}: {what}")).at("/path").detail(detail)
}

/// Adds an object, or where it is a list, its items.
fn unfold<'a>(
    object: Cow<'a, Map<String, Value>>,
    place: String,
    depth: usize,
    found: &mut Vec<Found<'a>>,
    faults: &mut Vec<Diagnostic>,
) {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let (Some(of), Some(Value::Array(items))) = (kind.strip_suffix("List"), object.get("items")) else {
        found.push(Found { place, object });
        return;
    };
    if depth == MOST_LISTS {
        faults.push(fault("manifests.nested-lists", &place, "lists in lists go on and on", ""));
        return;
    }
    let api_version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    for (i, item) in items.iter().enumerate() {
        let place = format!("{place}, item {}", i + 1);
        let Value::Object(item) = item else {
            if !item.is_null() {
                faults.push(fault("manifests.no-object", &place, "it is no object", ""));
            }
            continue;
        };
        let mut item = item.clone();
        // A list of one kind, as the API server gives it, leaves out in its items what it says itself.
        if !of.is_empty() {
            item.entry("kind").or_insert_with(|| of.into());
            item.entry("apiVersion").or_insert_with(|| api_version.into());
        }
        unfold(Cow::Owned(item), place, depth + 1, found, faults);
    }
}

/// What an object is keyed by: `Service/web`, `Deployment.apps/blog/web`. The version is no part of it, so that an
/// object that moves to another stays the same.
fn slot(object: &Map<String, Value>, place: &str) -> Result<String, Diagnostic> {
    let metadata = object.get("metadata").and_then(Value::as_object);
    let text =
        |field: Option<&Value>| field.and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
    let missing = |field: &str| {
        let what = format!("it has no `{field}`");
        fault(
            "manifests.no-identity",
            place,
            &what,
            "every object has `apiVersion`, `kind` and `metadata.name`",
        )
    };
    let version = text(object.get("apiVersion")).ok_or_else(|| missing("apiVersion"))?;
    let kind = text(object.get("kind")).ok_or_else(|| missing("kind"))?;
    if metadata.is_some_and(|m| m.contains_key("generateName")) {
        let detail = "with `generateName` every apply would make another object; give it a `name`";
        return Err(fault("manifests.generate-name", place, "its name would be made up", detail));
    }
    let name = text(metadata.and_then(|m| m.get("name"))).ok_or_else(|| missing("metadata.name"))?;
    let mut slot = match version.split_once('/') {
        Some((group, _)) => format!("{kind}.{group}/"),
        None => format!("{kind}/"),
    };
    if let Some(namespace) = text(metadata.and_then(|m| m.get("namespace"))) {
        slot.push_str(&namespace);
        slot.push('/');
    }
    slot.push_str(&name);
    Ok(slot)
}

/// Without fields that hold nothing: under server-side apply they would be claimed for nothing.
fn tidy(object: Map<String, Value>) -> Map<String, Value> {
    let kept = object.into_iter().filter(|(_, value)| !value.is_null());
    kept.map(|(key, value)| (key, without_nulls(value))).collect()
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(tidy(fields)),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        leaf => leaf,
    }
}
