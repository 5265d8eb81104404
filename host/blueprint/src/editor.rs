//! The JSON Schema of a whole blueprint, for completion and checks in editors.

mod grants;

use serde_json::{Map, Value, json};
use sheave_model::{TypeCatalog, TypeSchema, pointer};

use crate::syntax;

/// The text of an expression where something else than a text is asked for.
const EXPRESSION: &str = r"^\$\{[\s\S]*\}\s*$";

/// The JSON Schema (2020-12) of a blueprint that can use these types: the properties of each by its `type`. Where no
/// text is expected, `${...}` is allowed as well.
pub fn editor_schema(catalog: &dyn TypeCatalog) -> Value {
    let mut types = catalog.all();
    types.sort_by(|a, b| a.name.cmp(&b.name));
    let mut defs = Map::new();
    let mut cases = Vec::new();
    for of in &types {
        let key = format!("properties {}", of.name);
        let at = format!("#/$defs/{}", escaped(&key));
        let mut properties = rooted(&of.schema, &at);
        if let Some(map) = properties.as_object_mut() {
            map.insert("title".into(), of.name.to_string().into());
        }
        defs.insert(key, with_expressions(&properties));
        cases.push(case(of, &at));
    }
    let names: Vec<Value> =
        types.iter().map(|t| json!({"const": t.name.to_string(), "description": t.summary})).collect();
    defs.insert("expression".into(), json!({"title": "expression", "type": "string", "pattern": EXPRESSION}));
    defs.insert("resource".into(), resource(names, cases));
    defs.insert("input".into(), input());
    defs.insert("plugin".into(), plugin(catalog, &types));
    let named = |like: Value| json!({"type": "object", "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_-]{0,62}$"}, "additionalProperties": like});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["blueprint"],
        "additionalProperties": false,
        "properties": {
            "blueprint": {"type": "string", "description": "The blueprint's name, and the stack's where no other is given."},
            "description": {"type": "string"},
            "inputs": described(named(json!({"$ref": "#/$defs/input"})), "What may be given from outside: `inputs.NAME`."),
            "locals": described(named(json!(true)), "Values used more than once: `locals.NAME`."),
            "targets": described(
                named(json!({"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
                    "properties": {"kubernetes": with_expressions(&crate::targets::kubernetes_settings()),
                        "http": with_expressions(&crate::targets::http_settings())}})),
                "Connections: `NAME: {kubernetes: {context: ..., namespace: ...}}`, or `{http: {url: ...}}` for plugins.",
            ),
            "plugins": described(named(json!({"$ref": "#/$defs/plugin"})), "Where types come from, and what each plugin may do."),
            "resources": described(named(json!({"$ref": "#/$defs/resource"})), "What the stack is made of: `resources.NAME.outputs.OUTPUT`."),
            "outputs": described(named(json!(true)), "What the stack gives."),
            "moved": {"type": "array", "description": "Resources that have another address now.", "items": {
                "type": "object", "required": ["from", "to"], "additionalProperties": false,
                "properties": {"from": {"type": "string"}, "to": {"type": "string"}}}},
            "stacks": described(named(json!({"type": ["object", "null"]})), "Other stacks: `stacks.NAME.outputs.OUTPUT`."),
        },
        "$defs": defs,
    })
}

fn described(mut schema: Value, text: &str) -> Value {
    schema["description"] = text.into();
    schema
}

/// What holds for a resource of this type.
fn case(of: &TypeSchema, properties: &str) -> Value {
    let required = of.schema.get("required").and_then(Value::as_array).is_some_and(|r| !r.is_empty());
    let mut then = json!({"properties": {"properties": {"$ref": properties}}});
    if required {
        then["required"] = json!(["properties"]);
    }
    json!({"if": {"properties": {"type": {"const": of.name.to_string()}}, "required": ["type"]}, "then": then})
}

