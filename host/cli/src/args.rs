//! The command line's words. Common options stand before or after the command.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, Parser, Subcommand};
use jiff::SignedDuration;
use sheave_model::Address;

const ABOUT: &str =
    "Orchestrates applications from a blueprint: what would change, then the change, then how it stands";

const AFTER: &str = "\
Environment:
  SHEAVE_FILE, SHEAVE_STACK, SHEAVE_STATE, SHEAVE_INPUTS, SHEAVE_PARALLELISM,
  SHEAVE_TIMEOUT, SHEAVE_JSON, SHEAVE_NO_COLOR
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
    #[arg(display_order = 106, long, value_name = "N", global = true, default_value = "10", value_parser = parallelism)]
    #[arg(env = "SHEAVE_PARALLELISM", hide_env = true)]
    pub(crate) parallelism: usize,
    /// How long a resource may take to become ready, such as 90s or 1h30m
    #[arg(display_order = 107, long, value_name = "DURATION", global = true, default_value = "10m", value_parser = timeout)]
    #[arg(env = "SHEAVE_TIMEOUT", hide_env = true)]
    pub(crate) timeout: Duration,
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
    /// Show every fault of the blueprint, each with its place; needs no cluster
    Validate {
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Show what would change, object by object and field by field
    Plan(PlanArgs),
    /// Plan, ask, and carry the plan out
    Apply(ApplyArgs),
    /// Delete everything that the stack holds; needs no blueprint and no inputs
    Destroy(DestroyArgs),
    /// Show the live stack: each resource, whether it is ready, and why not
    Status {
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Show the stack's outputs
    Outputs(OutputsArgs),
    /// Show what happened in past runs, oldest first
    Events {
        /// How many of the newest
        #[arg(long, value_name = "N", default_value_t = 200)]
        limit: usize,
        #[command(flatten)]
        inputs: Inputs,
    },
    /// Look into the recorded state
    #[command(subcommand, arg_required_else_help = true)]
    State(StateCommand),
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
            Self::Plan(PlanArgs { inputs, .. })
            | Self::Apply(ApplyArgs { inputs, .. })
            | Self::Destroy(DestroyArgs { inputs, .. })
            | Self::Outputs(OutputsArgs { inputs, .. })
            | Self::Validate { inputs }
            | Self::Status { inputs }
            | Self::Types { inputs }
            | Self::Events { inputs, .. }
            | Self::Schema { inputs, .. }
            | Self::State(
                StateCommand::List { inputs }
                | StateCommand::Show { inputs, .. }
                | StateCommand::Unlock { inputs, .. },
            ) => inputs,
        })
    }

    /// The words that the lock and the history name a run by.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::Validate { .. } => "sheave validate",
            Self::Plan(_) => "sheave plan",
            Self::Apply(_) => "sheave apply",
            Self::Destroy(_) => "sheave destroy",
            Self::Status { .. } => "sheave status",
            Self::Outputs(_) => "sheave outputs",
            Self::Events { .. } => "sheave events",
            Self::State(StateCommand::List { .. }) => "sheave state list",
            Self::State(StateCommand::Show { .. }) => "sheave state show",
            Self::State(StateCommand::Unlock { .. }) => "sheave state unlock",
            Self::Types { .. } => "sheave types",
            Self::Schema { .. } => "sheave schema",
        }
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

#[cfg(test)]
mod tests;
