//! What expressions may read of a live object: a table of names and places.

use sheave_sdk::{Value, json};

/// One output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) name: &'static str,
    /// A JSON pointer into the live object; `*` stands for every item of a list.
    from: &'static str,
    shape: Shape,
    /// It cannot change while the object lives.
    stable: bool,
    sensitive: bool,
    about: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    /// A text; empty where the object has none. Never null: an output that is no text before it is known could not
    /// stand in the plan.
    Text,
    /// A whole number; zero where the object has none, as Kubernetes leaves zeros out.
    Integer,
    /// A list of texts.
    Texts,
    /// A map of texts.
    Map,
    /// Anything.
    Any,
}

pub(crate) const NAME: Output = Output::text("name", "/metadata/name", "The object's name.").stable();
pub(crate) const NAMESPACE: Output =
    Output::text("namespace", "/metadata/namespace", "The namespace that it stands in.").stable();
pub(crate) const UID: Output =
    Output::text("uid", "/metadata/uid", "The cluster's own identity of it.").stable();

impl Output {
    const fn new(name: &'static str, from: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { name, from, shape, stable: false, sensitive: false, about }
    }

    pub(crate) const fn text(name: &'static str, from: &'static str, about: &'static str) -> Self {
        Self::new(name, from, Shape::Text, about)
    }

    pub(crate) const fn integer(name: &'static str, from: &'static str, about: &'static str) -> Self {
        Self::new(name, from, Shape::Integer, about)
    }

    pub(crate) const fn texts(name: &'static str, from: &'static str, about: &'static str) -> Self {
        Self::new(name, from, Shape::Texts, about)
    }

    pub(crate) const fn map(name: &'static str, from: &'static str, about: &'static str) -> Self {
        Self::new(name, from, Shape::Map, about)
    }

    pub(crate) const fn any(name: &'static str, from: &'static str, about: &'static str) -> Self {
        Self::new(name, from, Shape::Any, about)
    }

    const fn stable(mut self) -> Self {
        self.stable = true;
        self
    }

    #[expect(dead_code, reason = "for the kinds whose status holds something secret")]
    pub(crate) const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    fn schema(&self) -> Value {
        let mut schema = match self.shape {
            Shape::Text => json!({"type": "string"}),
            Shape::Integer => json!({"type": "integer"}),
            Shape::Texts => json!({"type": "array", "items": {"type": "string"}}),
            Shape::Map => json!({"type": "object", "additionalProperties": {"type": "string"}}),
            Shape::Any => json!({}),
        };
        schema["description"] = json!(self.about);
        for (keyword, holds) in [("x-stable", self.stable), ("x-sensitive", self.sensitive)] {
            if holds {
                schema[keyword] = json!(true);
            }
        }
        schema
    }

    fn of(&self, live: &Value) -> Value {
        match self.shape {
            Shape::Texts => Value::Array(all(live, self.from)),
            shape => live.pointer(self.from).cloned().unwrap_or_else(|| match shape {
                Shape::Text => json!(""),
                Shape::Integer => json!(0),
                Shape::Map => json!({}),
                _ => Value::Null,
            }),
        }
    }
}

/// The schema of a table's outputs.
pub(crate) fn schema(outputs: &[Output]) -> Value {
    let properties: sheave_sdk::Map<_, _> = outputs.iter().map(|o| (o.name.to_owned(), o.schema())).collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// What a table's outputs are for a live object; all empty where there is none.
pub(crate) fn of(outputs: &[Output], live: &Value) -> Value {
    outputs.iter().map(|o| (o.name.to_owned(), o.of(live))).collect()
}

/// Every value at a pointer with `*` for the items of lists.
fn all(value: &Value, pattern: &str) -> Vec<Value> {
    match pattern.split_once("/*") {
        None => value.pointer(pattern).cloned().into_iter().collect(),
        Some((list, rest)) => {
            let items = value.pointer(list).and_then(Value::as_array);
            items.into_iter().flatten().flat_map(|item| all(item, rest)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_empty() {
        let table = [
            NAME,
            Output::integer("ready", "/status/ready", ""),
            Output::texts("images", "/spec/containers/*/image", ""),
            Output::map("data", "/data", ""),
        ];
        assert_eq!(of(&table, &Value::Null), json!({"name": "", "ready": 0, "images": [], "data": {}}));
        let live = json!({"metadata": {"name": "a"}, "status": {"ready": 2}, "data": {"k": "v"},
            "spec": {"containers": [{"image": "one"}, {"name": "none"}, {"image": "two"}]}});
        assert_eq!(
            of(&table, &live),
            json!({"name": "a", "ready": 2, "images": ["one", "two"], "data": {"k": "v"}})
        );
    }
}
