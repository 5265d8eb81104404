//! From what a plugin returned to a value: marks where tokens stand.

use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use sheave_model::{SecretText, Unknown, UnknownKind, Value, pointer};

use crate::key::hex;
use crate::table::{Meaning, Misplaced, Piece, TokenTable};

/// The value that `json` stands for.
///
/// A leaf that is a token becomes what the token stands for. A text with secrets in it becomes one secret leaf; a
/// text with an unknown in it an unknown leaf, whose id is the same wherever the same text is made of the same parts.
/// Whatever is not a whole token (a half, one in upper case) is text like any other.
///
/// # Errors
/// A key of a map has a token in it.
pub fn restore(table: &TokenTable, json: &Json) -> Result<Value, Misplaced> {
    walk(table, &mut String::new(), json)
}

fn walk(table: &TokenTable, at: &mut String, json: &Json) -> Result<Value, Misplaced> {
    let depth = at.len();
    Ok(match json {
        Json::String(text) => leaf(&table.pieces(text)),
        Json::Array(list) => {
            let mut items = Vec::with_capacity(list.len());
            for (i, item) in list.iter().enumerate() {
                pointer::push(at, &i.to_string());
                items.push(walk(table, at, item)?);
                at.truncate(depth);
            }
            Value::List(items)
        }
        Json::Object(map) => {
            let mut fields = std::collections::BTreeMap::new();
            for (name, item) in map {
                if table.occurs_in(name) {
                    return Err(Misplaced::TokenInKey { pointer: at.clone() });
                }
                pointer::push(at, name);
                fields.insert(name.clone(), walk(table, at, item)?);
                at.truncate(depth);
            }
            Value::Map(fields)
        }
        plain => Value::from_json(plain),
    })
}

/// The leaf that these pieces of one text make.
pub(crate) fn leaf(pieces: &[Piece<'_>]) -> Value {
    match pieces {
        [] => return Value::Text(String::new()),
        [Piece::Plain(text)] => return Value::Text((*text).to_owned()),
        [Piece::Token(entry)] => {
            return match &entry.meaning {
                Meaning::Secret(secret) => Value::Secret(secret.clone()),
                Meaning::Unknown(unknown) => Value::Unknown(unknown.clone()),
            };
        }
        _ => {}
    }
    let (mut text, mut unknown, mut secret) = (String::new(), false, false);
    for piece in pieces {
        match piece {
            Piece::Plain(plain) => text.push_str(plain),
            Piece::Token(entry) => {
                secret |= entry.meaning.is_secret();
                match &entry.meaning {
                    Meaning::Secret(value) => text.push_str(value.expose()),
                    Meaning::Unknown(_) => unknown = true,
                }
            }
        }
    }
    let whole = SecretText::new(text);
    if !unknown {
        return Value::Secret(whole);
    }
    Value::Unknown(Unknown { id: format!("text:{}", digest(pieces)), kind: UnknownKind::Text, secret })
}

/// Of the text as it is with tokens of the first family: no secret goes into it.
pub(crate) fn digest(pieces: &[Piece<'_>]) -> String {
    let mut hash = Sha256::new();
    for piece in pieces {
        match piece {
            Piece::Plain(text) => hash.update(text.as_bytes()),
            Piece::Token(entry) => hash.update(entry.first.as_bytes()),
        }
    }
    hex(&hash.finalize()[..16])
}

/// The pointer of the first leaf that is secret (known or not) where `allowed` says it may not be.
pub fn misplaced_secret(value: &Value, allowed: &dyn Fn(&str) -> bool) -> Option<String> {
    let mut found = None;
    value.each_leaf(&mut |at, leaf| {
        let secret = match leaf {
            Value::Secret(_) => true,
            Value::Unknown(unknown) => unknown.secret,
            _ => false,
        };
        if secret && found.is_none() && !allowed(at) {
            found = Some(at.to_owned());
        }
    });
    found
}
