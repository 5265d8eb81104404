//! Waiting: until workloads are ready, why they are not, until objects are gone.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use sheave_cluster::{AwaitError, AwaitTarget, Cluster};
use sheave_manifest::{Readiness, readiness};
use sheave_testkit::cluster::kubectl;

use crate::{apply, as_user, cluster, config_map, deployment, forced, id, uid};

pub(crate) const LONG: Duration = Duration::from_secs(60);

fn target(obj: &Json) -> AwaitTarget {
    AwaitTarget { id: id(obj), uid: None, seen: None, judge: Box::new(readiness) }
}

/// Waits for one object, and gives what was heard meanwhile.
async fn ready(
    cluster: &Cluster,
    obj: &Json,
    timeout: Duration,
) -> (Result<Vec<Json>, AwaitError>, Vec<String>) {
    let mut heard = Vec::new();
    let end = cluster.await_ready(vec![target(obj)], timeout, |p| heard.push(p.reason)).await;
    (end, heard)
}

#[tokio::test]
async fn a_deployment_becomes_ready() {
    let (cluster, ns) = cluster().await;
    let obj = deployment(&ns, "web", 3, &json!({}));
    apply(&cluster, &obj).await.unwrap();
    let (end, heard) = ready(&cluster, &obj, LONG).await;
    assert_eq!(end.unwrap()[0]["status"]["readyReplicas"], 3);
    assert!(!heard.is_empty());

    // What was ready before is not ready after a change until the change is done.
    let mut changed = obj.clone();
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:2");
    apply(&cluster, &changed).await.unwrap();
    let live = &ready(&cluster, &changed, LONG).await.0.unwrap()[0];
    assert_eq!(live["status"]["updatedReplicas"], 3);
    assert_eq!(live["metadata"]["generation"], live["status"]["observedGeneration"]);
}

