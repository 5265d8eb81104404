//! What no update can change is deleted and made again: whoever emits it, with the reason in the plan, and only with the
//! word for it where data goes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use serde_json::Value;
use sheave_testkit::{Output, Stack};

const HEAD: &str = "targets: {main: {kubernetes: {context: admin, namespace: \"@namespace@\"}}}\nplugins: {kubernetes: {}}\nresources:\n";

fn write(stack: &Stack, resources: &str) {
    stack.blueprint(&format!("blueprint: replace\n{HEAD}{resources}"));
}

fn uid(stack: &Stack, kind: &str, name: &str) -> Value {
    stack.object(kind, name).unwrap_or_else(|| panic!("{kind} {name}"))["metadata"]["uid"].clone()
}

fn nothing_to_do(stack: &Stack) -> Output {
    stack.run(["plan", "--detailed-exitcode"]).exits(0)
}

#[test]
fn an_objects_own_kind_decides_and_not_the_type_that_emits_it() {
    let stack = Stack::new("by-kind");
    let text = |role: &str, provisioner: &str, label: &str| {
        stack.write(
            "more/binding.yaml",
            format!(
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: listed}}\n\
                 roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}\n"
            ),
        );
        format!(
            "  bindings: {{type: kubernetes:Manifests, properties: {{path: more}}}}\n  \
             sealed:\n    type: kubernetes:Object\n    properties:\n      manifest: {{apiVersion: v1, kind: ConfigMap, \
             metadata: {{name: sealed, labels: {{at: \"{label}\"}}}}, immutable: true, data: {{a: \"{provisioner}\"}}}}\n"
        )
    };
    write(&stack, &text("view", "one", "x"));
    let _ = stack.apply();
    let before = (uid(&stack, "rolebinding", "listed"), uid(&stack, "configmap", "sealed"));

    // A change beside what is sealed is made in place.
    write(&stack, &text("view", "one", "y"));
    let _ = stack.apply();
    assert_eq!(uid(&stack, "configmap", "sealed"), before.1);

    write(&stack, &text("edit", "two", "y"));
    let shown = stack.run(["plan"]).exits(0).says("-/+");
    for place in ["`/roleRef` cannot be changed in place", "`/data` cannot be changed in place"] {
        assert!(shown.stdout.contains(place), "{place}: {shown}");
    }
    let _ = stack.apply();
    let after = (uid(&stack, "rolebinding", "listed"), uid(&stack, "configmap", "sealed"));
    assert!(before.0 != after.0 && before.1 != after.1);
    let _ = nothing_to_do(&stack);
}

#[test]
fn an_apps_claim_is_not_lost_without_the_word_for_it() {
    let stack = Stack::new("claim");
    let text = |size: &str, more: &str| {
        format!(
            "  web:\n    type: kubernetes:App\n{more}    properties:\n      image: nginx:1.29\n      \
             volumes: {{/data: {{size: {size}}}}}\n"
        )
    };
    write(&stack, &text("2Gi", ""));
    let _ = stack.apply();
    let claim = stack.objects("persistentvolumeclaims")[0]["metadata"]["uid"].clone();

    write(&stack, &text("1Gi", ""));
    let refused = stack.run(["plan"]).exits(1).says("plan.replace-loses-data");
    assert!(refused.explained().contains("/spec/resources/requests/storage"), "{refused}");
    write(&stack, &text("1Gi", "    replace: allow\n"));
    let _ = stack.run(["plan"]).exits(0).says("cannot be changed in place");
    let _ = stack.apply();
    let now = &stack.objects("persistentvolumeclaims")[0];
    assert_ne!(now["metadata"]["uid"], claim);
    assert_eq!(now["spec"]["resources"]["requests"]["storage"], "1Gi");
    let _ = nothing_to_do(&stack);
}

#[test]
fn another_name_is_made_first_and_the_old_one_goes_then() {
    let stack = Stack::new("renamed");
    let text = |name: &str, more: &str| {
        format!(
            "  data:\n    type: kubernetes:PersistentVolumeClaim\n    wait: false\n{more}    properties:\n      \
             metadata: {{name: {name}}}\n      spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}\n  \
             settings: {{type: kubernetes:ConfigMap, properties: {{metadata: {{name: {name}}}, data: {{a: b}}}}}}\n"
        )
    };
    write(&stack, &text("first", ""));
    let _ = stack.apply();
    write(&stack, &text("second", ""));
    let _ = stack.run(["plan"]).exits(1).says("plan.replace-loses-data");
    write(&stack, &text("second", "    replace: allow\n"));
    let shown = stack.run(["plan"]).exits(0).says("takes its place, and is made first");
    assert!(!shown.stdout.contains("-/+"), "{shown}");
    let events = stack.run(["apply", "--yes", "--json"]).exits(0).events();
    let at = |kind: &str, name: &str| {
        let of = |e: &&Value| {
            e["type"] == kind && e["object"]["kind"] == "ConfigMap" && e["object"]["name"] == name
        };
        events.iter().position(|e| of(&e)).unwrap_or_else(|| panic!("{kind} {name}: {events:#?}"))
    };
    assert!(at("object.applied", "second") < at("object.deleted", "first"));
    assert!(stack.object("persistentvolumeclaim", "first").is_none());
    let _ = nothing_to_do(&stack);
}

