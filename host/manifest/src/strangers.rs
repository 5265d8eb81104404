//! What stands in a namespace, or is of a defined kind, that a stack did not make: it would go with what holds it.

use std::collections::BTreeSet;

use sheave_model::ObjectId;

/// An object as far as it must be known to tell whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub id: ObjectId,
    /// The server's id.
    pub uid: String,
    /// The UIDs of the objects that it belongs to.
    pub owners: Vec<String>,
    /// It is being deleted, or goes with an object beside it: nobody has to ask for it by itself.
    pub goes: bool,
}

/// Those of `found` that neither Kubernetes made by itself, nor this stack (`ours` are its objects with their UIDs), nor
/// what belongs to another object that is listed.
pub fn strangers<'a>(found: &'a [Found], ours: &[(&ObjectId, Option<&str>)]) -> Vec<&'a ObjectId> {
    let uids: BTreeSet<&str> = ours.iter().filter_map(|(_, uid)| *uid).collect();
    let sent: BTreeSet<&ObjectId> = ours.iter().filter(|(_, uid)| uid.is_none()).map(|(id, _)| *id).collect();
    let sets: Vec<&ObjectId> = ours.iter().map(|(id, _)| *id).filter(|id| id.kind == "StatefulSet").collect();
    let listed: BTreeSet<&str> = found.iter().map(|f| f.uid.as_str()).collect();
    let is_ours = |f: &Found| {
        uids.contains(f.uid.as_str())
            || sent.contains(&f.id)
            || f.id.kind == "PersistentVolumeClaim" && sets.iter().any(|set| is_claim_of(&f.id, set))
    };
    let known = |uid: &String| uids.contains(uid.as_str()) || listed.contains(uid.as_str());
    let belongs = |f: &Found| f.goes || f.owners.iter().any(known);
    found
        .iter()
        .filter(|f| !is_made_by_kubernetes(&f.id) && !belongs(f) && !is_ours(f))
        .map(|f| &f.id)
        .collect()
}

/// What each namespace has, and what only mirrors or measures other objects.
fn is_made_by_kubernetes(id: &ObjectId) -> bool {
    match (id.group(), id.kind.as_str()) {
        ("" | "events.k8s.io", "Event") | ("", "Endpoints") | ("discovery.k8s.io", "EndpointSlice") => true,
        ("", "ServiceAccount") => id.name == "default",
        ("", "ConfigMap") => id.name == "kube-root-ca.crt",
        (group, _) => group == "metrics.k8s.io" || group.ends_with(".metrics.k8s.io"),
    }
}

/// Whether it is a claim that a StatefulSet made for one of its pods, `TEMPLATE-SET-NUMBER`: nothing on it says so.
fn is_claim_of(id: &ObjectId, set: &ObjectId) -> bool {
    id.namespace == set.namespace
        && id.name.rsplit_once('-').is_some_and(|(name, number)| {
            number.parse::<u32>().is_ok() && name.ends_with(&format!("-{}", set.name))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(api_version: &str, kind: &str, name: &str) -> ObjectId {
        ObjectId {
            api_version: api_version.into(),
            kind: kind.into(),
            namespace: Some("blog".into()),
            name: name.into(),
        }
    }

    fn found(id: ObjectId, uid: &str, owners: &[&str]) -> Found {
        Found { id, uid: uid.into(), owners: owners.iter().map(|&o| o.into()).collect(), goes: false }
    }

    fn names(found: &[Found], ours: &[(&ObjectId, Option<&str>)]) -> Vec<String> {
        strangers(found, ours).into_iter().map(|id| format!("{} {}", id.kind, id.name)).collect()
    }

    #[test]
    fn what_kubernetes_makes_is_nobodys() {
        let all = [
            found(id("v1", "ServiceAccount", "default"), "1", &[]),
            found(id("v1", "ServiceAccount", "robot"), "2", &[]),
            found(id("v1", "ConfigMap", "kube-root-ca.crt"), "3", &[]),
            found(id("v1", "Event", "web.1"), "4", &[]),
            found(id("events.k8s.io/v1", "Event", "web.1"), "4", &[]),
            found(id("v1", "Endpoints", "web"), "5", &[]),
            found(id("discovery.k8s.io/v1", "EndpointSlice", "web-x"), "6", &["elsewhere"]),
            found(id("metrics.k8s.io/v1beta1", "PodMetrics", "web"), "", &[]),
            found(id("example.com/v1", "Event", "party"), "7", &[]),
        ];
        assert_eq!(names(&all, &[]), ["ServiceAccount robot", "Event party"]);
    }

    #[test]
    fn what_belongs_to_ours_is_ours_and_what_belongs_to_a_stranger_is_said_once() {
        let (web, sent) = (id("apps/v1", "Deployment", "web"), id("v1", "Secret", "sent"));
        let all = [
            found(id("apps/v1", "ReplicaSet", "web-1"), "rs", &["web"]),
            found(id("v1", "Pod", "web-1-a"), "pod", &["rs"]),
            found(id("apps/v1", "Deployment", "other"), "other", &[]),
            found(id("apps/v1", "ReplicaSet", "other-1"), "rs2", &["other"]),
            found(id("v1", "Pod", "lost"), "lost", &["gone long ago"]),
            found(web.clone(), "web", &[]),
            found(sent.clone(), "x", &[]),
            Found { goes: true, ..found(id("v1", "Pod", "garbage"), "garbage", &["gone"]) },
        ];
        let ours = [(&web, Some("web")), (&sent, None)];
        assert_eq!(names(&all, &ours), ["Deployment other", "Pod lost"]);
        // One of our name that is not ours is a stranger.
        assert_eq!(names(&all[5..6], &[(&web, Some("before"))]), ["Deployment web"]);
    }

    #[test]
    fn claims_of_a_stateful_set_are_its_own() {
        let set = id("apps/v1", "StatefulSet", "db");
        let claim = |name: &str| found(id("v1", "PersistentVolumeClaim", name), name, &[]);
        let all =
            [claim("data-db-0"), claim("data-db-12"), claim("data-mydb-0"), claim("data-db"), claim("db-0")];
        assert_eq!(
            names(&all, &[(&set, Some("u"))]),
            [
                "PersistentVolumeClaim data-mydb-0",
                "PersistentVolumeClaim data-db",
                "PersistentVolumeClaim db-0"
            ]
        );
    }
}
