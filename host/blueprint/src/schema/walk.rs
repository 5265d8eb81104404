//! What a schema says of a value's leaves beside right and wrong: which may travel unknown, which are sensitive.

use std::collections::{BTreeMap, BTreeSet};

use sheave_model::{SecretText, Unknown, UnknownKind, Value, limits::MAX_DEPTH, pointer};

use super::rules::{Additional, MapRules, OnUnknown, Rules, Types};
use super::{Schema, Unknowns};
use crate::limits::MAX_SCHEMA_CHAIN;

/// The schemas that govern one place: the one, and all that it applies there.
fn governing(nodes: &[Rules], start: &[usize]) -> Vec<usize> {
    let mut all = BTreeSet::new();
    let mut todo = start.to_vec();
    while let Some(node) = todo.pop() {
        if all.len() > MAX_SCHEMA_CHAIN * 16 || !all.insert(node) {
            continue;
        }
        let Some(rules) = nodes.get(node) else { continue };
        todo.extend(rules.reference);
        if let Some(combine) = &rules.combine {
            todo.extend(combine.all.iter().chain(&combine.any).chain(&combine.one));
            todo.extend([combine.condition, combine.then, combine.otherwise].into_iter().flatten());
        }
        if let Some(map) = &rules.map {
            todo.extend(map.dependent_schemas.iter().map(|(_, node)| *node));
        }
    }
    all.into_iter().collect()
}

/// The schemas of one property.
fn property(map: &MapRules, key: &str, out: &mut Vec<usize>) {
    let before = out.len();
    out.extend(map.properties.get(key));
    out.extend(map.patterns.iter().filter(|(p, _)| p.is_match(key)).map(|(_, node)| *node));
    if let Additional::Like(node) = map.additional
        && out.len() == before
    {
        out.push(node);
    }
}

fn parts_of_map(nodes: &[Rules], here: &[usize], key: &str) -> Vec<usize> {
    let mut out = Vec::new();
    for map in here.iter().filter_map(|n| nodes.get(*n)?.map.as_deref()) {
        property(map, key, &mut out);
    }
    out
}

fn parts_of_list(nodes: &[Rules], here: &[usize], n: usize) -> Vec<usize> {
    let lists = here.iter().filter_map(|node| nodes.get(*node)?.list.as_deref());
    lists.filter_map(|list| list.first.get(n).copied().or(list.items)).collect()
}

pub(super) fn verdict_on_unknowns(schema: &Schema, value: &Value) -> Unknowns {
    let mut defer = Vec::new();
    verdict(&schema.nodes, &[schema.root], value, &mut String::new(), &mut defer);
    if defer.is_empty() { Unknowns::Tokens } else { Unknowns::Defer(defer) }
}

fn verdict(nodes: &[Rules], start: &[usize], value: &Value, at: &mut String, defer: &mut Vec<String>) {
    let len = at.len();
    match value {
        Value::Map(entries) => {
            let here = governing(nodes, start);
            for (key, item) in entries {
                pointer::push(at, key);
                verdict(nodes, &parts_of_map(nodes, &here, key), item, at, defer);
                at.truncate(len);
            }
        }
        Value::List(items) => {
            let here = governing(nodes, start);
            for (n, item) in items.iter().enumerate() {
                pointer::push(at, &n.to_string());
                verdict(nodes, &parts_of_list(nodes, &here, n), item, at, defer);
                at.truncate(len);
            }
        }
        Value::Unknown(unknown) if !travels(nodes, &governing(nodes, start), unknown) => {
            defer.push(at.clone())
        }
        _ => {}
    }
}

/// Whether an unknown leaf may travel as a token under these schemas.
fn travels(nodes: &[Rules], here: &[usize], unknown: &Unknown) -> bool {
    let rules: Vec<&Rules> = here.iter().filter_map(|n| nodes.get(*n)).collect();
    if rules.iter().any(|r| r.early || r.on_unknown == Some(OnUnknown::Defer)) {
        return false;
    }
    let only_text = rules.iter().any(|r| r.types == Some(Types::STRING));
    let text = unknown.kind == UnknownKind::Text || only_text;
    if !text || rules.iter().any(|r| r.never) {
        return false;
    }
    let token = rules.iter().any(|r| r.on_unknown == Some(OnUnknown::Token));
    let looked_into = |r: &&&Rules| {
        r.allowed.is_some() || r.text.as_ref().is_some_and(|t| t.pattern.is_some() || t.format.is_some())
    };
    token || rules.iter().find(looked_into).is_none()
}

