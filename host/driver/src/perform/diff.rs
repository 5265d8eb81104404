//! Comparing a resource's objects with what is live: what apply would change, what others changed, what goes.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value as Json;
use sheave_blueprint::ReplacePolicy;
use sheave_engine::{DiffRequest, Failure, Rendered, RenderedObject};
use sheave_manifest::FIELD_MANAGER;
use sheave_manifest::apply_set::part_of;
use sheave_model::plan::{Action, FieldChange, PlannedObject, Shown};
use sheave_model::stack::ObjectRecord;
use sheave_model::{Diagnostic, Masked, ObjectId, Value, pointer};

use super::hand_back::{Leaving, is_foreign};
use super::render::render;
use super::{taints, take_over};
use crate::context::{Context, locked};
use crate::substitute::{Holes, UNKNOWN_TEXT, fill};

/// Compares a resource's objects.
pub(crate) async fn diff(context: &Context, request: DiffRequest) -> Result<Vec<PlannedObject>, Failure> {
    let world = |d: Diagnostic| Failure::world(vec![context.clean(d).on(request.address.clone())]);
    let objects = match &request.objects {
        Some(objects) => objects.clone(),
        None => {
            let again = locked(&context.renders).remove(&request.address);
            if request.renew.is_none()
                && let Some(unchanged) = unchanged(context, &request.recorded).await.map_err(world)?
            {
                return Ok(unchanged);
            }
            let Some(mut again) = again else { return Ok(Vec::new()) };
            again.known = None;
            match render(context, again, false).await? {
                Some(Rendered::Objects { objects, permit, .. }) => {
                    // The engine has not seen these.
                    match sheave_engine::lint(&permit, &objects) {
                        faults if faults.is_empty() => objects,
                        faults => return Err(Failure::blueprint(faults)),
                    }
                }
                None | Some(Rendered::Unchanged | Rendered::Deferred { .. }) => return Ok(Vec::new()),
            }
        }
    };
    let mut left: HashMap<(&str, &ObjectId), &ObjectRecord> =
        request.recorded.iter().map(|r| ((r.target.as_str(), &r.id), r)).collect();
    let records: Vec<Option<&ObjectRecord>> =
        objects.iter().map(|o| left.remove(&(o.target.as_str(), &o.id))).collect();
    let gone: Vec<&ObjectRecord> =
        request.recorded.iter().filter(|r| left.contains_key(&(r.target.as_str(), &r.id))).collect();
    let keeps = |gone: &ObjectRecord| request.keep.unwrap_or(gone.order.provides.is_some());
    let deleted: Vec<&ObjectRecord> = gone.iter().copied().filter(|r| !keeps(r) && !r.order.shared).collect();
    let leaving = Leaving::of(context, &deleted).await.map_err(world)?;
    let mut planned = Vec::with_capacity(objects.len());
    let mut going = BTreeSet::new();
    for (object, record) in objects.iter().zip(records) {
        let mut compared = compare(context, &request, object, record, &leaving).await?;
        // Without a change it is being deleted already, by somebody else: nothing is lost by waiting for that.
        if compared.action == Action::Replace && compared.changes.is_empty() {
            going.insert(compared.slot.clone());
        }
        if let Some(why) = request.renew.as_ref().filter(|_| may_be_renewed(&compared)) {
            compared.action = Action::Replace;
            compared.notes.push(why.clone());
        }
        planned.push(compared);
    }
    replace_holders(&objects, &mut planned);
    for object in planned.iter().filter(|o| o.action == Action::Replace && !going.contains(&o.slot)) {
        may_be_replaced(&request, object).map_err(world)?;
    }
    if gone.is_empty() {
        return Ok(planned);
    }
    let in_slots: HashMap<String, usize> =
        planned.iter().enumerate().map(|(i, p)| (p.slot.clone(), i)).collect();
    for gone in gone {
        let successor =
            in_slots.get(&gone.slot).map(|i| &planned[*i]).filter(|p| p.object.kind == gone.id.kind);
        let mut notes = Vec::new();
        let action = match (keeps(gone), gone.order.shared) {
            (true, _) => Action::Forget,
            (false, true) => {
                notes.push("it stays: only what this stack set on it goes".to_owned());
                Action::Release
            }
            (false, false) => Action::Delete,
        };
        if let Some(successor) = successor.filter(|_| action == Action::Delete) {
            may_go(&request, &gone.id, &format!("for {}", successor.object)).map_err(world)?;
            notes.push(format!("{} takes its place, and is made first", successor.object));
        }
        planned.push(PlannedObject { notes, ..as_recorded(gone, action) });
    }
    Ok(planned)
}

