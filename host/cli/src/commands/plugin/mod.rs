//! `sheave plugin ...`: plugins looked at, taken in, and made.

mod add;
mod build;
mod dev;
mod inspect;
mod keys;
mod new;
mod pull;
mod push;
mod signing;
mod test;
mod update;

use sheave_driver::Fault;

use super::Session;
use crate::args::PluginCommand;
use crate::exit::Exit;
use crate::out::Out;

pub(super) async fn run(session: &Session, command: PluginCommand, out: &mut Out) -> Result<Exit, Fault> {
    match command {
        PluginCommand::New(args) => new::run(session, &args, out),
        PluginCommand::Build { folder, .. } => build::run(session, &folder, out).await,
        PluginCommand::Test(args) => test::run(session, &args, out).await,
        PluginCommand::Dev(args) => dev::run(session, &args, out).await,
        PluginCommand::Inspect { what, .. } => inspect::run(session, &what, out).await,
        PluginCommand::Add { source, name, .. } => add::run(session, &source, name.as_deref(), out).await,
        PluginCommand::Push(args) => push::run(session, &args, out).await,
        PluginCommand::Pull(args) => pull::run(session, &args, out).await,
        PluginCommand::Sign { what, key, .. } => signing::sign(session, &what, &key, out).await,
        PluginCommand::Verify { what, key, .. } => signing::verify(session, &what, &key, out).await,
        PluginCommand::Key { name, .. } => keys::run(session, &name, out),
        PluginCommand::Update { name, accept, .. } => {
            update::run(session, name.as_deref(), accept, out).await
        }
    }
}
