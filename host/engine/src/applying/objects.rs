//! An emitter's resource: its objects sent in their order, waited for, observed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sheave_model::event::What;
use sheave_model::plan::{Action as Planned, PlannedObject};
use sheave_model::plugin::ObjectId;
use sheave_model::stack::ObjectRecord;
use sheave_model::{Address, Masked, Value};

use super::{Applying, Node, Stage};
use crate::action::{Action, ApplyRequest, AwaitObject, AwaitRequest, DeleteRequest};
use crate::event::{Failure, RenderedObject};

/// One object on its way.
#[derive(Debug)]
pub(super) struct ObjectWork {
    pub(super) rendered: RenderedObject,
    pub(super) stage: ObjectStage,
    pub(super) uid: Option<String>,
    /// Where the plan has it among the resource's objects.
    planned: Option<usize>,
    recorded: Option<ObjectRecord>,
}

/// The objects of one resource, in the plugin's order and by slot: a resource may have thousands.
#[derive(Debug, Default)]
pub(super) struct ObjectList {
    all: Vec<ObjectWork>,
    by_slot: HashMap<String, usize>,
    /// Slots that some other object of the resource waits for.
    awaited: HashSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectStage {
    Pending,
    /// Its old self is being deleted.
    Replacing,
    Sent,
    /// In the cluster, and somebody waits for it to be ready.
    Awaited,
    There,
}

impl ObjectList {
    pub(super) fn new(rendered: Vec<RenderedObject>) -> Self {
        let mut by_slot = HashMap::with_capacity(rendered.len());
        for (at, object) in rendered.iter().enumerate() {
            by_slot.entry(object.slot.clone()).or_insert(at);
        }
        let awaited = rendered.iter().flat_map(|o| o.order.after.iter().cloned()).collect();
        let work = |rendered| ObjectWork {
            rendered,
            stage: ObjectStage::Pending,
            uid: None,
            planned: None,
            recorded: None,
        };
        Self { all: rendered.into_iter().map(work).collect(), by_slot, awaited }
    }

    /// Finds for each object what is planned and recorded of it.
    pub(super) fn join(&mut self, planned: &[PlannedObject], recorded: &[ObjectRecord]) {
        let stays = |o: &PlannedObject| !o.action.is_removal();
        let mut plans = HashMap::with_capacity(planned.len());
        for (at, object) in planned.iter().enumerate().filter(|(_, o)| stays(o)) {
            plans.entry(object.slot.as_str()).or_insert(at);
        }
        let records: HashMap<(&str, &ObjectId), &ObjectRecord> =
            recorded.iter().map(|o| ((o.target.as_str(), &o.id), o)).collect();
        for work in &mut self.all {
            let rendered = &work.rendered;
            work.planned = plans.get(rendered.slot.as_str()).copied();
            work.recorded = records.get(&(rendered.target.as_str(), &rendered.id)).map(|r| (*r).clone());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn iter(&self) -> std::slice::Iter<'_, ObjectWork> {
        self.all.iter()
    }

    fn get(&self, slot: &str) -> Option<&ObjectWork> {
        self.all.get(*self.by_slot.get(slot)?)
    }

    fn get_mut(&mut self, slot: &str) -> Option<&mut ObjectWork> {
        self.all.get_mut(*self.by_slot.get(slot)?)
    }
}

impl Node {
    /// Nothing is done any more with what it was made of: the memory is wanted for those that come.
    pub(super) fn let_go(&mut self) {
        self.properties = Arc::new(Value::Null);
        self.objects = ObjectList::default();
        if let Some(planned) = Arc::get_mut(&mut self.planned) {
            planned.properties = Masked::default();
            planned.objects = Vec::new();
        }
    }

    pub(super) fn await_objects(&self) -> Vec<AwaitObject> {
        self.objects
            .iter()
            .map(|o| AwaitObject {
                slot: o.rendered.slot.clone(),
                target: o.rendered.target.clone(),
                id: o.rendered.id.clone(),
                uid: o.uid.clone(),
                ready_when: o.rendered.ready_when.clone(),
            })
            .collect()
    }

