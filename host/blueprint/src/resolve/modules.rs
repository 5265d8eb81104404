//! Modules: folders with blueprints of their own, resolved once however often they are used.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, json};
use sheave_model::{Diagnostic, SourceId, TypeCatalog, TypeName};

use crate::codes;
use crate::graph::Graph;
use crate::schema::{Schema, TypeSchemas};
use crate::syntax::Syntax;

/// Where modules' blueprints are read.
pub trait ModuleSource {
    /// The blueprint in a folder: its source and text; or why not, in words for people. `folder` is relative to the
    /// root blueprint's folder, with `/` between its parts, and without `.` and `..` but at its beginning.
    fn read(&self, folder: &str) -> Result<(SourceId, String), String>;
}

/// No modules at all.
pub struct NoModules;

impl ModuleSource for NoModules {
    fn read(&self, _: &str) -> Result<(SourceId, String), String> {
        Err("modules cannot be read here".into())
    }
}

/// Modules inside one another: deeper than this nobody finds anything again.
const MAX_MODULE_DEPTH: usize = 8;

/// Folders in one stack.
const MAX_MODULES: usize = 200;

/// The modules that have been read.
pub(crate) struct Modules<'a> {
    source: &'a dyn ModuleSource,
    known: BTreeMap<String, Option<Arc<Graph>>>,
    /// The folders that are being resolved, from the root.
    open: Vec<String>,
}

/// A module's graph and the faults in it; or why it cannot be read.
type Read = Result<(Option<Arc<Graph>>, Vec<Diagnostic>), String>;

impl<'a> Modules<'a> {
    pub(crate) fn new(source: &'a dyn ModuleSource) -> Self {
        Self { source, known: BTreeMap::new(), open: Vec::new() }
    }

    pub(crate) fn graph(
        &mut self,
        folder: &str,
        user: &Syntax,
        catalog: &dyn TypeCatalog,
        schemas: &mut BTreeMap<TypeName, Option<Arc<TypeSchemas>>>,
    ) -> Read {
        let path = module_folder(self.open.last().map_or("", String::as_str), folder);
        if self.open.contains(&path) {
            let mut circle = self.open.clone();
            circle.push(path);
            return Err(format!("modules contain themselves: {}", circle.join(" -> ")));
        }
        if let Some(known) = self.known.get(&path) {
            return Ok((known.clone(), Vec::new()));
        }
        if self.open.len() >= MAX_MODULE_DEPTH || self.known.len() >= MAX_MODULES {
            return Err(format!(
                "modules are nested deeper than {MAX_MODULE_DEPTH}, or there are more than {MAX_MODULES}"
            ));
        }
        let (source, text) = self.source.read(&path)?;
        let parsed = super::parse_module(source, &text);
        let mut faults = parsed.diagnostics;
        let mut graph = None;
        if let Some(mut syntax) = parsed.syntax {
            faults.extend(own_plugins(&syntax, user));
            // What the root grants and sets holds for the modules, too.
            syntax.plugins.clone_from(&user.plugins);
            self.open.push(path.clone());
            let resolved = super::resolve_in(syntax, catalog, self, schemas);
            self.open.pop();
            faults.extend(resolved.diagnostics);
            graph = resolved.graph.map(Arc::new);
        }
        self.known.insert(path, graph.clone());
        Ok((graph, faults))
    }

    /// The schema of what a module is given: its inputs.
    pub(crate) fn inputs_schema(&self, graph: &Graph) -> Option<Schema> {
        let mut properties = Map::new();
        let mut required = BTreeSet::new();
        for (name, input) in &graph.inputs {
            properties.insert(name.clone(), input.rules.clone());
            if input.default.is_none() {
                required.insert(name.clone());
            }
        }
        let schema = json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required});
        Schema::compile(&schema).ok()
    }
}

/// A module uses the plugins of the blueprint that uses it: it cannot load or be granted others.
fn own_plugins(module: &Syntax, user: &Syntax) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (name, plugin) in &module.plugins {
        if !user.plugins.contains_key(name) {
            let fault = Diagnostic::error(
                codes::UNKNOWN_PLUGIN,
                format!("the plugin `{name}` is not in the blueprint that uses this module"),
            );
            out.push(
                fault
                    .at(plugin.span, "")
                    .with_help("list it there: what a plugin may do is granted at the root"),
            );
        } else if plugin.source.is_some() || plugin.grants != sheave_model::plugin::Grants::default() {
            let fault = Diagnostic::error(
                codes::UNKNOWN_KEY,
                format!("a module cannot say where `{name}` comes from or what it may do"),
            );
            out.push(
                fault
                    .at(plugin.span, "")
                    .with_help(format!("write `{name}: {{}}`: source and grants stand at the root")),
            );
        }
    }
    out
}

/// A module's folder as seen from the root blueprint's: `from` is the folder of the blueprint that names it, empty at
/// the root. `.` and `..` stand at most at its beginning.
pub fn module_folder(from: &str, folder: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    for part in folder.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => _ = parts.pop(),
            other => parts.push(other),
        }
    }
    parts.join("/")
}
