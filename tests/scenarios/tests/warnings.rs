//! What a plugin's check warns of is said where the operator looks, once, and stops nothing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use sheave_testkit::Stack;

const TEXT: &str = r#"
blueprint: warnings
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins: {kubernetes: {}}
resources:
  web: {type: kubernetes:App, properties: {image: "nginx:1.29", replicas: 3, cpu: {request: 10m}, autoscale: {max: 4}}}
"#;

#[test]
fn a_warning_of_a_plugin_is_shown_by_plan_and_apply() {
    let stack = Stack::new("warnings");
    stack.blueprint(TEXT);
    let shown = stack.run(["plan"]).exits(0).says("app.replicas-ignored");
    let said = format!("{}{}", shown.stdout, shown.stderr);
    assert!(said.contains("the autoscaler decides") && said.contains("web"), "{shown}");
    let applied = stack.run(["apply", "--yes"]).exits(0);
    assert_eq!(applied.stderr.matches("the autoscaler decides").count(), 1, "{applied}");
    let events = stack.run(["plan", "--json"]).exits(0).events();
    let warned = |e: &&serde_json::Value| e["diagnostic"]["code"] == "app.replicas-ignored";
    assert!(events.iter().filter(warned).count() <= 1, "{events:#?}");
}

#[test]
fn what_a_plugin_finds_is_found_by_validate_at_its_place_and_without_a_cluster() {
    let stack = Stack::new("validate");
    stack.write("away.kubeconfig", "{}");
    let away = TEXT.replace("context: admin", "kubeconfig: away.kubeconfig");
    stack.blueprint(&away);
    let valid = stack.run(["validate"]).exits(0);
    let line = TEXT.lines().position(|l| l.contains("autoscale:")).unwrap() + 1;
    for word in ["app.replicas-ignored", &format!("blueprint.yaml:{line}:")] {
        assert!(valid.explained().contains(word), "{word}: {valid}");
    }
    stack.blueprint(&away.replace("max: 4", "min: 5, max: 4"));
    let refused = stack.run(["validate"]).exits(1);
    for word in ["app.autoscale-bounds", &format!("blueprint.yaml:{line}:")] {
        assert!(refused.explained().contains(word), "{word}: {refused}");
    }
}