#[tokio::test]
async fn many_at_once_share_a_watch() {
    let (cluster, ns) = cluster().await;
    let objects: Vec<Json> = (0..20).map(|i| deployment(&ns, &format!("web{i}"), 1, &json!({}))).collect();
    for obj in &objects {
        apply(&cluster, obj).await.unwrap();
    }
    let targets = objects.iter().map(target).collect();
    let live = cluster.await_ready(targets, LONG, |_| ()).await.unwrap();
    let names: Vec<&str> = live.iter().map(|o| o["metadata"]["name"].as_str().unwrap()).collect();
    let wanted: Vec<&str> = objects.iter().map(|o| o["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, wanted);
}

/// Waits until a wait says all the words, and gives what it said.
async fn until_said(cluster: &Cluster, obj: &Json, words: &[&str]) -> String {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let waiting = cluster.await_ready(vec![target(obj)], LONG, move |p| drop(tell.send(p.reason)));
    let saying = async {
        let mut last = String::new();
        while let Some(said) = told.recv().await {
            last = said;
            if words.iter().all(|w| last.contains(w)) {
                return last;
            }
        }
        panic!("the last that was said was: {last}")
    };
    tokio::select! {
        said = saying => said,
        end = waiting => panic!("{words:?} were not said: {:?}", end.map(|_| "ready").map_err(|e| e.diagnostic())),
    }
}

#[tokio::test]
async fn failing_pods_say_why() {
    let (cluster, ns) = cluster().await;
    for (how, word) in [
        ("image-pull", "ImagePullBackOff (container app)"),
        ("crash-loop", "CrashLoopBackOff (container app"),
        ("config", "CreateContainerConfigError (container app)"),
        ("unready", "readiness probe has not passed"),
    ] {
        let obj = deployment(&ns, how, 1, &json!({"sheave.test/fail": how}));
        apply(&cluster, &obj).await.unwrap();
        let said = until_said(&cluster, &obj, &[word, "last warning: Pod "]).await;
        assert!(said.contains(&format!("; pod {how}-")), "{said}");
    }
}

#[tokio::test]
async fn a_pod_that_fits_nowhere_says_why() {
    let (cluster, ns) = cluster().await;
    let mut obj = deployment(&ns, "web", 1, &json!({}));
    obj["spec"]["template"]["spec"]["nodeSelector"] = json!({"no": "such-node"});
    apply(&cluster, &obj).await.unwrap();
    until_said(&cluster, &obj, &["Unschedulable", "FailedScheduling"]).await;
}

#[tokio::test]
async fn a_quota_that_refuses_pods_is_said() {
    let (cluster, ns) = cluster().await;
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": ns.name}, "spec": {"hard": {"pods": "0"}}});
    apply(&cluster, &quota).await.unwrap();
    kubectl(&[
        "wait",
        "-n",
        &ns.name,
        "resourcequota/q",
        "--for=jsonpath={.status.hard.pods}=0",
        "--timeout=30s",
    ]);
    let obj = deployment(&ns, "web", 1, &json!({}));
    apply(&cluster, &obj).await.unwrap();
    until_said(&cluster, &obj, &["FailedCreate", "exceeded quota", "last warning: ReplicaSet web-"]).await;
}

#[tokio::test]
async fn a_timeout_says_what_was_waited_for() {
    let (cluster, ns) = cluster().await;
    let obj = deployment(&ns, "web", 1, &json!({"sheave.test/fail": "for-ever"}));
    apply(&cluster, &obj).await.unwrap();
    let error = ready(&cluster, &obj, Duration::from_secs(4)).await.0.unwrap_err();
    assert!(matches!(&error, AwaitError::Timeout { wanted: "ready", .. }), "{error}");
    assert_eq!(error.to_string(), format!("Deployment {}/web was not ready within 4 s", ns.name));
    let said = error.diagnostic().detail.unwrap();
    assert!(said.contains("0 of 1 replicas"), "{said}");
}

#[tokio::test]
async fn crashing_pods_and_failed_jobs_end_the_wait() {
    let (cluster, ns) = cluster().await;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": ns.name, "labels": {"sheave.test/fail": "crash-loop"}},
        "spec": {"containers": [{"name": "app", "image": "x"}]}});
    apply(&cluster, &pod).await.unwrap();
    let error = ready(&cluster, &pod, LONG).await.0.unwrap_err();
    assert!(matches!(&error, AwaitError::Failed { rule: "pod.crash-loop", .. }), "{error}");
    assert!(error.diagnostic().detail.unwrap().contains("5 restarts"));

    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": ns.name}, "spec": {"backoffLimit": 0, "template": {
        "metadata": {"labels": {"sheave.test/fail": "exit"}}, "spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "x"}]}}}});
    apply(&cluster, &job).await.unwrap();
    let error = ready(&cluster, &job, LONG).await.0.unwrap_err();
    assert!(matches!(&error, AwaitError::Failed { rule: "job.failed", .. }), "{error}");
    assert_eq!(error.code(), "await.failed");
}

#[tokio::test]
async fn services_claims_and_namespaces_become_ready() {
    let (cluster, ns) = cluster().await;
    let claim = |name: &str, class: &str| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": ns.name},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": "1Gi"}}}})
    };
    let objects = [
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": ns.name}, "spec": {"type": "LoadBalancer", "selector": {"a": "b"}, "ports": [{"port": 80}]}}),
        claim("bound", "standard"),
        claim("waiting", "standard-wait"),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns.name}}),
    ];
    for obj in &objects {
        forced(&cluster, obj).await.unwrap();
    }
    let live = cluster.await_ready(objects.iter().map(target).collect(), LONG, |_| ()).await.unwrap();
    assert!(live[0]["status"]["loadBalancer"]["ingress"][0]["ip"].is_string());
    assert_eq!(live[1]["status"]["phase"], "Bound");
    assert_eq!(live[2]["status"]["phase"], "Pending");
}

