//! Why something is not ready yet: what its pods say, and the last warning about it or them.
//!
//! One watch of pods and one of warnings for each namespace in which somebody waits for long.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use jiff::Timestamp;
use serde_json::Value as Json;
use sheave_manifest::{Controller, PodReason, controller_of, explain_pod};
use sheave_model::ObjectId;
use tokio::sync::watch as channel;
use tokio::task::AbortHandle;

use crate::transport::Shared;
use crate::watch::{Seen, Watched, follow};

/// Pods and events that are kept of one namespace; beyond that, explanations may lack some.
const MAX_KEPT: usize = 20_000;

/// What a pod of a workload says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodNote {
    /// The pod.
    pub pod: String,
    /// What keeps it from being ready.
    pub reason: PodReason,
    /// How many pods of the workload say the same, this one included.
    pub alike: usize,
}

/// A warning that the cluster gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventNote {
    /// What it is about: `Pod web-1`.
    pub about: String,
    /// `FailedScheduling`.
    pub reason: String,
    /// The cluster's words, one line.
    pub message: String,
}

impl fmt::Display for PodNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.alike {
            0 | 1 => write!(f, "pod {}: {}", self.pod, self.reason),
            n => write!(f, "{n} pods, such as {}: {}", self.pod, self.reason),
        }
    }
}

impl fmt::Display for EventNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.about, self.reason, self.message)
    }
}

/// By namespace; they live as long as somebody holds them.
pub(crate) struct Explainers {
    transport: Shared,
    known: Mutex<HashMap<String, Weak<Explainer>>>,
}

pub(crate) struct Explainer {
    state: Arc<Mutex<State>>,
    /// Counts changes.
    pub(crate) changed: channel::Receiver<u64>,
    tasks: [AbortHandle; 2],
}

#[derive(Default)]
struct State {
    /// By what made them, or by themselves; then by their names.
    pods: HashMap<Controller, HashMap<String, Pod>>,
    /// How many pods there are.
    count: usize,
    /// The last of each, by what they are about. What is about a Deployment's replica set is about the Deployment.
    events: HashMap<Controller, Event>,
}

struct Pod {
    created: String,
    reason: Option<PodReason>,
}

struct Event {
    at: Option<Timestamp>,
    note: EventNote,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Explainers {
    pub(crate) fn new(transport: Shared) -> Self {
        Self { transport, known: Mutex::default() }
    }

    /// What explains the objects of a namespace.
    pub(crate) fn of(&self, namespace: &str) -> Arc<Explainer> {
        let mut known = lock(&self.known);
        if let Some(explainer) = known.get(namespace).and_then(Weak::upgrade) {
            return explainer;
        }
        let explainer = Arc::new(Explainer::start(&self.transport, namespace));
        known.retain(|_, e| e.strong_count() > 0);
        known.insert(namespace.to_owned(), Arc::downgrade(&explainer));
        explainer
    }
}

impl Explainer {
    fn start(transport: &Shared, namespace: &str) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (sender, changed) = channel::channel(0_u64);
        let sender = Arc::new(sender);
        let spawn = |kind: &str, plural: &str, selector: Option<&str>, take: fn(&mut State, Seen)| {
            let watched = Watched {
                api_version: "v1".into(),
                kind: kind.into(),
                plural: plural.into(),
                namespace: Some(namespace.to_owned()),
                field_selector: selector.map(str::to_owned),
            };
            let (transport, state, sender) = (Arc::clone(transport), Arc::clone(&state), Arc::clone(&sender));
            let task = async move {
                let see = |seen: Seen| {
                    take(&mut lock(&state), seen);
                    sender.send_modify(|n| *n += 1);
                };
                // Who may not watch pods or events goes without explanations: the wait itself does not need them.
                let error = follow(&transport, &watched, |_| true, see).await;
                tracing::debug!(%error, "no more explanations");
            };
            tokio::spawn(task).abort_handle()
        };
        let tasks = [
            spawn("Pod", "pods", None, State::see_pod),
            spawn("Event", "events", Some("type=Warning"), State::see_event),
        ];
        Self { state, changed, tasks }
    }

    /// What the pods of a workload say, and the last warning about it or them that is not older than `since`.
    pub(crate) fn explain(&self, id: &ObjectId, since: Timestamp) -> (Option<PodNote>, Option<EventNote>) {
        lock(&self.state).explain(&Controller { kind: id.kind.clone(), name: id.name.clone() }, since)
    }
}

impl Drop for Explainer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

fn text(obj: &Json, at: &str) -> String {
    obj.pointer(at).and_then(Json::as_str).unwrap_or("").to_owned()
}

impl State {
    fn explain(&self, what: &Controller, since: Timestamp) -> (Option<PodNote>, Option<EventNote>) {
        let pods = self.pods.get(what);
        // The serious ones first, then the newest: it shows what the last change brought.
        let unready = pods.into_iter().flatten().filter_map(|(name, p)| Some((name, p, p.reason.as_ref()?)));
        let worst =
            unready.clone().max_by_key(|(name, p, reason)| (reason.serious, p.created.as_str(), *name));
        // Of a bare pod its own readiness says the same.
        let note = worst.filter(|_| what.kind != "Pod").map(|(name, _, reason)| PodNote {
            pod: name.clone(),
            reason: reason.clone(),
            alike: unready.clone().filter(|(_, _, other)| other.reason == reason.reason).count(),
        });
        let of_pods = unready.map(|(name, _, _)| Controller { kind: "Pod".into(), name: name.clone() });
        let event = of_pods
            .chain([what.clone()])
            .filter_map(|about| self.events.get(&about))
            .filter(|event| event.at.is_none_or(|at| at >= since))
            .max_by_key(|event| event.at);
        (note, event.map(|event| event.note.clone()))
    }

