//! The wait for one object: read it once, then listen, look again at each change, and explain.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value as Json;
use sheave_manifest::{Readiness, native, pods_are_current, waits_for_consumer};
use sheave_model::ObjectId;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::Cluster;
use crate::error::ClusterError;
use crate::explain::Explainer;
use crate::hub::{Ear, News};
use crate::objects::by_name;
use crate::retry::Backoff;
use crate::waiting::{AwaitError, Waiting};
use crate::watch::Watched;

/// What becomes ready sooner needs no explanation, and no watches for one.
const EXPLAIN_AFTER: Duration = Duration::from_secs(1);
/// How often an object is read where we may not watch it.
const POLL: Duration = Duration::from_secs(2);
/// How long a kind may take to be discoverable after its definition is established.
const DISCOVERABLE: Duration = Duration::from_secs(30);

/// Whether objects are to come or to go.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    Ready,
    Gone,
}

/// One wait.
pub(crate) struct Wait<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) goal: Goal,
    pub(crate) id: &'a ObjectId,
    pub(crate) uid: Option<&'a str>,
    pub(crate) seen: Option<&'a Arc<Json>>,
    pub(crate) judge: &'a (dyn Fn(&Json) -> Readiness + Send + Sync),
    pub(crate) started: Instant,
    pub(crate) report: mpsc::UnboundedSender<(usize, Waiting)>,
    pub(crate) index: usize,
}

/// How one look at the object ended.
enum Look {
    Done(Json),
    On,
}

