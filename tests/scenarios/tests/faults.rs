//! A cluster that misbehaves: it restarts, is away, forbids, hangs, holds back what should go, forgets who we are.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use sheave_testkit::cluster::{kubectl_with, unique};
use sheave_testkit::{Admission, Output, Proxy, Stack};

fn head(context: &str) -> String {
    format!(
        "blueprint: faults\ntargets: {{main: {{kubernetes: {{context: {context}, namespace: \"@namespace@\"}}}}}}\n\
         plugins: {{kubernetes: {{}}}}\nresources:\n"
    )
}

/// Ready once somebody opens it; the second comes after.
const GATE: &str = r#"
  gate:
    type: kubernetes:ConfigMap
    ready-when: self.metadata.annotations.open == "yes"
    properties: {data: {a: b}}
  after: {type: "kubernetes:ConfigMap", depends-on: [gate], properties: {data: {a: b}}}
"#;

/// One ConfigMap `held`.
const HELD: &str = "  held: {type: \"kubernetes:ConfigMap\", properties: {data: {a: b}}}\n";

const HOLD: &str = r#"{"metadata":{"finalizers":["example.com/hold"]}}"#;
const LET_GO: &str = r#"{"metadata":{"finalizers":null}}"#;

fn stack(name: &str, resources: &str) -> Stack {
    let stack = Stack::new(name);
    stack.blueprint(&(head("admin") + resources));
    stack
}

fn waits(out: &Output) -> bool {
    out.stdout.contains("resource.waiting")
}

#[test]
fn a_control_plane_that_restarts_while_it_is_waited_for() {
    let stack = stack("restart", GATE);
    let proxy = Proxy::before(&stack);
    let mut run = stack.sheave(["apply", "--yes", "--json"]).start();
    run.until("waiting for the gate", waits);
    proxy.close();
    let _ = stack.kubectl(&["annotate", "configmap", "gate", "open=yes"]);
    proxy.refuses(3);
    proxy.open();
    let _ = run.finish().exits(0);
    assert!(stack.object("configmap", "after").is_some());
}

#[test]
fn a_control_plane_that_restarts_while_much_is_sent() {
    let many = "  many: {type: \"kubernetes:ConfigMap\", count: 300, properties: {data: {a: \"${string(each.key)}\"}}}\n";
    let stack = stack("outage", many);
    let proxy = Proxy::before(&stack);
    let mut run = stack.sheave(["apply", "--yes", "--json", "--parallelism", "4"]).start();
    run.until("the first is there", |out| out.stdout.contains("object.applied"));
    proxy.close();
    // More than what is tried again after a cut that is no outage.
    proxy.refuses(30);
    proxy.open();
    let _ = run.finish().exits(0);
    assert_eq!(stack.names("configmaps").len(), 301, "all, and the inventory");
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_target_that_is_down_fails_its_own_and_the_others_go_on() {
    let stack = Stack::new("down");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = format!(
        "{{clusters: [{{name: c, cluster: {{server: 'https://{free}'}}}}], current-context: c, \
         contexts: [{{name: c, context: {{cluster: c, user: u}}}}], users: [{{name: u, user: {{token: t}}}}]}}"
    );
    stack.write("away.kubeconfig", away);
    let targets = "away: {kubernetes: {kubeconfig: away.kubeconfig, namespace: \"@namespace@\"}}, main:";
    let resources = r#"
  here: {type: "kubernetes:ConfigMap", target: main, properties: {data: {a: b}}}
  next: {type: "kubernetes:ConfigMap", target: main, depends-on: [here], properties: {data: {a: b}}}
  there: {type: "kubernetes:ConfigMap", target: away, properties: {data: {a: b}}}
  blocked: {type: "kubernetes:ConfigMap", target: main, depends-on: [there], properties: {data: {a: b}}}
"#;
    stack.blueprint(&(head("admin").replace("main:", targets) + resources));
    let failed = stack.run(["apply", "--yes"]).exits(1);
    let said = failed.explained();
    for word in ["cluster.unreachable", "target `away` cannot be reached", "there", "`blocked`"] {
        assert!(said.contains(word), "{word}: {failed}");
    }
    assert_eq!(stack.names("configmaps").iter().filter(|n| !n.contains("sheave-")).count(), 2, "{failed}");
    assert!(stack.object("configmap", "next").is_some() && stack.object("configmap", "blocked").is_none());
}

#[test]
fn who_may_not_list_is_told_so_once_and_all_works() {
    let stack = Stack::new("nolist");
    let many = "  many: {type: \"kubernetes:ConfigMap\", count: 6, properties: {data: {a: \"1\"}}}\n  \
                other: {type: \"kubernetes:ServiceAccount\"}\n";
    stack.blueprint(&(head("nolist") + many));
    let once = |run: Output| {
        for said in [&run.stdout, &run.stderr] {
            assert_eq!(said.matches("cluster.list-forbidden").count(), 1, "{run}");
        }
        run
    };
    let _ = once(stack.run(["apply", "--yes"]).exits(0));
    let _ = once(stack.run(["plan", "--detailed-exitcode"]).exits(0));
    let _ = stack.kubectl(&["delete", "configmap", "many-3"]);
    let plan = once(stack.run(["plan", "--detailed-exitcode"]).exits(2)).says("many[3]");
    assert!(!plan.stdout.contains("many[2]"), "{plan}");
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert_eq!(stack.names("configmaps"), Vec::<String>::new());
}

/// A webhook of the cluster's, gone when the test ends.
struct Webhook<'a>(&'a Stack, String);

