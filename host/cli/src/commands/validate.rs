//! `sheave validate`: every fault of the blueprint, with its place.

use sheave_driver::Fault;
use sheave_model::event::RunOutcome;

use super::{Session, explain, has_errors, named, say_in_json};
use crate::exit::Exit;
use crate::out::Out;
use crate::render::outside;

pub(super) async fn run(session: &Session, out: &mut Out) -> Result<Exit, Fault> {
    let report = session.driver.validate().await;
    let failed = has_errors(&report);
    if session.json {
        let outcome = if failed { RunOutcome::Failed } else { RunOutcome::Ok };
        say_in_json(session.look, &report, outcome, &named(&session.stack, &session.file), out);
    } else {
        explain(session.look, &report);
        if !failed {
            out.line(&format!("{} is valid.", outside::line(&session.file.display().to_string())));
        }
    }
    Ok(if failed { Exit::Fault } else { Exit::Done })
}
