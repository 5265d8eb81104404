//! Encryption at rest: a sealed value shows its plain leaves and hides its secret ones.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde_json::{Value as Json, json};
use sheave_model::{Diagnostic, Sealed, SecretText, Unknown, UnknownKind, Value};
use zeroize::Zeroizing;

use crate::key::{RandomSource, StackKey};

/// The key of the one-field map that holds a cipher text: `v1.<key id>.<base64url of nonce and cipher text>`.
const SEALED: &str = "$sealed";
/// The key of the one-field map that holds an unknown leaf.
const UNKNOWN: &str = "$unknown";
const VERSION: &str = "v1";
const NONCE_LEN: usize = 24;

/// Encrypts and decrypts what a stack stores: XChaCha20-Poly1305 under the stack's key, bound to the stack's name
/// and to what was sealed (leaf, text or bytes), so that a cipher text cannot be moved to another stack.
#[derive(Clone)]
pub struct Sealer {
    current: NamedKey,
    older: Vec<NamedKey>,
}

/// A key and its id.
type NamedKey = (String, StackKey);

/// What was sealed. It is authenticated: one is not opened as another.
#[derive(Clone, Copy)]
enum Purpose {
    Leaf,
    Text,
    Bytes,
}

impl Purpose {
    fn word(self) -> &'static [u8] {
        match self {
            Self::Leaf => b"leaf",
            Self::Text => b"text",
            Self::Bytes => b"bytes",
        }
    }
}

/// Why a sealed value cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It was sealed with a key that is not here.
    #[error("it was encrypted with another key (it names key {sealed_with}, here is {have})")]
    OtherKey {
        /// The id of the key that it was sealed with.
        sealed_with: String,
        /// The ids of the keys that are here.
        have: String,
    },
    /// The key is right and the text is not what was sealed: it was changed, or belongs to another stack.
    #[error("the encrypted value was changed since it was written, or belongs to another stack")]
    Tampered,
    /// Not the form of a sealed value.
    #[error("it does not have the form of an encrypted value: {0}")]
    Malformed(&'static str),
}

impl OpenError {
    /// As the CLI shows it.
    pub fn diagnostic(&self) -> Diagnostic {
        let (code, help) = match self {
            Self::OtherKey { .. } => (
                "secrets.other-key",
                "set SHEAVE_KEY, or the key file, to the key that was in use when the stack was last applied",
            ),
            Self::Tampered => ("secrets.tampered", "restore the state from a backup"),
            Self::Malformed(_) => ("secrets.malformed", "restore the state from a backup"),
        };
        Diagnostic::error(code, format!("a stored secret cannot be read: {self}")).with_help(help)
    }
}

impl Sealer {
    /// Seals and opens with this key.
    pub fn new(key: &StackKey) -> Self {
        Self { current: (key.seal_key_id(), key.clone()), older: Vec::new() }
    }

    /// Also opens what was sealed with an older key of the same stack.
    #[must_use]
    pub fn opening_also(mut self, old: &StackKey) -> Self {
        self.older.push((old.seal_key_id(), old.clone()));
        self
    }

    /// Seals the secret leaves of `value`; the others stay in clear. Keys that begin with `$` are written with one more,
    /// so that no user's map is taken for a marker.
    pub fn seal(&self, value: &Value, random: &mut dyn RandomSource) -> Sealed {
        Sealed(self.seal_value(value, random))
    }

    /// What was given to [`Sealer::seal`].
    ///
    /// # Errors
    /// Another key, a changed text, a form that is not ours.
    pub fn open(&self, sealed: &Sealed) -> Result<Value, OpenError> {
        self.open_value(&sealed.0)
    }

    /// Seals a text.
    pub fn seal_text(&self, text: &str, random: &mut dyn RandomSource) -> Sealed {
        Sealed(json!({ SEALED: self.encrypt(Purpose::Text, text.as_bytes(), random) }))
    }

    /// What was given to [`Sealer::seal_text`].
    ///
    /// # Errors
    /// As [`Sealer::open`].
    pub fn open_text(&self, sealed: &Sealed) -> Result<SecretText, OpenError> {
        text(self.decrypt(Purpose::Text, cipher_text(&sealed.0)?)?)
    }

    /// Seals bytes.
    pub fn seal_bytes(&self, bytes: &[u8], random: &mut dyn RandomSource) -> Sealed {
        Sealed(json!({ SEALED: self.encrypt(Purpose::Bytes, bytes, random) }))
    }

    /// What was given to [`Sealer::seal_bytes`].
    ///
    /// # Errors
    /// As [`Sealer::open`].
    pub fn open_bytes(&self, sealed: &Sealed) -> Result<Vec<u8>, OpenError> {
        Ok(std::mem::take(&mut *self.decrypt(Purpose::Bytes, cipher_text(&sealed.0)?)?))
    }

    /// Whether anything in it was sealed with an older key, so that rotation has to seal it again.
    pub fn is_stale(&self, sealed: &Sealed) -> bool {
        fn stale(node: &Json, current: &str) -> bool {
            match node {
                Json::Array(list) => list.iter().any(|item| stale(item, current)),
                Json::Object(map) => match map.get(SEALED) {
                    Some(Json::String(text)) => text.split('.').nth(1) != Some(current),
                    _ => map.values().any(|item| stale(item, current)),
                },
                _ => false,
            }
        }
        stale(&sealed.0, &self.current.0)
    }

