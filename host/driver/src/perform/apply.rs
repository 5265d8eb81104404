//! Applying one object: the parent speaks of it first, secrets are put in last.

use std::sync::Arc;

use serde_json::Value as Json;
use sheave_cluster::ApplyOptions;
use sheave_engine::{ApplyRequest, Failure};
use sheave_manifest::FIELD_MANAGER;
use sheave_model::stack::ObjectRecord;
use sheave_model::{Diagnostic, event::What};

use super::diff::not_there;
use super::take_over::{is_due, take_over};
use crate::context::Context;
use crate::failpoint;
use crate::substitute::Holes;

/// Applies an object; its record, and whether it was new.
pub(crate) async fn apply(context: &Context, request: ApplyRequest) -> Result<(ObjectRecord, bool), Failure> {
    let fault = |d: Diagnostic| Failure::world(vec![context.clean(d).on(request.address.clone())]);
    context.widen(&request.target, &request.id).await.map_err(fault)?;
    let mut object =
        context.desired(&request.target, &request.manifest, Holes::Refuse).await.map_err(fault)?;
    let desired = sheave_manifest::desired_digest(&object, &context.digest_key());
    let cluster = context.targets.cluster(&request.target).await.map_err(fault)?;
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
    if request.order.shared {
        // With the uid of the one that is there, nothing can come of it but a change of that one.
        let live = context.live_object(&request.target, &request.id).await.map_err(fault)?;
        let uid = live.as_ref().and_then(|live| live.pointer("/metadata/uid"));
        let uid = uid.cloned().ok_or_else(|| fault(not_there(&request.id)))?;
        object["metadata"]["uid"] = uid;
    }
    let options = ApplyOptions { force: request.force, ..ApplyOptions::default() };
    let applied = {
        let _permit = context.permits.acquire().await;
        cluster.apply(&object, &options).await
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
