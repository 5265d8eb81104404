//! Kubernetes' schemas made fit for blueprints: closed, without prose, without what users may not write.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// What a schema holds inside itself.
const ONE: [&str; 2] = ["items", "additionalProperties"];
const MANY: [&str; 3] = ["anyOf", "oneOf", "allOf"];

/// The parts of an object's metadata that users write; the rest is the cluster's, or makes names that nobody knows.
const METADATA: [&str; 6] = ["annotations", "finalizers", "labels", "name", "namespace", "ownerReferences"];

/// The definition that stands for every object's metadata inside another object, such as a pod template's.
pub(crate) const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Any value, within the schemas of custom resources.
const ANY_JSON: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON";

/// The one kind that another holds whole.
const CLAIM: &str = "io.k8s.api.core.v1.PersistentVolumeClaim";

/// A port or a percentage: `80`, `"http"`, `"25%"`.
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";

/// Makes one schema and all within it plain and closed.
pub(crate) fn tidy(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    fields.remove("description");
    if fields.remove("x-kubernetes-int-or-string").is_some() {
        // A quantity: people write `cpu: 0.5` as well as `cpu: 500m`.
        fields.insert("type".to_owned(), json!(["string", "number"]));
    }
    if fields.get("type") == Some(&json!("string")) {
        // A format would govern what is not known yet; the cluster checks it anyway.
        fields.remove("format");
    }
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(tidy);
        if !fields.contains_key("additionalProperties") {
            fields.insert("additionalProperties".to_owned(), json!(false));
        }
    }
    for key in ONE {
        if let Some(inner) = fields.get_mut(key) {
            tidy(inner);
        }
    }
    for key in MANY {
        fields.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten().for_each(tidy);
    }
}

/// Mends single definitions: metadata holds what users write, a `spec` that cannot be empty is required.
pub(crate) fn mend(defs: &mut Map<String, Value>) {
    if let Some(Value::Object(properties)) = defs.get_mut(OBJECT_META).and_then(|m| m.get_mut("properties")) {
        properties.retain(|name, _| METADATA.contains(&name.as_str()));
    }
    if let Some(number) = defs.get_mut(INT_OR_STRING) {
        number["type"] = json!(["integer", "string"]);
    }
    // What a definition's author thinks of as JSON is any value: a default of 3 as well.
    if let Some(any) = defs.get_mut(ANY_JSON) {
        *any = json!({});
    }
    // A StatefulSet's claims: their status is the cluster's.
    if let Some(Value::Object(properties)) = defs.get_mut(CLAIM).and_then(|m| m.get_mut("properties")) {
        properties.remove("status");
    }
    let before = defs.clone();
    defs.values_mut().for_each(|schema| require_spec(schema, &before));
}

/// Kubernetes leaves `spec` optional even where it must hold something, and says so only when the object comes.
pub(crate) fn require_spec(schema: &mut Value, defs: &Map<String, Value>) {
    let Some(spec) = schema.get("properties").and_then(|p| p.get("spec")) else { return };
    let spec = referenced(spec).and_then(|name| defs.get(name)).unwrap_or(spec);
    if spec.get("required").is_none() {
        return;
    }
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(required) = schema.entry("required").or_insert(json!([])).as_array_mut()
        && !required.contains(&json!("spec"))
    {
        required.push(json!("spec"));
    }
}

/// Gives each definition the last part of its name, where no other has the same.
pub(crate) fn shorten(all: &mut Value, names: &BTreeSet<String>) {
    let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    let short: BTreeMap<&str, String> = names
        .iter()
        .map(|name| (name.as_str(), last(name)))
        .filter(|(name, short)| names.iter().all(|other| other == name || last(other) != *short))
        .collect();
    rename(all, &short);
    if let Some(defs) = all.get_mut("defs").and_then(Value::as_object_mut) {
        let renamed = std::mem::take(defs).into_iter();
        *defs = renamed.map(|(name, def)| (short.get(name.as_str()).cloned().unwrap_or(name), def)).collect();
    }
}

