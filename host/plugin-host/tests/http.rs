//! What a plugin may ask of servers, and what servers can do to it: the plugin `http` against real ones on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

mod server;
mod support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use server::{Server, Way, ok};
use sheave_model::SecretText;
use sheave_model::plugin::{Grants, HttpGrant, LimitRaises};
use sheave_plugin_host::http::{Auth, Connection, ConnectionSettings, Outside, Placed};
use sheave_plugin_host::wire::{Failure, Step};
use sheave_plugin_host::{CallError, HostConfig, Plugin, limits};
use support::*;

const PASSWORD: &str = "correct horse battery";

fn granted(http: Value) -> Grants {
    Grants { http: serde_json::from_value::<Vec<HttpGrant>>(http).unwrap(), ..Grants::default() }
}

/// This machine, in plain, at the server's port.
fn here(server: &Server) -> Grants {
    granted(json!([{"host": "127.0.0.1", "ports": [server.port], "private": true, "plain": true}]))
}

async fn http(grants: &Grants) -> Plugin {
    load(&built("http"), grants).await
}

/// Reads `path` of a server as `http:Data`.
async fn read(plugin: &Plugin, url: &str, more: Value) -> Result<Value, String> {
    let mut props = json!({"url": url, "path": "/x", "outputs": {"a": "/a"}});
    props.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    run(plugin, "Data", &props).await
}

/// Creates something, and gives its outputs, or what went wrong in words.
async fn run(plugin: &Plugin, kind: &str, props: &Value) -> Result<Value, String> {
    match plugin.apply(&create(kind, &props.to_string()), &agreed(), "op-1", None).await {
        Ok(Step::Done(Some(snapshot))) => Ok(serde_json::from_str(&snapshot.outputs.json).unwrap()),
        Ok(other) => Err(format!("{other:?}")),
        Err(CallError::Answer(Failure::Denied(d) | Failure::Other(d) | Failure::Retry { why: d, .. })) => {
            Err(format!("{}: {}: {}", d.code, d.summary, d.detail))
        }
        Err(other) => Err(format!("{other:?}")),
    }
}

