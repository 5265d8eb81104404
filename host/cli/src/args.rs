//! The command line's words. Common options stand before or after the command.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, Parser, Subcommand};
use jiff::SignedDuration;
use sheave_model::Address;

pub(crate) use plugin::{DevArgs, Lang, NewArgs, PluginCommand, PluginRole, PullArgs, PushArgs, TestArgs};

const ABOUT: &str =
    "Orchestrates applications from a blueprint: what would change, then the change, then how it stands";

const AFTER: &str = "\
Environment:
  SHEAVE_FILE, SHEAVE_STACK, SHEAVE_STATE, SHEAVE_INPUTS, SHEAVE_PARALLELISM,
  SHEAVE_TIMEOUT, SHEAVE_LOCKED, SHEAVE_JSON, SHEAVE_NO_COLOR
                  stand for the options of the same name
  SHEAVE_INPUT_k  stands for --input k=...; secrets do not belong on a command line
  SHEAVE_KEY      encrypts secrets at rest; default: a file in the configuration folder
  SHEAVE_LOG      what is logged to standard error, such as `sheave_driver=debug`
  NO_COLOR        no colours

Exit codes:
  0 done    1 a fault, explained    2 changes (plan --detailed-exitcode)
  3 somebody holds the lock         130 interrupted";

/// The whole command line.
#[derive(Parser)]
#[command(name = "sheave", version, about = ABOUT, after_help = AFTER, max_term_width = 110)]
#[command(arg_required_else_help = true, infer_subcommands = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// The blueprint
    #[arg(
        display_order = 101,
        short = 'f',
        long,
        value_name = "FILE",
        global = true,
        default_value = "blueprint.yaml"
    )]
    #[arg(env = "SHEAVE_FILE", hide_env = true)]
    pub(crate) file: PathBuf,
    /// The stack; default: the blueprint's name
    #[arg(
        display_order = 102,
        long,
        value_name = "NAME",
        global = true,
        env = "SHEAVE_STACK",
        hide_env = true
    )]
    pub(crate) stack: Option<String>,
    /// Where the state is kept
    #[arg(
        display_order = 105,
        long,
        value_name = "URL",
        global = true,
        default_value = "sqlite:.sheave/state.db"
    )]
    #[arg(env = "SHEAVE_STATE", hide_env = true)]
    pub(crate) state: String,
    /// Operations in flight at once
    #[arg(display_order = 106, long, value_name = "N", global = true, default_value = "32", value_parser = parallelism)]
    #[arg(env = "SHEAVE_PARALLELISM", hide_env = true)]
    pub(crate) parallelism: usize,
    /// How long a resource may take to become ready, such as 90s or 1h30m
    #[arg(display_order = 107, long, value_name = "DURATION", global = true, default_value = "10m", value_parser = timeout)]
    #[arg(env = "SHEAVE_TIMEOUT", hide_env = true)]
    pub(crate) timeout: Duration,
    /// For CI: no plugin that does not stand in sheave.lock as it is
    #[arg(display_order = 107, long, global = true, env = "SHEAVE_LOCKED", hide_env = true, value_parser = FalseyValueParser::new())]
    #[arg(action = ArgAction::SetTrue)]
    pub(crate) locked: bool,
    /// Take plugins from this folder, and ask no registry: `sheave plugin pull --to` fills it
    #[arg(
        display_order = 107,
        long,
        value_name = "DIR",
        global = true,
        env = "SHEAVE_OFFLINE",
        hide_env = true
    )]
    pub(crate) offline: Option<PathBuf>,
    /// Who may sign what. Default: policy.yaml of the configuration folder
    #[arg(
        display_order = 107,
        long,
        value_name = "FILE",
        global = true,
        env = "SHEAVE_POLICY",
        hide_env = true
    )]
    pub(crate) policy: Option<PathBuf>,
    /// For scripts: one JSON event a line on standard output, the last one `run.finished`; or one JSON document
    #[arg(display_order = 108, long, global = true, env = "SHEAVE_JSON", hide_env = true, value_parser = FalseyValueParser::new())]
    #[arg(action = ArgAction::SetTrue)]
    pub(crate) json: bool,
    /// No colours
    #[arg(display_order = 109, long, global = true, env = "SHEAVE_NO_COLOR", hide_env = true, value_parser = FalseyValueParser::new())]
    #[arg(action = ArgAction::SetTrue)]
    pub(crate) no_color: bool,
    /// Log to standard error what is done; twice for more, three times for all
    #[arg(display_order = 110, short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// The blueprint's inputs. Kept apart from [`Common`], since those given before and after the command add up.
