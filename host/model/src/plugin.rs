//! What passes between plugins and the host, above the interface's own encoding.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use crate::grants::{
    Access, ConnectionGrant, Danger, EmitGrant, FolderGrant, Grants, HostGrant, HttpGrant, LimitRaises,
    ReadGrant, SecretPlace,
};
use crate::{Address, TypeName, Value};

/// What a type's plugin does for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Turns properties into objects, which the host applies.
    Emits,
    /// Creates, reads, updates and deletes by itself.
    Provides,
}

/// A type as its plugin describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypeSchema {
    /// The type.
    pub name: TypeName,
    /// What its plugin does.
    pub role: Role,
    /// The version of its stored state.
    pub version: u32,
    /// One line for people.
    pub summary: String,
    /// JSON Schema 2020-12 of the properties, with the `x-` keywords of `wit/plugin.wit`.
    /// The outputs' schema stands under `x-outputs`.
    pub schema: serde_json::Value,
}

impl TypeSchema {
    /// The schema of the outputs: an object schema with `properties`; an empty one where there are none.
    pub fn outputs(&self) -> &serde_json::Value {
        static NONE: serde_json::Value = serde_json::Value::Null;
        self.schema.get("x-outputs").unwrap_or(&NONE)
    }
}

/// The types that a blueprint can use: what resolving and editors ask.
pub trait TypeCatalog {
    /// The type, where some plugin of the blueprint has it.
    fn get(&self, name: &TypeName) -> Option<&TypeSchema>;
    /// Every type, for suggestions.
    fn all(&self) -> Vec<&TypeSchema>;
    /// A plugin's settings schema; none where it takes no settings or is not in the blueprint.
    fn settings_schema(&self, plugin: &str) -> Option<&serde_json::Value>;
}

/// Which plugin rendered or provided a resource, to the byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginPin {
    /// The name in the blueprint.
    pub name: String,
    /// `builtin`, or the path as the blueprint gave it.
    pub source: String,
    /// SHA-256 of the component, lower-case hex.
    pub digest: String,
    /// What was granted, made absolute, so that a destroy needs no blueprint. See [`Grants`].
    #[serde(default)]
    pub grants: Grants,
}

/// A Kubernetes-like object's identity within one target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectId {
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// `ConfigMap`.
    pub kind: String,
    /// None for cluster-scoped objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The object's name.
    pub name: String,
}

impl ObjectId {
    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        group_of(&self.api_version)
    }
}

/// The API group of an `apiVersion`; empty for the core group.
pub fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(ns) => write!(f, "{} {ns}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// One desired object, as an emitter gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Emitted {
    /// Stable within the instance.
    pub slot: String,
    /// The target's name in the blueprint.
    pub target: String,
    /// The object, marks on its leaves.
    pub manifest: Value,
    /// Slots that must be ready first.
    pub after: Vec<String>,
    /// CEL over `self`; none: the host's rule for the kind.
    pub ready_when: Option<String>,
    /// Slots whose content restarts this object's pods.
    pub restart_on: Vec<String>,
}

/// A provider's resource as it is outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The identity outside.
    pub id: String,
    /// The plugin's view of it.
    pub state: Value,
    /// What expressions may read.
    pub outputs: Value,
    /// The plugin's own bytes.
    pub private: Vec<u8>,
}

/// What a provider would do.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderPlan {
    /// The outputs, unknown where only apply can tell.
    pub outputs: Value,
    /// Pointers of properties that force a replacement; empty: in place.
    pub replace: Vec<String>,
    /// Words for the operator.
    pub notes: Vec<crate::Diagnostic>,
}

/// How far a provider came.
#[derive(Clone, Debug, PartialEq)]
pub enum ProviderStep {
    /// Finished; none: it is gone.
    Done(Option<Snapshot>),
    /// Call again with `resume` after `after_ms`.
    Pending {
        /// Given back untouched.
        resume: Vec<u8>,
        /// Milliseconds to wait.
        after_ms: u32,
        /// For people.
        message: String,
        /// 0 to 100.
        percent: Option<u8>,
    },
    /// It exists but is not right: to be stored as tainted.
    Partial {
        /// What there is.
        left: Snapshot,
        /// Why it is not right.
        why: Vec<crate::Diagnostic>,
    },
}

/// The resource that a plugin call is about.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceInfo {
    /// The type.
    pub type_name: TypeName,
    /// The address.
    pub address: Address,
    /// The stack's name.
    pub stack: String,
    /// The version of the type's stored state.
    pub schema_version: u32,
    /// The plugin's settings.
    pub settings: Value,
}
