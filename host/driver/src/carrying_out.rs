//! Carrying a plan out: what is written before it and after it, and the inventories that follow.

use std::collections::BTreeMap;
use std::time::Instant;

use sheave_engine::{Event, Finished};
use sheave_model::PluginPin;
use sheave_model::event::{RunOutcome, What};
use sheave_model::journal::{Entry, RunRecord};
use sheave_model::plan::{Action, Counts, Plan, Purpose};
use sheave_model::plugin::ObjectId;
use sheave_model::stack::StackState;
use sheave_state::{StateError, Store as _};

use crate::context::{Context, locked, now};
use crate::driver::{free, in_order, millis, recorded_outputs, state_fault};
use crate::plugins::BUILTIN;
use crate::request::{ApplyReport, Fault, PlanReport};
use crate::session::{Pause, Session};

/// Carries a plan out to its end.
pub(crate) async fn carry_out(
    mut session: Session<'_>,
    planned: PlanReport,
    began: Instant,
) -> Result<ApplyReport, Fault> {
    let context = session.context.clone();
    let PlanReport { plan, mut report } = planned;
    let run = uuid::Uuid::new_v4().to_string();
    begin(&mut session, &plan, &run).await.map_err(|e| state_fault(&e))?;
    free(context.live.forget());
    context.see_as_planned(&plan);
    context.foresee(&plan).await;
    let touched: Vec<String> = match plan.purpose {
        // Also where there is nothing left to delete: a run that was cut off before its end has left the inventory.
        Purpose::Destroy => context.targets.names().map(str::to_owned).collect(),
        _ => touched_targets(&plan),
    };
    // Who carries it out lets go of each resource of it that is done.
    drop(plan);
    let pause = session.advance(Event::Approved).await.map_err(|e| state_fault(&e))?;
    report.diagnostics.extend(in_order(std::mem::take(&mut session.diagnostics)));
    let finished = match pause {
        Pause::Finished(finished) => finished,
        Pause::Approval(_) | Pause::Aborted => {
            let counts = Counts::default();
            context.tell(What::Finished { outcome: RunOutcome::Cancelled, counts, millis: millis(began) });
            let outputs = recorded_outputs(&context, &session.state);
            return Ok(ApplyReport { outcome: RunOutcome::Cancelled, counts, report, outputs });
        }
    };
    let Finished { outcome, counts, .. } = finished;
    if outcome == RunOutcome::Ok {
        let members = members(&session.state);
        if !context.are_exact(&members, &touched).await {
            // The inventory follows what is written, and the cluster may take its time.
            session.append(Vec::new(), &[]).await.map_err(|e| state_fault(&e))?;
            report.diagnostics.extend(context.narrow(&members, touched.into_iter()).await);
        }
    }
    let millis = millis(began);
    let ended = What::Finished { outcome, counts, millis };
    let entry = Entry::RunFinished { run, at: now(), outcome, counts };
    session.end(vec![entry], std::slice::from_ref(&ended)).await.map_err(|e| state_fault(&e))?;
    context.tell(ended);
    let outputs = recorded_outputs(&context, &session.state);
    session.free();
    Ok(ApplyReport { outcome, counts, report, outputs })
}

/// The entries that come before everything that a run does; they are held until it does something. Which stack this is and where,
/// while it is new, is written at once: its inventories bear that name, and are made while the rest is written.
pub(crate) async fn begin(session: &mut Session<'_>, plan: &Plan, run: &str) -> Result<(), StateError> {
    let context = session.context.clone();
    let mut entries = Vec::new();
    let new = session.state.uuid.is_empty().then(|| uuid::Uuid::new_v4().to_string());
    entries.extend(new.clone().map(|uuid| Entry::StackCreated { uuid }));
    if let Some((store, _)) = session.journal {
        for bound in context.plugins.bound.values().filter(|b| b.pin.source != BUILTIN) {
            if let Some(bytes) = &bound.bytes {
                store.put_component(&bound.pin.digest, bytes).await?;
            }
        }
    }
    let names: Vec<String> = context.targets.names().map(str::to_owned).collect();
    for name in names {
        if let Some(target) = context.targets.record(&name).await
            && session.state.targets.get(&name) != Some(&target)
        {
            entries.push(Entry::TargetUsed { name, target });
        }
    }
    for (name, target) in context.connection_records(&session.state.targets) {
        entries.push(Entry::TargetUsed { name, target });
    }
    if let Some(uuid) = new {
        session.append(std::mem::take(&mut entries), &[]).await?;
        let _ = context.uuid.set(uuid);
    }
    entries.extend(renewed(&context, plan));
    let record = RunRecord {
        blueprint: plan.blueprint.clone(),
        inputs: plan.inputs.clone(),
        plan: in_short(plan),
        plugins: pins(plan),
    };
    entries.push(Entry::RunStarted { run: run.to_owned(), at: now(), record: Box::new(record) });
    session.hold(entries, Vec::new());
    Ok(())
}

/// A plan as it is kept: without what is not touched, so that the cost of a run's record follows its change. What such a
/// resource is stands in its own record.
fn in_short(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.resources.retain(|r| r.action != Action::NoOp || r.existing);
    // What was found belongs to this one run: whoever does it again plans again.
    plan.found.clear();
    plan
}

/// The plugins of what a plan leaves in the stack.
fn pins(plan: &Plan) -> BTreeMap<String, PluginPin> {
    let mut pins: BTreeMap<String, PluginPin> = BTreeMap::new();
    for pin in plan.pins() {
        if !pins.contains_key(&pin.name) {
            pins.insert(pin.name.clone(), pin.clone());
        }
    }
    pins
}

/// The keys of what was rendered for this plan, and turned out to be as it is recorded.
pub(crate) fn renewed(context: &Context, plan: &Plan) -> Vec<Entry> {
    let rendered = locked(&context.rendered);
    if rendered.is_empty() {
        return Vec::new();
    }
    let idle = plan.resources.iter().filter(|r| r.action == Action::NoOp && !r.existing);
    let keys = idle.filter_map(|resource| {
        let (render_key, _) = rendered.get(&resource.address)?;
        let record = context.state.resources.get(&resource.address)?;
        (record.render_key != *render_key).then(|| Entry::ResourceRendered {
            address: resource.address.clone(),
            render_key: render_key.clone(),
        })
    });
    keys.collect()
}

fn touched_targets(plan: &Plan) -> Vec<String> {
    let mut targets: Vec<String> = plan
        .resources
        .iter()
        .flat_map(|r| &r.objects)
        .filter(|o| !matches!(o.action, Action::NoOp | Action::Await))
        .map(|o| o.target.clone())
        .collect();
    targets.extend(plan.resources.iter().filter_map(|r| r.deferred.as_ref()?.target.clone()));
    targets.sort();
    targets.dedup();
    targets
}

pub(crate) fn members(state: &StackState) -> BTreeMap<String, Vec<ObjectId>> {
    let mut members: BTreeMap<String, Vec<ObjectId>> = BTreeMap::new();
    for object in state.resources.values().flat_map(|r| &r.objects) {
        members.entry(object.target.clone()).or_default().push(object.id.clone());
    }
    members
}
