//! A last look before a plan is shown: what others have put into what it would delete.

use std::sync::Arc;

use sheave_model::plan::{Action as Planned, Plan, PlannedObject};
use sheave_model::plugin::ObjectId;

use crate::action::{Action, LookInsideRequest};
use crate::event::{Event, Failure, Inside};

/// Things that are named; of more, the number says enough.
const NAMED: usize = 8;

/// A plan that waits for answers.
#[derive(Debug)]
pub(crate) struct Inspecting {
    plan: Box<Plan>,
    open: usize,
}

impl Inspecting {
    /// Asks of each object that holds others and would be deleted what it holds.
    pub(crate) fn new(plan: Box<Plan>) -> (Self, Vec<Action>) {
        let actions: Vec<Action> = plan
            .resources
            .iter()
            .flat_map(|r| r.objects.iter().map(move |o| (o, &r.address)))
            .filter(|(o, _)| o.action == Planned::Delete && o.order.provides.is_some())
            .map(|(o, address)| {
                Action::LookInside(LookInsideRequest {
                    address: address.clone(),
                    target: o.target.clone(),
                    id: o.object.clone(),
                })
            })
            .collect();
        (Self { plan, open: actions.len() }, actions)
    }

    /// The plan, once all is known.
    pub(crate) fn finish(self) -> Result<Box<Plan>, Self> {
        if self.open == 0 { Ok(self.plan) } else { Err(self) }
    }

    pub(crate) fn step(&mut self, event: Event) {
        let Event::LookedInside { address, target, id, result } = event else { return };
        self.open = self.open.saturating_sub(1);
        let Some(resource) = self.plan.resources.iter_mut().find(|r| r.address == address) else { return };
        let resource = Arc::make_mut(resource);
        let mut objects = resource.objects.iter_mut();
        let held =
            |o: &&mut PlannedObject| o.target == target && o.object == id && o.action == Planned::Delete;
        let Some(object) = objects.find(held) else { return };
        match result {
            Ok(inside) => judge(object, &inside),
            Err(failure) => unseen(object, &failure),
        }
        if resource.action == Planned::Delete && resource.objects.iter().all(|o| o.action == Planned::Forget)
        {
            resource.action = Planned::Forget;
        }
    }
}

/// What holds others' things stays, unless its resource says `keep: false`; then the plan says what goes with it.
fn judge(object: &mut PlannedObject, inside: &Inside) {
    let others = named(&inside.strangers);
    if inside.strangers.is_empty() && inside.unseen.is_empty() {
        return;
    }
    let hidden = inside.unseen.join("; ");
    if !object.only_empty {
        object.notes.push(match others {
            Some(others) => format!("with it goes what this stack did not make: {others}"),
            None => format!("with it goes whatever stands in it; not all of that could be seen: {hidden}"),
        });
        return;
    }
    object.action = Planned::Forget;
    object.only_empty = false;
    object.notes = vec![
        match others {
            Some(others) => format!("left where it is, for what this stack did not make: {others}"),
            None => format!("left where it is, since what it holds could not be seen: {hidden}"),
        },
        "`keep: false` on the resource, applied once, deletes it with all that it holds".to_owned(),
    ];
}

/// Nobody answered: it is looked at again before anything is deleted.
fn unseen(object: &mut PlannedObject, failure: &Failure) {
    let why = failure.summary();
    object.notes.push(match object.only_empty {
        true => {
            format!("it is deleted only where it holds nothing of others, which could not be seen yet: {why}")
        }
        false => format!("with it goes whatever stands in it; that could not be seen: {why}"),
    });
}

/// `ConfigMap blog/page, Secret blog/key and 3 more`; none: nothing.
pub(crate) fn named(ids: &[ObjectId]) -> Option<String> {
    let first: Vec<String> = ids.iter().take(NAMED).map(ToString::to_string).collect();
    let more = ids.len().saturating_sub(NAMED);
    match (first.is_empty(), more) {
        (true, _) => None,
        (_, 0) => Some(first.join(", ")),
        _ => Some(format!("{} and {more} more", first.join(", "))),
    }
}
