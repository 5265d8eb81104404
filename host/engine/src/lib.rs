//! The state machine of a run. Pure, and blind to Kubernetes: it sees objects as values with an identity and an order.
//!
//! `Run::step(event)` gives the actions to perform next; who performs them (the driver) answers each with an [`Event`].
//! Time, ids and randomness come in with the events; the same events give the same run.

mod action;
mod applying;
mod compare;
mod evaluate;
mod event;
mod groups;
mod immutable;
mod inspecting;
mod lint;
mod live_outputs;
mod modules;
mod order;
mod passwords;
mod planning;
mod present;
mod prune;
mod run;
mod watch;
mod world;

pub use action::{
    Action, ApplyRequest, AwaitObject, AwaitRequest, DeleteRequest, DiffRequest, LookInsideRequest,
    ObserveRequest, ProvideRequest, ProviderPlanRequest, RecordDraft, RenderRequest,
};
pub use event::{Event, Failure, Inside, ProviderPlanned, Rendered, RenderedObject};
pub use lint::lint;
pub use live_outputs::LiveOutputs;
pub use present::present_outputs;
pub use run::{Finished, Run};
pub use world::{CompiledType, MovedAddress, World};
