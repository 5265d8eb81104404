//! What happens during a run, for those who watch: the lines of `--json`, a stable interface.

use serde::{Deserialize, Serialize};

use crate::plan::{Action, Counts};
use crate::plugin::ObjectId;
use crate::{Address, Diagnostic};

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// RFC 3339, with milliseconds.
    pub at: String,
    /// The stack's name; empty, and not written down, where it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stack: String,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum What {
    /// A resource was planned.
    #[serde(rename = "resource.planned")]
    Planned {
        /// Which.
        address: Address,
        /// What would be done.
        action: Action,
        /// Its objects.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        objects: Vec<ObjectAction>,
    },
    /// Work on a resource began.
    #[serde(rename = "resource.started")]
    Started {
        /// Which.
        address: Address,
        /// What is done.
        action: Action,
    },
    /// A resource is waited for.
    #[serde(rename = "resource.waiting")]
    Waiting {
        /// Which.
        address: Address,
        /// The object that is not ready; none for a provider's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<ObjectId>,
        /// Why, in the cluster's or the plugin's own words.
        reason: String,
        /// How far it came, 0 to 100, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percent: Option<u8>,
    },
    /// A resource is as it should be.
    #[serde(rename = "resource.ready")]
    Ready {
        /// Which.
        address: Address,
        /// What was done.
        action: Action,
    },
    /// A resource failed.
    #[serde(rename = "resource.failed")]
    Failed {
        /// Which.
        address: Address,
        /// Why.
        diagnostic: Diagnostic,
    },
    /// A resource is gone.
    #[serde(rename = "resource.deleted")]
    Deleted {
        /// Which.
        address: Address,
    },
    /// An object was sent and taken.
    #[serde(rename = "object.applied")]
    ObjectApplied {
        /// Its resource.
        address: Address,
        /// Its target.
        target: String,
        /// Which.
        object: ObjectId,
        /// Whether it was new.
        created: bool,
    },
    /// An object is gone.
    #[serde(rename = "object.deleted")]
    ObjectDeleted {
        /// Its resource.
        address: Address,
        /// Its target.
        target: String,
        /// Which.
        object: ObjectId,
    },
    /// A plugin saw a secret in clear, as it was granted to.
    #[serde(rename = "secret.revealed")]
    Revealed {
        /// For which resource.
        address: Address,
        /// The plugin's name in the blueprint.
        plugin: String,
        /// Which secret, such as `inputs.password`.
        secret: String,
    },
    /// Something to say that belongs to no single resource's failure.
    #[serde(rename = "diagnostic")]
    Diagnostic {
        /// What.
        diagnostic: Diagnostic,
    },
    /// The run's end: the last event.
    #[serde(rename = "run.finished")]
    Finished {
        /// How.
        outcome: RunOutcome,
        /// What was done, or would be.
        #[serde(flatten)]
        counts: Counts,
        /// How long it took.
        millis: u64,
    },
}

/// An object and what would be done to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectAction {
    /// Its target.
    pub target: String,
    /// Which.
    pub object: ObjectId,
    /// What.
    pub action: Action,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunOutcome {
    /// All done.
    Ok,
    /// Something could not be done.
    Failed,
    /// The operator stopped it.
    Cancelled,
}
