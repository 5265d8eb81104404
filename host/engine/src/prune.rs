//! What the stack holds and the blueprint no longer asks for: planned as removals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sheave_model::plan::{Action as Planned, PlannedObject, PlannedResource, Purpose};
use sheave_model::plugin::ObjectId;
use sheave_model::stack::{ObjectRecord, ResourceRecord};
use sheave_model::{Address, Diagnostic, Masked, PluginPin};

use crate::World;

/// A pin for a plugin that the blueprint does not name: such a resource cannot have been resolved.
pub(crate) fn no_plugin(name: &str) -> PluginPin {
    PluginPin {
        name: name.to_owned(),
        source: String::new(),
        digest: String::new(),
        grants: Default::default(),
    }
}

/// The removals, dependants first, and those that are refused. Records of resources that are planned, failed to plan,
/// or whose instances are not known yet are left alone. `off` is what the blueprint has with a `when` that is false.
pub(crate) fn removals(
    world: &World,
    planned: &[Arc<PlannedResource>],
    failed: &BTreeMap<Address, String>,
    off: &BTreeSet<Address>,
) -> (Vec<PlannedResource>, Vec<(Address, Diagnostic)>) {
    let deferred: BTreeSet<&Address> =
        planned.iter().filter(|p| p.deferred.is_some()).map(|p| &p.address).collect();
    let keeps = |address: &Address| {
        address.around().any(|outer| deferred.contains(&outer) || failed.contains_key(&outer))
    };
    let planned_addresses: BTreeSet<&Address> = planned.iter().map(|p| &p.address).collect();
    let (refused, gone): (Vec<_>, Vec<_>) = world
        .state
        .resources
        .iter()
        .filter(|(address, _)| !planned_addresses.contains(address) && !keeps(address))
        .partition(|(_, record)| record.protect);
    let refused = refused.into_iter().map(|(address, _)| (address.clone(), protected(address))).collect();
    let depths = depths(gone.iter().map(|(address, _)| *address), &world.state.resources);
    let mut removals: Vec<PlannedResource> =
        gone.into_iter().map(|(address, record)| removal(address, record, world.purpose, off)).collect();
    leave_what_is_wanted(&mut removals, planned);
    // For the reader: what others need goes last. Carrying out follows the edges, not this order.
    removals.sort_by_key(|r| std::cmp::Reverse(depths.get(&r.address).copied().unwrap_or(0)));
    (removals, refused)
}

/// An object that another resource of the plan has now is not removed with the one that had it before.
fn leave_what_is_wanted(removals: &mut [PlannedResource], planned: &[Arc<PlannedResource>]) {
    let wanted: BTreeMap<(&str, &ObjectId), &Address> = planned
        .iter()
        .flat_map(|r| r.objects.iter().map(move |o| (o, &r.address)))
        .filter(|(o, _)| !o.action.is_removal())
        .map(|(o, address)| ((o.target.as_str(), &o.object), address))
        .collect();
    for removal in removals {
        for object in &mut removal.objects {
            if let Some(now) = wanted.get(&(object.target.as_str(), &object.object))
                && matches!(object.action, Planned::Delete | Planned::Release)
            {
                object.action = Planned::Forget;
                object.notes = vec![format!("left where it is: `{now}` has it now")];
            }
        }
        if !removal.objects.is_empty() && removal.objects.iter().all(|o| o.action == Planned::Forget) {
            removal.action = Planned::Forget;
        }
    }
}

/// Why a protected resource is not removed or replaced.
pub(crate) fn protected(address: &Address) -> Diagnostic {
    let summary = format!("`{address}` would be removed, and it is protected (`prevent-destroy`)");
    let help = "apply once with `prevent-destroy: false` in the blueprint, and then remove it";
    Diagnostic::error("plan.prevent-destroy", summary).with_help(help).on(address.clone())
}

