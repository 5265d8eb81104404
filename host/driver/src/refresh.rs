//! Reading again what is there: drift is told, outputs are recorded as they are now, nothing outside is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use futures::future::join_all;
use sheave_engine::{Event as Step, Run, World, present_outputs};
use sheave_model::event::{Event, RunOutcome, What};
use sheave_model::journal::{Entry, RunRecord};
use sheave_model::plan::{Action, Counts, FieldChange, Plan, Purpose};
use sheave_model::stack::{ResourceRecord, Status};
use sheave_model::{Address, Diagnostic, ObjectId, Role, Value};
use sheave_state::{LockGuard, SqliteStore, Store as _};

use crate::context::{Context, now};
use crate::driver::{Driver, Prepared, millis, state_fault};
use crate::request::{Cancel, Fault, PlanRequest, Report, Watcher};
use crate::reread::read;
use crate::session::{Pause, Session};

/// How something is not as the last apply left it.
#[derive(Clone, Debug, PartialEq)]
pub struct Drifted {
    /// The resource.
    pub address: Address,
    /// The object; none for a provider's resource.
    pub object: Option<ObjectId>,
    /// What others changed; empty: it is gone.
    pub changes: Vec<FieldChange>,
}

/// What a refresh found.
#[derive(Clone, Debug)]
pub struct RefreshReport {
    /// What is not as the last apply left it.
    pub drift: Vec<Drifted>,
    /// Resources whose outputs are others now.
    pub changed: Vec<Address>,
    /// The stack's outputs that are others now.
    pub outputs: Vec<String>,
    /// How many resources were looked at, and how many of these could not be read: nothing else is done to any.
    pub counts: Counts,
    /// What could not be read, and what planning said.
    pub report: Report,
}

impl Driver {
    /// Reads every live object and provider's resource of the stack again and records the outputs as they are now.
    /// Says what drifted, as a plan does. Takes the lock; changes nothing outside.
    pub async fn refresh(&self, watcher: &Watcher, cancel: &Cancel) -> Result<RefreshReport, Fault> {
        let began = Instant::now();
        let store = self.open_store().await?;
        let stack = self.stack_name(Purpose::Apply, &store).await?;
        self.recorded().await?;
        let lock = self.lock(&store, &stack).await?;
        let done = self.refresh_locked(&store, &lock, watcher, cancel, began).await;
        let _ = store.release(lock).await;
        done
    }

    async fn refresh_locked(
        &self,
        store: &SqliteStore,
        lock: &LockGuard,
        watcher: &Watcher,
        cancel: &Cancel,
        began: Instant,
    ) -> Result<RefreshReport, Fault> {
        let request = PlanRequest { purpose: Purpose::Apply, only: Vec::new() };
        let prepared = self.prepare(&request, None, store, watcher, cancel).await?;
        let Prepared { context, world, sources, diagnostics, .. } = prepared;
        let mut present = world.clone();
        let mut session = Session::new(context.clone(), Run::new(world), None, cancel.clone());
        let pause = session.advance(Step::Start).await.map_err(|e| state_fault(&e))?;
        let mut report = Report { diagnostics, sources };
        report.diagnostics.append(&mut session.diagnostics);
        let Pause::Approval(plan) = pause else { return Err(Fault::Explained(Box::new(report))) };

        let looks = context.state.resources.iter().filter(|(_, r)| r.status == Status::Ready);
        let looks =
            looks.map(async |(address, record)| (address, record, read(&context, address, record).await));
        let mut counts = Counts::default();
        let (mut entries, mut changed) = (Vec::new(), Vec::new());
        for (address, record, outputs) in join_all(looks).await {
            match outputs {
                Ok(Some(outputs)) if !same(&context, record, &outputs) => {
                    let sealed = context.seal(&outputs);
                    entries.push(Entry::ResourceRefreshed { address: address.clone(), outputs: sealed });
                    present.outputs.insert(address.clone(), outputs);
                    changed.push(address.clone());
                    counts.unchanged += 1;
                }
                Ok(_) => counts.unchanged += 1,
                Err(fault) => {
                    report.diagnostics.push(*fault);
                    counts.failed += 1;
                }
            }
        }
        let outputs = stack_outputs(&context, present, &mut entries);
        let failed = counts.failed > 0 || !plan.failed.is_empty();
        let outcome = if failed { RunOutcome::Failed } else { RunOutcome::Ok };
        let mut told = drift(&plan);
        told.extend(gone(&context, &plan));
        let mut events: Vec<Event> =
            told.iter().map(|d| context.event(What::Diagnostic { diagnostic: d.diagnostic() })).collect();
        events.iter().for_each(|event| {
            let _ = watcher.send(event.clone());
        });
        let ended = What::Finished { outcome, counts, millis: millis(began) };
        events.push(context.event(ended.clone()));
        if !entries.is_empty() {
            let run = uuid::Uuid::new_v4().to_string();
            let nothing = Plan::nothing(&*context.stack, context.state.serial);
            let record = RunRecord::of(nothing);
            let begun = Entry::RunStarted { run: run.clone(), at: now(), record: Box::new(record) };
            entries.insert(0, begun);
            entries.push(Entry::RunFinished { run, at: now(), outcome, counts });
            store.append(lock, &entries, &events).await.map_err(|e| state_fault(&e))?;
        }
        context.tell(ended);
        Ok(RefreshReport { drift: told, changed, outputs, counts, report })
    }
}

