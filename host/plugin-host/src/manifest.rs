//! A plugin's manifest in its component: reading one that an author wrote, putting it in, finding it again.

use sheave_model::manifest::{BadManifest, PluginManifest, SECTION};

use crate::component;
use crate::error::LoadError;

/// Reads a manifest as its author writes it, `plugin.yaml`.
///
/// # Errors
///
/// Where it is no YAML, or says something else than a manifest.
pub fn read_manifest(yaml: &str) -> Result<PluginManifest, BadManifest> {
    // By way of JSON, so that either form means the same.
    let value: serde_json::Value =
        serde_saphyr::from_str(yaml).map_err(|e| BadManifest::Shape(e.to_string()))?;
    PluginManifest::read(value.to_string().as_bytes())
}

/// The component with the manifest in it, as a custom section.
///
/// # Errors
///
/// Where it is no component that a host would load, or has a manifest already.
pub fn embed(component: &[u8], manifest: &PluginManifest) -> Result<Vec<u8>, LoadError> {
    let plugin = || manifest.name.clone();
    let shape = component::inspect(&manifest.name, component)?;
    if shape.manifests() > 0 {
        let why = format!("it has a section `{SECTION}` already");
        return Err(LoadError::BadManifest { plugin: plugin(), why });
    }
    let section =
        manifest.section().map_err(|e| LoadError::BadManifest { plugin: plugin(), why: e.to_string() })?;
    Ok([component, &section].concat())
}
