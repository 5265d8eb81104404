//! `sheave plugin ...`, as it is written.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Inputs, examples};

/// `sheave plugin ...`.
#[derive(Subcommand)]
pub(crate) enum PluginCommand {
    /// Show what a plugin is: its types, what it asks for and why, and what it gets
    #[command(after_help = examples::PLUGIN_INSPECT)]
    Inspect {
        /// A plugin of the blueprint by name, or a component's file
        #[arg(value_name = "NAME|FILE")]
        what: String,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Add a plugin to the blueprint and to sheave.lock
    #[command(after_help = examples::PLUGIN_ADD)]
    Add {
        /// The component's file
        #[arg(value_name = "SOURCE")]
        source: PathBuf,
        /// Its name in the blueprint. Default: its own
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Take the plugins into sheave.lock as they are now, and show what changed
    #[command(after_help = examples::PLUGIN_UPDATE)]
    Update {
        /// Only this one
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// Also where it asks for more than it did
        #[arg(long)]
        accept: bool,
        #[command(flatten)]
        inputs: Inputs,
    },
}

impl PluginCommand {
    /// The inputs given after the command.
    pub(crate) fn inputs(&mut self) -> &mut Inputs {
        match self {
            Self::Inspect { inputs, .. } | Self::Add { inputs, .. } | Self::Update { inputs, .. } => inputs,
        }
    }

    /// As the history would name it.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::Inspect { .. } => "plugin inspect",
            Self::Add { .. } => "plugin add",
            Self::Update { .. } => "plugin update",
        }
    }
}
