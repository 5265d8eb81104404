//! Custom resources: beside their definition in one plan and one apply, checked by it before any cluster knows the kind, and
//! ready when they say so.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::time::Duration;

use sheave_testkit::Stack;
use sheave_testkit::cluster::unique;

const HEAD: &str = "blueprint: custom\ntargets: {main: {kubernetes: {context: admin, namespace: \"@namespace@\"}}}\n\
                    plugins: {kubernetes: {}}\nresources:\n";

/// A definition of `KIND` in a group of the test's own.
fn definition(group: &str, scope: &str) -> String {
    format!(
        "  # Of the test alone, and it goes with it.
  kind:
    type: kubernetes:CustomResourceDefinition
    keep: false
    properties:
      metadata: {{name: widgets.{group}}}
      spec:
        group: {group}
        scope: {scope}
        names: {{kind: Widget, plural: widgets, singular: widget}}
        versions:
          - name: v1
            served: true
            storage: true
            subresources: {{status: {{}}}}
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec: {{type: object, required: [size], properties: {{size: {{type: integer, minimum: 1}}, colour: {{type: string}}}}}}
                  status: {{type: object, x-kubernetes-preserve-unknown-fields: true}}
"
    )
}

fn widget(group: &str, name: &str, spec: &str, more: &str) -> String {
    format!(
        "  {name}:\n    type: kubernetes:Object\n{more}    properties:\n      manifest: \
         {{apiVersion: {group}/v1, kind: Widget, metadata: {{name: {name}}}, spec: {spec}}}\n"
    )
}

fn group() -> String {
    format!("{}.sheave.test", unique("custom"))
}

#[test]
fn a_definition_and_its_resources_in_one_apply() {
    for scope in ["Namespaced", "Cluster"] {
        let group = group();
        let stack = Stack::new("one-apply");
        // The resource comes first in the text, and nothing says that it needs the other.
        let text = widget(&group, "a-widget", "{size: 3}", "") + &definition(&group, scope);
        stack.blueprint(&format!("{HEAD}{text}"));
        let plan = stack.plan();
        let planned =
            plan["resources"].as_array().unwrap().iter().find(|r| r["address"] == "a-widget").unwrap();
        let namespace = planned["objects"][0]["manifest"]["metadata"].get("namespace").is_some();
        assert_eq!(namespace, scope == "Namespaced", "{planned:#}");
        let _ = stack.apply();
        let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
        let found = stack.try_kubectl(&[
            "get",
            "-n",
            stack.namespace(),
            &format!("widgets.{group}"),
            "a-widget",
            "-o",
            "jsonpath={.spec.size}",
        ]);
        assert_eq!(found.stdout, "3", "{found}");
        let _ = stack.run(["destroy", "--yes"]).exits(0);
        let found = stack.try_kubectl(&["get", "crd", &format!("widgets.{group}")]);
        assert_ne!(found.code(), Some(0), "{found}");
    }
}

#[test]
fn a_fault_is_told_at_plan_by_the_definitions_own_schema() {
    let group = group();
    let stack = Stack::new("faulty");
    let text = definition(&group, "Namespaced") + &widget(&group, "odd", "{size: large, color: red}", "");
    stack.blueprint(&format!("{HEAD}{text}"));
    let plan = stack.run(["plan"]).exits(0);
    let said = format!("{}{}", plan.stdout, plan.stderr);
    for word in ["kubernetes.custom-resource", "/spec/size", "color"] {
        assert!(said.contains(word), "{word}: {plan}");
    }
    let run = stack.run(["apply", "--yes"]).exits(1);
    assert!(run.explained().contains("spec.color"), "the cluster has the last word: {run}");
    stack.blueprint(&format!(
        "{HEAD}{}",
        definition(&group, "Namespaced") + &widget(&group, "odd", "{size: 9}", "")
    ));
    let _ = stack.apply();
    let _ = stack.run(["destroy", "--yes"]).exits(0);
}

#[test]
fn ready_is_what_the_blueprint_says() {
    let group = group();
    let stack = Stack::new("ready-when");
    let ready = "    timeout: 2m\n    ready-when: ${has(self.status) && self.status.phase == 'Running'}\n";
    let text = definition(&group, "Namespaced") + &widget(&group, "slow", "{size: 1}", ready);
    stack.blueprint(&format!("{HEAD}{text}"));
    let mut run = stack.sheave(["apply", "--yes"]).limit(Duration::from_secs(150)).start();
    run.until("it waits", |said| said.stdout.contains("waiting for") && said.stdout.contains("phase"));
    let patch = ["patch", &format!("widgets.{group}"), "slow", "--subresource=status", "--type=merge"];
    let _ = stack.kubectl(&[&patch[..], &["-p", r#"{"status": {"phase": "Running"}}"#]].concat());
    let _ = run.finish().exits(0);
    let _ = stack.run(["destroy", "--yes"]).exits(0);
}

/// Definitions in the bundle: with [`FIELDS`], over a million bytes.
const DEFINITIONS: usize = 12;
/// Described fields of each.
const FIELDS: usize = 740;

/// As operators ship them: a file of definitions with long schemas, and a resource of each.
fn bundle(group: &str) -> (String, String) {
    let words = "What it is for, what it may hold and what follows from it, as the authors of such schemas write at length.";
    let (mut definitions, mut resources) = (String::new(), String::new());
    for n in 0..DEFINITIONS {
        let scope = if n % 4 == 0 { "Cluster" } else { "Namespaced" };
        definitions += &format!(
            "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: part{n}s.{group}\n\
             spec:\n  group: {group}\n  scope: {scope}\n  names: {{kind: Part{n}, plural: part{n}s, singular: part{n}}}\n  versions:\n  \
             - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        \
             properties:\n          spec:\n            type: object\n            required: [field0]\n            properties:\n"
        );
        for field in 0..FIELDS {
            definitions += &format!(
                "              field{field}: {{type: string, maxLength: 64, description: \"{words}\"}}\n"
            );
        }
        resources += &format!(
            "---\napiVersion: {group}/v1\nkind: Part{n}\nmetadata: {{name: the-part}}\nspec: {{field0: a, field7: b}}\n"
        );
    }
    (definitions, resources)
}

#[test]
fn a_bundle_of_a_million_bytes_and_resources_of_its_kinds_in_one_apply() {
    let group = group();
    let (definitions, resources) = bundle(&group);
    assert!(definitions.len() > 1_000_000, "{}", definitions.len());
    let stack = Stack::new("bundle");
    // One file, resources first, as a careless tool may write it.
    stack.write("bundle.yaml", resources + &definitions);
    stack.blueprint(&format!(
        "{HEAD}  parts: {{type: \"kubernetes:Manifests\", keep: false, properties: {{path: bundle.yaml}}}}\n"
    ));
    let _ = stack.sheave(["apply", "--yes"]).limit(Duration::from_secs(200)).run().exits(0);
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    let found =
        stack.kubectl(&["get", &format!("part1s.{group}"), "the-part", "-o", "jsonpath={.spec.field7}"]);
    assert_eq!(found.stdout, "b", "{found}");
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    let left = stack.try_kubectl(&["get", "crd", "-o", "name"]).exits(0);
    assert!(!left.stdout.contains(&group), "{left}");
}
