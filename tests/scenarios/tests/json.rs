//! `--json`: a stable interface for scripts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use serde_json::Value;
use sheave_testkit::{Output, Secret, Stack};

const BLUEPRINT: &str = r#"
blueprint: lines
inputs:
  password: {type: string, secret: true}
  type: {type: string, default: Opaque}
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins:
  kubernetes: {}
  counter: {source: guests/counter.wasm, grants: {filesystem: [{path: ./granted, access: write}]}}
resources:
  note: {type: "kubernetes:ConfigMap", properties: {data: {a: b}}}
  keep: {type: "kubernetes:Secret", properties: {type: "${inputs.type}", stringData: {password: "${inputs.password}"}}}
  thing: {type: "counter:Thing", properties: {of: "${resources.note.outputs.uid}"}}
outputs: {password: "${inputs.password}"}
"#;

const PASSWORD: &str = "correct \"horse\" battery";

/// The types of events that there are.
const TYPES: [&str; 10] = [
    "resource.planned",
    "resource.started",
    "resource.waiting",
    "resource.ready",
    "resource.failed",
    "resource.deleted",
    "object.applied",
    "object.deleted",
    "diagnostic",
    "run.finished",
];

fn stack(name: &str, blueprint: &str) -> Stack {
    let stack = Stack::new(name);
    stack.guest("counter");
    stack.folder("granted");
    stack.blueprint(blueprint);
    stack
}

/// Runs with `--json`, and sees to it that the lines are as promised.
fn run(stack: &Stack, args: &[&str], code: i32) -> (Vec<Value>, Output) {
    let call = stack.sheave(args.iter().copied().chain(["--json"])).env("SHEAVE_INPUT_password", PASSWORD);
    let output = call.run().exits(code);
    let events = output.events();
    for event in &events {
        for key in ["at", "stack", "type"] {
            assert!(event[key].is_string(), "`{key}` is missing in {event}\n{output}");
        }
        let (kind, at) = (event["type"].as_str().unwrap(), event["at"].as_str().unwrap());
        assert!(TYPES.contains(&kind), "{event}");
        assert!(at.starts_with("20") && at.contains('T') && at.ends_with('Z'), "RFC 3339: {event}");
        let addressed = kind.starts_with("resource.") || kind.starts_with("object.");
        assert_eq!(event["address"].is_string(), addressed, "{event}");
    }
    let finished = events.iter().filter(|e| e["type"] == "run.finished").count();
    let last = events.last().unwrap();
    assert_eq!((finished, &last["type"]), (1, &"run.finished".into()), "the last line, and once: {output}");
    for count in ["create", "update", "delete", "unchanged", "failed", "millis"] {
        assert!(last[count].is_u64(), "`{count}` is missing in {last}");
    }
    assert!(
        args[0] != "apply" || output.stderr.is_empty() || code != 0,
        "nothing to say beside it: {output}"
    );
    Secret::new(PASSWORD).must_not_be_in(&output.shown, &output.stdout);
    Secret::new(PASSWORD).must_not_be_in(&output.shown, &output.stderr);
    (events, output)
}

/// Outcome and counts of the last line: create, update, delete, unchanged, failed.
fn last(events: &[Value]) -> (String, [u64; 5]) {
    let last = events.last().unwrap();
    let counts = ["create", "update", "delete", "unchanged", "failed"].map(|k| last[k].as_u64().unwrap());
    (last["outcome"].as_str().unwrap().to_owned(), counts)
}

fn ok(counts: [u64; 5]) -> (String, [u64; 5]) {
    ("ok".to_owned(), counts)
}

fn of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a str> {
    let mut found: Vec<_> =
        events.iter().filter(|e| e["type"] == kind).map(|e| e["address"].as_str().unwrap()).collect();
    found.sort_unstable();
    found
}

