//! The rules of each kind: when an object of it is ready, failed, or still on its way.

use serde_json::Value as Json;
use sheave_model::plugin::group_of;

use crate::pod;
use crate::readiness::{Live, Readiness};

/// The judgement of the kind's own rule; none where the kind has none.
pub(crate) fn of_kind(obj: Live<'_>) -> Option<Readiness> {
    let version = obj.text("/apiVersion");
    let group = group_of(version);
    Some(match (group, obj.text("/kind")) {
        ("apps", "Deployment") => deployment(obj),
        ("apps", "StatefulSet") => stateful_set(obj),
        ("apps", "DaemonSet") => daemon_set(obj),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => replica_set(obj),
        ("", "Pod") => pod::readiness_of(obj),
        ("batch", "Job") => job(obj),
        ("", "PersistentVolumeClaim") => claim(obj),
        ("", "Service") => service(obj),
        ("", "Namespace") => namespace(obj),
        // What is set on a node is set, whether or not the node is well.
        ("", "Node") => Readiness::Ready,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => crd(obj),
        ("apiregistration.k8s.io", "APIService") => api_service(obj),
        // At once: their status tells of things that need not ever come, such as a load balancer's address.
        ("networking.k8s.io", "Ingress") => Readiness::Ready,
        _ => return None,
    })
}

fn unseen(obj: Live<'_>) -> Option<Readiness> {
    obj.int("/status/observedGeneration")
        .is_none()
        .then(|| Readiness::waiting("its controller has not seen it yet"))
}

/// `2 of 3 replicas are ready`, where it is so.
fn short(have: i64, want: i64, word: &str) -> Option<Readiness> {
    (have < want).then(|| Readiness::waiting(format!("{have} of {want} replicas are {word}")))
}

fn extra(have: i64, want: i64) -> Option<Readiness> {
    (have > want).then(|| Readiness::waiting(format!("{} old replicas are still there", have - want)))
}

/// The first thing that is in the way; ready where nothing is.
fn first(checks: impl IntoIterator<Item = Option<Readiness>>) -> Readiness {
    checks.into_iter().flatten().next().unwrap_or(Readiness::Ready)
}

fn deployment(obj: Live<'_>) -> Readiness {
    let progressing = obj.condition("Progressing");
    if let Some(c) = progressing.as_ref().filter(|c| c.reason == "ProgressDeadlineExceeded") {
        return Readiness::failed("deployment.progress-deadline", c.words("no progress within its deadline"));
    }
    let want = obj.int("/spec/replicas").unwrap_or(1);
    let paused = obj.at("/spec/paused").and_then(Json::as_bool) == Some(true);
    let updated = obj.count("/status/updatedReplicas");
    let refused = obj.has("ReplicaFailure", "True");
    first([
        unseen(obj),
        // Why the replicas are short says more than that they are.
        refused.filter(|_| updated < want).map(|c| Readiness::waiting(c.words("pods cannot be created"))),
        short(updated, want, "updated")
            .map(|short| if paused { Readiness::waiting("the rollout is paused") } else { short }),
        extra(obj.count("/status/replicas"), want.max(updated)),
        short(obj.count("/status/readyReplicas"), want, "ready"),
        short(obj.count("/status/availableReplicas"), want, "available"),
        // Without a deadline there is no such condition.
        progressing
            .filter(|c| !paused && c.reason != "NewReplicaSetAvailable")
            .map(|_| Readiness::waiting("the new replica set is not complete yet")),
        match obj.condition("Available") {
            Some(c) if c.status == "True" => None,
            Some(c) => Some(Readiness::waiting(c.words("not available"))),
            None => Some(Readiness::waiting("not available yet")),
        },
    ])
}

fn stateful_set(obj: Live<'_>) -> Readiness {
    if obj.text("/spec/updateStrategy/type") == "OnDelete" {
        return Readiness::Ready;
    }
    let want = obj.int("/spec/replicas").unwrap_or(1);
    let partition = obj.count("/spec/updateStrategy/rollingUpdate/partition");
    let updated = obj.count("/status/updatedReplicas");
    let revisions = (obj.text("/status/currentRevision"), obj.text("/status/updateRevision"));
    let replicas = obj.count("/status/replicas");
    first([
        unseen(obj),
        short(replicas, want, "created"),
        short(obj.count("/status/readyReplicas"), want, "ready"),
        extra(replicas, want),
        short(obj.count("/status/availableReplicas"), want, "available"),
        if partition > 0 {
            short(updated, want.saturating_sub(partition), "updated")
        } else {
            (revisions.0 != revisions.1)
                .then(|| Readiness::waiting(format!("{updated} of {want} replicas are updated")))
        },
    ])
}

