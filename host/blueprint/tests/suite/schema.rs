//! Schemas over values with marks.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use sheave_blueprint::{Schema, Unknowns};
use sheave_model::{SecretText, UnknownKind, Value};

use crate::support::{show, unknown};

fn text_hole() -> Value {
    unknown("u", UnknownKind::Text, false)
}

fn hole() -> Value {
    unknown("u", UnknownKind::Other, false)
}

/// A value from JSON in which `"?text"` and `"?other"` are unknown and `"<x>"` is a secret.
fn value(json: Json) -> Value {
    match Value::from_json(&json) {
        Value::Text(t) if t == "?text" => text_hole(),
        Value::Text(t) if t == "?other" => hole(),
        Value::Text(t) if t.starts_with('<') => {
            Value::Secret(SecretText::new(t.trim_matches(['<', '>']).into()))
        }
        Value::List(_) => {
            Value::List(json.as_array().into_iter().flatten().map(|v| value(v.clone())).collect())
        }
        Value::Map(_) => Value::Map(
            json.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), value(v.clone()))).collect(),
        ),
        other => other,
    }
}

fn faults(schema: Json, json: Json) -> Vec<String> {
    let schema = Schema::compile(&schema).unwrap();
    schema
        .check(&value(json))
        .iter()
        .map(|d| format!("{} {}", d.pointer.clone().unwrap_or_default(), d.summary))
        .collect()
}

