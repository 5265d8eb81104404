//! Rendering twice: what differs beyond the tokens themselves was computed from one.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sheave_model::{Diagnostic, Unknown, UnknownKind, Value, pointer};

use crate::restore;
use crate::table::TokenTable;

/// What two renders of the same properties, made with tokens of different families, say together.
#[derive(Clone, Debug, PartialEq)]
pub enum Comparison {
    /// The value that they agree on. A leaf that was computed from an unknown is unknown in it.
    Same(Value),
    /// A leaf was computed from a secret's token (a digest, a piece, another case): its real value cannot be made.
    ComputedFromSecret {
        /// Where.
        pointer: String,
    },
    /// The two have different keys, lengths or kinds: how many there are was computed from an unknown.
    ShapeDiffers {
        /// Where.
        pointer: String,
    },
    /// A key of a map has a token in it.
    TokenInKey {
        /// Where the map is.
        pointer: String,
    },
    /// The tokens were the same and the renders were not: the plugin breaks its promise.
    Unstable {
        /// Where.
        pointer: String,
    },
}

impl Comparison {
    /// What to tell the user; none for what is no fault ([`Comparison::Same`], and [`Comparison::ShapeDiffers`]
    /// where an unknown is the cause: the caller defers).
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        let (code, summary, help, at) = match self {
            Self::Same(_) | Self::ShapeDiffers { .. } => return None,
            Self::ComputedFromSecret { pointer } => (
                "plugin.computed-from-secret",
                "the plugin computed this value from a secret, which it cannot see",
                "a plugin may place a secret, whole or inside text, and nothing else; compute the value in the blueprint",
                pointer,
            ),
            Self::TokenInKey { pointer } => (
                "plugin.token-in-key",
                "the plugin made a map's key of a value that is secret or not known yet",
                "only values can be secret or known after apply; choose a key that is neither",
                pointer,
            ),
            Self::Unstable { pointer } => (
                "plugin.not-deterministic",
                "the plugin rendered the same properties twice and gave different results",
                "a plugin may use nothing but its properties; tell its author",
                pointer,
            ),
        };
        Some(Diagnostic::error(code, summary).with_help(help).pointing(at.as_str()))
    }
}

/// Compares a render made with [`Family::First`](crate::Family::First) with one made with another family.
///
/// Tokens whose family is the same in both tables are no suspects. Where both secrets and unknowns varied, a
/// difference is blamed on a secret, to be safe: see [`TokenTable::families_to_compare`].
pub fn compare(first: (&Json, &TokenTable), second: (&Json, &TokenTable)) -> Comparison {
    let suspects = Suspects::of(first.1, second.1);
    let comparer = Comparer { first: first.1, second: second.1, suspects };
    match comparer.walk(&mut String::new(), first.0, second.0) {
        Ok(value) => Comparison::Same(value),
        Err(fault) => fault,
    }
}

/// What is to be said where two such renders have different objects, or frame them differently.
pub fn frames_differ(first: &TokenTable, second: &TokenTable) -> Comparison {
    Suspects::of(first, second).shape("")
}

/// What had different tokens in the two renders.
#[derive(Clone, Copy, Default)]
struct Suspects {
    secret: bool,
    unknown: bool,
}

impl Suspects {
    fn of(first: &TokenTable, second: &TokenTable) -> Self {
        let mut suspects = Self::default();
        for (mine, others) in [(first, second), (second, first)] {
            for (_, entry) in mine.entries().filter(|(token, _)| !others.knows(token)) {
                suspects.secret |= entry.meaning.is_secret();
                suspects.unknown |= !entry.meaning.is_secret();
            }
        }
        suspects
    }

    /// What a difference in shape comes from: a shape that hangs on a secret stays unknown for good.
    fn shape(self, at: &str) -> Comparison {
        let pointer = at.to_owned();
        match self {
            Self { secret: true, .. } => Comparison::ComputedFromSecret { pointer },
            Self { unknown: true, .. } => Comparison::ShapeDiffers { pointer },
            _ => Comparison::Unstable { pointer },
        }
    }
}

struct Comparer<'a> {
    first: &'a TokenTable,
    second: &'a TokenTable,
    suspects: Suspects,
}

impl Comparer<'_> {
    fn walk(&self, at: &mut String, first: &Json, second: &Json) -> Result<Value, Comparison> {
        let depth = at.len();
        match (first, second) {
            (Json::Array(a), Json::Array(b)) => {
                if a.len() != b.len() {
                    return Err(self.suspects.shape(at));
                }
                let mut items = Vec::with_capacity(a.len());
                for (i, (x, y)) in a.iter().zip(b).enumerate() {
                    pointer::push(at, &i.to_string());
                    items.push(self.walk(at, x, y)?);
                    at.truncate(depth);
                }
                Ok(Value::List(items))
            }
            (Json::Object(a), Json::Object(b)) => {
                let tokens = a.keys().any(|k| self.first.occurs_in(k));
                if tokens || b.keys().any(|k| self.second.occurs_in(k)) {
                    return Err(Comparison::TokenInKey { pointer: at.clone() });
                }
                if a.len() != b.len() {
                    return Err(self.suspects.shape(at));
                }
                let mut fields = BTreeMap::new();
                for (name, x) in a {
                    let y = b.get(name).ok_or_else(|| self.suspects.shape(at))?;
                    pointer::push(at, name);
                    fields.insert(name.clone(), self.walk(at, x, y)?);
                    at.truncate(depth);
                }
                Ok(Value::Map(fields))
            }
            (Json::Array(_) | Json::Object(_), _) | (_, Json::Array(_) | Json::Object(_)) => {
                Err(self.suspects.shape(at))
            }
            _ => self.leaf(at, first, second),
        }
    }

    fn leaf(&self, at: &str, first: &Json, second: &Json) -> Result<Value, Comparison> {
        let kind = match (first, second) {
            (Json::String(a), Json::String(b)) => {
                let pieces = self.first.pieces(a);
                if pieces == self.second.pieces(b) {
                    return Ok(restore::leaf(&pieces));
                }
                UnknownKind::Text
            }
            (a, b) if a == b => return Ok(Value::from_json(a)),
            _ => UnknownKind::Other,
        };
        let pointer = || at.to_owned();
        match self.suspects {
            Suspects { secret: true, .. } => Err(Comparison::ComputedFromSecret { pointer: pointer() }),
            Suspects { unknown: false, .. } => Err(Comparison::Unstable { pointer: pointer() }),
            _ => {
                let text = match first {
                    Json::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let id = format!("computed:{}", restore::digest(&self.first.pieces(&text)));
                Ok(Value::Unknown(Unknown { id, kind, secret: false }))
            }
        }
    }
}
