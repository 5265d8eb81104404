//! What the engine is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use sheave_model::facts::{ObjectFacts, Permit};
use sheave_model::plan::{Action as Planned, FieldChange, ObjectOrder, PlannedObject};
use sheave_model::plugin::{ObjectId, ProviderPlan, ProviderStep};
use sheave_model::stack::ObjectRecord;
use sheave_model::{Address, Diagnostic, SecretText, Value};

/// Why an action failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What to say; the first error is the one that is kept.
    pub diagnostics: Vec<Diagnostic>,
    /// The blueprint is at fault: nothing at all is applied.
    pub blueprint: bool,
    /// It is not known whether anything changed outside.
    pub in_doubt: bool,
}

impl Failure {
    /// The world's fault: other resources go on.
    pub fn world(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics, blueprint: false, in_doubt: false }
    }

    /// The blueprint's fault: nothing is applied.
    pub fn blueprint(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics, blueprint: true, in_doubt: false }
    }

    /// Not known whether anything changed.
    pub fn in_doubt(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics, blueprint: false, in_doubt: true }
    }

    /// The first error's summary.
    pub fn summary(&self) -> String {
        self.diagnostics
            .iter()
            .find(|d| d.is_error())
            .or(self.diagnostics.first())
            .map_or_else(|| "no reason was given".to_owned(), |d| d.summary.clone())
    }
}

/// A rendered resource.
#[derive(Clone, Debug)]
pub enum Rendered {
    /// The render's key is the one that was asked with: its objects are as they were last applied.
    Unchanged,
    /// Its objects.
    Objects {
        /// The properties after the plugin's defaults.
        properties: Arc<Value>,
        /// The render's key.
        key: String,
        /// The objects, in the plugin's order.
        objects: Vec<RenderedObject>,
        /// For whom they were rendered, and what it may emit.
        permit: Box<Permit>,
    },
    /// It cannot be rendered before more is known.
    Deferred {
        /// The properties after the plugin's defaults.
        properties: Arc<Value>,
        /// What is not known, in words.
        why: String,
    },
}

/// One object of a render, placed in its target and namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderedObject {
    /// Stable within the resource.
    pub slot: String,
    /// The target's name.
    pub target: String,
    /// What it is.
    pub id: ObjectId,
    /// The object in full, marks on its leaves.
    pub manifest: Arc<Value>,
    /// How it stands to others.
    pub order: ObjectOrder,
    /// CEL over `self`; none: the kind's rule.
    pub ready_when: Option<String>,
    /// Pointers of fields that another object of the same resource decides on: left alone.
    pub ignore: Vec<String>,
    /// What it is, as far as a grant speaks of it.
    pub facts: ObjectFacts,
}

/// A provider's resource, planned.
#[derive(Clone, Debug)]
pub struct ProviderPlanned {
    /// The properties after the plugin's defaults.
    pub properties: Value,
    /// Keyed digest of component, settings and properties.
    pub key: String,
    /// What is to be done.
    pub action: Planned,
    /// Property by property.
    pub changes: Vec<FieldChange>,
    /// The plugin's plan; for `NoOp` with the recorded outputs.
    pub plan: ProviderPlan,
    /// Words for the operator.
    pub notes: Vec<String>,
}

/// What an object holds that this stack did not make.
#[derive(Clone, Debug, Default)]
pub struct Inside {
    /// The things.
    pub strangers: Vec<ObjectId>,
    /// What could not be looked at, and why, in words.
    pub unseen: Vec<String>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The run may begin.
    Start,
    /// The operator said yes.
    Approved,
    /// The operator said no, or ^C: what runs is let finish, nothing new begins.
    Cancelled,
    /// Objects were rendered.
    Rendered {
        /// Which resource.
        address: Address,
        /// The render, or why not.
        result: Result<Rendered, Failure>,
    },
    /// Objects were compared; removed ones are among them as deletions.
    Diffed {
        /// Which resource.
        address: Address,
        /// The objects, or why not.
        result: Result<Vec<PlannedObject>, Failure>,
    },
    /// A provider's resource was planned.
    ProviderPlanned {
        /// Which resource.
        address: Address,
        /// The plan, or why not.
        result: Result<Box<ProviderPlanned>, Failure>,
    },
    /// Passwords were made and kept.
    PasswordsMade(Result<BTreeMap<String, SecretText>, Failure>),
    /// An object was applied.
    Applied {
        /// Which resource.
        address: Address,
        /// The operation's key.
        op: String,
        /// Its slot.
        slot: String,
        /// Its record and whether it was new, or why not.
        result: Result<(ObjectRecord, bool), Failure>,
    },
    /// An object that would be deleted was looked into.
    LookedInside {
        /// Which resource.
        address: Address,
        /// The object's target.
        target: String,
        /// The object.
        id: ObjectId,
        /// What it holds of others, or why nobody knows.
        result: Result<Inside, Failure>,
    },
    /// An object is gone.
    Deleted {
        /// Which resource.
        address: Address,
        /// The operation's key.
        op: String,
        /// What it was.
        id: ObjectId,
        /// Its target.
        target: String,
        /// Nothing, or why not.
        result: Result<(), Failure>,
    },
    /// A provider answered.
    Provided {
        /// Which resource.
        address: Address,
        /// The operation's key.
        op: String,
        /// How far it came, or why not.
        result: Result<ProviderStep, Failure>,
    },
    /// Objects are ready.
    Awaited {
        /// Which resource.
        address: Address,
        /// Which single object; none: the whole resource.
        slot: Option<String>,
        /// Nothing, or why not.
        result: Result<(), Failure>,
    },
    /// The plugin gave outputs.
    Observed {
        /// Which resource.
        address: Address,
        /// The outputs, or why not.
        result: Result<Value, Failure>,
    },
}
