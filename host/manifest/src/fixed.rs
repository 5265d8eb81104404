//! Fields that no update can change: to change one, the object is deleted and made again. A table by kind, which a test
//! holds against a real API server.

use serde_json::Value as Json;
use sheave_model::limits::MAX_DEPTH;
use sheave_model::plugin::group_of;
use sheave_model::pointer;

use crate::Change;
use crate::quantity::Quantity;

/// One leaf of a change, in its object.
struct Leaf<'a> {
    at: String,
    before: Option<&'a Json>,
    after: Option<&'a Json>,
    live: &'a Json,
    desired: &'a Json,
}

/// What is fixed at a place.
#[derive(Clone, Copy)]
struct Row {
    group: &'static str,
    kind: &'static str,
    /// A pointer; `*` stands for the items of a list.
    at: &'static str,
    /// Names beneath it that may change.
    but: &'static [&'static str],
    /// What the server puts there where nothing is said, as JSON: to say nothing is then no change.
    default: &'static str,
    /// Whether this change is one that the server refuses.
    refuses: fn(&Leaf<'_>) -> bool,
}

const fn row(group: &'static str, kind: &'static str, at: &'static str) -> Row {
    Row { group, kind, at, but: &[], default: "", refuses: |_| true }
}

impl Row {
    const fn but(mut self, names: &'static [&'static str]) -> Self {
        self.but = names;
        self
    }

    const fn default(mut self, json: &'static str) -> Self {
        self.default = json;
        self
    }

    const fn when(mut self, refuses: fn(&Leaf<'_>) -> bool) -> Self {
        self.refuses = refuses;
        self
    }
}

