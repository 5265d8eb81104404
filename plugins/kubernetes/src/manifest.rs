//! From properties to a manifest.

use sheave_sdk::{Map, Value};

/// The slot of the one object that a type of this plugin emits.
pub(crate) const SLOT: &str = "object";

/// Names the object where nobody named it. The namespace is left to the host, which knows the target's.
pub(crate) fn name(manifest: &mut Map<String, Value>, otherwise: impl FnOnce() -> String) {
    let metadata = manifest.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(metadata) = metadata
        && !metadata.contains_key("name")
    {
        metadata.insert("name".to_owned(), Value::String(otherwise()));
    }
}
