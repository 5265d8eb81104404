//! `kubernetes:Node`: what is set on a node that exists, and taken off it again. No node is ever made or deleted.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use serde_json::{Value, json};
use sheave_testkit::{Stack, cluster};

/// A node of the test's own, which goes when the test ends. No kubelet answers for it.
struct Node(String);

impl Node {
    fn new() -> Self {
        let name = cluster::unique("test-node");
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"theirs": "yes"}},
            "spec": {"taints": [{"key": "example.com/theirs", "effect": "NoSchedule"}]}});
        let _ = cluster::kubectl_with(&["create", "-f", "-"], &node.to_string());
        Self(name)
    }

    fn live(&self) -> Value {
        let text = cluster::kubectl(&["get", "node", &self.0, "-o", "json", "--show-managed-fields"]);
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = cluster::kubectl(&["delete", "node", &self.0, "--ignore-not-found", "--wait=false"]);
    }
}

fn text(name: &str, more: &str) -> String {
    format!(
        "blueprint: nodes\ntargets: {{main: {{kubernetes: {{context: admin, namespace: \"@namespace@\"}}}}}}\n\
         plugins: {{kubernetes: {{}}}}\nresources:\n  settings: {{type: kubernetes:ConfigMap, properties: {{data: {{a: b}}}}}}\n  \
         worker:\n    type: kubernetes:Node\n{more}    properties:\n      metadata: {{name: {name}, labels: {{tier: web}}}}\n      \
         spec: {{unschedulable: true}}\n"
    )
}

fn has_ours(node: &Value) -> bool {
    let managers = node["metadata"]["managedFields"].as_array().unwrap();
    let ours = managers.iter().any(|m| m["manager"] == "sheave");
    let set = node["metadata"]["labels"]["tier"] == "web" && node["spec"]["unschedulable"] == true;
    let none =
        node["metadata"]["labels"].get("tier").is_none() && node["spec"].get("unschedulable").is_none();
    assert!(set || none, "half of it is there: {node:#}");
    assert_eq!(ours, set, "{managers:#?}");
    assert_eq!(node["metadata"]["labels"]["theirs"], "yes");
    assert!(node["spec"]["taints"].to_string().contains("example.com/theirs"), "{node:#}");
    set
}

#[test]
fn what_is_set_on_a_node_comes_and_goes_and_the_node_stays() {
    let (stack, node) = (Stack::new("node"), Node::new());
    let uid = node.live()["metadata"]["uid"].clone();
    stack.blueprint(&text(&node.0, ""));
    let shown = stack.run(["plan"]).exits(0);
    assert!(shown.stdout.contains("~ worker"), "it is there, and is not made: {shown}");
    let _ = stack.apply();
    assert!(has_ours(&node.live()));
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);

    // Out of the blueprint: only what was set goes.
    let pruned = text(&node.0, "");
    stack.blueprint(pruned.split("  worker:").next().unwrap());
    let shown = stack.run(["plan"]).exits(0).says("it stays: only what this stack set on it goes");
    assert!(!shown.stdout.contains("to delete"), "{shown}");
    let _ = stack.apply();
    assert!(!has_ours(&node.live()));

    stack.blueprint(&text(&node.0, ""));
    let _ = stack.apply();
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    let left = node.live();
    assert!(!has_ours(&left));
    assert_eq!(left["metadata"]["uid"], uid, "never deleted, never made again");
}

