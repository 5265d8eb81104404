//! Digests by which an unchanged object is known without asking the server: of what was desired, and of the live
//! values that we own. Keyed, since they cover Secrets and are stored: without the key a short secret could be guessed.

use hmac::digest::{Key, KeyInit as _};
use hmac::{Hmac, Mac as _};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use sheave_model::limits::MAX_DEPTH;

use crate::owned::{Node, OURS, Ownership};
use crate::topology::key_of;

struct Writer(Hmac<Sha256>);

/// The digest of a prepared object, the same for the same content in whatever order its maps are written.
pub fn desired_digest(desired: &Json, key: &[u8]) -> String {
    let mut out = Writer::new(key, b"desired");
    out.value(desired, 0);
    out.finish()
}

/// The digest of the live values of the fields that `manager` owns by server-side apply; none where it owns nothing.
/// It changes when somebody changed one of them, took one over or removed one, and not when others add fields.
pub fn owned_digest(live: &Json, manager: &str, key: &[u8]) -> Option<String> {
    let owned = Ownership::of(live, manager);
    if owned.root.beneath & OURS == 0 {
        return None;
    }
    let mut out = Writer::new(key, b"owned");
    out.owned(&owned.root, Some(live), 0);
    Some(out.finish())
}

impl Writer {
    fn new(key: &[u8], purpose: &[u8]) -> Self {
        let mut block = Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(Sha256::digest(key)) {
            *to = from;
        }
        let mut out = Self(Hmac::new(&block));
        out.part(b'p', purpose);
        out
    }

