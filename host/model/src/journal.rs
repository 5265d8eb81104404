//! The journal's entries: intents before anything outside is touched, outcomes after.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::RunOutcome;
use crate::plan::{BlueprintText, Counts, Plan};
use crate::plugin::{ObjectId, PluginPin};
use crate::stack::{ObjectRecord, ResourceRecord, SnapshotRecord, TargetRecord};
use crate::{Address, Masked, Sealed};

/// One entry. What may be secret in it is sealed or masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Entry {
    /// The stack's first entry.
    StackCreated {
        /// Names the stack in clusters.
        uuid: String,
    },
    /// A run begins; what it was given is kept for history and rollback.
    RunStarted {
        /// Its id.
        run: String,
        /// RFC 3339.
        at: String,
        /// Its record.
        record: Box<RunRecord>,
    },
    /// A run ended by itself.
    RunFinished {
        /// Its id.
        run: String,
        /// RFC 3339.
        at: String,
        /// How.
        outcome: RunOutcome,
        /// What it did.
        counts: Counts,
    },
    /// A target is about to be used.
    TargetUsed {
        /// Its name in the blueprint.
        name: String,
        /// How to reach it again.
        target: TargetRecord,
    },
    /// An expression's password was made.
    PasswordMade {
        /// Its name.
        name: String,
        /// The password.
        password: Sealed,
    },
    /// A resource's change begins. Its objects, snapshot and outputs so far are kept.
    ResourceBegun {
        /// Which.
        address: Address,
        /// What is kept of it.
        record: Box<ResourceRecord>,
    },
    /// An operation is about to be sent.
    Intent(Intent),
    /// How an operation ended.
    Outcome {
        /// The operation's key.
        op: String,
        /// How.
        outcome: Outcome,
    },
    /// A resource is as it should be.
    ResourceReady {
        /// Which.
        address: Address,
        /// Its outputs.
        outputs: Sealed,
    },
    /// A resource is not as it should be.
    ResourceFailed {
        /// Which.
        address: Address,
        /// Why, in a sentence.
        why: String,
    },
    /// A resource is gone, or no longer ours.
    ResourceForgotten {
        /// Which.
        address: Address,
    },
    /// A resource has another address now; nothing outside changed.
    ResourceMoved {
        /// Where it stood.
        from: Address,
        /// Where it stands.
        to: Address,
        /// The resources that require it, by the addresses that they have then.
        requiring: Vec<Address>,
    },
    /// A resource's outputs were read again, and were others. Nothing outside changed.
    ResourceRefreshed {
        /// Which.
        address: Address,
        /// Its outputs.
        outputs: Sealed,
    },
    /// A resource was rendered anew, as after an upgrade of its plugin, and nothing changes for it: the next run need not
    /// render it.
    ResourceRendered {
        /// Which.
        address: Address,
        /// The render's key.
        render_key: String,
    },
    /// The stack's outputs.
    OutputsSet {
        /// By name.
        outputs: BTreeMap<String, Sealed>,
    },
}

/// What a run was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The blueprint; none for a destroy.
    pub blueprint: Option<BlueprintText>,
    /// The inputs, secret ones masked.
    pub inputs: BTreeMap<String, Masked>,
    /// What it set out to do, without what it left untouched.
    pub plan: Plan,
    /// The plugins of all that the blueprint asks for, by name. Empty in the records of earlier versions, whose plans have
    /// what was left untouched.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub plugins: BTreeMap<String, PluginPin>,
}

impl RunRecord {
    /// Of a run without a blueprint that sets out to do this.
    pub fn of(plan: Plan) -> Self {
        Self { blueprint: None, inputs: plan.inputs.clone(), plan, plugins: BTreeMap::new() }
    }
}

/// An operation that is about to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// The operation's key: the same on every retry.
    pub op: String,
    /// The resource.
    pub address: Address,
    /// What is to happen.
    pub change: Change,
}

/// What an operation does outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Change {
    /// Server-side apply of an object.
    ApplyObject {
        /// The object, as it will be recorded; no UID where it is new.
        object: ObjectRecord,
    },
    /// Deletion of an object.
    DeleteObject {
        /// The target's name.
        target: String,
        /// Which.
        id: ObjectId,
        /// The UID that it must still have.
        uid: Option<String>,
    },
    /// A provider's `apply`: everything that calling it again needs.
    Provide {
        /// None: a creation.
        prior: Option<SnapshotRecord>,
        /// None: a deletion.
        desired: Option<Sealed>,
        /// What the plan foresaw as outputs.
        agreed: Sealed,
        /// What the plugin gave with its last `pending`, sealed as base64.
        #[serde(default)]
        resume: Option<Sealed>,
    },
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Outcome {
    /// The object is in the cluster.
    Applied {
        /// As it is recorded.
        object: ObjectRecord,
    },
    /// The object is gone.
    Deleted,
    /// The provider finished; none: it is gone.
    Provided {
        /// What there is.
        snapshot: Option<SnapshotRecord>,
    },
    /// The provider wants to be called again.
    Pending {
        /// With this.
        resume: Sealed,
    },
    /// The provider left something that is not right.
    Partial {
        /// What there is.
        left: SnapshotRecord,
        /// Why it is not right.
        why: String,
    },
    /// It was refused: nothing changed.
    Failed {
        /// Why, in a sentence.
        why: String,
    },
    /// It is not known whether anything changed; the operation stays in flight under its key.
    InDoubt {
        /// Why, in a sentence.
        why: String,
    },
}
