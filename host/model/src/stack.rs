//! A stack's state: what the journal's entries add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::in_flight::InFlight;
use crate::journal::{Change, Entry, Intent, Outcome};
use crate::places::Places;
use crate::plan::ObjectOrder;
use crate::plugin::{ObjectId, PluginPin, Role};
use crate::{Address, Masked, Sealed, TypeName};

/// The live instance of a blueprint, as far as we know it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackState {
    /// The stack's name.
    pub name: String,
    /// Made at the first apply: names the stack in clusters. Empty before.
    pub uuid: String,
    /// The number of the last journal entry; 0: none.
    pub serial: u64,
    /// What the stack holds.
    pub resources: BTreeMap<Address, Arc<ResourceRecord>>,
    /// Passwords that expressions made, by name.
    pub passwords: BTreeMap<String, Sealed>,
    /// The stack's outputs.
    pub outputs: BTreeMap<String, Sealed>,
    /// Where its objects are.
    pub targets: BTreeMap<String, TargetRecord>,
    /// Operations begun and not known to have ended, by op-key.
    pub in_flight: InFlight,
    /// Where objects stand in their resources' lists.
    #[serde(skip)]
    pub places: Places,
    /// The last run; none before the first.
    pub last_run: Option<RunSummary>,
}

/// A run in one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its id.
    pub run: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// How it ended; none: it has not, or was cut off.
    pub outcome: Option<crate::event::RunOutcome>,
}

/// A connection, as far as it can be kept: no credential in clear.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetRecord {
    /// The kubeconfig's context; none: the current one at the time.
    pub context: Option<String>,
    /// The kubeconfig file; none: kubectl's rules.
    pub kubeconfig: Option<String>,
    /// Whether it is the cluster that Sheave runs in.
    #[serde(default)]
    pub in_cluster: bool,
    /// The namespace for objects that name none.
    pub namespace: String,
    /// The cluster's own identity (UID of `kube-system`), where it could be read: another cluster under the
    /// same context is refused.
    #[serde(default)]
    pub cluster: Option<String>,
    /// Whether the inventory's parent object was made.
    #[serde(default)]
    pub inventory: bool,
    /// The settings of an HTTP connection, which then this is; none: a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Sealed>,
}

/// How a resource stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Begun, not seen to end.
    Applying,
    /// As it should be, and its outputs are known.
    Ready,
    /// It did not become ready, or its change failed.
    Failed(String),
    /// It exists but is not right, or it is not known whether it exists.
    Tainted(String),
}

/// What is kept of a resource: enough to change, prune and destroy it without the blueprint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceRecord {
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    /// How its type works.
    pub role: Role,
    /// The plugin that rendered or provided it.
    pub plugin: PluginPin,
    /// The plugin's settings, as they were.
    #[serde(default)]
    pub settings: Sealed,
    /// The version of the stored state.
    pub schema_version: u32,
    /// The target's name, for emitters.
    #[serde(default)]
    pub target: Option<String>,
    /// Resources that it reads or depends on.
    pub requires: Vec<Address>,
    /// Whether prune leaves it; none: the kind's rule.
    #[serde(default)]
    pub keep: Option<bool>,
    /// Its properties when it was last begun.
    pub properties: Masked,
    /// Keyed digest of component, settings and properties: the same again means the same objects.
    #[serde(default)]
    pub render_key: String,
    /// How it stands.
    pub status: Status,
    /// Its outputs, once it was ready.
    #[serde(default)]
    pub outputs: Option<Sealed>,
    /// An emitter's objects: those that are there, and those that may be.
    #[serde(default)]
    pub objects: Vec<ObjectRecord>,
    /// A provider's resource.
    #[serde(default)]
    pub snapshot: Option<SnapshotRecord>,
    /// Whether it may not be removed (`prevent-destroy`).
    #[serde(default)]
    pub protect: bool,
    /// The address that its plugin knows it by, where it has been moved since.
    #[serde(default)]
    pub named: Option<Address>,
    /// What `replace-when` watches, as it was when it was last begun; none: nothing is watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<Masked>,
    /// It is being made anew because of that, and the end of it was not seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renewing: bool,
}

