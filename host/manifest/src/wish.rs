//! What the user of the built-in plugin asked for by writing it: what its types may emit for these properties, and no more.

use sheave_model::Value;
use sheave_model::plugin::{Danger, EmitGrant};

/// Lists in lists: as deep as the plugin unfolds them.
const MOST_LISTS: usize = 8;

/// The grant that follows from a resource of the built-in plugin: its kind, the namespaces that stand in its properties,
/// and whatever the user wrote into an object by hand.
pub fn wish(type_name: &str, properties: &Value) -> EmitGrant {
    let mut wish = EmitGrant::default();
    match type_name {
        // It makes its objects itself: only the namespace is the user's word.
        "App" => namespace(properties.at("/namespace"), &mut wish),
        "Object" => written(properties.at("/manifest"), 0, &mut wish),
        "Manifests" => {
            if let Some(Value::List(documents)) = properties.at("/path") {
                documents.iter().for_each(|d| written(d.at("/document"), 0, &mut wish));
            }
        }
        kind => {
            one(kind, &mut wish);
            namespace(properties.at("/metadata/namespace"), &mut wish);
        }
    }
    wish
}

fn one(kind: &str, wish: &mut EmitGrant) {
    if let Ok(kind) = kind.parse()
        && !wish.cluster_scoped.contains(&kind)
    {
        wish.kinds.get_or_insert_default().push(kind.clone());
        wish.cluster_scoped.push(kind);
    }
    wish.allow = Danger::ALL.map(|(_, danger)| danger).into();
}

fn namespace(name: Option<&Value>, wish: &mut EmitGrant) {
    if let Some(Value::Text(name)) = name
        && let Ok(name) = name.parse()
        && !wish.namespaces.contains(&name)
    {
        wish.namespaces.push(name);
    }
}

/// A manifest in full.
fn written(manifest: Option<&Value>, lists: usize, wish: &mut EmitGrant) {
    let Some(manifest) = manifest else { return };
    let text = |at: &str| match manifest.at(at) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    if let Some(Value::List(items)) = manifest.at("/items")
        && text("/kind").ends_with("List")
        && lists < MOST_LISTS
    {
        items.iter().for_each(|item| written(Some(item), lists + 1, wish));
        return;
    }
    let kind = text("/kind");
    match sheave_model::plugin::group_of(text("/apiVersion")) {
        "" => one(kind, wish),
        group => one(&format!("{group}/{kind}"), wish),
    }
    namespace(manifest.at("/metadata/namespace"), wish);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words(type_name: &str, properties: serde_json::Value) -> (Vec<String>, Vec<String>, bool) {
        let wish = wish(type_name, &Value::from_json(&properties));
        let text = |all: Vec<String>| all;
        (
            text(wish.kinds.into_iter().flatten().map(|k| k.to_string()).collect()),
            text(wish.namespaces.iter().map(ToString::to_string).collect()),
            !wish.allow.is_empty(),
        )
    }

    #[test]
    fn what_is_written_is_wished_and_no_more() {
        let all = |kinds: &[&str], namespaces: &[&str], allow: bool| {
            let owned = |all: &[&str]| all.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
            (owned(kinds), owned(namespaces), allow)
        };
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"namespace": "a"}});
        let list =
            json!({"apiVersion": "v1", "kind": "List", "items": [role, {"apiVersion": "v1", "kind": "Pod"}]});
        for (type_name, properties, expected) in [
            ("App", json!({"image": "x", "namespace": "a"}), all(&[], &["a"], false)),
            ("App", json!({"image": "x"}), all(&[], &[], false)),
            ("ClusterRole", json!({}), all(&["ClusterRole"], &[], true)),
            ("Pod", json!({"metadata": {"namespace": "kube-system"}}), all(&["Pod"], &["kube-system"], true)),
            ("Object", json!({"manifest": role}), all(&["rbac.authorization.k8s.io/Role"], &["a"], true)),
            (
                "Manifests",
                json!({"path": [{"document": role}, {"document": list}]}),
                all(&["rbac.authorization.k8s.io/Role", "Pod"], &["a"], true),
            ),
            ("Manifests", json!({"path": "not read"}), all(&[], &[], false)),
        ] {
            assert_eq!(words(type_name, properties), expected, "{type_name}");
        }
    }
}
