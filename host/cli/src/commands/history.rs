//! `sheave history`: the stack's runs.

use sheave_driver::Fault;

use super::{Session, document};
use crate::exit::Exit;
use crate::out::Out;
use crate::render::history;

pub(super) async fn run(session: &Session, out: &mut Out) -> Result<Exit, Fault> {
    let found = session.driver.history().await?;
    if session.json {
        document(out, &history::json(&found));
    } else {
        out.text(&history::text(&found, session.look.out));
    }
    Ok(Exit::Done)
}
