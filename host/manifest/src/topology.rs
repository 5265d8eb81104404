//! What kind of list or map a field is: what server-side apply merges by key, and what it replaces whole.
//!
//! The live object's own field sets say it, for custom resources too; the tables here are for what nobody owns yet.

use serde_json::Value as Json;

use crate::owned::{Item, Node};

/// How two versions of a list are compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// Items are told apart by these key fields.
    Map(Vec<String>),
    /// Each value stands once.
    Set,
    /// One value, replaced whole.
    Atomic,
}

/// Key fields of lists, by the list's name, as Kubernetes' OpenAPI gives them for its own kinds.
const LIST_KEYS: &[(&str, &[&str])] = &[
    ("conditions", &["type"]),
    ("containers", &["name"]),
    ("env", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("hostAliases", &["ip"]),
    ("imagePullSecrets", &["name"]),
    ("initContainers", &["name"]),
    ("matchConditions", &["name"]),
    ("ownerReferences", &["uid"]),
    ("ports", &["containerPort", "protocol"]),
    ("ports", &["port", "protocol"]),
    ("resourceClaims", &["name"]),
    ("schedulingGates", &["name"]),
    ("secrets", &["name"]),
    ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
    ("volumeDevices", &["devicePath"]),
    ("volumeMounts", &["mountPath"]),
    ("volumes", &["name"]),
    ("webhooks", &["name"]),
];

const SETS: &[&str] = &["finalizers"];

/// Maps that are replaced whole, by their name.
const ATOMIC_MAPS: &[&str] = &[
    "configMapKeyRef",
    "fieldRef",
    "labelSelector",
    "matchLabels",
    "namespaceSelector",
    "nodeSelector",
    "podSelector",
    "resourceFieldRef",
    "roleRef",
    "scaleTargetRef",
    "secretKeyRef",
    "secretRef",
    "selector",
];

/// A key field that may be left out, and what the server puts there.
const KEY_DEFAULTS: &[(&str, &str)] = &[("protocol", "TCP")];

/// The kind of the list `name`, whose items are `sides`.
pub(crate) fn list_kind(name: &str, node: Option<&Node>, sides: [&[Json]; 2]) -> ListKind {
    if let Some(node) = node {
        match node.items.values().next() {
            Some((Item::Key(key), _)) => return ListKind::Map(key.keys().cloned().collect()),
            Some((Item::Value(_), _)) => return ListKind::Set,
            Some((Item::Index(_), _)) => return ListKind::Atomic,
            None if node.owners != 0 => return ListKind::Atomic,
            None => {}
        }
    }
    if SETS.contains(&name) {
        return ListKind::Set;
    }
    // The first key field has no default: an item without it shows that the list is another of the same name.
    let fits = |keys: &[&str]| {
        sides.iter().copied().flatten().all(|item| keys.first().is_some_and(|key| item.get(key).is_some()))
    };
    let known = LIST_KEYS.iter().find(|(list, keys)| *list == name && fits(keys));
    known.map_or(ListKind::Atomic, |(_, keys)| ListKind::Map(keys.iter().map(|&k| k.to_owned()).collect()))
}

/// Whether the map `name` is replaced whole. `node` is its node in the live object's field sets.
pub(crate) fn is_atomic_map(name: &str, node: Option<&Node>) -> bool {
    match node {
        Some(node) if node.owners != 0 => node.is_leaf(),
        Some(_) => false,
        None => ATOMIC_MAPS.contains(&name),
    }
}

/// What tells an item of a list with these key fields from the others; none where it is no map.
pub(crate) fn key_of(item: &Json, keys: &[String]) -> Option<String> {
    let fields = item.as_object()?;
    let mut out = String::new();
    for key in keys {
        match fields.get(key) {
            Some(value) => out.push_str(&value.to_string()),
            None => match KEY_DEFAULTS.iter().find(|(k, _)| k == key) {
                Some((_, default)) => out.push_str(&Json::from(*default).to_string()),
                None => out.push('-'),
            },
        }
        out.push(',');
    }
    Some(out)
}

/// An item's key as people read it: `app`, `80/TCP`.
pub(crate) fn key_label(item: &Json, keys: &[String]) -> String {
    let parts = keys.iter().filter_map(|key| item.get(key)).map(|value| match value {
        Json::String(s) => s.clone(),
        other => other.to_string(),
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(name: &str, items: Json) -> ListKind {
        list_kind(name, None, [items.as_array().unwrap(), &[]])
    }

    #[test]
    fn well_known_lists_have_keys() {
        let keys = |k: &[&str]| ListKind::Map(k.iter().map(|&s| s.to_owned()).collect());
        assert_eq!(kind("containers", json!([{"name": "a"}])), keys(&["name"]));
        assert_eq!(kind("ports", json!([{"containerPort": 80}])), keys(&["containerPort", "protocol"]));
        assert_eq!(kind("ports", json!([{"port": 80, "name": "x"}])), keys(&["port", "protocol"]));
        assert_eq!(kind("ports", json!([{"number": 80}])), ListKind::Atomic);
        assert_eq!(kind("env", json!(["a"])), ListKind::Atomic);
        assert_eq!(kind("args", json!(["a"])), ListKind::Atomic);
        assert_eq!(kind("finalizers", json!(["a/b"])), ListKind::Set);
    }

    #[test]
    fn a_missing_protocol_is_tcp() {
        let keys = ["port".to_owned(), "protocol".to_owned()];
        let key = |item: Json| key_of(&item, &keys);
        assert_eq!(key(json!({"port": 80})), key(json!({"port": 80, "protocol": "TCP"})));
        assert_ne!(key(json!({"port": 80})), key(json!({"port": 80, "protocol": "UDP"})));
        assert_eq!(key(json!("x")), None);
        assert_eq!(key_label(&json!({"port": 80, "protocol": "UDP"}), &keys), "80/UDP");
    }
}
