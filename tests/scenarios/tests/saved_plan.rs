//! Plans that were saved, reviewed, and carried out later.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use sheave_testkit::{Output, Secret, Stack};

const BLUEPRINT: &str = r#"
blueprint: saved
inputs:
  word: {type: string, default: one}
  password: {type: string, secret: true}
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins: {kubernetes: {}}
resources:
  note: {type: "kubernetes:ConfigMap", properties: {data: {word: "${inputs.word}"}}}
  keep: {type: "kubernetes:Secret", properties: {stringData: {password: "${inputs.password}"}}}
outputs: {word: "${inputs.word}"}
"#;

const PASSWORD: &str = "correct horse battery";

fn stack(name: &str) -> Stack {
    let stack = Stack::new(name);
    stack.blueprint(BLUEPRINT);
    stack
}

fn run(stack: &Stack, args: &[&str]) -> Output {
    stack.sheave(args.iter().copied()).env("SHEAVE_INPUT_password", PASSWORD).run()
}

fn word(stack: &Stack) -> String {
    stack.object("configmap", "note").unwrap()["data"]["word"].as_str().unwrap().to_owned()
}

#[test]
fn a_saved_plan_is_carried_out_as_it_stands() {
    let stack = stack("saved");
    let _ = run(&stack, &["plan", "--out", "plan.json", "--input", "word=two"]).exits(0).says("plan.json");
    let path = stack.project().join("plan.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "for its owner only");
    assert_eq!(Secret::new(PASSWORD).search(stack.root()), []);
    // It is the plan that counts, not what the blueprint says by now, and nobody is asked.
    stack.blueprint(&BLUEPRINT.replace("${inputs.word}", "changed since"));
    let _ = run(&stack, &["apply", "plan.json"]).exits(0);
    assert_eq!(word(&stack), "two");
    assert_eq!(run(&stack, &["outputs", "word"]).exits(0).stdout.trim(), "two");
    stack.blueprint(BLUEPRINT);
    let _ = run(&stack, &["plan", "--detailed-exitcode", "--input", "word=two"]).exits(0);
}

#[test]
fn a_plan_of_another_state_is_refused() {
    let stack = stack("stale");
    let _ = run(&stack, &["plan", "--out", "plan.json", "--input", "word=two"]).exits(0);
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    let refused = run(&stack, &["apply", "plan.json"]).exits(1).says("plan.stale");
    assert!(refused.stderr.contains("plan again"), "{refused}");
    assert_eq!(word(&stack), "one");
    // Applied, it is of another state, too.
    let _ = run(&stack, &["plan", "--out", "plan.json", "--input", "word=two"]).exits(0);
    let _ = run(&stack, &["apply", "plan.json"]).exits(0);
    let _ = run(&stack, &["apply", "plan.json"]).exits(1).says("plan.stale");
}

#[test]
fn secret_inputs_are_asked_for_again() {
    let stack = stack("again");
    let _ = run(&stack, &["plan", "--out", "plan.json"]).exits(0);
    let missing = stack.run(["apply", "plan.json"]).exits(1).says("password");
    assert!(missing.stderr.contains("blueprint.input-missing"), "{missing}");
    let other = stack.sheave(["apply", "plan.json"]).env("SHEAVE_INPUT_password", "another one").run();
    let other = other.exits(1).says("plan.input-changed").says("password");
    assert!(!other.stderr.contains(PASSWORD) && !other.stderr.contains("another one"), "{other}");
    assert_eq!(stack.names("configmaps,secrets"), Vec::<String>::new(), "nothing was done");
    let _ = run(&stack, &["apply", "plan.json"]).exits(0);
}

#[test]
fn a_plan_to_destroy_can_be_saved() {
    let stack = stack("bye");
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    let _ = run(&stack, &["plan", "--destroy", "--out", "plan.json"]).exits(0);
    assert_eq!(stack.names("secrets"), ["Secret/keep"]);
    let _ = stack.run(["apply", "plan.json"]).exits(0);
    assert_eq!(stack.names("configmaps,secrets"), Vec::<String>::new());
}

#[test]
fn what_is_no_plan_is_refused() {
    let stack = stack("noplan");
    let _ = run(&stack, &["plan", "--out", "plan.json"]).exits(0);
    let text = stack.read("plan.json").unwrap();
    let newer = text.replacen("\"format\":1", "\"format\":99", 1);
    assert_ne!(text, newer);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: [(&str, &str); 5] = [
        (&text[..text.len() / 2], "cli.plan-unreadable"),
        (&newer, "cli.plan-format"),
        (&deep, "cli.plan-unreadable"),
        ("\0\u{fffd}", "cli.plan-unreadable"),
        (BLUEPRINT, "cli.plan-unreadable"),
    ];
    for (content, code) in cases {
        stack.write("odd.json", content);
        let _ = run(&stack, &["apply", "odd.json"]).exits(1).says(code);
    }
    let _ = run(&stack, &["apply", "absent.json"]).exits(1).says("cli.plan-unreadable");
    assert_eq!(stack.names("configmaps,secrets"), Vec::<String>::new(), "nothing was done");
}

const LOOKING: &str = r#"
blueprint: looking
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins:
  rogue: {source: guests/rogue.wasm, grants: {read: [{kinds: [ConfigMap, Secret]}]}}
resources:
  map: {type: "rogue:Seen", properties: {lookup: {apiVersion: v1, kind: ConfigMap, name: there}}}
  key: {type: "rogue:Seen", properties: {lookup: {apiVersion: v1, kind: Secret, name: key}}}
  none: {type: "rogue:Seen", properties: {lookup: {apiVersion: v1, kind: ConfigMap, name: later}}}
"#;

#[test]
fn what_a_plugin_looked_up_is_what_it_sees_when_the_plan_is_carried_out() {
    let stack = Stack::new("looking");
    stack.guest("rogue");
    stack.blueprint(LOOKING);
    let _ = stack.kubectl(&["create", "configmap", "there", "--from-literal=word=one"]);
    let _ = stack.kubectl(&["create", "secret", "generic", "key", "--from-literal=word=hidden-treasure"]);
    let _ = stack.run(["plan", "--out", "plan.json"]).exits(0);
    let plan: serde_json::Value = serde_json::from_str(&stack.read("plan.json").unwrap()).unwrap();
    assert_eq!(plan["found"]["map"][0]["body"]["data"]["word"], "one");
    assert_eq!(plan["found"]["none"][0]["body"], serde_json::Value::Null);
    let _ = stack.kubectl(&["patch", "configmap", "there", "-p", r#"{"data": {"word": "two"}}"#]);
    let _ = stack.kubectl(&["create", "configmap", "later", "--from-literal=word=three"]);
    let _ = stack.run(["apply", "plan.json"]).exits(0);
    let seen = |name: &str| {
        let text = stack.object("configmap", name).unwrap()["data"]["seen"].as_str().unwrap().to_owned();
        assert!(!text.contains("two") && !text.contains("three"), "what is there now: {text}");
        text
    };
    assert!(seen("map-seen").contains("\"word\":\"one\""), "{}", seen("map-seen"));
    assert!(seen("key-seen").contains("(sensitive)"), "{}", seen("key-seen"));
    assert_eq!(seen("none-seen"), "nothing");
    assert_eq!(Secret::new("hidden-treasure").search(stack.root()), []);
    // The next plan looks again.
    let shown = stack.run(["plan", "--detailed-exitcode"]).exits(2);
    assert!(shown.stdout.contains("~ map") && shown.stdout.contains("~ none"), "{shown}");
    let _ = stack.apply();
    assert!(stack.object("configmap", "map-seen").unwrap().to_string().contains("two"));
}
