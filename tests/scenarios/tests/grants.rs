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
}

#[test]
fn what_the_server_would_not_store_is_refused_at_plan() {
    let stack = stack("stored");
    let revision = json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "large"}, "revision": 1});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "large"}});
    for (object, fits, more, limit) in [(&map, 1_048, 1_049, "1048576"), (&revision, 1_550, 1_573, "1572864")]
    {
        let emit = |kilobytes: u32| {
            let large =
                json!({"type": "rogue:Emit", "properties": {"objects": [object], "kilobytes": kilobytes}});
            stack.blueprint(&format!("{}  large: {large}\n", HEAD.replace("@grants@", "{}")));
        };
        emit(more);
        let refused = stack.run(["plan"]).exits(1).says("manifest.too-large");
        assert!(refused.stderr.contains(limit) && refused.stderr.contains("large"), "{refused}");
        // The server would have said so, later and in its own words.
        let mut sent = object.clone();
        sent["data"]["padding"] = "x".repeat(more as usize * 1_000).into();
        stack.write("large.json", sent.to_string());
        let path = stack.project().join("large.json");
        let _ = stack.try_kubectl(&["create", "--dry-run=server", "-f", path.to_str().unwrap()]);
        let said = stack.try_kubectl(&["create", "-f", path.to_str().unwrap()]);
        assert_ne!(said.code(), Some(0), "the server takes {more} KB: {said}");
        emit(fits);
        let _ = stack.apply();
    }
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
    assert!(refused.explained().contains("5 rounds are allowed"), "{refused}");
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

const PEEK: &str = "
blueprint: peek
inputs: {password: {type: string, secret: true}}
plugins:
  vandal: {source: guests/vandal.wasm, grants: @grants@}
resources:
";

fn peeking(name: &str) -> Stack {
    let stack = Stack::without_namespace(name);
    stack.guest("vandal");
    stack
}

fn with_password(stack: &Stack, args: &[&str]) -> Output {
    stack.sheave(args.iter().copied()).env("SHEAVE_INPUT_password", "correct horse").run()
}

