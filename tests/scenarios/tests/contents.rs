//! What others have put into a stack's namespace, or made of its kinds: destroy says so, and leaves it unless told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use sheave_testkit::cluster::unique;
use sheave_testkit::{Output, Stack};

/// A stack that makes its own namespace, and a workload with pods in it.
fn stack(name: &str, keep: &str) -> Stack {
    let stack = Stack::without_namespace(name);
    stack.blueprint(&format!(
        r#"
blueprint: contents
targets: {{main: {{kubernetes: {{context: admin, namespace: "@namespace@"}}}}}}
plugins: {{kubernetes: {{}}}}
resources:
  space:
    type: kubernetes:Namespace
{keep}    properties: {{metadata: {{name: "@namespace@"}}}}
  web:
    type: kubernetes:StatefulSet
    properties:
      spec:
        serviceName: web
        replicas: 1
        selector: {{matchLabels: {{app: web}}}}
        template:
          metadata: {{labels: {{app: web}}}}
          spec: {{containers: [{{name: nginx, image: "nginx:1.29"}}]}}
        volumeClaimTemplates:
          - metadata: {{name: data}}
            spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Mi}}}}}}
  front: {{type: "kubernetes:Service", properties: {{spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}}}}}
"#
    ));
    stack
}

fn said(run: &Output) -> String {
    run.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_there(stack: &Stack, kind: &str, name: &str) -> bool {
    !stack.try_kubectl(&["get", kind, name, "--ignore-not-found", "-o", "name"]).exits(0).stdout.is_empty()
}

#[test]
fn a_namespace_that_holds_only_what_the_stack_made_goes() {
    let stack = stack("own", "");
    let _ = stack.apply();
    let plan = stack.run(["plan", "--destroy"]).exits(0);
    assert!(!said(&plan).contains("left where it is"), "{plan}");
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert!(!is_there(&stack, "namespace", stack.namespace()));
}

#[test]
fn a_namespace_that_holds_things_of_others_stays_and_they_are_named() {
    let stack = stack("others", "");
    let _ = stack.apply();
    let _ = stack.kubectl(&["create", "configmap", "theirs", "--from-literal=a=b"]);
    let _ = stack.kubectl(&["create", "deployment", "guest", "--image=nginx"]);

    let plan = said(&stack.run(["plan", "--destroy"]).exits(0));
    let space = stack.namespace();
    let all = format!(
        "left where it is, for what this stack did not make: Deployment {space}/guest, ConfigMap {space}/theirs"
    );
    assert!(plan.contains(&all) && plan.contains("`keep: false`"), "{plan}");

    let done = stack.run(["destroy", "--yes"]).exits(0);
    assert!(said(&done).contains("theirs"), "{done}");
    assert!(stack.object("configmap", "theirs").is_some() && stack.object("deployment", "guest").is_some());
    assert!(stack.object("statefulset", "web").is_none() && stack.object("service", "front").is_none());
    assert_eq!(stack.set_id(), None, "the inventory is gone");
    assert_eq!(stack.run(["state", "list"]).exits(0).stdout, "");
}

#[test]
fn with_keep_false_it_goes_with_all_that_it_holds_and_the_plan_names_it() {
    let stack = stack("told", "    keep: false\n");
    let _ = stack.apply();
    let _ = stack.kubectl(&["create", "configmap", "theirs", "--from-literal=a=b"]);
    let plan = said(&stack.run(["plan", "--destroy"]).exits(0));
    assert!(plan.contains("with it goes what this stack did not make: ConfigMap"), "{plan}");
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert!(!is_there(&stack, "namespace", stack.namespace()));
}

#[test]
fn what_comes_after_the_plan_stops_the_deletion() {
    let stack = stack("late", "");
    let _ = stack.apply();
    let _ = stack.run(["plan", "--destroy", "--out", "plan.json"]).exits(0);
    let _ = stack.kubectl(&["create", "configmap", "theirs", "--from-literal=a=b"]);
    let failed = stack.run(["apply", "plan.json", "--yes"]).exits(1).says("cluster.not-empty");
    let why = failed.explained();
    assert!(why.contains("theirs") && why.contains("keep: false"), "{why}");
    assert!(stack.object("configmap", "theirs").is_some());
    // The next one knows it from the start.
    let _ = stack.run(["destroy", "--yes"]).exits(0).says("left where it is");
}

#[test]
fn a_definition_stays_while_others_have_objects_of_its_kind() {
    let stack = Stack::new("kinds");
    let group = format!("{}.example.com", unique("g"));
    stack.blueprint(&format!(
        r#"
blueprint: kinds
targets: {{main: {{kubernetes: {{context: admin, namespace: "@namespace@"}}}}}}
plugins: {{kubernetes: {{}}}}
resources:
  widgets:
    type: kubernetes:CustomResourceDefinition
    properties:
      metadata: {{name: widgets.{group}}}
      spec:
        group: {group}
        scope: Namespaced
        names: {{plural: widgets, singular: widget, kind: Widget}}
        versions:
          - name: v1
            served: true
            storage: true
            schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
  own:
    type: kubernetes:Object
    properties: {{manifest: {{apiVersion: {group}/v1, kind: Widget, metadata: {{name: own}}}}}}
"#
    ));
    let _ = stack.apply();
    let theirs = format!("# theirs\n{{apiVersion: {group}/v1, kind: Widget, metadata: {{name: theirs}}}}");
    stack.write("theirs.yaml", theirs);
    let path = stack.project().join("theirs.yaml").display().to_string();
    let _ = stack.kubectl(&["create", "-f", &path]);

    let plan = said(&stack.run(["plan", "--destroy"]).exits(0));
    assert!(plan.contains(&format!("did not make: Widget {}/theirs", stack.namespace())), "{plan}");
    assert!(!plan.contains("/own,"), "{plan}");
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    let kind = format!("widgets.{group}");
    assert_eq!(stack.kubectl(&["get", &kind, "-o", "name"]).stdout.lines().count(), 1);
    let _ = stack.try_kubectl(&["delete", "customresourcedefinition", &kind]).exits(0);
}
