//! The kinds whose schemas are written, and what Kubernetes says of them in prose only.

use k8s_openapi::api::{apps, core};
use k8s_openapi::{ClusterResourceScope, Resource};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

/// A kind and what its schema does not say.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) api_version: &'static str,
    pub(crate) namespaced: bool,
    pub(crate) schema: fn(&mut SchemaGenerator) -> Value,
    /// Properties that cannot change while the object lives, by pointer into the manifest.
    pub(crate) immutable: &'static [&'static str],
    /// Maps whose values are secret, likewise.
    pub(crate) sensitive: &'static [&'static str],
}

/// Every kind: a row each.
pub(crate) fn all() -> Vec<Kind> {
    vec![
        kind::<core::v1::ConfigMap>(&[], &[]),
        kind::<apps::v1::Deployment>(&["/spec/selector"], &[]),
        kind::<core::v1::Namespace>(&[], &[]),
        kind::<core::v1::Secret>(&["/type"], &["/data", "/stringData"]),
    ]
}

fn kind<K: Resource + JsonSchema>(
    immutable: &'static [&'static str],
    sensitive: &'static [&'static str],
) -> Kind
where
    K::Scope: Scope,
{
    Kind {
        name: K::KIND,
        api_version: K::API_VERSION,
        namespaced: <K::Scope as Scope>::NAMESPACED,
        schema: |generator| K::json_schema(generator).to_value(),
        immutable,
        sensitive,
    }
}

/// Whether objects of a kind stand in namespaces.
trait Scope {
    const NAMESPACED: bool;
}

impl Scope for k8s_openapi::NamespaceResourceScope {
    const NAMESPACED: bool = true;
}

impl Scope for ClusterResourceScope {
    const NAMESPACED: bool = false;
}
