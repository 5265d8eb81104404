//! Between the engine's words and the journal's entries: what may be secret is sealed on the way down, opened on the way up.

use std::collections::BTreeMap;

use sheave_engine::{Action, Event, Failure, ProvideRequest};
use sheave_model::journal::{Change, Entry, Intent, Outcome};
use sheave_model::plan::ObjectOrder;
use sheave_model::plugin::{ProviderStep, Snapshot};
use sheave_model::stack::{ObjectRecord, ResourceRecord, SnapshotRecord, Status};
use sheave_model::{Diagnostic, Sealed, Value};

use crate::context::Context;
use crate::keys::SystemRandom;

impl Context {
    /// Seals a value for the store.
    pub(crate) fn seal(&self, value: &Value) -> Sealed {
        self.learn(value);
        self.sealer.seal(value, &mut SystemRandom)
    }

    /// Opens what was sealed. Its secrets are masked everywhere from then on.
    pub(crate) fn open(&self, sealed: &Sealed) -> Result<Value, Diagnostic> {
        let value = self.sealer.open(sealed).map_err(|e| e.diagnostic())?;
        self.learn(&value);
        Ok(value)
    }

    fn seal_snapshot(&self, snapshot: &Snapshot) -> SnapshotRecord {
        SnapshotRecord {
            id: snapshot.id.clone(),
            state: self.seal(&snapshot.state),
            outputs: self.seal(&snapshot.outputs),
            private: self.sealer.seal_bytes(&snapshot.private, &mut SystemRandom),
        }
    }

    /// A recorded snapshot, opened.
    pub(crate) fn open_snapshot(&self, record: &SnapshotRecord) -> Result<Snapshot, Diagnostic> {
        Ok(Snapshot {
            id: record.id.clone(),
            state: self.open(&record.state)?,
            outputs: self.open(&record.outputs)?,
            private: self.sealer.open_bytes(&record.private).map_err(|e| e.diagnostic())?,
        })
    }

    /// What an action writes to the journal before it is performed.
    pub(crate) fn entry_of_action(&self, action: &Action) -> Option<Entry> {
        Some(match action {
            Action::Move { from, to, requiring } => {
                Entry::ResourceMoved { from: from.clone(), to: to.clone(), requiring: requiring.clone() }
            }
            Action::Begin(draft) => Entry::ResourceBegun {
                address: draft.address.clone(),
                record: Box::new(ResourceRecord {
                    type_name: draft.type_name.clone(),
                    role: draft.role,
                    plugin: draft.plugin.clone(),
                    settings: self.seal(&draft.settings),
                    schema_version: draft.schema_version,
                    target: draft.target.clone(),
                    requires: draft.requires.clone(),
                    keep: draft.keep,
                    properties: draft.properties.clone(),
                    render_key: draft.render_key.clone(),
                    status: Status::Applying,
                    outputs: None,
                    objects: Vec::new(),
                    snapshot: None,
                    named: None,
                    protect: draft.protect,
                    watched: draft.watched.clone(),
                    renewing: draft.renewing,
                }),
            },
            Action::Apply(request) => Entry::Intent(Intent {
                op: request.op.clone(),
                address: request.address.clone(),
                change: Change::ApplyObject {
                    object: request.recorded.clone().unwrap_or_else(|| ObjectRecord {
                        slot: request.slot.clone(),
                        target: request.target.clone(),
                        id: request.id.clone(),
                        uid: None,
                        created: request.create,
                        desired: String::new(),
                        owned: String::new(),
                        order: ObjectOrder::clone(&request.order),
                    }),
                },
            }),
            Action::Delete(request) => Entry::Intent(Intent {
                op: request.op.clone(),
                address: request.address.clone(),
                change: Change::DeleteObject {
                    target: request.target.clone(),
                    id: request.id.clone(),
                    uid: request.uid.clone(),
                },
            }),
            // Called again under the same key: its intent stands already.
            Action::Provide(request) if request.resume.is_some() => return None,
            Action::Provide(request) => Entry::Intent(self.provide_intent(request)),
            Action::Finish { address, outputs } => {
                Entry::ResourceReady { address: address.clone(), outputs: self.seal(outputs) }
            }
            Action::Fail { address, why } => {
                Entry::ResourceFailed { address: address.clone(), why: self.mask().text(why) }
            }
            Action::Forget { address } => Entry::ResourceForgotten { address: address.clone() },
            Action::SetOutputs(outputs) => {
                let sealed: BTreeMap<String, Sealed> =
                    outputs.iter().map(|(name, value)| (name.clone(), self.seal(value))).collect();
                if sealed_equal(self, &self.state.outputs, outputs) {
                    return None;
                }
                Entry::OutputsSet { outputs: sealed }
            }
            _ => return None,
        })
    }

