//! Which properties force a replacement: those whose schema says `x-immutable`.

use serde_json::Value as Json;

use sheave_model::pointer;

/// How deep schemas are followed: `$ref` may be recursive.
const MAX_SCHEMA_DEPTH: usize = 32;

/// The pointers that `schema` marks `x-immutable`, `*` for the items of a list.
pub(crate) fn pointers(schema: &Json) -> Vec<String> {
    let mut found = Vec::new();
    walk(schema, schema, &mut String::new(), 0, &mut found);
    found
}

fn walk(root: &Json, node: &Json, at: &mut String, depth: usize, found: &mut Vec<String>) {
    if depth > MAX_SCHEMA_DEPTH {
        return;
    }
    if node.get("x-immutable").and_then(Json::as_bool) == Some(true) {
        found.push(at.clone());
        return;
    }
    if let Some(target) = node.get("$ref").and_then(Json::as_str)
        && let Some(target) = target.strip_prefix('#').and_then(|p| root.pointer(p))
    {
        walk(root, target, at, depth + 1, found);
    }
    if let Some(items) = node.get("items").filter(|items| items.is_object()) {
        let length = at.len();
        at.push_str("/*");
        walk(root, items, at, depth + 1, found);
        at.truncate(length);
    }
    if let Some(properties) = node.get("properties").and_then(Json::as_object) {
        for (name, child) in properties {
            let length = at.len();
            pointer::push(at, name);
            walk(root, child, at, depth + 1, found);
            at.truncate(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn finds_marks_behind_references_and_ends_on_cycles() {
        let schema = json!({
            "properties": {
                "spec": {"$ref": "#/$defs/Spec"},
                "path": {"type": "string", "x-immutable": true},
                "parts": {"items": {"properties": {"name": {"x-immutable": true}}}}
            },
            "$defs": {"Spec": {"properties": {"selector": {"x-immutable": true}, "again": {"$ref": "#/$defs/Spec"}}}}
        });
        let found = super::pointers(&schema);
        assert!(found.contains(&"/path".to_owned()) && found.contains(&"/parts/*/name".to_owned()));
        assert!(found.contains(&"/spec/selector".to_owned()));
    }
}
