//! What happens outside: seen again, and taken in.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use serde_json::{Value, json};
use sheave_testkit::{Output, Stack, audit};

const BLUEPRINT: &str = r#"
blueprint: outside
inputs:
  password: {type: string, secret: true}
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins:
  kubernetes: {}
  file: {source: guests/file.wasm, grants: {filesystem: [{path: ./out, access: write}]}}
resources:
  web:
    type: kubernetes:Deployment
    force: true
    properties:
      spec:
        replicas: 2
        selector: {matchLabels: {app: web}}
        template:
          metadata: {labels: {app: web}}
          spec: {containers: [{name: nginx, image: "nginx:1.29"}]}
  keep: {type: "kubernetes:Secret", properties: {stringData: {password: "${inputs.password}"}}}
  card: {type: "file:File", properties: {path: card.txt, content: "hello"}}
outputs:
  size: ${resources.card.outputs.size}
  deployment: ${resources.web.outputs.name}
"#;

const PASSWORD: &str = "correct horse battery";

fn run(stack: &Stack, args: &[&str]) -> Output {
    stack.sheave(args.iter().copied()).env("SHEAVE_INPUT_password", PASSWORD).run()
}

fn stack(name: &str) -> Stack {
    let stack = Stack::new(name);
    stack.guest("file");
    stack.folder("out");
    stack.blueprint(BLUEPRINT);
    stack
}

fn planned(stack: &Stack) -> Vec<(String, String)> {
    let _ = run(stack, &["plan", "--out", "plan.json"]).exits(0);
    let plan: Value = serde_json::from_str(&stack.read("plan.json").unwrap()).unwrap();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let all = plan["resources"].as_array().unwrap().iter();
    all.map(|r| (text(&r["address"]), text(&r["action"]))).filter(|(_, a)| a != "noop").collect()
}

#[test]
fn a_refresh_sees_and_records_and_changes_nothing() {
    let stack = stack("refresh");
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    let quiet = run(&stack, &["refresh"]).exits(0).says("Nothing drifted");
    assert!(quiet.stdout.contains("outputs are as they were"), "{quiet}");

    let _ = stack.kubectl(&["scale", "deployment", "web", "--replicas", "3"]);
    stack.write("out/card.txt", "hello, you");
    let mark = audit::mark();
    let seen = run(&stack, &["refresh"]).exits(0).says("spec.replicas: 2 -> 3").says("size: 5 -> 10");
    assert!(audit::requests_since(mark, &stack).iter().all(|r| !r.is_mutating()), "{seen}");
    assert_eq!(stack.read("out/card.txt").as_deref(), Some("hello, you"));
    assert_eq!(stack.object("deployment", "web").unwrap()["spec"]["replicas"], 3);
    assert_eq!(run(&stack, &["outputs", "size"]).exits(0).stdout.trim(), "10");
    let _ = run(&stack, &["history"]).exits(0).says("sheave refresh");

    // What was seen is no excuse: it is still brought back.
    let changes = [("card".to_owned(), "update".to_owned()), ("web".to_owned(), "update".to_owned())];
    assert_eq!(planned(&stack), changes);
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    assert_eq!(stack.read("out/card.txt").as_deref(), Some("hello"));
    assert_eq!(run(&stack, &["outputs", "size"]).exits(0).stdout.trim(), "5");
}

#[test]
fn a_refresh_reaches_outputs_that_read_modules() {
    let stack = Stack::new("deep");
    stack.guest("file");
    stack.folder("out");
    let file = "file: {source: guests/file.wasm, grants: {filesystem: [{path: ./out, access: write}]}}";
    let head = "targets: {main: {kubernetes: {context: admin, namespace: \"@namespace@\"}}}";
    stack.blueprint(&format!(
        "blueprint: deep\n{head}\nplugins:\n  {file}\nresources:\n  \
         cards: {{type: ./cards, for-each: [a, b], inputs: {{name: \"${{each.value}}\"}}}}\n\
         outputs:\n  sizes: ${{resources.cards.map(c, c.outputs.size)}}\n"
    ));
    let card = "card: {type: \"file:File\", properties: {path: \"${inputs.name}.txt\", content: \"${inputs.name}\"}}";
    let module = "blueprint: cards\ninputs: {name: {type: string}}\nplugins: {file: {}}\nresources:\n  ";
    stack.write(
        "cards/blueprint.yaml",
        format!("{module}{card}\noutputs: {{size: \"${{resources.card.outputs.size}}\"}}\n"),
    );
    let _ = stack.apply();
    let sizes = || stack.run(["outputs", "--json"]).exits(0).json()["sizes"].clone();
    let before = sizes();
    stack.write("out/b.txt", "longer");
    let _ = stack.run(["refresh"]).exits(0).says("size");
    assert_ne!(sizes(), before);
    assert!(sizes().to_string().contains('6'), "{}", sizes());
    let _ = stack.run(["refresh"]).exits(0).says("outputs are as they were");
}

