//! A live stack, watched while it changes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use serde_json::Value;
use sheave_testkit::Stack;

const BLUEPRINT: &str = r#"
blueprint: watched
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins: {kubernetes: {}}
resources:
  note: {type: "kubernetes:ConfigMap", properties: {data: {a: b}}}
  web:
    type: kubernetes:Deployment
    wait: false
    properties:
      spec:
        selector: {matchLabels: {app: web}}
        template:
          metadata: {labels: {app: web, sheave.test/fail: image-pull}}
          spec: {containers: [{name: web, image: "nginx:1.29"}]}
"#;

#[test]
fn each_change_is_one_line_until_it_is_stopped() {
    let stack = Stack::new("watch");
    stack.blueprint(BLUEPRINT);
    let _ = stack.apply();
    let mut watch = stack.sheave(["status", "--watch"]).start();
    watch.until("the first look", |out| out.stdout.contains("note: ready\n"));
    // Why a workload is not ready its pods say.
    watch.until("the reason", |out| out.stdout.contains("ImagePullBackOff"));
    let _ = stack.kubectl(&["delete", "configmap", "note"]);
    watch.until("the change", |out| out.stdout.contains("note: not ready: ConfigMap"));
    watch.interrupt();
    let said = watch.finish().exits(130);
    assert_eq!(said.stdout.matches("note: ready\n").count(), 1, "once: {said}");
    assert!(!said.stdout.contains('\u{1b}'), "no drawing in a pipe: {said}");
}

#[test]
fn scripts_get_a_document_a_line() {
    let stack = Stack::new("watchjson");
    stack.blueprint(BLUEPRINT);
    let _ = stack.apply();
    let mut watch = stack.sheave(["status", "--watch", "--json"]).start();
    watch.until("both", |out| out.stdout.lines().count() >= 2);
    watch.interrupt();
    let said = watch.finish().exits(130);
    let first: Value = serde_json::from_str(said.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&first["address"], &first["ready"]), (&Value::from("note"), &Value::from(true)), "{said}");
}

#[test]
fn a_stack_that_is_not_there_is_a_fault() {
    let stack = Stack::without_namespace("nobody");
    stack.blueprint(BLUEPRINT);
    let _ = stack.run(["status", "--watch"]).exits(1).says("stack.none");
}
