//! Deleting one object, only if it is the one that is ours, and seeing it gone; or taking our fields off one that stays.

use serde_json::Value as Json;
use sheave_cluster::{Cluster, Deleted};
use sheave_engine::{DeleteRequest, Failure};
use sheave_manifest::apply_set::part_of;
use sheave_model::Diagnostic;
use sheave_model::event::What;

use super::inside::see_that_it_is_empty;
use super::taints;
use crate::context::{Context, interrupted};
use crate::failpoint;

/// Deletes an object and waits until it is gone.
pub(crate) async fn delete(context: &Context, request: DeleteRequest) -> Result<(), Failure> {
    let fault = |d: Diagnostic| Failure::world(vec![context.clean(d).on(request.address.clone())]);
    let cluster = context.targets.cluster(&request.target).await.map_err(fault)?;
    let mut uid = match &request.uid {
        Some(uid) => uid.clone(),
        // It was sent once and never seen.
        None => match labelled(context, cluster, &request).await.map_err(fault)? {
            Some(uid) => uid,
            None => return Ok(()),
        },
    };
    if request.release {
        let node = (&request.address, &request.id, uid.as_str());
        taints::let_go(context, cluster, &request.target, node).await.map_err(fault)?;
        let _permit = context.permits.acquire().await;
        let released = cluster.release(&request.id, &uid).await;
        failpoint::pass("sent");
        return released.map_err(|e| fault(e.diagnostic()));
    }
    if request.only_empty {
        see_that_it_is_empty(context, &request.target, &request.id, &request.address).await.map_err(fault)?;
    }
    let mut deleted = {
        let _permit = context.permits.acquire().await;
        cluster.delete(&request.id, Some(&uid)).await
    };
    // A run that made it again after others deleted it, and was cut off, has not recorded the new one.
    if matches!(deleted, Ok(Deleted::OtherUid))
        && let Some(now) = labelled(context, cluster, &request).await.map_err(fault)?
    {
        let _permit = context.permits.acquire().await;
        deleted = cluster.delete(&request.id, Some(&now)).await;
        uid = now;
    }
    failpoint::pass("sent");
    match deleted.map_err(|e| fault(e.diagnostic()))? {
        Deleted::Gone | Deleted::NotFound | Deleted::OtherUid => return Ok(()),
        Deleted::Terminating => {}
    }
    let timeout = request.timeout.unwrap_or(context.timeout);
    let progress = |reason: &str| {
        context.tell(What::Waiting {
            address: request.address.clone(),
            object: Some(request.id.clone()),
            reason: context.mask().text(reason),
            percent: None,
        });
    };
    tokio::select! {
        gone = cluster.await_gone(&request.id, &uid, timeout, progress) => gone.map_err(|e| fault(e.diagnostic())),
        () = context.interrupted() => Err(fault(interrupted())),
    }
}

/// The uid of the one that is there, where it bears our label: only then is one that is not recorded ours.
async fn labelled(
    context: &Context,
    cluster: &Cluster,
    request: &DeleteRequest,
) -> Result<Option<String>, Diagnostic> {
    let Some(live) = context.live_object(&request.target, &request.id).await? else { return Ok(None) };
    let label = part_of(&live);
    let ours = context.parent(cluster).map(|p| p.set_id());
    let uid = live.pointer("/metadata/uid").and_then(Json::as_str);
    Ok(uid.filter(|_| label.is_some() && label == ours.as_deref()).map(str::to_owned))
}
