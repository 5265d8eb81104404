//! From a core module to a component with its manifest in it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sheave_model::manifest::PluginManifest;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

use crate::fault::{self, Result};
use crate::project::Project;

/// Preview 1 of WASI, as a module imports it.
const PREVIEW_1: &str = "wasi_snapshot_preview1";
/// The interface that the embedded SDKs are for.
const INTERFACE: &str = sheave_plugin_host::INTERFACE;

/// Stands for it: see the file.
const ADAPTER: &str = include_str!("adapter.wat");

/// The component that a module becomes. `world` is the folder of the interface and the world, for modules that say nothing
/// of it.
pub(crate) fn encode(module: &Path, world: Option<(&Path, &str)>) -> Result<Vec<u8>> {
    let mut bytes = fs::read(module).map_err(|e| fault::files(module, &e))?;
    let mut encode = || {
        if let Some((wit, world)) = world {
            let mut resolve = Resolve::default();
            let (package, _) = resolve.push_dir(wit)?;
            let world = resolve.select_world(&[package], Some(world))?;
            wit_component::embed_component_metadata(
                &mut bytes,
                &resolve,
                world,
                StringEncoding::UTF8,
                false,
            )?;
        }
        let bytes = sheave_plugin_host::with_heap(&module.display().to_string(), &bytes)?;
        let mut encoder = ComponentEncoder::default();
        encoder.validate(true).module(&bytes)?.adapter(PREVIEW_1, &wat::parse_str(ADAPTER)?)?;
        encoder.encode()
    };
    encode().map_err(fault::no_component)
}

/// Puts what `plugin.yaml` says into the component.
pub(crate) fn with_manifest(mut component: Vec<u8>, project: &Project) -> Result<Vec<u8>> {
    let mut manifest = project.manifest.clone();
    if let Value::Object(fields) = &mut manifest {
        fields.insert("wit".to_owned(), INTERFACE.into());
    }
    let manifest: PluginManifest =
        serde_json::from_value(manifest).map_err(|e| fault::bad_project(e.to_string()))?;
    component.extend(manifest.section().map_err(|e| fault::bad_project(e.to_string()))?);
    Ok(component)
}
