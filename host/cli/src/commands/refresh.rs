//! `sheave refresh`: what drifted, and outputs as they are now.

use sheave_driver::{Cancel, Fault, RefreshReport};
use sheave_model::event::RunOutcome;

use super::run::Run;
use super::{Session, has_errors};
use crate::exit::Exit;
use crate::out::Out;
use crate::render::refresh;

pub(super) async fn run(session: &Session, out: &mut Out) -> Result<Exit, Fault> {
    let (run, tell) = Run::quiet(session, out);
    let cancel = Cancel::default();
    let found: RefreshReport = match run.through(session.driver.refresh(&tell, &cancel), None).await {
        Some(Ok(found)) => found,
        Some(Err(fault)) => return Ok(run.fail(fault, out)),
        None => return Ok(run.drop(out)),
    };
    run.show(&refresh::text(&found, session.look.out));
    let failed = found.counts.failed > 0 || has_errors(&found.report);
    let outcome = if failed { RunOutcome::Failed } else { RunOutcome::Ok };
    let (counts, report) = (found.counts, found.report);
    run.finish(report, outcome, counts, out);
    Ok(if failed { Exit::Fault } else { Exit::Done })
}
