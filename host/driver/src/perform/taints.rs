//! A node's taints: others' stay, ours come and go.

use serde_json::{Value as Json, json};
use sheave_cluster::{ApplyOptions, Cluster, ClusterError};
use sheave_manifest::{FIELD_MANAGER, TAINTS, has_taints, keep_others_taints, without_ours};
use sheave_model::{Address, Diagnostic, ObjectId, pointer};

use crate::context::Context;

/// Who holds the taints that are left when a stack lets a node go: the list has to be somebody's, or it would go with the stack's fields.
const LEFT_BY: &str = "sheave-left";
/// How often a node is read again that somebody else writes at the same time.
const MAX_TRIES: usize = 5;

/// Puts others' taints into what is wanted of a node, and names them.
pub(super) fn keep(
    context: &Context,
    address: &Address,
    id: &ObjectId,
    desired: &mut Json,
    live: &Json,
) -> Vec<String> {
    if !has_taints(id) {
        return Vec::new();
    }
    keep_others_taints(desired, live, &before(context, address), FIELD_MANAGER)
}

/// Whether a change is one of a node's taints: none of others' goes by it, whoever the list belongs to.
pub(super) fn is_of_taints(id: &ObjectId, at: &str) -> bool {
    has_taints(id) && pointer::is_within(at, TAINTS)
}

/// The taints that this resource set the last time: those of a `kubernetes:Node`, or of an `Object`'s manifest.
fn before(context: &Context, address: &Address) -> Vec<Json> {
    let record = context.state.resources.get(address);
    let lists = record.into_iter().flat_map(|record| {
        ["/spec/taints", "/manifest/spec/taints"].map(|at| record.properties.0.pointer(at))
    });
    lists.flatten().filter_map(Json::as_array).flatten().cloned().collect()
}

/// Takes ours off a node that stays, before our fields go with the rest.
pub(super) async fn let_go(
    context: &Context,
    cluster: &Cluster,
    target: &str,
    (address, id, uid): (&Address, &ObjectId, &str),
) -> Result<(), Diagnostic> {
    if !has_taints(id) {
        return Ok(());
    }
    let before = before(context, address);
    let options = ApplyOptions { force: true, field_manager: LEFT_BY.to_owned(), ..ApplyOptions::default() };
    let mut tries = 0;
    loop {
        let Some(live) = context.live_object(target, id).await? else { return Ok(()) };
        let Some(left) = without_ours(&live, &before, FIELD_MANAGER) else { return Ok(()) };
        let version = live.pointer("/metadata/resourceVersion");
        let node = json!({
            "apiVersion": id.api_version,
            "kind": id.kind,
            "metadata": {"name": id.name, "uid": uid, "resourceVersion": version},
            "spec": {"taints": left},
        });
        let _permit = context.permits.acquire().await;
        tries += 1;
        match cluster.apply(&node, &options).await {
            Ok(_) | Err(ClusterError::NotFound { .. }) => return Ok(()),
            Err(ClusterError::Stale { .. }) if tries < MAX_TRIES => {}
            Err(other) => return Err(other.diagnostic()),
        }
    }
}