    fn planned_object(&self, slot: &str) -> Option<&PlannedObject> {
        self.planned.objects.get(self.objects.get(slot)?.planned?)
    }

    /// Whether some other object of this resource waits until `slot` is ready.
    fn is_awaited(&self, slot: &str) -> bool {
        self.objects.awaited.contains(slot)
    }
}

impl Applying {
    /// Sends every object whose turn has come; when all are there, waits for the whole.
    pub(super) fn dispatch(&mut self, address: &Address, actions: &mut Vec<Action>) {
        let Some(spec) = self.spec(address) else { return };
        let slots: Vec<String> = match self.nodes.get(address) {
            Some(node) if node.stage == Stage::Working && node.begun => node
                .objects
                .iter()
                .filter(|o| o.stage == ObjectStage::Pending)
                .map(|o| o.rendered.slot.clone())
                .collect(),
            _ => return,
        };
        for slot in slots {
            if self.cancelled {
                return;
            }
            self.dispatch_object(address, &slot, &spec, actions);
        }
        let Some(node) = self.nodes.get(address).filter(|n| n.stage == Stage::Working) else { return };
        if node.objects.iter().any(|o| o.stage != ObjectStage::There) || self.cancelled {
            return;
        }
        if spec.wait && !node.objects.is_empty() {
            let request = AwaitRequest {
                address: address.clone(),
                objects: node.await_objects(),
                ready_when: spec.ready_when.clone(),
                timeout: spec.timeout,
                slot: None,
            };
            self.in_flight += 1;
            actions.push(Action::Await(request));
        } else {
            self.observe(address, actions);
        }
    }

    fn dispatch_object(
        &mut self,
        address: &Address,
        slot: &str,
        spec: &sheave_blueprint::ResourceSpec,
        actions: &mut Vec<Action>,
    ) {
        let Some(node) = self.nodes.get(address) else { return };
        let Some(work) = node.objects.get(slot) else { return };
        let after_ready = work
            .rendered
            .order
            .after
            .iter()
            .all(|after| node.objects.get(after).is_none_or(|o| o.stage == ObjectStage::There));
        let requires: Vec<String> = work
            .rendered
            .order
            .requires
            .iter()
            .filter(|k| work.rendered.order.provides.as_ref() != Some(k))
            .cloned()
            .collect();
        if !after_ready || !self.keys.ready(&requires, address) {
            return;
        }
        let Some(node) = self.nodes.get(address) else { return };
        let Some(planned) = node.planned_object(slot).cloned() else { return };
        let Some(work) = node.objects.get(slot) else { return };
        let recorded = work.recorded.clone();
        match planned.action {
            Planned::NoOp | Planned::Await => {
                let uid = recorded.and_then(|r| r.uid);
                self.counts.unchanged += 1;
                self.set_stage(address, slot, ObjectStage::There, uid);
                if let Some(key) = &planned.order.provides {
                    self.provide(&key.clone(), actions);
                }
            }
            Planned::Replace => {
                let op = self.next_op();
                self.set_stage(address, slot, ObjectStage::Replacing, None);
                self.in_flight += 1;
                actions.push(Action::Delete(DeleteRequest {
                    op,
                    address: address.clone(),
                    target: planned.target,
                    id: planned.object,
                    uid: planned.uid,
                    timeout: spec.timeout,
                    replace: true,
                    release: false,
                    only_empty: false,
                }));
            }
            _ => self.send(address, slot, &planned, recorded, actions),
        }
    }

    fn send(
        &mut self,
        address: &Address,
        slot: &str,
        planned: &PlannedObject,
        recorded: Option<ObjectRecord>,
        actions: &mut Vec<Action>,
    ) {
        let op = self.next_op();
        let Some(spec) = self.spec(address) else { return };
        let Some(node) = self.nodes.get_mut(address) else { return };
        let Some(work) = node.objects.get_mut(slot) else { return };
        work.stage = ObjectStage::Sent;
        self.in_flight += 1;
        actions.push(Action::Apply(Box::new(ApplyRequest {
            op,
            address: address.clone(),
            slot: slot.to_owned(),
            target: work.rendered.target.clone(),
            id: work.rendered.id.clone(),
            manifest: work.rendered.manifest.clone(),
            force: planned.force,
            ignore: spec.ignore.iter().chain(&work.rendered.ignore).cloned().collect(),
            adopt: spec.adopt,
            create: matches!(planned.action, Planned::Create | Planned::Replace),
            order: work.rendered.order.clone(),
            recorded,
        })));
    }