/// A claim is not gone before the last pod that mounts it: with it goes what makes those pods.
fn replace_holders(objects: &[RenderedObject], planned: &mut [PlannedObject]) {
    let is_claim =
        |o: &&PlannedObject| o.object.kind == "PersistentVolumeClaim" && o.action == Action::Replace;
    let claims: Vec<ObjectId> = planned.iter().filter(is_claim).map(|o| o.object.clone()).collect();
    for claim in claims {
        for holder in
            planned.iter_mut().filter(|o| may_be_renewed(o) && o.object.namespace == claim.namespace)
        {
            let manifest = objects.iter().find(|o| o.slot == holder.slot).map(|o| &o.manifest);
            if manifest.is_some_and(|m| mounts(m, &claim.name)) {
                holder.action = Action::Replace;
                holder.notes.push(format!("its pods hold {claim}, which is made anew"));
            }
        }
    }
}

/// Whether a workload's pods mount a claim.
fn mounts(workload: &Value, claim: &str) -> bool {
    let Some(Value::List(volumes)) = workload.at("/spec/template/spec/volumes") else { return false };
    volumes
        .iter()
        .any(|v| matches!(v.at("/persistentVolumeClaim/claimName"), Some(Value::Text(name)) if name == claim))
}

/// Whether something of an object is there that could be made anew.
fn may_be_renewed(object: &PlannedObject) -> bool {
    matches!(object.action, Action::NoOp | Action::Update) && !object.order.shared
}

/// Whether the blueprint lets an object be deleted and made again.
fn may_be_replaced(request: &DiffRequest, object: &PlannedObject) -> Result<(), Diagnostic> {
    let at: Vec<&str> = object.changes.iter().map(|c| c.pointer.as_str()).collect();
    may_go(
        request,
        &object.object,
        &if at.is_empty() { String::new() } else { format!("({})", at.join(", ")) },
    )
}

/// The same of an object of which another one, or itself made anew, takes the place; `what` says why.
fn may_go(request: &DiffRequest, id: &ObjectId, what: &str) -> Result<(), Diagnostic> {
    let what = if what.is_empty() { String::new() } else { format!(" {what}") };
    match request.replace {
        ReplacePolicy::Allow => Ok(()),
        ReplacePolicy::Never => {
            let summary = format!(
                "{id} would have to be deleted and made again{what}, and `replace: never` forbids it"
            );
            Err(Diagnostic::error("plan.replace-refused", summary)
                .with_help("take the change back, or write `replace: allow`"))
        }
        ReplacePolicy::Unset if sheave_manifest::loses_data(id) => {
            let summary = format!(
                "{id} would have to be deleted and made again{what}, and what it holds would be lost"
            );
            Err(Diagnostic::error("plan.replace-loses-data", summary)
                .with_help("take the change back, or, where the data may go, write `replace: allow`"))
        }
        ReplacePolicy::Unset => Ok(()),
    }
}

/// All recorded objects as they are, where each live one still has the values that the last apply left in our fields.
async fn unchanged(
    context: &Context,
    recorded: &[ObjectRecord],
) -> Result<Option<Vec<PlannedObject>>, Diagnostic> {
    let mut planned = Vec::with_capacity(recorded.len());
    for record in recorded {
        let Some(live) = context.member(&record.target, &record.id).await? else { return Ok(None) };
        if !is_as_applied(context, record, &live) {
            return Ok(None);
        }
        planned.push(as_recorded(record, Action::NoOp));
    }
    Ok(Some(planned))
}

/// What is planned for an object that is not compared.
fn as_recorded(record: &ObjectRecord, action: Action) -> PlannedObject {
    PlannedObject {
        slot: record.slot.clone(),
        target: record.target.clone(),
        object: record.id.clone(),
        action,
        manifest: Masked::default(),
        changes: Vec::new(),
        drift: Vec::new(),
        force: false,
        only_empty: false,
        uid: record.uid.clone(),
        order: record.order.clone(),
        notes: Vec::new(),
    }
}

fn uid(live: &Json) -> Option<&str> {
    live.pointer("/metadata/uid").and_then(Json::as_str)
}

