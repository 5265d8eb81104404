//! What an object is, as far as it matters for what a plugin may emit. Who knows the kinds finds out; the engine compares.

use std::collections::BTreeMap;

use crate::grants::{Danger, EmitGrant};

/// The facts of one object. The default: in its target's own namespace, and harmless.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectFacts {
    /// It stands in no namespace.
    pub cluster_scoped: bool,
    /// It stands in another namespace than the target's own.
    pub away: bool,
    /// What is dangerous in it, each with where it is: a pointer, or nothing where it is the whole object.
    pub dangers: BTreeMap<Danger, String>,
}

/// For whom objects were rendered, and what it may emit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permit {
    /// The plugin's name.
    pub plugin: String,
    /// The resource's target.
    pub target: String,
    /// What it may emit.
    pub emit: EmitGrant,
}