fn resource(names: Vec<Value>, cases: Vec<Value>) -> Value {
    let flag = |text: &str| json!({"type": "boolean", "description": text});
    let or_expression = |schema: Value, text: &str| json!({"anyOf": [schema, {"$ref": "#/$defs/expression"}], "description": text});
    let mut kinds = vec![
        // A word of what editors run, not of JSON Schema's: without it they speak of the pattern alone.
        json!({"type": "string", "pattern": r"^\.\.?/", "description": "A module: a folder with a blueprint.",
            "patternErrorMessage": "No plugin of this blueprint has such a type, and a module's folder begins with ./ or ../"}),
    ];
    if names.is_empty() {
        kinds.push(json!({"type": "string", "pattern": "^[^.:]+:[^:]+$"}));
    }
    kinds.extend(names);
    let mut properties = json!({
        "type": {"anyOf": kinds, "description": "PLUGIN:TYPE, or a module's folder."},
        "properties": or_expression(json!({"type": ["object", "null"]}), "What the type asks for."),
        "inputs": or_expression(json!({"type": ["object", "null"]}), "Of a module: its inputs."),
        "targets": or_expression(json!({"type": ["object", "null"]}), "Of a module: its targets by ours."),
        "target": {"type": "string", "description": "Where it goes; may be left out where there is one target."},
        "depends-on": {"type": "array", "items": {"type": "string"}, "description": "Resources that come first, without data from them."},
        "count": or_expression(json!({"type": "integer", "minimum": 0}), "How many: `each.key` counts from 0."),
        "for-each": or_expression(json!({"type": ["array", "object"]}), "One for each: `each.key`, `each.value`."),
        "when": or_expression(json!({"type": "boolean"}), "Whether it is there at all."),
        "wait": flag("Wait until it is ready (the default)."),
        "timeout": {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$", "description": "How long to wait: 90s, 5m, 1h30m."},
        "ready-when": {"type": "string", "description": "CEL over `self`, the live object."},
        "force": flag("Take fields over that other managers own."),
        "keep": flag("Leave it in place when it goes from the blueprint."),
        "adopt": flag("Take over what exists and belongs to nobody."),
        "existing": flag("Read it, never change it."),
        "ignore": {"type": "array", "items": {"type": "string", "pattern": "^/"}, "description": "Pointers of properties left alone."},
        "replace": {"enum": ["allow", "never"], "description": "Whether it may be replaced where data would be lost."},
        "replace-when": or_expression(json!(true), "Made anew when this changes or is true: values, and pointers of properties."),
        "prevent-destroy": flag("Refuse to delete it."),
    });
    // Kept in one place with what parsing knows.
    if let Some(known) = properties.as_object_mut() {
        known.retain(|key, _| syntax::RESOURCE_KEYS.contains(&key.as_str()));
    }
    json!({"type": "object", "required": ["type"], "additionalProperties": false, "properties": properties, "allOf": cases})
}

fn input() -> Value {
    let kinds: Vec<&str> = syntax::INPUT_KINDS.iter().map(|(word, _)| *word).collect();
    json!({
        "type": "object", "required": ["type"], "additionalProperties": false,
        "properties": {
            "type": {"enum": kinds},
            "default": true,
            "secret": {"type": "boolean", "description": "Never shown, stored encrypted; of strings only."},
            "description": {"type": "string"},
            "minimum": {"type": "number"}, "maximum": {"type": "number"},
            "pattern": {"type": "string", "format": "regex"},
            "enum": {"type": "array", "minItems": 1},
            "minLength": {"type": "integer", "minimum": 0}, "maxLength": {"type": "integer", "minimum": 0},
        }
    })
}

fn plugin(catalog: &dyn TypeCatalog, types: &[&TypeSchema]) -> Value {
    let mut settings: Vec<Value> = Vec::new();
    let mut names: Vec<&str> = types.iter().map(|t| t.name.plugin.as_str()).collect();
    names.dedup();
    for schema in names.into_iter().filter_map(|n| catalog.settings_schema(n)) {
        // Settings are told apart by nothing but the plugin's own name, which is their key: any of them may stand.
        let mut schema = schema.clone();
        if let Some(map) = schema.as_object_mut() {
            map.remove("$schema");
            map.remove("$id");
        }
        if !has_reference(&schema) {
            settings.push(with_expressions(&schema));
        }
    }
    settings.push(json!({"type": ["object", "string", "null"]}));
    json!({
        "type": ["object", "null"], "additionalProperties": false,
        "properties": {
            "source": {"type": "string", "description": "The component's path, or `oci://HOST/REPOSITORY:TAG`; `builtin` or nothing for what is built in."},
            "settings": {"anyOf": settings},
            "grants": grants::schema(),
        }
    })
}

fn has_reference(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => map.contains_key("$ref") || map.values().any(has_reference),
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}

/// A key of `$defs` inside a `$ref`: a pointer, in a URI.
fn escaped(key: &str) -> String {
    let mut at = String::new();
    pointer::push(&mut at, key);
    at[1..].replace('%', "%25").replace(' ', "%20")
}

/// A schema that stands in another: its `#/...` counts from its own root. A property may be called as a keyword is
/// (`default`, `enum`, `$schema`), so names and keywords are told apart.
fn rooted(schema: &Value, at: &str) -> Value {
    match schema {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(key, _)| !matches!(key.as_str(), "$schema" | "$id" | "x-outputs"))
                .map(|(key, value)| match (key.as_str(), value) {
                    ("$ref", Value::String(target)) => match target.strip_prefix('#') {
                        Some(rest) => (key.clone(), Value::from(format!("{at}{rest}"))),
                        None => (key.clone(), value.clone()),
                    },
                    ("enum" | "const" | "default" | "examples", _) => (key.clone(), value.clone()),
                    (names, Value::Object(all)) if MAPS.contains(&names) => {
                        (key.clone(), all.iter().map(|(name, of)| (name.clone(), rooted(of, at))).collect())
                    }
                    _ => (key.clone(), rooted(value, at)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(|v| rooted(v, at)).collect()),
        other => other.clone(),
    }
}

/// Keywords under which schemas stand: one, a list, a map of them.
const ONE: &[&str] = &["items", "additionalProperties", "contains", "not", "if", "then", "else"];
const LISTS: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];
const MAPS: &[&str] = &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/// The schema where an expression may stand for everything that is no text already. `$ref` is followed by what it
/// refers to, which is changed in its own place.
fn with_expressions(schema: &Value) -> Value {
    let Value::Object(map) = schema else { return schema.clone() };
    let mut out = Map::new();
    for (key, value) in map {
        let changed = match (key.as_str(), value) {
            (k, _) if ONE.contains(&k) => with_expressions(value),
            (k, Value::Array(items)) if LISTS.contains(&k) => items.iter().map(with_expressions).collect(),
            (k, Value::Object(all)) if MAPS.contains(&k) => {
                all.iter().map(|(k, v)| (k.clone(), with_expressions(v))).collect()
            }
            _ => value.clone(),
        };
        out.insert(key.clone(), changed);
    }
    let text = match map.get("type") {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.iter().any(|k| k == "string"),
        _ => false,
    };
    let rules = ["enum", "const", "pattern", "format", "minLength", "maxLength"];
    let strict = rules.iter().any(|k| map.contains_key(*k));
    let says_something = map.contains_key("type") || strict;
    if !says_something || text && !strict {
        return Value::Object(out);
    }
    let mut wrapped = Map::new();
    // Words are said once, and what others refer to stays where they look for it.
    for key in ["title", "description", "default", "examples", "deprecated", "$defs", "definitions"] {
        if let Some(value) = out.remove(key) {
            wrapped.insert(key.into(), value);
        }
    }
    wrapped.insert("anyOf".into(), json!([out, {"$ref": "#/$defs/expression"}]));
    Value::Object(wrapped)
}
