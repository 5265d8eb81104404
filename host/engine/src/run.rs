//! A run from its start to its end: planning, approval, applying.

use std::sync::Arc;

use sheave_model::Diagnostic;
use sheave_model::event::RunOutcome;
use sheave_model::plan::{Counts, Plan};

use crate::World;
use crate::action::Action;
use crate::applying::Applying;
use crate::event::Event;
use crate::inspecting::Inspecting;
use crate::lint;
use crate::planning::{Planning, PlanningOutcome};

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How.
    pub outcome: RunOutcome,
    /// What was done.
    pub counts: Counts,
    /// Whether the blueprint was refused: nothing was begun.
    pub refused: bool,
}

fn cancelled() -> Action {
    Action::Finished(Finished { outcome: RunOutcome::Cancelled, counts: Counts::default(), refused: false })
}

/// One run. Each step consumes an event and gives the actions to perform next.
#[derive(Debug)]
pub struct Run {
    world: Arc<World>,
    phase: Phase,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Debug)]
enum Phase {
    Planning(Box<Planning>),
    Inspecting(Inspecting),
    Approval(Box<Plan>),
    Applying(Box<Applying>),
    /// It is freed with the run: whoever waits for the end does not wait for that.
    Ended(#[expect(dead_code, reason = "only kept")] Box<Applying>),
    Over,
}

impl Run {
    /// A run that plans first.
    pub fn new(world: World) -> Self {
        let world = Arc::new(world);
        Self {
            phase: Phase::Planning(Box::new(Planning::new(world.clone()))),
            world,
            diagnostics: Vec::new(),
        }
    }

    /// A run that carries out a saved plan. Whether the plan fits the state is the caller's to check, by serial.
    pub fn resume(world: World, plan: Plan) -> Self {
        Self { world: Arc::new(world), phase: Phase::Approval(Box::new(plan)), diagnostics: Vec::new() }
    }

    /// What there is to say since the last call.
    pub fn take_diagnostics(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.diagnostics)
    }

    /// Takes one event in.
    pub fn step(&mut self, event: Event) -> Vec<Action> {
        let event = lint::checked(event);
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Planning(planning) => self.plan(planning, event),
            Phase::Inspecting(_) if matches!(event, Event::Cancelled) => vec![cancelled()],
            Phase::Inspecting(mut inspecting) => {
                inspecting.step(event);
                self.inspect(inspecting)
            }
            Phase::Approval(plan) => match event {
                Event::Approved => {
                    let mut applying = Box::new(Applying::new(self.world.clone(), *plan));
                    let actions = applying.start();
                    self.settle(applying, actions)
                }
                Event::Cancelled => vec![cancelled()],
                _ => {
                    self.phase = Phase::Approval(plan);
                    Vec::new()
                }
            },
            Phase::Applying(mut applying) => {
                let actions = applying.step(event);
                self.settle(applying, actions)
            }
            Phase::Ended(_) | Phase::Over => Vec::new(),
        }
    }

    fn plan(&mut self, mut planning: Box<Planning>, event: Event) -> Vec<Action> {
        let mut actions = match event {
            Event::Start => planning.start(),
            Event::Cancelled => {
                return vec![cancelled()];
            }
            other => planning.step(other),
        };
        self.diagnostics.extend(planning.take_diagnostics());
        if !planning.is_done() {
            self.phase = Phase::Planning(planning);
            return actions;
        }
        let outcome = planning.finish();
        self.diagnostics.extend(planning.take_diagnostics());
        match outcome {
            PlanningOutcome::Refused => actions.push(Action::Finished(Finished {
                outcome: RunOutcome::Failed,
                counts: Counts::default(),
                refused: true,
            })),
            PlanningOutcome::Plan(plan) => {
                let (inspecting, looks) = Inspecting::new(plan);
                actions.extend(looks);
                actions.extend(self.inspect(inspecting));
            }
        }
        actions
    }

    fn inspect(&mut self, inspecting: Inspecting) -> Vec<Action> {
        match inspecting.finish() {
            Err(waiting) => {
                self.phase = Phase::Inspecting(waiting);
                Vec::new()
            }
            Ok(plan) => {
                let mut actions: Vec<Action> = Planning::announcements(&plan).collect();
                actions.push(Action::AwaitApproval(plan.clone()));
                self.phase = Phase::Approval(plan);
                actions
            }
        }
    }

    fn settle(&mut self, mut applying: Box<Applying>, mut actions: Vec<Action>) -> Vec<Action> {
        actions.extend(applying.conclude());
        self.diagnostics.extend(applying.take_diagnostics());
        let ended = actions.iter().any(|a| matches!(a, Action::Finished(_)));
        self.phase = if ended { Phase::Ended(applying) } else { Phase::Applying(applying) };
        actions
    }
}
