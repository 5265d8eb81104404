//! `sheave apply`, `sheave destroy` and `sheave rollback`: plan, ask, and carry out.

use std::cell::Cell;

use sheave_driver::{ApplyReport, Cancel, Fault, PlanReport, PlanRequest, Settings};
use sheave_model::Diagnostic;
use sheave_model::event::RunOutcome;
use sheave_model::plan::{Plan, Purpose};

use super::run::Run;
use super::{Session, explained};
use crate::args::{ApplyArgs, Command, DestroyArgs, RollbackArgs};
use crate::exit::Exit;
use crate::out::Out;
use crate::render::{line, outputs, outside, plan};
use crate::{plan_file, prompt};

/// Reads the plan that the command names, where it names one, and lets the settings agree with it.
pub(super) fn saved(command: &Command, settings: &mut Settings) -> Result<Option<Plan>, Fault> {
    let Command::Apply(ApplyArgs { plan: Some(path), .. }) = command else { return Ok(None) };
    let plan = plan_file::read(path).map_err(explained)?;
    let stack = settings.stack.get_or_insert_with(|| plan.stack.clone());
    if *stack != plan.stack {
        let (given, planned) = (outside::line(stack), outside::line(&plan.stack));
        let summary = format!("the plan is for the stack `{planned}`, not for `{given}`");
        return Err(explained(
            Diagnostic::error("cli.plan-stack", summary).with_help("leave --stack out, or plan again"),
        ));
    }
    Ok(Some(plan))
}

pub(super) async fn apply(
    session: &Session,
    args: ApplyArgs,
    saved: Option<Plan>,
    out: &mut Out,
) -> Result<Exit, Fault> {
    match saved {
        Some(plan) => carry_out(session, plan, out).await,
        None => {
            let request = PlanRequest { purpose: Purpose::Apply, only: args.only };
            plan_and_ask(session, &Work::Plan(request), args.yes, out).await
        }
    }
}

pub(super) async fn destroy(session: &Session, args: DestroyArgs, out: &mut Out) -> Result<Exit, Fault> {
    let request = PlanRequest { purpose: Purpose::Destroy, only: Vec::new() };
    plan_and_ask(session, &Work::Plan(request), args.yes, out).await
}

/// `sheave rollback`: what an earlier run was given, planned anew.
pub(super) async fn rollback(session: &Session, args: RollbackArgs, out: &mut Out) -> Result<Exit, Fault> {
    plan_and_ask(session, &Work::Rollback(args.run), args.yes, out).await
}

/// What is planned, and carried out when it is approved.
enum Work {
    /// The blueprint, or the end of the stack.
    Plan(PlanRequest),
    /// An earlier run.
    Rollback(String),
}

/// A saved plan was reviewed: it is not asked about.
async fn carry_out(session: &Session, plan: Plan, out: &mut Out) -> Result<Exit, Fault> {
    let purpose = plan.purpose;
    let (run, tell) = Run::new(session, out);
    run.show(&format!("{}\n", plan::summary(&plan)));
    let cancel = Cancel::default();
    let done = run.through(session.driver.apply_saved(plan, &tell, &cancel), Some(&cancel)).await;
    Ok(ended(session, run, done, purpose, Asked::No, out))
}

/// What became of the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// There was none: nothing to do, or a saved plan.
    No,
    /// Go on.
    Approved,
    /// Leave it.
    Declined,
}

async fn plan_and_ask(session: &Session, work: &Work, yes: bool, out: &mut Out) -> Result<Exit, Fault> {
    if !yes {
        prompt::possible(session.json).map_err(explained)?;
    }
    let purpose = match work {
        Work::Plan(request) => request.purpose,
        Work::Rollback(_) => Purpose::Apply,
    };
    let (run, tell) = Run::new(session, out);
    let asked = Cell::new(Asked::No);
    let approve = async |planned: &PlanReport| {
        // A plan with nothing in it comes here for its outputs' sake.
        let render = if planned.plan.is_empty() { plan::outputs_only } else { plan::plan };
        // Scripts have it in events.
        let text = if session.json { String::new() } else { render(&planned.plan, session.look.out) + "\n" };
        run.show(&text);
        run.explain(&planned.report);
        let approved = yes || ask(session, &run, purpose).await;
        asked.set(if approved { Asked::Approved } else { Asked::Declined });
        approved
    };
    let cancel = Cancel::default();
    let driver = &session.driver;
    let done = match work {
        Work::Plan(request) => {
            run.through(driver.apply(request, approve, &tell, &cancel), Some(&cancel)).await
        }
        Work::Rollback(past) => {
            run.through(driver.rollback(past, approve, &tell, &cancel), Some(&cancel)).await
        }
    };
    Ok(ended(session, run, done, purpose, asked.get(), out))
}

async fn ask(session: &Session, run: &Run<'_>, purpose: Purpose) -> bool {
    let question = match purpose {
        Purpose::Apply => "Carry this plan out?",
        Purpose::Destroy => "Delete all this? There is no way back.",
    };
    run.ask(&session.look.err.bold(question).to_string()).await
}

fn ended(
    session: &Session,
    run: Run<'_>,
    done: Option<Result<ApplyReport, Fault>>,
    purpose: Purpose,
    asked: Asked,
    out: &mut Out,
) -> Exit {
    let ApplyReport { outcome, counts, report, outputs } = match done {
        Some(Ok(report)) => report,
        Some(Err(fault)) => return run.fail(fault, out),
        None => return run.drop(out),
    };
    let stopped = run.stopped();
    let millis = run.finish(report, outcome, counts, out);
    if !session.json {
        let nothing = counts.create + counts.update + counts.delete + counts.failed == 0;
        if !outputs.is_empty() && outcome == RunOutcome::Ok && purpose == Purpose::Apply {
            out.text(&format!("\nOutputs:\n{}", outputs::text(&outputs, 2, session.look.out)));
        }
        let last = match (asked, outcome) {
            (Asked::Declined, _) => "Nothing was changed.".to_owned(),
            (Asked::No, RunOutcome::Ok) if nothing => "Nothing to do.".to_owned(),
            _ => line::finished(outcome, &counts, millis),
        };
        out.line(&format!("\n{}", session.look.out.bold(last)));
        if outcome == RunOutcome::Cancelled && asked != Asked::Declined {
            out.line("What was done is recorded; the same command goes on from there.");
        }
    }
    match (outcome, asked) {
        (RunOutcome::Ok, _) => Exit::Done,
        (RunOutcome::Failed, _) => Exit::Fault,
        (RunOutcome::Cancelled, Asked::Declined) if !stopped => Exit::Fault,
        (RunOutcome::Cancelled, _) => Exit::Interrupted,
    }
}