    /// The same value sealed with the current key, whatever it was that was sealed.
    ///
    /// # Errors
    /// As [`Sealer::open`].
    pub fn reseal(&self, sealed: &Sealed, random: &mut dyn RandomSource) -> Result<Sealed, OpenError> {
        if let Ok(whole) = cipher_text(&sealed.0) {
            for purpose in [Purpose::Text, Purpose::Bytes] {
                match self.decrypt(purpose, whole) {
                    Ok(bytes) => return Ok(Sealed(json!({ SEALED: self.encrypt(purpose, &bytes, random) }))),
                    Err(OpenError::Tampered) => {}
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(self.seal(&self.open(sealed)?, random))
    }

    fn keys(&self) -> impl Iterator<Item = &NamedKey> {
        std::iter::once(&self.current).chain(&self.older)
    }

    fn seal_value(&self, value: &Value, random: &mut dyn RandomSource) -> Json {
        match value {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Int(n) => Json::from(*n),
            Value::Float(f) => Json::from(*f),
            Value::Text(s) => Json::String(s.clone()),
            Value::Secret(secret) => {
                json!({ SEALED: self.encrypt(Purpose::Leaf, secret.expose().as_bytes(), random) })
            }
            Value::Unknown(unknown) => {
                let text = unknown.kind == UnknownKind::Text;
                json!({ UNKNOWN: { "id": unknown.id, "text": text, "secret": unknown.secret } })
            }
            Value::List(list) => list.iter().map(|item| self.seal_value(item, random)).collect(),
            Value::Map(map) => {
                let escaped = |name: &String| {
                    if name.starts_with('$') { format!("${name}") } else { name.clone() }
                };
                map.iter().map(|(name, item)| (escaped(name), self.seal_value(item, random))).collect()
            }
        }
    }

    fn open_value(&self, node: &Json) -> Result<Value, OpenError> {
        match node {
            Json::Array(list) => {
                Ok(Value::List(list.iter().map(|item| self.open_value(item)).collect::<Result<_, _>>()?))
            }
            Json::Object(map) => {
                if map.contains_key(SEALED) {
                    return Ok(Value::Secret(text(self.decrypt(Purpose::Leaf, cipher_text(node)?)?)?));
                }
                if let (Some(unknown), 1) = (map.get(UNKNOWN), map.len()) {
                    return open_unknown(unknown).map(Value::Unknown);
                }
                let mut fields = BTreeMap::new();
                for (name, item) in map {
                    let name = match name.strip_prefix('$') {
                        Some(rest) if rest.starts_with('$') => rest,
                        Some(_) => return Err(OpenError::Malformed("a marker that is not known")),
                        None => name,
                    };
                    fields.insert(name.to_owned(), self.open_value(item)?);
                }
                Ok(Value::Map(fields))
            }
            plain => Ok(Value::from_json(plain)),
        }
    }

    fn encrypt(&self, purpose: Purpose, plain: &[u8], random: &mut dyn RandomSource) -> String {
        let (id, key) = &self.current;
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let bound = bound_to(key.stack(), purpose);
        #[expect(
            clippy::expect_used,
            reason = "fails only beyond 256 GiB, which no value in memory here reaches"
        )]
        let cipher_text = XChaCha20Poly1305::new(key.seal_key().into())
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &bound })
            .expect("the text is far below the cipher's limit");
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&cipher_text);
        format!("{VERSION}.{id}.{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    fn decrypt(&self, purpose: Purpose, sealed: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let mut parts = sealed.splitn(3, '.');
        let (Some(VERSION), Some(id), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(OpenError::Malformed("version, key id and text were expected"));
        };
        let Some((_, key)) = self.keys().find(|(have, _)| have == id) else {
            let have: Vec<_> = self.keys().map(|(id, _)| id.as_str()).collect();
            return Err(OpenError::OtherKey { sealed_with: id.to_owned(), have: have.join(", ") });
        };
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| OpenError::Malformed("it is not base64"))?;
        let Some((nonce, cipher_text)) = bytes.split_first_chunk::<NONCE_LEN>() else {
            return Err(OpenError::Malformed("it is too short"));
        };
        let bound = bound_to(key.stack(), purpose);
        XChaCha20Poly1305::new(key.seal_key().into())
            .decrypt(&XNonce::from(*nonce), Payload { msg: cipher_text, aad: &bound })
            .map(Zeroizing::new)
            .map_err(|_| OpenError::Tampered)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys().map(|(id, _)| id)).finish()
    }
}

/// What the cipher text is bound to besides its key.
fn bound_to(stack: &str, purpose: Purpose) -> Vec<u8> {
    let mut bound = b"sheave.seal.v1".to_vec();
    for part in [stack.as_bytes(), purpose.word()] {
        bound.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bound.extend_from_slice(part);
    }
    bound
}

fn cipher_text(node: &Json) -> Result<&str, OpenError> {
    match node {
        Json::Object(map) if map.len() == 1 => map.get(SEALED).and_then(Json::as_str),
        _ => None,
    }
    .ok_or(OpenError::Malformed("a map with one text in it was expected"))
}

fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<SecretText, OpenError> {
    String::from_utf8(std::mem::take(&mut *bytes))
        .map(SecretText::new)
        .map_err(|_| OpenError::Malformed("it is not text"))
}

fn open_unknown(node: &Json) -> Result<Unknown, OpenError> {
    let flag = |name| node.get(name).and_then(Json::as_bool);
    match (node.get("id").and_then(Json::as_str), flag("text"), flag("secret")) {
        (Some(id), Some(text), Some(secret)) => {
            let kind = if text { UnknownKind::Text } else { UnknownKind::Other };
            Ok(Unknown { id: id.to_owned(), kind, secret })
        }
        _ => Err(OpenError::Malformed("an unknown leaf without its id")),
    }
}