/// What may be set once.
const SET: fn(&Leaf<'_>) -> bool = |leaf| leaf.before.is_some();
const CHANGED: fn(&Leaf<'_>) -> bool = |leaf| leaf.before.is_some() && leaf.after.is_some();
/// Of settings that say of themselves that they do not change.
const SEALED: fn(&Leaf<'_>) -> bool = |leaf| is_true(leaf.live, "/immutable");

/// Of definitions that the server serves by now.
const ESTABLISHED: fn(&Leaf<'_>) -> bool = |leaf| {
    let all = leaf.live.pointer("/status/conditions").and_then(Json::as_array).into_iter().flatten();
    all.into_iter().any(|c| text(c, "/type") == "Established" && text(c, "/status") == "True")
};

const ROWS: &[Row] = &[
    row("", "ConfigMap", "/data").when(SEALED),
    row("", "ConfigMap", "/binaryData").when(SEALED),
    row("", "ConfigMap", "/immutable").when(SEALED),
    row("", "PersistentVolume", "/spec").but(&[
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    ]),
    row("", "PersistentVolume", "/spec/volumeMode").default("\"Filesystem\""),
    row("", "PersistentVolume", "/spec/nodeAffinity").when(SET),
    row("", "PersistentVolumeClaim", "/spec").but(&[
        "resources",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
        "volumeName",
    ]),
    row("", "PersistentVolumeClaim", "/spec/resources").but(&["requests"]),
    row("", "PersistentVolumeClaim", "/spec/resources/requests/storage").when(shrinks),
    row("", "PersistentVolumeClaim", "/spec/storageClassName").when(SET),
    row("", "PersistentVolumeClaim", "/spec/volumeMode").default("\"Filesystem\""),
    row("", "PersistentVolumeClaim", "/spec/volumeName").when(SET),
    row("", "Pod", "/spec").but(&[
        "activeDeadlineSeconds",
        "containers",
        "initContainers",
        "schedulingGates",
        "tolerations",
    ]),
    row("", "Pod", "/spec/activeDeadlineSeconds").when(|leaf| {
        let number = |v: Option<&Json>| v.and_then(Json::as_i64);
        number(leaf.before).is_some_and(|before| number(leaf.after).is_none_or(|after| after > before))
    }),
    row("", "Pod", "/spec/containers/*").but(&["image"]),
    row("", "Pod", "/spec/initContainers/*").but(&["image"]),
    row("", "Pod", "/spec/schedulingGates").when(|leaf| leaf.after.is_some()),
    row("", "Pod", "/spec/tolerations").when(drops_toleration),
    row("", "ResourceQuota", "/spec/scopes"),
    row("", "Secret", "/data").when(SEALED),
    row("", "Secret", "/immutable").when(SEALED),
    row("", "Secret", "/type").default("\"Opaque\""),
    // What is left out keeps the address that the server gave.
    row("", "Service", "/spec/clusterIP").when(|leaf| CHANGED(leaf) && !is_external(leaf)),
    row("", "Service", "/spec/clusterIPs/0").when(|leaf| CHANGED(leaf) && !is_external(leaf)),
    row("", "Service", "/spec/healthCheckNodePort").when(CHANGED),
    row("", "Service", "/spec/ipFamilies/0").when(CHANGED),
    row("", "Service", "/spec/loadBalancerClass").when(|leaf| {
        let balanced = |obj: &Json| text(obj, "/spec/type") == "LoadBalancer";
        balanced(leaf.live) && balanced(leaf.desired)
    }),
    row("apiextensions.k8s.io", "CustomResourceDefinition", "/spec/group"),
    row("apiextensions.k8s.io", "CustomResourceDefinition", "/spec/names/kind").when(ESTABLISHED),
    row("apiextensions.k8s.io", "CustomResourceDefinition", "/spec/names/plural"),
    row("apiextensions.k8s.io", "CustomResourceDefinition", "/spec/scope").when(ESTABLISHED),
    row("apps", "ControllerRevision", "/data"),
    row("apps", "DaemonSet", "/spec/selector"),
    row("apps", "Deployment", "/spec/selector"),
    row("apps", "ReplicaSet", "/spec/selector"),
    row("apps", "StatefulSet", "/spec").but(&[
        "minReadySeconds",
        "ordinals",
        "persistentVolumeClaimRetentionPolicy",
        "podManagementPolicy",
        "replicas",
        "revisionHistoryLimit",
        "template",
        "updateStrategy",
    ]),
    row("apps", "StatefulSet", "/spec/podManagementPolicy").default("\"OrderedReady\""),
    row("batch", "Job", "/spec/backoffLimitPerIndex"),
    row("batch", "Job", "/spec/completionMode").default("\"NonIndexed\""),
    row("batch", "Job", "/spec/completions").when(|leaf| {
        let same = leaf.desired.pointer("/spec/completions") == leaf.desired.pointer("/spec/parallelism");
        text(leaf.live, "/spec/completionMode") != "Indexed" || leaf.after.is_none() || !same
    }),
    row("batch", "Job", "/spec/managedBy"),
    row("batch", "Job", "/spec/podFailurePolicy"),
    row("batch", "Job", "/spec/selector"),
    row("batch", "Job", "/spec/successPolicy"),
    row("batch", "Job", "/spec/template").when(|leaf| {
        // Where its pods go may change until the first has started.
        const WHERE: &[&str] = &[
            "metadata/annotations",
            "metadata/labels",
            "spec/affinity",
            "spec/nodeSelector",
            "spec/schedulingGates",
            "spec/tolerations",
        ];
        let idle = is_true(leaf.live, "/spec/suspend") && leaf.live.pointer("/status/startTime").is_none();
        let free = |w: &&str| pointer::is_within(&leaf.at, &format!("/spec/template/{w}"));
        !idle || !WHERE.iter().any(free)
    }),
    row("discovery.k8s.io", "EndpointSlice", "/addressType"),
    row("networking.k8s.io", "IngressClass", "/spec/controller"),
    row("node.k8s.io", "RuntimeClass", "/handler"),
    row("rbac.authorization.k8s.io", "ClusterRoleBinding", "/roleRef"),
    row("rbac.authorization.k8s.io", "RoleBinding", "/roleRef"),
    row("scheduling.k8s.io", "PriorityClass", "/preemptionPolicy").default("\"PreemptLowerPriority\""),
    row("scheduling.k8s.io", "PriorityClass", "/value"),
    row("storage.k8s.io", "CSIDriver", "/spec/attachRequired").default("true"),
    row("storage.k8s.io", "CSIDriver", "/spec/volumeLifecycleModes").default("\"Persistent\""),
    row("storage.k8s.io", "StorageClass", "/parameters"),
    row("storage.k8s.io", "StorageClass", "/provisioner"),
    row("storage.k8s.io", "StorageClass", "/reclaimPolicy").default("\"Delete\""),
    row("storage.k8s.io", "StorageClass", "/volumeBindingMode").default("\"Immediate\""),
    row("storage.k8s.io", "VolumeAttachment", "/spec"),
];

fn text<'a>(obj: &'a Json, at: &str) -> &'a str {
    obj.pointer(at).and_then(Json::as_str).unwrap_or("")
}

fn is_true(obj: &Json, at: &str) -> bool {
    obj.pointer(at).and_then(Json::as_bool) == Some(true)
}

fn is_external(leaf: &Leaf<'_>) -> bool {
    [leaf.live, leaf.desired].iter().any(|obj| text(obj, "/spec/type") == "ExternalName")
}

/// A pod may come to tolerate more, and never less. Two tolerations are put in by the server, again and again.
fn drops_toleration(leaf: &Leaf<'_>) -> bool {
    const SERVERS: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
    let all = |obj: &Json| -> Vec<Json> {
        let list = obj.pointer("/spec/tolerations").and_then(Json::as_array).into_iter().flatten();
        let mut all: Vec<Json> = list.cloned().collect();
        all.iter_mut().filter_map(Json::as_object_mut).for_each(|t| _ = t.remove("tolerationSeconds"));
        all
    };
    let wanted = all(leaf.desired);
    all(leaf.live).iter().any(|t| !wanted.contains(t) && !SERVERS.contains(&text(t, "/key")))
}

/// A claim may ask for more, and never for less.
fn shrinks(leaf: &Leaf<'_>) -> bool {
    let size = |v: Option<&Json>| v.and_then(Json::as_str).and_then(Quantity::parse);
    match (size(leaf.before), size(leaf.after)) {
        (Some(before), Some(after)) => after < before,
        (Some(_), None) => true,
        _ => false,
    }
}

/// The field that stands in the way of changing `live` in place as `change` (see [`crate::diff`]) wants: a pointer, `*`
/// for the items of a list. None: an update will do, as far as Kubernetes' own kinds are concerned.
pub fn fixed_at(desired: &Json, live: &Json, change: &Change) -> Option<&'static str> {
    let version = text(live, "/apiVersion");
    let (group, kind) = (group_of(version), text(live, "/kind"));
    let rows: Vec<&Row> = ROWS.iter().filter(|r| r.kind == kind && r.group == group).collect();
    if rows.is_empty() {
        return None;
    }
    let mut found = None;
    leaves(&change.pointer, change.before.as_ref(), change.after.as_ref(), 0, &mut |at, before, after| {
        if found.is_some() || before == after {
            return;
        }
        let leaf = Leaf { at: at.to_owned(), before, after, live, desired };
        found = rows.iter().find(|row| row.is_met_by(&leaf)).map(|row| row.at);
    });
    found
}

