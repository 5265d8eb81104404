//! Removals, after everything else is done: dependants before what they need, contents before what holds them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sheave_model::event::What;
use sheave_model::plan::{Action as Planned, PlannedObject, PlannedResource};
use sheave_model::plugin::{ObjectId, ProviderPlan};
use sheave_model::{Address, Diagnostic, Role, Value};

use super::{Applying, Stage};
use crate::action::{Action, DeleteRequest, ProvideRequest};
use crate::event::Failure;

/// What is to be removed of one resource.
#[derive(Debug)]
struct Removal {
    planned: Arc<PlannedResource>,
    /// The whole resource goes, not just some objects of it.
    whole: bool,
    /// Objects whose turn has not come.
    waiting: Vec<PlannedObject>,
    /// Those that are on their way out.
    sent: BTreeMap<(String, ObjectId), PlannedObject>,
    /// How many objects of the resource that are still there came after a slot.
    after: BTreeMap<String, usize>,
    provider: bool,
    begun: bool,
    failed: bool,
    done: bool,
}

/// How many of the objects come after each slot.
fn after_of(objects: &[PlannedObject]) -> BTreeMap<String, usize> {
    let mut after = BTreeMap::new();
    for slot in objects.iter().flat_map(|o| o.order.after.iter().collect::<BTreeSet<_>>()) {
        *after.entry(slot.clone()).or_default() += 1;
    }
    after
}

/// All removals of a run.
#[derive(Debug, Default)]
pub(super) struct Removals {
    items: BTreeMap<Address, Removal>,
    /// How many whole removals still need a resource (by its address without key).
    needed: BTreeMap<Address, usize>,
    /// How many objects still stand in a key's provider.
    users: BTreeMap<String, usize>,
}

/// Whether something has to be sent for an object that goes.
fn goes(action: Planned) -> bool {
    matches!(action, Planned::Delete | Planned::Release)
}

impl Removals {
    pub(super) fn new(planned: Vec<Arc<PlannedResource>>) -> Self {
        let mut removals = Self::default();
        for planned in planned {
            removals.add(planned, true);
        }
        removals
    }

    /// Takes in objects that a resource which stays no longer has.
    pub(super) fn add_leftovers(&mut self, planned: &Arc<PlannedResource>) {
        if planned.objects.iter().any(|o| o.action.is_removal()) {
            self.add(planned.clone(), false);
        }
    }

    fn add(&mut self, planned: Arc<PlannedResource>, whole: bool) {
        let left: Vec<PlannedObject> = planned.objects.iter().filter(|o| goes(o.action)).cloned().collect();
        if whole {
            for need in &planned.requires {
                *self.needed.entry(need.clone()).or_default() += 1;
            }
        }
        for key in left.iter().flat_map(|o| &o.order.requires) {
            *self.users.entry(key.clone()).or_default() += 1;
        }
        let provider = whole && planned.role == Role::Provides && planned.action == Planned::Delete;
        let address = planned.address.clone();
        let removal = Removal {
            planned,
            whole,
            after: after_of(&left),
            waiting: left,
            sent: BTreeMap::new(),
            provider,
            begun: false,
            failed: false,
            done: false,
        };
        self.items.insert(address, removal);
    }

    pub(super) fn has_provider(&self, address: &Address) -> bool {
        self.items.get(address).is_some_and(|r| r.provider && r.begun && !r.done)
    }

    pub(super) fn provider_request(&self, address: &Address, op: &str) -> Option<ProvideRequest> {
        let removal = self.items.get(address)?;
        Some(ProvideRequest {
            op: op.to_owned(),
            address: address.clone(),
            type_name: removal.planned.type_name.clone(),
            desired: None,
            with_prior: true,
            agreed: ProviderPlan { outputs: Value::empty(), replace: Vec::new(), notes: Vec::new() },
            resume: None,
        })
    }

    /// Leaves objects where they are that other resources have now.
    fn leave(&mut self, claimed: &BTreeSet<(String, ObjectId)>) {
        for removal in self.items.values_mut() {
            let (left, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut removal.waiting)
                .into_iter()
                .partition(|o| !claimed.contains(&(o.target.clone(), o.object.clone())));
            removal.after = after_of(&left);
            removal.waiting = left;
            for key in kept.iter().flat_map(|o| &o.order.requires) {
                if let Some(users) = self.users.get_mut(key) {
                    *users = users.saturating_sub(1);
                }
            }
        }
    }

    /// Whether all of a resource goes.
    pub(super) fn has_whole(&self, address: &Address) -> bool {
        self.items.get(address).is_some_and(|r| r.whole)
    }

    /// Whether nothing needs it any more: not it, and none of the modules that it stands in.
    fn is_free(&self, removal: &Removal) -> bool {
        let address = &removal.planned.address;
        let around = (1..=address.steps().len()).filter_map(|n| address.prefix(n));
        !removal.whole
            || around.into_iter().all(|a| self.needed.get(&a.without_key()).is_none_or(|n| *n == 0))
    }
}

impl Applying {
    pub(super) fn begin_removals(&mut self, actions: &mut Vec<Action>) {
        self.removals.leave(&self.claimed);
        let all: Vec<Address> = self.removals.items.keys().cloned().collect();
        for address in all {
            self.remove(&address, actions);
        }
    }

