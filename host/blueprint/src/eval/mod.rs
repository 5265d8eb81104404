//! Evaluates templates over values that may be unknown or secret. The two marks are kept here, above CEL's
//! operators: every operator passes them on, except a short-circuit that does not need the marked side.

mod arithmetic;
mod compare;
mod convert;
mod each;
mod encode;
mod format;
mod functions;
mod marks;
mod paths;
mod session;
mod text;
mod walk;

use std::collections::BTreeMap;

use sheave_model::{Diagnostic, SecretText, Value};

use crate::cel::Fault;
use crate::graph::Graph;
use crate::template::Template;

pub(crate) use compare::numbers;
pub(crate) use session::{Session, placed};
pub use text::dns_label;

/// Whether an expression reads this name as that of a type.
pub(crate) fn is_type_name(name: &str) -> bool {
    convert::TYPE_NAMES.contains(&name)
}

/// Everything that an expression can read.
pub struct Scope<'a> {
    /// `inputs`, as [`crate::bind_inputs`] gave them.
    pub inputs: &'a BTreeMap<String, Value>,
    /// `resources`: for each a map with `outputs`; for a repeated one a list or a map of these.
    /// One that is missing, since its `when` is false, reads as null.
    pub resources: &'a BTreeMap<String, Value>,
    /// `stacks`: for each a map with `outputs`.
    pub stacks: &'a BTreeMap<String, Value>,
    /// `each.key` and `each.value`, inside a repeated resource.
    pub each: Option<(Value, Value)>,
    /// `stack.name`.
    pub stack: &'a str,
    /// The address of the module whose graph is evaluated; empty at the root. Keeps the ids of unknowns apart.
    pub module: &'a str,
    /// What `file` reads.
    pub files: &'a dyn Files,
    /// What `randomPassword` reads.
    pub passwords: &'a dyn Passwords,
}

/// The files of the blueprint's folder.
pub trait Files {
    /// The text at a path relative to the blueprint's folder; or why not, in words for people.
    fn read(&self, path: &str) -> Result<String, String>;
}

/// The passwords that were made before.
pub trait Passwords {
    /// The password of this name; none where it is yet to be made. Who answers none notes name and length down.
    fn get(&self, name: &str, length: u32) -> Option<SecretText>;
}

/// No file at all.
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> Result<String, String> {
        Err("files cannot be read here".into())
    }
}

/// No password at all.
pub struct NoPasswords;

impl Passwords for NoPasswords {
    fn get(&self, _: &str, _: u32) -> Option<SecretText> {
        None
    }
}

/// Why an expression has no value.
#[derive(Debug)]
pub(crate) enum Error {
    /// In the expression that is being walked.
    Here(Fault),
    /// In a local that it reads: placed already.
    Elsewhere(Vec<Diagnostic>),
}

/// What evaluating gives. Errors are rare and boxed.
pub(crate) type Answer<T> = Result<T, Box<Error>>;

impl Graph {
    /// The value of a template of this graph. What is not known yet is an unknown leaf; all faults at once otherwise.
    pub fn evaluate(&self, template: &Template, scope: &Scope<'_>) -> Result<Value, Vec<Diagnostic>> {
        Session::new(&self.locals, Some(scope), None).evaluate(template)
    }
}
