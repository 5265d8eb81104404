//! A node's taints are one list to server-side apply: whoever sets it sets all of it. People and controllers taint nodes one taint at a
//! time, as `kubectl taint` does, and so do stacks: each taint is told by its key and its effect, and others' stay.

use serde_json::{Value as Json, json};
use sheave_model::ObjectId;

use crate::owned::Ownership;

/// Where the taints of a node stand.
pub const TAINTS: &str = "/spec/taints";
/// What tells one taint from another.
const KEY: [&str; 2] = ["key", "effect"];

/// Whether an object has taints.
pub fn has_taints(id: &ObjectId) -> bool {
    id.api_version == "v1" && id.kind == "Node"
}

/// Puts the taints that others set on the live node into the list that is wanted, and names them. `before` is what this stack
/// set the last time: what of it is no longer wanted goes. Where no list is wanted and none was set, none is claimed.
pub fn keep_others_taints(desired: &mut Json, live: &Json, before: &[Json], manager: &str) -> Vec<String> {
    let there = taints(live);
    let wanted = desired.pointer(TAINTS).and_then(Json::as_array).cloned();
    let concerned = wanted.is_some()
        || Ownership::of(live, manager).only_ours(TAINTS)
        || there.iter().any(|taint| before.iter().any(|own| same(own, taint)));
    if !concerned {
        return Vec::new();
    }
    let mut wanted = wanted.unwrap_or_default();
    let (mut list, mut kept) = (Vec::with_capacity(there.len() + wanted.len()), Vec::new());
    // In the order in which they stand: then nothing changes where nothing is to change.
    for taint in there {
        match wanted.iter().position(|w| same(w, taint)) {
            Some(at) => list.push(wanted.remove(at)),
            None if before.iter().any(|own| same(own, taint)) => {}
            None => {
                kept.push(shown(taint));
                list.push(taint.clone());
            }
        }
    }
    if kept.is_empty() {
        // What is wanted is the whole of it.
        return kept;
    }
    list.append(&mut wanted);
    if let Some(fields) = desired.as_object_mut() {
        let spec = fields.entry("spec").or_insert_with(|| json!({}));
        if let Some(spec) = spec.as_object_mut() {
            spec.insert("taints".to_owned(), Json::Array(list));
        }
    }
    kept
}

/// The list that is left when this stack lets the node go; none where it needs no more than that our fields go.
pub fn without_ours(live: &Json, before: &[Json], manager: &str) -> Option<Json> {
    let there = taints(live);
    let left: Vec<&Json> = there.iter().filter(|taint| !before.iter().any(|own| same(own, taint))).collect();
    let ours_alone = Ownership::of(live, manager).only_ours(TAINTS);
    let needed = if ours_alone { !left.is_empty() } else { left.len() < there.len() };
    needed.then(|| json!(left))
}

fn taints(node: &Json) -> &[Json] {
    node.pointer(TAINTS).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn same(one: &Json, other: &Json) -> bool {
    KEY.iter().all(|field| one.get(field) == other.get(field))
}

/// As `kubectl taint` writes it.
fn shown(taint: &Json) -> String {
    let text = |field: &str| taint.get(field).and_then(Json::as_str).unwrap_or_default();
    match text("value") {
        "" => format!("{}:{}", text("key"), text("effect")),
        value => format!("{}={value}:{}", text("key"), text("effect")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taint(text: &str) -> Json {
        match text.split_once('=') {
            Some((key, value)) => json!({"key": key, "value": value, "effect": "NoExecute"}),
            None => json!({"key": text, "effect": "NoSchedule"}),
        }
    }

    fn list(texts: &[&str]) -> Vec<Json> {
        texts.iter().map(|text| taint(text)).collect()
    }

    /// A node with these taints, owned by us alone where `ours` says so.
    fn node(texts: &[&str], ours: bool) -> Json {
        let manager = if ours { "sheave" } else { "kubectl-taint" };
        let operation = if ours { "Apply" } else { "Update" };
        json!({"apiVersion": "v1", "kind": "Node", "spec": {"taints": list(texts)}, "metadata": {"name": "n", "managedFields": [
            {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1",
             "fieldsV1": {"f:spec": {"f:taints": {}}}}]}})
    }

    fn merged(wanted: Option<&[&str]>, live: &Json, before: &[&str]) -> (Option<Vec<Json>>, Vec<String>) {
        let mut desired = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}});
        if let Some(wanted) = wanted {
            desired["spec"] = json!({"taints": list(wanted)});
        }
        let kept = keep_others_taints(&mut desired, live, &list(before), "sheave");
        (desired.pointer(TAINTS).and_then(Json::as_array).cloned(), kept)
    }

    #[test]
    fn what_others_set_stays_where_it_stands() {
        let live = node(&["theirs", "ours", "b=x"], false);
        let (list_now, kept) = merged(Some(&["new", "ours"]), &live, &["ours"]);
        assert_eq!(list_now.unwrap(), list(&["theirs", "ours", "b=x", "new"]));
        assert_eq!(kept, ["theirs:NoSchedule", "b=x:NoExecute"]);
        // A value of our own takes the place of the live one.
        let (list_now, kept) = merged(Some(&["b=y"]), &node(&["b=x", "theirs"], false), &[]);
        assert_eq!((list_now.unwrap(), kept.len()), (list(&["b=y", "theirs"]), 1));
    }

    #[test]
    fn what_was_ours_and_is_not_wanted_goes() {
        let live = node(&["theirs", "old"], true);
        assert_eq!(merged(Some(&[]), &live, &["old"]).0.unwrap(), list(&["theirs"]));
        assert_eq!(
            merged(None, &live, &["old"]).0.unwrap(),
            list(&["theirs"]),
            "the list is still ours to hold"
        );
        assert_eq!(
            merged(None, &node(&["old"], true), &["old"]),
            (None, vec![]),
            "our field goes, and all with it"
        );
    }

    #[test]
    fn a_list_that_nobody_asked_for_is_not_claimed() {
        assert_eq!(merged(None, &node(&["theirs"], false), &[]), (None, vec![]));
        assert_eq!(merged(Some(&["ours"]), &json!({}), &[]).0.unwrap(), list(&["ours"]));
    }

    #[test]
    fn what_is_let_go_leaves_others_taints() {
        let left = |live: &Json, before: &[&str]| without_ours(live, &list(before), "sheave");
        assert_eq!(left(&node(&["ours"], true), &["ours"]), None, "our field goes");
        assert_eq!(left(&node(&["ours", "theirs"], true), &["ours"]), Some(json!(list(&["theirs"]))));
        assert_eq!(left(&node(&["ours", "theirs"], false), &["ours"]), Some(json!(list(&["theirs"]))));
        assert_eq!(left(&node(&["theirs"], false), &["ours"]), None);
        assert_eq!(left(&node(&[], false), &[]), None);
    }
}