#[test]
fn a_stacks_life_in_events() {
    let stack = stack("json", BLUEPRINT);
    let all = ["keep", "note", "thing"];

    let (events, _) = run(&stack, &["plan"], 0);
    assert_eq!(last(&events), ok([3, 0, 0, 0, 0]));
    assert_eq!(of(&events, "resource.planned"), all);
    let planned = events.iter().find(|e| e["address"] == "note").unwrap();
    assert_eq!(planned["action"], "create");
    assert_eq!(planned["objects"][0]["object"]["kind"], "ConfigMap");
    assert_eq!(events.last().unwrap()["stack"], "lines");

    let (events, _) = run(&stack, &["apply", "--yes"], 0);
    assert_eq!(last(&events), ok([3, 0, 0, 0, 0]));
    for kind in ["resource.planned", "resource.started", "resource.ready"] {
        assert_eq!(of(&events, kind), all, "{kind}");
    }
    assert_eq!(of(&events, "object.applied"), ["keep", "note"]);
    assert!(events.iter().filter(|e| e["type"] == "object.applied").all(|e| e["created"] == true));

    let (events, _) = run(&stack, &["apply", "--yes"], 0);
    assert_eq!(last(&events), ok([0, 0, 0, 3, 0]));
    assert_eq!(of(&events, "object.applied"), Vec::<&str>::new());

    // What is kept of it can be read again.
    let kept = stack.run(["events", "--json"]).exits(0).events();
    assert_eq!(of(&kept, "resource.ready"), all);
    assert!(kept.iter().any(|e| e["type"] == "run.finished"), "{kept:#?}");

    stack.blueprint(&BLUEPRINT.replace("{a: b}", "{a: c}"));
    let (events, _) = run(&stack, &["plan", "--detailed-exitcode"], 2);
    assert_eq!(last(&events), ok([0, 1, 0, 2, 0]));
    let (events, _) = run(&stack, &["apply", "--yes"], 0);
    assert_eq!(last(&events), ok([0, 1, 0, 2, 0]));

    let (events, _) = run(&stack, &["destroy", "--yes"], 0);
    assert_eq!(last(&events), ok([0, 0, 3, 0, 0]));
    assert_eq!(of(&events, "resource.deleted"), all);
    assert_eq!(of(&events, "object.deleted"), ["keep", "note"]);
}

#[test]
fn failures_are_events() {
    // The API server refuses the type of Secret, which wants other keys.
    let stack = stack("failed", &BLUEPRINT.replace("default: Opaque", "default: kubernetes.io/tls"));
    let (events, output) = run(&stack, &["apply", "--yes"], 1);
    assert_eq!(last(&events), ("failed".to_owned(), [2, 0, 0, 0, 1]), "{output}");
    assert_eq!(of(&events, "resource.failed"), ["keep"]);
    assert_eq!(of(&events, "resource.ready"), ["note", "thing"]);
    let failed = events.iter().find(|e| e["type"] == "resource.failed").unwrap();
    assert_eq!(failed["diagnostic"]["severity"], "error");
    assert!(failed["diagnostic"]["code"].as_str().unwrap().contains('.'), "{failed}");
}

#[test]
fn what_cannot_begin_ends_with_a_last_line_too() {
    let stack = stack("refused", &BLUEPRINT.replace("data: {a: b}", "dta: {a: b}"));
    for args in [&["validate"][..], &["plan"], &["apply", "--yes"]] {
        let (events, output) = run(&stack, args, 1);
        assert_eq!(last(&events).0, "failed");
        assert!(events.iter().all(|e| e["stack"] == "lines"), "by the blueprint: {output}");
        let diagnostics: Vec<_> = events.iter().filter(|e| e["type"] == "diagnostic").collect();
        assert!(
            diagnostics.iter().any(|e| e["diagnostic"]["help"].as_str().unwrap_or("").contains("data")),
            "{output}"
        );
    }
    // Nobody can be asked where the output is for a script.
    stack.blueprint(BLUEPRINT);
    let (events, _) = run(&stack, &["apply"], 1);
    assert_eq!(last(&events).0, "failed");
    assert_eq!(stack.names("configmaps,secrets"), Vec::<String>::new());

    // Whose run it was is said wherever something says it, and left out elsewhere.
    stack.blueprint(&BLUEPRINT.replace("resources:", "resorces: {}\nresources:"));
    for (args, name) in [(&["plan"][..], "lines"), (&["plan", "--stack", "other"], "other")] {
        let (events, output) = run(&stack, args, 1);
        assert!(events.iter().all(|e| e["stack"] == name), "{output}");
    }
    stack.blueprint("[]\n");
    let events = stack.run(["plan", "--json"]).exits(1).events();
    assert!(events.iter().all(|e| e.get("stack").is_none()), "{events:#?}");
}