/// Runs `change` once the wait has said something.
async fn meanwhile(
    cluster: &Cluster,
    target: AwaitTarget,
    change: impl FnOnce() + Send + 'static,
) -> Result<Vec<Json>, AwaitError> {
    let change = Mutex::new(Some(change));
    let started = Arc::new(tokio::sync::Notify::new());
    let heard = Arc::clone(&started);
    let waiting = cluster.await_ready(vec![target], LONG, move |_| heard.notify_one());
    let changing = async {
        started.notified().await;
        let change = change.lock().unwrap().take().unwrap();
        tokio::task::spawn_blocking(change).await.unwrap();
    };
    tokio::join!(waiting, changing).0
}

#[tokio::test]
async fn the_authors_own_condition_is_heard_of_by_the_watch() {
    let (cluster, ns) = cluster().await;
    let obj = config_map(&ns, "a", json!({}));
    apply(&cluster, &obj).await.unwrap();
    let judge = |live: &Json| match live.pointer("/data/done") {
        Some(_) => Readiness::Ready,
        None => Readiness::InProgress { reason: "not done".into() },
    };
    let name = ns.name.clone();
    let change =
        move || drop(kubectl(&["patch", "configmap", "a", "-n", &name, "-p", r#"{"data":{"done":"yes"}}"#]));
    let awaited = AwaitTarget { id: id(&obj), uid: None, seen: None, judge: Box::new(judge) };
    let started = Instant::now();
    let live = meanwhile(&cluster, awaited, change).await.unwrap();
    assert_eq!(live[0]["data"]["done"], "yes");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn what_is_deleted_or_replaced_ends_the_wait() {
    let (cluster, ns) = cluster().await;
    let never = |_: &Json| Readiness::InProgress { reason: "never".into() };
    let obj = config_map(&ns, "a", json!({}));
    let live = apply(&cluster, &obj).await.unwrap().object;
    let awaited = |uid| AwaitTarget { id: id(&obj), uid, seen: None, judge: Box::new(never) };
    let name = ns.name.clone();
    let change = move || drop(kubectl(&["delete", "configmap", "a", "-n", &name]));
    let error = meanwhile(&cluster, awaited(Some(uid(&live))), change).await.unwrap_err();
    assert!(matches!(error, AwaitError::Deleted { .. }), "{error}");
    apply(&cluster, &obj).await.unwrap();
    let error = cluster.await_ready(vec![awaited(Some(uid(&live)))], LONG, |_| ()).await.unwrap_err();
    assert!(matches!(error, AwaitError::Replaced { .. }), "{error}");
}

#[tokio::test]
async fn who_may_not_watch_a_kind_still_waits() {
    let (cluster, ns) = cluster().await;
    let obj = deployment(&ns, "web", 1, &json!({}));
    apply(&cluster, &obj).await.unwrap();
    let nolist = as_user("nolist").await;
    let live = ready(&nolist, &obj, LONG).await.0.unwrap();
    assert_eq!(live[0]["status"]["readyReplicas"], 1);
}

#[tokio::test]
async fn gone_says_which_finalizer_holds() {
    let (cluster, ns) = cluster().await;
    let mut obj = config_map(&ns, "a", json!({}));
    obj["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let live = apply(&cluster, &obj).await.unwrap().object;
    cluster.delete(&id(&obj), None).await.unwrap();
    let mut heard = Vec::new();
    let error = cluster
        .await_gone(&id(&obj), &uid(&live), Duration::from_millis(500), |reason| {
            heard.push(reason.to_owned())
        })
        .await
        .unwrap_err();
    assert_eq!(heard, ["it waits for the finalizer example.com/hold"]);
    assert!(matches!(error, AwaitError::Timeout { wanted: "gone", .. }), "{error}");
    let name = ns.name.clone();
    let release = tokio::task::spawn_blocking(move || {
        kubectl(&[
            "patch",
            "configmap",
            "a",
            "-n",
            &name,
            "--type=json",
            "-p",
            r#"[{"op":"remove","path":"/metadata/finalizers"}]"#,
        ])
    });
    let (id, uid) = (id(&obj), uid(&live));
    let (gone, _) = tokio::join!(cluster.await_gone(&id, &uid, LONG, |_| ()), release);
    gone.unwrap();
    cluster.await_gone(&id, "another", LONG, |_| ()).await.unwrap();
}
