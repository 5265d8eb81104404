//! The schema that a CustomResourceDefinition gives its custom resources, as a JSON Schema: for checking them before
//! the cluster knows the kind.

use serde_json::{Map, Value as Json, json};
use sheave_model::limits::MAX_DEPTH;

/// Keywords that mean the same in both.
const KEPT: &[&str] = &[
    "type",
    "description",
    "title",
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
];

/// The JSON Schema (2020-12) of the custom resources of `crd` in `api_version` (`GROUP/VERSION`): closed where the
/// cluster would drop unknown fields, without rules in CEL. None where the definition does not serve that version.
pub fn custom_schema(crd: &Json, api_version: &str) -> Option<Json> {
    let (group, version) = api_version.split_once('/')?;
    if crd.pointer("/spec/group").and_then(Json::as_str) != Some(group) {
        return None;
    }
    let versions = crd.pointer("/spec/versions")?.as_array()?;
    let found = versions.iter().find(|v| {
        v.get("name").and_then(Json::as_str) == Some(version)
            && v.get("served").and_then(Json::as_bool) == Some(true)
    })?;
    let mut schema = convert(found.pointer("/schema/openAPIV3Schema")?, 0);
    if let Some(root) = schema.as_object_mut() {
        root.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        own_fields(root);
    }
    Some(schema)
}

/// What every object has, whatever its schema says; the cluster checks metadata by itself.
fn own_fields(schema: &mut Map<String, Json>) {
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties.insert("apiVersion".into(), json!({"type": "string"}));
        properties.insert("kind".into(), json!({"type": "string"}));
        properties.insert("metadata".into(), json!({"type": "object"}));
    }
}

fn convert(schema: &Json, depth: usize) -> Json {
    let Some(from) = schema.as_object().filter(|_| depth <= MAX_DEPTH) else { return json!(true) };
    let is = |key: &str| from.get(key).and_then(Json::as_bool) == Some(true);
    let inner = |value: &Json| convert(value, depth + 1);
    let mut to: Map<String, Json> =
        KEPT.iter().filter_map(|&key| Some((key.to_owned(), from.get(key)?.clone()))).collect();
    if is("x-kubernetes-int-or-string") {
        to.insert("type".into(), json!(["integer", "string"]));
    } else if let Some(one @ Json::String(_)) = from.get("type").filter(|_| is("nullable")) {
        to.insert("type".into(), json!([one, "null"]));
    }
    if is("nullable")
        && let Some(Json::Array(values)) = to.get_mut("enum")
    {
        values.push(Json::Null);
    }
    // There a flag beside the limit, here the limit itself.
    for (flag, limit) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if is(flag)
            && let Some(bound) = to.remove(limit)
        {
            to.insert(flag.into(), bound);
        }
    }
    if let Some(properties) = from.get("properties").and_then(Json::as_object) {
        let converted = properties.iter().map(|(name, value)| (name.clone(), inner(value)));
        to.insert("properties".into(), Json::Object(converted.collect()));
    }
    if let Some(items) = from.get("items") {
        to.insert("items".into(), inner(items));
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        if let Some(parts) = from.get(key).and_then(Json::as_array) {
            to.insert(key.into(), parts.iter().map(|part| part_of(part, depth + 1)).collect());
        }
    }
    if let Some(not) = from.get("not") {
        to.insert("not".into(), part_of(not, depth + 1));
    }
    match from.get("additionalProperties") {
        Some(Json::Bool(allowed)) => drop(to.insert("additionalProperties".into(), (*allowed).into())),
        Some(value) => drop(to.insert("additionalProperties".into(), inner(value))),
        None if to.contains_key("properties") && !is("x-kubernetes-preserve-unknown-fields") => {
            to.insert("additionalProperties".into(), false.into());
        }
        None => {}
    }
    if is("x-kubernetes-embedded-resource") {
        own_fields(&mut to);
    }
    Json::Object(to)
}