fn revealed(stack: &Stack) -> Vec<String> {
    let events = with_password(stack, &["events", "--json"]).exits(0).events();
    let seen = events.iter().filter(|e| e["type"] == "secret.revealed");
    seen.map(|e| e["secret"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn that_a_secret_was_seen_is_written_down_before_it_is_seen() {
    let stack = peeking("before");
    let peek = "  peek: {type: \"vandal:Peek\", properties: {value: \"${inputs.password}\"}}\n";
    stack.blueprint(&(PEEK.replace("@grants@", "{reveal: [inputs.password]}") + peek));
    let killed = stack
        .sheave(["apply", "--yes"])
        .env("SHEAVE_INPUT_password", "correct horse")
        .env("SHEAVE_FAILPOINT", "revealed:1")
        .run();
    assert_eq!(killed.code(), None, "killed before the plugin had it: {killed}");
    assert_eq!(revealed(&stack), ["inputs.password"]);
    let _ = with_password(&stack, &["apply", "--yes"]).exits(0);
    assert_eq!(revealed(&stack), ["inputs.password"; 2], "each time it is seen");
}

#[test]
fn passwords_and_outputs_are_revealed_by_their_names_and_nothing_else() {
    let stack = peeking("names");
    let made = "  coin: {type: \"vandal:Coin\", properties: {}}\n  \
                a: {type: \"vandal:Peek\", properties: {value: \"${randomPassword('pw', 16)}\"}}\n  \
                b: {type: \"vandal:Peek\", properties: {value: \"${resources.coin.outputs.coin}\"}}\n  \
                c: {type: \"vandal:Peek\", properties: {value: \"x${resources.coin.outputs.coin}\"}}\n\
                outputs: {a: \"${resources.a.outputs.refused}\", b: \"${resources.b.outputs.refused}\", c: \"${resources.c.outputs.refused}\"}\n";
    let apply = |grants: &str, outputs: &str| {
        let made = made.split("outputs: {a").next().unwrap();
        stack.blueprint(&format!("{}{made}{outputs}", PEEK.replace("@grants@", grants)));
        let applied = with_password(&stack, &["apply", "--yes"]).exits(0);
        assert!(!format!("{applied}").contains("heads and tails"), "{applied}");
    };
    apply(
        "{reveal: [passwords.other, resources.coin.outputs.other]}",
        &made[made.find("outputs: {a").unwrap()..],
    );
    assert_eq!(revealed(&stack), Vec::<String>::new());
    for name in ["a", "b", "c"] {
        let said = with_password(&stack, &["outputs", name]).exits(0).stdout;
        assert!(said.contains("needs the grant `reveal`"), "{name}: {said}");
    }
    let _ = with_password(&stack, &["destroy", "--yes"]).exits(0);
    apply("{reveal: [passwords.pw, resources.coin.outputs.coin]}", "");
    let mut seen = revealed(&stack);
    seen.sort();
    assert_eq!(seen, ["passwords.pw", "resources.coin.outputs.coin"], "`c` is another text");

    stack.blueprint(
        &(PEEK.replace("@grants@", "{reveal: [resources.none.outputs.coin]}")
            + "  coin: {type: \"vandal:Coin\"}\n"),
    );
    let _ = with_password(&stack, &["validate"]).exits(1).says("blueprint.unknown-name").says("none");
    stack.blueprint(&(PEEK.replace("@grants@", "{reveal: [coin]}") + "  coin: {type: \"vandal:Coin\"}\n"));
    let _ = with_password(&stack, &["validate"]).exits(1).says("resources.NAME.outputs.OUTPUT");
}

#[test]
fn a_secret_in_a_plugins_settings_is_a_token_as_in_properties() {
    let stack = peeking("settings");
    let text = |grants: &str| {
        PEEK.replace("@grants@", grants)
            .replace("vandal.wasm,", "vandal.wasm, settings: {key: \"${inputs.password}\"},")
            + "  peek: {type: \"vandal:Peek\"}\noutputs: {token: \"${resources.peek.outputs.token}\"}\n"
    };
    stack.blueprint(&text("{reveal: [inputs.password]}"));
    let applied = with_password(&stack, &["apply", "--yes"]).exits(0);
    assert_eq!(revealed(&stack), ["inputs.password"], "{applied}");
    assert!(!format!("{applied}").contains("correct horse"), "{applied}");
    // What comes back of it is the secret again, and is hidden.
    let _ = with_password(&stack, &["outputs"]).exits(0).says("(sensitive)");
    let shown = with_password(&stack, &["outputs", "token", "--reveal"]).exits(0);
    assert_eq!(shown.stdout.trim(), "correct horse");
    assert_eq!(sheave_testkit::Secret::new("correct horse").search(stack.root()), []);
    let _ = with_password(&stack, &["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn what_an_emitter_makes_of_its_settings_is_held_to_the_rules_of_secrets() {
    let stack = stack("set");
    let text = |grants: &str| {
        HEAD.replace("rogue.wasm,", "rogue.wasm, settings: {key: \"${inputs.password}\"},")
            .replace("@grants@", grants)
            + "  echo: {type: \"rogue:Echo\"}\ninputs: {password: {type: string, secret: true}}\n"
    };
    stack.blueprint(&text("{}"));
    let refused = with_password(&stack, &["plan"]).exits(1).says("blueprint.secret-misplaced");
    assert!(refused.stderr.contains("/data/settings"), "{refused}");
    stack.blueprint(&text("{emit: {secrets-in: [{kind: ConfigMap, pointer: /data/settings}]}}"));
    let applied = with_password(&stack, &["apply", "--yes"]).exits(0);
    assert!(!format!("{applied}").contains("correct horse"), "{applied}");
    let map = stack.object("configmap", "echo-echo").unwrap();
    assert_eq!(map["data"]["settings"], "{\"key\":\"correct horse\"}", "the secret, and no token of it");
    let _ = with_password(&stack, &["plan", "--detailed-exitcode"]).exits(0);
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
    // It wrote it into its outputs, in clear: there it is hidden, and sealed where it is kept.
    assert_eq!(sheave_testkit::Secret::new("correct horse").search(stack.root()), []);
}
