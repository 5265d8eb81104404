//! Fields of which only one may stand: where the server fills one in by default, it stays when the blueprint chooses another,
//! since nobody owns what was defaulted, and the change is refused. Owning it for a moment lets it go.

use serde_json::Value as Json;
use sheave_model::ObjectId;

/// Where Kubernetes' own kinds have such a choice, of which the validation refuses the member of another
/// (`pkg/apis/apps/validation`): kind of the group `apps`, and pointer.
const STRATEGIES: [(&str, &str); 2] =
    [("Deployment", "/spec/strategy"), ("StatefulSet", "/spec/updateStrategy")];
/// The choice that is the default, and what is filled in beside it.
const DEFAULT: &str = "RollingUpdate";
const FILLED_IN: &str = "rollingUpdate";

/// What to apply before `desired`, so that it is not refused for what was filled in on the `live` object: the same, with the
/// choice as it is. None where nothing stands in the way.
pub(crate) fn first_own(id: &ObjectId, desired: &Json, live: &Json) -> Option<Json> {
    let (_, at) = STRATEGIES.iter().find(|(kind, _)| *kind == id.kind && id.group() == "apps")?;
    let (wanted, is) = (desired.pointer(at)?, live.pointer(at)?);
    let chosen = |of: &Json| of.get("type").and_then(Json::as_str).map(str::to_owned);
    let leaves = chosen(is).as_deref() == Some(DEFAULT) && chosen(wanted).is_some_and(|to| to != DEFAULT);
    if !leaves || is.get(FILLED_IN).is_none() || wanted.get(FILLED_IN).is_some() {
        return None;
    }
    let mut first = desired.clone();
    *first.pointer_mut(at)? = is.clone();
    Some(first)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(kind: &str) -> ObjectId {
        ObjectId {
            api_version: "apps/v1".into(),
            kind: kind.into(),
            namespace: Some("n".into()),
            name: "web".into(),
        }
    }

    #[test]
    fn only_a_change_of_the_choice_needs_two_steps() {
        let rolling =
            json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
        let recreate = json!({"spec": {"replicas": 2, "strategy": {"type": "Recreate"}}});
        let first = first_own(&id("Deployment"), &recreate, &rolling).unwrap();
        assert_eq!(first["spec"]["strategy"], rolling["spec"]["strategy"]);
        assert_eq!(first["spec"]["replicas"], 2);
        assert_eq!(first_own(&id("Deployment"), &recreate, &recreate), None);
        assert_eq!(first_own(&id("Deployment"), &rolling, &rolling), None);
        assert_eq!(first_own(&id("ReplicaSet"), &recreate, &rolling), None);
        // What the user writes is the user's to mend.
        let both = json!({"spec": {"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}}});
        assert_eq!(first_own(&id("Deployment"), &both, &rolling), None);
    }
}