#[test]
fn taints_come_and_go_one_by_one_and_those_of_others_stay() {
    let (stack, node) = (Stack::new("taints"), Node::new());
    let blueprint = |taints: &str| {
        let spec = format!("spec: {{taints: [{taints}]}}");
        stack.blueprint(&text(&node.0, "").replace("spec: {unschedulable: true}", &spec));
    };
    let taints = || {
        let list = node.live()["spec"]["taints"].clone();
        let mut keys: Vec<String> = list
            .as_array()
            .into_iter()
            .flatten()
            .map(|t| t["key"].as_str().unwrap().replace("example.com/", ""))
            .collect();
        keys.sort();
        keys
    };
    let (ours, more) =
        ("{key: example.com/ours, effect: NoSchedule}", "{key: example.com/more, effect: NoSchedule}");
    blueprint(&format!("{ours}, {more}"));
    let shown = stack.run(["plan"]).exits(0);
    assert!(shown.stdout.contains("taints that others set stay: example.com/theirs:NoSchedule"), "{shown}");
    assert!(!shown.stdout.contains("conflict"), "{shown}");
    let _ = stack.apply();
    assert_eq!(taints(), ["more", "ours", "theirs"]);
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);

    // What others add and take away is theirs, and no drift.
    let _ = cluster::kubectl(&["taint", "node", &node.0, "example.com/later=x:NoExecute"]);
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    let _ = cluster::kubectl(&["taint", "node", &node.0, "example.com/theirs:NoSchedule-"]);
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    // One of ours that somebody takes away comes back, and nothing else changes.
    let _ = cluster::kubectl(&["taint", "node", &node.0, "example.com/ours:NoSchedule-"]);
    let shown = stack.run(["plan", "--detailed-exitcode"]).exits(2);
    assert!(shown.stdout.contains("taints that others set stay: example.com/later=x:NoExecute"), "{shown}");
    let _ = stack.apply();
    assert_eq!(taints(), ["later", "more", "ours"]);

    // One that leaves the blueprint goes; then the list; then the resource.
    blueprint(ours);
    let _ = stack.apply();
    assert_eq!(taints(), ["later", "ours"]);
    stack.blueprint(&text(&node.0, ""));
    let _ = stack.apply();
    // The cluster taints what is cordoned by itself, where a controller does so.
    assert!(
        taints().contains(&"later".to_owned()) && !taints().contains(&"ours".to_owned()),
        "{:?}",
        taints()
    );
    blueprint(ours);
    let _ = stack.apply();
    assert!(taints().contains(&"ours".to_owned()));
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert!(
        taints().contains(&"later".to_owned()) && !taints().contains(&"ours".to_owned()),
        "{:?}",
        taints()
    );
    let managers = node.live()["metadata"]["managedFields"].clone();
    assert!(!managers.as_array().unwrap().iter().any(|m| m["manager"] == "sheave"), "{managers:#}");
}

#[test]
fn a_node_that_is_not_there_is_a_fault_at_plan_and_at_apply() {
    let (stack, node) = (Stack::new("no-node"), Node::new());
    let name = node.0.clone();
    stack.blueprint(&text(&name, "    depends-on: [settings]\n"));
    let _ = stack.run(["plan", "--out", "plan.json"]).exits(0);
    drop(node);
    let gone = || cluster::kubectl(&["get", "node", &name, "--ignore-not-found"]).is_empty();
    assert!(gone());
    // By a plan that was made before it went.
    let failed = stack.run(["apply", "plan.json"]);
    assert!(failed.code() == Some(1) && failed.explained().contains("object.missing"), "{failed}");
    assert!(gone(), "no node was made");
    let failed = stack.run(["plan"]).exits(1).says("object.missing");
    assert!(failed.explained().contains(&name), "{failed}");
    assert!(stack.object("configmap", "settings").is_some(), "the others are done");
    let _ = stack.run(["destroy", "--yes"]).exits(0);
}

#[test]
fn another_name_lets_the_first_node_go_and_no_second_stack_takes_it() {
    let (stack, first, second) = (Stack::new("two-nodes"), Node::new(), Node::new());
    stack.blueprint(&text(&first.0, ""));
    let _ = stack.apply();
    let other = Stack::new("other-nodes");
    other.blueprint(&text(&first.0, ""));
    let _ = other.run(["plan"]).exits(1).says("cluster.other-owner");
    stack.blueprint(&text(&second.0, ""));
    let _ = stack.apply();
    assert!(!has_ours(&first.live()) && has_ours(&second.live()));
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert!(!has_ours(&second.live()));
}
