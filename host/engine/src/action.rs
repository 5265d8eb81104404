//! What the engine asks for. Each action is answered by one event, but for those that only write to the journal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sheave_blueprint::{Condition, ReplacePolicy};
use sheave_model::event::What;
use sheave_model::plan::{ObjectOrder, Plan};
use sheave_model::plugin::{ObjectId, ProviderPlan};
use sheave_model::stack::ObjectRecord;
use sheave_model::{Address, Masked, PluginPin, Role, TypeName, Value};

use crate::event::RenderedObject;

/// One thing to do.
#[derive(Clone, Debug)]
pub enum Action {
    /// Check properties and render objects: answered by [`crate::Event::Rendered`].
    Render(RenderRequest),
    /// Compare objects with what is live: answered by [`crate::Event::Diffed`].
    Diff(DiffRequest),
    /// Check, read and plan a provider's resource: answered by [`crate::Event::ProviderPlanned`].
    PlanProvider(ProviderPlanRequest),
    /// The plan is complete: answered by [`crate::Event::Approved`] or [`crate::Event::Cancelled`].
    AwaitApproval(Box<Plan>),
    /// Make passwords, by name and length, and keep them: answered by [`crate::Event::PasswordsMade`].
    MakePasswords(BTreeMap<String, u32>),
    /// A target's settings, which read resources, are known now. Not answered.
    Connect {
        /// The target's name.
        target: String,
        /// Its settings: a map.
        settings: Value,
    },
    /// A plugin's settings, which read resources, are known now. Not answered.
    Configure {
        /// The plugin's name.
        plugin: String,
        /// Its settings: a map.
        settings: Value,
    },
    /// Journal only: a resource has another address now.
    Move {
        /// Where it stood.
        from: Address,
        /// Where it stands.
        to: Address,
        /// The resources that require it.
        requiring: Vec<Address>,
    },
    /// Journal only: a resource's change begins.
    Begin(Box<RecordDraft>),
    /// Apply an object: answered by [`crate::Event::Applied`].
    Apply(Box<ApplyRequest>),
    /// Look for what others have put into an object that would be deleted: answered by [`crate::Event::LookedInside`].
    LookInside(LookInsideRequest),
    /// Delete an object and see it gone: answered by [`crate::Event::Deleted`].
    Delete(DeleteRequest),
    /// Call a provider's `apply`: answered by [`crate::Event::Provided`].
    Provide(Box<ProvideRequest>),
    /// Wait until objects are ready: answered by [`crate::Event::Awaited`].
    Await(AwaitRequest),
    /// Ask the plugin what it makes of live objects: answered by [`crate::Event::Observed`].
    Observe(ObserveRequest),
    /// Journal only: a resource is as it should be, with these outputs.
    Finish {
        /// Which.
        address: Address,
        /// Its outputs.
        outputs: Value,
    },
    /// Journal only: a resource is not as it should be.
    Fail {
        /// Which.
        address: Address,
        /// Why, in a sentence.
        why: String,
    },
    /// Journal only: a resource is gone or no longer ours.
    Forget {
        /// Which.
        address: Address,
    },
    /// Journal only: the stack's outputs.
    SetOutputs(BTreeMap<String, Value>),
    /// Tell who watches.
    Notify(What),
    /// The run is over: perform nothing more.
    Finished(crate::Finished),
}

/// To render a resource's objects.
#[derive(Clone, Debug)]
pub struct RenderRequest {
    /// Which resource.
    pub address: Address,
    /// Its type.
    pub type_name: TypeName,
    /// The target for objects that name none.
    pub target: Option<String>,
    /// The properties as evaluated.
    pub properties: Arc<Value>,
    /// The key of the last applied render, where an equal one may be answered by `Rendered::Unchanged`.
    pub known: Option<String>,
}

/// To compare a resource's objects with what is live.
#[derive(Clone, Debug)]
pub struct DiffRequest {
    /// Which resource.
    pub address: Address,
    /// What is desired; none: what was last applied.
    pub objects: Option<Vec<RenderedObject>>,
    /// What is recorded.
    pub recorded: Vec<ObjectRecord>,
    /// Take fields from other managers.
    pub force: bool,
    /// Take over objects that exist and belong to nobody.
    pub adopt: bool,
    /// Pointers of manifests that are left alone.
    pub ignore: Vec<String>,
    /// Pointers of manifests whose change forces a replacement.
    pub immutable: Arc<[String]>,
    /// Whether objects no longer wanted are left; none: the kind's rule.
    pub keep: Option<bool>,
    /// Whether an object may be deleted and made again.
    pub replace: ReplacePolicy,
    /// Why all of them are made anew; none: only those that cannot be changed in place.
    pub renew: Option<String>,
}

/// To plan a provider's resource.
#[derive(Clone, Debug)]
pub struct ProviderPlanRequest {
    /// Which resource.
    pub address: Address,
    /// Its type.
    pub type_name: TypeName,
    /// The properties as evaluated.
    pub properties: Value,
    /// Take over something that exists.
    pub adopt: bool,
    /// It is made anew, whatever changed.
    pub renew: bool,
}

