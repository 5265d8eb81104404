//! From nothing to a stack that runs: what `init` writes, and the picture of it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::fs;

use sheave_testkit::{Call, Stack};

fn within(stack: &Stack, args: &[&str]) -> Call {
    let call = stack.sheave(args.iter().copied()).within(&stack.project().join("shop"));
    call.env("SHEAVE_INPUT_namespace", stack.namespace())
}

#[test]
fn what_init_writes_runs() {
    let stack = Stack::new("init");
    let said = stack.run(["init", "shop"]).exits(0).says("blueprint.yaml").says("cd shop");
    assert!(said.stdout.contains("sheave apply"), "{said}");
    assert_eq!(fs::read_to_string(stack.project().join("shop/.gitignore")).unwrap(), ".sheave/\n");
    let _ = within(&stack, &["validate"]).run().exits(0);
    let _ = within(&stack, &["apply", "--yes"]).run().exits(0);
    let url = within(&stack, &["outputs", "url"]).run().exits(0).stdout;
    assert_eq!(url.trim(), format!("http://shop.{}.svc", stack.namespace()));
    let web = stack.object("deployment", "shop-web").unwrap();
    assert_eq!(web["status"]["availableReplicas"], 2);
    let page = stack.object("configmap", "shop-page").unwrap();
    assert!(page["data"]["index.html"].as_str().unwrap().contains("<h1>Hello from Sheave</h1>"), "{page}");
    let _ = within(&stack, &["plan", "--detailed-exitcode"]).run().exits(0);
    let _ = within(&stack, &["destroy", "--yes"]).run().exits(0);
    assert_eq!(stack.names("deployments,services,configmaps"), Vec::<String>::new());
}

#[test]
fn nothing_is_overwritten() {
    let stack = Stack::without_namespace("again");
    stack.write("blueprint.yaml", "mine");
    let refused = stack.run(["init"]).exits(1).says("cli.exists");
    assert!(refused.explained().contains("sheave init DIR"), "{refused}");
    assert_eq!(stack.read("blueprint.yaml").as_deref(), Some("mine"));
    let made = stack.run(["init", "-f", "other.yaml", "--json"]).exits(0).json();
    assert_eq!(made["blueprint"], "./other.yaml");
    assert!(stack.read("other.yaml").is_some() && stack.read(".gitignore").is_some());
}

#[test]
fn a_graph_needs_no_cluster_and_no_state() {
    let stack = Stack::without_namespace("graph");
    let _ = stack.run(["init", "shop"]).exits(0);
    let call = |args: &[&str]| within(&stack, args).env("KUBECONFIG", "/nowhere").run().exits(0);
    let tree = call(&["graph"]).stdout;
    assert!(tree.contains("web  kubernetes:Deployment\n└─ page  kubernetes:ConfigMap\n"), "{tree}");
    let all = call(&["graph", "--json"]).json();
    let web = all["resources"].as_array().unwrap().iter().find(|r| r["name"] == "web").unwrap();
    assert_eq!(web["needs"], serde_json::json!(["page"]));
    assert!(call(&["graph", "--dot"]).stdout.contains("\"web\" -> \"page\""));
    let svg = call(&["graph", "--svg"]).stdout;
    assert!(svg.starts_with("<svg ") && svg.contains(">web</text>"), "{svg}");
    assert!(!stack.project().join("shop/.sheave").exists(), "to look leaves nothing behind");
}

#[test]
fn every_shell_is_helped_without_a_home() {
    let stack = Stack::without_namespace("shells");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stack.sheave(["completions", shell]).env("HOME", "").run().exits(0);
        assert!(script.stdout.contains("rollback"), "{shell}");
    }
}
