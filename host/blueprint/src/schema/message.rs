//! What is wrong with a value, in words. A secret is never in them.

use sheave_model::{Diagnostic, Value, pointer};

use crate::codes;

/// One broken rule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Violation {
    pub(crate) code: &'static str,
    /// The value's pointer; of a missing or unknown key the key's own.
    pub(crate) pointer: String,
    /// `must be at least 1, found 0`.
    pub(crate) says: String,
    pub(crate) help: Option<String>,
    pub(crate) detail: Option<String>,
}

impl Violation {
    pub(super) fn new(code: &'static str, at: &str, says: impl Into<String>) -> Self {
        Self { code, pointer: at.to_owned(), says: says.into(), help: None, detail: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn into_diagnostic(self) -> Diagnostic {
        let summary = format!("{} {}", subject(&self.pointer), self.says);
        let mut out = Diagnostic::error(self.code, summary).pointing(self.pointer);
        out.help = self.help;
        out.detail = self.detail;
        out
    }

    /// Whether it is about a type at this very place.
    pub(super) fn is_type_at(&self, at: &str) -> bool {
        self.code == codes::TYPE_MISMATCH && self.pointer == at
    }
}

/// What a pointer names, as a sentence's subject: `replicas`, element 2 of `ports`.
fn subject(at: &str) -> String {
    let parts = pointer::parts(at).unwrap_or_default();
    let index = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match parts.as_slice() {
        [] => "the value".into(),
        [.., list, last] if index(last) => format!("element {last} of `{list}`"),
        [.., last] if index(last) => format!("element {last}"),
        [.., last] => format!("`{last}`"),
    }
}

/// `, found 3`; nothing where the value is secret, unknown or long.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => match value.to_json() {
            Some(json) => format!(", found {json}"),
            None => String::new(),
        },
        Value::Text(text) if text.chars().count() <= 60 && !text.contains('\n') => {
            format!(", found `{text}`")
        }
        _ => String::new(),
    }
}

/// A value of a schema, for people.
pub(super) fn shown(json: &serde_json::Value) -> String {
    match json {
        serde_json::Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

/// `a`, `b` or `c`.
pub(super) fn either(words: &[String]) -> String {
    match words {
        [] => "nothing".into(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
