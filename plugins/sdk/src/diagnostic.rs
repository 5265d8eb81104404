//! What a plugin reports: diagnostics and failures, made in one line.

use crate::{Diagnostic, Failure, RetryHint, Severity};

impl Diagnostic {
    /// An error. `code` is dotted and stable, such as `app.port-out-of-range`; `summary` is one sentence in
    /// lower case without a full stop.
    pub fn error(code: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, summary)
    }

    /// A warning: nothing stops.
    pub fn warning(code: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, summary)
    }

    fn new(severity: Severity, code: impl Into<String>, summary: impl Into<String>) -> Self {
        Self { severity, code: code.into(), summary: summary.into(), detail: String::new(), pointer: None }
    }

    /// At this place of the properties, an RFC 6901 pointer.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// With more words: what to do about it.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
}

impl Failure {
    /// The properties are at fault.
    pub fn invalid(why: Diagnostic) -> Self {
        Self::Invalid(vec![why])
    }

    /// Something in the way belongs to somebody else.
    pub fn conflict(code: impl Into<String>, summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Conflict(Diagnostic::error(code, summary).detail(detail))
    }

    /// The grant that is missing, or whatever else refused.
    pub fn denied(code: impl Into<String>, summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Denied(Diagnostic::error(code, summary).detail(detail))
    }

    /// Whatever has no better name.
    pub fn other(code: impl Into<String>, summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Other(Diagnostic::error(code, summary).detail(detail))
    }

    /// Worth trying again after `after_ms`.
    pub fn retry(after_ms: u32, why: Diagnostic) -> Self {
        Self::Retry(RetryHint { after_ms, why })
    }
}
