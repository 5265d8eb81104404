//! Against servers that are busy, cut connections, forget versions, or lie: small ones of our own, on a local port.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use sheave_cluster::{ApplyOptions, AwaitTarget, Cluster, ClusterError, TargetSettings};
use sheave_manifest::Readiness;
use sheave_model::ObjectId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a server answers, by what is asked.
type Rules = Arc<Vec<(&'static str, Mutex<VecDeque<Step>>)>>;

/// What a server does with a request whose line holds the text.
struct Rule {
    when: &'static str,
    then: Vec<Step>,
}

#[derive(Clone)]
enum Step {
    /// Status, headers, body.
    Reply(u16, &'static str, String),
    /// Status 200, then these lines of a watch, then what follows them.
    Watch(Vec<Json>, After),
    /// Hang up.
    Cut,
}

#[derive(Clone, Copy)]
enum After {
    End,
    Stay,
}

struct Server {
    cluster: Cluster,
    asked: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Each rule's steps are taken one after the other; the last one again and again.
    async fn with(rules: Vec<Rule>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let rules: Rules = Arc::new(rules.into_iter().map(|r| (r.when, Mutex::new(r.then.into()))).collect());
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&rules), Arc::clone(&heard)));
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kubeconfig");
        let text = format!(
            "{{clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}], current-context: c, \
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}], users: [{{name: u, user: {{token: t}}}}]}}"
        );
        std::fs::write(&file, text).unwrap();
        let settings = TargetSettings { kubeconfig: Some(file), ..TargetSettings::default() };
        let cluster = Cluster::connect("main", &settings).await.unwrap();
        Self { cluster, asked, _folder: folder }
    }

    /// How many requests held the text.
    fn asked(&self, text: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|a| a.contains(text)).count()
    }
}

async fn serve(mut stream: TcpStream, rules: Rules, asked: Arc<Mutex<Vec<String>>>) {
    let mut buffer = Vec::new();
    loop {
        let Some(head) = head(&mut stream, &mut buffer).await else { return };
        let line = head.lines().next().unwrap().to_owned();
        asked.lock().unwrap().push(line.clone());
        let step = rules.iter().find(|(when, _)| line.contains(when)).map(|(_, steps)| {
            let mut steps = steps.lock().unwrap();
            if steps.len() > 1 { steps.pop_front().unwrap() } else { steps[0].clone() }
        });
        let step = step.unwrap_or_else(|| Step::Reply(403, "", status(403, "Forbidden").to_string()));
        match step {
            Step::Cut => return,
            Step::Reply(status, headers, body) => {
                let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
                if stream.write_all((head + &body).as_bytes()).await.is_err() {
                    return;
                }
            }
            Step::Watch(lines, after) => {
                let mut text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
                for line in lines {
                    // In two chunks, so that no reader may take a chunk for a line.
                    let line = format!("{line}\n");
                    let (a, b) = line.split_at(line.len() / 2);
                    text += &format!("{:x}\r\n{a}\r\n{:x}\r\n{b}\r\n", a.len(), b.len());
                }
                if matches!(after, After::End) {
                    text += "0\r\n\r\n";
                }
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
                if matches!(after, After::Stay) {
                    // Until the other side goes.
                    let _ = stream.read(&mut [0]).await;
                    return;
                }
            }
        }
    }
}

