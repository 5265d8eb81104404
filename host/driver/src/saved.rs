//! Plans that were saved and are carried out later, and runs that are done again: from the blueprint that a plan holds.

use std::collections::BTreeMap;
use std::time::Instant;

use sheave_engine::Run;
use sheave_model::plan::{PLAN_FORMAT, Plan};
use sheave_model::stack::StackState;
use sheave_model::{Diagnostic, Value};
use sheave_state::{LockGuard, SqliteStore, Store as _};

use crate::carrying_out::carry_out;
use crate::driver::{Driver, Prepared, explained, state_fault, with};
use crate::load::{Kept, Loaded, load_with};
use crate::request::{ApplyReport, Cancel, Fault, PlanReport, PlanRequest, Report, Watcher};
use crate::session::Session;

impl Driver {
    /// Carries out a saved plan: refused when the state has moved or a secret input differs.
    pub async fn apply_saved(
        &self,
        plan: Plan,
        watcher: &Watcher,
        cancel: &Cancel,
    ) -> Result<ApplyReport, Fault> {
        let began = Instant::now();
        if plan.format != PLAN_FORMAT {
            let summary = format!("the plan has format {}, this release reads {PLAN_FORMAT}", plan.format);
            return Err(explained(Diagnostic::error("plan.format", summary).with_help("plan again")));
        }
        let store = self.open_store().await?;
        let lock = self.lock(&store, &plan.stack).await?;
        let result = self.apply_saved_locked(plan, watcher, cancel, &store, &lock, began).await;
        let _ = store.release(lock).await;
        result
    }

    async fn apply_saved_locked(
        &self,
        plan: Plan,
        watcher: &Watcher,
        cancel: &Cancel,
        store: &SqliteStore,
        lock: &LockGuard,
        began: Instant,
    ) -> Result<ApplyReport, Fault> {
        let state = store.load(&plan.stack).await.map_err(|e| state_fault(&e))?.unwrap_or_default();
        if state.serial != plan.serial {
            let summary = format!(
                "the plan was made from serial {} of stack `{}`, and the state is at {} now",
                plan.serial, plan.stack, state.serial
            );
            return Err(explained(
                Diagnostic::error("plan.stale", summary).with_help("plan again, and apply that plan"),
            ));
        }
        let prepared = self.prepare_plan(&plan, state, Kept::new(), watcher, cancel).await?;
        let _ = prepared.context.audit.set(store.clone());
        let report = Report { diagnostics: prepared.diagnostics, sources: prepared.sources };
        let run = Run::resume(prepared.world, plan.clone());
        let session = Session::new(prepared.context.clone(), run, Some((store, lock)), cancel.clone());
        carry_out(session, PlanReport { plan, report }, began).await
    }

    pub(crate) async fn prepare_plan(
        &self,
        plan: &Plan,
        mut state: StackState,
        kept: Kept,
        watcher: &Watcher,
        cancel: &Cancel,
    ) -> Result<Prepared, Fault> {
        state.name.clone_from(&plan.stack);
        let request = PlanRequest { purpose: plan.purpose, only: plan.only.clone() };
        let Some(blueprint) = plan.blueprint.clone() else {
            let store = self.open_store().await?;
            return self
                .assemble(None, BTreeMap::new(), state, &request, watcher, cancel, Some(&store))
                .await;
        };
        let host = self.key().and_then(|key| self.host(&key)).map_err(explained)?;
        let supply = self.supply().map_err(explained)?;
        let mut loaded = load_with(blueprint, &host, &supply, kept, self.settings.locked)
            .await
            .map_err(|r| Fault::Explained(Box::new(r)))?;
        let inputs = self.inputs_of_plan(plan, &mut loaded)?;
        for resource in &plan.resources {
            let now = loaded.plugins.bound.get(&resource.type_name.plugin).map(|b| b.pin.digest.as_str());
            if now.is_some_and(|digest| digest != resource.plugin.digest) {
                let summary =
                    format!("plugin `{}` is not the one that the plan was made with", resource.plugin.name);
                return Err(explained(
                    Diagnostic::error("plan.plugin-changed", summary).with_help("plan again"),
                ));
            }
        }
        self.assemble(Some(loaded), inputs, state, &request, watcher, cancel, None).await
    }

    /// The inputs of a saved plan: what it holds, and the secret ones as given again.
    fn inputs_of_plan(&self, plan: &Plan, loaded: &mut Loaded) -> Result<BTreeMap<String, Value>, Fault> {
        use crate::request::InputGiven;
        let secret = |name: &str| loaded.graph.inputs.get(name).is_some_and(|i| i.secret);
        let mut given: Vec<InputGiven> = Vec::new();
        for input in &self.settings.inputs {
            match input {
                InputGiven::Flag { name, .. } | InputGiven::Env { name, .. } if !secret(name) => {}
                other => given.push(other.clone()),
            }
        }
        let known: BTreeMap<String, Value> = plan
            .inputs
            .iter()
            .filter(|(name, _)| !secret(name))
            .map(|(name, value)| (name.clone(), Value::from_json(&value.0)))
            .collect();
        let mut inputs = crate::load::bind_with(&loaded.graph, &given, &known, &mut loaded.report.sources)
            .map_err(|faults| with(&loaded.report, faults))?;
        inputs.extend(known);
        let key = self.key().map_err(explained)?.stack(&plan.stack);
        for (name, planned) in &plan.inputs {
            if inputs.get(name).map(|value| key.mask(value)).as_ref() != Some(planned) {
                let summary = format!("the input `{name}` is not the one that the plan was made with");
                return Err(explained(
                    Diagnostic::error("plan.input-changed", summary)
                        .with_help("a saved plan holds no secret: give the same one again, or plan again"),
                ));
            }
        }
        Ok(inputs)
    }
}
