//! A plan: what a run would do, as data. It is immutable, and carrying it out makes no choices.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::plugin::{ObjectId, PluginPin, Role};
use crate::{Address, Masked, TypeName};

/// The version of the saved form; another one is refused.
pub const PLAN_FORMAT: u32 = 1;

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Make the world as the blueprint says.
    Apply,
    /// Take everything away.
    Destroy,
}

/// What will be done to a resource or an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Nothing.
    NoOp,
    /// Nothing is sent; a run that was cut off had not yet seen it ready.
    Await,
    /// Made.
    Create,
    /// Changed in place.
    Update,
    /// Deleted and made again.
    Replace,
    /// Deleted.
    Delete,
    /// Left where it is, and no longer ours.
    Forget,
    /// Left where it is, without what this stack set on it.
    Release,
}

impl Action {
    /// Whether it is no longer the resource's afterwards.
    pub fn is_removal(self) -> bool {
        matches!(self, Self::Delete | Self::Forget | Self::Release)
    }
}

/// The blueprint's files as they were, so that prune, history and rollback need no folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlueprintText {
    /// The folder that relative paths start from, absolute.
    pub folder: String,
    /// The file's name as it was given, and its text; the first is the root blueprint.
    pub files: Vec<(String, String)>,
}

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// [`PLAN_FORMAT`].
    pub format: u32,
    /// The stack's name.
    pub stack: String,
    /// The serial of the state that it was made from: apply refuses it when the serial has moved.
    pub serial: u64,
    /// What it is for.
    pub purpose: Purpose,
    /// The blueprint; none for a destroy.
    pub blueprint: Option<BlueprintText>,
    /// The inputs; a secret one as its keyed digest: apply asks for it again and refuses another.
    pub inputs: BTreeMap<String, Masked>,
    /// The steps, in an order in which each comes after what it needs. Shared: who shows a plan, who keeps it and who carries
    /// it out look at the same ones.
    pub resources: Vec<Arc<PlannedResource>>,
    /// The stack's outputs as far as they are known.
    pub outputs: BTreeMap<String, Masked>,
    /// Names and lengths of the passwords that apply will make.
    pub passwords: BTreeMap<String, u32>,
    /// Resources that could not be planned, with the codes of why: apply does the others and prunes nothing.
    pub failed: BTreeMap<Address, String>,
    /// Only these and what they need were planned; empty: all.
    #[serde(default)]
    pub only: Vec<Address>,
    /// Resources that have another address now: from, to.
    #[serde(default)]
    pub moved: Vec<(Address, Address)>,
    /// What emitters looked up, by resource: when the plan is carried out they see the same again. Not of deferred ones, of
    /// which nothing is planned yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub found: BTreeMap<Address, Vec<Found>>,
}

/// What an emitter looked up, and what it saw of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// The target that it named; empty: its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// None where it named none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The object's name.
    pub name: String,
    /// The object, secrets masked; none: there was none, or it was not granted.
    #[serde(default)]
    pub body: Option<serde_json::Value>,
}

impl Plan {
    /// A plan that does nothing.
    pub fn nothing(stack: impl Into<String>, serial: u64) -> Self {
        Self {
            format: PLAN_FORMAT,
            stack: stack.into(),
            serial,
            purpose: Purpose::Apply,
            blueprint: None,
            inputs: BTreeMap::new(),
            resources: Vec::new(),
            outputs: BTreeMap::new(),
            passwords: BTreeMap::new(),
            failed: BTreeMap::new(),
            only: Vec::new(),
            moved: Vec::new(),
            found: BTreeMap::new(),
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.failed.is_empty()
            && self.moved.is_empty()
            && self.resources.iter().all(|r| r.action == Action::NoOp)
    }

    /// The plugins of what it leaves in the stack, as often as they are used.
    pub fn pins(&self) -> impl Iterator<Item = &PluginPin> {
        let stays = |r: &&Arc<PlannedResource>| !matches!(r.action, Action::Delete | Action::Forget);
        self.resources.iter().filter(stays).map(|r| &r.plugin)
    }

    /// Counts of objects and provider resources by what would be done.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts { failed: self.failed.len() as u64, ..Counts::default() };
        for resource in &self.resources {
            if resource.objects.is_empty() {
                counts.add(resource.action);
            }
            for object in &resource.objects {
                counts.add(object.action);
            }
        }
        counts
    }
}

