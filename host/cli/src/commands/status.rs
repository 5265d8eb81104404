//! `sheave status`: the live stack, asked now.

use sheave_driver::Fault;

use super::{Session, document, explain, has_errors};
use crate::exit::Exit;
use crate::out::Out;
use crate::render::status;

pub(super) async fn run(session: &Session, out: &mut Out) -> Result<Exit, Fault> {
    let found = session.driver.status().await?;
    if session.json {
        document(out, &status::json(&found));
    } else {
        out.text(&status::text(&found, session.look.out));
    }
    explain(session.look, &found.report);
    Ok(if has_errors(&found.report) { Exit::Fault } else { Exit::Done })
}
