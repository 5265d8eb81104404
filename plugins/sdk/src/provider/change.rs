//! What a change of a provider's resource would do.

use serde_json::{Map, Value};

use super::{Known, Provider};
use crate::{Diagnostic, schema};

/// What a change would do.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// The outputs, as far as they are known: a map.
    pub outputs: Map<String, Value>,
    /// Names of the outputs that only apply can tell. One that begins with a slash is a pointer to a text within one
    /// of `outputs`.
    pub unknown: Vec<String>,
    /// Pointers of the properties that force a replacement; empty: in place.
    pub replace: Vec<String>,
    /// Words for the operator.
    pub notes: Vec<Diagnostic>,
}

/// A creation or an update that is being planned.
pub struct Change<P: Provider> {
    /// What there is; none: it is to be created.
    pub prior: Option<Known<P::State>>,
    /// What is wanted.
    pub props: P::Props,
    pub(super) prior_state: Value,
    pub(super) prior_outputs: Value,
    pub(super) desired: Value,
}

impl<P: Provider> Change<P> {
    /// What the schema tells: an `x-immutable` property that differs from the state's field of the same name forces a
    /// replacement; outputs are unknown, but those that are `x-stable` keep their value where nothing is replaced.
    pub fn by_schema(&self) -> Planned {
        let schema = schema::of::<P::Props, P::Outputs>().to_value();
        let mut planned = Planned { replace: self.replaced(&schema), ..Planned::default() };
        for (name, output) in schema::fields(&schema["x-outputs"]) {
            let stable = output.get("x-stable") == Some(&Value::Bool(true)) && planned.replace.is_empty();
            match self.prior_outputs.get(name).filter(|_| stable) {
                Some(value) => drop(planned.outputs.insert(name.to_owned(), value.clone())),
                None => planned.unknown.push(name.to_owned()),
            }
        }
        planned
    }

    /// Pointers of the `x-immutable` properties that differ from the state.
    pub fn replaced_by_schema(&self) -> Vec<String> {
        self.replaced(&schema::of::<P::Props, P::Outputs>().to_value())
    }

    fn replaced(&self, schema: &Value) -> Vec<String> {
        schema::having(schema, "x-immutable")
            .filter(|name| {
                let before = self.prior_state.get(name);
                before.is_some_and(|before| Some(before) != self.desired.get(name))
            })
            .map(|name| format!("/{name}"))
            .collect()
    }
}
