//! Fields of which only one may stand: where the server fills one in by default, it stays when the blueprint chooses another,
//! since nobody owns what was defaulted, and the change is refused. Owning it for a moment lets it go.

use serde_json::Value as Json;
use sheave_model::ObjectId;

/// A choice, by the pointer of the map that holds it: while `discriminator` is `of`, `member` may stand beside it and is filled in.
struct Union {
    group: &'static str,
    kind: &'static str,
    at: &'static str,
    discriminator: &'static str,
    of: &'static str,
    member: &'static str,
}

/// Kubernetes' own kinds whose validation refuses the member of another choice (`pkg/apis/apps/validation`).
const UNIONS: [Union; 2] = [
    Union {
        group: "apps/",
        kind: "Deployment",
        at: "/spec/strategy",
        discriminator: "type",
        of: "RollingUpdate",
        member: "rollingUpdate",
    },
    Union {
        group: "apps/",
        kind: "StatefulSet",
        at: "/spec/updateStrategy",
        discriminator: "type",
        of: "RollingUpdate",
        member: "rollingUpdate",
    },
];

/// What to apply before `desired`, so that it is not refused for what was filled in on the `live` object: the same, with the
/// choice as it is. None where nothing stands in the way.
pub(crate) fn first_own(id: &ObjectId, desired: &Json, live: &Json) -> Option<Json> {
    let union = UNIONS.iter().find(|u| u.kind == id.kind && id.api_version.starts_with(u.group))?;
    let wanted = desired.pointer(union.at)?;
    let is = live.pointer(union.at)?;
    let chosen = |of: &Json| of.get(union.discriminator).and_then(Json::as_str).map(str::to_owned);
    let leaves = chosen(is).as_deref() == Some(union.of) && chosen(wanted).is_some_and(|to| to != union.of);
    if !leaves || is.get(union.member).is_none() || wanted.get(union.member).is_some() {
        return None;
    }
    let mut first = desired.clone();
    *first.pointer_mut(union.at)? = is.clone();
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
