//! The words after `sheave plugin`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Inputs, examples};

/// `sheave plugin ...`.
#[derive(Subcommand)]
pub(crate) enum PluginCommand {
    /// Make a project that builds and passes its own tests
    #[command(after_help = examples::PLUGIN_NEW)]
    New(NewArgs),
    /// Build a plugin with its language's own tools
    #[command(after_help = examples::PLUGIN_BUILD)]
    Build {
        /// The plugin's folder. Default: here
        #[arg(value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Ask the plugin what stands in its golden folder, and compare its answers
    #[command(after_help = examples::PLUGIN_TEST)]
    Test(TestArgs),
    /// Build, test and plan again whenever a file changes
    #[command(after_help = examples::PLUGIN_DEV)]
    Dev(DevArgs),
    /// Show what a plugin is: its types, what it asks for and why, and what it gets
    #[command(after_help = examples::PLUGIN_INSPECT)]
    Inspect {
        /// A plugin of the blueprint by name, a component's file, or oci://HOST/REPOSITORY:TAG
        #[arg(value_name = "NAME|SOURCE")]
        what: String,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Add a plugin to the blueprint and to sheave.lock
    #[command(after_help = examples::PLUGIN_ADD)]
    Add {
        /// The component's file, or oci://HOST/REPOSITORY:TAG
        #[arg(value_name = "SOURCE")]
        source: String,
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
        /// Also what there are doubts about: it asks for more, is older, or another signed it
        #[arg(long)]
        accept: bool,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Give a plugin to a registry
    #[command(after_help = examples::PLUGIN_PUSH)]
    Push(PushArgs),
    /// Take a plugin from a registry
    #[command(after_help = examples::PLUGIN_PULL)]
    Pull(PullArgs),
    /// Sign a plugin, in a registry or in a file
    #[command(after_help = examples::PLUGIN_SIGN)]
    Sign {
        /// oci://HOST/REPOSITORY:TAG, or a component's file
        #[arg(value_name = "SOURCE")]
        what: String,
        /// The private key, in cosign's form; its password is asked for, or taken from COSIGN_PASSWORD
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Say who signed a plugin; a failure where nobody did who may
    #[command(after_help = examples::PLUGIN_VERIFY)]
    Verify {
        /// oci://HOST/REPOSITORY:TAG, or a component's file
        #[arg(value_name = "SOURCE")]
        what: String,
        /// A public key that may have signed it. Default: those of the policy
        #[arg(long, value_name = "FILE")]
        key: Vec<PathBuf>,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Make a pair of keys to sign with: NAME.key and NAME.pub
    #[command(after_help = examples::PLUGIN_KEY)]
    Key {
        /// The files' name, without its end
        #[arg(value_name = "NAME")]
        name: PathBuf,
        #[command(flatten)]
        inputs: Inputs,
    },
}

/// `sheave plugin push`.
#[derive(Args)]
pub(crate) struct PushArgs {
    /// The component's file
    #[arg(value_name = "FILE")]
    pub(crate) component: PathBuf,
    /// oci://HOST/REPOSITORY[:TAG]. Default tag: the plugin's version
    #[arg(value_name = "TO")]
    pub(crate) to: String,
    /// Also where the tag has another component
    #[arg(long)]
    pub(crate) force: bool,
    /// Sign it with this private key as well
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

/// `sheave plugin pull`.
#[derive(Args)]
pub(crate) struct PullArgs {
    /// oci://HOST/REPOSITORY:TAG, or with @sha256:...
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,
    /// Write the component into this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Copy it, with its signatures, into a folder for --offline
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

/// `sheave plugin new`.
#[derive(Args)]
pub(crate) struct NewArgs {
    /// The plugin's name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it is written in
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) lang: Lang,
    /// Whether its types emit objects or provide something by themselves
    #[arg(long, value_name = "ROLE", default_value = "emits")]
    pub(crate) role: PluginRole,
    /// Where; made where it is not there. Default: a folder of its name
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

/// `sheave plugin test`.
#[derive(Args)]
pub(crate) struct TestArgs {
    /// The plugin's folder. Default: here
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Write down what it answers, to be read before it is committed
    #[arg(long)]
    pub(crate) bless: bool,
    /// The folder of cases. Default: golden/ of the plugin
    #[arg(long, value_name = "DIR")]
    pub(crate) golden: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

/// `sheave plugin dev`.
#[derive(Args)]
pub(crate) struct DevArgs {
    /// The plugin's folder. Default: here
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

/// A language with an SDK.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Lang {
    Rust,
    Go,
    Python,
    Js,
    C,
}

/// What a plugin's types do.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum PluginRole {
    /// Properties in, Kubernetes objects out
    Emits,
    /// Create, read, update and delete something by itself
    Provides,
}

impl PluginCommand {
    /// The inputs given after the command.
    pub(crate) fn inputs(&mut self) -> &mut Inputs {
        match self {
            Self::New(NewArgs { inputs, .. })
            | Self::Build { inputs, .. }
            | Self::Test(TestArgs { inputs, .. })
            | Self::Dev(DevArgs { inputs, .. })
            | Self::Inspect { inputs, .. }
            | Self::Add { inputs, .. }
            | Self::Update { inputs, .. }
            | Self::Push(PushArgs { inputs, .. })
            | Self::Pull(PullArgs { inputs, .. })
            | Self::Sign { inputs, .. }
            | Self::Verify { inputs, .. }
            | Self::Key { inputs, .. } => inputs,
        }
    }

    /// As the history would name it.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::New(_) => "plugin new",
            Self::Build { .. } => "plugin build",
            Self::Test(_) => "plugin test",
            Self::Dev(_) => "plugin dev",
            Self::Inspect { .. } => "plugin inspect",
            Self::Add { .. } => "plugin add",
            Self::Update { .. } => "plugin update",
            Self::Push(_) => "plugin push",
            Self::Pull(_) => "plugin pull",
            Self::Sign { .. } => "plugin sign",
            Self::Verify { .. } => "plugin verify",
            Self::Key { .. } => "plugin key",
        }
    }
}
