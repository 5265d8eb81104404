//! From a value to the JSON that a plugin sees: tokens where it may not see.

use serde_json::Value as Json;
use sheave_model::{UnknownKind, Value, pointer};

use crate::key::StackKey;
use crate::table::{Entry, Meaning, Misplaced, TokenTable, first_token, second_token};

/// Which set of tokens. What a plugin renders with the first is used; the others find what it computed from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The tokens that plans, caches and state hold.
    First,
    /// Other tokens for all.
    Second,
    /// Other tokens for what is secret (known or not); the first for the rest.
    SecondSecrets,
    /// Other tokens for what is unknown and not secret; the first for the rest.
    SecondUnknowns,
}

/// Why a leaf holds a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// It is known only after apply.
    Unknown,
    /// Nobody may see it.
    Secret,
}

/// Properties as a plugin gets them.
#[derive(Clone, Debug)]
pub struct Minted {
    /// JSON with tokens.
    pub json: Json,
    /// The leaves that hold one, as RFC 6901 pointers. A leaf can be there twice, once for each mark.
    pub marks: Vec<(String, MarkKind)>,
    /// What the tokens stand for.
    pub tokens: TokenTable,
}

/// JSON of `value` for `plugin`, a token at each marked leaf.
///
/// A token is the same for the same key, plugin and secret (or unknown), in every process. It is safe as a DNS label.
///
/// # Errors
/// An unknown leaf that will not be a text: no token can stand for it, the caller defers.
pub fn mint(key: &StackKey, plugin: &str, value: &Value, family: Family) -> Result<Minted, Misplaced> {
    let mut minter = Minter { key, plugin, family, marks: Vec::new(), tokens: TokenTable::default() };
    let json = minter.convert(&mut String::new(), value)?;
    Ok(Minted { json, marks: minter.marks, tokens: minter.tokens })
}

impl TokenTable {
    /// The families to render with again after [`Family::First`]: as many as it takes to tell what was computed
    /// from a secret from what was computed from an unknown. None where there is no token.
    pub fn families_to_compare(&self) -> &'static [Family] {
        let secret = self.entries().any(|(_, e)| e.meaning.is_secret());
        let unknown = self.entries().any(|(_, e)| !e.meaning.is_secret());
        match (secret, unknown) {
            (false, false) => &[],
            (true, true) => &[Family::SecondSecrets, Family::SecondUnknowns],
            _ => &[Family::Second],
        }
    }
}

struct Minter<'a> {
    key: &'a StackKey,
    plugin: &'a str,
    family: Family,
    marks: Vec<(String, MarkKind)>,
    tokens: TokenTable,
}

impl Minter<'_> {
    fn convert(&mut self, at: &mut String, value: &Value) -> Result<Json, Misplaced> {
        let depth = at.len();
        Ok(match value {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Int(n) => Json::from(*n),
            Value::Float(f) => Json::from(*f),
            Value::Text(s) => Json::String(s.clone()),
            Value::Secret(secret) => {
                self.marks.push((at.clone(), MarkKind::Secret));
                Json::String(self.token(Meaning::Secret(secret.clone())))
            }
            Value::Unknown(unknown) => {
                if unknown.kind != UnknownKind::Text {
                    return Err(Misplaced::UnknownLeaf { pointer: at.clone() });
                }
                self.marks.push((at.clone(), MarkKind::Unknown));
                if unknown.secret {
                    self.marks.push((at.clone(), MarkKind::Secret));
                }
                Json::String(self.token(Meaning::Unknown(unknown.clone())))
            }
            Value::List(list) => {
                let mut items = Vec::with_capacity(list.len());
                for (i, item) in list.iter().enumerate() {
                    pointer::push(at, &i.to_string());
                    items.push(self.convert(at, item)?);
                    at.truncate(depth);
                }
                Json::Array(items)
            }
            Value::Map(map) => {
                let mut fields = serde_json::Map::new();
                for (name, item) in map {
                    pointer::push(at, name);
                    fields.insert(name.clone(), self.convert(at, item)?);
                    at.truncate(depth);
                }
                Json::Object(fields)
            }
        })
    }

    fn token(&mut self, meaning: Meaning) -> String {
        let plugin = self.plugin.as_bytes();
        let bytes = match &meaning {
            Meaning::Secret(secret) => self.key.token_bytes(&[b"secret", plugin, secret.expose().as_bytes()]),
            Meaning::Unknown(unknown) => self.key.token_bytes(&[
                b"unknown",
                plugin,
                unknown.id.as_bytes(),
                &[u8::from(unknown.secret)],
            ]),
        };
        let first = first_token(&bytes);
        let other = match self.family {
            Family::First => false,
            Family::Second => true,
            Family::SecondSecrets => meaning.is_secret(),
            Family::SecondUnknowns => !meaning.is_secret(),
        };
        let token = if other { second_token(&first) } else { first.clone() };
        self.tokens.insert(token.clone(), Entry { meaning, first });
        token
    }
}
