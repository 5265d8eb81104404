//! An autoscaler that goes gives back the number that it decided on.

use std::sync::Arc;

use serde_json::Value as Json;
use sheave_manifest::{AUTOSCALER, Change, REPLICAS, scales};
use sheave_model::stack::ObjectRecord;
use sheave_model::{Diagnostic, ObjectId};

use crate::context::Context;

/// The autoscalers among what a plan deletes, each with its target.
#[derive(Default)]
pub(super) struct Leaving(Vec<(String, Arc<Json>)>);

impl Leaving {
    pub(super) async fn of(context: &Context, going: &[&ObjectRecord]) -> Result<Self, Diagnostic> {
        let mut leaving = Vec::new();
        for record in going.iter().filter(|r| r.id.kind == AUTOSCALER) {
            if let Some(live) = context.member(&record.target, &record.id).await? {
                leaving.push((record.target.clone(), live));
            }
        }
        Ok(Self(leaving))
    }

    /// Whether what others own of an object is nothing but the number that one of these decided on: that it goes is
    /// the operator's word on who decides. Where others own more, that stays theirs, and nothing is taken by force.
    pub(super) fn give_back(&self, target: &str, id: &ObjectId, changes: &[Change]) -> bool {
        let mut foreign = changes.iter().filter(|c| is_foreign(c)).peekable();
        foreign.peek().is_some()
            && foreign.all(|c| c.pointer == REPLICAS)
            && self.0.iter().any(|(of, autoscaler)| of == target && scales(autoscaler, id))
    }
}

/// Whether a change would take a field from another manager.
pub(super) fn is_foreign(change: &Change) -> bool {
    !change.held_by.is_empty() && !change.ours
}
