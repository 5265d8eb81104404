//! Performing actions: one file each. Every answer is an engine event; nothing here writes to the journal.

mod apply;
mod call;
mod delete;
mod diff;
mod hand_back;
mod inside;
mod observe;
mod plan_provider;
mod provide;
mod render;
mod taints;
mod take_over;
mod wait;

pub(crate) use call::check;
pub(crate) use observe::observe;
pub(crate) use provide::call as provide_again;
pub(crate) use render::with_files;

use std::sync::Arc;

use sheave_engine::{Action, ApplyRequest, Event, LookInsideRequest, Rendered};

use crate::context::Context;
use crate::promise::Promise;

/// Performs one action; none for those that are only written down or shown. Each in a box of its own size: a future that could
/// be any of them would be as large as the largest, and there are hundreds at once.
pub(crate) async fn perform(context: Arc<Context>, action: Action) -> Option<Event> {
    Some(match action {
        Action::Render(request) => {
            let address = request.address.clone();
            let result = Box::pin(render::render(&context, request, true)).await.transpose()?;
            if let Ok(Rendered::Objects { objects, .. }) = &result {
                context.list_ahead(&address, objects);
            }
            Event::Rendered { address, result }
        }
        Action::Diff(request) => {
            let address = request.address.clone();
            Event::Diffed { address, result: Box::pin(diff::diff(&context, request)).await }
        }
        Action::PlanProvider(request) => {
            let address = request.address.clone();
            Event::ProviderPlanned {
                address,
                result: Box::pin(plan_provider::plan(&context, request)).await.map(Box::new),
            }
        }
        Action::Delete(request) => {
            let (address, op) = (request.address.clone(), request.op.clone());
            let (id, target) = (request.id.clone(), request.target.clone());
            Event::Deleted {
                address,
                op,
                id,
                target,
                result: Box::pin(delete::delete(&context, request)).await,
            }
        }
        Action::LookInside(request) => {
            let result = Box::pin(inside::look(&context, &request)).await;
            let LookInsideRequest { address, target, id } = request;
            Event::LookedInside { address, target, id, result }
        }
        Action::Provide(request) => {
            let (address, op) = (request.address.clone(), request.op.clone());
            Event::Provided { address, op, result: Box::pin(provide::provide(&context, *request)).await }
        }
        Action::Await(request) => {
            let (address, slot) = (request.address.clone(), request.slot.clone());
            Event::Awaited { address, slot, result: Box::pin(wait::wait(&context, request)).await }
        }
        Action::Observe(request) => {
            let address = request.address.clone();
            Event::Observed { address, result: Box::pin(observe::observe(&context, request)).await }
        }
        // With a promise: [`perform_apply`].
        Action::Apply(_)
        | Action::AwaitApproval(_)
        | Action::Connect { .. }
        | Action::Configure { .. }
        | Action::Move { .. }
        | Action::MakePasswords(_)
        | Action::Begin(_)
        | Action::Finish { .. }
        | Action::Fail { .. }
        | Action::Forget { .. }
        | Action::SetOutputs(_)
        | Action::Notify(_)
        | Action::Finished(_) => return None,
    })
}

/// Applies an object: prepares that at once, and sends nothing before its intent is written.
pub(crate) async fn perform_apply(
    context: Arc<Context>,
    request: Box<ApplyRequest>,
    intent: Promise,
) -> Option<Event> {
    let (address, op, slot) = (request.address.clone(), request.op.clone(), request.slot.clone());
    let result = Box::pin(apply::apply(&context, *request, intent)).await;
    Some(Event::Applied { address, op, slot, result })
}