impl Row {
    fn is_met_by(&self, leaf: &Leaf<'_>) -> bool {
        let Some(rest) = beneath(&leaf.at, self.at) else { return false };
        let free = self.but.iter().any(|name| rest.split('/').nth(1) == Some(name));
        let default = serde_json::from_str::<Json>(self.default).ok();
        let unsaid = leaf.after.is_none() && default.is_some() && leaf.before == default.as_ref();
        !free && !unsaid && (self.refuses)(leaf)
    }
}

/// Whether a pointer is at or beneath a pattern, in which `*` stands for the items of a list.
pub fn is_beneath(at: &str, pattern: &str) -> bool {
    beneath(at, pattern).is_some()
}

/// What is left of a pointer behind a pattern; none where it is not within.
fn beneath<'a>(at: &'a str, pattern: &str) -> Option<&'a str> {
    let mut rest = at;
    for wanted in pattern.split('/').skip(1) {
        let part = rest.strip_prefix('/')?;
        let end = part.find('/').unwrap_or(part.len());
        let (name, after) = part.split_at(end);
        let is_item = wanted == "*" && !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
        if name != wanted && !is_item {
            return None;
        }
        rest = after;
    }
    Some(rest)
}

type See<'a, 'b> = &'b mut dyn FnMut(&str, Option<&'a Json>, Option<&'a Json>);