    fn see_pod(&mut self, seen: Seen) {
        let (obj, gone) = match seen {
            Seen::Object(obj) => (obj, false),
            Seen::Gone(obj) => (obj, true),
            // What is still there comes again.
            Seen::Gap => {
                self.pods.clear();
                self.count = 0;
                return;
            }
        };
        let name = text(&obj, "/metadata/name");
        let made_by =
            controller_of(&obj).unwrap_or_else(|| Controller { kind: "Pod".into(), name: name.clone() });
        if gone || obj.pointer("/metadata/deletionTimestamp").is_some() {
            if let Some(pods) = self.pods.get_mut(&made_by) {
                self.count -= usize::from(pods.remove(&name).is_some());
                if pods.is_empty() {
                    self.pods.remove(&made_by);
                }
            }
        } else if self.count < MAX_KEPT {
            let pod = Pod { created: text(&obj, "/metadata/creationTimestamp"), reason: explain_pod(&obj) };
            self.count += usize::from(self.pods.entry(made_by).or_default().insert(name, pod).is_none());
        }
    }

    fn see_event(&mut self, seen: Seen) {
        let Seen::Object(obj) = seen else { return };
        let times =
            ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"];
        let at = times.iter().find_map(|t| obj.pointer(t)?.as_str()?.parse::<Timestamp>().ok());
        let (kind, name) = (text(&obj, "/involvedObject/kind"), text(&obj, "/involvedObject/name"));
        let note = EventNote {
            about: format!("{kind} {name}"),
            reason: text(&obj, "/reason"),
            message: text(&obj, "/message").split_whitespace().collect::<Vec<_>>().join(" "),
        };
        if kind == "ReplicaSet"
            && let Some((deployment, _)) = name.rsplit_once('-')
        {
            self.keep(Controller { kind: "Deployment".into(), name: deployment.into() }, at, note.clone());
        }
        self.keep(Controller { kind, name }, at, note);
    }

    fn keep(&mut self, about: Controller, at: Option<Timestamp>, note: EventNote) {
        let known = self.events.get(&about);
        if known.map_or(self.events.len() < MAX_KEPT, |known| known.at <= at) {
            self.events.insert(about, Event { at, note });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, hash: &str, created: &str, reason: &str) -> Seen {
        Seen::Object(json!({
            "metadata": {"name": name, "creationTimestamp": created, "labels": {"pod-template-hash": hash},
                "ownerReferences": [{"kind": "ReplicaSet", "name": format!("web-{hash}"), "controller": true}]},
            "status": {"phase": "Pending", "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": reason}}}]},
        }))
    }

    fn event(kind: &str, name: &str, at: &str, reason: &str) -> Seen {
        Seen::Object(
            json!({"involvedObject": {"kind": kind, "name": name}, "lastTimestamp": at, "reason": reason,
            "message": "a\n b"}),
        )
    }

    fn web() -> Controller {
        Controller { kind: "Deployment".into(), name: "web".into() }
    }

    #[test]
    fn the_newest_serious_pod_speaks() {
        let mut state = State::default();
        state.see_pod(pod("old", "a", "2026-01-01T00:00:00Z", "ImagePullBackOff"));
        state.see_pod(pod("new", "b", "2026-01-02T00:00:00Z", "CrashLoopBackOff"));
        state.see_pod(pod("newest", "b", "2026-01-03T00:00:00Z", "ContainerCreating"));
        state.see_pod(pod("alike", "b", "2026-01-01T00:00:00Z", "CrashLoopBackOff"));
        let note = state.explain(&web(), Timestamp::MIN).0.unwrap();
        assert_eq!(
            (note.pod.as_str(), note.reason.reason.as_str(), note.alike),
            ("new", "CrashLoopBackOff", 2)
        );
        state.see_pod(Seen::Gap);
        assert_eq!(state.explain(&web(), Timestamp::MIN), (None, None));
        assert_eq!(state.count, 0);
    }

    #[test]
    fn the_last_fresh_warning_counts() {
        let mut state = State::default();
        state.see_pod(pod("web-a-1", "a", "2026-01-01T00:00:00Z", "ImagePullBackOff"));
        state.see_event(event("ReplicaSet", "web-a", "2026-01-01T00:00:01Z", "FailedCreate"));
        state.see_event(event("Pod", "web-a-1", "2026-01-01T00:00:03Z", "Failed"));
        state.see_event(event("Pod", "web-a-1", "2026-01-01T00:00:02Z", "Older"));
        state.see_event(event("Pod", "other", "2026-01-01T00:00:09Z", "Other"));
        let since = |text: &str| state.explain(&web(), text.parse().unwrap()).1.map(|e| e.to_string());
        assert_eq!(since("2026-01-01T00:00:00Z").as_deref(), Some("Pod web-a-1: Failed: a b"));
        assert_eq!(since("2026-01-01T00:00:04Z"), None);
        state.see_pod(Seen::Gap);
        let event = state.explain(&web(), Timestamp::MIN).1.unwrap();
        assert_eq!(event.reason, "FailedCreate");
    }
}
