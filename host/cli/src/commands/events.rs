//! `sheave events`: what happened in past runs.

use sheave_driver::Fault;

use super::Session;
use crate::exit::Exit;
use crate::out::Out;
use crate::render::{line, outside};

pub(super) async fn run(session: &Session, limit: usize, out: &mut Out) -> Result<Exit, Fault> {
    for event in session.driver.events(limit).await? {
        if session.json {
            // An event is made of texts, numbers and maps of texts: writing it as JSON cannot fail.
            out.line(&serde_json::to_string(&event).unwrap_or_default());
        } else {
            let at = session.look.out.dim(outside::line(&event.at)).to_string();
            out.line(&format!("{at}  {}", line::event(&event, session.look.out)));
        }
    }
    Ok(Exit::Done)
}
