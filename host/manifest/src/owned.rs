//! Who owns which field: the field sets of `metadata.managedFields`, all managers' in one tree.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use sheave_model::limits::MAX_DEPTH;
use sheave_model::pointer;

/// A set of managers, one bit each; bit 0 is us.
pub(crate) type Owners = u128;

pub(crate) const OURS: Owners = 1;

/// Managers that are told apart; what comes after shares the last bit. More than a handful never occur.
const MAX_MANAGERS: usize = 128;

/// The field sets of one live object.
pub(crate) struct Ownership {
    pub(crate) root: Node,
    /// The managers' names, by bit.
    managers: Vec<String>,
}

/// A field, or an item of a list.
#[derive(Default)]
pub(crate) struct Node {
    /// Who owns the node itself.
    pub(crate) owners: Owners,
    /// Who owns it or anything beneath it.
    pub(crate) beneath: Owners,
    pub(crate) fields: BTreeMap<String, Node>,
    /// Keyed by their text in `fieldsV1`, which the server always writes alike.
    pub(crate) items: BTreeMap<String, (Item, Node)>,
}

/// How an item of a list is told from the others.
pub(crate) enum Item {
    /// By the values of its key fields.
    Key(Map<String, Json>),
    /// By its value: a set.
    Value(Json),
    /// By its position.
    Index(usize),
}

impl Ownership {
    /// Reads `metadata.managedFields` of a live object; what is malformed in it is left out. `manager` is ours where
    /// it applied (operation `Apply`, no subresource).
    pub(crate) fn of(live: &Json, manager: &str) -> Self {
        let mut owned = Self { root: Node::default(), managers: vec![manager.to_owned()] };
        let entries = live.pointer("/metadata/managedFields").and_then(Json::as_array);
        for entry in entries.into_iter().flatten() {
            let text = |key: &str| entry.get(key).and_then(Json::as_str).unwrap_or("");
            let Some(fields) = entry.get("fieldsV1") else { continue };
            let name = text("manager");
            let ours = name == manager && text("operation") == "Apply" && text("subresource").is_empty();
            let bit = if ours { 0 } else { owned.bit(name) };
            owned.root.add(fields, 1 << bit, 0);
        }
        owned
    }

    fn bit(&mut self, name: &str) -> usize {
        let known = self.managers.iter().skip(1).position(|m| m == name).map(|i| i + 1);
        known.unwrap_or_else(|| {
            if self.managers.len() < MAX_MANAGERS {
                self.managers.push(name.to_owned());
            }
            self.managers.len() - 1
        })
    }

    /// The names of managers other than us.
    pub(crate) fn others(&self, owners: Owners) -> Vec<String> {
        let named = self.managers.iter().enumerate().skip(1);
        named.filter(|(i, _)| owners >> i & 1 == 1).map(|(_, name)| name.clone()).collect()
    }

    /// Whether we own the field at a pointer, and nobody else owns it or anything beneath it. Only through maps.
    pub(crate) fn only_ours(&self, at: &str) -> bool {
        let Some(parts) = pointer::parts(at) else { return false };
        let node = parts.iter().try_fold(&self.root, |node, part| node.fields.get(part));
        node.is_some_and(|node| node.beneath == OURS)
    }
}

impl Node {
    fn add(&mut self, fields: &Json, owner: Owners, depth: usize) {
        self.beneath |= owner;
        let children = match fields.as_object() {
            Some(children) if !children.is_empty() && depth < MAX_DEPTH => children,
            _ => {
                self.owners |= owner;
                return;
            }
        };
        for (key, inner) in children {
            if key == "." {
                self.owners |= owner;
            } else if let Some(name) = key.strip_prefix("f:") {
                self.fields.entry(name.to_owned()).or_default().add(inner, owner, depth + 1);
            } else if let Some((_, node)) = self.items.get_mut(key) {
                node.add(inner, owner, depth + 1);
            } else if let Some(item) = Item::parse(key) {
                let mut node = Self::default();
                node.add(inner, owner, depth + 1);
                self.items.insert(key.clone(), (item, node));
            }
        }
    }

    /// Whether nothing beneath it is owned on its own: a scalar, or an atomic list or map.
    pub(crate) fn is_leaf(&self) -> bool {
        self.fields.is_empty() && self.items.is_empty()
    }

    /// Whether we own the node itself.
    pub(crate) fn is_ours(&self) -> bool {
        self.owners & OURS != 0
    }
}

impl Item {
    fn parse(text: &str) -> Option<Self> {
        if let Some(key) = text.strip_prefix("k:") {
            let key: Map<String, Json> = serde_json::from_str(key).ok()?;
            return (!key.is_empty()).then_some(Self::Key(key));
        }
        if let Some(value) = text.strip_prefix("v:") {
            return serde_json::from_str(value).ok().map(Self::Value);
        }
        text.strip_prefix("i:")?.parse().ok().map(Self::Index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn entry(manager: &str, operation: &str, fields: Json) -> Json {
        json!({"manager": manager, "operation": operation, "fieldsV1": fields})
    }

    #[test]
    fn merges_all_managers() {
        let live = json!({"metadata": {"managedFields": [
            entry("sheave", "Apply", json!({"f:spec": {"f:a": {}, "f:l": {"k:{\"n\":1}": {".": {}, "f:n": {}}}}})),
            entry("sheave", "Update", json!({"f:spec": {"f:b": {}}})),
            entry("edit", "Update", json!({"f:spec": {".": {}, "f:a": {}}})),
            {"manager": "sheave", "operation": "Apply", "subresource": "status", "fieldsV1": {"f:status": {}}},
        ]}});
        let owned = Ownership::of(&live, "sheave");
        let spec = &owned.root.fields["spec"];
        assert_eq!(owned.others(spec.owners), ["edit"]);
        assert_eq!(owned.others(spec.fields["a"].owners), ["edit"]);
        assert!(spec.fields["a"].is_ours() && !spec.fields["b"].is_ours());
        assert_eq!(owned.others(spec.fields["b"].owners), ["sheave"]);
        assert!(spec.fields["l"].items["k:{\"n\":1}"].1.is_ours());
        assert!(!owned.root.fields["status"].is_ours());
        assert!(owned.only_ours("/spec/l") && !owned.only_ours("/spec/a") && !owned.only_ours("/spec/x"));
    }

    #[test]
    fn survives_hostile_sets() {
        let mut deep = json!({});
        for _ in 0..4 * MAX_DEPTH {
            deep = json!({"f:a": deep});
        }
        let entries = json!([1, null, {"fieldsV1": 7}, {"fieldsV1": {"k:{": {}, "v:": {}, "i:-1": {}, "": {}, "x": []}},
            entry("a", "Apply", deep)]);
        let owned = Ownership::of(&json!({"metadata": {"managedFields": entries}}), "sheave");
        assert!(owned.root.items.is_empty());
        let many: Vec<Json> =
            (0..300).map(|i| entry(&format!("m{i}"), "Update", json!({"f:x": {}}))).collect();
        let owned = Ownership::of(&json!({"metadata": {"managedFields": many}}), "sheave");
        assert_eq!(owned.others(owned.root.fields["x"].owners).len(), MAX_MANAGERS - 1);
    }

    proptest! {
        #[test]
        fn never_panics(key in "(f:|k:|v:|i:|\\.)?.{0,12}", inner in ".{0,8}") {
            let live = json!({"metadata": {"managedFields": [entry("sheave", "Apply", json!({key: {inner: {}}}))]}});
            let _ = Ownership::of(&live, "sheave");
        }
    }
}
