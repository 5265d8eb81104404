//! Fields that others own, too: taken over from client-side apply, seen as drift, in conflict, taken back, shared.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use serde_json::{Value, json};
use sheave_testkit::{Output, Stack};

/// A stack of one ConfigMap `page`; `more` are further keys of the resource, `data` is its data.
fn stack(name: &str, more: &str, data: &str) -> Stack {
    let stack = Stack::new(name);
    write(&stack, more, data);
    stack
}

fn write(stack: &Stack, more: &str, data: &str) {
    stack.blueprint(&format!(
        "blueprint: managers\ntargets: {{main: {{kubernetes: {{context: admin, namespace: \"@namespace@\"}}}}}}\n\
         plugins: {{kubernetes: {{}}}}\nresources:\n  page:\n    type: kubernetes:ConfigMap\n{more}    \
         properties: {{data: {data}}}\n"
    ));
}

/// What `kubectl apply` does with a ConfigMap `page`.
fn kubectl_apply(stack: &Stack, how: &[&str], data: &Value) -> Output {
    let name = json!({"name": "page", "namespace": stack.namespace()});
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": data});
    stack.write("theirs.json", object.to_string());
    let path = stack.project().join("theirs.json").display().to_string();
    stack.kubectl(&[&["apply", "-f", &path], how].concat())
}

fn data(stack: &Stack) -> Value {
    stack.object("configmap", "page").unwrap()["data"].clone()
}

/// Who owns a field of `page`'s data, each as `manager/operation`.
fn owners(stack: &Stack, key: &str) -> Vec<String> {
    let page = stack.kubectl(&["get", "configmap", "page", "-o", "json", "--show-managed-fields"]).json();
    let entries = page["metadata"]["managedFields"].as_array().unwrap().iter();
    let own = entries.filter(|e| e["fieldsV1"]["f:data"].get(format!("f:{key}")).is_some());
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let mut names: Vec<_> =
        own.map(|e| format!("{}/{}", text(&e["manager"]), text(&e["operation"]))).collect();
    names.sort();
    names
}

const BY: [&str; 2] = ["--server-side", "--field-manager=other"];
const BY_FORCE: [&str; 3] = ["--server-side", "--field-manager=other", "--force-conflicts"];

