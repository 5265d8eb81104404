//! `{id}` in paths and bodies.

use serde_json::Value;

pub(crate) const ID: &str = "{id}";

/// A path with the id in its place. Whoever chose the id, it stays one part of the path or, where the blueprint chose
/// it, the parts that it has.
pub(crate) fn path(template: &str, id: &str, chosen: bool) -> String {
    template.replace(ID, &encoded(id, chosen))
}

/// A body with the id in place of every text that is `{id}`.
pub(crate) fn body(template: &Value, id: &str) -> Value {
    match template {
        Value::String(text) if text == ID => Value::String(id.to_owned()),
        Value::Array(items) => items.iter().map(|item| body(item, id)).collect(),
        Value::Object(fields) => fields.iter().map(|(key, item)| (key.clone(), body(item, id))).collect(),
        other => other.clone(),
    }
}

fn encoded(id: &str, chosen: bool) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' | b':' => {
                out.push(char::from(byte))
            }
            b'/' if chosen => out.push('/'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    // A part that is all dots leads upwards, and the host refuses a path that does.
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_stays_one_part_of_the_path() {
        assert_eq!(path("/things/{id}/x", "a b", false), "/things/a%20b/x");
        assert_eq!(path("/things/{id}", "../../admin?x#y", false), "/things/..%2F..%2Fadmin%3Fx%23y");
        assert_eq!(path("/{id}", "dir/file.txt", true), "/dir/file.txt");
        assert_eq!(path("/{id}", "sha256:ab", false), "/sha256:ab");
        assert_eq!(path("/none", "x", false), "/none");
    }

    #[test]
    fn an_id_is_a_whole_text_of_a_body() {
        assert_eq!(body(&json!({"a": "{id}", "b": ["x{id}", 1]}), "7"), json!({"a": "7", "b": ["x{id}", 1]}));
    }
}