/// How many Kubernetes objects and provider resources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Made, replacements included.
    pub create: u64,
    /// Changed in place.
    pub update: u64,
    /// Deleted.
    pub delete: u64,
    /// Left as they are.
    pub unchanged: u64,
    /// Not brought to where they should be.
    pub failed: u64,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, action: Action) {
        match action {
            Action::NoOp | Action::Await | Action::Forget => self.unchanged += 1,
            Action::Create | Action::Replace => self.create += 1,
            Action::Update | Action::Release => self.update += 1,
            Action::Delete => self.delete += 1,
        }
    }
}

/// What would be done to one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedResource {
    /// The instance. For a repeated resource whose instances are not known yet: the resource.
    pub address: Address,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    /// How its type works.
    pub role: Role,
    /// The plugin, to the byte.
    pub plugin: PluginPin,
    /// The strongest of its parts' actions.
    pub action: Action,
    /// Why, where the action alone does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its properties after defaults; null where they are not known.
    #[serde(default)]
    pub properties: Masked,
    /// The objects of an emitter's resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<PlannedObject>,
    /// A provider's change, property by property.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
    /// The outputs that a provider foresees.
    #[serde(default)]
    pub outputs: Masked,
    /// Set where properties are not known: what apply may do when they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred: Option<Deferred>,
    /// Resources that come first (for a deletion: that this one must outlive).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Address>,
    /// It is only read: somebody else's.
    #[serde(default)]
    pub existing: bool,
    /// All of it is made anew, since `replace-when` says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renew: bool,
    /// Words for the operator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What apply may do with a resource that could not be planned in full. Out of these bounds it stops there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deferred {
    /// What is not known: expression or pointer, in words.
    pub why: String,
    /// The target its objects may go to; none for a provider, or where even that is not known.
    pub target: Option<String>,
    /// Kinds that its objects may have; empty: any that the plugin's grants allow.
    pub kinds: Vec<String>,
    /// Namespaces that its objects may stand in; empty: the target's own.
    pub namespaces: Vec<String>,
}

/// One object of a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedObject {
    /// Stable within the resource.
    pub slot: String,
    /// The target's name.
    pub target: String,
    /// What it is.
    pub object: ObjectId,
    /// What will be done.
    pub action: Action,
    /// The object in full, holes at the leaves; null for a deletion and where nothing changes.
    #[serde(default)]
    pub manifest: Masked,
    /// Field by field, what apply changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
    /// Field by field, what somebody else changed since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<FieldChange>,
    /// Take fields from other managers.
    #[serde(default)]
    pub force: bool,
    /// It is deleted only where nothing stands in it that this stack did not make.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_empty: bool,
    /// The UID that a deletion insists on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// How it stands to others.
    #[serde(default)]
    pub order: ObjectOrder,
    /// Words for the operator, such as who else owns a field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How an object stands to others: opaque to the engine, given by who knows the kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectOrder {
    /// Lower ranks are sent first.
    pub rank: u16,
    /// A key that others may require, such as `main/namespace/blog`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provides: Option<String>,
    /// Keys that must be there first, where this run makes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Slots of the same resource that must be ready first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// It is there without us: it is never made or deleted, and only what this stack sets on it comes and goes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
}

/// One field's change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Where in the object or the properties.
    pub pointer: String,
    /// What stands there.
    pub before: Shown,
    /// What will.
    pub after: Shown,
    /// Whose value it is now, where it is another manager's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
}

/// A value as a plan shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shown {
    /// Nothing there.
    Absent,
    /// This.
    Value(serde_json::Value),
    /// Something that nobody may see.
    Secret,
    /// Known after apply.
    Unknown,
}
