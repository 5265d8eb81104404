//! `sheave plugin ...`: plugins looked at and taken in.

mod add;
mod inspect;
mod update;

use sheave_driver::Fault;

use super::Session;
use crate::args::PluginCommand;
use crate::exit::Exit;
use crate::out::Out;

pub(super) async fn run(session: &Session, command: PluginCommand, out: &mut Out) -> Result<Exit, Fault> {
    match command {
        PluginCommand::Inspect { what, .. } => inspect::run(session, &what, out).await,
        PluginCommand::Add { source, name, .. } => add::run(session, &source, name.as_deref(), out).await,
        PluginCommand::Update { name, accept, .. } => {
            update::run(session, name.as_deref(), accept, out).await
        }
    }
}
