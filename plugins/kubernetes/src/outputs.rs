//! What expressions may read of a live object: a table of names and places.

use sheave_sdk::{Value, json};

use crate::manifest::SLOT;

/// One output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) name: &'static str,
    from: Source,
    shape: Shape,
    /// It cannot change while the object lives.
    stable: bool,
    /// It is what was emitted, so it is known before there is anything live.
    given: bool,
    about: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    /// A JSON pointer into the live object; `*` stands for every item of a list.
    Place(&'static str),
    /// Texts with places in them, `${POINTER}`: the first of which all are there.
    Written(&'static [&'static str]),
    /// Made of several places.
    Made(fn(&Value) -> Value),
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
    /// A list of whole numbers.
    Integers,
    /// A map of texts.
    Map,
    /// Anything.
    Any,
}

pub(crate) const NAME: Output = Output::text("name", "/metadata/name", "The object's name.").stable().given();
pub(crate) const NAMESPACE: Output =
    Output::text("namespace", "/metadata/namespace", "The namespace that it stands in.").stable().given();
pub(crate) const UID: Output =
    Output::text("uid", "/metadata/uid", "The cluster's own identity of it.").stable();

impl Output {
    const fn new(name: &'static str, from: Source, shape: Shape, about: &'static str) -> Self {
        Self { name, from, shape, stable: false, given: false, about }
    }

    pub(crate) const fn text(name: &'static str, from: &'static str, about: &'static str) -> Self {
        Self::new(name, Source::Place(from), Shape::Text, about)
    }

    pub(crate) const fn integer(name: &'static str, from: &'static str, about: &'static str) -> Self {
        Self::new(name, Source::Place(from), Shape::Integer, about)
    }

    pub(crate) const fn texts(name: &'static str, from: &'static str, about: &'static str) -> Self {
        Self::new(name, Source::Place(from), Shape::Texts, about)
    }

    pub(crate) const fn integers(name: &'static str, from: &'static str, about: &'static str) -> Self {
        Self::new(name, Source::Place(from), Shape::Integers, about)
    }

    pub(crate) const fn map(name: &'static str, from: &'static str, about: &'static str) -> Self {
        Self::new(name, Source::Place(from), Shape::Map, about)
    }

    pub(crate) const fn any(name: &'static str, from: &'static str, about: &'static str) -> Self {
        Self::new(name, Source::Place(from), Shape::Any, about)
    }

    /// A text with places of the live object in it, `${POINTER}`, and empty where one of these is; of several the first that is
    /// not.
    pub(crate) const fn written(
        name: &'static str,
        texts: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self::new(name, Source::Written(texts), Shape::Text, about)
    }

    /// A text that is made of several places; `make` gives a text.
    pub(crate) const fn made(name: &'static str, make: fn(&Value) -> Value, about: &'static str) -> Self {
        Self::new(name, Source::Made(make), Shape::Text, about)
    }

    pub(crate) const fn stable(mut self) -> Self {
        self.stable = true;
        self
    }

    const fn given(mut self) -> Self {
        self.given = true;
        self
    }

    fn schema(&self) -> Value {
        let mut schema = match self.shape {
            Shape::Text => json!({"type": "string"}),
            Shape::Integer => json!({"type": "integer"}),
            Shape::Texts => json!({"type": "array", "items": {"type": "string"}}),
            Shape::Integers => json!({"type": "array", "items": {"type": "integer"}}),
            Shape::Map => json!({"type": "object", "additionalProperties": {"type": "string"}}),
            Shape::Any => json!({}),
        };
        schema["description"] = json!(self.about);
        if self.stable {
            schema["x-stable"] = json!(true);
        }
        // Where all outputs stand somewhere, the host need not ask for them.
        match self.from {
            Source::Place(at) => {
                schema["x-live"] = json!(format!("{SLOT}#{at}"));
                if self.given {
                    schema["x-emitted"] = json!(format!("{SLOT}#{at}"));
                }
            }
            Source::Written(texts) => {
                let texts: Vec<String> =
                    texts.iter().map(|text| text.replace("${", &format!("${{{SLOT}#"))).collect();
                schema["x-live"] = json!(texts);
            }
            Source::Made(_) => {}
        }
        schema
    }