/// How many steps each of these resources is from those that need nothing. Recorded edges were a graph without cycles
/// once; in a damaged one a step that leads back counts for nothing.
fn depths<'a>(
    of: impl Iterator<Item = &'a Address>,
    records: &'a BTreeMap<Address, Arc<ResourceRecord>>,
) -> BTreeMap<&'a Address, usize> {
    let mut depths: BTreeMap<&Address, usize> = BTreeMap::new();
    let mut todo: Vec<(&Address, bool)> = of.map(|address| (address, false)).collect();
    while let Some((address, needs_done)) = todo.pop() {
        let Some(record) = records.get(address) else { continue };
        if needs_done {
            let steps = record.requires.iter().map(|need| 1 + depths.get(need).copied().unwrap_or(0));
            depths.insert(address, steps.max().unwrap_or(0));
        } else if !depths.contains_key(address) {
            depths.insert(address, 0);
            todo.push((address, true));
            todo.extend(record.requires.iter().map(|need| (need, false)));
        }
    }
    depths
}

/// Why a resource that the stack holds is not asked for.
fn not_asked_for(address: &Address, off: &BTreeSet<Address>) -> String {
    match address.around().find(|outer| off.contains(outer)) {
        Some(own) if own.steps().len() == address.steps().len() => "its `when` is false".to_owned(),
        Some(module) => format!("the `when` of `{module}` is false"),
        None => "no longer in the blueprint".to_owned(),
    }
}

fn removal(
    address: &Address,
    record: &ResourceRecord,
    purpose: Purpose,
    off: &BTreeSet<Address>,
) -> PlannedResource {
    let kept = record.keep == Some(true) && purpose == Purpose::Apply;
    let objects: Vec<PlannedObject> =
        record.objects.iter().map(|object| removed_object(object, record.keep, purpose)).collect();
    let all_stay = !objects.is_empty() && objects.iter().all(|o| o.action == Planned::Forget);
    let released = !objects.is_empty() && objects.iter().all(|o| o.action == Planned::Release);
    let action = match (kept || all_stay, released) {
        (true, _) => Planned::Forget,
        (_, true) => Planned::Release,
        _ => Planned::Delete,
    };
    PlannedResource {
        address: address.clone(),
        type_name: record.type_name.clone(),
        role: record.role,
        plugin: record.plugin.clone(),
        action,
        why: Some(match purpose {
            Purpose::Apply => not_asked_for(address, off),
            Purpose::Destroy => "the stack is destroyed".to_owned(),
        }),
        properties: Masked::default(),
        objects,
        changes: Vec::new(),
        outputs: Masked::default(),
        deferred: None,
        existing: false,
        renew: false,
        requires: record.requires.clone(),
        notes: Vec::new(),
    }
}

/// One recorded object's removal. What holds other things (namespaces, definitions of kinds) stays on prune unless
/// `keep: false` was said, and goes on destroy where this stack made it.
fn removed_object(object: &ObjectRecord, keep: Option<bool>, purpose: Purpose) -> PlannedObject {
    if object.order.shared {
        let (action, note) = match keep {
            Some(true) => (Planned::Forget, "left as it is, with what this stack set on it"),
            _ => (Planned::Release, "it stays: only what this stack set on it goes"),
        };
        return gone(object, action, Some(note));
    }
    let holds_others = object.order.provides.is_some();
    let stays = match purpose {
        Purpose::Apply => keep.unwrap_or(holds_others),
        Purpose::Destroy => !object.created && holds_others || keep == Some(true),
    };
    let action = if stays { Planned::Forget } else { Planned::Delete };
    let only_empty = !stays && holds_others && keep.is_none();
    let planned = gone(object, action, stays.then_some("left where it is: `keep: false` deletes it"));
    PlannedObject { only_empty, ..planned }
}

fn gone(object: &ObjectRecord, action: Planned, note: Option<&str>) -> PlannedObject {
    PlannedObject {
        slot: object.slot.clone(),
        target: object.target.clone(),
        object: object.id.clone(),
        action,
        manifest: Masked::default(),
        changes: Vec::new(),
        drift: Vec::new(),
        force: false,
        only_empty: false,
        uid: object.uid.clone(),
        order: object.order.clone(),
        notes: note.map(str::to_owned).into_iter().collect(),
    }
}
