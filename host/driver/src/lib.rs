//! The async shell: performs the engine's actions, journals their outcomes, and tells who watches.
//!
//! Front ends (the command line first) call [`Driver`] and nothing below it.

mod ahead;
mod amend;
mod at_work;
mod blueprint_edit;
mod carrying_out;
mod connections;
mod context;
mod definitions;
mod distribution;
mod documents;
mod driver;
mod early;
mod failpoint;
mod files;
mod found;
mod history;
mod import;
mod inspect;
mod inventory;
mod journal;
mod keys;
mod live;
mod load;
mod lock;
mod modules;
mod moves;
mod opening;
mod outside;
mod perform;
mod picture;
mod plugins;
mod promise;
mod recover;
mod refresh;
mod request;
mod reread;
mod revealable;
mod saved;
mod session;
mod stacks;
mod status;
mod substitute;
mod supply;
mod taking_in;
mod targets;

pub use amend::StateExport;
pub use distribution::{PullReport, PushReport, VerifyReport};
pub use driver::Driver;
pub use history::{HistoryReport, HistoryRow};
pub use import::ImportReport;
pub use lock::{LOCK_FILE, LockFile, LockedPlugin};
pub use opening::stack_by_blueprint;
pub use picture::{GraphNode, GraphReport};
pub use refresh::{Drifted, RefreshReport};
pub use request::{
    ApplyReport, Cancel, Fault, InputGiven, OutputsReport, PlanReport, PlanRequest, Report, Settings,
    StatusReport, StatusRow, Watcher,
};
pub use status::StatusWatch;
pub use taking_in::{InspectedType, PluginAddition, PluginReport, PluginUpdate};
