//! What is done with a leaf that may be a token.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::sheave::plugin::log::{self, Level};
use crate::sheave::plugin::types::{Doc, Instance};
use crate::{Emitted, config_map};

/// The property `value` as text.
fn value(props: &Doc) -> String {
    let props: Value = serde_json::from_str(&props.json).unwrap_or_default();
    props["value"].as_str().unwrap_or_default().to_owned()
}

pub(crate) fn echo(of: &Instance, props: &Doc) -> Vec<Emitted> {
    let mut marks = String::new();
    for mark in &props.marks {
        let _ = writeln!(marks, "{} {:?}", mark.pointer, mark.kind);
    }
    let shown = json!({
        "type": of.type_name,
        "name": of.name,
        "stack": of.stack,
        "settings": of.settings.json,
        "properties": props.json,
        "marks": marks,
    });
    log::log(Level::Info, &shown.to_string(), &[]);
    vec![config_map(of, "echo", shown)]
}

pub(crate) fn honest(of: &Instance, props: &Doc) -> Vec<Emitted> {
    vec![config_map(of, "honest", json!({"url": format!("http://{}:80/", value(props))}))]
}

pub(crate) fn hash(of: &Instance, props: &Doc) -> Vec<Emitted> {
    vec![config_map(of, "hash", json!({"hash": format!("{:016x}", fnv(&value(props)))}))]
}

/// FNV-1a: any hash does.
fn fnv(text: &str) -> u64 {
    let step = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

pub(crate) fn base64(of: &Instance, props: &Doc) -> Vec<Emitted> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in value(props).as_bytes().chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, i| bits << 8 | u32::from(chunk.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    vec![config_map(of, "base64", json!({"encoded": out}))]
}

pub(crate) fn piece(of: &Instance, props: &Doc) -> Vec<Emitted> {
    let value = value(props);
    let half: String = value.chars().skip(value.chars().count() / 2).collect();
    vec![config_map(of, "piece", json!({"piece": half}))]
}

pub(crate) fn leak(of: &Instance, props: &Doc) -> Vec<Emitted> {
    vec![config_map(of, "leak", json!({"value": value(props)}))]
}

pub(crate) fn differs(of: &Instance, props: &Doc) -> Vec<Emitted> {
    let mut data = serde_json::Map::new();
    data.insert(value(props), json!("a key of that name"));
    vec![config_map(of, "differs", Value::Object(data))]
}

pub(crate) fn branch(of: &Instance, props: &Doc) -> Vec<Emitted> {
    vec![config_map(of, &format!("branch-{:x}", fnv(&value(props))), json!({}))]
}
