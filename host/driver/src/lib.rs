//! The async shell: performs the engine's actions, journals their outcomes, and tells who watches.
//!
//! Front ends (the command line first) call [`Driver`] and nothing below it.

mod ahead;
mod context;
mod documents;
mod driver;
mod failpoint;
mod inspect;
mod inventory;
mod journal;
mod keys;
mod live;
mod load;
mod perform;
mod plugins;
mod recover;
mod request;
mod session;
mod substitute;
mod targets;

pub use driver::Driver;
pub use request::{
    ApplyReport, Cancel, Fault, InputGiven, OutputsReport, PlanReport, PlanRequest, Report, Settings,
    StatusReport, StatusRow, Watcher,
};
