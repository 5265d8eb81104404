//! The command line of Sheave: arguments in, text and exit codes out. What is done, the driver does.

mod args;
mod commands;
mod exit;
mod folders;
mod interrupt;
mod log;
mod look;
mod out;
mod plan_file;
mod prompt;
mod render;
mod screen;
mod settings;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::exit::Exit;

/// A run makes and drops millions of small texts and maps, on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match args::Cli::try_parse() {
        Ok(cli) => commands::run(cli),
        Err(said) => usage(&said),
    }
    .into()
}

/// Help, the version, or what is wrong with the arguments. A fault of theirs is a fault like any other: code 1, since 2
/// says that there are changes.
fn usage(said: &clap::Error) -> Exit {
    match said.kind() {
        // What the program can do was asked for by saying nothing: that is an answer, not a complaint.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let mut out = out::Out::of_process();
            out.text(&said.render().to_string());
            Exit::Done
        }
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = said.print();
            Exit::Done
        }
        _ => {
            let _ = said.print();
            Exit::Fault
        }
    }
}
