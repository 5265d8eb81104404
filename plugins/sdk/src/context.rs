//! What a call is about: the instance, and the marks on its properties.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Diagnostic, Doc, Failure, Instance, Mark, MarkKind};

/// The resource that a call is about.
#[derive(Clone, Debug)]
pub struct Context {
    type_name: String,
    name: String,
    stack: String,
    settings: Value,
    unknown: HashSet<String>,
    secret: HashSet<String>,
}

impl Context {
    pub(crate) fn new(of: &Instance, marks: &[Mark]) -> Result<Self, Failure> {
        let of_kind =
            |kind| marks.iter().filter(|m| m.kind == kind).map(|m| m.pointer.clone()).collect::<HashSet<_>>();
        Ok(Self {
            type_name: of.type_name.clone(),
            name: of.name.clone(),
            stack: of.stack.clone(),
            // A plugin without settings may get none at all.
            settings: if of.settings.json.is_empty() { Value::Null } else { read(&of.settings)? },
            unknown: of_kind(MarkKind::Unknown),
            secret: of_kind(MarkKind::Secret),
        })
    }

    /// A context for tests of a plugin's own logic.
    pub fn for_test(type_name: &str, name: &str) -> Self {
        Self {
            type_name: type_name.to_owned(),
            name: name.to_owned(),
            stack: "test".to_owned(),
            settings: Value::Null,
            unknown: HashSet::new(),
            secret: HashSet::new(),
        }
    }

    /// The same with a leaf marked secret.
    #[must_use]
    pub fn with_secret(mut self, pointer: &str) -> Self {
        self.secret.insert(pointer.to_owned());
        self
    }

    /// The same with a leaf marked unknown.
    #[must_use]
    pub fn with_unknown(mut self, pointer: &str) -> Self {
        self.unknown.insert(pointer.to_owned());
        self
    }

    /// The type, as the plugin describes it.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The resource's address in its blueprint: `web`, `web[2]`, `db.primary["eu"]`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The stack's name.
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// The plugin's settings from the blueprint.
    ///
    /// # Errors
    /// They do not fit `T`.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        parse("sdk.bad-settings", self.settings.clone())
    }

    /// Whether the leaf at this pointer is known only after apply: it holds a token now.
    pub fn is_unknown(&self, pointer: &str) -> bool {
        self.unknown.contains(pointer)
    }

    /// Whether the leaf at this pointer is secret: it holds a token, here and always.
    pub fn is_secret(&self, pointer: &str) -> bool {
        self.secret.contains(pointer)
    }

    /// Whether a token stands at this pointer, or at one beneath it.
    pub fn has_token(&self, pointer: &str) -> bool {
        self.unknown.iter().chain(&self.secret).any(|marked| {
            marked.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// A document's JSON. The host writes it, so a fault here is the host's.
pub(crate) fn read(doc: &Doc) -> Result<Value, Failure> {
    serde_json::from_str(&doc.json)
        .map_err(|e| Failure::other("sdk.bad-document", "the host's document is not JSON", e.to_string()))
}

/// A document without marks: the host finds its tokens by itself.
pub(crate) fn doc(json: &Value) -> Doc {
    Doc { json: json.to_string(), marks: Vec::new() }
}

/// `json` as the author's type.
pub(crate) fn parse<T: DeserializeOwned>(code: &str, json: Value) -> Result<T, Failure> {
    serde_json::from_value(json).map_err(|e| {
        Failure::invalid(Diagnostic::error(code, "the properties do not fit the type").detail(e.to_string()))
    })
}

/// The author's type as JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value)
        .map_err(|e| Failure::other("sdk.bad-outputs", "a reply cannot be written as JSON", e.to_string()))
}
