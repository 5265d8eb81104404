//! What was done, and going back to it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use serde_json::{Value, json};
use sheave_testkit::{Output, Secret, Stack};

const BLUEPRINT: &str = r#"
blueprint: past
inputs:
  word: {type: string, default: one}
  password: {type: string, secret: true}
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins: {kubernetes: {}}
resources:
  note: {type: "kubernetes:ConfigMap", properties: {data: {word: "${inputs.word}", line: "first"}}}
  keep: {type: "kubernetes:Secret", properties: {stringData: {password: "${inputs.password}"}}}
outputs: {word: "${inputs.word}"}
"#;

const PASSWORD: &str = "correct horse battery";

fn run(stack: &Stack, args: &[&str]) -> Output {
    stack.sheave(args.iter().copied()).env("SHEAVE_INPUT_password", PASSWORD).run()
}

fn data(stack: &Stack, kind: &str, name: &str) -> Option<Value> {
    stack.object(kind, name).map(|o| o["data"].clone())
}

/// Command and outcome of each run.
fn history(stack: &Stack) -> Vec<(String, String)> {
    let all = run(stack, &["history", "--json"]).exits(0).json();
    let text = |v: &Value| v.as_str().unwrap_or("none").to_owned();
    all["runs"].as_array().unwrap().iter().map(|r| (text(&r["command"]), text(&r["outcome"]))).collect()
}

/// Two runs: the second changed the note, and made one more.
fn changed(name: &str) -> Stack {
    let stack = Stack::new(name);
    stack.blueprint(BLUEPRINT);
    let _ = run(&stack, &["apply", "--yes", "--input", "word=two"]).exits(0);
    let more = "outputs:\n  extra: ${resources.extra.outputs.name}\n  ";
    let text = BLUEPRINT
        .replace("line: \"first\"", "line: \"second\"")
        .replace("outputs: {word: \"${inputs.word}\"}", "");
    let extra = "  extra: {type: \"kubernetes:ConfigMap\", properties: {data: {a: b}}}\n";
    stack.blueprint(&format!("{text}{extra}{more}"));
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    assert!(stack.object("configmap", "extra").is_some());
    stack
}

#[test]
fn an_earlier_run_is_carried_out_again() {
    let stack = changed("rollback");
    let secret = data(&stack, "secret", "keep");
    // Neither today's blueprint nor today's inputs count, nor is the blueprint's file needed.
    std::fs::remove_file(stack.project().join("blueprint.yaml")).unwrap();
    let back = run(&stack, &["rollback", "1", "--yes"]).exits(0);
    assert_eq!(data(&stack, "configmap", "note"), Some(json!({"word": "two", "line": "first"})), "{back}");
    assert_eq!(data(&stack, "configmap", "extra"), None, "what came later goes: {back}");
    assert_eq!(data(&stack, "secret", "keep"), secret);
    assert_eq!(run(&stack, &["outputs", "word"]).exits(0).stdout.trim(), "two");
    let expected = [("sheave apply", "ok"), ("sheave apply", "ok"), ("sheave rollback 1", "ok")];
    let said = history(&stack);
    assert_eq!(said.iter().map(|(c, o)| (c.as_str(), o.as_str())).collect::<Vec<_>>(), expected);
    // And forward again, named by the beginning of its id.
    let all = run(&stack, &["history", "--json"]).exits(0).json();
    let id = &all["runs"][1]["run"].as_str().unwrap()[..8];
    let _ = run(&stack, &["rollback", id, "--yes"]).exits(0);
    assert_eq!(data(&stack, "configmap", "note"), Some(json!({"word": "one", "line": "second"})));
    let _ = run(&stack, &["rollback", id, "--yes"]).exits(0).says("Nothing to do");
    assert_eq!(Secret::new(PASSWORD).search(stack.root()), []);
}

#[test]
fn secrets_are_asked_for_again() {
    let stack = changed("again");
    let before = data(&stack, "configmap", "note");
    let bare = stack.run(["rollback", "1", "--yes"]).exits(1);
    assert!(bare.explained().contains("`password`"), "{bare}");
    let other = stack.sheave(["rollback", "1", "--yes"]).env("SHEAVE_INPUT_password", "another one entirely");
    let other = other.run().exits(1).says("history.input-changed");
    assert!(other.explained().contains("SHEAVE_INPUT_name"), "{other}");
    assert_eq!(data(&stack, "configmap", "note"), before, "nothing was done");
}

