//! What a run is given and never changes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sheave_blueprint::{Files, Graph, TypeSchemas};
use sheave_model::plan::{BlueprintText, Purpose};
use sheave_model::stack::StackState;
use sheave_model::{Address, Masked, PluginPin, SecretText, TypeName, TypeSchema, Value};

use crate::immutable;
use crate::live_outputs::LiveOutputs;

/// A type with its schemas compiled.
#[derive(Debug)]
pub struct CompiledType {
    /// As the plugin describes it.
    pub info: TypeSchema,
    /// The schemas of its properties and outputs.
    pub schemas: Arc<TypeSchemas>,
    /// Pointers of the properties whose change forces a replacement.
    pub(crate) immutable: Arc<[String]>,
    /// Its outputs, where the plugin need not be asked for them.
    pub live_outputs: Option<LiveOutputs>,
}

impl CompiledType {
    /// What follows from the schema alone is looked up here, once.
    pub fn new(info: TypeSchema, schemas: Arc<TypeSchemas>) -> Self {
        let immutable = immutable::pointers(&info.schema).into();
        let live_outputs = LiveOutputs::of(&info);
        Self { info, schemas, immutable, live_outputs }
    }
}

/// A resource that has another address now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedAddress {
    /// Where it stood.
    pub from: Address,
    /// Where it stands.
    pub to: Address,
    /// The resources that require it, by the addresses that they have then.
    pub requiring: Vec<Address>,
}

/// What a run is given.
#[derive(Clone)]
pub struct World {
    /// The stack's name.
    pub stack: String,
    /// The run's id: operations are keyed by it.
    pub run: String,
    /// What the run is for.
    pub purpose: Purpose,
    /// The resolved blueprint; none for a destroy.
    pub graph: Option<Arc<Graph>>,
    /// Its files, for the record.
    pub blueprint: Option<BlueprintText>,
    /// The types it uses.
    pub types: BTreeMap<TypeName, Arc<CompiledType>>,
    /// The plugins it uses, by name.
    pub plugins: BTreeMap<String, PluginPin>,
    /// The plugins' settings, by name.
    pub settings: BTreeMap<String, Value>,
    /// The inputs.
    pub inputs: BTreeMap<String, Value>,
    /// The state as it was when the run began.
    pub state: StackState,
    /// The recorded outputs, opened.
    pub outputs: BTreeMap<Address, Value>,
    /// The passwords made so far, opened.
    pub passwords: BTreeMap<String, SecretText>,
    /// Other stacks' outputs, for each a map with `outputs`.
    pub stacks: BTreeMap<String, Value>,
    /// Reads files for expressions.
    pub files: Arc<dyn Files + Send + Sync>,
    /// Masks a value with the stack's keyed digests.
    pub mask: Arc<dyn Fn(&Value) -> Masked + Send + Sync>,
    /// Resources that the state had under another address: it has them under the new one already.
    pub moved: Vec<MovedAddress>,
    /// Only these resources and what they need; empty: all.
    pub only: Vec<Address>,
}

impl World {
    /// The recorded outputs of a resource, an empty map where none were recorded.
    pub(crate) fn recorded_outputs(&self, address: &Address) -> Value {
        self.outputs.get(address).cloned().unwrap_or_else(Value::empty)
    }

    /// Masks a value.
    pub(crate) fn masked(&self, value: &Value) -> Masked {
        (self.mask)(value)
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("stack", &self.stack)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}
