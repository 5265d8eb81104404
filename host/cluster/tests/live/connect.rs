//! Connecting, and what is said when that fails.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sheave_cluster::{Cluster, ClusterError, TargetSettings};
use sheave_testkit::cluster::{kubeconfig, kubectl};

use crate::{as_user, settings};

/// The administrator's kubeconfig, changed.
fn edited(folder: &Path, edit: impl Fn(String) -> String) -> TargetSettings {
    let text = kubectl(&["config", "view", "--raw", "--minify", "--context", "admin", "--flatten"]);
    let file = folder.join("kubeconfig");
    std::fs::write(&file, edit(text)).unwrap();
    TargetSettings { kubeconfig: Some(file), ..TargetSettings::default() }
}

/// The text of a `key: value` line.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().find_map(|l| l.trim_start().strip_prefix(key)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {key} in the kubeconfig"))
}

#[tokio::test]
async fn knows_which_cluster_it_is() {
    let cluster = as_user("admin").await;
    let uid = kubectl(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]);
    assert_eq!(cluster.identity().await.unwrap(), Some(uid));
    assert_eq!((cluster.context(), cluster.namespace()), (Some("admin"), "default"));
    assert!(cluster.version().starts_with("v1."), "{}", cluster.version());
    assert!(cluster.server().starts_with("https://"), "{}", cluster.server());
    let elsewhere = TargetSettings { namespace: Some("blog".into()), ..settings("admin") };
    assert_eq!(Cluster::connect("main", &elsewhere).await.unwrap().namespace(), "blog");
}

#[tokio::test]
async fn who_may_see_nothing_can_connect() {
    assert_eq!(as_user("nobody").await.identity().await.unwrap(), None);
}

#[tokio::test]
async fn a_wrong_token_is_unauthorized() {
    let folder = tempfile::tempdir().unwrap();
    let settings = edited(folder.path(), |text| text.replace(value(&text, "token"), "expired"));
    let error = Cluster::connect("main", &settings).await.unwrap_err();
    assert!(matches!(error, ClusterError::Unauthorized { .. }), "{error:?}");
    assert!(error.is_target_lost());
    assert_eq!(error.diagnostic().summary, "target `main` does not accept our credentials");
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings =
        edited(folder.path(), |text| text.replace(value(&text, "server"), &format!("https://{free}")));
    let error = Cluster::connect("main", &settings).await.unwrap_err();
    assert!(matches!(error, ClusterError::Unreachable { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains(&free.to_string()) && said.contains("refused"), "{said}");
}

#[tokio::test]
async fn a_strange_certificate_is_untrusted() {
    let folder = tempfile::tempdir().unwrap();
    let settings = edited(folder.path(), |text| {
        let lines = text.lines().filter(|l| !l.contains("certificate-authority-data"));
        lines.collect::<Vec<_>>().join("\n")
    });
    let error = Cluster::connect("main", &settings).await.unwrap_err();
    assert!(matches!(error, ClusterError::Untrusted { .. }), "{error:?}");
}

#[tokio::test]
async fn an_unknown_context_is_said_with_those_there_are() {
    let error = Cluster::connect("main", &settings("admim")).await.unwrap_err();
    let said = error.diagnostic();
    assert_eq!(said.code, "cluster.no-context");
    assert_eq!(said.help.as_deref(), Some("did you mean `admin`?"));
    assert!(said.detail.unwrap().contains("reader"));
}

#[tokio::test]
async fn client_certificates_work() {
    assert!(as_user("admin-cert").await.identity().await.unwrap().is_some());
}

/// Makes a credential plugin of a shell script, and a kubeconfig that names it.
fn plugin(folder: &Path, script: &str) -> TargetSettings {
    let program = folder.join("plugin");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    edited(folder, |text| {
        let exec = format!(
            "exec: {{apiVersion: client.authentication.k8s.io/v1, command: {}, interactiveMode: Never}}",
            program.display()
        );
        text.replace(&format!("token: {}", value(&text, "token")), &exec)
    })
}

fn admin_token() -> String {
    let text = kubectl(&["config", "view", "--raw", "--minify", "--context", "admin"]);
    value(&text, "token").to_owned()
}

const CREDENTIAL: &str = r#""apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential""#;

#[tokio::test]
async fn a_credential_plugin_is_asked_and_asked_again_when_refused() {
    let folder = tempfile::tempdir().unwrap();
    // The first token is refused although it claims to last; the second is good.
    let script = format!(
        "if [ -e {dir}/second ]; then token={token}; else token=stale; touch {dir}/second; fi\n\
         echo '{{{CREDENTIAL}, \"status\": {{\"token\": \"'$token'\", \"expirationTimestamp\": \"2099-01-01T00:00:00Z\"}}}}'",
        dir = folder.path().display(),
        token = admin_token(),
    );
    let cluster = Cluster::connect("main", &plugin(folder.path(), &script)).await.unwrap();
    assert!(cluster.identity().await.unwrap().is_some());
}

#[tokio::test]
async fn a_plugin_that_fails_is_named_with_its_words_and_without_its_output() {
    let folder = tempfile::tempdir().unwrap();
    let settings = plugin(folder.path(), "echo sesame; echo 'log in first' >&2; exit 7");
    let error = Cluster::connect("main", &settings).await.unwrap_err();
    assert!(matches!(error, ClusterError::Credentials { .. }), "{error:?}");
    assert!(error.to_string().contains("plugin"), "{error}");
    assert_eq!(error.words().unwrap().unmasked(), "log in first");
    assert!(!format!("{error} {error:?} {:?}", error.diagnostic()).contains("sesame"));
}

#[tokio::test]
async fn kubeconfig_is_there() {
    assert!(kubeconfig().is_file());
}
