//! `sheave import ADDRESS ID`: takes what exists into the stack.

use sheave_driver::{Cancel, Fault};
use sheave_model::event::RunOutcome;
use sheave_model::plan::Counts;

use super::Session;
use super::run::Run;
use crate::args::ImportArgs;
use crate::exit::Exit;
use crate::out::Out;
use crate::render::outside;

pub(super) async fn run(session: &Session, args: ImportArgs, out: &mut Out) -> Result<Exit, Fault> {
    let (run, tell) = Run::quiet(session, out);
    let cancel = Cancel::default();
    let work = session.driver.import(&args.address, &args.id, &tell, &cancel);
    let taken = match run.through(work, None).await {
        Some(Ok(taken)) => taken,
        Some(Err(fault)) => return Ok(run.fail(fault, out)),
        None => return Ok(run.drop(out)),
    };
    let what = taken.object.map(|o| o.to_string()).or(taken.id).unwrap_or_default();
    run.show(&format!(
        "{} is `{}` of the stack now. `sheave plan` shows how it differs from the blueprint.\n",
        outside::line(&what),
        outside::line(&taken.address.to_string())
    ));
    let counts = Counts { unchanged: 1, ..Counts::default() };
    run.finish(taken.report, RunOutcome::Ok, counts, out);
    Ok(Exit::Done)
}
