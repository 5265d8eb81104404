//! Taking over from client-side apply when an object becomes ours, so that what the blueprint does not say goes.

use std::sync::Arc;

use serde_json::Value as Json;
use sheave_cluster::ClusterError;
use sheave_manifest::{FIELD_MANAGER, client_side_managers};
use sheave_model::stack::ObjectRecord;
use sheave_model::{Diagnostic, ObjectId};

use crate::context::Context;

/// How often an object is read again that somebody else writes at the same time: a controller that writes its status
/// leaves gaps far longer than a read and a write take.
const MAX_TRIES: usize = 5;

/// Whether this stack has not applied the object yet: it is adopted, was imported, or a run was cut off before it knew.
pub(super) fn is_due(record: Option<&ObjectRecord>) -> bool {
    record.is_none_or(|r| r.uid.is_none() || r.desired.is_empty())
}

/// The live object as it will be when its fields are ours, and whose they were; none where nothing is taken over.
pub(super) fn foreseen(live: &Json) -> Option<(Json, Vec<&str>)> {
    let from = client_side_managers(live);
    let fields = sheave_manifest::take_over(live, &from, FIELD_MANAGER)?;
    let mut taken = live.clone();
    *taken.pointer_mut("/metadata/managedFields")? = fields;
    Some((taken, from))
}

/// Takes the fields of client-side apply over. The live object as it is now; none where it is not there.
pub(super) async fn take_over(
    context: &Context,
    target: &str,
    id: &ObjectId,
) -> Result<Option<Arc<Json>>, Diagnostic> {
    let cluster = context.targets.cluster(target).await?;
    let mut tries = 0;
    loop {
        let Some(live) = context.live_object(target, id).await? else { return Ok(None) };
        let fields = sheave_manifest::take_over(&live, &client_side_managers(&live), FIELD_MANAGER);
        let version = live.pointer("/metadata/resourceVersion").and_then(Json::as_str);
        let (Some(fields), Some(version)) = (fields, version) else { return Ok(Some(live)) };
        let _permit = context.permits.acquire().await;
        tries += 1;
        match cluster.patch_managed_fields(id, version, &fields).await {
            Ok(taken) => return Ok(Some(Arc::new(taken))),
            Err(ClusterError::Stale { .. }) if tries < MAX_TRIES => {}
            Err(other) => return Err(other.diagnostic()),
        }
    }
}