fn is_as_applied(context: &Context, record: &ObjectRecord, live: &Json) -> bool {
    record.uid.is_some()
        && record.uid.as_deref() == uid(live)
        && live.pointer("/metadata/deletionTimestamp").is_none()
        && sheave_manifest::owned_digest(live, FIELD_MANAGER, &context.digest_key()).as_deref()
            == Some(record.owned.as_str())
}

async fn compare(
    context: &Context,
    request: &DiffRequest,
    object: &RenderedObject,
    record: Option<&ObjectRecord>,
    leaving: &Leaving,
) -> Result<PlannedObject, Failure> {
    let world = |d: Diagnostic| Failure::world(vec![context.clean(d).on(request.address.clone())]);
    let live = match record {
        Some(_) => context.member(&object.target, &object.id).await,
        None => context.stranger(&request.address, &object.target, &object.id).await,
    }
    .map_err(world)?;
    let mut planned = PlannedObject {
        slot: object.slot.clone(),
        target: object.target.clone(),
        object: object.id.clone(),
        action: Action::Create,
        // What the engine sent for comparison it shows itself.
        manifest: if request.objects.is_some() {
            Masked::default()
        } else {
            context.masked(&object.manifest)
        },
        changes: Vec::new(),
        drift: Vec::new(),
        force: request.force,
        only_empty: false,
        uid: live.as_deref().and_then(uid).map(str::to_owned),
        order: object.order.clone(),
        notes: Vec::new(),
    };
    let desired = context
        .desired(&object.target, &object.manifest, Holes::Mark)
        .await
        .map_err(|d| Failure::blueprint(vec![context.clean(d).on(request.address.clone())]))?;
    let shared = object.order.shared;
    let Some(live) = live else {
        return if shared { Err(world(not_there(&object.id))) } else { Ok(planned) };
    };
    if let Some(terminating) = live.pointer("/metadata/deletionTimestamp").and_then(Json::as_str)
        && !shared
    {
        planned.notes.push(format!("it is being deleted since {terminating}: apply waits until it is gone"));
        planned.action = Action::Replace;
        return Ok(planned);
    }
    let cluster = context.targets.cluster(&object.target).await.map_err(world)?;
    if record.is_none_or(|r| r.uid.is_none()) {
        own(context, request, object, cluster, &live).map_err(world)?;
        if record.is_none() && !shared {
            planned.notes.push("it exists and is taken over".to_owned());
        }
    }
    if let Some(record) = record
        && record.desired == sheave_manifest::desired_digest(&desired, &context.digest_key())
        && is_as_applied(context, record, &live)
    {
        planned.action = Action::NoOp;
        return Ok(planned);
    }
    let mut desired = desired;
    let kept = taints::keep(context, &request.address, &object.id, &mut desired, &live);
    if !kept.is_empty() {
        planned.notes.push(format!("taints that others set stay: {}", kept.join(", ")));
    }
    let taken = take_over::foreseen(&live).filter(|_| take_over::is_due(record));
    let doubt = match &taken {
        None => fill_in_changes(context, request, object, leaving, &desired, &live, &mut planned),
        Some((taken, from)) => {
            let whose = from.iter().map(|m| format!("`{m}`")).collect::<Vec<_>>().join(" and ");
            planned
                .notes
                .push(format!("the fields of {whose} are taken over: what is not wanted of them goes"));
            fill_in_changes(context, request, object, leaving, &desired, taken, &mut planned)
        }
    };
    if planned.action != Action::Replace {
        // Nothing differs, and yet the last apply left other values, or nothing is recorded, or another of its name is: a
        // run that made it again was cut off. One apply settles it.
        let settled = record.is_some_and(|r| r.uid.is_some() && r.uid == planned.uid);
        let nothing = planned.changes.is_empty() && !doubt && taken.is_none();
        planned.action = if nothing && settled { Action::NoOp } else { Action::Update };
    }
    Ok(planned)
}

/// Of an object that only others make.
pub(super) fn not_there(object: &ObjectId) -> Diagnostic {
    let summary = format!("{object} does not exist, and nothing here can make it");
    Diagnostic::error("object.missing", summary)
        .with_help("name one that exists: `kubectl get nodes` lists them; a node joins by itself")
}