/// What is kept of a resource from the moment that its change begins.
#[derive(Clone, Debug)]
pub struct RecordDraft {
    /// Which resource.
    pub address: Address,
    /// Its type.
    pub type_name: TypeName,
    /// How its type works.
    pub role: Role,
    /// The plugin.
    pub plugin: PluginPin,
    /// The plugin's settings.
    pub settings: Value,
    /// The version of the stored state.
    pub schema_version: u32,
    /// The target.
    pub target: Option<String>,
    /// What it reads or depends on.
    pub requires: Vec<Address>,
    /// Whether prune leaves it.
    pub keep: Option<bool>,
    /// Whether it may not be removed.
    pub protect: bool,
    /// What `replace-when` watches.
    pub watched: Option<Masked>,
    /// It is made anew because of that.
    pub renewing: bool,
    /// Its properties.
    pub properties: Masked,
    /// The render's key.
    pub render_key: String,
}

/// To apply an object.
#[derive(Clone, Debug)]
pub struct ApplyRequest {
    /// The operation's key.
    pub op: String,
    /// Which resource.
    pub address: Address,
    /// Stable within the resource.
    pub slot: String,
    /// The target's name.
    pub target: String,
    /// What it is.
    pub id: ObjectId,
    /// The object; no leaf is unknown any more.
    pub manifest: Arc<Value>,
    /// Take fields from other managers.
    pub force: bool,
    /// Pointers left alone.
    pub ignore: Vec<String>,
    /// Take over an object that exists and belongs to nobody.
    pub adopt: bool,
    /// The plan said that it is not there.
    pub create: bool,
    /// How it stands to others.
    pub order: ObjectOrder,
    /// What is recorded of it.
    pub recorded: Option<ObjectRecord>,
}

/// To look for what a stack did not make in one of its objects: in a namespace, or among the objects of a kind that it
/// defines.
#[derive(Clone, Debug)]
pub struct LookInsideRequest {
    /// Which resource.
    pub address: Address,
    /// The target's name.
    pub target: String,
    /// What it is.
    pub id: ObjectId,
}

/// To delete an object.
#[derive(Clone, Debug)]
pub struct DeleteRequest {
    /// The operation's key.
    pub op: String,
    /// Which resource.
    pub address: Address,
    /// The target's name.
    pub target: String,
    /// What it is.
    pub id: ObjectId,
    /// The UID that it must still have; none: it was never seen.
    pub uid: Option<String>,
    /// How long it may take to be gone.
    pub timeout: Option<Duration>,
    /// It lives on under the same name: only this one's end is waited for.
    pub replace: bool,
    /// It is there without us: it stays, and only what this stack set on it goes.
    pub release: bool,
    /// Only where nothing stands in it that this stack did not make.
    pub only_empty: bool,
}

/// To call a provider's `apply`.
#[derive(Clone, Debug)]
pub struct ProvideRequest {
    /// The operation's key: the same on every retry.
    pub op: String,
    /// Which resource.
    pub address: Address,
    /// Its type.
    pub type_name: TypeName,
    /// None: a deletion.
    pub desired: Option<Value>,
    /// Whether what was recorded is handed over: false for a creation.
    pub with_prior: bool,
    /// What was planned.
    pub agreed: ProviderPlan,
    /// What the plugin gave with its last `pending`, and how long to wait first.
    pub resume: Option<(Vec<u8>, Duration)>,
}

/// To wait until objects are ready.
#[derive(Clone, Debug)]
pub struct AwaitRequest {
    /// Which resource.
    pub address: Address,
    /// Its objects: slot, target, identity, UID, and a rule of the plugin's where it has one.
    pub objects: Vec<AwaitObject>,
    /// The resource's own rule.
    pub ready_when: Option<Condition>,
    /// How long at most; none: the run's default.
    pub timeout: Option<Duration>,
    /// Which single object is waited for; none: the whole resource.
    pub slot: Option<String>,
}

/// One object that is waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct AwaitObject {
    /// Stable within the resource.
    pub slot: String,
    /// The target's name.
    pub target: String,
    /// What it is.
    pub id: ObjectId,
    /// The server's id.
    pub uid: Option<String>,
    /// CEL over `self`; none: the kind's rule.
    pub ready_when: Option<String>,
}

/// To ask the plugin for outputs.
#[derive(Clone, Debug)]
pub struct ObserveRequest {
    /// Which resource.
    pub address: Address,
    /// Its type.
    pub type_name: TypeName,
    /// The target for objects that name none.
    pub target: Option<String>,
    /// The properties as rendered.
    pub properties: Arc<Value>,
    /// The live objects, as the wait saw them: slot and identity.
    pub objects: Vec<AwaitObject>,
    /// They are others': each must be there.
    pub existing: bool,
}

impl AwaitObject {
    pub(crate) fn of(object: &RenderedObject) -> Self {
        Self {
            slot: object.slot.clone(),
            target: object.target.clone(),
            id: object.id.clone(),
            uid: None,
            ready_when: object.ready_when.clone(),
        }
    }
}
