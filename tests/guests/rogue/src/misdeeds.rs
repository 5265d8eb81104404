//! What breaks limits and rules.

use std::hint::black_box;

use serde_json::json;

use crate::sheave::plugin::log::{self, Level};
use crate::sheave::plugin::types::{Doc, Instance, Mark, MarkKind};
use crate::{Emitted, config_map, emitted};

pub(crate) fn loops(_: &Instance, _: &Doc) -> Vec<Emitted> {
    let mut n = 0_u64;
    loop {
        n = black_box(n.wrapping_add(1));
    }
}

pub(crate) fn hog(_: &Instance, _: &Doc) -> Vec<Emitted> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    loop {
        all.push(black_box(vec![1; 1 << 20]));
    }
}

pub(crate) fn recurse(_: &Instance, _: &Doc) -> Vec<Emitted> {
    #[inline(never)]
    fn deeper(n: u64) -> u64 {
        let here = black_box([n; 16]);
        // The end is out of reach, but the compiler does not know.
        if n == black_box(u64::MAX) { n } else { black_box(deeper(n + 1)) + here[3] }
    }
    black_box(deeper(0));
    Vec::new()
}

pub(crate) fn trap(_: &Instance, _: &Doc) -> Vec<Emitted> {
    step_on_a_mine();
    Vec::new()
}

#[inline(never)]
fn step_on_a_mine() {
    // Something to tell it from other functions that only trap, with which it would be merged.
    black_box("mine");
    core::arch::wasm32::unreachable()
}

pub(crate) fn panics(_: &Instance, _: &Doc) -> Vec<Emitted> {
    std::panic::set_hook(Box::new(|info| log::log(Level::Error, &info.to_string(), &[])));
    panic!("all is lost");
}

pub(crate) fn flood(_: &Instance, props: &Doc) -> Vec<Emitted> {
    let props: serde_json::Value = serde_json::from_str(&props.json).unwrap_or_default();
    let number = |key: &str| props[key].as_u64().and_then(|n| usize::try_from(n).ok());
    let bytes = number("bytes").or(number("megabytes").map(|n| n * 1_000_000)).unwrap_or(100_000_000);
    vec![emitted("flood", format!("\"{}\"", "x".repeat(bytes)))]
}

pub(crate) fn deep(_: &Instance, _: &Doc) -> Vec<Emitted> {
    vec![emitted("deep", "[".repeat(10_000) + &"]".repeat(10_000))]
}

pub(crate) fn garbage(_: &Instance, _: &Doc) -> Vec<Emitted> {
    vec![emitted("garbage", "{\"kind\": ".to_owned())]
}

pub(crate) fn many(of: &Instance, props: &Doc) -> Vec<Emitted> {
    let props: serde_json::Value = serde_json::from_str(&props.json).unwrap_or_default();
    (0..props["many"].as_u64().unwrap_or(10_001)).map(|n| config_map(of, &n.to_string(), json!({}))).collect()
}

pub(crate) fn twins(of: &Instance, _: &Doc) -> Vec<Emitted> {
    vec![config_map(of, "twin", json!({})), config_map(of, "twin", json!({}))]
}

pub(crate) fn nowhere(of: &Instance, _: &Doc) -> Vec<Emitted> {
    let mut object = config_map(of, "nowhere", json!({}));
    object.manifest.marks.push(Mark { pointer: "/data/absent".to_owned(), kind: MarkKind::Secret });
    vec![object]
}

pub(crate) fn dangling(of: &Instance, _: &Doc) -> Vec<Emitted> {
    let mut object = config_map(of, "dangling", json!({}));
    object.after.push("absent".to_owned());
    vec![object]
}

pub(crate) fn logs(of: &Instance, props: &Doc) -> Vec<Emitted> {
    let props: serde_json::Value = serde_json::from_str(&props.json).unwrap_or_default();
    for n in 0..props["lines"].as_u64().unwrap_or(100_000) {
        log::log(Level::Info, &format!("line {n}"), &[]);
    }
    vec![config_map(of, "logs", json!({}))]
}

pub(crate) fn paint(of: &Instance, _: &Doc) -> Vec<Emitted> {
    let field = log::Field { name: "colour\x1b[0m".to_owned(), value: "\x07red".to_owned() };
    log::log(Level::Warn, "\x1b[2J\x1b[31mdone\r\nsheave: all is well", &[field]);
    vec![config_map(of, "paint", json!({}))]
}

pub(crate) fn emits(_: &Instance, props: &Doc) -> Vec<Emitted> {
    let props: serde_json::Value = serde_json::from_str(&props.json).unwrap_or_default();
    let padding =
        props["kilobytes"].as_u64().and_then(|n| usize::try_from(n).ok()).map(|n| "x".repeat(n * 1_000));
    let objects = props["objects"].as_array().cloned().unwrap_or_default();
    let emit = |(n, mut object): (usize, serde_json::Value)| {
        if let Some(padding) = &padding {
            object["data"]["padding"] = padding.as_str().into();
        }
        let mut out = emitted(&n.to_string(), object.to_string());
        out.target = props["target"].as_str().unwrap_or_default().to_owned();
        out
    };
    objects.into_iter().enumerate().map(emit).collect()
}

pub(crate) fn seen(of: &Instance, props: &Doc) -> Vec<Emitted> {
    let props: serde_json::Value = serde_json::from_str(&props.json).unwrap_or_default();
    vec![config_map(of, "seen", json!({"seen": props["seen"]}))]
}