/// Reads a request: gives its head, and takes its body.
async fn head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let whole = end + 4 + length.unwrap_or(0_usize);
            if buffer.len() >= whole {
                buffer.drain(..whole);
                return Some(head);
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

fn status(code: u16, reason: &str) -> Json {
    json!({"kind": "Status", "code": code, "reason": reason, "message": reason, "details": {"name": "a", "kind": "configmaps"}})
}

fn object(version: u32, data: Json) -> Json {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
        "metadata": {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": version.to_string()}})
}

fn event(kind: &str, object: &Json) -> Json {
    json!({"type": kind, "object": object})
}

fn id() -> ObjectId {
    ObjectId {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        namespace: Some("n".into()),
        name: "a".into(),
    }
}

fn ok(object: &Json) -> Step {
    Step::Reply(200, "", object.to_string())
}

/// Ready once `data.done` stands.
fn done(live: &Json) -> Readiness {
    match live.pointer("/data/done") {
        Some(_) => Readiness::Ready,
        None => Readiness::InProgress { reason: "not done".into() },
    }
}

async fn wait(server: &Server) -> Result<Vec<Json>, sheave_cluster::AwaitError> {
    let target = AwaitTarget { id: id(), uid: Some("u".into()), seen: None, judge: Box::new(done) };
    server.cluster.await_ready(vec![target], Duration::from_secs(30), |_| ()).await
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let busy = Step::Reply(429, "Retry-After: 1\r\n", status(429, "TooManyRequests").to_string());
    let server = Server::with(vec![Rule {
        when: "GET /api/v1/namespaces/n",
        then: vec![busy, ok(&object(1, json!({})))],
    }])
    .await;
    let started = Instant::now();
    assert!(server.cluster.get(&id()).await.unwrap().is_some());
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.asked("/configmaps/a"), 2);
}

#[tokio::test]
async fn a_cut_connection_is_tried_again_where_that_does_no_harm() {
    let server = Server::with(vec![
        Rule { when: "PATCH", then: vec![Step::Cut, Step::Cut, ok(&object(1, json!({})))] },
        Rule { when: "POST", then: vec![Step::Cut] },
    ])
    .await;
    let applied = server.cluster.apply(&object(0, json!({})), &ApplyOptions::default()).await.unwrap();
    assert!(!applied.created);
    assert_eq!(server.asked("PATCH"), 3);
    let posted =
        server.cluster.raw(http::Method::POST, "/api/v1/namespaces/n/configmaps", None, b"{}".to_vec()).await;
    assert!(matches!(posted, Err(ClusterError::Unreachable { .. })), "{posted:?}");
    assert_eq!(server.asked("POST"), 1);
}

#[tokio::test]
async fn a_server_that_only_cuts_is_given_up() {
    let server = Server::with(vec![Rule { when: "GET /api/v1/namespaces/n", then: vec![Step::Cut] }]).await;
    let error = server.cluster.get(&id()).await.unwrap_err();
    assert!(matches!(error, ClusterError::Unreachable { .. }), "{error:?}");
    assert_eq!(server.asked("/configmaps/a"), 4);
}

#[tokio::test]
async fn an_apply_that_meets_another_write_is_sent_again_and_a_conflict_is_not() {
    let busy = Step::Reply(409, "", status(409, "Conflict").to_string());
    let mut owned = status(409, "Conflict");
    owned["details"] = json!({"causes": [
        {"reason": "FieldManagerConflict", "message": "conflict with \"other\"", "field": ".data.a"}]});
    for (steps, asked, good) in [
        (vec![busy.clone(), busy.clone(), ok(&object(1, json!({})))], 3, true),
        (vec![busy], 4, false),
        (vec![Step::Reply(409, "", owned.to_string())], 1, false),
    ] {
        let server = Server::with(vec![Rule { when: "PATCH", then: steps }]).await;
        let applied = server.cluster.apply(&object(0, json!({})), &ApplyOptions::default()).await;
        assert_eq!((applied.is_ok(), server.asked("PATCH")), (good, asked));
    }
}

#[tokio::test]
async fn a_webhook_that_refuses_is_named_with_its_words() {
    let mut refused = status(400, "BadRequest");
    refused["message"] = json!("admission webhook \"no.example.com\" denied the request: not on a Friday");
    let reply = Step::Reply(400, "", refused.to_string());
    let server = Server::with(vec![Rule { when: "PATCH", then: vec![reply] }]).await;
    let error = server.cluster.apply(&object(0, json!({})), &ApplyOptions::default()).await.err().unwrap();
    let said = error.diagnostic();
    assert_eq!(said.code, "cluster.refused");
    assert_eq!(said.summary, "cannot apply ConfigMap n/a: webhook no.example.com refuses it");
    assert!(said.detail.unwrap().contains("not on a Friday"));
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_the_servers_fault_and_not_repeated_in_debug() {
    let server = Server::with(vec![Rule {
        when: "/configmaps/a",
        then: vec![Step::Reply(200, "", "<html>sesame".into())],
    }])
    .await;
    let error = server.cluster.get(&id()).await.unwrap_err();
    assert!(matches!(error, ClusterError::Server { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("sesame"));
}

#[tokio::test]
async fn a_watch_goes_on_after_each_cut_from_where_it_was() {
    let bookmark = event("BOOKMARK", &json!({"kind": "ConfigMap", "metadata": {"resourceVersion": "5"}}));
    let server = Server::with(vec![
        Rule {
            when: "resourceVersion=5",
            then: vec![Step::Watch(vec![event("MODIFIED", &object(6, json!({"done": "1"})))], After::Stay)],
        },
        Rule {
            when: "watch=true",
            then: vec![
                Step::Cut,
                Step::Watch(vec![event("ADDED", &object(2, json!({}))), bookmark], After::End),
            ],
        },
        Rule { when: "/configmaps/a", then: vec![ok(&object(2, json!({})))] },
    ])
    .await;
    assert_eq!(wait(&server).await.unwrap()[0]["metadata"]["resourceVersion"], "6");
    assert_eq!(server.asked("/configmaps?watch=true"), 3);
    let read = server.asked("/configmaps/a");
    assert!(
        read <= 2,
        "{read} times: once at first, once at most when the watch began, and then never again"
    );
}

#[tokio::test]
async fn a_forgotten_version_means_a_fresh_start() {
    let gone = event("ERROR", &status(410, "Expired"));
    for expired in
        [Step::Watch(vec![gone], After::End), Step::Reply(410, "", status(410, "Expired").to_string())]
    {
        let server = Server::with(vec![
            Rule { when: "resourceVersion=2", then: vec![expired] },
            Rule {
                when: "watch=true",
                then: vec![
                    Step::Watch(vec![event("ADDED", &object(2, json!({})))], After::End),
                    // A watch without a version begins with what there is.
                    Step::Watch(vec![event("ADDED", &object(9, json!({"done": "1"})))], After::Stay),
                ],
            },
            Rule { when: "/configmaps/a", then: vec![ok(&object(2, json!({})))] },
        ])
        .await;
        assert_eq!(wait(&server).await.unwrap()[0]["metadata"]["resourceVersion"], "9");
        assert_eq!(server.asked("watch=true"), 3);
        assert_eq!(server.asked("resourceVersion=2"), 1);
    }
}

#[tokio::test]
async fn what_goes_before_the_watch_begins_is_not_missed() {
    let server = Server::with(vec![
        Rule { when: "watch=true", then: vec![Step::Watch(vec![], After::Stay)] },
        Rule {
            when: "/configmaps/a",
            then: vec![ok(&object(2, json!({}))), Step::Reply(404, "", status(404, "NotFound").to_string())],
        },
    ])
    .await;
    let error = wait(&server).await.unwrap_err();
    assert!(matches!(error, sheave_cluster::AwaitError::Deleted { .. }), "{error}");
}

#[tokio::test]
async fn old_news_do_not_replace_what_was_read() {
    // The watch first tells of a state before the one that was read, in which all was done.
    let stale = event("ADDED", &object(3, json!({"done": "old"})));
    let fresh = event("MODIFIED", &object(11, json!({"done": "new"})));
    let server = Server::with(vec![
        Rule {
            when: "watch=true",
            then: vec![Step::Watch(vec![stale], After::End), Step::Watch(vec![fresh], After::Stay)],
        },
        Rule { when: "/configmaps/a", then: vec![ok(&object(10, json!({})))] },
    ])
    .await;
    assert_eq!(wait(&server).await.unwrap()[0]["data"]["done"], "new");
}

#[tokio::test]
async fn garbage_in_a_watch_ends_only_that_connection() {
    let server = Server::with(vec![
        Rule {
            when: "watch=true",
            then: vec![
                Step::Watch(vec![json!("sesame"), json!({"type": 7})], After::Stay),
                Step::Watch(vec![event("MODIFIED", &object(6, json!({"done": "1"})))], After::Stay),
            ],
        },
        Rule { when: "/configmaps/a", then: vec![ok(&object(2, json!({})))] },
    ])
    .await;
    assert_eq!(wait(&server).await.unwrap()[0]["metadata"]["resourceVersion"], "6");
}

#[tokio::test]
async fn without_the_right_to_watch_it_is_read_time_and_again() {
    let forbidden = Step::Reply(403, "", status(403, "Forbidden").to_string());
    let server = Server::with(vec![
        Rule { when: "watch=true", then: vec![forbidden] },
        Rule {
            when: "/configmaps/a",
            then: vec![
                ok(&object(2, json!({}))),
                ok(&object(2, json!({}))),
                ok(&object(2, json!({}))),
                ok(&object(3, json!({"done": "1"}))),
            ],
        },
    ])
    .await;
    assert_eq!(wait(&server).await.unwrap()[0]["metadata"]["resourceVersion"], "3");
    // The kind in its namespace, and then the one object.
    assert_eq!(
        (server.asked("/configmaps?watch=true"), server.asked("fieldSelector=metadata.name%3Da")),
        (2, 1)
    );
}

#[tokio::test]
async fn a_list_that_never_ends_is_given_up_and_one_that_expires_begins_anew() {
    let page = |token: &str, name: &str| {
        let items = json!([{"metadata": {"name": name}}]);
        Step::Reply(200, "", json!({"metadata": {"continue": token}, "items": items}).to_string())
    };
    let server = Server::with(vec![
        Rule {
            when: "continue=one",
            then: vec![Step::Reply(410, "", status(410, "Expired").to_string()), page("", "b")],
        },
        Rule { when: "/configmaps?limit", then: vec![page("one", "a")] },
        Rule { when: "/secrets?limit", then: vec![page("more", "x")] },
    ])
    .await;
    let names = |list: Vec<Json>| {
        list.iter().map(|o| o["metadata"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(server.cluster.list("v1", "ConfigMap", Some("n"), None).await.unwrap()), ["a", "b"]);
    let endless = server.cluster.list("v1", "Secret", Some("n"), None).await.unwrap_err();
    assert!(matches!(endless, ClusterError::Server { .. }), "{endless:?}");
}