///
/// Not parsed here: what is wrong with one is told without repeating its value, which may be a secret.
#[derive(Args, Default)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Inputs {
    /// One of the blueprint's inputs; repeat it for more
    #[arg(display_order = 103, long = "input", value_name = "NAME=VALUE", action = ArgAction::Append)]
    pub(crate) input: Vec<OsString>,
    /// A YAML or JSON file of inputs; --input wins over it
    #[arg(display_order = 104, long = "inputs", value_name = "FILE", action = ArgAction::Append)]
    pub(crate) inputs: Vec<PathBuf>,
}

impl Inputs {
    /// Those before the command, then those after it.
    pub(crate) fn and(mut self, more: Self) -> Self {
        self.input.extend(more.input);
        self.inputs.extend(more.inputs);
        self
    }
}

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Write a first blueprint that runs
    #[command(after_help = examples::INIT)]
    Init(InitArgs),
    /// Show every fault of the blueprint, each with its place; needs no cluster
    Validate {
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Show what would change, object by object and field by field
    #[command(after_help = examples::PLAN)]
    Plan(PlanArgs),
    /// Plan, ask, and carry the plan out
    #[command(after_help = examples::APPLY)]
    Apply(ApplyArgs),
    /// Delete everything that the stack holds; needs no blueprint and no inputs
    #[command(after_help = examples::DESTROY)]
    Destroy(DestroyArgs),
    /// Show the live stack: each resource, whether it is ready, and why not
    #[command(after_help = examples::STATUS)]
    Status {
        /// Go on showing it: redrawn on a terminal, a line for each change elsewhere
        #[arg(long, short)]
        watch: bool,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Show the stack's outputs
    #[command(after_help = examples::OUTPUTS)]
    Outputs(OutputsArgs),
    /// Show what happened in past runs, oldest first
    Events {
        /// How many of the newest
        #[arg(long, value_name = "N", default_value_t = 200)]
        limit: usize,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// List the stack's runs: when, what, how it ended, and what it did
    #[command(after_help = examples::HISTORY)]
    History {
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Plan and apply what an earlier run was given: its blueprint and its inputs
    #[command(after_help = examples::ROLLBACK)]
    Rollback(RollbackArgs),
    /// Read again what is there: show what drifted, and record the outputs as they are now
    #[command(after_help = examples::REFRESH)]
    Refresh {
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Take what exists already into the stack, as a resource of the blueprint
    #[command(after_help = examples::IMPORT)]
    Import(ImportArgs),
    /// Show the blueprint's resources and what each needs; needs no cluster
    #[command(after_help = examples::GRAPH)]
    Graph(GraphArgs),
    /// Look into the recorded state, and amend it
    #[command(subcommand, arg_required_else_help = true)]
    State(StateCommand),
    /// Make plugins, look at them, and take them in
    #[command(subcommand, arg_required_else_help = true)]
    Plugin(PluginCommand),
    /// List the types that a blueprint can use
    Types {
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Show a type's properties and outputs; without a type, the JSON Schema of the whole blueprint, for editors
    Schema {
        /// Such as kubernetes:Deployment
        #[arg(value_name = "TYPE")]
        type_name: Option<String>,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Write what a shell needs to complete commands and options
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// Which shell
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
        #[command(flatten)]
        inputs: Inputs,
    },
}

/// `sheave init`.
#[derive(Args)]
pub(crate) struct InitArgs {
    /// Where; made where it is not there. Default: here
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

/// `sheave rollback`.
#[derive(Args)]
pub(crate) struct RollbackArgs {
    /// The run's number, or the beginning of its id, as `sheave history` shows them
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

/// `sheave import`.
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// The resource of the blueprint, such as web or shard[2]
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: Address,
    /// What exists: `namespace/name` or `name` of an object, or a provider's own id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

/// `sheave graph`.
#[derive(Args)]
pub(crate) struct GraphArgs {
    /// As a picture
    #[arg(long)]
    pub(crate) svg: bool,
    /// In the language of Graphviz
    #[arg(long, conflicts_with = "svg")]
    pub(crate) dot: bool,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

/// `sheave plan`.
#[derive(Args)]
pub(crate) struct PlanArgs {
    /// Save the plan, for `sheave apply FILE`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Only this resource and what it needs; repeat it for more
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) only: Vec<Address>,
    /// Plan the deletion of everything instead
    #[arg(long, conflicts_with = "only")]
    pub(crate) destroy: bool,
    /// Exit with 2 where there are changes
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

/// `sheave apply`.
#[derive(Args)]
pub(crate) struct ApplyArgs {
    /// A plan that `sheave plan --out` saved; it has been reviewed, so nothing is asked
    #[arg(value_name = "PLAN", conflicts_with = "only")]
    pub(crate) plan: Option<PathBuf>,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Only this resource and what it needs; repeat it for more
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) only: Vec<Address>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

/// `sheave destroy`.
#[derive(Args)]
pub(crate) struct DestroyArgs {
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

/// `sheave outputs`.
#[derive(Args)]
pub(crate) struct OutputsArgs {
    /// Only this output, as it is: a text without quotes, anything else as JSON
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Show the named output even where it is secret
    #[arg(long, requires = "name")]
    pub(crate) reveal: bool,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

/// `sheave state ...`.
#[derive(Subcommand)]
pub(crate) enum StateCommand {
    /// List the recorded resources
    List {
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Show what is recorded of one resource, secrets masked
    Show {
        /// Such as web or db.primary[0]
        #[arg(value_name = "ADDRESS")]
        address: Address,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Write out the whole recorded state as JSON
    #[command(after_help = examples::STATE_EXPORT)]
    Export {
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Forget a resource; what it stands for is left as it is
    #[command(after_help = examples::STATE_RM)]
    Rm {
        /// Such as web; of a repeated resource all instances, of a module all that stands in it
        #[arg(value_name = "ADDRESS")]
        address: Address,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Give a resource another address; nothing outside is changed
    #[command(after_help = examples::STATE_MV)]
    Mv {
        /// As it is called; of a repeated resource all instances, of a module all that stands in it
        #[arg(value_name = "FROM")]
        from: Address,
        /// As it is to be called
        #[arg(value_name = "TO")]
        to: Address,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Take the lock from whoever holds it; only safe when that run is dead
    Unlock {
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        inputs: Inputs,
    },
}

impl Command {
    /// The inputs given after the command.
    pub(crate) fn take_inputs(&mut self) -> Inputs {
        std::mem::take(match self {
            Self::Plugin(command) => command.inputs(),
            Self::Init(InitArgs { inputs, .. })
            | Self::Plan(PlanArgs { inputs, .. })
            | Self::Apply(ApplyArgs { inputs, .. })
            | Self::Destroy(DestroyArgs { inputs, .. })
            | Self::Outputs(OutputsArgs { inputs, .. })
            | Self::Rollback(RollbackArgs { inputs, .. })
            | Self::Import(ImportArgs { inputs, .. })
            | Self::Graph(GraphArgs { inputs, .. })
            | Self::Validate { inputs }
            | Self::Status { inputs, .. }
            | Self::History { inputs }
            | Self::Refresh { inputs }
            | Self::Types { inputs }
            | Self::Completions { inputs, .. }
            | Self::Events { inputs, .. }
            | Self::Schema { inputs, .. }
            | Self::State(
                StateCommand::List { inputs }
                | StateCommand::Show { inputs, .. }
                | StateCommand::Export { inputs }
                | StateCommand::Rm { inputs, .. }
                | StateCommand::Mv { inputs, .. }
                | StateCommand::Unlock { inputs, .. },
            ) => inputs,
        })
    }

    /// The words that the lock and the history name a run by. No options: they may hold what others should not see.
    pub(crate) fn words(&self) -> String {
        let words = match self {
            Self::Rollback(args) => return format!("sheave rollback {}", args.run),
            Self::Import(args) => return format!("sheave import {} {}", args.address, args.id),
            Self::State(StateCommand::Rm { address, .. }) => return format!("sheave state rm {address}"),
            Self::State(StateCommand::Mv { from, to, .. }) => return format!("sheave state mv {from} {to}"),
            Self::Init(_) => "init",
            Self::Validate { .. } => "validate",
            Self::Plan(_) => "plan",
            Self::Apply(_) => "apply",
            Self::Destroy(_) => "destroy",
            Self::Status { .. } => "status",
            Self::Outputs(_) => "outputs",
            Self::Events { .. } => "events",
            Self::History { .. } => "history",
            Self::Refresh { .. } => "refresh",
            Self::Graph(_) => "graph",
            Self::State(StateCommand::List { .. }) => "state list",
            Self::State(StateCommand::Show { .. }) => "state show",
            Self::State(StateCommand::Export { .. }) => "state export",
            Self::State(StateCommand::Unlock { .. }) => "state unlock",
            Self::Plugin(command) => command.words(),
            Self::Types { .. } => "types",
            Self::Schema { .. } => "schema",
            Self::Completions { .. } => "completions",
        };
        format!("sheave {words}")
    }
}

/// Operations in flight that an API server can still be expected to like.
const MAX_PARALLELISM: usize = 256;

fn parallelism(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|n| (1..=MAX_PARALLELISM).contains(n))
        .ok_or_else(|| format!("a whole number from 1 to {MAX_PARALLELISM} is expected"))
}

/// Longest time to wait: beyond a week something else is meant.
const MAX_TIMEOUT: Duration = Duration::from_hours(24 * 7);

fn timeout(text: &str) -> Result<Duration, String> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|d| Duration::try_from(d).ok())
        .filter(|d| !d.is_zero() && *d <= MAX_TIMEOUT)
        .ok_or_else(|| "a duration up to a week is expected, such as 90s, 10m or 1h30m".to_owned())
}

mod examples;
mod plugin;
#[cfg(test)]
mod tests;
