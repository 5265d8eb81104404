//! Against a real control plane: each test has a namespace of its own, and leaves nothing behind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

mod connect;
mod fixed;
mod kinds;
mod lists;
mod objects;
mod oracle;
mod ownership;
mod wait;

use serde_json::{Value as Json, json};
use sheave_cluster::{Applied, ApplyOptions, Cluster, ClusterError, TargetSettings};
use sheave_manifest::{identity, prepare};
use sheave_model::ObjectId;
use sheave_testkit::cluster::{Namespace, kubeconfig};

fn settings(context: &str) -> TargetSettings {
    TargetSettings {
        context: Some(context.to_owned()),
        kubeconfig: Some(kubeconfig()),
        ..TargetSettings::default()
    }
}

/// A connection as its administrator, and a namespace.
async fn cluster() -> (Cluster, Namespace) {
    (as_user("admin").await, Namespace::new("cluster"))
}

async fn as_user(context: &str) -> Cluster {
    Cluster::connect("main", &settings(context)).await.unwrap()
}

fn config_map(ns: &Namespace, name: &str, data: Json) -> Json {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": ns.name}, "data": data})
}

/// A Deployment whose pods carry `labels` beside their own.
fn deployment(ns: &Namespace, name: &str, replicas: u32, labels: &Json) -> Json {
    let mut labels = labels.clone();
    labels["app"] = json!(name);
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": ns.name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": "web:1", "resources": {"limits": {"cpu": "1000m"}}}]}}},
    })
}

fn id(obj: &Json) -> ObjectId {
    identity(obj).unwrap()
}

fn uid(obj: &Json) -> String {
    obj["metadata"]["uid"].as_str().unwrap().to_owned()
}

async fn apply(cluster: &Cluster, obj: &Json) -> Result<Applied, ClusterError> {
    cluster.apply(&prepare(obj.clone()).unwrap(), &ApplyOptions::default()).await
}

async fn forced(cluster: &Cluster, obj: &Json) -> Result<Applied, ClusterError> {
    let options = ApplyOptions { force: true, ..ApplyOptions::default() };
    cluster.apply(&prepare(obj.clone()).unwrap(), &options).await
}