    fn finish(self) -> String {
        self.0.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// A tag and a length before each part, so that no two contents write the same bytes.
    fn part(&mut self, tag: u8, bytes: &[u8]) {
        self.0.update(&[tag]);
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn value(&mut self, value: &Json, depth: usize) {
        match value {
            Json::Null => self.part(b'0', &[]),
            Json::Bool(b) => self.part(b'b', &[u8::from(*b)]),
            Json::Number(n) => self.part(b'n', n.to_string().as_bytes()),
            Json::String(s) => self.part(b's', s.as_bytes()),
            // No object that was prepared or parsed is deeper; what is, must not overrun the stack.
            _ if depth > MAX_DEPTH => self.part(b'd', &[]),
            Json::Array(items) => {
                self.part(b'[', &(items.len() as u64).to_le_bytes());
                items.iter().for_each(|item| self.value(item, depth + 1));
            }
            Json::Object(fields) => {
                self.part(b'{', &(fields.len() as u64).to_le_bytes());
                let mut sorted: Vec<_> = fields.iter().collect();
                sorted.sort_unstable_by_key(|(name, _)| *name);
                for (name, value) in sorted {
                    self.part(b'k', name.as_bytes());
                    self.value(value, depth + 1);
                }
            }
        }
    }

    fn owned(&mut self, node: &Node, live: Option<&Json>, depth: usize) {
        if node.beneath & OURS == 0 {
            return;
        }
        let Some(live) = live else {
            // We own a field that the server left out, such as `hostNetwork: false`.
            self.part(b'-', &[]);
            return;
        };
        if node.is_leaf() {
            self.value(live, depth);
            return;
        }
        self.part(b'm', &[u8::from(node.is_ours())]);
        for (name, child) in node.fields.iter().filter(|(_, child)| child.beneath & OURS != 0) {
            self.part(b'f', name.as_bytes());
            self.owned(child, live.get(name), depth + 1);
        }
        let items = live.as_array().map(Vec::as_slice).unwrap_or_default();
        let places = node.places(items);
        for (text, (_, child)) in node.items.iter().filter(|(_, (_, child))| child.beneath & OURS != 0) {
            self.part(b'i', text.as_bytes());
            self.owned(child, places.get(text.as_str()).and_then(|&i| items.get(i)), depth + 1);
        }
    }
}

impl Node {
    /// Where in a live list the items of this node stand, by their text.
    pub(crate) fn places(&self, list: &[Json]) -> std::collections::HashMap<&str, usize> {
        use crate::owned::Item;
        use std::collections::HashMap;
        let mut places = HashMap::with_capacity(self.items.len());
        // One index for each set of key fields, so that long lists cost no more than their length.
        let mut by_key: HashMap<Vec<String>, HashMap<String, usize>> = HashMap::new();
        let mut by_value: Option<HashMap<String, usize>> = None;
        for (text, (item, _)) in &self.items {
            let place = match item {
                Item::Index(i) => (*i < list.len()).then_some(*i),
                Item::Value(value) => {
                    let index = by_value.get_or_insert_with(|| {
                        list.iter().enumerate().map(|(i, v)| (v.to_string(), i)).collect()
                    });
                    index.get(&value.to_string()).copied()
                }
                Item::Key(key) => {
                    let names: Vec<String> = key.keys().cloned().collect();
                    let wanted = key_of(&Json::Object(key.clone()), &names);
                    let index = by_key.entry(names).or_insert_with_key(|names| {
                        list.iter().enumerate().filter_map(|(i, v)| Some((key_of(v, names)?, i))).collect()
                    });
                    wanted.and_then(|wanted| index.get(&wanted).copied())
                }
            };
            if let Some(place) = place {
                places.insert(text.as_str(), place);
            }
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KEY: &[u8] = b"key";

    fn live(image: &str) -> Json {
        json!({
            "metadata": {"labels": {"ours": "1", "theirs": "2"}, "managedFields": [
                {"manager": "sheave", "operation": "Apply", "fieldsV1": {
                    "f:metadata": {"f:labels": {"f:ours": {}}},
                    "f:spec": {"f:hostNetwork": {}, "f:selector": {}, "f:containers": {
                        "k:{\"name\":\"app\"}": {".": {}, "f:name": {}, "f:image": {}}}}}},
                {"manager": "other", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]},
            "spec": {"replicas": 1, "selector": {"a": "b"}, "containers": [
                {"name": "side", "image": "s"}, {"name": "app", "image": image, "pullPolicy": "Always"}]},
        })
    }

    #[test]
    fn only_our_values_count() {
        let base = owned_digest(&live("1"), "sheave", KEY);
        assert!(base.is_some());
        assert_ne!(owned_digest(&live("2"), "sheave", KEY), base);
        assert_ne!(owned_digest(&live("1"), "sheave", b"another"), base);
        let same: [fn(&mut Json); 4] = [
            |o| o["spec"]["replicas"] = json!(5),
            |o| o["metadata"]["labels"]["theirs"] = json!("x"),
            |o| o["spec"]["containers"][1]["pullPolicy"] = json!("Never"),
            |o| o["spec"]["containers"].as_array_mut().unwrap().reverse(),
        ];
        for change in same {
            let mut obj = live("1");
            change(&mut obj);
            assert_eq!(owned_digest(&obj, "sheave", KEY), base, "{obj}");
        }
        let others: [fn(&mut Json); 4] = [
            |o| o["metadata"]["labels"]["ours"] = json!("x"),
            |o| o["spec"]["selector"]["more"] = json!("x"),
            |o| drop(o["spec"]["containers"].as_array_mut().unwrap().pop()),
            |o| o["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"] = json!({"f:hostNetwork": {}}),
        ];
        for change in others {
            let mut obj = live("1");
            change(&mut obj);
            assert_ne!(owned_digest(&obj, "sheave", KEY), base, "{obj}");
        }
    }

    #[test]
    fn nothing_owned_has_no_digest() {
        assert_eq!(owned_digest(&live("1"), "nobody", KEY), None);
        assert_eq!(owned_digest(&json!(null), "sheave", KEY), None);
    }

    #[test]
    fn desired_content_counts_and_order_does_not() {
        let a: Json = serde_json::from_str(r#"{"a": 1, "b": [1, 2]}"#).unwrap();
        let b: Json = serde_json::from_str(r#"{"b": [1, 2], "a": 1}"#).unwrap();
        assert_eq!(desired_digest(&a, KEY), desired_digest(&b, KEY));
        for other in [
            json!({"a": 1, "b": [2, 1]}),
            json!({"a": "1", "b": [1, 2]}),
            json!({"a": 1, "b": [1, 2], "c": null}),
        ] {
            assert_ne!(desired_digest(&a, KEY), desired_digest(&other, KEY));
        }
        assert_eq!(desired_digest(&a, KEY).len(), 64);
    }
}
