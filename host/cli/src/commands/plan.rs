//! `sheave plan`: what would change.

use sheave_driver::{Fault, PlanReport, PlanRequest};
use sheave_model::event::RunOutcome;
use sheave_model::plan::{Action, Purpose};

use super::run::Run;
use super::{Session, has_errors};
use crate::args::PlanArgs;
use crate::exit::Exit;
use crate::out::Out;
use crate::plan_file;
use crate::render::{outside, plan};

pub(super) async fn run(session: &Session, args: PlanArgs, out: &mut Out) -> Result<Exit, Fault> {
    let purpose = if args.destroy { Purpose::Destroy } else { Purpose::Apply };
    let request = PlanRequest { purpose, only: args.only };
    let (run, tell) = Run::new(session, out);
    let PlanReport { plan, mut report } = match run.through(session.driver.plan(&request, &tell), None).await
    {
        Some(Ok(planned)) => planned,
        Some(Err(fault)) => return Ok(run.fail(fault, out)),
        None => return Ok(run.drop(out)),
    };
    run.show(&plan::plan(&plan, session.look.out));
    if let Some(path) = &args.out {
        let shown = path.display().to_string();
        match plan_file::write(&plan, path) {
            Ok(()) => {
                let text = format!("\nSaved. To carry it out: sheave apply {}\n", outside::line(&shown));
                run.show(&text);
            }
            Err(fault) => report.diagnostics.push(*fault),
        }
    }
    let failed = has_errors(&report) || !plan.failed.is_empty();
    let outcome = if failed { RunOutcome::Failed } else { RunOutcome::Ok };
    run.finish(report, outcome, plan.counts(), out);
    let changes = !plan.moved.is_empty() || plan.resources.iter().any(|r| r.action != Action::NoOp);
    Ok(match (failed, args.detailed_exitcode && changes) {
        (true, _) => Exit::Fault,
        (false, true) => Exit::Changes,
        (false, false) => Exit::Done,
    })
}
