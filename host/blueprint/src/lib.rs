//! Blueprint text to a resolved graph, and templates to values: YAML, CEL, JSON Schema. Pure: no file, no clock, no
//! network, no randomness; what it needs of these comes in as arguments.
//!
//! [`parse`] reads the text, [`resolve`] looks the names up, [`bind_inputs`] takes the inputs in, and
//! [`Graph::evaluate`] gives a template's value as far as it is known. None of them stops at the first fault.

mod cel;
pub mod codes;
mod condition;
mod editor;
mod eval;
mod graph;
mod inputs;
mod instances;
pub mod limits;
mod nearest;
mod references;
mod resolve;
mod schema;
mod syntax;
pub mod targets;
mod template;
mod yaml;

pub use condition::Condition;
pub use editor::editor_schema;
pub use eval::{Files, NoFiles, NoPasswords, Passwords, Scope, dns_label};
pub use graph::{
    Graph, InputKind, InputSpec, ModuleSpec, Moved, OutputSpec, PluginSpec, Repeat, ReplacePolicy,
    ResourceSpec, TargetSpec,
};
pub use inputs::{InputSource, InputValue, RawInput, bind_inputs, read_inputs};
pub use instances::Instance;
pub use nearest::nearest;
pub use references::References;
pub use resolve::{ModuleSource, NoModules, Resolved, module_folder, resolve, resolve_with};
pub use schema::{Schema, SchemaError, TypeSchemas, Unknowns};
pub use syntax::{Parsed, Syntax, parse};
pub use template::Template;
