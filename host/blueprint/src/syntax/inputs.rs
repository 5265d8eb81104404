//! `inputs:`: types, rules and defaults.

use std::sync::Arc;

use serde_json::{Map, json};
use sheave_model::{Diagnostic, Value};

use super::reader::Reader;
use crate::codes;
use crate::graph::{InputKind, InputSpec};
use crate::schema::Schema;
use crate::yaml::{Entry, Node, NodeKind};

/// The keys of an input.
pub(crate) const KEYS: &[&str] = &[
    "type",
    "default",
    "secret",
    "description",
    "minimum",
    "maximum",
    "pattern",
    "enum",
    "minLength",
    "maxLength",
];

/// The words for input types.
pub(crate) const KINDS: &[(&str, InputKind)] = &[
    ("string", InputKind::String),
    ("integer", InputKind::Integer),
    ("number", InputKind::Number),
    ("boolean", InputKind::Boolean),
    ("list", InputKind::List),
    ("map", InputKind::Map),
    ("any", InputKind::Any),
];

pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Option<InputSpec> {
    let what = format!("the input `{}`", entry.key);
    let fields = reader.fields(&entry.value, &what, KEYS)?;
    let kind = match fields.get("type") {
        Some(e) => reader.word(&e.value, "an input's `type`", KINDS)?,
        None => {
            let words: Vec<&str> = KINDS.iter().map(|(w, _)| *w).collect();
            reader.error(codes::MISSING_KEY, format!("{what} needs a `type`"), entry.key_span).help =
                Some(format!("the types are {}", crate::nearest::listed(&words)));
            return None;
        }
    };
    let secret = fields.get("secret").and_then(|e| reader.boolean(&e.value, "`secret`")).unwrap_or(false);
    if secret && kind != InputKind::String {
        reader
            .error(codes::SECRET_MISPLACED, format!("{what} is secret and no string"), entry.key_span)
            .help = Some("only strings can be secret: write `type: string`".into());
    }
    let mut rules = Map::new();
    match kind {
        InputKind::Any => {}
        InputKind::List => _ = rules.insert("type".into(), json!("array")),
        InputKind::Map => _ = rules.insert("type".into(), json!("object")),
        other => _ = rules.insert("type".into(), json!(other.word())),
    }
    for key in ["minimum", "maximum", "pattern", "enum", "minLength", "maxLength"] {
        let Some(rule) = fields.get(key) else { continue };
        let applies = match key {
            "minimum" | "maximum" => matches!(kind, InputKind::Integer | InputKind::Number),
            "pattern" | "minLength" | "maxLength" => kind == InputKind::String,
            _ => true,
        };
        if !applies {
            let summary = format!("`{key}` says nothing about {}", super::reader::with_article(kind.word()));
            reader.error(codes::UNKNOWN_KEY, summary, rule.key_span);
            continue;
        }
        rules.extend(rule_value(reader, key, &rule.value).map(|v| (key.to_owned(), v)));
    }
    let rules = serde_json::Value::Object(rules);
    let schema = match Schema::compile(&rules) {
        Ok(schema) => schema,
        Err(error) => {
            reader.error(
                codes::INVALID_VALUE,
                format!("the rules of {what} cannot be used: {error}"),
                entry.key_span,
            );
            return None;
        }
    };
    let mut default = None;
    if let Some(e) = fields.get("default") {
        let value = read_value(&e.value, &mut reader.faults);
        let broken = value.as_ref().map(|v| schema.violations(v)).unwrap_or_default();
        if let Some(broken) = broken.into_iter().next() {
            let summary = format!("the default of the input `{}` {}", entry.key, broken.says);
            reader.error(codes::INPUT_INVALID, summary, e.value.span).help = broken.help;
        }
        if secret && value.as_ref().is_some_and(|v| *v != Value::Text(String::new())) {
            let summary = format!("the default of {what} stands in the blueprint in clear");
            let help = format!("leave it out and give it with `SHEAVE_INPUT_{}`", entry.key);
            // Without its place: the line would be shown, and the secret with it.
            reader.faults.push(Diagnostic::warning(codes::SECRET_IN_CLEAR, summary).with_help(help));
        }
        default = value;
    }
    Some(InputSpec {
        name: entry.key.clone(),
        kind,
        secret,
        default,
        description: fields.get("description").and_then(|e| reader.string(&e.value, "`description`")),
        schema: Arc::new(schema),
        rules,
        span: entry.key_span,
    })
}

fn rule_value(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<serde_json::Value> {
    let value = read_value(node, &mut reader.faults)?;
    let good = match (key, &value) {
        ("minimum" | "maximum", Value::Int(_) | Value::Float(_)) | ("pattern", Value::Text(_)) => true,
        ("enum", Value::List(items)) => !items.is_empty(),
        ("minLength" | "maxLength", Value::Int(n)) => *n >= 0,
        _ => false,
    };
    if matches!(&value, Value::List(items) if key == "enum" && items.is_empty()) {
        reader.error(codes::INVALID_VALUE, "`enum` must have at least one value", node.span);
        return None;
    }
    if !good {
        let want = match key {
            "minimum" | "maximum" => "a number",
            "pattern" => "a regular expression",
            "enum" => "a list of values",
            _ => "a whole number from zero",
        };
        reader.expected(node, &format!("`{key}`"), want);
        return None;
    }
    value.to_json()
}

/// A node as a value: nothing in it is an expression.
pub(crate) fn read_value(node: &Node, faults: &mut Vec<Diagnostic>) -> Option<Value> {
    match &node.kind {
        NodeKind::Scalar(scalar) => match crate::template::meaning(scalar, node.span) {
            Ok(value) => Some(value),
            Err(fault) => {
                faults.push(*fault);
                None
            }
        },
        NodeKind::List(items) => {
            items.iter().map(|n| read_value(n, faults)).collect::<Option<_>>().map(Value::List)
        }
        NodeKind::Map(entries) => entries
            .iter()
            .map(|e| Some((e.key.clone(), read_value(&e.value, faults)?)))
            .collect::<Option<_>>()
            .map(Value::Map),
        NodeKind::Faulty => None,
    }
}
