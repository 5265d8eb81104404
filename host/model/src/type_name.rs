//! `plugin:Type`, as a blueprint writes a resource's type.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The type of a resource: the plugin's name in the blueprint, and the type that the plugin describes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeName {
    /// The key under the blueprint's `plugins`.
    pub plugin: String,
    /// The name that the plugin's `describe` gives.
    pub name: String,
}

impl TypeName {
    /// `plugin:name`.
    pub fn new(plugin: impl Into<String>, name: impl Into<String>) -> Self {
        Self { plugin: plugin.into(), name: name.into() }
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.plugin, self.name)
    }
}

/// A text that is not `plugin:Type`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a type: write `plugin:Type`, such as `kubernetes:Deployment`")]
pub struct TypeNameError(pub String);

impl FromStr for TypeName {
    type Err = TypeNameError;

    fn from_str(text: &str) -> Result<Self, TypeNameError> {
        match text.split_once(':') {
            Some((p, n)) if crate::address::is_name(p) && crate::address::is_name(n) => Ok(Self::new(p, n)),
            _ => Err(TypeNameError(text.to_owned())),
        }
    }
}

impl Serialize for TypeName {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TypeName {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
