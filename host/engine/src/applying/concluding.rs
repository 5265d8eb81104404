//! How a run ends, once nothing is in flight: what is pruned, what is said of the rest, and the stack's outputs.

use std::collections::BTreeMap;

use sheave_model::event::RunOutcome;
use sheave_model::{Address, Diagnostic, Value};

use super::{Applying, Stage};
use crate::Finished;
use crate::action::Action;
use crate::event::Failure;

impl Applying {
    /// What is left to do once nothing is in flight: prune, then the end.
    pub(crate) fn conclude(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.over || self.in_flight > 0 {
            return actions;
        }
        if !self.pruning {
            self.report_blocked(&mut actions);
            self.pruning = true;
            if !self.failed && !self.cancelled {
                self.begin_removals(&mut actions);
            }
            if self.in_flight > 0 {
                return actions;
            }
        }
        self.report_stuck_removals(&mut actions);
        self.over = true;
        if let Some(outputs) = self.stack_outputs() {
            actions.push(Action::SetOutputs(outputs));
        }
        let outcome = if self.cancelled && !self.failed {
            RunOutcome::Cancelled
        } else if self.failed {
            RunOutcome::Failed
        } else {
            RunOutcome::Ok
        };
        actions.push(Action::Finished(Finished { outcome, counts: self.counts, refused: false }));
        actions
    }

    /// Says of everything that was not attempted why.
    fn report_blocked(&mut self, actions: &mut Vec<Action>) {
        if self.cancelled {
            return;
        }
        let waiting: Vec<Address> = self
            .nodes
            .iter()
            .filter(|(_, n)| matches!(n.stage, Stage::Waiting | Stage::Working))
            .map(|(a, _)| a.clone())
            .collect();
        for address in waiting {
            let needs = self.nodes.get(&address).map(|n| n.planned.requires.clone()).unwrap_or_default();
            let failed = needs.iter().find(|a| self.groups.has_failed(a) || self.groups.is_open(a));
            let fault = match failed {
                Some(need) => Diagnostic::error(
                    "run.blocked",
                    format!("`{address}` was not attempted: it needs `{need}`, which is not ready"),
                ),
                None => Diagnostic::error(
                    "plan.order-cycle",
                    format!("`{address}` waits for something that waits for it"),
                )
                .with_help("an object stands in a namespace, or is of a kind, that a later resource makes"),
            };
            self.fail(&address, Failure::world(vec![fault]), actions);
        }
    }

    fn stack_outputs(&mut self) -> Option<BTreeMap<String, Value>> {
        if self.failed || self.cancelled {
            return None;
        }
        // A stack that was destroyed has none any more.
        let (outputs, faults) = self.modules.outputs(None, &self.passwords);
        if !faults.is_empty() {
            // With resources missing, an output that reads them stays as it was.
            if !self.world.only.is_empty() {
                return None;
            }
            self.failed = true;
            self.diagnostics.extend(faults);
        }
        Some(outputs)
    }
}
