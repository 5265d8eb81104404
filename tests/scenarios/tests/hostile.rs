//! Plugins that loop, eat, trap, flood and lie: each harms its own resource, and nothing else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::time::Duration;

use serde_json::Value;
use sheave_testkit::Stack;

const HEAD: &str = r#"
blueprint: hostile
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins:
  kubernetes: {}
  rogue: {source: guests/rogue.wasm}
  vandal: {source: guests/vandal.wasm, grants: {filesystem: [{path: ./granted, access: write}]}}
resources:
  good: {type: "kubernetes:ConfigMap", properties: {data: {all: well}}}
"#;

/// No resource of a plugin that only computes may take longer than this, however many misbehave at once.
const PURE: Duration = Duration::from_secs(30);
/// A provider's call may take 30 s by itself.
const PROVIDER: Duration = Duration::from_secs(60);

/// What a run may hold in memory, whatever its plugins do.
const MEMORY: u64 = 512 << 20;

fn stack(name: &str, resources: &str) -> Stack {
    let stack = Stack::new(name);
    stack.guest("rogue");
    stack.guest("vandal");
    stack.folder("granted");
    stack.blueprint(&format!("{HEAD}{resources}"));
    stack
}

/// The codes of a resource's failures in a run's events.
fn codes(events: &[Value], address: &str) -> Vec<String> {
    let of = |e: &&Value| e["address"] == address || e["diagnostic"]["address"] == address;
    let codes = events.iter().filter(of).filter_map(|e| e["diagnostic"]["code"].as_str());
    codes.map(str::to_owned).collect()
}

#[test]
fn emitters_harm_themselves_only() {
    // Where the engine may notice one thing before another, both are right.
    let cases: &[(&str, &[&str])] = &[
        ("Loop", &["plugin.limit.fuel", "plugin.limit.time"]),
        ("Hog", &["plugin.limit.memory"]),
        ("Recurse", &["plugin.trap"]),
        ("Trap", &["plugin.trap"]),
        ("Panic", &["plugin.trap"]),
        ("Flood", &["plugin.limit.memory", "plugin.limit.reply"]),
        ("Deep", &["plugin.limit.depth"]),
        ("Garbage", &["plugin.bad-reply"]),
        ("Many", &["plugin.limit.objects"]),
        ("Twins", &["plugin.bad-reply"]),
        ("Nowhere", &["plugin.bad-reply"]),
        ("Dangling", &["plugin.bad-reply"]),
    ];
    let mut resources = String::new();
    for (name, _) in cases {
        resources.push_str(&format!("  {}: {{type: \"rogue:{name}\"}}\n", name.to_lowercase()));
    }
    resources.push_str("  logs: {type: \"rogue:Logs\"}\n  paint: {type: \"rogue:Paint\"}\n");
    let stack = stack("emitters", &resources);
    let run = stack.sheave(["apply", "--yes", "--json", "-v"]).limit(PURE).run().exits(1);
    let peak = run.peak_memory;
    assert!(peak > 0 && peak < MEMORY, "{} MiB at once", peak >> 20);
    let events = run.events();
    for (name, expected) in cases {
        let found = codes(&events, &name.to_lowercase());
        assert!(found.iter().any(|c| expected.contains(&c.as_str())), "{name}: {found:?}\n{run}");
        let said =
            run.stdout.lines().find(|l| l.contains(&name.to_lowercase()) && l.contains("plugin.")).unwrap();
        assert!(said.contains("rogue") && said.contains("help"), "{name}: who, and what can be done: {said}");
    }
    let mut made = stack.names("configmaps");
    made.retain(|n| !n.contains("applyset") && !n.contains("sheave"));
    assert_eq!(made, ["ConfigMap/good", "ConfigMap/logs-logs", "ConfigMap/paint-paint"], "{run}");
    assert!(
        !run.stderr.contains('\u{1b}') && !run.stdout.contains('\u{1b}'),
        "escape sequences are tamed: {run}"
    );
    assert!(!run.stderr.contains("\nsheave: all is well"), "a log line is one line: {run}");
    assert!(run.stderr.len() < 4 << 20, "a flood of log lines ends: {} bytes", run.stderr.len());

    // The next run has the same to say of them, and nothing to do for the others.
    let plan = stack.sheave(["plan", "--json"]).limit(PURE).run().exits(1);
    let last = plan.events().pop().unwrap();
    assert_eq!((&last["create"], &last["update"]), (&0.into(), &0.into()), "{last}");
    let text = stack.sheave(["plan"]).limit(PURE).run().exits(1);
    for word in ["plugin.limit.memory", "all is lost", "step_on_a_mine"] {
        assert!(text.stderr.contains(word), "{word}: {text}");
    }
}

#[test]
fn a_plugin_alone_is_named_before_any_cluster_is_asked() {
    for (name, code) in [("Trap", "plugin.trap"), ("Loop", "plugin.limit"), ("Hog", "plugin.limit.memory")] {
        let stack = stack("alone", &format!("  odd: {{type: \"rogue:{name}\"}}\n"));
        let run = stack.sheave(["plan"]).limit(PURE).run().exits(1);
        assert!(run.stderr.contains(code) && run.stderr.contains("rogue"), "{run}");
    }
}

#[test]
fn providers_harm_themselves_only() {
    let stack = stack(
        "providers",
        r#"
  note: {type: "vandal:Note", properties: {path: note.txt, text: all well}}
  half: {type: "vandal:Half"}
  escape: {type: "vandal:Escape"}
  ruin: {type: "vandal:Ruin"}
  sleep: {type: "vandal:Sleep"}
  spin: {type: "vandal:Spin"}
  after: {type: "kubernetes:ConfigMap", depends-on: [sleep], properties: {data: {a: b}}}
"#,
    );
    let run = stack.sheave(["apply", "--yes", "--json"]).limit(PROVIDER).run().exits(1);
    let events = run.events();
    for (address, code) in
        [("sleep", "plugin.limit.time"), ("spin", "plugin.limit.time"), ("after", "run.blocked")]
    {
        assert!(codes(&events, address).iter().any(|c| c == code), "{address}: {code} was expected\n{run}");
    }
    let ready: Vec<_> = events
        .iter()
        .filter(|e| e["type"] == "resource.ready")
        .filter_map(|e| e["address"].as_str())
        .collect();
    for address in ["good", "note", "half"] {
        assert!(ready.contains(&address), "{address} is not ready: {run}");
    }
    assert_eq!(stack.read("granted/note.txt").as_deref(), Some("all well"));
    assert!(stack.object("configmap", "after").is_none());
    let outside: Vec<_> =
        std::fs::read_dir(stack.project()).unwrap().map(|e| e.unwrap().file_name()).collect();
    let expected = [".sheave", "blueprint.yaml", "granted", "guests", "sheave.lock"];
    assert!(
        outside.iter().all(|n| expected.iter().any(|e| n == e)),
        "only its folder was written to: {outside:?}"
    );
    // What broke off in the middle is in doubt: shown, not forgotten.
    let listed = stack.run(["state", "list"]).exits(0).stdout;
    for address in ["sleep", "spin", "ruin"] {
        assert!(listed.lines().any(|l| l == address), "{address} is forgotten: {listed}");
    }
}