/// One object of ours in a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRecord {
    /// Stable within the resource.
    pub slot: String,
    /// The target's name.
    pub target: String,
    /// What it is.
    pub id: ObjectId,
    /// The server's id; none: it was sent, and whether it arrived is not known.
    #[serde(default)]
    pub uid: Option<String>,
    /// Whether we made it (rather than took it over).
    #[serde(default)]
    pub created: bool,
    /// Keyed digest of what was desired.
    #[serde(default)]
    pub desired: String,
    /// Digest of the reply's values in the fields that are ours.
    #[serde(default)]
    pub owned: String,
    /// How it stands to others.
    #[serde(default)]
    pub order: ObjectOrder,
}

/// A provider's resource as it is outside, encrypted where it must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SnapshotRecord {
    /// The identity outside.
    pub id: String,
    /// The plugin's view.
    pub state: Sealed,
    /// Its outputs, as the plugin gave them: kept here too, since a run may end before the resource is seen ready.
    #[serde(default)]
    pub outputs: Sealed,
    /// The plugin's own bytes, sealed as base64.
    pub private: Sealed,
}

impl StackState {
    /// Takes one journal entry in. Total: an entry that names what is not there changes nothing else.
    pub fn record(&mut self, entry: &Entry) {
        self.serial += 1;
        match entry {
            Entry::StackCreated { uuid } => self.uuid.clone_from(uuid),
            Entry::RunStarted { run, at, .. } => {
                self.last_run = Some(RunSummary { run: run.clone(), started: at.clone(), outcome: None });
            }
            Entry::RunFinished { run, outcome, .. } => {
                if let Some(last) = self.last_run.as_mut().filter(|l| l.run == *run) {
                    last.outcome = Some(*outcome);
                }
            }
            Entry::TargetUsed { name, target } => {
                self.targets.insert(name.clone(), target.clone());
            }
            Entry::PasswordMade { name, password } => {
                self.passwords.insert(name.clone(), password.clone());
            }
            Entry::ResourceBegun { address, record } => self.begin(address, record),
            Entry::Intent(intent) => self.intend(intent),
            Entry::Outcome { op, outcome } => self.conclude(op, outcome),
            Entry::ResourceReady { address, outputs } => {
                if let Some(record) = self.record_of(address) {
                    record.status = Status::Ready;
                    record.renewing = false;
                    record.outputs = Some(outputs.clone());
                }
            }
            Entry::ResourceFailed { address, why } => {
                if let Some(record) = self.record_of(address)
                    && !matches!(record.status, Status::Tainted(_))
                {
                    record.status = Status::Failed(why.clone());
                }
            }
            Entry::ResourceForgotten { address } => {
                self.resources.remove(address);
                self.in_flight.forget(address);
                self.places.forget(address);
            }
            Entry::ResourceMoved { from, to, requiring } => self.rename(from, to, requiring),
            Entry::ResourceRefreshed { address, outputs } => {
                if let Some(record) = self.record_of(address) {
                    if let Some(snapshot) = &mut record.snapshot {
                        snapshot.outputs = outputs.clone();
                    }
                    record.outputs = Some(outputs.clone());
                }
            }
            Entry::ResourceRendered { address, render_key } => {
                if let Some(record) = self.record_of(address) {
                    record.render_key.clone_from(render_key);
                }
            }
            Entry::OutputsSet { outputs } => self.outputs.clone_from(outputs),
        }
    }

    /// Gives a resource another address. It keeps the name that its objects were named after. Nothing happens where
    /// there is nothing at `from`, or something at `to`. `requiring` is what [`Self::requiring`] gave for `from`.
    pub fn rename(&mut self, from: &Address, to: &Address, requiring: &[Address]) {
        if self.resources.contains_key(to) {
            return;
        }
        let Some(mut kept) = self.resources.remove(from) else { return };
        let record = Arc::make_mut(&mut kept);
        record.named.get_or_insert_with(|| from.clone());
        self.resources.insert(to.clone(), kept);
        for address in requiring {
            let Some(record) = self.record_of(address) else { continue };
            for need in record.requires.iter_mut().filter(|need| **need == from.without_key()) {
                *need = to.without_key();
            }
        }
        self.in_flight.rename(from, to);
        self.places.forget(from);
        self.places.forget(to);
    }

