//! What a wait is about, what it says meanwhile, and how it ends.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use sheave_manifest::Readiness;
use sheave_model::{Diagnostic, ObjectId};

use crate::error::ClusterError;
use crate::explain::{EventNote, PodNote};

/// How far an object is that is waited for, and what is known about why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The judgement.
    pub readiness: Readiness,
    /// What its worst pod says.
    pub pod: Option<PodNote>,
    /// The last warning about it or its pods.
    pub event: Option<EventNote>,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.readiness {
            Readiness::Ready => f.write_str("ready")?,
            Readiness::InProgress { reason } | Readiness::Failed { reason, .. } => f.write_str(reason)?,
            Readiness::Terminating => f.write_str("it is being deleted")?,
            Readiness::Absent => f.write_str("it does not exist")?,
        }
        if let Some(pod) = &self.pod {
            write!(f, "; {pod}")?;
        }
        if let Some(event) = &self.event {
            write!(f, "; last warning: {event}")?;
        }
        Ok(())
    }
}

/// Why a wait ended without what was waited for.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AwaitError {
    /// The object will not become ready by itself.
    #[error("{id} failed")]
    Failed {
        /// The object.
        id: ObjectId,
        /// The rule that says so: `deployment.progress-deadline`.
        rule: &'static str,
        /// Why.
        waiting: Box<Waiting>,
    },
    /// It was not there in time.
    #[error("{id} was not {wanted} within {} s", after.as_secs())]
    Timeout {
        /// The object.
        id: ObjectId,
        /// `ready`, `gone`.
        wanted: &'static str,
        /// The limit.
        after: Duration,
        /// What it was waiting for.
        waiting: Box<Waiting>,
    },
    /// It was deleted meanwhile.
    #[error("{id} was deleted while waiting for it")]
    Deleted {
        /// The object.
        id: ObjectId,
    },
    /// Another object of its name took its place.
    #[error("{id} was replaced by another while waiting for it")]
    Replaced {
        /// The object.
        id: ObjectId,
    },
    /// The cluster could not be asked.
    #[error("waiting for {id}: {source}")]
    Cluster {
        /// The object.
        id: ObjectId,
        /// Why.
        source: Arc<ClusterError>,
    },
}

impl AwaitError {
    /// The object it is about.
    pub fn id(&self) -> &ObjectId {
        match self {
            Self::Failed { id, .. }
            | Self::Timeout { id, .. }
            | Self::Deleted { id }
            | Self::Replaced { id }
            | Self::Cluster { id, .. } => id,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Failed { .. } => "await.failed",
            Self::Timeout { .. } => "await.timeout",
            Self::Deleted { .. } => "await.deleted",
            Self::Replaced { .. } => "await.replaced",
            Self::Cluster { source, .. } => source.code(),
        }
    }

    /// For people. Its `detail` holds the cluster's words: mask it.
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.code(), self.to_string());
        match self {
            Self::Failed { rule, waiting, .. } => diagnostic.with_detail(format!("{waiting}\nrule: {rule}")),
            Self::Timeout { waiting, wanted, .. } => {
                diagnostic.with_detail(waiting.to_string()).with_help(match *wanted {
                    "gone" => "something holds it: see its finalizers",
                    _ => "give it more time with `timeout`, or do not wait with `wait: false`",
                })
            }
            Self::Cluster { source, .. } => {
                let inner = source.diagnostic();
                Diagnostic { summary: diagnostic.summary, ..inner }
            }
            _ => diagnostic,
        }
    }
}

/// An object to wait for.
pub struct AwaitTarget {
    /// Which.
    pub id: ObjectId,
    /// Another object of that name, with another uid, is not the one. None: whichever has the name.
    pub uid: Option<String>,
    /// The object as it was last seen, such as in the answer to its apply; none: it is read first.
    pub seen: Option<Arc<Json>>,
    /// Says how far the live object is: `sheave_manifest::readiness`, or the resource's own condition.
    pub judge: Box<dyn Fn(&Json) -> Readiness + Send + Sync>,
}

/// News of a wait: what an object waits for has changed.
pub struct Progress<'a> {
    /// The object.
    pub object: &'a ObjectId,
    /// All that is known, in one line, unmasked.
    pub reason: String,
    /// The same in parts.
    pub waiting: &'a Waiting,
}