#[test]
fn what_cannot_be_gone_back_to_is_told_before_anything_is_done() {
    let stack = changed("nowhere");
    let _ = run(&stack, &["rollback", "1"]).exits(1).says("cli.needs-yes");
    let _ = run(&stack, &["rollback", "7", "--yes"]).exits(1).says("history.no-run").says("1 to 2");
    let _ = run(&stack, &["destroy", "--yes"]).exits(0);
    let _ = run(&stack, &["rollback", "3", "--yes"]).exits(1).says("history.no-blueprint");
    let shown = run(&stack, &["history"]).exits(0).says("sheave destroy").says("3 deleted");
    assert!(shown.stdout.lines().count() > 5, "{shown}");
    // What was destroyed comes back.
    let _ = run(&stack, &["rollback", "1", "--yes", "--stack", "past"]).exits(0);
    assert_eq!(data(&stack, "configmap", "note"), Some(json!({"word": "two", "line": "first"})));
}

#[test]
fn a_run_that_was_killed_is_told_as_cut_off() {
    let stack = Stack::new("cutoff");
    stack.blueprint(&BLUEPRINT.replace(
        "  note: {type: \"kubernetes:ConfigMap\",",
        "  note: {type: \"kubernetes:ConfigMap\", ready-when: \"false\",",
    ));
    let mut waiting =
        stack.sheave(["apply", "--yes", "--json"]).env("SHEAVE_INPUT_password", PASSWORD).start();
    waiting.until("it waits", |out| out.stdout.contains("resource.waiting"));
    let all = run(&stack, &["history", "--json"]).exits(0).json();
    assert_eq!(
        (&all["runs"][0]["running"], &all["runs"][0]["outcome"]),
        (&json!(true), &Value::Null),
        "{all}"
    );
    waiting.kill();
    let _ = waiting.finish();
    stack.blueprint(BLUEPRINT);
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    let _ = run(&stack, &["history"]).exits(0).says("cut off");
}

#[test]
fn a_plugin_comes_back_as_it_was() {
    let stack = Stack::new("plugin");
    stack.guest("file");
    stack.folder("out");
    let text = |word: &str| {
        format!(
            "blueprint: cards\ntargets: {{main: {{kubernetes: {{context: admin, namespace: \"@namespace@\"}}}}}}\n\
             plugins:\n  file: {{source: guests/file.wasm, grants: {{filesystem: [{{path: ./out, access: write}}]}}}}\n\
             resources:\n  card: {{type: \"file:File\", properties: {{path: card.txt, content: {word}}}}}\n"
        )
    };
    let digest =
        || stack.run(["state", "show", "card", "--json"]).exits(0).json()["plugin"]["digest"].clone();
    stack.blueprint(&text("first"));
    let _ = stack.apply();
    let first = digest();
    // Another component of the same types: a custom section says nothing.
    let mut bytes = std::fs::read(stack.project().join("guests/file.wasm")).unwrap();
    bytes.extend([0, 2, 1, b'x']);
    stack.write("guests/file.wasm", bytes);
    stack.blueprint(&text("second"));
    let _ = stack.run(["apply", "--yes"]).exits(1).says("plugin.changed");
    let _ = stack.run(["plugin", "update"]).exits(0);
    let _ = stack.apply();
    assert_ne!(digest(), first);

    std::fs::remove_dir_all(stack.project().join("guests")).unwrap();
    let back = stack.run(["rollback", "1", "--yes"]).exits(0);
    assert!(!format!("{}{}", back.stdout, back.stderr).contains("history.other-plugin"), "{back}");
    assert_eq!(stack.read("out/card.txt").as_deref(), Some("first"));
    assert_eq!(digest(), first);
}

#[test]
fn a_module_comes_back_as_it_was() {
    let stack = Stack::new("module");
    let module = |word: &str| {
        let note =
            "{type: \"kubernetes:ConfigMap\", properties: {metadata: {name: note}, data: {word: WORD}}}";
        format!(
            "blueprint: part\nplugins: {{kubernetes: {{}}}}\nresources:\n  note: {}\n",
            note.replace("WORD", word)
        )
    };
    stack.blueprint(
        "blueprint: whole\ntargets: {main: {kubernetes: {context: admin, namespace: \"@namespace@\"}}}\n\
         plugins: {kubernetes: {}}\nresources:\n  part: {type: ./part}\n",
    );
    for word in ["first", "second"] {
        stack.write("part/blueprint.yaml", module(word));
        let _ = stack.apply();
    }
    std::fs::remove_dir_all(stack.project().join("part")).unwrap();
    let _ = stack.run(["rollback", "1", "--yes"]).exits(0);
    assert_eq!(data(&stack, "configmap", "note"), Some(json!({"word": "first"})));
}
