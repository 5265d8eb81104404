//! Golden files: `golden/NAME.json` holds a resource, `snapshots/` what comes of it. A new case needs no Rust.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

use sheave_sdk::{Context, Diagnostic, EmitterType, Live, Value, json};

fn kind(name: &str) -> &'static dyn EmitterType {
    *kubernetes::types().iter().find(|t| t.describe().name == name).unwrap()
}

/// Made once each: a pod's schema is large.
static VALIDATORS: LazyLock<HashMap<&str, jsonschema::Validator>> = LazyLock::new(|| {
    let validator =
        |kind: &dyn EmitterType| jsonschema::draft202012::new(&kind.schema().parse().unwrap()).unwrap();
    kubernetes::types().iter().map(|kind| (kind.describe().name, validator(*kind))).collect()
});

/// What the schema says, else what the checks say, else the objects.
fn outcome(case: &Value) -> Value {
    let kind = kind(case["type"].as_str().unwrap());
    let marked =
        |key: &str| case[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    let mut cx = Context::for_test(kind.describe().name, case["name"].as_str().unwrap_or("web"));
    cx = marked("secret").into_iter().fold(cx, |cx, pointer| cx.with_secret(pointer));
    cx = marked("unknown").into_iter().fold(cx, |cx, pointer| cx.with_unknown(pointer));

    let validator = &VALIDATORS[kind.describe().name];
    let faults: Vec<_> = validator
        .iter_errors(&case["props"])
        .map(|e| json!({"at": e.instance_path().as_str(), "why": e.to_string()}))
        .collect();
    if !faults.is_empty() {
        return json!({"schema": faults});
    }
    let found = kind.check(&cx, &case["props"]);
    if !found.is_empty() {
        return json!({"check": found.iter().map(shown).collect::<Vec<_>>()});
    }
    let objects = kind.render(&cx, case["props"].clone(), &Live::default()).unwrap();
    json!({"objects": objects.iter().map(|o| o.manifest()).collect::<Vec<_>>()})
}

fn shown(d: &Diagnostic) -> Value {
    json!({"code": d.code, "summary": d.summary, "detail": d.detail, "at": d.pointer})
}

fn read(path: &Path) -> Value {
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

#[test]
fn golden() {
    insta::glob!("golden/*.json", |path| insta::assert_json_snapshot!(outcome(&read(path))));
}

#[test]
fn observed() {
    let live = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "blog", "uid": "u-1"},
        "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "one"}, {"name": "b", "image": "two"}]}}},
        "status": {"replicas": 2},
    });
    let cx = Context::for_test("Deployment", "web");
    let seen = |live: Option<Value>| {
        let live = Live::from_iter([("object".to_owned(), live)]);
        kind("Deployment").observe(&cx, Value::Null, &live).unwrap()
    };
    let there = seen(Some(live));
    assert!(there.ready);
    assert_eq!(
        there.outputs,
        json!({"name": "web", "namespace": "blog", "uid": "u-1", "replicas": 2, "readyReplicas": 0, "image": "one", "images": ["one", "two"]})
    );
    let gone = seen(None);
    assert!(!gone.ready && gone.reason == "not there yet");
}

/// Outputs and their schema come from one table, yet both must be what the table says.
#[test]
fn outputs_fit_their_schema() {
    for kind in kubernetes::types() {
        let schema: Value = kind.schema().parse().unwrap();
        let cx = Context::for_test(kind.describe().name, "web");
        let object = json!({"metadata": {"name": "a", "namespace": "b", "uid": "c"}});
        for live in [None, Some(object)] {
            let live = Live::from_iter([("object".to_owned(), live)]);
            let outputs = kind.observe(&cx, json!({}), &live).unwrap().outputs;
            jsonschema::draft202012::validate(&schema["x-outputs"], &outputs).unwrap();
        }
        assert_eq!(schema["x-outputs"]["properties"]["uid"]["x-stable"], json!(true));
        let namespaced = schema.pointer("/properties/metadata/properties/namespace").is_some();
        let has_output = schema.pointer("/x-outputs/properties/namespace").is_some();
        assert!(namespaced == has_output || kind.describe().name == "Object", "{}", kind.describe().name);
    }
}

#[test]
fn secrets_are_marked() {
    let schema: Value = kind("Secret").schema().parse().unwrap();
    for place in ["data", "stringData"] {
        assert_eq!(schema["properties"][place]["additionalProperties"]["x-sensitive"], json!(true));
    }
    let schema: Value = kind("Deployment").schema().parse().unwrap();
    assert_eq!(schema.pointer("/properties/spec/properties/selector/x-immutable"), Some(&json!(true)));
}