/// The stack's outputs over the resources' outputs as they are now: those that are known and others than recorded.
fn stack_outputs(context: &Context, present: World, entries: &mut Vec<Entry>) -> Vec<String> {
    let mut outputs = context.state.outputs.clone();
    let mut changed = Vec::new();
    for (name, value) in present_outputs(present) {
        let old = outputs.get(&name).and_then(|sealed| context.open(sealed).ok());
        // What was never applied is not there to be refreshed.
        if value.has_unknown() || old.is_none() || old.as_ref() == Some(&value) {
            continue;
        }
        outputs.insert(name.clone(), context.seal(&value));
        changed.push(name);
    }
    if !changed.is_empty() {
        entries.push(Entry::OutputsSet { outputs });
    }
    changed
}

fn same(context: &Context, record: &ResourceRecord, now: &Value) -> bool {
    let recorded = record.outputs.as_ref().and_then(|sealed| context.open(sealed).ok());
    recorded.as_ref() == Some(now)
}

impl Drifted {
    /// For the log and for scripts.
    pub fn diagnostic(&self) -> Diagnostic {
        let what = self.object.as_ref().map_or_else(|| format!("`{}`", self.address), ObjectId::to_string);
        let said = if self.changes.is_empty() {
            Diagnostic::warning("drift.gone", format!("{what} is gone"))
        } else {
            let fields: Vec<_> = self.changes.iter().map(|c| c.pointer.as_str()).collect();
            Diagnostic::warning("drift.changed", format!("{what} was changed by others"))
                .with_detail(fields.join("\n"))
        };
        said.on(self.address.clone())
    }
}

/// What a plan says of changes that this stack did not make.
fn drift(plan: &Plan) -> Vec<Drifted> {
    let mut found = Vec::new();
    for resource in &plan.resources {
        let mut add = |object: Option<ObjectId>, changes: Vec<FieldChange>| {
            found.push(Drifted { address: resource.address.clone(), object, changes });
        };
        for object in &resource.objects {
            if !object.drift.is_empty() {
                add(Some(object.object.clone()), object.drift.clone());
            }
        }
        let outside: Vec<_> = resource.changes.iter().filter(|c| c.manager.is_some()).cloned().collect();
        if resource.role == Role::Provides && !outside.is_empty() {
            add(None, outside);
        }
    }
    found
}

/// What the state holds and the world does not any more.
fn gone(context: &Context, plan: &Plan) -> Vec<Drifted> {
    let mut found = Vec::new();
    let planned: BTreeMap<&Address, _> = plan.resources.iter().map(|r| (&r.address, r)).collect();
    for (address, record) in &context.state.resources {
        let Some(planned) = planned.get(address) else { continue };
        let made_anew: BTreeSet<(&str, &ObjectId)> = planned
            .objects
            .iter()
            .filter(|o| o.action == Action::Create)
            .map(|o| (o.target.as_str(), &o.object))
            .collect();
        let lost = record.objects.iter().filter(|o| o.uid.is_some());
        for object in lost.filter(|o| made_anew.contains(&(o.target.as_str(), &o.id))) {
            found.push(Drifted {
                address: address.clone(),
                object: Some(object.id.clone()),
                changes: Vec::new(),
            });
        }
        if record.snapshot.is_some() && planned.role == Role::Provides && planned.action == Action::Create {
            found.push(Drifted { address: address.clone(), object: None, changes: Vec::new() });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn drift_is_what_others_changed() {
        let field = |manager: Option<&str>| json!({"pointer": "/a", "before": {"value": 1}, "after": {"value": 2}, "manager": manager});
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "c"});
        let plugin = json!({"name": "p", "source": "builtin", "digest": "00"});
        let mut plan = Plan::nothing("s", 1);
        plan.resources = serde_json::from_value(json!([
            {"address": "quiet", "type": "p:T", "role": "emits", "plugin": plugin, "action": "update",
             "objects": [{"slot": "a", "target": "main", "object": object, "action": "update", "changes": [field(None)]}]},
            {"address": "web", "type": "p:T", "role": "emits", "plugin": plugin, "action": "update",
             "objects": [{"slot": "a", "target": "main", "object": object, "action": "update", "drift": [field(Some("kubectl"))]}]},
            {"address": "file", "type": "f:T", "role": "provides", "plugin": plugin, "action": "update",
             "changes": [field(None), field(Some("outside of Sheave"))]},
        ]))
        .unwrap();
        let found = drift(&plan);
        let said: Vec<_> =
            found.iter().map(|d| (d.address.to_string(), d.object.is_some(), d.changes.len())).collect();
        assert_eq!(said, [("web".to_owned(), true, 1), ("file".to_owned(), false, 1)]);
        assert_eq!(found[0].diagnostic().code, "drift.changed");
    }
}