fn daemon_set(obj: Live<'_>) -> Readiness {
    let want = obj.count("/status/desiredNumberScheduled");
    let on_delete = obj.text("/spec/updateStrategy/type") == "OnDelete";
    let nodes = |pointer: &str, word: &str| {
        let have = obj.count(pointer);
        (have < want).then(|| Readiness::waiting(format!("{have} of {want} nodes have a pod {word}")))
    };
    first([
        unseen(obj),
        nodes("/status/currentNumberScheduled", "scheduled"),
        if on_delete { None } else { nodes("/status/updatedNumberScheduled", "updated") },
        nodes("/status/numberReady", "ready"),
        nodes("/status/numberAvailable", "available"),
    ])
}

fn replica_set(obj: Live<'_>) -> Readiness {
    let want = obj.int("/spec/replicas").unwrap_or(1);
    let replicas = obj.count("/status/replicas");
    first([
        unseen(obj),
        obj.has("ReplicaFailure", "True").map(|c| Readiness::waiting(c.words("pods cannot be created"))),
        short(replicas, want, "created"),
        short(obj.count("/status/fullyLabeledReplicas"), want, "labelled"),
        short(obj.count("/status/readyReplicas"), want, "ready"),
        short(obj.count("/status/availableReplicas"), want, "available"),
        extra(replicas, want),
    ])
}

fn job(obj: Live<'_>) -> Readiness {
    if let Some(c) = obj.has("Failed", "True") {
        return Readiness::failed("job.failed", c.words("the job failed"));
    }
    if obj.has("Complete", "True").is_some() {
        return Readiness::Ready;
    }
    if obj.at("/spec/suspend").and_then(Json::as_bool) == Some(true) {
        // As asked for: it will not move until somebody resumes it.
        return Readiness::Ready;
    }
    let (done, failed, active) =
        (obj.count("/status/succeeded"), obj.count("/status/failed"), obj.count("/status/active"));
    match obj.int("/spec/completions") {
        _ if obj.at("/status/startTime").is_none() => Readiness::waiting("not started yet"),
        Some(want) => Readiness::waiting(format!("{done} of {want} done, {active} active, {failed} failed")),
        None => Readiness::waiting(format!("{done} done, {active} active, {failed} failed")),
    }
}

fn claim(obj: Live<'_>) -> Readiness {
    match obj.text("/status/phase") {
        "Bound" => Readiness::Ready,
        "Lost" => Readiness::failed("persistent-volume-claim.lost", "its volume is lost"),
        _ => Readiness::waiting("no volume is bound yet"),
    }
}

fn service(obj: Live<'_>) -> Readiness {
    let kind = obj.text("/spec/type");
    if kind == "ExternalName" {
        return Readiness::Ready;
    }
    if obj.text("/spec/clusterIP").is_empty() {
        return Readiness::waiting("no cluster IP yet");
    }
    let ingress = obj.at("/status/loadBalancer/ingress").and_then(Json::as_array);
    let addressed = ingress
        .into_iter()
        .flatten()
        .any(|i| !Live(i).text("/ip").is_empty() || !Live(i).text("/hostname").is_empty());
    if kind == "LoadBalancer" && !addressed {
        return Readiness::waiting("the load balancer has no address yet");
    }
    Readiness::Ready
}

fn namespace(obj: Live<'_>) -> Readiness {
    match obj.text("/status/phase") {
        "Active" => Readiness::Ready,
        "Terminating" => Readiness::Terminating,
        _ => Readiness::waiting("not active yet"),
    }
}

fn crd(obj: Live<'_>) -> Readiness {
    if let Some(c) = obj.has("NamesAccepted", "False") {
        return Readiness::failed("crd.names-not-accepted", c.words("its names are taken"));
    }
    match obj.condition("Established") {
        Some(c) if c.status == "True" => Readiness::Ready,
        Some(c) => Readiness::waiting(c.words("not established yet")),
        None => Readiness::waiting("not established yet"),
    }
}

fn api_service(obj: Live<'_>) -> Readiness {
    match obj.condition("Available") {
        Some(c) if c.status == "True" => Readiness::Ready,
        Some(c) => Readiness::waiting(c.words("not available yet")),
        None => Readiness::waiting("not available yet"),
    }
}
