//! JSON Schema (2020-12, the part that describes data) over values whose leaves may be unknown or secret: a leaf that
//! is not known breaks no rule, and a secret's text is looked at but never shown.

mod check;
mod combine;
mod compile;
mod leaf;
mod message;
mod rules;
mod walk;

use std::fmt;

use sheave_model::{Diagnostic, TypeSchema, Value};

use rules::Rules;

/// A schema that can be used.
#[derive(Clone)]
pub struct Schema {
    nodes: Vec<Rules>,
    root: usize,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({} nodes)", self.nodes.len())
    }
}

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the schema at `{pointer}`: {why}")]
pub struct SchemaError {
    /// Where in the schema.
    pub pointer: String,
    /// What is wrong there.
    pub why: String,
}

/// What becomes of a value's unknown leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknowns {
    /// Each is a text that no rule looks into: they travel as tokens.
    Tokens,
    /// At these pointers something must be known first: the resource is deferred.
    Defer(Vec<String>),
}

/// A type's two schemas, compiled.
#[derive(Clone, Debug)]
pub struct TypeSchemas {
    /// Of the properties.
    pub properties: Schema,
    /// Of the outputs; one that takes anything where the type has none.
    pub outputs: Schema,
}

impl TypeSchemas {
    /// Compiles both.
    pub fn compile(of: &TypeSchema) -> Result<Self, SchemaError> {
        let properties = Schema::compile(&of.schema)?;
        let outputs = match of.schema.get("x-outputs") {
            Some(_) => Schema::compile_at(&of.schema, "/x-outputs")?,
            None => Schema::compile(&serde_json::Value::Bool(true))?,
        };
        Ok(Self { properties, outputs })
    }
}

impl Schema {
    /// Compiles a whole schema.
    pub fn compile(schema: &serde_json::Value) -> Result<Self, SchemaError> {
        Self::compile_at(schema, "")
    }

    /// Compiles the part of a schema at a pointer; `$ref` counts from the whole.
    pub fn compile_at(schema: &serde_json::Value, pointer: &str) -> Result<Self, SchemaError> {
        compile::compile(schema, pointer).map(|(nodes, root)| Self { nodes, root })
    }

    /// What is certainly wrong with a value, each with its pointer. A leaf that is not known breaks no rule.
    pub fn check(&self, value: &Value) -> Vec<Diagnostic> {
        self.violations(value).into_iter().map(message::Violation::into_diagnostic).collect()
    }

    pub(crate) fn violations(&self, value: &Value) -> Vec<message::Violation> {
        check::check(self, value)
    }

    /// Whether its unknown leaves may travel as tokens.
    pub fn verdict_on_unknowns(&self, value: &Value) -> Unknowns {
        walk::verdict_on_unknowns(self, value)
    }

    /// The outputs of a resource before it is applied: where the schema names them a map of unknowns, each with the
    /// id `ADDRESS#/POINTER`, a text where the schema says `string`, secret where it says `x-sensitive`.
    pub fn unknown_outputs(&self, address: &str) -> Value {
        walk::unknown_outputs(self, address)
    }

    /// The value with every leaf that the schema calls sensitive marked as secret.
    #[must_use]
    pub fn mark_sensitive(&self, value: Value) -> Value {
        walk::mark_sensitive(self, value)
    }

    /// The names of the properties of the root, and whether there can be others.
    pub(crate) fn root_properties(&self) -> (Vec<&str>, bool) {
        walk::properties(self, self.root)
    }
}
