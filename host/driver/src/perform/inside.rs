//! Looking for what others have put into what a stack would delete: a namespace, or a kind that it defines.

use serde_json::Value as Json;
use sheave_cluster::ClusterError;
use sheave_engine::{Failure, Inside, LookInsideRequest};
use sheave_manifest::apply_set::PART_OF_LABEL;
use sheave_manifest::strangers::{Found, strangers};
use sheave_model::{Address, Diagnostic, ObjectId};

use crate::context::Context;

/// Kinds that could not be listed and are named with why; more help nobody.
const UNSEEN: usize = 3;

/// What others have put into an object.
pub(super) async fn look(context: &Context, request: &LookInsideRequest) -> Result<Inside, Failure> {
    let found = inside(context, &request.target, &request.id).await;
    found.map_err(|d| Failure::world(vec![context.clean(d).on(request.address.clone())]))
}

/// Refuses a deletion that would take others' things with it.
pub(super) async fn see_that_it_is_empty(
    context: &Context,
    target: &str,
    id: &ObjectId,
    address: &Address,
) -> Result<(), Diagnostic> {
    let Inside { strangers, unseen } = inside(context, target, id).await?;
    let lines: Vec<String> = strangers.iter().map(ToString::to_string).chain(unseen).collect();
    if lines.is_empty() {
        return Ok(());
    }
    let what = if strangers.is_empty() { "may hold" } else { "holds" };
    let summary = format!("{id} is not deleted: it {what} what this stack did not make");
    Err(Diagnostic::error("cluster.not-empty", summary).with_detail(lines.join("\n")).with_help(format!(
        "`keep: false` on `{address}`, applied once, lets it go with all that it holds; `sheave state rm {address}` leaves it"
    )))
}

async fn inside(context: &Context, target: &str, id: &ObjectId) -> Result<Inside, Diagnostic> {
    let cluster = context.targets.cluster(target).await?;
    let parent = context.parent(cluster);
    let others = parent.as_ref().map(|p| format!("{PART_OF_LABEL} notin ({})", p.set_id()));
    let mut unseen = Vec::new();
    let mut found: Vec<Found> = match id.kind.as_str() {
        "Namespace" => {
            let contents = cluster.contents(&id.name, others.as_deref()).await;
            let contents = contents.map_err(|e| e.diagnostic())?;
            let more = contents.unseen.len().saturating_sub(UNSEEN);
            unseen
                .extend(contents.unseen.into_iter().take(UNSEEN).map(|(kind, why)| format!("{kind}: {why}")));
            if more > 0 {
                unseen.push(format!("{more} more kinds"));
            }
            contents.objects
        }
        _ => {
            let Some(live) = context.live_object(target, id).await? else { return Ok(Inside::default()) };
            let Some((api_version, kind)) = defined(&live) else { return Ok(Inside::default()) };
            match cluster.all_of(&api_version, &kind, others.as_deref()).await {
                Ok(found) => found,
                Err(ClusterError::NoSuchKind { .. } | ClusterError::NotFound { .. }) => Vec::new(),
                Err(ClusterError::Forbidden { .. }) => {
                    unseen.push(format!("{kind}: not allowed to list them"));
                    Vec::new()
                }
                Err(other) => return Err(other.diagnostic()),
            }
        }
    };
    // The inventories of all targets have one name.
    found.retain(|f| parent.as_ref().is_none_or(|p| f.id.kind != "ConfigMap" || f.id.name != p.name));
    let records = context.state.resources.values().flat_map(|r| &r.objects);
    let ours: Vec<(&ObjectId, Option<&str>)> = records.map(|o| (&o.id, o.uid.as_deref())).collect();
    let strangers = strangers(&found, &ours).into_iter().cloned().collect();
    Ok(Inside { strangers, unseen })
}

/// `apiVersion` and kind of what a live CustomResourceDefinition defines, as it is stored.
fn defined(definition: &Json) -> Option<(String, String)> {
    let text = |at: &str| definition.pointer(at).and_then(Json::as_str);
    let versions = definition.pointer("/spec/versions")?.as_array()?;
    let served = |v: &&Json| v.get("served").and_then(Json::as_bool) == Some(true);
    let version = versions.iter().find(served)?.get("name")?.as_str()?;
    Some((format!("{}/{version}", text("/spec/group")?), text("/spec/names/kind")?.to_owned()))
}
