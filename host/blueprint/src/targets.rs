//! The kinds of targets, and what their settings are.

use std::sync::OnceLock;

use serde_json::json;

use crate::schema::Schema;

/// A cluster, as a kubeconfig or the pod that we run in names it.
pub const KUBERNETES: &str = "kubernetes";

/// The kinds of targets.
pub(crate) const KINDS: &[&str] = &[KUBERNETES];

/// The settings of a Kubernetes target as a JSON Schema. Each may be left out: then kubectl's own rules hold.
pub fn kubernetes_settings() -> serde_json::Value {
    json!({
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": {
            "context": {"type": ["string", "null"], "description": "The kubeconfig's context; none: its current one."},
            "kubeconfig": {"type": ["string", "null"], "description": "A file, relative to the blueprint; none: as kubectl finds it."},
            "namespace": {"type": ["string", "null"], "description": "Where objects go that name none; none: the context's own."},
            "in-cluster": {"type": ["boolean", "null"], "description": "Use the service account of the pod that we run in."},
        },
    })
}

/// The same, compiled; none only if the schema above is wrong, which a test rules out.
pub(crate) fn kubernetes_schema() -> Option<&'static Schema> {
    static SCHEMA: OnceLock<Option<Schema>> = OnceLock::new();
    SCHEMA.get_or_init(|| Schema::compile(&kubernetes_settings()).ok()).as_ref()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_compiles() {
        assert!(super::kubernetes_schema().is_some());
    }
}