/// Sees each leaf of a change. A list's items count by their places, as far as both sides are lists.
fn leaves<'a>(at: &str, before: Option<&'a Json>, after: Option<&'a Json>, depth: usize, see: See<'a, '_>) {
    let fields = |v: Option<&'a Json>| v.and_then(Json::as_object).filter(|m| !m.is_empty());
    let items = |v: Option<&'a Json>| v.and_then(Json::as_array).filter(|l| !l.is_empty());
    let fits = |one: bool, v: Option<&Json>| one || v.is_none();
    if depth > MAX_DEPTH {
        return see(at, before, after);
    }
    let (a, b) = (fields(before), fields(after));
    if (a.is_some() || b.is_some()) && fits(a.is_some(), before) && fits(b.is_some(), after) {
        let names = a.into_iter().flatten().chain(b.into_iter().flatten()).map(|(name, _)| name);
        let mut names: Vec<&String> = names.collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let of = |m: Option<&'a serde_json::Map<String, Json>>| m.and_then(|m| m.get(name));
            leaves(&pointer::join(at, name), of(a), of(b), depth + 1, see);
        }
        return;
    }
    let (a, b) = (items(before), items(after));
    if (a.is_some() || b.is_some()) && fits(a.is_some(), before) && fits(b.is_some(), after) {
        let of = |l: Option<&'a Vec<Json>>, i: usize| l.and_then(|l| l.get(i));
        for i in 0..a.map_or(0, Vec::len).max(b.map_or(0, Vec::len)) {
            leaves(&pointer::join(at, &i.to_string()), of(a, i), of(b, i), depth + 1, see);
        }
        return;
    }
    see(at, before, after);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(kind: (&str, &str), before: Json, after: Json, at: &str) -> Option<&'static str> {
        let whole = |inner: &Json| {
            let mut obj = json!({"apiVersion": kind.0, "kind": kind.1});
            if let (Some(obj), Some(inner)) = (obj.as_object_mut(), inner.as_object()) {
                obj.extend(inner.clone());
            }
            obj
        };
        let (live, desired) = (whole(&before), whole(&after));
        let change = Change {
            pointer: at.to_owned(),
            path: String::new(),
            before: live.pointer(at).cloned(),
            after: desired.pointer(at).cloned(),
            ours: true,
            held_by: vec![],
        };
        fixed_at(&desired, &live, &change)
    }

    #[test]
    fn a_place_is_within_a_pattern() {
        assert_eq!(beneath("/spec/containers/0/image", "/spec/containers/*"), Some("/image"));
        assert_eq!(beneath("/spec/containers", "/spec/containers/*"), None);
        assert_eq!(beneath("/spec/containersX/0", "/spec/containers/*"), None);
        assert_eq!(beneath("/spec/a", "/spec"), Some("/a"));
        assert_eq!(beneath("/a/b", ""), Some("/a/b"));
    }

    #[test]
    fn items_and_conditions_count() {
        let pod = ("v1", "Pod");
        let of = |image: &str, name: &str| json!({"spec": {"containers": [{"name": name, "image": image}]}});
        assert_eq!(found(pod, of("a", "x"), of("b", "x"), "/spec/containers/0/image"), None);
        assert_eq!(found(pod, of("a", "x"), of("a", "y"), "/spec/containers/0"), Some("/spec/containers/*"));
        let claim = ("v1", "PersistentVolumeClaim");
        let size = |s: &str| json!({"spec": {"resources": {"requests": {"storage": s}}}});
        let at = "/spec/resources/requests/storage";
        assert_eq!(found(claim, size("1Gi"), size("2Gi"), at), None);
        assert_eq!(found(claim, size("1Gi"), size("1000Mi"), at), Some(at));
        assert_eq!(found(claim, size("1Gi"), size("1024Mi"), at), None);
        let settings = ("v1", "ConfigMap");
        let map = |sealed: bool, v: &str| json!({"immutable": sealed, "data": {"a": v}});
        assert_eq!(found(settings, map(false, "1"), map(true, "2"), "/data/a"), None);
        assert_eq!(found(settings, map(true, "1"), map(true, "2"), "/data/a"), Some("/data"));
        let other = ("example.com/v1", "Deployment");
        assert_eq!(
            found(other, json!({"spec": {"selector": 1}}), json!({"spec": {"selector": 2}}), "/spec"),
            None
        );
    }

    #[test]
    fn what_falls_back_to_the_default_does_not_change() {
        let secret = ("v1", "Secret");
        assert_eq!(found(secret, json!({"type": "Opaque"}), json!({}), "/type"), None);
        assert_eq!(found(secret, json!({"type": "x/y"}), json!({}), "/type"), Some("/type"));
    }

    #[test]
    fn hostile_depth_ends() {
        let mut deep = json!(1);
        for _ in 0..4 * MAX_DEPTH {
            deep = json!({"a": deep});
        }
        assert_eq!(found(("apps/v1", "Deployment"), json!({"spec": deep}), json!({}), "/spec"), None);
    }
}
