//! `sheave plugin dev`: builds, tests and plans again whenever a file changes.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use notify::{EventKind, RecursiveMode, Watcher};
use sheave_authoring::{Project, build, test};
use sheave_driver::{Fault, Report};
use sheave_model::Diagnostic;

use super::super::{Session, drawn, explained};
use super::build::summary;
use super::test::{golden, text};
use crate::args::DevArgs;
use crate::exit::Exit;
use crate::out::Out;

/// Editors write a file in several steps, and several files at once: what comes within this time is one change.
const TOGETHER: Duration = Duration::from_millis(200);
/// What builds write, which is no change of the author's.
const MADE: [&str; 7] = ["build", "target", "sdk", "node_modules", ".venv", ".git", "__pycache__"];

pub(super) async fn run(session: &Session, args: &DevArgs, out: &mut Out) -> Result<Exit, Fault> {
    let project = Project::open(&args.folder).map_err(explained)?;
    let (tell, changes) = channel();
    let folder = project.folder.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let by_author = |e: &notify::Event| {
            !matches!(e.kind, EventKind::Access(_)) && e.paths.iter().any(|p| is_authors(&folder, p))
        };
        if event.as_ref().is_ok_and(by_author) {
            // Where nobody waits any longer there is nobody to tell.
            let _ = tell.send(());
        }
    })
    .map_err(|e| unwatched(&e))?;
    watcher.watch(&project.folder, RecursiveMode::Recursive).map_err(|e| unwatched(&e))?;
    loop {
        once(session, &args.folder, out).await?;
        out.line("Waiting for a change; Ctrl-C ends it.");
        if wait(&changes).is_err() {
            return Ok(Exit::Done);
        }
    }
}

/// One round. What the plugin's author can mend ends the round, not the watch.
async fn once(session: &Session, folder: &Path, out: &mut Out) -> Result<(), Fault> {
    let host = session.driver.plugin_host().map_err(explained)?;
    let shown = |fault: Box<Diagnostic>| {
        drawn(session.look, &Report { diagnostics: vec![*fault], ..Report::default() })
    };
    let began = Instant::now();
    let project = match Project::open(folder) {
        Ok(project) => project,
        Err(fault) => {
            out.text(&shown(fault));
            return Ok(());
        }
    };
    match build(&project, &host).await {
        Ok(built) => out.line(&summary(&project, &built, began)),
        Err(fault) => {
            out.text(&shown(fault));
            return Ok(());
        }
    }
    match test(&project, &host, &golden(&project), false).await {
        Ok(outcome) => out.text(&text(&outcome)),
        Err(fault) => out.text(&shown(fault)),
    }
    if session.file.is_file() {
        plan(session)?;
    }
    Ok(())
}

/// What the blueprint would change, as `sheave plan` shows it: a process of its own, which may fail.
fn plan(session: &Session) -> Result<(), Fault> {
    let failed = |e: std::io::Error| {
        explained(
            Diagnostic::error("author.no-plan", "`sheave plan` cannot be started").with_detail(e.to_string()),
        )
    };
    let mut plan = Command::new(std::env::current_exe().map_err(failed)?);
    plan.arg("plan").arg("--file").arg(&session.file);
    if !session.stack.is_empty() {
        plan.args(["--stack", &session.stack]);
    }
    plan.status().map_err(failed)?;
    Ok(())
}

/// Waits for a change, and until it is whole; an error where none can come any more.
fn wait(changes: &Receiver<()>) -> Result<(), RecvTimeoutError> {
    changes.recv().map_err(|_| RecvTimeoutError::Disconnected)?;
    loop {
        match changes.recv_timeout(TOGETHER) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(gone) => return Err(gone),
        }
    }
}

fn is_authors(folder: &Path, path: &Path) -> bool {
    let inner = path.strip_prefix(folder).unwrap_or(path);
    let first = inner.components().next().map(|c| c.as_os_str().to_string_lossy().into_owned());
    first.is_some_and(|first| !MADE.contains(&first.as_str()))
}

fn unwatched(why: &notify::Error) -> Fault {
    explained(
        Diagnostic::error("author.no-watch", "changes of files cannot be watched")
            .with_detail(why.to_string())
            .with_help("build and test by hand: `sheave plugin build && sheave plugin test`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_author_writes_is_a_change() {
        let folder = Path::new("/p");
        let of = |path: &str| is_authors(folder, Path::new(path));
        assert!(of("/p/main.go") && of("/p/golden/plain/input.yaml") && of("/p/plugin.yaml"));
        assert!(!of("/p/build/x.wasm") && !of("/p/sdk/go.mod") && !of("/p/.git/index") && !of("/p"));
    }

    #[test]
    fn changes_that_come_together_are_one() {
        let (tell, changes) = channel();
        tell.send(()).unwrap();
        tell.send(()).unwrap();
        assert!(wait(&changes).is_ok());
        drop(tell);
        assert!(wait(&changes).is_err(), "nothing can come any more");
    }
}