#[tokio::test]
async fn what_is_granted_gets_there() {
    let server = Server::start(Way::Says(ok(r#"{"a": 1}"#))).await;
    let plugin = http(&here(&server)).await;
    assert_eq!(read(&plugin, &server.url(), json!({})).await.unwrap()["values"], json!({"a": 1}));
    let seen = server.seen().remove(0);
    assert!(seen.starts_with("GET /x HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("host: 127.0.0.1:{}\r\n", server.port)), "{seen}");
    assert!(seen.contains("accept-encoding: identity\r\n"), "{seen}");
}

#[tokio::test]
async fn what_is_not_granted_is_named_and_never_sent() {
    let server = Server::start(Way::Says(ok("{}"))).await;
    let port = server.port;
    let url = server.url();
    for (grants, why) in [
        (json!([]), "{host: \"127.0.0.1\"}"),
        (json!([{"host": "127.0.0.1", "private": true, "plain": true}]), "ports: ["),
        (json!([{"host": "127.0.0.1", "ports": [port], "private": true}]), "plain: true"),
        (json!([{"host": "127.0.0.1", "ports": [port], "plain": true}]), "loopback"),
        (
            json!([{"host": "127.0.0.1", "ports": [port], "plain": true, "private": true, "methods": ["POST"]}]),
            "GET on",
        ),
        (
            json!([{"host": "localhost", "ports": [port], "plain": true, "private": true}]),
            "{host: \"127.0.0.1\"}",
        ),
    ] {
        let said = read(&http(&granted(grants.clone())).await, &url, json!({})).await.unwrap_err();
        assert!(said.starts_with("http.not-granted") && said.contains(why), "{grants}: {said}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused() {
    let server = Server::start(Way::Says(ok("{}"))).await;
    let port = server.port;
    let by_name = http(&granted(json!([{"host": "*", "ports": [port, 80], "plain": true}]))).await;
    for (url, why) in [
        (format!("http://localhost:{port}"), "loopback"),
        (format!("http://[::ffff:127.0.0.1]:{port}"), "loopback"),
        ("http://169.254.169.254".to_owned(), "metadata"),
        (format!("http://0.0.0.0:{port}"), "unspecified"),
        (format!("http://0x7f.1:{port}"), "no IPv4 address"),
        (format!("http://2130706433:{port}"), "no IPv4 address"),
        (format!("http://0177.0.0.1:{port}"), "no IPv4 address"),
        (format!("http://localhost.:{port}"), "dot"),
    ] {
        let said = read(&by_name, &url, json!({})).await.unwrap_err();
        assert!(said.contains(why), "{url}: {said}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let server = Server::start(Way::Says(
        b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n"
            .to_vec(),
    ))
    .await;
    let said = read(&http(&here(&server)).await, &server.url(), json!({})).await.unwrap_err();
    assert!(said.contains("answered 302") && said.contains("redirects are not followed"), "{said}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn hostile_answers_end() {
    let huge = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1 << 20)).into_bytes();
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(500)).into_bytes();
    let zipped = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f\x8b".to_vec();
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello".to_vec();
    let large = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec();
    for (way, why) in [
        (Way::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()), "too large"),
        (Way::Endless(large), "too large"),
        (Way::Endless(b"HTTP/1.1 200 OK\r\nx: ".to_vec()), "headers are too large"),
        (Way::Says(huge), "headers are too large"),
        (Way::Says(many), "headers are too large"),
        (Way::Says(zipped), "compressed"),
        (Way::Says(short), "ended the connection"),
        (Way::Says(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()), "http.unreachable"),
        (
            Way::Says(
                b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".to_vec(),
            ),
            "http.unreachable",
        ),
        (Way::Says(Vec::new()), "ended the connection"),
    ] {
        let shown = format!("{way:?}");
        let server = Server::start(way).await;
        let said = read(&http(&here(&server)).await, &server.url(), json!({})).await.unwrap_err();
        assert!(said.contains(why), "{}: {said}", &shown[..shown.len().min(100)]);
    }
}

#[tokio::test]
async fn who_does_not_answer_is_left_before_the_call_ends() {
    for way in [Way::Hangs, Way::Drips] {
        let server = Server::start(way).await;
        let config = HostConfig { provider_call: Duration::from_secs(1), ..HostConfig::default() };
        let plugin = host_with(config).0.load("guest", &built("http"), &here(&server)).await.unwrap();
        let said = read(&plugin, &server.url(), json!({})).await.unwrap_err();
        assert!(said.contains("did not answer in time"), "{said}");
    }
}

#[tokio::test]
async fn nobody_listening_is_said() {
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let grants = granted(json!([{"host": "127.0.0.1", "ports": [port], "private": true, "plain": true}]));
    let said = read(&http(&grants).await, &format!("http://127.0.0.1:{port}"), json!({})).await.unwrap_err();
    assert!(said.contains("refused the connection"), "{said}");
}

#[tokio::test]
async fn headers_take_no_line_s_end() {
    let server = Server::start(Way::Says(ok("{}"))).await;
    let plugin = http(&here(&server)).await;
    for headers in [
        json!({"x": "a\r\nhost: evil"}),
        json!({"x\r\ny": "a"}),
        json!({"host": "evil"}),
        json!({"transfer-encoding": "chunked"}),
        json!({"connection": "upgrade"}),
    ] {
        let said = read(&plugin, &server.url(), json!({"headers": headers})).await.unwrap_err();
        assert!(said.starts_with("http.not-granted"), "{headers}: {said}");
    }
    let said = read(&plugin, &server.url(), json!({"path": "/x y\r\nz"})).await.unwrap_err();
    assert!(said.starts_with("http.not-granted"), "{said}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_plan_has_no_network() {
    let server = Server::start(Way::Says(ok("{}"))).await;
    let plugin = http(&here(&server)).await;
    let props = json!({"url": server.url(), "path": "/x"}).to_string();
    plugin.plan(&create("Data", &props)).await.unwrap();
    assert!(server.seen().is_empty());
}

/// One connection, one secret, one token.
struct World {
    connection: Arc<Connection>,
}

const TOKEN: &str = "ztabcdefghijklmnopqrstuvwx";

impl Outside for World {
    fn connection(&self, name: &str) -> Result<Arc<Connection>, String> {
        if name == "api" { Ok(self.connection.clone()) } else { Err(format!("there is no `{name}`")) }
    }

    fn mask(&self, text: &str) -> String {
        text.replace(PASSWORD, "(sensitive)")
    }

    fn placed(&self, text: &str) -> Placed {
        match text {
            TOKEN => Placed::Secret(SecretText::new(PASSWORD.to_owned())),
            text if text.contains(TOKEN) => Placed::Partly,
            _ => Placed::Plain,
        }
    }
}

/// A plugin that is granted the connection `api` to the server.
async fn connected(server: &Server, methods: &[&str]) -> Plugin {
    let auth = Auth::Bearer { token: SecretText::new(PASSWORD.to_owned()) };
    let settings =
        ConnectionSettings { url: format!("{}/v2/", server.url()), auth: Some(auth), ..Default::default() };
    let connection = Arc::new(Connection::new("api", &settings).unwrap());
    let plugin = http(&granted(json!([{"connection": "api", "methods": methods}]))).await;
    plugin.with_outside(Arc::new(World { connection }))
}

#[tokio::test]
async fn a_connection_s_credentials_are_the_host_s() {
    let server = Server::start(Way::Echoes).await;
    let plugin = connected(&server, &[]).await;
    let props =
        json!({"connection": "api", "path": "/things?q=1", "outputs": {"all": "", "auth": "header:x-auth"}});
    let outputs = run(&plugin, "Data", &props).await.unwrap();
    let seen = server.seen().remove(0);
    assert!(seen.starts_with("GET /v2/things?q=1 HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("authorization: Bearer {PASSWORD}\r\n")), "{seen}");
    assert!(!outputs.to_string().contains(PASSWORD), "{outputs}");
    assert!(outputs["values"]["all"].to_string().contains("Bearer (sensitive)"), "{outputs}");
    assert_eq!(outputs["values"]["auth"], "Bearer (sensitive)");
}

#[tokio::test]
async fn a_connection_bounds_what_is_asked_of_it() {
    let server = Server::start(Way::Echoes).await;
    let plugin = connected(&server, &["POST"]).await;
    let data = |more: Value| {
        let mut props = json!({"connection": "api", "path": "/x"});
        props.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        props
    };
    let said = run(&plugin, "Data", &data(json!({}))).await.unwrap_err();
    assert!(said.contains("GET on the connection `api`"), "{said}");
    let all = connected(&server, &[]).await;
    for (more, why) in [
        (json!({"path": "/../admin"}), "leads out of"),
        (json!({"path": "/a/%2e%2e/%2e%2e/admin"}), "leads out of"),
        (json!({"connection": "other"}), "{connection: other}"),
        (json!({"headers": {"authorization": "Basic x"}}), "the connection's own"),
    ] {
        let said = run(&all, "Data", &data(more.clone())).await.unwrap_err();
        assert!(said.contains(why), "{more}: {said}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn tokens_are_replaced_where_they_may_be() {
    let server = Server::start(Way::Says(ok(r#"{"id": "7"}"#))).await;
    let plugin = connected(&server, &[]).await;
    let make = |create: Value| json!({"connection": "api", "create": create});
    let fine =
        make(json!({"path": "/x", "headers": {"x-key": TOKEN}, "body": {"password": TOKEN, "a": [TOKEN]}}));
    run(&plugin, "Resource", &fine).await.unwrap();
    let seen = server.seen().remove(0);
    assert!(seen.contains(&format!("x-key: {PASSWORD}\r\n")), "{seen}");
    let body = format!(r#"{{"a":["{PASSWORD}"],"password":"{PASSWORD}"}}"#);
    assert!(seen.contains(&format!("content-length: {}\r\n", body.len())) && seen.ends_with(&body), "{seen}");
    for (create, why) in [
        (json!({"path": format!("/x?k={TOKEN}")}), "in the URL"),
        (json!({"path": "/x", "headers": {"x-key": format!("Key {TOKEN}")}}), "inside the header `x-key`"),
        (json!({"path": "/x", "body": {"url": format!("a:{TOKEN}@b")}}), "inside a text of the body"),
        (json!({"path": "/x", "body": {TOKEN: 1}}), "in a key"),
        (json!({"path": "/x", "text": TOKEN}), "not JSON"),
    ] {
        let said = run(&plugin, "Resource", &make(create.clone())).await.unwrap_err();
        assert!(said.contains("denied") || said.contains("http.not-granted"), "{create}: {said}");
        assert!(said.contains(why), "{create}: {said}");
    }
    assert_eq!(server.seen().len(), 0, "nothing of those was sent");
}

#[tokio::test]
async fn a_large_body_is_measured_before_it_is_sent() {
    let server = Server::start(Way::Says(ok(r#"{"id": "7"}"#))).await;
    let plugin = http(&roomy(&server)).await;
    let make = |bytes: usize| {
        let text = "x".repeat(bytes);
        json!({"url": server.url(), "create": {"path": "/x", "text": text}})
    };
    let said = run(&plugin, "Resource", &make(limits::HTTP_BODY + 1)).await.unwrap_err();
    assert!(said.contains("too large"), "{said}");
    assert!(server.seen().is_empty());
    run(&plugin, "Resource", &make(limits::HTTP_BODY)).await.unwrap();
    assert!(server.seen().remove(0).contains("content-length: 8388608\r\n"));
}

/// The same grants, for a guest that holds eight MiB several times.
fn roomy(server: &Server) -> Grants {
    let limits = LimitRaises { memory_mib: Some(256), reply_mib: Some(64), ..LimitRaises::default() };
    Grants { limits, ..here(server) }
}

#[tokio::test]
async fn a_reply_as_large_as_may_be_and_one_larger() {
    let body = |bytes: usize| ok(&format!(r#"{{"a": 1, "x": "{}"}}"#, "y".repeat(bytes - 17)));
    let headers = |n: usize| {
        let more: String = (0..n - 1).map(|i| format!("x-{i}: y\r\n")).collect();
        format!("HTTP/1.1 200 OK\r\n{more}content-length: 8\r\n\r\n{{\"a\": 1}}").into_bytes()
    };
    for (way, why) in [
        (body(limits::HTTP_BODY), None),
        (body(limits::HTTP_BODY + 1), Some("too large")),
        (headers(limits::HTTP_HEADERS), None),
        (headers(limits::HTTP_HEADERS + 1), Some("headers are too large")),
    ] {
        let server = Server::start(Way::Says(way)).await;
        let said = read(&http(&roomy(&server)).await, &server.url(), json!({})).await;
        match why {
            None => assert_eq!(said.unwrap()["values"], json!({"a": 1})),
            Some(why) => assert!(said.clone().unwrap_err().contains(why), "{said:?}"),
        }
    }
}

#[tokio::test]
async fn a_path_as_long_as_may_be_and_one_longer() {
    let server = Server::start(Way::Says(ok(r#"{"a": 1}"#))).await;
    let plugin = http(&here(&server)).await;
    let path = |bytes: usize| json!({"path": format!("/{}", "x".repeat(bytes - 1))});
    read(&plugin, &server.url(), path(limits::HTTP_URL)).await.unwrap();
    assert_eq!(server.seen().len(), 1);
    let said = read(&plugin, &server.url(), path(limits::HTTP_URL + 1)).await.unwrap_err();
    assert!(said.contains("too long"), "{said}");
    assert!(server.seen().is_empty());
}

/// Sends requests with `asker:Ask`: how many were answered, and how the others were refused.
async fn ask(server: &Server, times: usize, at_once: usize) -> Value {
    let plugin = load(&built("asker"), &here(server)).await;
    let authority = format!("127.0.0.1:{}", server.port);
    let props = json!({"server": authority, "times": times, "at-once": at_once}).to_string();
    match plugin.apply(&create("Ask", &props), &agreed(), "op", None).await.unwrap() {
        Step::Done(Some(snapshot)) => serde_json::from_str(&snapshot.outputs.json).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_call_sends_as_many_requests_as_it_may_and_not_one_more() {
    let server = Server::start(Way::Says(ok("{}"))).await;
    assert_eq!(
        ask(&server, limits::HTTP_REQUESTS, 5).await,
        json!({"answered": limits::HTTP_REQUESTS, "refused": []})
    );
    assert_eq!(server.seen().len(), limits::HTTP_REQUESTS);
    let more = ask(&server, limits::HTTP_REQUESTS + 1, 5).await;
    assert_eq!(more["answered"], limits::HTTP_REQUESTS);
    assert!(more["refused"].to_string().contains("ConnectionLimitReached"), "{more}");
    assert_eq!(server.seen().len(), limits::HTTP_REQUESTS, "the last was not sent");
}

#[tokio::test]
async fn so_many_requests_are_under_way_at_once_and_no_more() {
    // The server answers nobody until as many have come as may come at once.
    let (most, all) = (limits::HTTP_AT_ONCE, 3 * limits::HTTP_AT_ONCE);
    let server = Server::start(Way::Together(most)).await;
    let seen = ask(&server, all, all).await;
    assert_eq!(seen["answered"], all, "{seen}");
    assert_eq!(server.most_at_once(), most);
}
