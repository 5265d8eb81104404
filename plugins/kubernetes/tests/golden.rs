//! Golden files: `golden/NAME.json` holds a resource, `snapshots/` what comes of it. A new case needs no Rust.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

use sheave_sdk::bindings::emits::exports::sheave::plugin::emit::{Emitted, Guest as Emit};
use sheave_sdk::emitter::{Emitters, Exported};
use sheave_sdk::{
    Context, Diagnostic, Doc, EmitterType, Failure, Instance, Live, Mark, MarkKind, Severity, Value, json,
};

/// The component, as it stands behind the interface.
struct Component;

impl Emitters for Component {
    fn types() -> &'static [&'static dyn EmitterType] {
        kubernetes::types()
    }
}

fn kind(name: &str) -> &'static dyn EmitterType {
    *kubernetes::types().iter().find(|t| t.describe().name == name).unwrap()
}

/// Made once each: a pod's schema is large.
static VALIDATORS: LazyLock<HashMap<&str, jsonschema::Validator>> = LazyLock::new(|| {
    let validator =
        |kind: &dyn EmitterType| jsonschema::draft202012::new(&kind.schema().parse().unwrap()).unwrap();
    kubernetes::types().iter().map(|kind| (kind.describe().name, validator(*kind))).collect()
});

/// What the schema says, else what the checks say, else the objects. A case may say what stands in files (that comes in
/// place of their path behind the schema, as it comes from the host), or what is live: then the outputs are the outcome.
fn outcome(case: &Value) -> Value {
    let kind = kind(case["type"].as_str().unwrap());
    let marked =
        |key: &str| case[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    let name = case["name"].as_str().unwrap_or("web");
    let mut cx = Context::for_test(kind.describe().name, name);
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
    let mut props = case["props"].clone();
    if let Some(files) = case.get("files") {
        props["path"] = files.clone();
    }
    let found = kind.check(&cx, &props);
    if found.iter().any(|d| d.severity == Severity::Error) {
        return json!({"check": found.iter().map(shown).collect::<Vec<_>>()});
    }
    let marks_of = |key: &str, kind: MarkKind| {
        marked(key).into_iter().map(move |pointer| Mark { pointer: pointer.into(), kind }).collect::<Vec<_>>()
    };
    let mut marks = marks_of("secret", MarkKind::Secret);
    marks.extend(marks_of("unknown", MarkKind::Unknown));
    if let Some(live) = case.get("live").and_then(Value::as_object) {
        let live =
            live.iter().map(|(slot, object)| (slot.clone(), Some(object.clone()).filter(Value::is_object)));
        let seen = kind.observe(&cx, props, &Live::from_iter(live)).unwrap();
        return json!({"ready": seen.ready, "reason": seen.reason, "outputs": seen.outputs});
    }
    let objects = render(kind.describe().name, name, &props, marks).unwrap();
    let mut outcome =
        json!({"objects": objects.iter().map(|o| emitted(kind.describe().name, o)).collect::<Vec<_>>()});
    if !found.is_empty() {
        outcome["warnings"] = json!(found.iter().map(shown).collect::<Vec<_>>());
    }
    outcome
}

/// Renders through the interface.
fn render(kind: &str, name: &str, props: &Value, marks: Vec<Mark>) -> Result<Vec<Emitted>, Failure> {
    let nothing = Doc { json: String::new(), marks: Vec::new() };
    let of = Instance {
        type_name: kind.to_owned(),
        name: name.to_owned(),
        stack: "test".to_owned(),
        schema_version: 1,
        settings: nothing,
    };
    <Exported<Component> as Emit>::render(of, Doc { json: props.to_string(), marks }, Vec::new())
}

/// A native kind's one object as it is; others with their slots.
fn emitted(of: &str, object: &Emitted) -> Value {
    assert!(object.target.is_empty() && object.after.is_empty() && object.ready_when.is_none());
    let manifest: Value = object.manifest.json.parse().unwrap();
    if object.slot != "object" && of == "App" {
        fits_its_kind(&manifest);
    }
    if object.slot == "object" {
        return manifest;
    }
    let mut shown = json!({"slot": object.slot, "manifest": manifest});
    if !object.restart_on.is_empty() {
        shown["restart-on"] = json!(object.restart_on);
    }
    shown
}

/// What an app emits could have been written by hand: the kind's own schema and checks take it.
fn fits_its_kind(manifest: &Value) {
    let name = manifest["kind"].as_str().unwrap();
    let mut props = manifest.clone();
    let fields = props.as_object_mut().unwrap();
    fields.remove("apiVersion");
    fields.remove("kind");
    let faults: Vec<_> = VALIDATORS[name].iter_errors(&props).map(|e| e.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?} {manifest}");
    let found = kind(name).check(&Context::for_test(name, "web"), &props);
    assert!(found.is_empty(), "{found:?} {manifest}");
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

/// The kinds that stand in the cluster's own API and have a type of their own.
const NATIVE: [&str; 28] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "CronJob",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "LimitRange",
    "Namespace",
    "NetworkPolicy",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "PriorityClass",
    "ReplicaSet",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
    "StorageClass",
];

#[test]
fn every_kind_is_a_type_whose_schema_compiles() {
    let names: Vec<_> = kubernetes::types().iter().map(|t| t.describe().name).collect();
    for name in NATIVE.iter().chain(&["App", "Manifests", "Object"]) {
        assert!(names.contains(name), "{name}");
        assert!(VALIDATORS.contains_key(name), "{name}");
    }
    assert_eq!(names.len(), NATIVE.len() + 3);
    assert!(names.is_sorted(), "{names:?}");
}

/// Outputs and their schema come from one table, yet both must be what the table says.
#[test]
fn outputs_fit_their_schema() {
    for kind in kubernetes::types() {
        let name = kind.describe().name;
        let schema: Value = kind.schema().parse().unwrap();
        let cx = Context::for_test(name, "web");
        let object = json!({"metadata": {"name": "a", "namespace": "b", "uid": "c"}});
        let props = if name == "App" { json!({"image": "a"}) } else { json!({}) };
        for live in [None, Some(object)] {
            let live =
                Live::from_iter([("object".to_owned(), live.clone()), ("deployment".to_owned(), live)]);
            let outputs = kind.observe(&cx, props.clone(), &live).unwrap().outputs;
            jsonschema::draft202012::validate(&schema["x-outputs"], &outputs).unwrap();
        }
        if !NATIVE.contains(&name) {
            continue;
        }
        assert_eq!(schema["x-outputs"]["properties"]["uid"]["x-stable"], json!(true));
        let namespaced = schema.pointer("/properties/metadata/properties/namespace").is_some();
        let has_output = schema.pointer("/x-outputs/properties/namespace").is_some();
        assert_eq!(namespaced, has_output, "{name}");
    }
}

/// What Kubernetes forbids to change, by kind: each pointer is marked, and what may change is not.
#[test]
fn what_cannot_change_is_marked() {
    let is = |kind_name: &str, pointer: &str| {
        let schema: Value = kind(kind_name).schema().parse().unwrap();
        let mut at = &schema;
        for part in pointer.split('/').skip(1) {
            if let Some(name) = at["$ref"].as_str() {
                at = schema.pointer(name.trim_start_matches('#')).unwrap();
            }
            at = if part == "*" { &at["items"] } else { &at["properties"][part] };
            assert!(at.is_object(), "{kind_name} {pointer}");
        }
        at["x-immutable"] == json!(true)
    };
    for (kind, pointer) in [
        ("Deployment", "/spec/selector"),
        ("StatefulSet", "/spec/serviceName"),
        ("StatefulSet", "/spec/volumeClaimTemplates"),
        ("StatefulSet", "/spec/selector"),
        ("Job", "/spec/template"),
        ("Service", "/spec/clusterIP"),
        ("PersistentVolumeClaim", "/spec/storageClassName"),
        ("PersistentVolumeClaim", "/spec/accessModes"),
        ("PersistentVolume", "/spec/nfs"),
        ("Pod", "/spec/nodeName"),
        ("Pod", "/spec/terminationGracePeriodSeconds"),
        ("Pod", "/spec/containers/*/env"),
        ("RoleBinding", "/roleRef"),
        ("ClusterRoleBinding", "/roleRef"),
        ("StorageClass", "/provisioner"),
        ("StorageClass", "/parameters"),
        ("PriorityClass", "/value"),
        ("Secret", "/type"),
    ] {
        assert!(is(kind, pointer), "{kind} {pointer}");
    }
    for (kind, pointer) in [
        ("Deployment", "/spec/template"),
        ("StatefulSet", "/spec/replicas"),
        ("StatefulSet", "/spec/template"),
        ("StatefulSet", "/spec/updateStrategy"),
        ("Job", "/spec/parallelism"),
        ("Service", "/spec/ports"),
        ("PersistentVolumeClaim", "/spec/resources/requests"),
        ("PersistentVolume", "/spec/capacity"),
        ("Pod", "/spec/containers/*/image"),
        ("RoleBinding", "/subjects"),
        ("CronJob", "/spec/jobTemplate"),
    ] {
        assert!(!is(kind, pointer), "{kind} {pointer}");
    }
}

#[test]
fn secrets_are_marked() {
    let schema: Value = kind("Secret").schema().parse().unwrap();
    for place in ["data", "stringData"] {
        assert_eq!(schema["properties"][place]["additionalProperties"]["x-sensitive"], json!(true));
    }
}