impl Drop for Webhook<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_kubectl(&["delete", "validatingwebhookconfiguration", &self.1]);
    }
}

#[test]
fn a_webhook_that_hangs_is_named_with_its_timeout() {
    let stack = stack("hook", HELD);
    // Connections are taken by the kernel, and nobody answers.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = unique("hook");
    let hook = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name}, "webhooks": [{
            "name": "deaf.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "timeoutSeconds": 1, "failurePolicy": "Fail",
            "clientConfig": {"url": format!("https://{}/hang", deaf.local_addr().unwrap())},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": stack.namespace()}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}],
        }],
    });
    kubectl_with(&["create", "-f", "-"], &hook.to_string());
    let _gone = Webhook(&stack, name);
    // The server hears of a webhook a moment later.
    stack.blueprint(
        &(head("admin") + "  key: {type: \"kubernetes:Secret\", properties: {stringData: {a: b}}}\n"),
    );
    let heard = || {
        !stack
            .try_kubectl(&[
                "-n",
                stack.namespace(),
                "create",
                "secret",
                "generic",
                "probe",
                "--dry-run=server",
            ])
            .stderr
            .is_empty()
    };
    while !heard() {}
    let failed = stack.run(["apply", "--yes"]).exits(1).says("cluster.refused");
    let said = failed.explained();
    for word in ["key", "webhook deaf.example.com, which does not answer,", "timeout=1s"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn what_a_webhook_refuses_is_told_in_its_own_words_and_the_others_go_on() {
    let stack = Stack::new("refusal");
    let _judge = Admission::before(&stack, &["configmaps"], |object| {
        let owner = &object["metadata"]["annotations"]["owner"];
        let held = object["metadata"]["name"] == "held";
        (held && owner.is_null()).then(|| "every object names its owner".to_owned())
    });
    // The server hears of a webhook a moment later.
    let probe = ["-n", stack.namespace(), "create", "configmap", "held", "--dry-run=server"];
    while stack.try_kubectl(&probe).code() == Some(0) {}
    let two = format!("{HELD}  free: {{type: \"kubernetes:ConfigMap\", properties: {{data: {{a: b}}}}}}\n");
    stack.blueprint(&(head("admin") + &two));
    let failed = stack.run(["apply", "--yes"]).exits(1).says("cluster.refused");
    let said = failed.explained();
    for word in ["held", "judge.example.com", "every object names its owner"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(stack.object("configmap", "free").is_some() && stack.object("configmap", "held").is_none());

    // What is there already can be refused, too: it stays as it was, and is made right by the next apply.
    let owned = two.replace(
        "properties: {data: {a: b}}}",
        "properties: {metadata: {annotations: {owner: us}}, data: {a: b}}}",
    );
    stack.blueprint(&(head("admin") + &owned));
    let _ = stack.apply();
    stack.blueprint(&(head("admin") + &two.replace("a: b", "a: c")));
    let failed = stack.run(["apply", "--yes"]).exits(1).says("cluster.refused");
    assert!(failed.explained().contains("every object names its owner"), "{failed}");
    assert_eq!(stack.object("configmap", "held").unwrap()["data"]["a"], "b");
    stack.blueprint(&(head("admin") + &owned.replace("a: b", "a: c")));
    let _ = stack.apply();
    assert_eq!(stack.object("configmap", "held").unwrap()["data"]["a"], "c");
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_finalizer_that_never_ends_is_named_and_the_next_run_goes_on() {
    let stack = stack("final", HELD);
    let _ = stack.apply();
    let _ = stack.kubectl(&["patch", "configmap", "held", "-p", HOLD]);
    let failed = stack.run(["destroy", "--yes", "--timeout", "2s"]).exits(1).says("await.timeout");
    let said = failed.explained();
    for word in ["held", "was not gone within 2 s", "it waits for the finalizer example.com/hold"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(stack.run(["state", "list"]).exits(0).stdout.contains("held"), "it is not forgotten");
    let _ = stack.kubectl(&["patch", "configmap", "held", "-p", LET_GO]);
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert_eq!(stack.run(["state", "list"]).exits(0).stdout, "");
}

#[test]
fn a_namespace_that_is_stuck_takes_nothing_and_says_what_holds_it() {
    let space =
        "  space: {type: \"kubernetes:Namespace\", properties: {metadata: {name: \"@namespace@\"}}}\n";
    let stack = Stack::without_namespace("stuck");
    stack.blueprint(&(head("admin") + space + HELD));
    let _ = stack.apply();
    let _ = stack.kubectl(&["patch", "configmap", "held", "-p", HOLD]);
    let failed = stack.run(["destroy", "--yes", "--timeout", "2s"]).exits(1);
    assert!(failed.explained().contains("the finalizer example.com/hold"), "{failed}");

    // Somebody else deletes the namespace; it stays for what is in it.
    let _ = stack.try_kubectl(&["delete", "namespace", stack.namespace(), "--wait=false"]).exits(0);
    let held = [
        "wait",
        "namespace",
        stack.namespace(),
        "--for=condition=NamespaceFinalizersRemaining",
        "--timeout=60s",
    ];
    let _ = stack.try_kubectl(&held).exits(0);
    let plan = stack.run(["plan"]).exits(0);
    let said = plan.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("it is being deleted since"), "{plan}");
    let failed = stack.run(["apply", "--yes", "--timeout", "3s"]).exits(1);
    let said = failed.explained();
    for word in ["Namespace", "was not gone within 3 s", "example.com/hold in 1 resource"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let _ = stack.kubectl(&["patch", "configmap", "held", "-p", LET_GO]);
    let _ = stack.apply();
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    let _ = stack.run(["destroy", "--yes"]).exits(0);
}

#[test]
fn a_token_that_ends_in_mid_run_is_renewed() {
    let stack = stack("token", GATE);
    // The first token is a service account's, which goes away; the plugin then gives the administrator's.
    let _ = stack.kubectl(&["create", "serviceaccount", "robot"]);
    let user = format!("--serviceaccount={}:robot", stack.namespace());
    let _ = stack.kubectl(&["create", "rolebinding", "robot", "--clusterrole=cluster-admin", &user]);
    let first = stack.kubectl(&["create", "token", "robot"]).stdout.trim().to_owned();
    stack.write("first", &first);
    let text = std::fs::read_to_string(stack.kubeconfig()).unwrap();
    let (server, authority) = (field(&text, "server"), field(&text, "certificate-authority-data"));
    let (_, admin) = text.split_once("-admin\n").unwrap();
    stack.write("second", field(admin, "token"));
    let program = stack.project().join("plugin");
    let folder = stack.project().display().to_string();
    let credential = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'$(cat "$0".token)'"}}"#;
    let script = format!(
        "#!/bin/sh\necho >> {folder}/asked\nif [ -e {folder}/over ]; then cp {folder}/second $0.token; else cp {folder}/first $0.token; fi\n\
         echo '{credential}'\n"
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let exec = format!(
        "{{clusters: [{{name: c, cluster: {{server: '{server}', certificate-authority-data: {authority}}}}}], current-context: admin, \
         contexts: [{{name: admin, context: {{cluster: c, user: u}}}}], users: [{{name: u, user: {{exec: {{\
         apiVersion: client.authentication.k8s.io/v1, command: {}, interactiveMode: Never}}}}}}]}}",
        program.display()
    );
    std::fs::write(stack.kubeconfig(), exec).unwrap();

    let mut run = stack.sheave(["apply", "--yes", "--json"]).start();
    run.until("waiting for the gate", waits);
    let asked = stack.read("asked").unwrap().len();
    stack.write("over", "");
    let _ = stack.kubectl(&["delete", "serviceaccount", "robot"]);
    let whoami = ["--token", &first, "auth", "whoami"];
    let refused = || {
        stack.try_kubectl(
            &[&["--kubeconfig", "/dev/null", "--server", &server, "--insecure-skip-tls-verify"][..], &whoami]
                .concat(),
        )
    };
    while refused().code() == Some(0) {}
    let _ = stack.kubectl(&["annotate", "configmap", "gate", "open=yes"]);
    let done = run.finish().exits(0);
    assert!(stack.object("configmap", "after").is_some(), "{done}");
    assert!(stack.read("asked").unwrap().len() > asked, "the plugin is asked again: {done}");
    assert!(!done.stdout.contains(&first), "no token is shown");
}

/// The value of a `key: value` line.
fn field(text: &str, key: &str) -> String {
    let line = text
        .lines()
        .find_map(|l| l.trim_start().trim_start_matches("- ").strip_prefix(key)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {key} in the kubeconfig")).trim_matches('"').to_owned()
}
