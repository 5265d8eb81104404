//! What emitters and providers answer alike.

use crate::bindings::exports::{Role, TypeInfo};
use crate::{Diagnostic, Doc, Failure, Severity, log};

/// A type as it is listed.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// The name in `plugin:Name`.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// The version of the stored state.
    pub version: u32,
}

impl Description {
    pub(crate) fn info(self, role: Role) -> TypeInfo {
        TypeInfo {
            name: self.name.to_owned(),
            role,
            schema_version: self.version,
            summary: self.summary.to_owned(),
        }
    }
}

pub(crate) fn no_such_type(name: &str) -> Failure {
    Failure::other("sdk.unknown-type", format!("the plugin has no type `{name}`"), "")
}

/// The properties as they were, unless a check found an error; warnings go to the log.
pub(crate) fn checked(props: Doc, found: Vec<Diagnostic>) -> Result<Doc, Failure> {
    if found.iter().any(|d| d.severity == Severity::Error) {
        return Err(Failure::Invalid(found));
    }
    for d in &found {
        let pointer = d.pointer.as_deref().unwrap_or_default();
        let fields = [("code", d.code.as_str()), ("detail", &d.detail), ("pointer", pointer)];
        log::line(log::Level::Warn, &d.summary, &fields);
    }
    Ok(props)
}

/// State of the type's own version needs no carrying over.
pub(crate) fn unchanged(of: Description, stored_version: u32, state: Doc) -> Result<Doc, Failure> {
    if stored_version == of.version {
        return Ok(state);
    }
    let detail = format!("this plugin stores version {}", of.version);
    Err(Failure::other("sdk.no-upgrade", format!("state of version {stored_version} cannot be read"), detail))
}
