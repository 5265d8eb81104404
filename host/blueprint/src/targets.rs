//! The kinds of targets, and what their settings are.

use std::sync::OnceLock;

use serde_json::json;

use crate::graph::TargetSpec;
use crate::schema::Schema;

/// A cluster, as a kubeconfig or the pod that we run in names it.
pub const KUBERNETES: &str = "kubernetes";

/// A connection to an HTTP server, for plugins that are granted it. No objects go there.
pub const HTTP: &str = "http";

/// The kinds of targets.
pub(crate) const KINDS: &[&str] = &[KUBERNETES, HTTP];

impl TargetSpec {
    /// Whether objects can go there.
    pub fn is_cluster(&self) -> bool {
        self.kind == KUBERNETES
    }
}

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

/// The settings of an HTTP connection as a JSON Schema.
pub fn http_settings() -> serde_json::Value {
    let way = |description: &str, needed: [&str; 2], secret: &str| {
        let mut properties = serde_json::Map::new();
        for key in needed.into_iter().filter(|k| !k.is_empty()) {
            properties
                .insert(key.into(), json!({"type": "string", "minLength": 1, "x-sensitive": key == secret}));
        }
        let required: Vec<String> = properties.keys().cloned().collect();
        json!({"type": "object", "additionalProperties": false, "description": description,
            "required": required, "properties": properties})
    };
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["url"],
        "properties": {
            // Who writes a user and a password into the address shows them in every message.
            "url": {"type": "string", "pattern": r"^https?://[^/?#@\s]+(/[^?#\s]*)?$", "description": "Where requests go; paths are below it. Without user, password and query."},
            "auth": {"type": ["object", "null"], "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
                "description": "One way to say who we are: the host adds it, plugins never see it.",
                "properties": {
                    "basic": way("User name and password.", ["username", "password"], "password"),
                    "bearer": way("A token.", ["token", ""], "token"),
                    "header": way("A header of the server's own.", ["name", "value"], "value"),
                    "mtls": way("A client's certificate and its key, PEM.", ["certificate", "key"], "key"),
                }},
            "ca": {"type": ["string", "null"], "description": "Whom to trust instead of the system's authorities, PEM."},
            "headers": {"type": ["object", "null"], "additionalProperties": {"type": "string"}, "description": "Sent with every request."},
        },
    })
}

/// The settings' schema of a kind, compiled; none only if one above is wrong, which a test rules out.
pub(crate) fn settings_schema(kind: &str) -> Option<&'static Schema> {
    static SCHEMAS: OnceLock<[Option<Schema>; 2]> = OnceLock::new();
    let all = SCHEMAS
        .get_or_init(|| [kubernetes_settings(), http_settings()].map(|schema| Schema::compile(&schema).ok()));
    all[usize::from(kind == HTTP)].as_ref()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schemas_compile() {
        for kind in super::KINDS {
            assert!(super::settings_schema(kind).is_some(), "{kind}");
        }
    }
}
