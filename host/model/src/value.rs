//! What a property can hold: JSON's values, and at the leaves the two marks, *unknown* and *secret*.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::pointer;

/// A secret text: wiped when dropped, never printed, never serialised.
#[derive(Clone)]
pub struct SecretText(Arc<SecretString>);

impl SecretText {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Arc::new(SecretString::from(text)))
    }

    /// The text in clear. Call it where it leaves for its one rightful place, and nowhere else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for SecretText {}

impl Hash for SecretText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

/// What is known of an unknown's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownKind {
    /// It will be a text: it may travel as a token.
    Text,
    /// Anything else, or not known: what holds it is deferred.
    Other,
}

/// A leaf that is known only after apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Where it will come from, the same in every process: `web#/address`, `password:db`, or for an expression
    /// over unknowns `expr:` and a digest of the expression and what it reads.
    pub id: String,
    /// Whether it will be a text.
    pub kind: UnknownKind,
    /// It will be secret, too.
    pub secret: bool,
}

/// A value with marks on its leaves. Not serialisable: see [`crate::Masked`] and [`crate::Sealed`].
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// JSON's null.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A text that everybody may see.
    Text(String),
    /// A text that is secret.
    Secret(SecretText),
    /// Not known before apply.
    Unknown(Unknown),
    /// A list.
    List(Vec<Value>),
    /// A map from texts, in the order of its keys.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// An empty map.
    pub fn empty() -> Self {
        Self::Map(BTreeMap::new())
    }

    /// A JSON value, every leaf of it plain. Numbers beyond `i64` become floats.
    pub fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value as J;
        match json {
            J::Null => Self::Null,
            J::Bool(b) => Self::Bool(*b),
            J::Number(n) => n.as_i64().map_or_else(|| Self::Float(n.as_f64().unwrap_or(f64::NAN)), Self::Int),
            J::String(s) => Self::Text(s.clone()),
            J::Array(a) => Self::List(a.iter().map(Self::from_json).collect()),
            J::Object(o) => Self::Map(o.iter().map(|(k, v)| (k.clone(), Self::from_json(v))).collect()),
        }
    }

    /// JSON in which `leaf` chose what stands for each marked leaf. Floats that JSON cannot hold become null.
    pub fn to_json_with<E>(
        &self,
        leaf: &mut dyn FnMut(&Self) -> Result<serde_json::Value, E>,
    ) -> Result<serde_json::Value, E> {
        use serde_json::Value as J;
        Ok(match self {
            Self::Null => J::Null,
            Self::Bool(b) => J::Bool(*b),
            Self::Int(n) => J::from(*n),
            Self::Float(f) => J::from(*f),
            Self::Text(s) => J::String(s.clone()),
            Self::Secret(_) | Self::Unknown(_) => leaf(self)?,
            Self::List(l) => J::Array(l.iter().map(|v| v.to_json_with(leaf)).collect::<Result<_, E>>()?),
            Self::Map(m) => {
                let fields = m.iter().map(|(k, v)| Ok((k.clone(), v.to_json_with(leaf)?)));
                J::Object(fields.collect::<Result<_, E>>()?)
            }
        })
    }

    /// JSON, where no leaf is marked; none otherwise.
    pub fn to_json(&self) -> Option<serde_json::Value> {
        self.to_json_with(&mut |_| Err(())).ok()
    }

    /// The value at an RFC 6901 pointer.
    pub fn at(&self, at: &str) -> Option<&Self> {
        pointer::parts(at)?.iter().try_fold(self, |v, part| match v {
            Self::Map(m) => m.get(part),
            Self::List(l) => l.get(part.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// Calls `see` on every leaf (an empty list or map is one) with its pointer.
    pub fn each_leaf<'a>(&'a self, see: &mut dyn FnMut(&str, &'a Self)) {
        fn walk<'a>(value: &'a Value, at: &mut String, see: &mut dyn FnMut(&str, &'a Value)) {
            let depth = at.len();
            match value {
                Value::List(l) if !l.is_empty() => {
                    for (i, item) in l.iter().enumerate() {
                        pointer::push(at, &i.to_string());
                        walk(item, at, see);
                        at.truncate(depth);
                    }
                }
                Value::Map(m) if !m.is_empty() => {
                    for (key, item) in m {
                        pointer::push(at, key);
                        walk(item, at, see);
                        at.truncate(depth);
                    }
                }
                leaf => see(at, leaf),
            }
        }
        walk(self, &mut String::new(), see);
    }

    /// Whether any leaf is unknown.
    pub fn has_unknown(&self) -> bool {
        let mut found = false;
        self.each_leaf(&mut |_, leaf| found |= matches!(leaf, Self::Unknown(_)));
        found
    }

    /// Whether any leaf is secret, known or not.
    pub fn has_secret(&self) -> bool {
        let mut found = false;
        self.each_leaf(&mut |_, leaf| {
            found |= matches!(leaf, Self::Secret(_)) || matches!(leaf, Self::Unknown(u) if u.secret);
        });
        found
    }

    /// The word for its kind, as diagnostics use it.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Float(_) => "number",
            Self::Text(_) | Self::Secret(_) => "string",
            Self::Unknown(_) => "value known after apply",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_a_secret() {
        let value = Value::List(vec![Value::Secret(SecretText::new("hunter2".into()))]);
        assert!(!format!("{value:?}").contains("hunter2"));
    }

    #[test]
    fn leaves_have_pointers() {
        let value = Value::from_json(&serde_json::json!({"a/b": [1, {}], "c": null}));
        let mut seen = Vec::new();
        value.each_leaf(&mut |at, _| seen.push(at.to_owned()));
        assert_eq!(seen, ["/a~1b/0", "/a~1b/1", "/c"]);
        assert_eq!(value.at("/a~1b/0"), Some(&Value::Int(1)));
    }
}