#[test]
fn unknown_leaves_break_no_rule() {
    for (schema, json, want) in [
        (json!({"type": "string", "pattern": "^a"}), json!("?text"), vec![]),
        (json!({"type": "integer", "minimum": 3}), json!("?other"), vec![]),
        (json!({"type": "integer"}), json!("?text"), vec![" the value must be an integer, found a string"]),
        (json!({"enum": [1, 2]}), json!("?other"), vec![]),
        (json!({"enum": [1, 2]}), json!("?text"), vec![" the value must be `1` or `2`"]),
        (json!({"const": {"a": 1, "b": 2}}), json!({"a": "?other", "b": 2}), vec![]),
        (
            json!({"const": {"a": 1, "b": 2}}),
            json!({"a": "?other", "b": 3}),
            vec![" the value must be `{\"a\":1,\"b\":2}`"],
        ),
        (json!({"oneOf": [{"type": "integer"}, {"type": "string"}]}), json!("?other"), vec![]),
        (
            json!({"oneOf": [{"type": "integer"}, {"type": "boolean"}]}),
            json!("?text"),
            vec![" the value must be an integer or `true` or `false`, found a value known after apply"],
        ),
        (
            json!({"anyOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"a": {"const": 2}}}]}),
            json!({"a": "?other"}),
            vec![],
        ),
        (json!({"not": {"properties": {"a": {"const": 1}}}}), json!({"a": "?other"}), vec![]),
        (
            json!({"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]}}),
            json!({"a": "?other"}),
            vec![],
        ),
        (
            json!({"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]}}),
            json!({"a": 1}),
            vec!["/b `b` is missing"],
        ),
        (
            json!({"uniqueItems": true}),
            json!(["?other", 1, 1.0]),
            vec!["/2 element 2 is the same as element 1, and each must stand only once, found 1.0"],
        ),
        (json!({"uniqueItems": true}), json!(["?other", "?other"]), vec![]),
        (json!({"contains": {"const": 1}}), json!(["?other", 2]), vec![]),
        (
            json!({"contains": {"const": 1}}),
            json!([3, 2]),
            vec![" the value lacks an element that it must contain"],
        ),
        (json!({"required": ["a"]}), json!("?other"), vec![]),
        (json!({"minProperties": 2}), json!({"a": "?other"}), vec![" the value must have at least 2 keys"]),
    ] {
        assert_eq!(faults(schema.clone(), json.clone()), want, "{schema} over {json}");
    }
}

#[test]
fn secrets_are_checked_and_never_shown() {
    for schema in [
        json!({"type": "integer"}),
        json!({"type": "string", "pattern": "^a"}),
        json!({"type": "string", "minLength": 20}),
        json!({"type": "string", "maxLength": 2}),
        json!({"enum": ["a", "b"]}),
        json!({"const": "hunter3"}),
        json!({"oneOf": [{"type": "string", "pattern": "^a"}, {"type": "string", "format": "ipv4"}]}),
    ] {
        let found = Schema::compile(&schema).unwrap().check(&value(json!("<hunter2>")));
        assert!(!found.is_empty(), "{schema}");
        assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
    }
    assert_eq!(
        faults(json!({"type": "string", "pattern": "^h.*2$"}), json!("<hunter2>")),
        Vec::<String>::new()
    );
    let twice = Schema::compile(&json!({"uniqueItems": true}))
        .unwrap()
        .check(&value(json!(["<hunter2>", "hunter2"])));
    assert!(!twice.is_empty() && !format!("{twice:?}").contains("hunter2"), "{twice:?}");
}

#[test]
fn tokens_travel_where_nothing_looks_into_them() {
    let defer = |pointers: &[&str]| Unknowns::Defer(pointers.iter().map(|p| (*p).to_owned()).collect());
    let object = |of: Json| json!({"type": "object", "properties": {"a": of, "b": {"type": "string"}}});
    for (of, leaf, want) in [
        (json!({"type": "string"}), "?text", Unknowns::Tokens),
        (json!({"type": "string"}), "?other", Unknowns::Tokens),
        (json!({"type": "string", "minLength": 3}), "?text", Unknowns::Tokens),
        (json!({"type": "string", "enum": ["a"]}), "?text", defer(&["/a"])),
        (json!({"type": "string", "pattern": "a"}), "?text", defer(&["/a"])),
        (json!({"type": "string", "format": "date"}), "?text", defer(&["/a"])),
        (json!({"type": "string", "pattern": "a", "x-unknown": "token"}), "?text", Unknowns::Tokens),
        (json!({"type": "string", "x-unknown": "defer"}), "?text", defer(&["/a"])),
        (json!({"type": "string", "x-identity": true}), "?text", defer(&["/a"])),
        (json!({"type": "string", "x-files": true}), "?text", defer(&["/a"])),
        (json!({"type": "integer"}), "?other", defer(&["/a"])),
        (json!({"type": ["string", "integer"]}), "?text", Unknowns::Tokens),
        (json!({"type": ["string", "integer"]}), "?other", defer(&["/a"])),
        (json!(true), "?text", Unknowns::Tokens),
        (json!(true), "?other", defer(&["/a"])),
        (json!({"allOf": [{"type": "string"}, {"pattern": "a"}]}), "?text", defer(&["/a"])),
        (json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}), "?text", Unknowns::Tokens),
        (json!({"$ref": "#/properties/b"}), "?text", Unknowns::Tokens),
    ] {
        let schema = Schema::compile(&object(of.clone())).unwrap();
        assert_eq!(schema.verdict_on_unknowns(&value(json!({"a": leaf}))), want, "{of} over {leaf}");
    }
    let nested = json!({"properties": {"l": {"items": {"additionalProperties": {"type": "string"}}}}});
    let nested = Schema::compile(&nested).unwrap();
    assert_eq!(nested.verdict_on_unknowns(&value(json!({"l": [{"x": "?other"}]}))), Unknowns::Tokens);
    assert_eq!(nested.verdict_on_unknowns(&value(json!({"l": "?other"}))), defer(&["/l"]));
}

#[test]
fn outputs_before_they_are_known() {
    let schema = Schema::compile(&json!({"type": "object", "properties": {
        "host": {"type": "string"},
        "port": {"type": "integer"},
        "token": {"type": "string", "x-sensitive": true},
        "closed": {"type": "object", "additionalProperties": false, "properties": {"a/b": {"type": "string"}}},
        "open": {"type": "object", "properties": {"a": {"type": "string"}}},
        "keys": {"type": "object", "x-sensitive": true, "additionalProperties": false, "properties": {"k": {"type": "string"}}},
    }}))
    .unwrap();
    let outputs = schema.unknown_outputs("web[1]");
    assert_eq!(
        show(&outputs),
        "{closed: {a/b: ?text}, host: ?text, keys: {k: ?secret-text}, open: ?other, port: ?other, token: ?secret-text}"
    );
    assert!(matches!(outputs.at("/closed/a~1b"), Some(Value::Unknown(u)) if u.id == "web[1]#/closed/a~1b"));
    assert!(
        matches!(Schema::compile(&json!(true)).unwrap().unknown_outputs("x"), Value::Unknown(u) if u.id == "x#")
    );
}

#[test]
fn sensitive_leaves_are_marked() {
    let schema = Schema::compile(&json!({"properties": {
        "data": {"type": "object", "x-sensitive": true, "additionalProperties": {"type": "string"}},
        "list": {"items": {"properties": {"p": {"type": "string", "x-sensitive": true}}}},
    }}))
    .unwrap();
    let marked = schema.mark_sensitive(value(json!({
        "data": {"a": "x", "n": 5, "u": "?text"}, "list": [{"p": "q", "r": "s"}], "other": "o"
    })));
    assert_eq!(
        show(&marked),
        "{data: {a: <x>, n: <5>, u: ?secret-text}, list: [{p: <q>, r: \"s\"}], other: \"o\"}"
    );
}

/// Schemas by chance.
fn schemas() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!({"type": "integer"})),
        Just(json!({"type": "number", "minimum": 1, "exclusiveMaximum": 3})),
        Just(json!({"type": "string", "minLength": 1, "maxLength": 2})),
        Just(json!({"type": ["string", "null"]})),
        Just(json!({"type": "string", "pattern": "^a"})),
        Just(json!({"enum": [1, "a", null, [1]]})),
        Just(json!({"const": 2})),
        Just(json!({"type": "boolean"})),
        Just(json!({"multipleOf": 2})),
        Just(json!(false)),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        let many = proptest::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            many.clone().prop_map(|all| json!({"anyOf": all})),
            many.clone().prop_map(|all| json!({"oneOf": all})),
            many.clone().prop_map(|all| json!({"allOf": all})),
            inner.clone().prop_map(|one| json!({"not": one})),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(i, t, e)| json!({"if": i, "then": t, "else": e})),
            (inner.clone(), any::<bool>(), any::<bool>()).prop_map(|(a, required, closed)| {
                let mut schema = json!({"type": "object", "properties": {"a": a, "b": {"type": "integer"}}});
                if required {
                    schema["required"] = json!(["a"]);
                }
                if closed {
                    schema["additionalProperties"] = json!(false);
                }
                schema
            }),
            inner.clone().prop_map(
                |a| json!({"additionalProperties": a, "patternProperties": {"^b": true}, "minProperties": 1})
            ),
            inner.clone().prop_map(|a| json!({"propertyNames": {"maxLength": 1}, "properties": {"a": a}})),
            inner.clone().prop_map(|a| json!({"type": "array", "items": a, "minItems": 1, "maxItems": 2})),
            inner
                .clone()
                .prop_map(|a| json!({"prefixItems": [a], "items": {"type": "integer"}, "uniqueItems": true})),
            inner.clone().prop_map(|a| json!({"contains": a, "maxContains": 1})),
            inner.clone().prop_map(|a| json!({"$defs": {"x": a}, "$ref": "#/$defs/x"})),
            inner.prop_map(|a| json!({"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"b": a}})),
        ]
    })
}

fn values() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(1)),
        Just(json!(2)),
        Just(json!(2.0)),
        Just(json!(2.5)),
        Just(json!(3)),
        Just(json!("")),
        Just(json!("a")),
        Just(json!("abc")),
        Just(json!("b")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            proptest::collection::btree_map(
                prop_oneof![Just("a"), Just("b"), Just("bb"), Just("c")],
                inner,
                0..3
            )
            .prop_map(|m| Json::Object(m.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

/// `$ref` counts from the whole schema: one that stands inside others would lead elsewhere.
fn has_inner_reference(schema: &Json) -> bool {
    fn any(schema: &Json, top: bool) -> bool {
        match schema {
            Json::Object(map) => !top && map.contains_key("$ref") || map.values().any(|v| any(v, false)),
            Json::Array(items) => items.iter().any(|v| any(v, false)),
            _ => false,
        }
    }
    any(schema, true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_another_validator(schema in schemas(), json in values()) {
        prop_assume!(!has_inner_reference(&schema));
        let ours = Schema::compile(&schema).unwrap().check(&Value::from_json(&json));
        let theirs = jsonschema::draft202012::new(&schema).unwrap().is_valid(&json);
        prop_assert_eq!(ours.is_empty(), theirs, "{} over {}: {:?}", schema, json, ours);
    }

    /// A value is refused with holes in it only where it is refused whatever fills them.
    #[test]
    fn holes_break_no_rule(schema in schemas(), json in values(), which in any::<proptest::sample::Index>()) {
        prop_assume!(!has_inner_reference(&schema));
        let schema = Schema::compile(&schema).unwrap();
        let whole = Value::from_json(&json);
        let mut leaves = Vec::new();
        whole.each_leaf(&mut |at, leaf| leaves.push((at.to_owned(), leaf.clone())));
        let (at, leaf) = which.get(&leaves);
        let kind = if matches!(leaf, Value::Text(_)) { UnknownKind::Text } else { UnknownKind::Other };
        let holed = with(&whole, at, &unknown("u", kind, false));
        if !schema.check(&holed).is_empty() {
            prop_assert!(!schema.check(&whole).is_empty(), "{} is refused, {} is not", show(&holed), show(&whole));
        }
    }
}

/// `value` with `new` at a pointer.
fn with(value: &Value, at: &str, new: &Value) -> Value {
    let Some(rest) = at.strip_prefix('/') else { return new.clone() };
    let (first, rest) = rest.split_once('/').map_or((rest, String::new()), |(f, r)| (f, format!("/{r}")));
    match value {
        Value::List(items) => Value::List(
            items
                .iter()
                .enumerate()
                .map(|(n, v)| if n.to_string() == first { with(v, &rest, new) } else { v.clone() })
                .collect(),
        ),
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|(k, v)| (k.clone(), if k == first { with(v, &rest, new) } else { v.clone() }))
                .collect(),
        ),
        other => other.clone(),
    }
}
