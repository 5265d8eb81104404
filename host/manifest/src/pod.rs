//! Why a pod is not ready, in the words that people search for: `ImagePullBackOff`, `CrashLoopBackOff`, `Unschedulable`.

use std::fmt;

use serde_json::Value as Json;

use crate::readiness::{Live, Readiness, brief};

/// Restarts of a crashing container after which the pod counts as failed: the back-off is then over a minute and a
/// half, and what crashes five times alike will crash again.
const MAX_RESTARTS: i64 = 5;

/// What keeps a pod from being ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodReason {
    /// `ImagePullBackOff`, `Unschedulable`, `CrashLoopBackOff`, ...
    pub reason: String,
    /// The cluster's words, one line; may be empty.
    pub message: String,
    /// The container, where it is one container's fault.
    pub container: Option<String>,
    /// How often that container was started again.
    pub restarts: i64,
    /// Whether it will hardly mend itself.
    pub serious: bool,
}

impl PodReason {
    /// Whether waiting longer is in vain: a container that crashed too often, or an image whose name no registry has.
    pub fn is_hopeless(&self) -> bool {
        match self.reason.as_str() {
            "CrashLoopBackOff" => self.restarts >= MAX_RESTARTS,
            "InvalidImageName" | "ErrImageNeverPull" => true,
            _ => false,
        }
    }
}

/// Whether all pods of a workload are of its present template: only then do their faults say something of it.
pub fn pods_are_current(workload: &Json) -> bool {
    let obj = Live(workload);
    let number = |at: &str| obj.at(at).and_then(Json::as_i64);
    let seen = number("/status/observedGeneration").is_some()
        && number("/status/observedGeneration") == number("/metadata/generation");
    let (all, updated) = match obj.text("/kind") {
        "DaemonSet" => ("/status/currentNumberScheduled", "/status/updatedNumberScheduled"),
        "Deployment" | "StatefulSet" => ("/status/replicas", "/status/updatedReplicas"),
        // These never change their template.
        "ReplicaSet" | "Job" | "Pod" => return true,
        _ => return false,
    };
    seen && number(updated).is_some() && number(all) == number(updated)
}

