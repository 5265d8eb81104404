//! Golden plans: one of each shape.

use serde_json::{Value as Json, json};
use sheave_model::plan::Plan;

use super::*;

fn of(resources: Json) -> Plan {
    let mut plan = json!({
        "format": 1, "stack": "blog", "serial": 7, "purpose": "apply", "blueprint": null, "inputs": {},
        "resources": [], "outputs": {}, "passwords": {}, "failed": {},
    });
    plan["resources"] = resources;
    serde_json::from_value(plan).unwrap()
}

fn resource(address: &str, action: &str, more: Json) -> Json {
    let mut out = json!({
        "address": address, "type": "kubernetes:App", "role": "emits", "action": action,
        "plugin": {"name": "kubernetes", "source": "builtin", "digest": "00"},
    });
    out.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    out
}

fn object(kind: &str, name: &str, action: &str, more: Json) -> Json {
    let mut out = json!({
        "slot": name, "target": "main", "action": action,
        "object": {"apiVersion": "v1", "kind": kind, "namespace": "blog", "name": name},
    });
    out.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    out
}

#[test]
fn a_plan_of_every_kind() {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web", "namespace": "blog"},
        "data": {"password": {"$secret": "abc"}, "host": {"$unknown": "db#/host"}}});
    let drift = json!([
        {"pointer": "/spec/replicas", "before": {"value": 5}, "after": {"value": 2}, "manager": "kubectl-edit"},
        {"pointer": "/metadata/labels/team", "before": "absent", "after": {"value": "web"}, "manager": "kubectl-edit"},
        {"pointer": "/spec/paused", "before": {"value": true}, "after": "absent"},
    ]);
    let changes = json!([
        {"pointer": "/spec/replicas", "before": {"value": 5}, "after": {"value": 2}, "manager": "kubectl-edit"},
        {"pointer": "/spec/template/spec/containers/0/image", "before": {"value": "web:1"}, "after": {"value": "web:2"}},
    ]);
    let mut plan = of(json!([
        resource(
            "secret",
            "create",
            json!({"objects": [object("Secret", "web", "create", json!({"manifest": secret}))]})
        ),
        resource(
            "web",
            "update",
            json!({"objects": [
                object("Deployment", "web", "update", json!({"changes": changes, "drift": drift, "force": true,
                    "notes": ["kubectl-edit owns spec.replicas"]})),
                object("Service", "web", "noop", json!({})),
            ]})
        ),
        resource(
            "volume",
            "replace",
            json!({
                "type": "disk:Volume", "role": "provides", "why": "size cannot shrink", "properties": {"size": 10},
                "changes": [{"pointer": "/size", "before": {"value": 20}, "after": {"value": 10}}],
            })
        ),
        resource(
            "vm[\"eu\"]",
            "create",
            json!({
                "type": "vm:Machine", "role": "provides",
                "properties": {"image": "debian", "key": {"$secret": "x"}, "address": {"$unknown": "y"}},
                "notes": ["takes about five minutes"],
            })
        ),
        resource(
            "old",
            "delete",
            json!({"objects": [object("ConfigMap", "old", "delete", json!({"uid": "1"}))]})
        ),
        resource(
            "kept",
            "forget",
            json!({"objects": [object("PersistentVolumeClaim", "kept", "forget", json!({}))]})
        ),
        resource("slow", "await", json!({"objects": [object("Job", "slow", "await", json!({}))]})),
        resource("same", "noop", json!({"objects": [object("ConfigMap", "same", "noop", json!({}))]})),
        resource(
            "shard",
            "create",
            json!({"deferred": {
                "why": "count: size(resources.vm.outputs.disks)", "target": "main", "kinds": ["ConfigMap"], "namespaces": ["blog"],
            }})
        ),
    ]));
    plan.outputs = serde_json::from_value(json!({
        "url": "http://blog", "token": {"$secret": "x"}, "ip": {"$unknown": "web#/ip"},
    }))
    .unwrap();
    plan.passwords = [("db".to_owned(), 24)].into();
    plan.failed = [("broken".parse().unwrap(), "plugin.trap".to_owned())].into();
    insta::assert_snapshot!(super::plan(&plan, Paint(false)));
}

#[test]
fn nothing_to_do() {
    let plan = of(json!([resource(
        "same",
        "noop",
        json!({"objects": [object("ConfigMap", "a", "noop", json!({}))]})
    )]));
    assert_eq!(super::plan(&plan, Paint(false)), "Nothing to do.\n");
}

#[test]
fn a_plan_of_outputs_alone_shows_them() {
    let mut plan = of(json!([]));
    plan.outputs = serde_json::from_value(json!({"url": "http://blog"})).unwrap();
    let text = outputs_only(&plan, Paint(false));
    assert_eq!(text, "Outputs:\n  url: http://blog\n\nPlan: only the outputs change.\n");
}

#[test]
fn a_destroy_says_so_and_names_targets_where_there_are_two() {
    let mut other = object("ConfigMap", "b", "delete", json!({}));
    other["target"] = json!("edge");
    let mut plan = of(json!([resource(
        "a",
        "delete",
        json!({"objects": [object("ConfigMap", "a", "delete", json!({})), other]})
    )]));
    plan.purpose = Purpose::Destroy;
    insta::assert_snapshot!(super::plan(&plan, Paint(false)));
}

#[test]
fn nothing_from_outside_reaches_the_terminal_as_it_is() {
    let bad = "x\u{1b}]0;y\u{7}\n\u{202e}z";
    let mut plan = of(json!([resource(
        "web",
        "update",
        json!({
            "why": bad, "notes": [bad],
            "deferred": {"why": bad, "target": bad, "kinds": [bad], "namespaces": [bad]},
            "objects": [object(bad, bad, "update", json!({"target": bad, "notes": [bad], "changes": [
                {"pointer": format!("/{bad}"), "before": {"value": bad}, "after": {"value": {bad: bad}}, "manager": bad}],
                "drift": [{"pointer": format!("/{bad}"), "before": {"value": bad}, "after": {"value": bad}, "manager": bad}]})),
                object("A", "b", "create", json!({"manifest": {"apiVersion": bad, "kind": bad, "metadata": {bad: [bad]}}}))],
        })
    )]));
    plan.outputs = serde_json::from_value(json!({bad: bad})).unwrap();
    plan.passwords = [(bad.to_owned(), 3)].into();
    plan.failed = [("broken".parse().unwrap(), bad.to_owned())].into();
    plan.stack = bad.to_owned();
    plan.purpose = Purpose::Destroy;
    let text = super::plan(&plan, Paint(false));
    assert!(!text.replace('\n', "").contains(outside::acts), "{text}");
}

#[test]
fn the_summary_counts_what_happens() {
    let plan = of(json!([
        resource("a", "replace", json!({"role": "provides"})),
        resource("b", "create", json!({"role": "provides"})),
        resource("c", "await", json!({"role": "provides"})),
        resource("d", "noop", json!({"role": "provides"})),
    ]));
    assert_eq!(summary(&plan), "Plan: 1 to create, 1 to replace, 1 to wait for, 1 unchanged.");
}