    fn set_stage(&mut self, address: &Address, slot: &str, stage: ObjectStage, uid: Option<String>) {
        let work = self.nodes.get_mut(address).and_then(|n| n.objects.get_mut(slot));
        if let Some(work) = work {
            work.stage = stage;
            if uid.is_some() {
                work.uid = uid;
            }
        }
    }

    pub(super) fn applied(
        &mut self,
        address: &Address,
        slot: &str,
        result: Result<(ObjectRecord, bool), Failure>,
        actions: &mut Vec<Action>,
    ) {
        let (record, created) = match result {
            Ok(found) => found,
            Err(failure) => return self.fail(address, failure, actions),
        };
        actions.push(Action::Notify(What::ObjectApplied {
            address: address.clone(),
            target: record.target.clone(),
            object: record.id.clone(),
            created,
        }));
        if created {
            self.counts.create += 1;
        } else {
            self.counts.update += 1;
        }
        let Some(node) = self.nodes.get(address) else { return };
        let awaited = record.order.provides.is_some() || node.is_awaited(slot);
        if !awaited {
            self.set_stage(address, slot, ObjectStage::There, record.uid);
            return self.dispatch(address, actions);
        }
        self.set_stage(address, slot, ObjectStage::Awaited, record.uid);
        let Some(node) = self.nodes.get(address) else { return };
        let timeout = self.spec(address).and_then(|s| s.timeout);
        let objects = node.await_objects().into_iter().filter(|o| o.slot == slot).collect();
        self.in_flight += 1;
        actions.push(Action::Await(AwaitRequest {
            address: address.clone(),
            objects,
            ready_when: None,
            timeout,
            slot: Some(slot.to_owned()),
        }));
    }

    pub(super) fn awaited(
        &mut self,
        address: &Address,
        slot: Option<String>,
        result: Result<(), Failure>,
        actions: &mut Vec<Action>,
    ) {
        match (result, slot) {
            (Err(failure), _) => self.fail(address, failure, actions),
            (Ok(()), None) => self.observe(address, actions),
            (Ok(()), Some(slot)) => {
                self.set_stage(address, &slot, ObjectStage::There, None);
                let key = self
                    .nodes
                    .get(address)
                    .and_then(|n| n.objects.get(&slot))
                    .and_then(|o| o.rendered.order.provides.clone());
                if let Some(key) = key {
                    self.provide(&key, actions);
                }
                self.dispatch(address, actions);
            }
        }
    }

    /// A key is there: those that waited for it go on.
    fn provide(&mut self, key: &str, actions: &mut Vec<Action>) {
        for waiting in self.keys.provide(key) {
            self.dispatch(&waiting, actions);
        }
    }

    /// An object is gone: one that is replaced is made anew; one that is removed lets others go.
    pub(super) fn deleted(
        &mut self,
        address: &Address,
        target: &str,
        id: &ObjectId,
        result: Result<(), Failure>,
        actions: &mut Vec<Action>,
    ) {
        let replacing = self.nodes.get(address).and_then(|n| {
            let work =
                n.objects.iter().find(|o| o.stage == ObjectStage::Replacing && o.rendered.id == *id)?;
            (work.rendered.target == target).then(|| work.rendered.slot.clone())
        });
        match (replacing, result) {
            (Some(_), Err(failure)) => self.fail(address, failure, actions),
            (Some(slot), Ok(())) => {
                let planned = self.nodes.get(address).and_then(|n| n.planned_object(&slot).cloned());
                if let Some(planned) = planned {
                    self.send(address, &slot, &planned, None, actions);
                }
            }
            (None, result) => self.removed(address, target, id, result, actions),
        }
    }
}
