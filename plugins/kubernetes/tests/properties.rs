//! What holds of every app and every file, whatever is in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use sheave_sdk::{Context, EmitterType, Live, Object, Severity, Value, json};

fn kind(name: &str) -> &'static dyn EmitterType {
    *kubernetes::types().iter().find(|t| t.describe().name == name).unwrap()
}

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&kind("App").schema().parse().unwrap()).unwrap());

/// Any props that the schema of `App` takes, good or bad.
fn app() -> impl Strategy<Value = Value> {
    let text = || "[a-zA-Z0-9 ._/$():=@-]{0,12}";
    let port = prop_oneof![
        (1_u16..).prop_map(|port| json!(port)),
        (1_u16.., option::of(1_u16..), option::of(prop_oneof![Just("TCP"), Just("UDP")])).prop_map(
            |(port, target, protocol)| json!({"port": port, "target": target, "protocol": protocol})
        ),
    ];
    let variable = prop_oneof![
        text().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[a-z]{1,5}".prop_map(|name| json!({"secret": name})),
        (option::of(text()), option::of(text()), option::of(text()))
            .prop_map(|(secret, config, key)| json!({"secret": secret, "config": config, "key": key})),
    ];
    let volume = prop_oneof![Just(json!({"size": "1Gi"})), Just(json!({"scratch": true})), (option::of(text()), option::of(text()), option::of(text()), any::<bool>())
        .prop_map(|(secret, claim, size, scratch)| json!({"secret": secret, "claim": claim, "size": size, "scratch": scratch}))];
    let ports = (vec(port.clone(), 0..6), vec(port, 0..6))
        .prop_map(|(internal, external)| json!({"internal": internal, "external": external}));
    (
        "\\PC{1,80}",
        prop_oneof![4 => Just("nginx:1.29".to_owned()), 1 => "\\PC{1,80}"],
        ports,
        btree_map(prop_oneof![9 => "[A-Z]{1,4}", 1 => text()], variable, 0..6),
        btree_map(prop_oneof![9 => "/[a-z/.]{1,9}", 1 => "[a-z:]{0,3}"], volume, 0..4),
        option::weighted(0.3, (1_u32..5, 1_u32..5)),
        option::weighted(0.2, (text(), option::of(1_u16..))),
        option::of(prop_oneof![2 => "[1-9][0-9]{0,2}m", 1 => text()]),
    )
        .prop_map(|(name, image, ports, env, volumes, autoscale, ingress, amount)| {
            json!({
                "name": name, "image": image, "ports": ports, "env": env, "volumes": volumes,
                "autoscale": autoscale.map(|(min, max)| json!({"min": min, "max": max})),
                "ingress": ingress.map(|(host, port)| json!({"host": format!("h{host}"), "port": port})),
                "cpu": {"request": amount},
            })
        })
}

fn is_service_name(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn identities(objects: &[Object]) -> Vec<(String, String)> {
    let text = |o: &Object, at: &str| o.manifest().pointer(at).unwrap().as_str().unwrap().to_owned();
    objects.iter().map(|o| (text(o, "/kind"), text(o, "/metadata/name"))).collect()
}

proptest! {
    /// Whatever the schema takes, the checks and the render end; and what the checks take, has objects that can be told
    /// apart and whose names the cluster takes.
    #[test]
    fn apps_have_names_that_the_cluster_takes(props in app()) {
        let cx = Context::for_test("App", "web");
        let app = kind("App");
        SCHEMA.validate(&props).unwrap();
        let found = app.check(&cx, &props);
        let pointers = found.iter().filter_map(|d| d.pointer.as_deref());
        for at in pointers {
            prop_assert!(props.pointer(at).is_some(), "{at}");
        }
        let objects = app.render(&cx, props.clone(), &Live::default()).unwrap();
        app.observe(&cx, props, &Live::default()).unwrap();
        if found.iter().all(|d| d.severity != Severity::Error) {
            let identities = identities(&objects);
            for (_, name) in &identities {
                prop_assert!(is_service_name(name), "{name}");
            }
            let distinct: HashSet<_> = identities.iter().collect();
            prop_assert_eq!(distinct.len(), objects.len());
        }
    }

    /// Where a document stands, in which list or file, does not matter.
    #[test]
    fn documents_are_the_same_in_any_order_and_in_lists(
        documents in btree_map("[a-z]{1,5}", btree_map("[a-z]{1,3}", option::of("[a-z]{0,3}"), 0..4), 0..8),
        at in any::<prop::sample::Index>(),
    ) {
        let cx = Context::for_test("Manifests", "web");
        let documents: Vec<_> = documents
            .iter()
            .map(|(name, data)| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}))
            .collect();
        let split = at.index(documents.len() + 1);
        let item = |file: &str, i: usize, document: Value| json!({"file": file, "index": i, "document": document});
        let one: Vec<_> = documents.iter().enumerate().map(|(i, d)| item("a.yaml", i, d.clone())).collect();
        let other = [
            item("b.yaml", 0, json!({"apiVersion": "v1", "kind": "List", "items": documents[split..]})),
            item("b.yaml", 1, Value::Null),
            item("c.yaml", 0, json!({"kind": "ConfigMapList", "apiVersion": "v1", "items": documents[..split]})),
        ];
        let render = |items: &[Value]| kind("Manifests").render(&cx, json!({"path": items}), &Live::default()).unwrap();
        let objects = render(&one);
        prop_assert_eq!(&objects, &render(&other));
        prop_assert_eq!(objects.len(), documents.len());
        for object in objects {
            prop_assert!(!has_null(object.manifest()));
        }
    }

    /// Files come from outside: whatever they hold, there is an answer.
    #[test]
    fn any_documents_have_an_answer(documents in vec(anything(), 0..5)) {
        let cx = Context::for_test("Manifests", "web");
        let items: Vec<_> = documents.into_iter().map(|d| json!({"file": "a", "index": 0, "document": d})).collect();
        let props = json!({"path": items});
        let faults = kind("Manifests").check(&cx, &props);
        prop_assert_eq!(faults.is_empty(), kind("Manifests").render(&cx, props, &Live::default()).is_ok());
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z/]{0,6}".prop_map(Value::from),
        prop_oneof![Just("List"), Just("ThingList"), Just("v1")].prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let key = prop_oneof![
            Just("apiVersion".to_owned()),
            Just("kind".to_owned()),
            Just("metadata".to_owned()),
            Just("name".to_owned()),
            Just("items".to_owned()),
            "[a-z]{1,3}",
        ];
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(key, inner, 0..6).prop_map(|map: BTreeMap<_, _>| json!(map)),
        ]
    })
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}
