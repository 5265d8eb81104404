//! The marks of operands, and the unknowns that are derived from unknowns.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use sheave_model::{Unknown, UnknownKind, Value};

use super::session::Session;

/// The marks found on the leaves of some values.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// The ids of the unknown leaves.
    pub(super) ids: BTreeSet<String>,
    /// Whether a leaf is secret, known or not.
    pub(super) secret: bool,
}

impl Marks {
    pub(super) fn of<'v>(values: impl IntoIterator<Item = &'v Value>) -> Self {
        let mut marks = Self::default();
        values.into_iter().for_each(|v| marks.see(v));
        marks
    }

    /// Takes in the marks of a value's leaves.
    pub(super) fn see(&mut self, value: &Value) {
        match value {
            Value::Unknown(u) => {
                self.ids.insert(u.id.clone());
                self.secret |= u.secret;
            }
            Value::Secret(_) => self.secret = true,
            Value::List(items) => items.iter().for_each(|v| self.see(v)),
            Value::Map(entries) => entries.values().for_each(|v| self.see(v)),
            _ => {}
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        !self.ids.is_empty()
    }
}

/// Where in a blueprint a value is derived: what makes the ids of unknowns the same in every process and
/// different for different values.
pub(super) struct Site(Sha256);

impl Site {
    pub(super) fn new(session: &Session<'_>, in_each: bool) -> Self {
        let mut site = Self(Sha256::new());
        site.text(session.scope.map_or("", |s| s.module));
        let key = session.scope.and_then(|s| s.each.as_ref()).filter(|_| in_each);
        match key.map(|(key, _)| key) {
            Some(Value::Text(key)) => site.text(&format!("key {key}")),
            Some(Value::Int(n)) => site.text(&format!("index {n}")),
            _ => site.text(""),
        }
        site
    }

    /// Takes in a text, so that no two sequences of texts are the same.
    pub(super) fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
    }

    pub(super) fn number(&mut self, number: u64) {
        self.0.update(number.to_be_bytes());
    }

    /// The unknown that comes of unknowns here.
    pub(super) fn unknown(mut self, marks: &Marks, kind: UnknownKind) -> Value {
        for id in &marks.ids {
            self.text(id);
        }
        // 96 bits: no two of a stack's unknowns meet.
        let digest = self.0.finalize();
        let id = digest[..12].iter().fold(String::from("expr:"), |id, byte| id + &format!("{byte:02x}"));
        Value::Unknown(Unknown { id, kind, secret: marks.secret })
    }
}