impl Wait<'_> {
    pub(crate) async fn run(&self) -> Result<Json, AwaitError> {
        let cluster = self.cluster;
        if let Some(live) = self.ready_as_seen() {
            self.discoverable(live).await?;
            return Ok(Json::clone(live));
        }
        let resource =
            cluster.scope_of(&self.id.api_version, &self.id.kind).await.map_err(|e| self.fault(e))?;
        let namespace = self.id.namespace.clone().unwrap_or_else(|| cluster.namespace().to_owned());
        let namespace = resource.namespaced.then_some(namespace);
        let mut watched = Watched {
            api_version: self.id.api_version.clone(),
            kind: self.id.kind.clone(),
            plural: resource.plural.clone(),
            // Those of a whole cluster may be many, and large, as definitions are: watched one by one.
            field_selector: namespace.is_none().then(|| by_name(&self.id.name)),
            namespace,
        };
        let mut ear: Option<Ear> = Some(cluster.inner.hub.listen(&watched, &self.id.name));
        let mut state = State::default();
        let mut explainer: Option<(Arc<Explainer>, Changes)> = None;
        let explain_at = self.started + EXPLAIN_AFTER;
        let mut read = true;
        loop {
            if read {
                match cluster.get(self.id).await {
                    Ok(live) => {
                        state.live = live.map(Arc::new);
                        read = false;
                    }
                    // A server that was there comes back; the limit is the wait's own.
                    Err(error) if state.live.is_some() && is_passing(&error) => {
                        self.report_silence(&mut state, &error);
                        tokio::time::sleep(POLL).await;
                        continue;
                    }
                    Err(error) => return Err(self.fault(error)),
                }
            }
            if let Look::Done(live) = self.look(&mut state, explainer.as_ref().map(|(e, _)| &**e)).await? {
                return Ok(live);
            }
            tokio::select! {
                news = hear(&mut ear) => match news {
                    News::Quiet => {}
                    News::Gap => read = true,
                    News::Object(obj) => state.hear(obj),
                    News::Gone(obj) => read = state.is_current(&obj),
                    News::Broken(error) if state.live.is_some() && is_passing(&error) => {
                        self.report_silence(&mut state, &error);
                        tokio::time::sleep(POLL).await;
                        ear = Some(cluster.inner.hub.listen(&watched, &self.id.name));
                        read = true;
                    }
                    News::Broken(error) => {
                        if !matches!(*error, ClusterError::Forbidden { .. }) {
                            return Err(AwaitError::Cluster { id: self.id.clone(), source: error });
                        }
                        // Who may not watch a kind may still watch one object of it, or at least read it.
                        ear = None;
                        if watched.field_selector.is_none() {
                            watched.field_selector = Some(by_name(&self.id.name));
                            ear = Some(cluster.inner.hub.listen(&watched, &self.id.name));
                        }
                        read = true;
                    }
                },
                () = tokio::time::sleep(POLL), if ear.is_none() => read = true,
                () = tokio::time::sleep_until(explain_at), if explainer.is_none() && self.explains() => {
                    explainer = watched.namespace.as_deref().map(|ns| {
                        let explainer = cluster.inner.hub.explainers.of(ns);
                        let changes = explainer.changed.clone();
                        (explainer, changes)
                    });
                }
                () = changed(explainer.as_mut()) => {}
            }
        }
    }

    /// Says that the cluster does not answer: what is waited for may be there long since.
    fn report_silence(&self, state: &mut State, error: &ClusterError) {
        let readiness = Readiness::InProgress { reason: error.to_string() };
        self.say(state, Waiting { readiness, pod: None, event: None });
    }

    /// Reports what is waited for, where that is not what was said last.
    fn say(&self, state: &mut State, waiting: Waiting) {
        if state.reported.as_ref() != Some(&waiting) {
            state.reported = Some(waiting.clone());
            // Nobody listens any more only when the wait itself is over.
            let _ = self.report.send((self.index, waiting));
        }
    }

    /// What the caller saw last, where that was ready already: most kinds are, as soon as they are written.
    fn ready_as_seen(&self) -> Option<&Json> {
        let live = self.seen.filter(|_| self.goal == Goal::Ready)?;
        let uid = live.pointer("/metadata/uid").and_then(Json::as_str);
        let same = self.uid.is_none_or(|wanted| Some(wanted) == uid);
        (same && (self.judge)(live) == Readiness::Ready).then_some(live)
    }

    /// When the wait began, on the server's clock, less what clocks and whole seconds blur.
    fn begin(&self) -> Timestamp {
        const BLUR: Duration = Duration::from_secs(2);
        let now = self.cluster.inner.transport.server_now();
        now.checked_sub(self.started.elapsed() + BLUR).unwrap_or(Timestamp::MIN)
    }

    /// Whether pods and warnings could tell more than the object.
    fn explains(&self) -> bool {
        let namespaced = native(&self.id.api_version, &self.id.kind).is_none_or(|n| n.namespaced);
        self.goal == Goal::Ready && namespaced
    }

    async fn look(&self, state: &mut State, explainer: Option<&Explainer>) -> Result<Look, AwaitError> {
        let Some(live) = state.live.clone() else {
            return match self.goal {
                Goal::Gone => Ok(Look::Done(Json::Null)),
                Goal::Ready => Err(AwaitError::Deleted { id: self.id.clone() }),
            };
        };
        let uid = live.pointer("/metadata/uid").and_then(Json::as_str).unwrap_or("");
        if self.uid.is_some_and(|wanted| wanted != uid) {
            return match self.goal {
                Goal::Gone => Ok(Look::Done(Json::Null)),
                Goal::Ready => Err(AwaitError::Replaced { id: self.id.clone() }),
            };
        }
        let mut readiness = (self.judge)(&live);
        if self.goal == Goal::Ready
            && self.id.kind == "PersistentVolumeClaim"
            && matches!(readiness, Readiness::InProgress { .. })
            && self.nothing_to_bind(state, &live).await
        {
            readiness = Readiness::Ready;
        }
        if self.goal == Goal::Ready && readiness == Readiness::Ready {
            self.discoverable(&live).await?;
            return Ok(Look::Done(Json::clone(&live)));
        }
        let (pod, event) = match explainer {
            Some(explainer) => {
                let since = *state.since.get_or_insert_with(|| self.begin());
                explainer.explain(self.id, since)
            }
            None => (None, None),
        };
        let waiting = Waiting { readiness, pod, event };
        let hopeless =
            waiting.pod.as_ref().is_some_and(|pod| pod.reason.is_hopeless()) && pods_are_current(&live);
        let failed = match &waiting.readiness {
            Readiness::Failed { rule, .. } => Some(*rule),
            Readiness::InProgress { .. } if hopeless => Some("pod.hopeless"),
            _ => None,
        };
        if let (Goal::Ready, Some(rule)) = (self.goal, failed) {
            return Err(AwaitError::Failed { id: self.id.clone(), rule, waiting: Box::new(waiting) });
        }
        self.say(state, waiting);
        Ok(Look::On)
    }

    /// Whether a claim waits for a pod to use it. Its class is read once.
    async fn nothing_to_bind(&self, state: &mut State, claim: &Json) -> bool {
        if state.class.is_none() {
            let name = claim.pointer("/spec/storageClassName").and_then(Json::as_str).unwrap_or("");
            let id = ObjectId {
                api_version: "storage.k8s.io/v1".into(),
                kind: "StorageClass".into(),
                namespace: None,
                name: name.to_owned(),
            };
            let class = if name.is_empty() { None } else { self.cluster.get(&id).await.ok().flatten() };
            state.class = Some(class.unwrap_or(Json::Null));
        }
        state.class.as_ref().is_some_and(|class| waits_for_consumer(claim, class))
    }

    /// After a definition is established its kind takes a moment to be discoverable; what follows needs it.
    async fn discoverable(&self, live: &Json) -> Result<(), AwaitError> {
        if self.id.kind != "CustomResourceDefinition" {
            return Ok(());
        }
        let text = |at: &str| live.pointer(at).and_then(Json::as_str).unwrap_or("");
        let (group, kind) = (text("/spec/group"), text("/spec/names/kind"));
        let versions = live.pointer("/spec/versions").and_then(Json::as_array);
        let served =
            versions.into_iter().flatten().filter(|v| v.get("served").and_then(Json::as_bool) == Some(true));
        for version in served.filter_map(|v| v.get("name").and_then(Json::as_str)) {
            let started = Instant::now();
            let mut backoff = Backoff::new();
            loop {
                match self.cluster.scope_of(&format!("{group}/{version}"), kind).await {
                    Err(ClusterError::NoSuchKind { .. }) if started.elapsed() < DISCOVERABLE => {
                        tokio::time::sleep(backoff.wait()).await;
                    }
                    Err(error) => return Err(self.fault(error)),
                    Ok(_) => break,
                }
            }
        }
        Ok(())
    }

    fn fault(&self, error: ClusterError) -> AwaitError {
        AwaitError::Cluster { id: self.id.clone(), source: Arc::new(error) }
    }
}

