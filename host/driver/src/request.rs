//! What a front end asks of the driver, and what it gets.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use sheave_model::event::{Event, RunOutcome};
use sheave_model::plan::{Counts, Plan, Purpose};
use sheave_model::plugin::ObjectId;
use sheave_model::{Address, Diagnostic, SecretText, Sources, Value};

/// Where events go while a run lasts. A receiver that went away is no fault.
pub type Watcher = tokio::sync::mpsc::UnboundedSender<Event>;

/// One input from the command line, a file or the environment, as given.
#[derive(Clone, Debug)]
pub enum InputGiven {
    /// `--input name=text`.
    Flag {
        /// The input.
        name: String,
        /// Parsed by the input's declared type. It may be a secret: what is declared so is not known yet.
        text: SecretText,
    },
    /// `--inputs FILE`: YAML or JSON, a map.
    File(PathBuf),
    /// `SHEAVE_INPUT_name=text`.
    Env {
        /// The input.
        name: String,
        /// Parsed by the input's declared type. It may be a secret: what is declared so is not known yet.
        text: SecretText,
    },
}

/// What every call needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The blueprint's file.
    pub blueprint: PathBuf,
    /// The stack; none: the blueprint's name. A destroy, status or outputs without blueprint and name takes the
    /// only stack that the state holds.
    pub stack: Option<String>,
    /// The inputs, in the order in which later ones win within their kind.
    pub inputs: Vec<InputGiven>,
    /// `sqlite:PATH`.
    pub state: String,
    /// Operations in flight at once.
    pub parallelism: usize,
    /// How long a resource may take to become ready, where it does not say.
    pub timeout: Duration,
    /// No plugin is used that does not stand in the lock file as it is.
    pub locked: bool,
    /// The operator's policy; none: `policy.yaml` of the configuration folder, where there is one.
    pub policy: Option<PathBuf>,
    /// A folder of plugins that is used in place of registries, which are not asked then.
    pub offline: Option<PathBuf>,
    /// The user's configuration folder (key file, `registries.yaml`).
    pub config_dir: PathBuf,
    /// The user's cache folder (compiled plugins).
    pub cache_dir: PathBuf,
    /// `SHEAVE_KEY`, where it is set.
    pub key: Option<SecretText>,
    /// For the lock and the history, such as `sheave apply`.
    pub command: String,
}

/// Diagnostics, and the texts they point into.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Faults, warnings and notes, in the order in which they are to be shown.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts.
    pub sources: Sources,
}

/// Why a call could not be done at all.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// The user's input or the world, explained: exit code 1.
    #[error("the run could not begin")]
    Explained(Box<Report>),
    /// Somebody holds the lock: exit code 3.
    #[error("the stack is locked")]
    Locked(Box<Report>),
}

/// What to plan.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// Apply or destroy.
    pub purpose: Purpose,
    /// Only these resources and what they need; empty: all.
    pub only: Vec<Address>,
}

/// A plan, and what there is to say about it.
#[derive(Clone, Debug)]
pub struct PlanReport {
    /// The plan.
    pub plan: Plan,
    /// Faults of single resources, warnings and notes.
    pub report: Report,
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct ApplyReport {
    /// How it ended.
    pub outcome: RunOutcome,
    /// What was done.
    pub counts: Counts,
    /// What went wrong, resource by resource.
    pub report: Report,
    /// The stack's outputs after it.
    pub outputs: BTreeMap<String, Value>,
}

/// One resource of a live stack.
#[derive(Clone, Debug)]
pub struct StatusRow {
    /// Which.
    pub address: Address,
    /// Its type, as text.
    pub type_name: String,
    /// As recorded.
    pub status: sheave_model::stack::Status,
    /// Each object with what the cluster says of it now; none: it is not there.
    pub objects: Vec<(String, ObjectId, Option<String>)>,
    /// Whether all is as it should be now.
    pub ready: bool,
}

/// A live stack.
#[derive(Clone, Debug)]
pub struct StatusReport {
    /// Its name.
    pub stack: String,
    /// Its resources.
    pub rows: Vec<StatusRow>,
    /// What could not be asked.
    pub report: Report,
}

/// A stack's outputs.
#[derive(Clone, Debug)]
pub struct OutputsReport {
    /// Its name.
    pub stack: String,
    /// By name; a secret one stays a `Value::Secret`.
    pub outputs: BTreeMap<String, Value>,
}

/// Tells a run to stop: the first call lets what runs finish, the second ends it at once.
#[derive(Clone, Debug)]
pub struct Cancel(pub(crate) tokio::sync::watch::Sender<u8>);

impl Default for Cancel {
    fn default() -> Self {
        Self(tokio::sync::watch::Sender::new(0))
    }
}

impl Cancel {
    /// One more ^C.
    pub fn cancel(&self) {
        self.0.send_modify(|n| *n = n.saturating_add(1));
    }
}
