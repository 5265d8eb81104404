//! The two forms in which a value may be written down.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Value;

/// The key of the one-field map that stands for a secret leaf in [`Masked`]: its value is a keyed digest.
pub const SECRET_LEAF: &str = "$secret";
/// The key of the one-field map that stands for an unknown leaf in [`Masked`]: its value is the unknown's id.
pub const UNKNOWN_LEAF: &str = "$unknown";

/// A value that is safe to show and to compare: a secret leaf is `{"$secret": "<keyed digest>"}`, an unknown leaf
/// `{"$unknown": "<id>"}` (`{"$unknown": "<id>", "$secret": true}` when it will be secret).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Masked(pub Arc<serde_json::Value>);

impl From<serde_json::Value> for Masked {
    fn from(json: serde_json::Value) -> Self {
        Self(Arc::new(json))
    }
}

impl Masked {
    /// Masks `value`; `digest` is the keyed digest of a secret's text.
    pub fn of(value: &Value, digest: &dyn Fn(&str) -> String) -> Self {
        let mut leaf = |leaf: &Value| -> Result<serde_json::Value, std::convert::Infallible> {
            Ok(match leaf {
                Value::Secret(s) => json!({ SECRET_LEAF: digest(s.expose()) }),
                Value::Unknown(u) if u.secret => json!({ UNKNOWN_LEAF: u.id, SECRET_LEAF: true }),
                Value::Unknown(u) => json!({ UNKNOWN_LEAF: u.id }),
                _ => serde_json::Value::Null,
            })
        };
        match value.to_json_with(&mut leaf) {
            Ok(json) => Self(Arc::new(json)),
            Err(never) => match never {},
        }
    }

    /// Whether a masked JSON node stands for a secret leaf.
    pub fn is_secret(node: &serde_json::Value) -> bool {
        node.as_object().is_some_and(|o| o.contains_key(SECRET_LEAF) && o.len() <= 2)
    }

    /// Whether a masked JSON node stands for an unknown leaf.
    pub fn is_unknown(node: &serde_json::Value) -> bool {
        node.as_object().is_some_and(|o| o.contains_key(UNKNOWN_LEAF) && o.len() <= 2)
    }
}

/// A value encrypted for the store: only the secrets crate makes and opens one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub serde_json::Value);
