//! The part of a blueprint's schema that says what plugins may do.

use serde_json::{Value, json};
use sheave_model::plugin::Danger;

use crate::syntax;

/// `grants:`. No expression stands in it.
pub(super) fn schema() -> Value {
    let above_zero = json!({"type": "integer", "minimum": 1});
    let texts = |text: &str| json!({"type": "array", "items": {"type": "string"}, "description": text});
    let kinds = |text: &str| {
        json!({"type": "array", "description": text, "items":
            {"type": "string", "pattern": r"^([a-z0-9.-]+/)?[A-Z][A-Za-z0-9]*$|^[a-z0-9.-]+/\*$"}})
    };
    let flag = |text: &str| json!({"type": "boolean", "description": text});
    let methods = json!({"type": "array", "items": {"type": "string", "pattern": "^[A-Z]{1,20}$"}, "description": "All by default."});
    let dangers: Vec<&str> = Danger::ALL.iter().map(|(word, _)| *word).collect();
    let mut properties = json!({
        "filesystem": {"type": "array", "description": "Folders, and nothing above them.", "items": {
            "type": "object", "required": ["path", "access"], "additionalProperties": false,
            "properties": {"path": {"type": "string"}, "access": {"enum": ["read", "write"]}}}},
        "http": {"type": "array", "description": "Connections of `targets:`, and hosts.", "items": {"anyOf": [
            {"type": "object", "required": ["connection"], "additionalProperties": false,
             "properties": {"connection": {"type": "string"}, "methods": methods.clone()}},
            {"type": "object", "required": ["host"], "additionalProperties": false, "properties": {
                "host": {"type": "string", "description": "A name, an address, or `*.example.com`."},
                "ports": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 65535}, "description": "443 by default, with `plain` 80."},
                "methods": methods,
                "private": flag("Also private, loopback and metadata addresses."),
                "plain": flag("Also without TLS.")}}]}},
        "clock": flag("The real clocks; without, fixed ones."),
        "random": flag("Real randomness; without, a seeded one."),
        "env": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Environment variables; nothing is inherited."},
        "args": texts("Arguments."),
        "read": {"type": "array", "description": "What it may look at beyond this stack's own objects.", "items": {
            "type": "object", "required": ["kinds"], "additionalProperties": false,
            "properties": {"kinds": kinds("Kinds, `Service` or `apps/Deployment`."), "namespaces": texts("The target's own by default.")}}},
        "reveal": {"type": "array", "items": {"type": "string", "pattern": r"^(inputs|passwords|resources)\."}, "description": "Secrets that it may see. Each use is recorded."},
        "emit": {"type": "object", "additionalProperties": false, "description": "Objects beyond the default: namespaced kinds without access control, in the target's own namespace.", "properties": {
            "kinds": kinds("Only these namespaced kinds."),
            "namespaces": texts("Beside the target's own: `blog`, `team-*`."),
            "targets": texts("Beside the resource's."),
            "cluster-scoped": kinds("Kinds that stand in no namespace."),
            "allow": {"type": "array", "items": {"enum": dangers}, "description": "What is dangerous."},
            "secrets-in": {"type": "array", "description": "Places for secrets beside the data of Secrets.", "items": {
                "type": "object", "required": ["kind", "pointer"], "additionalProperties": false,
                "properties": {"kind": {"type": "string"}, "pointer": {"type": "string", "pattern": "^/"}}}}}},
        "limits": {"type": "object", "additionalProperties": false, "description": "Raised limits.", "properties": {
            "memory-mib": above_zero, "call-millis": above_zero, "reply-mib": above_zero, "fuel-millions": above_zero}},
    });
    // Kept in one place with what parsing knows.
    if let Some(known) = properties.as_object_mut() {
        known.retain(|key, _| syntax::GRANT_KEYS.contains(&key.as_str()));
    }
    json!({"type": ["object", "null"], "additionalProperties": false,
        "description": "What the plugin may do, as far as it asks for it. Nothing by default.", "properties": properties})
}
