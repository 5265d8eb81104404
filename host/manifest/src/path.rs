//! Places in an object: as a pointer, as people read them, and as the API server writes them.

use serde_json::Value as Json;
use sheave_model::pointer;

/// The place where a walk stands.
pub(crate) struct At<'a> {
    /// RFC 6901.
    pub(crate) pointer: String,
    /// `spec.template.spec.containers[app].image`.
    pub(crate) path: String,
    /// The names of the fields; empty for list items.
    pub(crate) names: Vec<&'a str>,
}

/// What to go back to.
pub(crate) struct Mark {
    pointer: usize,
    path: usize,
}

impl<'a> At<'a> {
    pub(crate) fn root() -> Self {
        Self { pointer: String::new(), path: String::new(), names: Vec::new() }
    }

    pub(crate) fn enter_field(&mut self, name: &'a str) -> Mark {
        let mark = self.mark();
        pointer::push(&mut self.pointer, name);
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '$');
        if plain && !name.is_empty() {
            if !self.path.is_empty() {
                self.path.push('.');
            }
            self.path.push_str(name);
        } else {
            self.path.push_str(&format!("[{}]", Json::from(name)));
        }
        self.names.push(name);
        mark
    }

    pub(crate) fn enter_item(&mut self, index: usize, label: &str) -> Mark {
        let mark = self.mark();
        pointer::push(&mut self.pointer, &index.to_string());
        self.path.push_str(&format!("[{label}]"));
        self.names.push("");
        mark
    }

    fn mark(&self) -> Mark {
        Mark { pointer: self.pointer.len(), path: self.path.len() }
    }

    pub(crate) fn leave(&mut self, mark: &Mark) {
        self.pointer.truncate(mark.pointer);
        self.path.truncate(mark.path);
        self.names.pop();
    }
}

/// Finds the field that the API server names as in a conflict: `.spec.template.spec.containers[name="app"].image`.
/// Gives its pointer and value in `obj`; none where the object has no such field.
pub fn locate<'a>(field: &str, obj: &'a Json) -> Option<(String, &'a Json)> {
    let mut at = String::new();
    let mut value = obj;
    let mut rest = field;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            // Names are not escaped there, and labels hold dots: the longest name that fits is meant.
            let fields = value.as_object()?;
            let fits = |name: &&String| {
                after
                    .strip_prefix(name.as_str())
                    .is_some_and(|tail| tail.is_empty() || tail.starts_with(['.', '[']))
            };
            let name = fields.keys().filter(fits).max_by_key(|name| name.len())?;
            pointer::push(&mut at, name);
            value = &fields[name];
            rest = &after[name.len()..];
        } else {
            let inside = rest.strip_prefix('[')?;
            let (index, tail) = item(inside, value.as_array()?)?;
            pointer::push(&mut at, &index.to_string());
            value = value.get(index)?;
            rest = tail;
        }
    }
    Some((at, value))
}

/// The index that `0]`, `="value"]` or `key="value",other=1]` means, and what follows.
fn item<'t>(text: &'t str, items: &[Json]) -> Option<(usize, &'t str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if digits > 0 && text[digits..].starts_with(']') {
        return Some((text[..digits].parse().ok()?, &text[digits + 1..]));
    }
    let mut wanted: Vec<(&str, Json)> = Vec::new();
    let mut rest = text;
    loop {
        let (key, after) = rest.split_once('=')?;
        let mut values = serde_json::Deserializer::from_str(after).into_iter::<Json>();
        let value = values.next()?.ok()?;
        wanted.push((key, value));
        rest = &after[values.byte_offset()..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => break,
        }
    }
    let rest = rest.strip_prefix(']')?;
    let matches = |item: &Json| {
        wanted.iter().all(|(key, value)| match *key {
            "" => item == value,
            key => item.get(key).map_or(key == "protocol" && value == "TCP", |v| v == value),
        })
    };
    Some((items.iter().position(matches)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn locates_what_the_server_names() {
        let obj = json!({
            "metadata": {"labels": {"app": "x", "app.kubernetes.io/name": "y"}, "finalizers": ["a/b"]},
            "spec": {"replicas": 2, "template": {"spec": {"containers": [
                {"name": "side"},
                {"name": "app", "image": "i", "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]},
            ]}}, "args": ["p", "q"]},
        });
        for (field, at) in [
            (".spec.replicas", "/spec/replicas"),
            (".metadata.labels.app.kubernetes.io/name", "/metadata/labels/app.kubernetes.io~1name"),
            (".metadata.labels.app", "/metadata/labels/app"),
            (".metadata.finalizers[=\"a/b\"]", "/metadata/finalizers/0"),
            (".spec.args[1]", "/spec/args/1"),
            (".spec.template.spec.containers[name=\"app\"].image", "/spec/template/spec/containers/1/image"),
            (
                ".spec.template.spec.containers[name=\"app\"].ports[containerPort=80,protocol=\"TCP\"].containerPort",
                "/spec/template/spec/containers/1/ports/0/containerPort",
            ),
            (
                ".spec.template.spec.containers[name=\"app\"].ports[containerPort=80,protocol=\"UDP\"]",
                "/spec/template/spec/containers/1/ports/1",
            ),
        ] {
            let (found, value) = locate(field, &obj).unwrap_or_else(|| panic!("{field}"));
            assert_eq!((found.as_str(), Some(value)), (at, obj.pointer(at)));
        }
        for field in
            [".spec.x", "spec", ".spec.args[9]", ".spec.args[", ".spec[name=\"x\"]", ".spec.args[k=1]"]
        {
            assert_eq!(locate(field, &obj), None, "{field}");
        }
    }

    #[test]
    fn paths_read_well() {
        let mut at = At::root();
        at.enter_field("metadata");
        at.enter_field("labels");
        let mark = at.enter_field("app.kubernetes.io/name");
        assert_eq!(at.path, r#"metadata.labels["app.kubernetes.io/name"]"#);
        at.leave(&mark);
        at.enter_item(3, "app");
        assert_eq!((at.path.as_str(), at.pointer.as_str()), ("metadata.labels[app]", "/metadata/labels/3"));
    }

    proptest! {
        #[test]
        fn never_panics(field in "[.\\[\\]=\",a0é]{0,30}") {
            let _ = locate(&field, &json!({"a": [{"a": "a"}, "é"], "": {"é": [0]}}));
        }
    }
}
