//! Applying one object: the parent speaks of it first, secrets are put in last.

use std::sync::Arc;

use serde_json::Value as Json;
use sheave_cluster::{ApplyOptions, ClusterError};
use sheave_engine::{ApplyRequest, Failure};
use sheave_manifest::FIELD_MANAGER;
use sheave_model::stack::ObjectRecord;
use sheave_model::{Diagnostic, event::What};

use super::diff::not_there;
use super::taints;
use super::take_over::{is_due, take_over};
use crate::context::Context;
use crate::failpoint;
use crate::promise::Promise;
use crate::substitute::Holes;

/// How often a node is read again that somebody else writes at the same time.
const MAX_TRIES: usize = 5;

/// Applies an object; its record, and whether it was new. What it takes is prepared while its intent is being written.
pub(crate) async fn apply(
    context: &Context,
    request: ApplyRequest,
    intent: Promise,
) -> Result<(ObjectRecord, bool), Failure> {
    let fault = |d: Diagnostic| Failure::world(vec![context.clean(d).on(request.address.clone())]);
    context.widen(&request.target, &request.id).await.map_err(fault)?;
    let mut object =
        context.desired(&request.target, &request.manifest, Holes::Refuse).await.map_err(fault)?;
    let desired = sheave_manifest::desired_digest(&object, &context.digest_key());
    let cluster = context.targets.cluster(&request.target).await.map_err(fault)?;
    intent.kept().await;
    let taken = if !request.create && is_due(request.recorded.as_ref()) {
        take_over(context, &request.target, &request.id).await.map_err(fault)?
    } else {
        None
    };
    if !request.ignore.is_empty() {
        let live = match taken {
            Some(taken) => Some(taken),
            None => context.live_object(&request.target, &request.id).await.map_err(fault)?,
        };
        sheave_manifest::leave_out(&mut object, live.as_deref(), FIELD_MANAGER, &request.ignore);
    }
    let options = ApplyOptions { force: request.force, ..ApplyOptions::default() };
    let mut tries = 0;
    let applied = loop {
        let (mut shared, mut at_that) = (None, false);
        if request.order.shared {
            let now = shared.insert(object.clone());
            // With the uid of the one that is there, nothing can come of it but a change of that one.
            let live = context.live_object(&request.target, &request.id).await.map_err(fault)?;
            let known = |at: &str| live.as_ref().and_then(|live| live.pointer(at)).cloned();
            let uid = known("/metadata/uid").ok_or_else(|| fault(not_there(&request.id)))?;
            now["metadata"]["uid"] = uid;
            if let Some(live) = &live
                && !taints::keep(context, &request.address, &request.id, now, live).is_empty()
            {
                // One that comes between the look and the apply would be lost: then it is looked at again.
                now["metadata"]["resourceVersion"] = known("/metadata/resourceVersion").unwrap_or_default();
                at_that = true;
            }
        }
        let _permit = context.permits.acquire().await;
        tries += 1;
        match cluster.apply(shared.as_ref().unwrap_or(&object), &options).await {
            Err(ClusterError::Stale { .. }) if at_that && tries < MAX_TRIES => {}
            applied => break applied,
        }
    };
    failpoint::pass("sent");
    let applied = applied.map_err(|e| fault(e.diagnostic()))?;
    if request.create && !applied.created {
        let summary = format!("{} was planned to be made, and was there already", request.id);
        let note = Diagnostic::warning("cluster.appeared", summary).on(request.address.clone());
        context.tell(What::Diagnostic { diagnostic: note });
    }
    let owned = sheave_manifest::owned_digest(&applied.object, FIELD_MANAGER, &context.digest_key());
    let uid = applied.object.pointer("/metadata/uid").and_then(Json::as_str).map(str::to_owned);
    let made_before = request.recorded.as_ref().is_some_and(|r| r.created || r.uid.is_none());
    let record = ObjectRecord {
        slot: request.slot,
        target: request.target,
        id: request.id,
        uid,
        created: applied.created || made_before,
        desired,
        owned: owned.unwrap_or_default(),
        order: request.order,
    };
    context.live.keep_applied(&request.address, &record.slot, Arc::new(applied.object));
    Ok((record, applied.created))
}