#[test]
fn what_client_side_apply_set_goes_when_it_is_adopted_without() {
    let stack = stack("adopted", "    adopt: true\n", "{mode: production}");
    let _ = kubectl_apply(&stack, &[], &json!({"mode": "test", "debug": "full"}));

    let plan = stack.run(["plan", "--detailed-exitcode"]).exits(2);
    let plan = plan.says("- data.debug: full").says("data.mode: test -> production");
    let plan = plan.says("the fields of `kubectl-client-side-apply` are taken over");
    assert!(!plan.stdout.contains("conflicts"), "{plan}");

    let _ = stack.apply();
    assert_eq!(data(&stack), json!({"mode": "production"}));
    let page = stack.object("configmap", "page").unwrap();
    assert_eq!(page["metadata"].get("annotations"), None, "the copy of what was applied goes, too");
    assert_eq!(owners(&stack, "mode"), ["sheave/Apply"]);
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn the_copy_that_client_side_apply_keeps_of_a_secret_is_not_shown() {
    let stack = Stack::new("secret");
    let name = json!({"name": "key", "namespace": stack.namespace()});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": name, "stringData": {"k": "sesame", "old": "open"}});
    stack.write("theirs.json", secret.to_string());
    let path = stack.project().join("theirs.json").display().to_string();
    let _ = stack.kubectl(&["apply", "-f", &path]);
    stack.blueprint(
        "blueprint: managers\ntargets: {main: {kubernetes: {context: admin, namespace: \"@namespace@\"}}}\n\
         plugins: {kubernetes: {}}\nresources:\n  key: {type: \"kubernetes:Secret\", adopt: true}\n",
    );
    let plan = stack.run(["plan"]).exits(0).says("taken over");
    assert!(!plan.stdout.contains("sesame") && !plan.stdout.contains("c2VzYW1l"), "{plan}");
    let _ = stack.apply();
    assert_eq!(stack.object("secret", "key").unwrap().get("data"), None);
}

#[test]
fn the_same_of_an_import_and_only_of_who_applies_from_the_clients_side() {
    let stack = stack("imported", "", "{mode: test}");
    let _ = kubectl_apply(&stack, &["--field-manager=tool"], &json!({"mode": "test", "debug": "full"}));
    let _ = stack.kubectl(&[
        "patch",
        "configmap",
        "page",
        "--field-manager=hand",
        "-p",
        r#"{"data":{"note":"x"}}"#,
    ]);
    let _ = stack.run(["import", "page", "page"]).exits(0);
    assert_eq!(owners(&stack, "debug"), ["tool/Update"], "an import changes nothing");

    let plan =
        stack.run(["plan"]).exits(0).says("- data.debug: full").says("the fields of `tool` are taken over");
    assert!(!plan.stdout.contains("data.note"), "{plan}");
    let _ = stack.apply();
    assert_eq!(data(&stack), json!({"mode": "test", "note": "x"}), "what a hand set is not ours to remove");
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_deployment_loses_what_the_blueprint_drops_and_keeps_what_is_ignored() {
    let stack = Stack::new("workload");
    let workload = |env: &str, replicas: u32| {
        format!(
            "replicas: {replicas}, selector: {{matchLabels: {{app: web}}}}, template: {{metadata: {{labels: {{app: web}}}}, \
             spec: {{containers: [{{name: web, image: \"nginx:1.29\"{env}}}]}}}}"
        )
    };
    let env = ", env: [{name: OLD, value: x}, {name: MODE, value: live}]";
    let theirs = format!(
        "# theirs\n{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web}}, spec: {{{}}}}}",
        workload(env, 3)
    );
    stack.write("theirs.yaml", theirs);
    let path = stack.project().join("theirs.yaml").display().to_string();
    let _ = stack.kubectl(&["apply", "-f", &path]);
    stack.blueprint(&format!(
        "blueprint: managers\ntargets: {{main: {{kubernetes: {{context: admin, namespace: \"@namespace@\"}}}}}}\n\
         plugins: {{kubernetes: {{}}}}\nresources:\n  web:\n    type: kubernetes:Deployment\n    adopt: true\n    \
         ignore: [/spec/replicas]\n    properties: {{spec: {{{}}}}}\n",
        workload(", env: [{name: MODE, value: live}]", 1)
    ));
    let _ = stack.run(["plan"]).exits(0).says("taken over");
    let _ = stack.apply();
    let spec = stack.object("deployment", "web").unwrap()["spec"].clone();
    assert_eq!(spec["template"]["spec"]["containers"][0]["env"], json!([{"name": "MODE", "value": "live"}]));
    assert_eq!(spec["replicas"], 3, "what is ignored stays as it was");
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn what_another_manager_took_is_drift_a_conflict_and_with_force_ours_again() {
    let stack = stack("conflict", "", "{mode: production, color: red}");
    let _ = stack.apply();
    let _ = kubectl_apply(&stack, &BY_FORCE, &json!({"mode": "debug"}));
    assert_eq!(owners(&stack, "mode"), ["other/Apply"]);

    let plan = stack.run(["plan", "--detailed-exitcode"]).exits(2);
    let plan = plan.says("data.mode: debug -> production").says("other");
    let said = plan.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("`other` owns `data.mode` now: apply conflicts with it"), "{plan}");
    assert!(!said.contains("data.color"), "{plan}");

    let failed = stack.run(["apply", "--yes"]).exits(1);
    let said = failed.explained();
    for word in
        ["cluster.conflict", "`other` owns .data.mode", "production", "debug", "force: true", "ignore"]
    {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!(data(&stack), json!({"mode": "debug", "color": "red"}), "nothing was changed");

    write(&stack, "    force: true\n", "{mode: production, color: red}");
    let plan = stack.run(["plan"]).exits(0).says("data.mode: debug -> production");
    let said = plan.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("`force: true` takes it back"), "{plan}");
    let _ = stack.apply();
    assert_eq!(data(&stack), json!({"mode": "production", "color": "red"}));
    assert_eq!(owners(&stack, "mode"), ["sheave/Apply"]);
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_field_that_two_own_stays_when_one_drops_it_and_goes_with_the_second() {
    let stack = stack("shared", "", "{mode: production, color: red}");
    let _ = stack.apply();
    let _ = kubectl_apply(&stack, &BY, &json!({"mode": "production"}));
    assert_eq!(owners(&stack, "mode"), ["other/Apply", "sheave/Apply"]);
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);

    // Only ours goes; what the other says, too, stays, and is no longer ours.
    write(&stack, "", "{size: small}");
    let plan = stack.run(["plan"]).exits(0).says("- data.color: red").says("+ data.size: small");
    assert!(!plan.stdout.contains("- data.mode"), "{plan}");
    let _ = stack.apply();
    assert_eq!(data(&stack), json!({"mode": "production", "size": "small"}));
    assert_eq!(owners(&stack, "mode"), ["other/Apply"]);
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);

    let _ = kubectl_apply(&stack, &BY, &json!({"else": "x"}));
    assert_eq!(data(&stack), json!({"else": "x", "size": "small"}));
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
}