async fn hear(ear: &mut Option<Ear>) -> News {
    match ear {
        Some(ear) => match ear.news.changed().await {
            Ok(()) => ear.news.borrow_and_update().clone(),
            // The watch was ended from elsewhere; reading, now and then, tells what becomes of it.
            Err(_) => {
                tokio::time::sleep(POLL).await;
                News::Gap
            }
        },
        None => std::future::pending().await,
    }
}

type Changes = tokio::sync::watch::Receiver<u64>;

/// Ends some time after something that explains has changed: not for each of a flood of pods.
async fn changed(explainer: Option<&mut (Arc<Explainer>, Changes)>) {
    const PAUSE: Duration = Duration::from_millis(200);
    match explainer {
        Some((_, changes)) => match changes.changed().await {
            Ok(()) => tokio::time::sleep(PAUSE).await,
            Err(_) => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// Whether a failure is of the connection, and may be over in a moment.
fn is_passing(error: &ClusterError) -> bool {
    matches!(
        error,
        ClusterError::Unreachable { .. }
            | ClusterError::Timeout { .. }
            | ClusterError::Server { .. }
            | ClusterError::TooManyRequests { .. }
    )
}

/// What one wait knows.
#[derive(Default)]
struct State {
    live: Option<Arc<Json>>,
    reported: Option<Waiting>,
    /// A claim's storage class; null where it has none or it could not be read.
    class: Option<Json>,
    /// Warnings from before are about something else.
    since: Option<Timestamp>,
}

impl State {
    /// What a watch says may be older than what was read.
    fn hear(&mut self, obj: Arc<Json>) {
        if self.live.as_ref().is_none_or(|live| version(&obj) >= version(live)) {
            self.live = Some(obj);
        }
    }

    fn is_current(&self, gone: &Json) -> bool {
        self.live.as_ref().is_some_and(|live| version(gone) >= version(live))
    }
}

/// Versions of one cluster's objects can be compared; one that is no number counts as newest.
fn version(obj: &Json) -> u64 {
    let text = obj.pointer("/metadata/resourceVersion").and_then(Json::as_str).unwrap_or("");
    text.parse().unwrap_or(u64::MAX)
}
