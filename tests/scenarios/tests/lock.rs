//! One stack, two operators.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use sheave_testkit::{Output, Running, Stack};

/// The gate is ready once somebody opens it, so a run of it lasts as long as a test needs.
const BLUEPRINT: &str = r#"
blueprint: guarded
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins: {kubernetes: {}}
resources:
  gate:
    type: kubernetes:ConfigMap
    ready-when: self.metadata.annotations.open == "yes"
    properties: {data: {a: b}}
outputs: {gate: "${resources.gate.outputs.name}"}
"#;

fn open(stack: &Stack) {
    let _ = stack.kubectl(&["annotate", "configmap", "gate", "open=yes"]);
}

/// An apply that holds the lock and waits at the gate.
fn waiting(stack: &Stack) -> Running {
    stack.blueprint(BLUEPRINT);
    let mut run = stack.sheave(["apply", "--yes", "--json"]).start();
    run.until("waiting for the gate", |out: &Output| out.stdout.contains("resource.waiting"));
    run
}

#[test]
fn a_live_owner_is_named_and_left_alone() {
    let stack = Stack::new("lock");
    let run = waiting(&stack);
    for args in [["apply", "--yes"], ["destroy", "--yes"]] {
        let refused = stack.run(args).exits(3).says("state.locked");
        let said = refused.explained();
        assert!(said.contains(&format!("`sheave apply` (process {}", run.pid())), "who: {refused}");
        assert!(said.contains(" since 20"), "since when: {refused}");
    }
    let refused = stack.run(["apply", "--yes", "--json"]).exits(3);
    assert_eq!(refused.events().last().unwrap()["outcome"], "failed", "{refused}");
    // To look is allowed.
    let _ = stack.run(["plan"]).exits(0);
    let _ = stack.run(["state", "list"]).exits(0);
    open(&stack);
    let done = run.finish().exits(0);
    assert_eq!(done.events().last().unwrap()["outcome"], "ok", "{done}");
    let _ = stack.run(["apply", "--yes"]).exits(0).says("Nothing to do");
}

#[test]
fn a_dead_owners_lock_is_taken_over_at_once() {
    let stack = Stack::new("dead");
    let mut run = waiting(&stack);
    run.kill();
    assert!(run.finish().was_killed());
    open(&stack);
    let _ = stack.apply();
    assert_eq!(stack.run(["outputs", "gate"]).exits(0).stdout.trim(), "gate");
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn an_interrupted_run_lets_go_and_the_next_goes_on() {
    let stack = Stack::new("stop");
    let run = waiting(&stack);
    run.interrupt();
    let stopped = run.finish().exits(130);
    assert_eq!(stopped.events().last().unwrap()["outcome"], "cancelled", "{stopped}");
    open(&stack);
    let _ = stack.apply();
    assert_eq!(stack.run(["outputs", "gate"]).exits(0).stdout.trim(), "gate");
}

#[test]
fn a_lock_can_be_taken_away() {
    let stack = Stack::new("unlock");
    let run = waiting(&stack);
    let _ = stack.run(["state", "unlock", "--yes"]).exits(0).says("sheave apply");
    open(&stack);
    // Whoever lost it notices before it writes anything down.
    let _ = run.finish().exits(1).says("state.lock-lost");
    let _ = stack.apply();
}
