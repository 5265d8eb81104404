//! What does not become ready: the cluster's own reason while it is waited for, and a failure that names object, rule
//! and event. The test cluster fails pods by their labels.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::time::Duration;

use sheave_testkit::{Output, Stack};

/// Longer than the longest timeout below, by far.
const LIMIT: Duration = Duration::from_secs(60);

fn stack(name: &str, resources: &str) -> Stack {
    let stack = Stack::new(name);
    stack.blueprint(&format!(
        "blueprint: {name}\ntargets: {{main: {{kubernetes: {{context: admin, namespace: \"@namespace@\"}}}}}}\n\
         plugins: {{kubernetes: {{}}}}\nresources:\n{resources}"
    ));
    stack
}

fn deployment(name: &str, labels: &str, more: &str) -> String {
    format!(
        "  {name}:\n    type: kubernetes:Deployment\n{more}    properties:\n      spec:\n        \
         selector: {{matchLabels: {{app: {name}}}}}\n        template:\n          \
         metadata: {{labels: {{app: {name}{labels}}}}}\n          \
         spec: {{containers: [{{name: web, image: \"nginx:1.29\"}}]}}\n"
    )
}

/// What was said while it waited, and in the end.
fn fails(stack: &Stack) -> Output {
    stack.sheave(["apply", "--yes"]).limit(LIMIT).run().exits(1)
}

#[test]
fn an_image_that_cannot_be_pulled() {
    let text = deployment("web", ", \"sheave.test/fail\": image-pull", "    timeout: 4s\n");
    let good = "  good: {type: \"kubernetes:ConfigMap\", properties: {data: {a: b}}}\n";
    let stack = stack("image", &(text + good));
    let run = fails(&stack);
    let waiting =
        run.stdout.lines().find(|l| l.contains("waiting for Deployment") && l.contains("ImagePull"));
    assert!(waiting.is_some(), "the pod's reason is told while waiting:\n{run}");
    let said = run.explained();
    for word in ["web", "Deployment", "4 s", "ImagePull"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(stack.object("configmap", "good").is_some(), "the others are done");
    assert_eq!(stack.run(["plan", "--detailed-exitcode"]).code(), Some(2), "the next run waits again");
}

#[test]
fn a_pod_that_crashes_fails_before_its_time() {
    let text = deployment("web", ", \"sheave.test/fail\": crash-loop", "    timeout: 10m\n");
    let stack = stack("crash", &text);
    let run = fails(&stack);
    let said = run.explained();
    for word in ["web", "CrashLoopBackOff"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(run.took < LIMIT, "{run}");
}

#[test]
fn a_claim_that_cannot_be_bound() {
    let text = "  data:\n    type: kubernetes:PersistentVolumeClaim\n    timeout: 4s\n    properties:\n      \
                spec: {storageClassName: nowhere, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
    let stack = stack("claim", text);
    let said = fails(&stack).explained();
    for word in ["data", "PersistentVolumeClaim", "4 s"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn a_quota_that_is_exceeded() {
    let quota =
        "  quota:\n    type: kubernetes:ResourceQuota\n    properties: {spec: {hard: {pods: \"1\"}}}\n";
    let text = deployment("web", "", "    timeout: 6s\n    depends-on: [quota]\n")
        .replace("      spec:\n        selector", "      spec:\n        replicas: 3\n        selector");
    let stack = stack("quota", &format!("{quota}{text}"));
    let run = fails(&stack);
    let said = run.explained();
    for word in ["web", "exceeded quota"] {
        assert!(said.contains(word), "{word}: {said}\n{run}");
    }
}