#[test]
fn what_is_gone_is_told_and_scripts_are_told_it_too() {
    let stack = stack("gone");
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    let _ = stack.kubectl(&["delete", "secret", "keep"]);
    std::fs::remove_file(stack.project().join("out/card.txt")).unwrap();
    let _ = run(&stack, &["refresh"]).exits(0).says("keep: Secret").says("card: it is gone");
    let events = run(&stack, &["refresh", "--json"]).exits(0).events();
    let gone: Vec<_> = events.iter().filter(|e| e["diagnostic"]["code"] == "drift.gone").collect();
    assert_eq!(gone.len(), 2, "{events:#?}");
    assert_eq!(events.last().unwrap()["type"], "run.finished");
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    assert!(stack.object("secret", "keep").is_some());
}

#[test]
fn what_exists_is_taken_in_and_the_next_plan_says_how_it_differs() {
    let stack = stack("import");
    let create = ["create", "deployment", "web", "--image", "nginx:1.28", "--replicas", "1"];
    let _ = stack.kubectl(&create);
    stack.write("out/card.txt", "theirs");
    let uid = stack.object("deployment", "web").unwrap()["metadata"]["uid"].clone();

    let mark = audit::mark();
    let id = format!("{}/web", stack.namespace());
    let _ = run(&stack, &["import", "web", &id]).exits(0).says("Deployment");
    let _ = run(&stack, &["import", "card", "card.txt"]).exits(0).says("card.txt");
    assert!(audit::requests_since(mark, &stack).iter().all(|r| !r.is_mutating()));
    assert_eq!(stack.read("out/card.txt").as_deref(), Some("theirs"));
    let listed = run(&stack, &["state", "list"]).exits(0).stdout;
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["card", "web"]);

    let shown = run(&stack, &["plan"]).exits(0).says("replicas: 1 -> 2").says("nginx:1.28 -> nginx:1.29");
    assert!(shown.stdout.contains("~ card") && shown.stdout.contains("+ keep"), "{shown}");
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    let web = stack.object("deployment", "web").unwrap();
    assert_eq!((&web["metadata"]["uid"], &web["spec"]["replicas"]), (&uid, &json!(2)), "the same one");
    assert_eq!(stack.read("out/card.txt").as_deref(), Some("hello"));
    let _ = run(&stack, &["plan", "--detailed-exitcode"]).exits(0);
    let _ = run(&stack, &["import", "web", &id]).exits(1).says("import.recorded");
    let _ = run(&stack, &["history"]).exits(0).says(&format!("sheave import web {id}"));
}

#[test]
fn what_cannot_be_taken_in_is_explained_and_nothing_is_recorded() {
    let stack = stack("refused");
    let _ = stack.kubectl(&["create", "deployment", "web", "--image", "nginx:1.28"]);
    let refusals = [
        (["web", "elsewhere/web"], "import.other-name"),
        (["web", "www"], "import.other-name"),
        (["keep", "keep"], "import.not-there"),
        (["card", "card.txt"], "import.not-there"),
        (["none", "x"], "import.no-resource"),
        (["web[2]", "web"], "import.no-resource"),
    ];
    for ([address, id], code) in refusals {
        let refused = run(&stack, &["import", address, id]).exits(1).says(code);
        assert!(refused.stderr.contains("help:"), "{refused}");
    }
    let _ = run(&stack, &["state", "list"]).exits(1).says("stack.none");
}