    /// Sends what can be removed of a resource now.
    fn remove(&mut self, address: &Address, actions: &mut Vec<Action>) {
        if self.cancelled {
            return;
        }
        let run = self.world.run.clone();
        let Some(removal) = self.removals.items.get(address) else { return };
        if removal.done || removal.failed || !self.removals.is_free(removal) {
            return;
        }
        let (provider, begun, whole) = (removal.provider, removal.begun, removal.whole);
        let nothing_left = removal.waiting.is_empty() && removal.sent.is_empty() && !provider;
        let Removals { items, users, .. } = &mut self.removals;
        let Some(removal) = items.get_mut(address) else { return };
        let after = &removal.after;
        let (ready, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut removal.waiting).into_iter().partition(|o| {
                let holds = o.order.provides.as_ref().and_then(|k| users.get(k)).is_some_and(|n| *n > 0);
                let awaited = after.get(&o.slot).is_some_and(|n| *n > 0);
                !holds && !awaited
            });
        removal.waiting = waiting;
        removal.begun = true;
        if !begun && whole {
            let action = removal.planned.action;
            actions.push(Action::Notify(What::Started { address: address.clone(), action }));
        }
        for object in ready {
            let key = (object.target.clone(), object.object.clone());
            removal.sent.insert(key, object.clone());
            self.ops += 1;
            self.in_flight += 1;
            actions.push(Action::Delete(DeleteRequest {
                op: format!("{run}-{}", self.ops),
                address: address.clone(),
                target: object.target,
                id: object.object,
                uid: object.uid,
                timeout: None,
                replace: false,
                release: object.action == Planned::Release,
                only_empty: object.only_empty,
            }));
        }
        if provider && !begun {
            let op = self.next_op();
            if let Some(request) = self.removals.provider_request(address, &op) {
                self.in_flight += 1;
                actions.push(Action::Provide(Box::new(request)));
            }
        } else if nothing_left {
            self.conclude_removal(address, actions);
        }
    }

    pub(super) fn removed(
        &mut self,
        address: &Address,
        target: &str,
        id: &ObjectId,
        result: Result<(), Failure>,
        actions: &mut Vec<Action>,
    ) {
        if let Err(failure) = result {
            return self.removal_failed(address, failure, actions);
        }
        let Some(removal) = self.removals.items.get_mut(address) else { return };
        let gone = removal.sent.remove(&(target.to_owned(), id.clone()));
        for slot in gone.iter().flat_map(|o| o.order.after.iter().collect::<BTreeSet<_>>()) {
            if let Some(count) = removal.after.get_mut(slot) {
                *count = count.saturating_sub(1);
            }
        }
        if gone.as_ref().is_some_and(|o| o.action == Planned::Release) {
            self.counts.update += 1;
        } else {
            self.counts.delete += 1;
            actions.push(Action::Notify(What::ObjectDeleted {
                address: address.clone(),
                target: target.to_owned(),
                object: id.clone(),
            }));
        }
        let keys = gone.map(|o| o.order.requires).unwrap_or_default();
        let mut freed = false;
        for key in keys {
            if let Some(users) = self.removals.users.get_mut(&key) {
                *users -= 1;
                freed |= *users == 0;
            }
        }
        self.remove(address, actions);
        if freed {
            let holders: Vec<Address> = self
                .removals
                .items
                .iter()
                .filter(|(a, r)| *a != address && r.waiting.iter().any(|o| o.order.provides.is_some()))
                .map(|(a, _)| a.clone())
                .collect();
            for holder in holders {
                self.remove(&holder, actions);
            }
        }
    }

    pub(super) fn provider_removed(&mut self, address: &Address, actions: &mut Vec<Action>) {
        self.conclude_removal(address, actions);
    }

    fn conclude_removal(&mut self, address: &Address, actions: &mut Vec<Action>) {
        let Some(removal) = self.removals.items.get_mut(address) else { return };
        if std::mem::replace(&mut removal.done, true) || !removal.whole {
            return;
        }
        let requires = removal.planned.requires.clone();
        actions.push(Action::Forget { address: address.clone() });
        actions.push(Action::Notify(What::Deleted { address: address.clone() }));
        for need in requires {
            let free = self.removals.needed.get_mut(&need).is_some_and(|n| {
                *n -= 1;
                *n == 0
            });
            if free {
                let instances = self.removals.items.range(need.clone()..).map(|(a, _)| a.clone());
                let instances: Vec<Address> = instances.take_while(|a| a.is_within(&need)).collect();
                for instance in instances {
                    self.remove(&instance, actions);
                }
            }
        }
    }

    pub(super) fn removal_failed(&mut self, address: &Address, failure: Failure, actions: &mut Vec<Action>) {
        if self.cancelled && failure.diagnostics.iter().all(|d| d.code == "run.interrupted") {
            return;
        }
        self.failed = true;
        self.counts.failed += 1;
        if let Some(removal) = self.removals.items.get_mut(address) {
            removal.failed = true;
        }
        actions.push(Action::Fail { address: address.clone(), why: failure.summary() });
        let mut diagnostics = failure.diagnostics.into_iter().map(|d| d.on(address.clone()));
        if let Some(first) = diagnostics.next() {
            actions
                .push(Action::Notify(What::Failed { address: address.clone(), diagnostic: first.clone() }));
            self.diagnostics.push(first);
        }
        self.diagnostics.extend(diagnostics);
    }

    /// Says of every removal that was not attempted why.
    pub(super) fn report_stuck_removals(&mut self, actions: &mut Vec<Action>) {
        if self.cancelled
            || self.nodes.values().any(|n| n.stage == Stage::Failed)
            || !self.plan.failed.is_empty()
        {
            return;
        }
        let stuck: Vec<Address> = self
            .removals
            .items
            .iter()
            .filter(|(_, r)| !r.done && !r.failed)
            .map(|(a, _)| a.clone())
            .collect();
        for address in stuck {
            let summary = format!(
                "`{address}` was not removed: something that needs it, or stands in it, is still there"
            );
            self.removal_failed(
                &address,
                Failure::world(vec![Diagnostic::error("run.blocked", summary)]),
                actions,
            );
        }
    }
}
