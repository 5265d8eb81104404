//! Outputs of which a type's schema says where they stand in live objects (`x-live`): read without asking the plugin.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sheave_model::TypeSchema;

/// The outputs of a type of which each says where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveOutputs(Vec<LiveOutput>);

#[derive(Clone, Debug, PartialEq)]
struct LiveOutput {
    name: String,
    from: Source,
    /// Its value where the object has none.
    absent: Json,
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    Place(Place),
    /// The first of which all places are there.
    Texts(Vec<Vec<Piece>>),
}

/// `SLOT#POINTER`.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    slot: String,
    /// `*` stands for every item of a list.
    pointer: String,
}

/// Of a text with places in it, `${SLOT#POINTER}`.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Place(Place),
}

impl LiveOutputs {
    /// None where the plugin must be asked for at least one of them.
    pub(crate) fn of(schema: &TypeSchema) -> Option<Self> {
        let outputs = schema.outputs().get("properties").and_then(Json::as_object)?;
        let read = |(name, schema): (&String, &Json)| {
            let from = Source::of(schema.get("x-live")?)?;
            Some(LiveOutput { name: name.clone(), from, absent: absent(schema) })
        };
        let outputs: Vec<LiveOutput> = outputs.iter().map(read).collect::<Option<_>>()?;
        (!outputs.is_empty()).then_some(Self(outputs))
    }

    /// The outputs, by live objects in their slots.
    pub fn read(&self, live: &BTreeMap<&str, Json>) -> Json {
        let value = |output: &LiveOutput| {
            let value = output.from.read(live).unwrap_or_else(|| output.absent.clone());
            (output.name.clone(), value)
        };
        self.0.iter().map(value).collect()
    }
}

impl Source {
    fn of(said: &Json) -> Option<Self> {
        match said {
            Json::String(place) => Place::of(place).map(Self::Place),
            Json::Array(texts) => {
                let pieces = texts.iter().map(|text| pieces(text.as_str()?));
                pieces.collect::<Option<_>>().map(Self::Texts)
            }
            _ => None,
        }
    }

    fn read(&self, live: &BTreeMap<&str, Json>) -> Option<Json> {
        match self {
            Self::Place(place) => place.read(live),
            Self::Texts(texts) => texts.iter().find_map(|text| written(text, live)).map(Json::String),
        }
    }
}

impl Place {
    fn of(text: &str) -> Option<Self> {
        let (slot, pointer) = text.split_once('#')?;
        Some(Self { slot: slot.to_owned(), pointer: pointer.to_owned() })
    }

    fn read(&self, live: &BTreeMap<&str, Json>) -> Option<Json> {
        let object = live.get(self.slot.as_str())?;
        if self.pointer.contains("/*") {
            return Some(Json::Array(all(object, &self.pointer)));
        }
        object.pointer(&self.pointer).cloned()
    }
}

/// The pieces of a text with places in it.
fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (place, after) = after.split_once('}')?;
        pieces.extend([Piece::Text(before.to_owned()), Piece::Place(Place::of(place)?)]);
        rest = after;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Some(pieces)
}

/// A text with what stands at its places; none where one of these is no text, or empty.
fn written(text: &[Piece], live: &BTreeMap<&str, Json>) -> Option<String> {
    let mut written = String::new();
    for piece in text {
        match piece {
            Piece::Text(text) => written.push_str(text),
            Piece::Place(place) => match place.read(live)? {
                Json::String(text) if !text.is_empty() => written.push_str(&text),
                _ => return None,
            },
        }
    }
    Some(written)
}

/// What an output is that is not there: empty, and of the type that the schema says. An output that is no text before it is known
/// could not stand in the plan.
fn absent(schema: &Json) -> Json {
    match schema.get("type").and_then(Json::as_str) {
        Some("string") => json!(""),
        Some("integer" | "number") => json!(0),
        Some("boolean") => json!(false),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => Json::Null,
    }
}

/// Every value at a pointer with `*` for the items of lists.
fn all(value: &Json, pattern: &str) -> Vec<Json> {
    match pattern.split_once("/*") {
        None => value.pointer(pattern).cloned().into_iter().collect(),
        Some((list, rest)) => {
            let items = value.pointer(list).and_then(Json::as_array);
            items.into_iter().flatten().flat_map(|item| all(item, rest)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use sheave_model::{Role, TypeName};

    use super::*;

    fn of(outputs: Json) -> Option<LiveOutputs> {
        LiveOutputs::of(&TypeSchema {
            name: TypeName { plugin: "p".to_owned(), name: "T".to_owned() },
            role: Role::Emits,
            version: 1,
            summary: String::new(),
            schema: json!({"x-outputs": {"properties": outputs}}),
        })
    }

    #[test]
    fn each_value_is_taken_from_its_place() {
        let outputs = of(json!({
            "name": {"type": "string", "x-live": "main#/metadata/name"},
            "ready": {"type": "integer", "x-live": "main#/status/ready"},
            "images": {"type": "array", "x-live": "main#/spec/containers/*/image"},
            "whole": {"x-live": "other#"},
            "host": {"type": "string", "x-live": ["${other#/host}", "${main#/metadata/name}.${other#/kind}.svc"]},
            "nowhere": {"type": "string", "x-live": ["${main#/status/ready}", "a${main#/empty}"]},
        }))
        .unwrap();
        let main = json!({"metadata": {"name": "a"}, "status": {"ready": 2}, "empty": "",
            "spec": {"containers": [{"image": "one"}, {}, {"image": "two"}]}});
        let live = BTreeMap::from([("main", main), ("other", json!({"kind": "X"}))]);
        assert_eq!(
            outputs.read(&live),
            json!({"name": "a", "ready": 2, "images": ["one", "two"], "whole": {"kind": "X"},
                "host": "a.X.svc", "nowhere": ""})
        );
    }

    #[test]
    fn what_is_absent_is_empty_in_the_outputs_own_type() {
        let outputs = of(json!({
            "text": {"type": "string", "x-live": "s#/a"},
            "number": {"type": "integer", "x-live": "s#/b"},
            "flag": {"type": "boolean", "x-live": "s#/c"},
            "texts": {"type": "array", "x-live": "s#/d/*"},
            "map": {"type": "object", "x-live": "s#/e"},
            "any": {"x-live": "s#/f"},
        }))
        .unwrap();
        let empty = json!({"text": "", "number": 0, "flag": false, "texts": [], "map": {}, "any": null});
        assert_eq!(outputs.read(&BTreeMap::new()), empty);
        assert_eq!(outputs.read(&BTreeMap::from([("s", json!({}))])), empty);
    }

    #[test]
    fn one_that_does_not_say_where_it_stands_is_the_plugins_to_tell() {
        let said = json!({"type": "string", "x-live": "s#/a"});
        assert!(of(json!({"a": said})).is_some());
        assert_eq!(of(json!({"a": said, "b": {"type": "string"}})), None);
        for wrong in [json!("no place"), json!(["${main#/a"]), json!(["${main}"]), json!([1]), json!({})] {
            assert_eq!(of(json!({"a": said, "b": {"x-live": wrong}})), None, "{wrong}");
        }
        assert_eq!(of(json!({})), None, "nothing is told of its outputs");
    }
}