/// A part of a junction only adds conditions: it neither names all fields nor says what may be null.
fn part_of(schema: &Json, depth: usize) -> Json {
    let mut part = convert(schema, depth);
    open(&mut part, depth);
    part
}

fn open(schema: &mut Json, depth: usize) {
    let Some(fields) = schema.as_object_mut().filter(|_| depth <= MAX_DEPTH) else { return };
    if fields.get("additionalProperties") == Some(&Json::Bool(false)) {
        fields.remove("additionalProperties");
    }
    if let Some(Json::Object(inner)) = fields.get_mut("properties") {
        inner.values_mut().for_each(|value| open(value, depth + 1));
    }
    if let Some(items) = fields.get_mut("items") {
        open(items, depth + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(of_spec: Json) -> Json {
        let crd = json!({"spec": {"group": "example.com", "versions": [
            {"name": "v1", "served": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": of_spec}}}},
            {"name": "v0", "served": false, "schema": {"openAPIV3Schema": {}}}]}});
        assert_eq!(custom_schema(&crd, "example.com/v0"), None);
        assert_eq!(custom_schema(&crd, "other.com/v1"), None);
        let whole = custom_schema(&crd, "example.com/v1").unwrap();
        assert_eq!(whole["additionalProperties"], false);
        assert_eq!(whole["properties"]["metadata"], json!({"type": "object"}));
        whole["properties"]["spec"].clone()
    }

    #[test]
    fn known_fields_are_closed_unless_the_rest_is_kept() {
        let of = |extra: &str| {
            let mut from = json!({"type": "object", "properties": {"a": {"type": "string"}}});
            from[extra] = json!(true);
            schema(from)
        };
        assert_eq!(
            of("x-other"),
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false})
        );
        assert_eq!(of("x-kubernetes-preserve-unknown-fields").get("additionalProperties"), None);
        assert_eq!(of("x-kubernetes-embedded-resource")["properties"]["kind"], json!({"type": "string"}));
        assert_eq!(
            schema(json!({"type": "object", "additionalProperties": {"type": "integer"}}))["additionalProperties"],
            json!({"type": "integer"})
        );
    }

    #[test]
    fn words_of_openapi_become_words_of_json_schema() {
        assert_eq!(
            schema(json!({"type": "string", "nullable": true, "enum": ["a"]})),
            json!({"type": ["string", "null"], "enum": ["a", null]})
        );
        assert_eq!(
            schema(json!({"x-kubernetes-int-or-string": true})),
            json!({"type": ["integer", "string"]})
        );
        assert_eq!(
            schema(json!({"type": "integer", "minimum": 3, "exclusiveMinimum": true, "default": 4})),
            json!({"type": "integer", "exclusiveMinimum": 3})
        );
        assert_eq!(
            schema(
                json!({"type": "array", "items": {"type": "string", "maxLength": 3}, "x-kubernetes-list-type": "set"})
            ),
            json!({"type": "array", "items": {"type": "string", "maxLength": 3}})
        );
    }

    #[test]
    fn junctions_do_not_close() {
        let got = schema(
            json!({"type": "object", "properties": {"a": {}, "b": {}}, "oneOf": [{"required": ["a"], "properties": {"a": {}}}, {"required": ["b"]}]}),
        );
        assert_eq!(got["oneOf"], json!([{"required": ["a"], "properties": {"a": {}}}, {"required": ["b"]}]));
        assert_eq!(got["additionalProperties"], false);
    }

    #[test]
    fn hostile_definitions_do_no_harm() {
        let mut deep = json!({});
        for _ in 0..4 * MAX_DEPTH {
            deep = json!({"properties": {"a": deep}, "allOf": [{}]});
        }
        schema(deep);
        for crd in [json!(null), json!({"spec": {"group": "example.com", "versions": {}}})] {
            assert_eq!(custom_schema(&crd, "example.com/v1"), None);
        }
        assert_eq!(custom_schema(&json!({}), "v1"), None);
    }
}
