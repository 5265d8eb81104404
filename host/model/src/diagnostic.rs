//! What went wrong, where, and what to do: data, which one renderer shows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Address;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Worth mending.
    Warning,
    /// Nothing goes on.
    Error,
}

/// Which text of [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceId(pub u32);

/// A piece of a source, in bytes: `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The text it lies in.
    pub source: SourceId,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A place in a source with a word about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there; may be empty.
    pub text: String,
}

/// One fault, warning or note.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Dotted and stable, such as `blueprint.unknown-type`: it has a page under `docs/errors/`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence without a full stop, lower case, no secret in it.
    pub summary: String,
    /// More, where one sentence is too short: the world's own words, indented by the renderer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The places; the first is the main one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    /// The resource it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Where in the resource's properties, an RFC 6901 pointer. Who knows the blueprint turns it into a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

impl Diagnostic {
    /// An error with this code and summary.
    pub fn error(code: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, summary)
    }

    /// A warning with this code and summary.
    pub fn warning(code: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, summary)
    }

    fn new(severity: Severity, code: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            severity,
            summary: summary.into(),
            detail: None,
            help: None,
            labels: Vec::new(),
            address: None,
            pointer: None,
        }
    }

    /// With more words.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With a way out.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With a place.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// About this resource.
    #[must_use]
    pub fn on(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }

    /// At this pointer of the resource's properties.
    #[must_use]
    pub fn pointing(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// Whether it stops the work.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The texts that spans point into.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<(Arc<str>, Arc<str>)>);

impl Sources {
    /// Takes a text in under the name that diagnostics show.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> SourceId {
        self.0.push((name.into(), text.into()));
        SourceId(u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX))
    }

    /// A source's name and text.
    pub fn get(&self, id: SourceId) -> Option<(&str, &str)> {
        self.0.get(id.0 as usize).map(|(n, t)| (&**n, &**t))
    }
}
