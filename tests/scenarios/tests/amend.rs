//! The recorded state, written out and amended.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use serde_json::Value;
use sheave_testkit::{Output, Secret, Stack, audit};

const BLUEPRINT: &str = r#"
blueprint: amended
inputs:
  password: {type: string, secret: true}
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins: {kubernetes: {}}
resources:
  note:
    type: kubernetes:ConfigMap
    properties: {metadata: {name: note}, data: {a: b}}
  keep:
    type: kubernetes:Secret
    properties: {metadata: {name: keep}, stringData: {password: "${inputs.password}", of: "${resources.note.outputs.uid}"}}
  shard:
    for-each: ${range(2)}
    type: kubernetes:ConfigMap
    properties: {metadata: {name: "shard-${string(each.key)}"}, data: {of: "${resources.keep.outputs.name}"}}
outputs: {note: "${resources.note.outputs.uid}"}
"#;

const PASSWORD: &str = "correct horse battery";

fn run(stack: &Stack, args: &[&str]) -> Output {
    stack.sheave(args.iter().copied()).env("SHEAVE_INPUT_password", PASSWORD).run()
}

fn applied(name: &str) -> Stack {
    let stack = Stack::new(name);
    stack.blueprint(BLUEPRINT);
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    stack
}

fn listed(stack: &Stack) -> Vec<String> {
    run(stack, &["state", "list"]).exits(0).stdout.lines().map(str::to_owned).collect()
}

fn uids(stack: &Stack) -> Vec<Value> {
    let objects = stack.objects("configmaps,secrets");
    objects.iter().map(|o| o["metadata"]["uid"].clone()).collect()
}

#[test]
fn an_export_is_the_whole_state_and_no_secret_is_in_it() {
    let stack = applied("export");
    let exported = run(&stack, &["state", "export"]).exits(0);
    let state = exported.json();
    assert_eq!(state["name"], "amended");
    let addresses: Vec<_> = state["resources"].as_object().unwrap().keys().collect();
    assert_eq!(addresses, ["keep", "note", "shard[0]", "shard[1]"]);
    assert!(state["resources"]["note"]["objects"][0]["uid"].is_string());
    Secret::new(PASSWORD).must_not_be_in("the export", &exported.stdout);
}

#[test]
fn a_resource_gets_another_address_and_stays_what_it_is() {
    let stack = applied("mv");
    let before = uids(&stack);
    let mark = audit::mark();
    let _ = run(&stack, &["state", "mv", "note", "memo"]).exits(0).says("note is memo");
    let moved = run(&stack, &["state", "mv", "shard", "part", "--json"]).exits(0).json();
    assert_eq!(moved["moved"][1]["to"], "part[1]");
    assert!(audit::requests_since(mark, &stack).is_empty(), "no cluster is asked");
    assert_eq!(listed(&stack), ["keep", "memo", "part[0]", "part[1]"]);
    let keep = run(&stack, &["state", "show", "keep", "--json"]).exits(0).json();
    assert_eq!(keep["requires"], serde_json::json!(["memo"]), "who needs it knows");

    stack.blueprint(
        &BLUEPRINT
            .replace("note:\n", "memo:\n")
            .replace("resources.note", "resources.memo")
            .replace("shard:\n", "part:\n"),
    );
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    assert_eq!(uids(&stack), before, "the objects are the same");
    let _ = run(&stack, &["plan", "--detailed-exitcode"]).exits(0);
    let _ = run(&stack, &["history"]).exits(0).says("sheave state mv note memo");
    let _ = run(&stack, &["events"]).exits(0).says("`note` is called `memo`");

    let _ = run(&stack, &["state", "mv", "memo", "keep"]).exits(1).says("state.occupied");
    let _ = run(&stack, &["state", "mv", "none", "some"]).exits(1).says("state.no-resource");
    let _ = run(&stack, &["destroy", "--yes"]).exits(0);
    assert_eq!(stack.names("configmaps,secrets"), Vec::<String>::new());
}

#[test]
fn what_is_forgotten_stays_where_it_is() {
    let stack = applied("rm");
    let before = uids(&stack);
    let _ = run(&stack, &["state", "rm", "shard"]).exits(1).says("cli.needs-yes");
    let mark = audit::mark();
    let _ = run(&stack, &["state", "rm", "shard", "--yes"]).exits(0).says("shard[0]").says("shard[1]");
    assert!(audit::requests_since(mark, &stack).is_empty(), "no cluster is asked");
    assert_eq!(listed(&stack), ["keep", "note"]);
    assert_eq!(uids(&stack), before);
    let _ = run(&stack, &["state", "rm", "shard", "--yes"]).exits(1).says("state.no-resource");
    // What the stack once made it takes back when it is asked to.
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    assert_eq!(uids(&stack), before);
    let _ = run(&stack, &["state", "rm", "note", "--yes"]).exits(0);
    let _ = run(&stack, &["destroy", "--yes"]).exits(0);
    assert_eq!(stack.names("configmaps,secrets"), ["ConfigMap/note"], "nobody's any more");
}

#[test]
fn a_live_run_is_not_amended_under_its_feet() {
    let stack = Stack::new("amendlock");
    stack.blueprint(&BLUEPRINT.replacen(
        "type: kubernetes:ConfigMap",
        "type: kubernetes:ConfigMap\n    ready-when: \"false\"",
        1,
    ));
    let mut waiting =
        stack.sheave(["apply", "--yes", "--json"]).env("SHEAVE_INPUT_password", PASSWORD).start();
    waiting.until("it waits", |out| out.stdout.contains("resource.waiting"));
    for args in [&["state", "mv", "note", "memo"][..], &["state", "rm", "note", "--yes"], &["refresh"]] {
        let _ = run(&stack, args).exits(3).says("state.locked");
    }
}
