//! `sheave plugin build`: through the language's own tools to a component that the host has loaded once.

mod c;
mod go;
mod js;
mod python;
mod rust;

use std::fs;
use std::path::PathBuf;

use sheave_model::plugin::Grants;
use sheave_plugin_host::PluginHost;

use crate::component;
use crate::embedded;
use crate::fault::{self, Result};
use crate::language::Language;
use crate::project::Project;

/// What a build made.
#[derive(Clone, Debug)]
pub struct Built {
    /// The component.
    pub component: PathBuf,
    /// Its size in bytes.
    pub bytes: usize,
    /// Its types, as the plugin describes them.
    pub types: Vec<String>,
}

/// Builds a plugin and loads it once. Nothing is printed; tools that fail have their say in the fault.
///
/// # Errors
/// A diagnostic: a tool is missing or failed, or what came out is no plugin.
pub async fn build(project: &Project, host: &PluginHost) -> Result<Built> {
    let out = project.out();
    fs::create_dir_all(&out).map_err(|e| fault::files(&out, &e))?;
    let component = match project.language {
        Language::Rust => rust::build(project)?,
        Language::Go => go::build(project)?,
        Language::Python => python::build(project)?,
        Language::Js => js::build(project)?,
        Language::C => c::build(project)?,
    };
    let component = component::with_manifest(component, project)?;
    let plugin = host.load(&project.name, &component, &Grants::default()).await;
    let plugin = plugin.map_err(|e| Box::new(e.diagnostic()))?;
    let types = plugin.describe().await.map_err(|e| Box::new(e.diagnostic()))?;
    let path = project.component();
    // Whole or not at all: somebody may be planning with the old one.
    let part = path.with_extension("part");
    embedded::write(&part, &component)?;
    fs::rename(&part, &path).map_err(|e| fault::files(&path, &e))?;
    let types = types.into_iter().map(|t| t.name).collect();
    Ok(Built { component: path, bytes: component.len(), types })
}
