//! `sheave status`: the live stack, asked now, or again and again.

use std::time::Duration;

use sheave_driver::Fault;

use super::{Session, document, explain, has_errors};
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::out::Out;
use crate::render::status;
use crate::screen::Screen;

/// Time between two looks: a request an object each, which must not wear the API server out.
const BETWEEN: Duration = Duration::from_secs(2);

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

/// Until the operator has seen enough. Faults of the targets are shown and outlived.
pub(super) async fn watch(session: &Session, out: &mut Out) -> Result<Exit, Fault> {
    let mut interrupts = Interrupts::new();
    let mut watch = session.driver.watch_status();
    let mut screen = (session.look.bars && !session.json && !session.logs).then(Screen::of_process);
    let mut changes = status::Changes::default();
    let mut told = Vec::new();
    loop {
        let found = tokio::select! {
            biased;
            () = interrupts.next() => break,
            found = watch.look() => found?,
        };
        if let Some(screen) = &mut screen {
            let mut text = status::text(&found, session.look.out);
            for fault in &found.report.diagnostics {
                text.push_str(&status::fault(fault, session.look.out));
            }
            screen.draw(&text, out);
        } else {
            for line in changes.lines(&found, session.json) {
                out.line(&line);
            }
            // Once, not at every look.
            if told != found.report.diagnostics {
                explain(session.look, &found.report);
                told.clone_from(&found.report.diagnostics);
            }
        }
        tokio::select! {
            () = interrupts.next() => break,
            () = tokio::time::sleep(BETWEEN) => {}
        }
    }
    Ok(Exit::Interrupted)
}