/// Whether an object that this stack is not recorded to have may be taken over.
fn own(
    context: &Context,
    request: &DiffRequest,
    object: &RenderedObject,
    cluster: &sheave_cluster::Cluster,
    live: &Json,
) -> Result<(), Diagnostic> {
    let ours = context.parent(cluster).map(|p| p.set_id());
    match part_of(live) {
        Some(set) if Some(set) == ours.as_deref() => Ok(()),
        Some(set) => Err(Diagnostic::error(
            "cluster.other-owner",
            format!("{} belongs to another set of objects (`{set}`)", object.id),
        )
        .with_help("another stack or tool applies it: give this one another name or namespace, or remove it there first")),
        None if request.adopt || object.order.shared => Ok(()),
        None => Err(Diagnostic::error("cluster.exists", format!("{} exists, and this stack did not make it", object.id))
            .with_help("`adopt: true` on the resource takes it over; or give it another name")),
    }
}

/// Compares, field by field; whether something may differ nonetheless.
fn fill_in_changes(
    context: &Context,
    request: &DiffRequest,
    object: &RenderedObject,
    leaving: &Leaving,
    desired: &Json,
    live: &Json,
    planned: &mut PlannedObject,
) -> bool {
    let ignore: Vec<String> = request.ignore.iter().chain(&object.ignore).cloned().collect();
    let found = sheave_manifest::diff(desired, live, FIELD_MANAGER, &ignore);
    let native = sheave_manifest::native(&object.id.api_version, &object.id.kind).is_some();
    let given_back = leaving.give_back(&object.target, &object.id, &found.changes);
    planned.force |= given_back;
    let of_taints = |c: &&sheave_manifest::Change| taints::is_of_taints(&object.id, &c.pointer);
    // The list may be somebody else's though no single item of it is: every change of a taint is by force.
    let by_taint = found.changes.iter().any(|c| of_taints(&c))
        && found.changes.iter().filter(|c| is_foreign(c)).all(|c| of_taints(&c));
    planned.force |= by_taint;
    for change in found.changes {
        let foreign = is_foreign(&change);
        let fixed = if native {
            sheave_manifest::fixed_at(desired, live, &change)
        } else {
            let is_there = |i: &&String| change.before.is_some() && overlap(&change.pointer, i);
            request.immutable.iter().find(is_there).map(String::as_str)
        };
        if let Some(fixed) = fixed {
            let note = format!("`{fixed}` cannot be changed in place: it is deleted, and made again");
            planned.action = Action::Replace;
            if !planned.notes.contains(&note) {
                planned.notes.push(note);
            }
        }
        let shown = FieldChange {
            before: show(context, object, &change.pointer, change.before.as_ref()),
            after: show(context, object, &change.pointer, change.after.as_ref()),
            manager: change.held_by.first().cloned(),
            pointer: change.pointer,
        };
        if foreign && by_taint {
            // Whose the list is does not matter: each of the others' taints stays in it.
        } else if foreign && given_back {
            planned.notes.push(format!("`{}` is taken back from the autoscaler that goes", change.path));
        } else if foreign {
            planned.drift.push(shown.clone());
            let manager = shown.manager.as_deref().unwrap_or_default();
            let what_then = match request.force {
                true => "`force: true` takes it back",
                false => "apply conflicts with it unless `force: true` takes it back, or `ignore` leaves it",
            };
            planned.notes.push(format!("`{manager}` owns `{}` now: {what_then}", change.path));
        }
        planned.changes.push(shown);
    }
    found.doubt
}

/// Whether a change is in what a pattern names, or the other way round.
fn overlap(at: &str, pattern: &str) -> bool {
    sheave_manifest::is_beneath(at, pattern) || pointer::is_within(pattern, at)
}

/// A value as a plan may show it.
fn show(context: &Context, object: &RenderedObject, at: &str, value: Option<&Json>) -> Shown {
    let Some(value) = value else { return Shown::Absent };
    if sheave_manifest::is_sensitive(&object.id, at) {
        return Shown::Secret;
    }
    match object.manifest.at(at) {
        Some(Value::Unknown(_)) if value.as_str().is_some_and(|s| s.contains(UNKNOWN_TEXT)) => {
            return Shown::Unknown;
        }
        Some(Value::Secret(_)) => return Shown::Secret,
        _ => {}
    }
    let mut value = value.clone();
    fill(&mut value, &mut |text| {
        if text.contains(UNKNOWN_TEXT) { "(known after apply)".to_owned() } else { context.mask().text(text) }
    });
    Shown::Value(value)
}