    /// The resources that require the one at `address`.
    pub fn requiring(&self, address: &Address) -> Vec<Address> {
        let base = address.without_key();
        let requiring = self.resources.iter().filter(|(_, r)| r.requires.contains(&base));
        requiring.map(|(a, _)| a.clone()).collect()
    }

    /// A resource's record, to be changed: copied where somebody else still looks at the old one.
    fn record_of(&mut self, address: &Address) -> Option<&mut ResourceRecord> {
        self.resources.get_mut(address).map(Arc::make_mut)
    }

    fn begin(&mut self, address: &Address, fresh: &ResourceRecord) {
        let mut fresh = fresh.clone();
        if let Some(old) = self.resources.remove(address) {
            let old = Arc::unwrap_or_clone(old);
            fresh.objects = old.objects;
            fresh.snapshot = old.snapshot;
            fresh.outputs = old.outputs;
            fresh.named = old.named;
        }
        self.resources.insert(address.clone(), Arc::new(fresh));
    }

    fn intend(&mut self, intent: &Intent) {
        let address = &intent.address;
        if let (Change::ApplyObject { object }, Some(record)) =
            (&intent.change, self.resources.get_mut(address).map(Arc::make_mut))
            && self.places.find(address, &record.objects, &object.target, &object.id).is_none()
        {
            self.places.added(address, object);
            record.objects.push(object.clone());
        }
        self.in_flight.insert(intent.op.clone(), intent.clone());
    }

    fn conclude(&mut self, op: &str, outcome: &Outcome) {
        let Some(intent) = self.in_flight.get(op).cloned() else { return };
        if !matches!(outcome, Outcome::InDoubt { .. } | Outcome::Pending { .. }) {
            self.in_flight.remove(op);
        }
        let Some(record) = self.resources.get_mut(&intent.address).map(Arc::make_mut) else { return };
        match outcome {
            Outcome::Applied { object } => {
                let address = &intent.address;
                let known = self.places.find(address, &record.objects, &object.target, &object.id);
                match known.and_then(|at| record.objects.get_mut(at)) {
                    Some(old) => *old = object.clone(),
                    None => {
                        self.places.added(address, object);
                        record.objects.push(object.clone());
                    }
                }
            }
            Outcome::Deleted => {
                if let Change::DeleteObject { target, id, .. } = &intent.change
                    && let Some(at) = record.objects.iter().position(|o| o.target == *target && o.id == *id)
                {
                    record.objects.remove(at);
                    self.places.forget(&intent.address);
                }
            }
            Outcome::Provided { snapshot } => {
                record.snapshot.clone_from(snapshot);
                // What was in doubt is known now: the operation was called again, and ended well.
                if matches!(record.status, Status::Tainted(_)) {
                    record.status = Status::Applying;
                }
            }
            Outcome::Pending { resume } => {
                self.in_flight.amend(op, |change| {
                    if let Change::Provide { resume: kept, .. } = change {
                        *kept = Some(resume.clone());
                    }
                });
            }
            Outcome::Partial { left, why } => {
                record.snapshot = Some(left.clone());
                record.status = Status::Tainted(why.clone());
            }
            Outcome::Failed { why } => {
                if !matches!(record.status, Status::Tainted(_)) {
                    record.status = Status::Failed(why.clone());
                }
                // Nothing of it was ever there: the server answered, and its answer was no.
                if let Change::ApplyObject { object } = &intent.change {
                    record
                        .objects
                        .retain(|o| !(o.target == object.target && o.id == object.id && o.uid.is_none()));
                    self.places.forget(&intent.address);
                }
            }
            Outcome::InDoubt { why } => record.status = Status::Tainted(why.clone()),
        }
    }
}
