//! `sheave.lock`: taken in at first use, held against what comes later, and changed by nobody but who says so.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use serde_json::{Value, json};
use sheave_model::manifest::{PluginManifest, SECTION};
use sheave_testkit::Stack;

const BLUEPRINT: &str = "
blueprint: cards
plugins:
  # Ours.
  file:
    source: guests/file.wasm
    grants: {filesystem: [{path: ./out, access: write}]}
resources:
  card: {type: \"file:File\", properties: {path: card.txt, content: hello}}
";

fn stack(name: &str) -> Stack {
    let stack = Stack::without_namespace(name);
    stack.guest("file");
    stack.folder("out");
    stack.blueprint(BLUEPRINT);
    stack
}

/// The guest as another version of itself: other bytes, and another manifest.
fn another(stack: &Stack, change: impl FnOnce(&mut PluginManifest)) {
    let path = stack.project().join("guests/file.wasm");
    let bytes = std::fs::read(&path).unwrap();
    let name = bytes.windows(SECTION.len()).rposition(|w| w == SECTION.as_bytes()).unwrap();
    let mut manifest = PluginManifest::read(&bytes[name + SECTION.len()..]).unwrap();
    let section = manifest.section().unwrap();
    let plain = bytes.strip_suffix(section.as_slice()).unwrap();
    change(&mut manifest);
    std::fs::write(path, [plain, &manifest.section().unwrap()].concat()).unwrap();
}

fn next(manifest: &mut PluginManifest) {
    manifest.version.minor += 1;
}

fn lock(stack: &Stack) -> Value {
    serde_json::from_str(&stack.read("sheave.lock").unwrap()).unwrap()
}

#[test]
fn first_use_is_written_down_and_said_and_then_held() {
    let stack = stack("first-use");
    let _ = stack.run(["validate"]).exits(0);
    assert!(stack.read("sheave.lock").is_none(), "looking takes nothing in");
    let _ = stack.run(["plan", "--locked"]).exits(1).says("plugin.not-locked");
    assert!(stack.read("sheave.lock").is_none());
    let _ = stack.run(["plan"]).exits(0).says("the plugin `file` 0.1.0 stands in sheave.lock from now on");
    let written = lock(&stack);
    let entry = &written["plugins"]["file"];
    assert_eq!((&entry["source"], &entry["version"]), (&json!("guests/file.wasm"), &json!("0.1.0")));
    assert_eq!(entry["asks"]["filesystem"][0]["access"], "write");
    assert!(entry["types"]["File"].is_string(), "{written}");
    let before = stack.read("sheave.lock");
    let again = stack.run(["apply", "--yes", "--locked"]).exits(0);
    assert!(!again.stderr.contains("from now on"), "{again}");
    assert_eq!(stack.read("sheave.lock"), before);
}

#[test]
fn another_component_is_refused_until_it_is_taken_in() {
    let stack = stack("another");
    let _ = stack.apply();
    another(&stack, next);
    for command in [&["plan"][..], &["apply", "--yes"], &["plan", "--locked"], &["types"], &["validate"]] {
        let refused = stack.run(command.iter().copied()).exits(1);
        assert!(refused.stderr.contains("plugin.changed"), "{refused}");
        assert!(refused.stderr.contains("sheave plugin update file"), "{refused}");
    }
    let updated = stack.run(["plugin", "update", "file"]).exits(0);
    assert!(updated.stdout.contains("file 0.1.0 -> 0.2.0"), "{updated}");
    let _ = stack.run(["plan", "--locked"]).exits(0);
    assert!(stack.run(["plugin", "update"]).exits(0).stdout.contains("as before"));
    // What is recorded goes by the copy in the state, whatever stands in its place.
    another(&stack, next);
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert!(stack.read("out/card.txt").is_none());
}

#[test]
fn who_asks_for_more_waits_for_somebody_to_accept_it() {
    let stack = stack("more");
    let _ = stack.apply();
    let before = stack.read("sheave.lock");
    another(&stack, |manifest| {
        next(manifest);
        manifest.asks = serde_json::from_value(json!({
            "filesystem": [{"access": "write", "why": "files"}],
            "http": [{"host": "*.example.com", "why": "to tell somebody"}],
        }))
        .unwrap();
    });
    let refused = stack.run(["apply", "--yes"]).exits(1);
    for word in ["plugin.asks-more", "+ speak HTTP with `*.example.com`", "sheave plugin update file"] {
        assert!(refused.stderr.contains(word), "{word}: {refused}");
    }
    let kept = stack.run(["plugin", "update"]).exits(1);
    assert!(kept.stdout.contains("+ asks to speak HTTP with `*.example.com`"), "{kept}");
    assert!(kept.stderr.contains("plugin.asks-more"), "{kept}");
    assert_eq!(stack.read("sheave.lock"), before);
    let _ = stack.run(["plugin", "update", "file", "--accept"]).exits(0);
    assert_eq!(lock(&stack)["plugins"]["file"]["asks"]["http"][0]["host"], "*.example.com");
    let _ = stack.run(["apply", "--yes", "--locked"]).exits(0);
    // Less is no more than another component.
    another(&stack, |manifest| {
        next(manifest);
        manifest.asks.http.clear();
    });
    let _ = stack.run(["plan"]).exits(1).says("plugin.changed");
    let less = stack.run(["plugin", "update"]).exits(0);
    assert!(less.stdout.contains("- no longer asks to speak HTTP"), "{less}");
}

#[test]
fn a_lock_that_cannot_be_read_stops_everything_that_loads_plugins() {
    let stack = stack("broken");
    stack.write("sheave.lock", "{\"version\": 1");
    let _ = stack.run(["plan"]).exits(1).says("plugin.lock-unreadable");
}

#[test]
fn a_plugin_is_added_with_a_line_and_inspected_by_name_and_by_file() {
    let stack = stack("add");
    stack.blueprint("blueprint: cards  # mine\n\n# All of it\nresources: {}\n");
    let added = stack.run(["plugin", "add", "guests/file.wasm", "--name", "files"]).exits(0);
    assert!(added.stdout.contains("read and write the folder"), "{added}");
    assert_eq!(
        stack.read("blueprint.yaml").unwrap(),
        "blueprint: cards  # mine\n\nplugins:\n  files:\n    source: ./guests/file.wasm\n\n# All of it\nresources: {}\n"
    );
    assert_eq!(lock(&stack)["plugins"]["files"]["source"], "./guests/file.wasm");
    let _ = stack
        .run(["plugin", "add", "guests/file.wasm", "--name", "files"])
        .exits(1)
        .says("plugin.name-taken");
    let _ = stack.run(["plan", "--locked"]).exits(0);
    let shown = stack.run(["plugin", "inspect", "files"]).exits(0);
    for word in [
        "files 0.1.0",
        "File",
        "provides",
        "stands in sheave.lock",
        "is not granted",
        "the files that resources stand for",
    ] {
        assert!(shown.stdout.contains(word), "{word}: {shown}");
    }
    let file = stack.run(["plugin", "inspect", "./guests/file.wasm", "--json"]).exits(0).json();
    assert_eq!((&file["name"], &file["granted"]), (&json!("file"), &Value::Null));
    assert_eq!(file["types"][0]["name"], "File");
    let builtin = stack.run(["plugin", "inspect", "kubernetes"]).exits(0);
    assert!(builtin.stdout.contains("Deployment") && builtin.stdout.contains("builtin"), "{builtin}");
    let _ = stack.run(["plugin", "inspect", "filse"]).exits(1).says("did you mean `files`?");
    // Where a line cannot be added safely it is said which one.
    stack.blueprint("{blueprint: cards, resources: {}}\n");
    let told = stack.run(["plugin", "add", "guests/file.wasm"]).exits(0);
    assert!(told.stdout.contains("source: ./guests/file.wasm"), "{told}");
}
