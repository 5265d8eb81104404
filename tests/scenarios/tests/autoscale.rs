//! Who decides how many replicas there are: handed over to an autoscaler as they are, and left to it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use sheave_testkit::Stack;

const HEAD: &str = "targets: {main: {kubernetes: {context: admin, namespace: \"@namespace@\"}}}\nplugins: {kubernetes: {}}\nresources:\n";

fn write(stack: &Stack, resources: &str) {
    stack.blueprint(&format!("blueprint: autoscale\n{HEAD}{resources}"));
}

fn replicas(stack: &Stack) -> u64 {
    stack.object("deployment", "web").unwrap()["spec"]["replicas"].as_u64().unwrap()
}

/// As an autoscaler does, by the subresource.
fn scale(stack: &Stack, to: u32) {
    let _ = stack.kubectl(&["scale", "deployment", "web", "--replicas", &to.to_string()]);
}

fn nothing_to_do(stack: &Stack) {
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn an_app_hands_its_replicas_over() {
    let stack = Stack::new("hand-over");
    let app = |how: &str, image: &str| {
        let cpu = "cpu: {request: 10m}";
        format!("  web: {{type: kubernetes:App, properties: {{image: \"{image}\", {cpu}, {how}}}}}\n")
    };
    let autoscale = "autoscale: {min: 2, max: 9}";
    write(&stack, &app("replicas: 3", "nginx:1.29"));
    let _ = stack.apply();
    assert_eq!(replicas(&stack), 3);

    write(&stack, &app(autoscale, "nginx:1.29"));
    let shown = stack.run(["plan"]).exits(0);
    assert!(!shown.stdout.contains("spec.replicas:"), "nothing becomes of them: {shown}");
    let _ = stack.apply();
    assert_eq!(replicas(&stack), 3, "as many as there were, and not one");
    nothing_to_do(&stack);

    scale(&stack, 5);
    nothing_to_do(&stack);
    write(&stack, &app(autoscale, "nginx:1.30"));
    let _ = stack.apply();
    assert_eq!(replicas(&stack), 5, "the autoscaler's number stays");
    nothing_to_do(&stack);

    // The blueprint decides again: the number comes back, and the autoscaler goes.
    write(&stack, &app("replicas: 3", "nginx:1.30"));
    let shown = stack.run(["plan"]).exits(0);
    assert!(shown.stdout.contains("taken back from the autoscaler"), "{shown}");
    let _ = stack.apply();
    assert_eq!(replicas(&stack), 3, "what the blueprint says");
    assert_eq!(stack.names("horizontalpodautoscalers"), Vec::<String>::new());
    nothing_to_do(&stack);
    scale(&stack, 4);
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(2).says("spec.replicas");
}

#[test]
fn an_ignored_number_is_left_to_who_scales() {
    let stack = Stack::new("ignored");
    let text = |more: &str, image: &str| {
        format!(
            "  web:\n    type: kubernetes:Deployment\n{more}    properties:\n      spec:\n        replicas: 2\n        \
             selector: {{matchLabels: {{app: web}}}}\n        template:\n          metadata: {{labels: {{app: web}}}}\n          \
             spec: {{containers: [{{name: web, image: \"{image}\"}}]}}\n  \
             scaler:\n    type: kubernetes:HorizontalPodAutoscaler\n    properties:\n      \
             spec: {{minReplicas: 1, maxReplicas: 9, scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: \"${{resources.web.outputs.name}}\"}}}}\n"
        )
    };
    let ignore = "    ignore: [/spec/replicas]\n";
    write(&stack, &text("", "nginx:1.29"));
    let _ = stack.apply();
    assert_eq!(replicas(&stack), 2);
    write(&stack, &text(ignore, "nginx:1.29"));
    let _ = stack.apply();
    scale(&stack, 6);
    nothing_to_do(&stack);
    write(&stack, &text(ignore, "nginx:1.30"));
    let _ = stack.apply();
    assert_eq!(replicas(&stack), 6);
    nothing_to_do(&stack);
}