pub(super) fn unknown_outputs(schema: &Schema, address: &str) -> Value {
    outputs(&schema.nodes, &[schema.root], address, &mut String::new(), false, 0)
}

fn outputs(
    nodes: &[Rules],
    start: &[usize],
    address: &str,
    at: &mut String,
    secret: bool,
    depth: usize,
) -> Value {
    let here = governing(nodes, start);
    let rules: Vec<&Rules> = here.iter().filter_map(|n| nodes.get(*n)).collect();
    let secret = secret || rules.iter().any(|r| r.sensitive);
    let named: Vec<String> = {
        let mut keys: Vec<String> = rules
            .iter()
            .filter_map(|r| r.map.as_deref())
            .flat_map(|m| m.properties.keys().cloned())
            .collect();
        keys.sort();
        keys.dedup();
        keys
    };
    // The root is a map of the named outputs; deeper down only what is closed has no other keys.
    let closed = rules.iter().any(|r| r.map.as_deref().is_some_and(|m| m.additional == Additional::Never));
    if (at.is_empty() || closed && depth < MAX_DEPTH) && !named.is_empty() {
        let len = at.len();
        let mut out = BTreeMap::new();
        for key in named {
            pointer::push(at, &key);
            let value = outputs(nodes, &parts_of_map(nodes, &here, &key), address, at, secret, depth + 1);
            at.truncate(len);
            out.insert(key, value);
        }
        return Value::Map(out);
    }
    if at.is_empty() && closed {
        return Value::empty();
    }
    let text = rules.iter().any(|r| r.types == Some(Types::STRING));
    let kind = if text { UnknownKind::Text } else { UnknownKind::Other };
    Value::Unknown(Unknown { id: format!("{address}#{at}"), kind, secret })
}

pub(super) fn mark_sensitive(schema: &Schema, value: Value) -> Value {
    mark(&schema.nodes, &[schema.root], value, false)
}

fn mark(nodes: &[Rules], start: &[usize], value: Value, secret: bool) -> Value {
    let here = if secret { Vec::new() } else { governing(nodes, start) };
    let secret = secret || here.iter().any(|n| nodes.get(*n).is_some_and(|r| r.sensitive));
    match value {
        Value::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, item)| {
                    let parts = parts_of_map(nodes, &here, &key);
                    let item = mark(nodes, &parts, item, secret);
                    (key, item)
                })
                .collect(),
        ),
        Value::List(items) => Value::List(
            items
                .into_iter()
                .enumerate()
                .map(|(n, item)| mark(nodes, &parts_of_list(nodes, &here, n), item, secret))
                .collect(),
        ),
        Value::Text(text) if secret => Value::Secret(SecretText::new(text)),
        Value::Unknown(unknown) if secret => Value::Unknown(Unknown { secret: true, ..unknown }),
        // Only texts can be secret: rather a text of a number than a number that everybody sees.
        Value::Bool(_) | Value::Int(_) | Value::Float(_) if secret => {
            Value::Secret(SecretText::new(value.to_json().map(|j| j.to_string()).unwrap_or_default()))
        }
        other => other,
    }
}

/// The named properties at a place, and whether there can be others.
pub(super) fn properties(schema: &Schema, start: usize) -> (Vec<&str>, bool) {
    let here = governing(&schema.nodes, &[start]);
    let maps = || here.iter().filter_map(|n| schema.nodes.get(*n)?.map.as_deref());
    let closed = maps().any(|m| m.additional == Additional::Never && m.patterns.is_empty());
    let mut names: Vec<&str> = maps().flat_map(|m| m.properties.keys().map(String::as_str)).collect();
    names.sort_unstable();
    names.dedup();
    (names, !closed)
}