    fn provide_intent(&self, request: &ProvideRequest) -> Intent {
        let record = self.state.resources.get(&request.address);
        Intent {
            op: request.op.clone(),
            address: request.address.clone(),
            change: Change::Provide {
                prior: record.filter(|_| request.with_prior).and_then(|r| r.snapshot.clone()),
                desired: request.desired.as_ref().map(|d| self.seal(d)),
                agreed: self.seal(&request.agreed.outputs),
                resume: None,
            },
        }
    }

    /// What an event writes to the journal: how an operation ended.
    pub(crate) fn entry_of_event(&self, event: &Event) -> Option<Entry> {
        let failed = |failure: &Failure| {
            let why = self.mask().text(&failure.summary());
            if failure.in_doubt { Outcome::InDoubt { why } } else { Outcome::Failed { why } }
        };
        // What a ^C cut short between two calls of a plugin stands in the journal as it is: the next run goes on from there.
        if let Event::Provided { result: Err(failure), .. } = event
            && failure.diagnostics.iter().all(|d| d.code == "run.interrupted")
        {
            return None;
        }
        let (op, outcome) = match event {
            Event::Applied { op, result: Ok((object, _)), .. } => {
                (op, Outcome::Applied { object: object.clone() })
            }
            Event::Applied { op, result: Err(failure), .. } => (op, failed(failure)),
            Event::Deleted { op, result: Ok(()), .. } => (op, Outcome::Deleted),
            // A ^C while it was ending: whether it is gone the next run sees.
            Event::Deleted { op, result: Err(failure), .. } => (op, failed(failure)),
            Event::Provided { op, result: Ok(step), .. } => (op, self.step_outcome(step)),
            Event::Provided { op, result: Err(failure), .. } => (op, failed(failure)),
            _ => return None,
        };
        Some(Entry::Outcome { op: op.clone(), outcome })
    }

    /// How a provider's answer is kept.
    pub(crate) fn step_outcome(&self, step: &ProviderStep) -> Outcome {
        match step {
            ProviderStep::Done(snapshot) => {
                Outcome::Provided { snapshot: snapshot.as_ref().map(|s| self.seal_snapshot(s)) }
            }
            ProviderStep::Pending { resume, .. } => {
                Outcome::Pending { resume: self.sealer.seal_bytes(resume, &mut SystemRandom) }
            }
            ProviderStep::Partial { left, why } => Outcome::Partial {
                left: self.seal_snapshot(left),
                why: why.first().map_or_else(|| "half done".to_owned(), |d| d.summary.clone()),
            },
        }
    }
}

/// Whether the recorded outputs are these already: a run that changes nothing writes nothing.
fn sealed_equal(
    context: &Context,
    recorded: &BTreeMap<String, Sealed>,
    now: &BTreeMap<String, Value>,
) -> bool {
    recorded.len() == now.len()
        && now.iter().all(|(name, value)| {
            recorded.get(name).and_then(|sealed| context.open(sealed).ok()).is_some_and(|old| old == *value)
        })
}
