//! A provider's resource: planned again, compared with the plan, carried out in as many steps as it takes.

use std::sync::Arc;
use std::time::Duration;

use sheave_model::event::What;
use sheave_model::plan::Action as Planned;
use sheave_model::plugin::{ProviderPlan, ProviderStep};
use sheave_model::{Address, Diagnostic, Value};

use super::{Applying, Stage};
use crate::action::{Action, ProvideRequest};
use crate::compare;
use crate::event::{Failure, ProviderPlanned};

impl Applying {
    pub(super) fn provider_planned(
        &mut self,
        address: &Address,
        found: ProviderPlanned,
        actions: &mut Vec<Action>,
    ) {
        let now = self.world.masked(&found.properties);
        let recorded = self.world.recorded_outputs(address);
        let Some(node) = self.nodes.get_mut(address).filter(|n| n.stage == Stage::Working) else { return };
        let planned = &node.planned;
        let action = match (planned.action, found.action) {
            // Seen to be right although the last run had not seen it.
            (Planned::Await, Planned::NoOp) => Planned::NoOp,
            (Planned::Replace, Planned::NoOp) => Planned::Replace,
            (_, other) => other,
        };
        let departs = if planned.deferred.is_some() {
            (!matches!(action, Planned::Create | Planned::Update | Planned::NoOp))
                .then(|| "it would be replaced".to_owned())
        } else if action != planned.action && action != Planned::NoOp {
            Some(format!("planned to {:?}, and now it is to {action:?}", planned.action).to_lowercase())
        } else {
            compare::differs(&planned.properties.0, &now.0).map(|at| format!("`{at}` is not the planned one"))
        };
        if let Some(why) = departs {
            let summary = format!("`{address}` is no longer what was planned: {why}");
            let fault = Diagnostic::error("plan.diverged", summary).with_help("plan and apply again");
            return self.fail(address, Failure::world(vec![fault]), actions);
        }
        node.properties = Arc::new(found.properties);
        node.masked = None;
        node.render_key = found.key;
        node.outputs = found.plan.outputs.clone();
        let settled = node.planned.action;
        let plan = found.plan;
        self.begin_record(address, actions);
        if action == Planned::NoOp {
            self.counts.unchanged += 1;
            let outputs = if plan.outputs == Value::empty() { recorded } else { plan.outputs };
            return self.finish(address, outputs, actions);
        }
        let deletes_first = action == Planned::Replace || settled == Planned::Replace;
        self.provide_next(address, plan, deletes_first, action != Planned::Create, actions);
    }

    fn provide_next(
        &mut self,
        address: &Address,
        agreed: ProviderPlan,
        delete: bool,
        with_prior: bool,
        actions: &mut Vec<Action>,
    ) {
        let op = self.next_op();
        let Some(node) = self.nodes.get_mut(address) else { return };
        node.replacing = delete;
        self.in_flight += 1;
        actions.push(Action::Provide(Box::new(ProvideRequest {
            op,
            address: address.clone(),
            type_name: node.planned.type_name.clone(),
            desired: (!delete).then(|| Value::clone(&node.properties)),
            with_prior,
            agreed,
            resume: None,
        })));
    }

    pub(super) fn provided(
        &mut self,
        address: &Address,
        op: &str,
        result: Result<ProviderStep, Failure>,
        actions: &mut Vec<Action>,
    ) {
        let removing = self.removals.has_provider(address);
        let step = match result {
            Ok(step) => step,
            Err(failure) if removing => return self.removal_failed(address, failure, actions),
            Err(failure) => return self.fail(address, failure, actions),
        };
        match step {
            ProviderStep::Pending { resume, after_ms, message, percent } => {
                actions.push(Action::Notify(What::Waiting {
                    address: address.clone(),
                    object: None,
                    reason: message,
                    percent,
                }));
                if self.cancelled {
                    return;
                }
                let Some(mut request) = self.provide_request(address, op, removing) else { return };
                request.resume = Some((resume, Duration::from_millis(after_ms.into())));
                self.in_flight += 1;
                actions.push(Action::Provide(Box::new(request)));
            }
            ProviderStep::Partial { why, .. } => {
                let mut diagnostics = why;
                if diagnostics.is_empty() {
                    diagnostics.push(Diagnostic::error("plugin.partial", "the plugin left it half done"));
                }
                if removing {
                    self.removal_failed(address, Failure::world(diagnostics), actions);
                } else {
                    self.fail(address, Failure::world(diagnostics), actions);
                }
            }
            ProviderStep::Done(_) if removing => {
                self.counts.delete += 1;
                self.provider_removed(address, actions);
            }
            ProviderStep::Done(None) => {
                let replacing = self.nodes.get(address).is_some_and(|n| n.replacing);
                if replacing {
                    let agreed =
                        self.nodes.get(address).map(|n| n.outputs.clone()).unwrap_or_else(Value::empty);
                    let plan = ProviderPlan { outputs: agreed, replace: Vec::new(), notes: Vec::new() };
                    return self.provide_next(address, plan, false, false, actions);
                }
                let summary = format!("the plugin says that `{address}` is made, and gives nothing back");
                let fault = Diagnostic::error("plugin.bad-reply", summary);
                self.fail(address, Failure::world(vec![fault]), actions);
            }
            ProviderStep::Done(Some(snapshot)) => {
                let Some(node) = self.nodes.get(address) else { return };
                match node.planned.action {
                    Planned::Create | Planned::Replace => self.counts.create += 1,
                    _ => self.counts.update += 1,
                }
                let kind = self.kind_of(address);
                let outputs =
                    kind.map_or(Value::empty(), |k| k.schemas.outputs.mark_sensitive(snapshot.outputs));
                self.finish(address, outputs, actions);
            }
        }
    }

    /// The request of an operation that is to be called again.
    fn provide_request(&self, address: &Address, op: &str, removing: bool) -> Option<ProvideRequest> {
        if removing {
            return self.removals.provider_request(address, op);
        }
        let node = self.nodes.get(address)?;
        Some(ProvideRequest {
            op: op.to_owned(),
            address: address.clone(),
            type_name: node.planned.type_name.clone(),
            desired: (!node.replacing).then(|| Value::clone(&node.properties)),
            with_prior: node.planned.action != Planned::Create,
            agreed: ProviderPlan { outputs: node.outputs.clone(), replace: Vec::new(), notes: Vec::new() },
            resume: None,
        })
    }
}
