//! The commands, one file each, and what they share.

mod apply;
mod completions;
mod events;
mod graph;
mod history;
mod import;
mod init;
mod outputs;
mod plan;
mod plugin;
mod refresh;
mod run;
mod schema;
mod state;
mod status;
mod validate;

use std::io;
use std::path::{Path, PathBuf};

use sheave_driver::{Driver, Fault, Report, stack_by_blueprint};
use sheave_model::Diagnostic;
use sheave_model::event::RunOutcome;
use sheave_model::plan::{Counts, Plan};

use crate::args::{Cli, Command, StateCommand};
use crate::exit::Exit;
use crate::look::Look;
use crate::out::{self, Out};
use crate::render::diagnostic;
use crate::watch::Watch;
use crate::{log, settings};

/// What a command works with.
pub(crate) struct Session {
    driver: Driver,
    look: Look,
    json: bool,
    /// The log is on: what is drawn would be in its way.
    logs: bool,
    /// As given; empty: the blueprint's name.
    stack: String,
    /// The blueprint's file, as given.
    file: PathBuf,
}

/// Runs the command that was given, and explains where it cannot.
pub(crate) fn run(mut cli: Cli) -> Exit {
    let look = Look::of_process(cli.common.no_color);
    let logs = log::start(cli.common.verbose, look.err.0);
    let json = cli.common.json;
    let stack = cli.common.stack.clone().unwrap_or_default();
    let inputs = cli.inputs.and(cli.command.take_inputs());
    let mut out = Out::of_process();
    let done = match &cli.command {
        // These need neither a key nor a cache, and so no home.
        Command::Completions { shell, .. } => Ok(completions::run(*shell, &mut out)),
        Command::Init(args) => init::run(args.folder.as_deref(), &cli.common.file, json, &mut out),
        _ => settings::settings(&cli.common, inputs, cli.command.words()).map_err(Fault::Explained).and_then(
            |mut settings| {
                let saved = apply::saved(&cli.command, &mut settings)?;
                let file = settings.blueprint.clone();
                // A saved plan names its stack.
                let stack = settings.stack.clone().unwrap_or_default();
                let session = Session { driver: Driver::new(settings), look, json, logs, stack, file };
                dispatch(&session, cli.command, saved, &mut out)
            },
        ),
    };
    let exit = done.unwrap_or_else(|fault| {
        let (exit, report) = told_by(fault);
        if json {
            say_in_json(look, &report, RunOutcome::Failed, &named(&stack, &cli.common.file), &mut out);
        } else {
            explain(look, &report);
        }
        exit
    });
    match out.fault() {
        Some(fault) => {
            let lost = Diagnostic::error("cli.output", "the output could not be written")
                .with_detail(fault.to_string());
            explain(look, &one(lost));
            if exit == Exit::Done { Exit::Fault } else { exit }
        }
        None => exit,
    }
}

fn dispatch(session: &Session, command: Command, saved: Option<Plan>, out: &mut Out) -> Result<Exit, Fault> {
    match command {
        Command::Plan(args) => run_threads(plan::run(session, args, out)),
        Command::Apply(args) => run_threads(apply::apply(session, args, saved, out)),
        Command::Destroy(args) => run_threads(apply::destroy(session, args, out)),
        Command::Validate { .. } => one_thread(validate::run(session, out)),
        Command::Status { watch: false, .. } => threads(status::run(session, out)),
        Command::Status { watch: true, .. } => threads(status::watch(session, out)),
        Command::History { .. } => one_thread(history::run(session, out)),
        Command::Rollback(args) => run_threads(apply::rollback(session, args, out)),
        Command::Refresh { .. } => threads(refresh::run(session, out)),
        Command::Import(args) => threads(import::run(session, args, out)),
        Command::Graph(args) => one_thread(graph::run(session, args, out)),
        Command::Outputs(args) => one_thread(outputs::run(session, args, out)),
        Command::Events { limit, .. } => one_thread(events::run(session, limit, out)),
        Command::State(StateCommand::List { .. }) => one_thread(state::list(session, out)),
        Command::State(StateCommand::Show { address, .. }) => one_thread(state::show(session, &address, out)),
        Command::State(StateCommand::Export { .. }) => one_thread(state::export(session, out)),
        Command::State(StateCommand::Rm { address, yes, .. }) => {
            one_thread(state::remove(session, &address, yes, out))
        }
        Command::State(StateCommand::Mv { from, to, .. }) => {
            one_thread(state::rename(session, &from, &to, out))
        }
        Command::State(StateCommand::Unlock { yes, .. }) => one_thread(state::unlock(session, yes, out)),
        Command::Plugin(command) => one_thread(plugin::run(session, command, out)),
        Command::Types { .. } => one_thread(schema::types(session, out)),
        Command::Schema { type_name, .. } => one_thread(schema::schema(session, type_name.as_deref(), out)),
        // Done before there was a session.
        Command::Completions { .. } | Command::Init(_) => Ok(Exit::Done),
    }
}

