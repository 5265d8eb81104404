//! Plugins that emit more than they may, look where they should not, and see what they were granted to see.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use serde_json::{Value, json};
use sheave_testkit::{Output, Stack};

const HEAD: &str = r#"
blueprint: deputy
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins:
  kubernetes: {}
  rogue: {source: guests/rogue.wasm, grants: @grants@}
resources:
  good: {type: "kubernetes:ConfigMap", properties: {data: {all: well}}}
"#;

fn stack(name: &str) -> Stack {
    let stack = Stack::new(name);
    stack.guest("rogue");
    stack
}

/// Plans what emits these objects under this grant.
fn plan(stack: &Stack, grant: &Value, objects: &Value) -> Output {
    let emit = json!({"type": "rogue:Emit", "properties": {"objects": objects}});
    let head = HEAD.replace("@grants@", &json!({"emit": grant}).to_string());
    stack.blueprint(&format!("{head}  bad: {emit}\n"));
    stack.run(["plan"])
}

fn pod(spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bad"}, "spec": spec})
}

#[test]
fn nothing_is_applied_of_what_goes_beyond_the_grant() {
    let stack = stack("beyond");
    let container = json!([{"name": "c", "image": "x"}]);
    let of = |api: &str, kind: &str| json!({"apiVersion": api, "kind": kind, "metadata": {"name": "sheave-test-bad"}});
    let role = "rbac.authorization.k8s.io/v1";
    let map = |namespace: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bad", "namespace": namespace}});
    let privileged = json!([{"name": "c", "image": "x", "securityContext": {"privileged": true}}]);
    let hook = of("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration");
    for (object, grant) in [
        (of(role, "ClusterRole"), json!({"cluster-scoped": ["ClusterRole"], "allow": ["rbac"]})),
        (hook, json!({"cluster-scoped": ["ValidatingWebhookConfiguration"], "allow": ["webhooks"]})),
        (of(role, "Role"), json!({"allow": ["rbac"]})),
        (map("default"), json!({"namespaces": ["default"]})),
        (map("kube-system"), json!({"namespaces": ["kube-*"], "allow": ["kube-system"]})),
        (pod(json!({"containers": privileged})), json!({"allow": ["privileged"]})),
        (
            pod(json!({"containers": container, "volumes": [{"name": "v", "hostPath": {"path": "/"}}]})),
            json!({"allow": ["host-path"]}),
        ),
        (pod(json!({"containers": container, "hostNetwork": true})), json!({"allow": ["host-network"]})),
    ] {
        let refused = plan(&stack, &json!({}), &json!([object])).exits(1);
        assert!(refused.stderr.contains("plugin.emit-refused"), "{object}: {refused}");
        assert!(refused.stderr.contains("rogue") && refused.stderr.contains("grants: {emit:"), "{refused}");
        let _ = stack.run(["apply", "--yes"]).exits(1).says("plugin.emit-refused");
        let _ = plan(&stack, &grant, &json!([object])).exits(0);
    }
    assert_eq!(stack.names("configmaps,pods,roles"), Vec::<String>::new(), "something was applied after all");
    // Granted and not asked for: of no use, and said.
    let node = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sheave-test-bad"}});
    let unasked = plan(&stack, &json!({"cluster-scoped": ["Namespace"]}), &json!([node])).exits(1);
    assert!(unasked.stderr.contains("plugin.not-asked"), "{unasked}");
    assert!(unasked.stderr.contains("plugin.emit-refused"), "{unasked}");
}

#[test]
fn too_large_and_too_many_are_refused() {
    let stack = stack("large");
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "large"}});
    let large = json!({"type": "rogue:Emit", "properties": {"objects": [map], "kilobytes": 4000}});
    let many = json!({"type": "rogue:Many"});
    for (bad, code) in [(large, "manifest.too-large"), (many, "plugin.limit.objects")] {
        stack.blueprint(&format!("{}  bad: {bad}\n", HEAD.replace("@grants@", "{}")));
        let refused = stack.run(["apply", "--yes"]).exits(1);
        assert!(refused.stderr.contains(code), "{code}: {refused}");
    }
    // What the host would send and the server does not take fails alone.
    let large = json!({"type": "rogue:Emit", "properties": {"objects": [map], "kilobytes": 2000}});
    stack.blueprint(&format!("{}  bad: {large}\n", HEAD.replace("@grants@", "{}")));
    let _ = stack.run(["apply", "--yes"]).exits(1);
    assert_eq!(
        stack.names("configmaps").iter().filter(|n| !n.contains("applyset") && !n.contains("sheave")).count(),
        1
    );
}

#[test]
fn a_plugin_looks_around_in_as_many_rounds_as_it_may_and_not_one_more() {
    let stack = Stack::without_namespace("rounds");
    stack.guest("rogue");
    let plan = |rounds: u32| {
        let lookup = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "good"});
        let looks = json!({"type": "rogue:Seen", "properties": {"lookup": lookup, "rounds": rounds}});
        let head = HEAD.replace("@grants@", "{}").replace("@namespace@", "default");
        stack.blueprint(&format!("{head}  looks: {looks}\n"));
        stack.run(["plan"])
    };
    let _ = plan(5).exits(0);
    let refused = plan(6).exits(1).says("plugin.limit.lookups");
    assert!(refused.stderr.contains("5 rounds are allowed"), "{refused}");
}

