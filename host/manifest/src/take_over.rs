//! Taking fields over from client-side apply, so that what is no longer desired really goes.
//!
//! Fields that `kubectl apply` (or another tool that writes whole objects) set belong to it as updates; server-side
//! apply never removes what another manager owns. So its entry becomes ours, by a patch of `metadata.managedFields`.

use serde_json::{Map, Value as Json};
use sheave_model::limits::MAX_DEPTH;

/// The managers under which `kubectl apply` writes from the client's side.
const CLIENT_SIDE_MANAGERS: &[&str] =
    &["kubectl-client-side-apply", "before-first-apply", "kubectl-last-applied"];

/// Where client-side apply keeps a copy of what it applied: whoever owns it applies that way, whatever it is called.
const LAST_APPLIED: &str =
    "/fieldsV1/f:metadata/f:annotations/f:kubectl.kubernetes.io~1last-applied-configuration";

/// The managers of a live object that apply from the client's side, each once.
pub fn client_side_managers(live: &Json) -> Vec<&str> {
    let mut found = Vec::new();
    let entries = live.pointer("/metadata/managedFields").and_then(Json::as_array);
    for entry in entries.into_iter().flatten().filter(|e| is_update(e)) {
        let Some(name) = entry.get("manager").and_then(Json::as_str) else { continue };
        let known = CLIENT_SIDE_MANAGERS.contains(&name) || entry.pointer(LAST_APPLIED).is_some();
        if known && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

fn is(entry: &Json, key: &str, want: &str) -> bool {
    entry.get(key).and_then(Json::as_str).unwrap_or("") == want
}

/// Whether an entry is of whole writes, and not of a subresource.
fn is_update(entry: &Json) -> bool {
    is(entry, "operation", "Update") && is(entry, "subresource", "")
}

/// The `metadata.managedFields` in which `manager` owns, by apply, what it owned before and what the managers `from`
/// own by update. None where there is nothing to take over, or the live object is not as it should be.
pub fn take_over(live: &Json, from: &[&str], manager: &str) -> Option<Json> {
    let entries = live.pointer("/metadata/managedFields")?.as_array()?;
    let ours = |entry: &Json| {
        is(entry, "manager", manager) && is(entry, "operation", "Apply") && is(entry, "subresource", "")
    };
    let theirs = |entry: &Json| {
        is_update(entry) && entry.get("manager").and_then(Json::as_str).is_some_and(|m| from.contains(&m))
    };
    let first = entries.iter().find(|e| theirs(e))?;
    // Field sets of different versions do not mix: the version is ours, or that of the newest entry.
    let base = entries.iter().find(|e| ours(e)).unwrap_or(first);
    let version = base.get("apiVersion").and_then(Json::as_str).unwrap_or("");
    let mut fields = Map::new();
    let same_version = |e: &&Json| (ours(e) || theirs(e)) && is(e, "apiVersion", version);
    for entry in entries.iter().filter(same_version) {
        merge(&mut fields, entry.get("fieldsV1")?.as_object()?, 0)?;
    }
    let mut taken = base.as_object()?.clone();
    taken.insert("manager".into(), manager.into());
    taken.insert("operation".into(), "Apply".into());
    taken.insert("fieldsV1".into(), Json::Object(fields));
    let rest = entries.iter().filter(|e| !ours(e) && !theirs(e)).cloned();
    Some(Json::Array(std::iter::once(Json::Object(taken)).chain(rest).collect()))
}

/// Adds a field set to another. A node that one set owns as a leaf and the other has children of is owned itself.
fn merge(into: &mut Map<String, Json>, from: &Map<String, Json>, depth: usize) -> Option<()> {
    if depth > MAX_DEPTH {
        return None;
    }
    for (key, inner) in from {
        let inner = inner.as_object()?;
        match into.get_mut(key) {
            None => {
                into.insert(key.clone(), Json::Object(inner.clone()));
            }
            Some(known) => {
                let known = known.as_object_mut()?;
                if known.is_empty() != inner.is_empty() {
                    known.insert(".".into(), Json::Object(Map::new()));
                }
                merge(known, inner, depth + 1)?;
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(manager: &str, operation: &str, version: &str, fields: Json) -> Json {
        json!({"manager": manager, "operation": operation, "apiVersion": version, "fieldsType": "FieldsV1",
            "time": "2026-01-01T00:00:00Z", "fieldsV1": fields})
    }

    fn live(entries: Json) -> Json {
        json!({"metadata": {"managedFields": entries}})
    }

    const CSA: &str = "kubectl-client-side-apply";

    #[test]
    fn the_old_entry_becomes_ours() {
        let got = take_over(
            &live(json!([
                entry(CSA, "Update", "v1", json!({"f:data": {".": {}, "f:a": {}}})),
                entry("edit", "Update", "v1", json!({"f:data": {"f:b": {}}})),
            ])),
            CLIENT_SIDE_MANAGERS,
            "sheave",
        );
        assert_eq!(
            got,
            Some(json!([
                entry("sheave", "Apply", "v1", json!({"f:data": {".": {}, "f:a": {}}})),
                entry("edit", "Update", "v1", json!({"f:data": {"f:b": {}}})),
            ]))
        );
    }

    #[test]
    fn our_entry_takes_the_old_one_in() {
        let got = take_over(
            &live(json!([
                entry("sheave", "Apply", "v1", json!({"f:data": {"f:a": {}, "f:n": {}}})),
                entry(CSA, "Update", "v1", json!({"f:data": {"f:b": {}, "f:n": {"f:x": {}}}, "f:k": {}})),
                entry(CSA, "Update", "v2", json!({"f:lost": {}})),
            ])),
            CLIENT_SIDE_MANAGERS,
            "sheave",
        );
        let fields = json!({"f:data": {"f:a": {}, "f:b": {}, "f:n": {".": {}, "f:x": {}}}, "f:k": {}});
        assert_eq!(got, Some(json!([entry("sheave", "Apply", "v1", fields)])));
    }

    #[test]
    fn who_keeps_a_copy_of_the_whole_applies_from_the_clients_side() {
        let copy = json!({"f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/last-applied-configuration": {}}}});
        let mut status = entry("status", "Update", "v1", copy.clone());
        status["subresource"] = json!("status");
        let object = live(json!([
            entry(CSA, "Update", "v1", json!({"f:data": {}})),
            entry(CSA, "Update", "v2", json!({"f:data": {}})),
            entry("terraform", "Update", "v1", copy.clone()),
            entry("kubectl", "Apply", "v1", copy),
            entry("edit", "Update", "v1", json!({"f:data": {}})),
            status,
            {"operation": "Update"},
        ]));
        assert_eq!(client_side_managers(&object), [CSA, "terraform"]);
        assert!(client_side_managers(&json!({"metadata": {"managedFields": 7}})).is_empty());
    }

    #[test]
    fn nothing_to_take_is_none() {
        let mut status = entry(CSA, "Update", "v1", json!({}));
        status["subresource"] = json!("status");
        for entries in [
            json!([]),
            json!(null),
            json!([entry("sheave", "Apply", "v1", json!({}))]),
            json!([entry(CSA, "Apply", "v1", json!({}))]),
            json!([status]),
            json!([entry(CSA, "Update", "v1", json!(7))]),
        ] {
            assert_eq!(take_over(&live(entries.clone()), CLIENT_SIDE_MANAGERS, "sheave"), None, "{entries}");
        }
    }
}