impl fmt::Display for PodReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        if let Some(container) = &self.container {
            write!(f, " (container {container}")?;
            match self.restarts {
                0 => f.write_str(")")?,
                1 => f.write_str(", 1 restart)")?,
                n => write!(f, ", {n} restarts)")?,
            }
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

/// The object that made a pod, as far as the pod tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Controller {
    /// `Deployment`, `StatefulSet`, `DaemonSet`, `Job`, `ReplicaSet`, ...
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// What made the pod. A replica set that carries a Deployment's hash in its name stands for the Deployment.
pub fn controller_of(pod: &Json) -> Option<Controller> {
    let owners = Live(pod).at("/metadata/ownerReferences")?.as_array()?;
    let owner =
        owners.iter().map(Live).find(|o| o.at("/controller").and_then(Json::as_bool) == Some(true))?;
    let (kind, name) = (owner.text("/kind"), owner.text("/name"));
    let hash = Live(pod).text("/metadata/labels/pod-template-hash");
    let deployment = (kind == "ReplicaSet" && !hash.is_empty())
        .then(|| name.strip_suffix(hash).and_then(|rest| rest.strip_suffix('-')))
        .flatten();
    Some(match deployment {
        Some(name) => Controller { kind: "Deployment".into(), name: name.into() },
        None => Controller { kind: kind.into(), name: name.into() },
    })
}

/// Says what keeps a pod from being ready; none where nothing does, or it is going away.
pub fn explain_pod(pod: &Json) -> Option<PodReason> {
    let obj = Live(pod);
    if obj.at("/metadata/deletionTimestamp").is_some() {
        return None;
    }
    let of_pod = |reason: &str, message: &str, serious| {
        Some(PodReason {
            reason: reason.to_owned(),
            message: brief(message),
            container: None,
            restarts: 0,
            serious,
        })
    };
    match obj.text("/status/phase") {
        "Succeeded" => return None,
        "Failed" => {
            let reason = obj.text("/status/reason");
            if reason.is_empty()
                && let Some(found) = containers(obj).find_map(ended)
            {
                return Some(found);
            }
            let reason = if reason.is_empty() { "Failed" } else { reason };
            return of_pod(reason, obj.text("/status/message"), true);
        }
        _ => {}
    }
    if let Some(c) = obj.has("PodScheduled", "False") {
        let reason = if c.reason.is_empty() { "Unscheduled" } else { c.reason };
        return of_pod(reason, c.message, c.reason == "Unschedulable");
    }
    if let Some(found) = containers(obj).find_map(waiting) {
        return Some(found);
    }
    if obj.text("/status/phase") != "Running" {
        return of_pod("Pending", "its containers are being created", false);
    }
    let ready = obj.condition("Ready");
    match ready {
        Some(c) if c.status == "True" => None,
        Some(c) => {
            let unready: Vec<&str> = containers(obj)
                .filter(|s| {
                    s.at("/ready").and_then(Json::as_bool) != Some(true) && s.at("/state/running").is_some()
                })
                .map(|s| s.text("/name"))
                .collect();
            let reason = if c.reason.is_empty() { "NotReady" } else { c.reason };
            match unready.as_slice() {
                [one] => Some(PodReason {
                    reason: reason.to_owned(),
                    message: "it runs, but its readiness probe has not passed".to_owned(),
                    container: Some((*one).to_owned()),
                    restarts: 0,
                    serious: false,
                }),
                _ => of_pod(reason, c.message, false),
            }
        }
        None => of_pod("NotReady", "the condition Ready is not set", false),
    }
}

/// The statuses of all containers, init containers first, as they run.
fn containers(obj: Live<'_>) -> impl Iterator<Item = Live<'_>> {
    ["/status/initContainerStatuses", "/status/containerStatuses", "/status/ephemeralContainerStatuses"]
        .into_iter()
        .filter_map(move |p| obj.at(p).and_then(Json::as_array))
        .flatten()
        .map(Live)
}

fn waiting(status: Live<'_>) -> Option<PodReason> {
    let reason = status.text("/state/waiting/reason");
    if matches!(reason, "" | "PodInitializing" | "ContainerCreating") {
        return status.at("/state/terminated").and_then(|_| ended(status));
    }
    let mut message = status.text("/state/waiting/message").to_owned();
    if reason == "CrashLoopBackOff"
        && let Some(code) = status.int("/lastState/terminated/exitCode")
    {
        let why = status.text("/lastState/terminated/reason");
        let said = status.text("/lastState/terminated/message");
        message = format!("it ended with exit code {code} ({why}) {said}");
    }
    Some(PodReason {
        reason: reason.to_owned(),
        message: brief(&message),
        container: Some(status.text("/name").to_owned()),
        restarts: status.count("/restartCount"),
        serious: true,
    })
}

/// A container that ended badly.
fn ended(status: Live<'_>) -> Option<PodReason> {
    let code = status.int("/state/terminated/exitCode")?;
    let reason = status.text("/state/terminated/reason");
    (code != 0).then(|| PodReason {
        reason: if reason.is_empty() { "Error".to_owned() } else { reason.to_owned() },
        message: brief(&format!("exit code {code} {}", status.text("/state/terminated/message"))),
        container: Some(status.text("/name").to_owned()),
        restarts: status.count("/restartCount"),
        serious: true,
    })
}

pub(crate) fn readiness_of(obj: Live<'_>) -> Readiness {
    let why = explain_pod(obj.0);
    match (obj.text("/status/phase"), why) {
        ("Succeeded", _) => Readiness::Ready,
        ("Failed", why) => {
            Readiness::failed("pod.failed", why.map_or_else(|| "Failed".to_owned(), |w| w.to_string()))
        }
        ("Running", None) => Readiness::Ready,
        (_, Some(why)) if why.reason == "CrashLoopBackOff" && why.restarts >= MAX_RESTARTS => {
            Readiness::failed("pod.crash-loop", why.to_string())
        }
        (_, Some(why)) => Readiness::InProgress { reason: why.to_string() },
        (_, None) => Readiness::waiting("not started yet"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_who_made_a_pod() {
        let pod = |kind: &str, name: &str, hash: &str| {
            json!({"metadata": {"labels": {"pod-template-hash": hash},
                "ownerReferences": [{"kind": "X", "name": "x"}, {"kind": kind, "name": name, "controller": true}]}})
        };
        let of = |pod: Json| controller_of(&pod).map(|c| format!("{} {}", c.kind, c.name));
        assert_eq!(of(pod("ReplicaSet", "web-5d4f", "5d4f")).as_deref(), Some("Deployment web"));
        assert_eq!(of(pod("ReplicaSet", "web", "")).as_deref(), Some("ReplicaSet web"));
        assert_eq!(of(pod("StatefulSet", "db", "")).as_deref(), Some("StatefulSet db"));
        assert_eq!(of(json!({})), None);
    }

    #[test]
    fn explanations_read_well() {
        let pod = json!({"status": {"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": "no\n  database"}}}]}});
        assert_eq!(
            explain_pod(&pod).unwrap().to_string(),
            "CrashLoopBackOff (container app, 3 restarts): it ended with exit code 1 (Error) no database"
        );
    }
}