#[test]
fn another_stacks_objects_are_refused_at_plan_and_left_alone() {
    let stack = stack("others");
    stack.blueprint(
        "blueprint: victim\ntargets: {main: {kubernetes: {context: admin, namespace: \"@namespace@\"}}}\n\
         plugins: {kubernetes: {}}\nresources:\n  theirs: {type: \"kubernetes:ConfigMap\", properties: {data: {a: b}}}\n",
    );
    let _ = stack.apply();
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}, "data": {"a": "mine"}});
    let refused = plan(&stack, &json!({}), &json!([map])).exits(1);
    assert!(refused.stderr.contains("cluster.other-owner"), "{refused}");
    let _ = stack.run(["apply", "--yes", "--stack", "deputy"]).exits(1);
    assert_eq!(stack.object("configmap", "theirs").unwrap()["data"], json!({"a": "b"}));
}

#[test]
fn a_grant_that_was_taken_back_is_missed_though_nothing_else_changed() {
    let stack = stack("narrowed");
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": []});
    let _ = plan(&stack, &json!({"allow": ["rbac"]}), &json!([role])).exits(0);
    let _ = stack.apply();
    let _ = plan(&stack, &json!({"allow": ["rbac"]}), &json!([role])).exits(0);
    let _ = plan(&stack, &json!({}), &json!([role])).exits(1).says("plugin.emit-refused");
}

#[test]
fn secrets_stand_in_secrets_and_where_a_grant_says() {
    let stack = stack("secrets-in");
    let text = |grants: &str| {
        format!(
            "{}  leak: {{type: \"rogue:Leak\", properties: {{value: \"${{inputs.password}}\"}}}}\n\
             inputs: {{password: {{type: string, secret: true}}}}\n",
            HEAD.replace("@grants@", grants)
        )
    };
    let plan = |stack: &Stack| stack.sheave(["plan"]).env("SHEAVE_INPUT_password", "correct horse").run();
    stack.blueprint(&text("{}"));
    let _ = plan(&stack).exits(1).says("blueprint.secret-misplaced");
    stack.blueprint(&text("{emit: {secrets-in: [{kind: ConfigMap, pointer: /data/other}]}}"));
    let _ = plan(&stack).exits(1).says("blueprint.secret-misplaced");
    stack.blueprint(&text("{emit: {secrets-in: [{kind: ConfigMap, pointer: /data/value}]}}"));
    let _ = plan(&stack).exits(0);
}

#[test]
fn a_look_up_finds_what_was_granted_and_shows_no_secret() {
    let stack = stack("look");
    let _ = stack.kubectl(&["create", "configmap", "there", "--from-literal=word=hidden-treasure"]);
    let _ = stack.kubectl(&["create", "secret", "generic", "key", "--from-literal=word=hidden-treasure"]);
    let seen = |kind: &str, name: &str, read: Value| {
        let lookup = json!({"apiVersion": "v1", "kind": kind, "name": name});
        let resource = json!({"type": "rogue:Seen", "properties": {"lookup": lookup}});
        let head = HEAD.replace("@grants@", &json!({"read": read}).to_string());
        stack.blueprint(&format!("{head}  look: {resource}\n"));
        let _ = stack.apply();
        stack.object("configmap", "look-seen").unwrap()["data"]["seen"].as_str().unwrap().to_owned()
    };
    assert_eq!(seen("ConfigMap", "there", json!([])), "nothing");
    assert!(seen("ConfigMap", "there", json!([{"kinds": ["ConfigMap"]}])).contains("hidden-treasure"));
    let elsewhere = json!([{"kinds": ["ConfigMap"], "namespaces": ["default"]}]);
    assert_eq!(seen("ConfigMap", "there", elsewhere), "nothing");
    assert_eq!(seen("Secret", "key", json!([{"kinds": ["ConfigMap"]}])), "nothing");
    let masked = seen("Secret", "key", json!([{"kinds": ["Secret"]}]));
    assert!(masked.contains("\"word\":\"(sensitive)\"") && !masked.contains("aGlkZGVu"), "{masked}");
}

#[test]
fn a_secret_is_revealed_where_that_was_granted_and_it_is_written_down() {
    let stack = Stack::without_namespace("reveal");
    stack.guest("vandal");
    let text = |grants: &str| {
        format!(
            "blueprint: peek\ninputs:\n  password: {{type: string, secret: true}}\n  other: {{type: string, secret: true}}\n\
             plugins:\n  vandal: {{source: guests/vandal.wasm, grants: {grants}}}\nresources:\n  \
             peek: {{type: \"vandal:Peek\", properties: {{value: \"${{inputs.password}}\"}}}}\n"
        )
    };
    let run = |args: &[&str]| {
        stack
            .sheave(args.iter().copied())
            .env("SHEAVE_INPUT_password", "correct horse")
            .env("SHEAVE_INPUT_other", "battery staple")
            .run()
    };
    let revealed = || run(&["events", "--json"]).exits(0).stdout.matches("secret.revealed").count();
    stack.blueprint(&text("{reveal: [inputs.other]}"));
    let _ = run(&["apply", "--yes"]).exits(0);
    assert_eq!(revealed(), 0);
    let _ = run(&["destroy", "--yes"]).exits(0);
    stack.blueprint(&text("{reveal: [inputs.password]}"));
    let applied = run(&["apply", "--yes"]).exits(0);
    assert!(!format!("{applied}").contains("correct horse"), "{applied}");
    assert_eq!(revealed(), 1);
    let told = run(&["events"]).exits(0);
    assert!(told.stdout.contains("the plugin `vandal` saw inputs.password"), "{told}");
}
