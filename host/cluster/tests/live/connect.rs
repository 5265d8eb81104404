//! Connecting, and what is said when that fails.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use futures::future::join_all;
use serde_json::json;
use sheave_cluster::{Cluster, ClusterError, TargetSettings};
use sheave_testkit::cluster::{Namespace, kubeconfig, kubectl};
use sheave_testkit::{Proxy, Service};

use crate::wait::LONG;
use crate::{apply, as_user, config_map, id, settings, uid};

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

#[tokio::test]
async fn requests_share_a_connection_and_watches_have_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let settings = edited(folder.path(), |text| text);
    let proxy = Proxy::within(settings.kubeconfig.as_deref().unwrap());
    let cluster = Cluster::connect("main", &settings).await.unwrap();
    let list = |kind| cluster.list("v1", kind, Some("default"), None);
    let kinds =
        ["ConfigMap", "Secret", "Service", "ServiceAccount", "Pod", "Endpoints", "LimitRange", "Event"];
    for listed in join_all(kinds.iter().cycle().take(40).map(|kind| list(kind))).await {
        listed.unwrap();
    }
    assert_eq!(proxy.connections(), 1);
    let ns = Namespace::new("cluster");
    let mut obj = config_map(&ns, "a", json!({}));
    obj["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let live = apply(&cluster, &obj).await.unwrap().object;
    cluster.delete(&id(&obj), None).await.unwrap();
    // Let go of only once somebody waits: that it went is heard of by the watch.
    let (waits, waited) = tokio::sync::oneshot::channel();
    let mut waits = Some(waits);
    let say = |_: &str| {
        if let Some(waits) = waits.take() {
            waits.send(()).unwrap();
        }
    };
    let release = async {
        waited.await.unwrap();
        let patch = r#"[{"op":"remove","path":"/metadata/finalizers"}]"#;
        let name = ns.name.clone();
        let args = move || kubectl(&["patch", "configmap", "a", "-n", &name, "--type=json", "-p", patch]);
        tokio::task::spawn_blocking(args).await.unwrap()
    };
    let (object, uid) = (id(&obj), uid(&live));
    let (gone, _) = tokio::join!(cluster.await_gone(&object, &uid, LONG, say), release);
    gone.unwrap();
    assert_eq!(proxy.connections(), 2);
}

/// A kubeconfig whose cluster is reached through an HTTP proxy.
fn proxied(folder: &Path, proxy: &str) -> TargetSettings {
    edited(folder, |text| {
        let server = value(&text, "server").to_owned();
        text.replace(&format!("server: {server}"), &format!("server: {server}\n    proxy-url: {proxy}"))
    })
}

#[tokio::test]
async fn a_proxy_is_gone_through_with_its_user_and_password() {
    let service = Service::http_proxy("ali", "sesame-1");
    let folder = tempfile::tempdir().unwrap();
    // As URLs may write it: `%2D` is a hyphen.
    let settings = proxied(folder.path(), &format!("http://ali:sesame%2D1@127.0.0.1:{}", service.port));
    let cluster = Cluster::connect("main", &settings).await.unwrap();
    assert!(cluster.identity().await.unwrap().is_some());
    let log = service.read("errors").unwrap();
    assert!(log.contains("CONNECT"), "{log}");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_said_without_its_password() {
    let service = Service::http_proxy("ali", "sesame-1");
    let folder = tempfile::tempdir().unwrap();
    let settings = proxied(folder.path(), &format!("http://ali:wrong@127.0.0.1:{}", service.port));
    let error = Cluster::connect("main", &settings).await.unwrap_err();
    assert!(matches!(error, ClusterError::Unreachable { .. }), "{error:?}");
    let said = format!("{error} {:?}", error.diagnostic());
    assert!(said.contains("proxy") && !said.contains("wrong"), "{said}");
}

#[tokio::test]
async fn a_proxy_of_another_kind_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let settings = proxied(folder.path(), "ftp://127.0.0.1:1");
    let error = Cluster::connect("main", &settings).await.unwrap_err();
    assert!(error.to_string().contains("ftp"), "{error}");
}