/// The stack of each thread, as large as the main one's: what walks blueprints, schemas and replies is recursive, within
/// limits of its own.
const STACK_BYTES: usize = 8 << 20;

/// For work that has much in flight at once.
fn threads(work: impl Future<Output = Result<Exit, Fault>>) -> Result<Exit, Fault> {
    block_on(tokio::runtime::Builder::new_multi_thread(), work)
}

/// For a run, of which this thread does its share: one thread more than there are cores would only take turns with the others.
fn run_threads(work: impl Future<Output = Result<Exit, Fault>>) -> Result<Exit, Fault> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(cores.saturating_sub(1).max(1));
    block_on(builder, work)
}

/// For a look at something: starting threads would take longer than the work.
fn one_thread(work: impl Future<Output = Result<Exit, Fault>>) -> Result<Exit, Fault> {
    block_on(tokio::runtime::Builder::new_current_thread(), work)
}

fn block_on(
    mut builder: tokio::runtime::Builder,
    work: impl Future<Output = Result<Exit, Fault>>,
) -> Result<Exit, Fault> {
    let runtime = builder.enable_all().thread_stack_size(STACK_BYTES).build().map_err(|fault| {
        explained(
            Diagnostic::error("cli.no-runtime", "the program could not start its threads")
                .with_detail(fault.to_string()),
        )
    })?;
    let done = runtime.block_on(work);
    // What still blocks has nothing to say any more: its outcome was awaited, or was given up on purpose.
    runtime.shutdown_background();
    done
}

/// A fault of one diagnostic.
fn explained(diagnostic: impl Into<Box<Diagnostic>>) -> Fault {
    Fault::Explained(Box::new(one(*diagnostic.into())))
}

fn one(diagnostic: Diagnostic) -> Report {
    Report { diagnostics: vec![diagnostic], ..Report::default() }
}

/// How a fault ends the program, and what it has to say.
fn told_by(fault: Fault) -> (Exit, Box<Report>) {
    match fault {
        Fault::Explained(report) => (Exit::Fault, report),
        Fault::Locked(report) => (Exit::Locked, report),
    }
}

/// The stack's name for the last word of what ended before anything else told it; empty where it is not known.
fn named(given: &str, blueprint: &Path) -> String {
    let by_blueprint = || stack_by_blueprint(blueprint).unwrap_or_default();
    if given.is_empty() { by_blueprint() } else { given.to_owned() }
}

/// A report as events, and the end of a run that had no others.
fn say_in_json(look: Look, report: &Report, outcome: RunOutcome, stack: &str, out: &mut Out) {
    let watch = Watch::new(std::mem::replace(out, Out::to(io::sink())), look, true, true, stack);
    *out = watch.finish(report, outcome, Counts::default()).out;
}

/// Shows diagnostics to people.
fn explain(look: Look, report: &Report) {
    out::err(&drawn(look, report));
}

fn drawn(look: Look, report: &Report) -> String {
    if report.diagnostics.is_empty() {
        return String::new();
    }
    diagnostic::report(&report.diagnostics, &report.sources, &diagnostic::handler(look.err))
}

fn has_errors(report: &Report) -> bool {
    report.diagnostics.iter().any(Diagnostic::is_error)
}

/// One JSON document, readable by people too.
fn document(out: &mut Out, json: &serde_json::Value) {
    out.line(&format!("{json:#}"));
}
