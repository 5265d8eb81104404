//! Volumes and claims.

use sheave_sdk::{Diagnostic, Map};

use super::{Props, join};

/// What stands in a volume's spec beside its source.
const NOT_SOURCES: [&str; 9] = [
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
];

/// A volume has a size, a way to be used and one source.
pub(crate) fn volume(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    let spec = props.map("/spec");
    let sources: Vec<_> =
        spec.map(|(key, _)| key.as_str()).filter(|key| !NOT_SOURCES.contains(key)).collect();
    if sources.len() != 1 {
        let detail = match sources.as_slice() {
            [] => "it has none; add for example `nfs`, `csi` or `hostPath`".to_owned(),
            several => format!("it has {}", several.join(", ")),
        };
        let why = Diagnostic::error("kubernetes.volume-source", "a volume has exactly one source");
        found.push(why.at("/spec").detail(detail));
    }
    if !props.has("/spec/capacity/storage") {
        let why = Diagnostic::error("kubernetes.no-size", "a volume must say how large it is");
        found.push(why.at("/spec").detail("add `capacity: {storage: 10Gi}`"));
    }
    access_modes(props, "/spec", found);
}

/// A claim says how much it wants and how.
pub(crate) fn claim(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    wish(props, "/spec", found);
}

/// The claims of a StatefulSet.
pub(crate) fn claims(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    for (claim, _) in props.list("/spec/volumeClaimTemplates") {
        if !props.has(&format!("{claim}/metadata/name")) {
            let why = Diagnostic::error("kubernetes.nameless-claim", "a claim of each pod needs a name");
            found.push(why.at(&claim).detail("add `metadata: {name: ...}`: containers mount it by that"));
        }
        wish(props, &format!("{claim}/spec"), found);
    }
}

fn wish(props: &Props<'_>, spec: &str, found: &mut Vec<Diagnostic>) {
    if !props.has(&format!("{spec}/resources/requests/storage")) {
        let why = Diagnostic::error("kubernetes.no-size", "a claim must say how much it wants");
        found.push(why.at(there(props, spec)).detail("add `resources: {requests: {storage: 10Gi}}`"));
    }
    access_modes(props, spec, found);
}

fn access_modes(props: &Props<'_>, spec: &str, found: &mut Vec<Diagnostic>) {
    if props.list(&join(spec, "accessModes")).next().is_none() {
        let why = Diagnostic::error("kubernetes.no-access-modes", "storage must say how it is used");
        found.push(why.at(there(props, spec)).detail("add `accessModes: [ReadWriteOnce]`"));
    }
}

/// The nearest place that is there.
fn there<'a>(props: &Props<'_>, spec: &'a str) -> &'a str {
    let is_map = |at: &str| props.value.pointer(at).and_then(|v| v.as_object()).map(Map::len).is_some();
    if is_map(spec) { spec } else { spec.strip_suffix("/spec").unwrap_or(spec) }
}