#[test]
fn replace_when_makes_anew_what_could_be_updated() {
    let stack = Stack::new("when");
    let text = |image: &str, generation: &str, size: &str| {
        format!(
            "  web:\n    type: kubernetes:Deployment\n    replace-when: [/spec/template/spec/containers, \"{generation}\"]\n    \
             properties:\n      spec:\n        replicas: {size}\n        selector: {{matchLabels: {{app: web}}}}\n        \
             template:\n          metadata: {{labels: {{app: web}}}}\n          \
             spec: {{containers: [{{name: web, image: \"{image}\"}}]}}\n  \
             settings:\n    type: kubernetes:ConfigMap\n    replace-when: ${{resources.web.outputs.uid}}\n    \
             properties: {{data: {{a: b}}}}\n"
        )
    };
    let uids = |stack: &Stack| (uid(stack, "deployment", "web"), uid(stack, "configmap", "settings"));
    write(&stack, &text("nginx:1.29", "one", "1"));
    let _ = stack.apply();
    let _ = nothing_to_do(&stack);
    let first = uids(&stack);
    write(&stack, &text("nginx:1.29", "one", "2"));
    let _ = stack.apply();
    assert_eq!(uids(&stack), first, "what is not named is updated");

    write(&stack, &text("nginx:1.30", "one", "2"));
    let shown = stack.run(["plan"]).exits(0);
    for word in
        ["`/spec/template/spec/containers`, which `replace-when` names, has changed", "-/+", "nginx:1.29"]
    {
        assert!(shown.stdout.contains(word), "{word}: {shown}");
    }
    let _ = stack.apply();
    let second = uids(&stack);
    assert!(second.0 != first.0 && second.1 != first.1, "and what follows it");
    let _ = nothing_to_do(&stack);

    write(&stack, &text("nginx:1.30", "two", "2"));
    let _ = stack.run(["plan"]).exits(0).says("the value of `replace-when` has changed");
    let _ = stack.apply();
    assert_ne!(uids(&stack).0, second.0);
    let _ = nothing_to_do(&stack);
}

/// The table knows nothing of custom resources: the server refuses, and the way it names works.
#[test]
fn what_only_the_server_knows_is_refused_with_the_way_out() {
    let stack = Stack::new("rule");
    let group = format!("{}.example.com", stack.namespace());
    let text = |size: u32, more: &str| {
        format!(
            "  definition:\n    type: kubernetes:CustomResourceDefinition\n    keep: false\n    properties:\n      spec:\n        \
             group: {group}\n        scope: Namespaced\n        names: {{kind: Fixture, plural: fixtures, singular: fixture, listKind: FixtureList}}\n        \
             versions:\n          - name: v1\n            served: true\n            storage: true\n            schema:\n              openAPIV3Schema:\n                \
             type: object\n                properties:\n                  spec:\n                    type: object\n                    properties:\n                      \
             size: {{type: integer, x-kubernetes-validations: [{{rule: self == oldSelf, message: size is immutable}}]}}\n  \
             fixture:\n    type: kubernetes:Object\n{more}    properties:\n      manifest: {{apiVersion: {group}/v1, kind: Fixture, metadata: {{name: one}}, spec: {{size: {size}}}}}\n"
        )
    };
    write(&stack, &text(1, ""));
    let _ = stack.apply();
    let kind = format!("fixtures.{group}");
    let before = uid(&stack, &kind, "one");
    write(&stack, &text(2, ""));
    let refused = stack.run(["apply", "--yes"]).exits(1).says("cluster.invalid");
    assert!(refused.explained().contains("replace-when: true"), "{refused}");
    write(&stack, &text(2, "    replace-when: true\n"));
    let _ = stack.apply();
    assert_ne!(uid(&stack, &kind, "one"), before);
    write(&stack, &text(2, ""));
    let _ = nothing_to_do(&stack);
    let _ = stack.run(["destroy", "--yes"]).exits(0);
}
