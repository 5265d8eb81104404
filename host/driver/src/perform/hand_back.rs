//! An autoscaler that goes gives back the number that it decided on.

use sheave_manifest::{REPLICAS, scales};
use sheave_model::Diagnostic;
use sheave_model::plan::{Action, PlannedObject};

use crate::context::Context;

/// Where a plan deletes an autoscaler, what it scaled takes its number from the blueprint again, although the autoscaler is
/// the one who set it last: that it goes is the operator's word on who decides. Whatever else others own stays theirs.
pub(super) async fn hand_back(context: &Context, planned: &mut [PlannedObject]) -> Result<(), Diagnostic> {
    let is_going =
        |o: &&PlannedObject| o.action == Action::Delete && o.object.kind == "HorizontalPodAutoscaler";
    let going: Vec<_> =
        planned.iter().filter(is_going).map(|o| (o.target.clone(), o.object.clone())).collect();
    for (target, id) in going {
        let Some(autoscaler) = context.member(&target, &id).await? else { continue };
        let scaled = planned.iter_mut().find(|o| o.target == target && scales(&autoscaler, &o.object));
        if let Some(scaled) = scaled
            && scaled.drift.iter().any(|d| d.pointer == REPLICAS)
            && scaled.drift.iter().all(|d| d.pointer == REPLICAS)
        {
            scaled.force = true;
            scaled.drift.clear();
            // The one note that there can be of it says that apply would be refused.
            scaled.notes.retain(|note| !note.contains("`spec.replicas`"));
            scaled.notes.push("`spec.replicas` is taken back from the autoscaler that goes".to_owned());
        }
    }
    Ok(())
}