    fn of(&self, live: &Value) -> Value {
        let from = match self.from {
            Source::Place(from) => from,
            Source::Written(texts) => return json!(first_written(texts, live)),
            Source::Made(make) => return make(live),
        };
        match self.shape {
            Shape::Texts | Shape::Integers => Value::Array(all(live, from)),
            shape => live.pointer(from).cloned().unwrap_or_else(|| match shape {
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

/// The text at a pointer; empty where there is none.
pub(crate) fn text<'a>(live: &'a Value, pointer: &str) -> &'a str {
    live.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Where a load balancer answers: an IP address, or a host name where it has none; empty before it has either.
pub(crate) const LOAD_BALANCER: &[&str] =
    &["${/status/loadBalancer/ingress/0/ip}", "${/status/loadBalancer/ingress/0/hostname}"];

/// The name that the cluster's DNS gives a Service; empty before it stands in a namespace.
pub(crate) fn service_host(service: &str, namespace: &str) -> String {
    if service.is_empty() || namespace.is_empty() {
        return String::new();
    }
    format!("{service}.{namespace}.svc")
}

/// The first of the texts of which every place holds a text, with what stands there; empty where there is none.
pub(crate) fn first_written(texts: &[&str], live: &Value) -> String {
    texts.iter().find_map(|text| written(text, live)).unwrap_or_default()
}

/// A text with what stands at its places; none where one of these is empty.
fn written(text: &str, live: &Value) -> Option<String> {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (at, after) = after.split_once('}')?;
        let value = self::text(live, at);
        if value.is_empty() {
            return None;
        }
        written.extend([before, value]);
        rest = after;
    }
    written.push_str(rest);
    Some(written)
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
            Output::integers("ports", "/spec/ports/*/port", ""),
            Output::map("data", "/data", ""),
            Output::made("host", |live| json!(service_host(text(live, "/metadata/name"), "ns")), ""),
            Output::written("url", &["https://${/a}", "http://${/metadata/name}.${/ns}/"], ""),
        ];
        assert_eq!(
            of(&table, &Value::Null),
            json!({"name": "", "ready": 0, "images": [], "ports": [], "data": {}, "host": "", "url": ""})
        );
        let live = json!({"metadata": {"name": "a"}, "status": {"ready": 2}, "data": {"k": "v"}, "ns": "b",
            "spec": {"containers": [{"image": "one"}, {"name": "none"}, {"image": "two"}], "ports": [{"port": 80}]}});
        assert_eq!(
            of(&table, &live),
            json!({"name": "a", "ready": 2, "images": ["one", "two"], "ports": [80], "data": {"k": "v"},
                "host": "a.ns.svc", "url": "http://a.b/"})
        );
    }

    #[test]
    fn a_load_balancer_has_an_ip_or_a_name() {
        for (ingress, expected) in [
            (json!([{"ip": "192.0.2.1", "hostname": "lb"}]), "192.0.2.1"),
            (json!([{"hostname": "lb.example.com"}]), "lb.example.com"),
            (json!([]), ""),
        ] {
            let live = json!({"status": {"loadBalancer": {"ingress": ingress}}});
            assert_eq!(first_written(LOAD_BALANCER, &live), expected);
            let table = [Output::written("address", LOAD_BALANCER, "")];
            assert_eq!(super::of(&table, &live), json!({"address": expected}));
        }
    }

    #[test]
    fn a_schema_says_where_outputs_stand() {
        let table = [
            NAME,
            Output::written("host", &["${/a}.${/b/c}", "x"], ""),
            Output::made("made", |_| json!(""), ""),
        ];
        let schema = schema(&table);
        let live = |name: &str| schema.pointer(&format!("/properties/{name}/x-live")).cloned();
        assert_eq!(live("name"), Some(json!("object#/metadata/name")));
        assert_eq!(live("host"), Some(json!(["${object#/a}.${object#/b/c}", "x"])));
        assert_eq!(live("made"), None);
    }
}