fn rename(schema: &mut Value, short: &BTreeMap<&str, String>) {
    if let Some(short) = referenced(schema).and_then(|name| short.get(name)) {
        schema["$ref"] = json!(format!("#/$defs/{short}"));
    }
    match schema {
        Value::Object(fields) => fields.values_mut().for_each(|inner| rename(inner, short)),
        Value::Array(items) => items.iter_mut().for_each(|inner| rename(inner, short)),
        _ => {}
    }
}

/// The metadata of a kind itself: it identifies the object, and only what stands in namespaces names one.
pub(crate) fn own_metadata(meta: &Value, namespaced: bool) -> Value {
    let mut own = meta.clone();
    if let Some(Value::Object(properties)) = own.get_mut("properties") {
        if !namespaced {
            properties.remove("namespace");
        }
        for name in ["name", "namespace"] {
            if let Some(field) = properties.get_mut(name) {
                field["x-identity"] = json!(true);
            }
        }
    }
    own
}

/// Sets `keyword` at `pointer`. Definitions on the way are copied in, since other kinds share them.
pub(crate) fn mark(
    schema: &mut Value,
    pointer: &str,
    keyword: &str,
    defs: &Map<String, Value>,
) -> Option<()> {
    let mut at = place(schema, pointer, defs)?;
    // All of a map's values, where it is one.
    if keyword == "x-sensitive" {
        at = at.get_mut("additionalProperties")?;
    }
    at.as_object_mut()?.insert(keyword.to_owned(), json!(true));
    Some(())
}

/// Sets `keyword` at every property of the map at `pointer` but those that are named.
pub(crate) fn mark_all_but(
    schema: &mut Value,
    pointer: &str,
    but: &[&str],
    keyword: &str,
    defs: &Map<String, Value>,
) -> Option<()> {
    let properties = properties(schema, pointer, defs)?;
    but.iter().all(|name| properties.contains_key(*name)).then_some(())?;
    for (name, property) in properties {
        if !but.contains(&name.as_str()) {
            property.as_object_mut()?.insert(keyword.to_owned(), json!(true));
        }
    }
    Some(())
}

/// Leaves of the map at `pointer` only the properties that are named.
pub(crate) fn keep_only(
    schema: &mut Value,
    pointer: &str,
    those: &[&str],
    defs: &Map<String, Value>,
) -> Option<()> {
    let properties = properties(schema, pointer, defs)?;
    properties.retain(|name, _| those.contains(&name.as_str()));
    (properties.len() == those.len()).then_some(())
}

fn properties<'a>(
    schema: &'a mut Value,
    pointer: &str,
    defs: &Map<String, Value>,
) -> Option<&'a mut Map<String, Value>> {
    let at = place(schema, pointer, defs)?;
    copy_in(at, defs)?;
    at.get_mut("properties")?.as_object_mut()
}

/// The schema of what stands at `pointer`; `*` leads into a list's items.
fn place<'a>(schema: &'a mut Value, pointer: &str, defs: &Map<String, Value>) -> Option<&'a mut Value> {
    let mut at = schema;
    for part in pointer.split('/').skip(1) {
        copy_in(at, defs)?;
        at = if part == "*" { at.get_mut("items")? } else { at.get_mut("properties")?.get_mut(part)? };
    }
    Some(at)
}

/// Puts the definition that a schema refers to in its place; what was marked beside the reference stays.
fn copy_in(at: &mut Value, defs: &Map<String, Value>) -> Option<()> {
    let Some(name) = referenced(at) else { return Some(()) };
    let mut copy = defs.get(name)?.clone();
    for (keyword, value) in at.as_object()?.iter().filter(|(keyword, _)| *keyword != "$ref") {
        copy[keyword] = value.clone();
    }
    *at = copy;
    Some(())
}

/// The definition that a schema refers to.
pub(crate) fn referenced(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// Calls `see` for every definition that `schema` refers to, at any depth within itself.
pub(crate) fn references<'a>(schema: &'a Value, see: &mut dyn FnMut(&'a str)) {
    if let Some(name) = referenced(schema) {
        see(name);
    }
    match schema {
        Value::Object(fields) => fields.values().for_each(|inner| references(inner, see)),
        Value::Array(items) => items.iter().for_each(|inner| references(inner, see)),
        _ => {}
    }
}
