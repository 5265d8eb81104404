//! Looks every name up: what is left is a graph in which nothing is missing and nothing waits for itself.

mod grants;
mod modules;
mod names;
mod order;
mod resources;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sheave_model::{Diagnostic, Span, TypeCatalog, TypeName};

use crate::codes;
use crate::graph::{Graph, OutputSpec, PluginSpec, TargetSpec, follow};
use crate::schema::{Schema, TypeSchemas};
use crate::syntax::{Parsed, Syntax, tidy};
use crate::template::Template;

pub use modules::{ModuleSource, NoModules, module_folder};
use names::{Place, Places};

/// What resolving gives.
#[derive(Debug)]
pub struct Resolved {
    /// None where something was wrong, in parsing or here.
    pub graph: Option<Graph>,
    /// All faults at once, in the order of the text. Those of parsing are not repeated.
    pub diagnostics: Vec<Diagnostic>,
}

/// Resolves a blueprint without modules.
pub fn resolve(syntax: Syntax, catalog: &dyn TypeCatalog) -> Resolved {
    resolve_with(syntax, catalog, &NoModules)
}

/// Resolves a blueprint and its modules.
pub fn resolve_with(syntax: Syntax, catalog: &dyn TypeCatalog, modules: &dyn ModuleSource) -> Resolved {
    let schemas = &mut BTreeMap::new();
    resolve_in(syntax, catalog, &mut modules::Modules::new(modules), schemas)
}

pub(crate) fn resolve_in(
    syntax: Syntax,
    catalog: &dyn TypeCatalog,
    modules: &mut modules::Modules<'_>,
    schemas: &mut BTreeMap<TypeName, Option<Arc<TypeSchemas>>>,
) -> Resolved {
    let mut resolver =
        Resolver { syntax: &syntax, catalog, schemas, faults: Vec::new(), edges: BTreeMap::new() };
    let graph = resolver.graph(modules);
    let mut diagnostics = resolver.faults;
    tidy(&mut diagnostics, syntax.lost.broken_at);
    let good = !syntax.faulty && !diagnostics.iter().any(Diagnostic::is_error);
    Resolved { graph: if good { graph } else { None }, diagnostics }
}

pub(crate) struct Resolver<'a> {
    pub(crate) syntax: &'a Syntax,
    pub(crate) catalog: &'a dyn TypeCatalog,
    /// Each type's schemas, compiled when first asked for; none: reported.
    pub(crate) schemas: &'a mut BTreeMap<TypeName, Option<Arc<TypeSchemas>>>,
    pub(crate) faults: Vec<Diagnostic>,
    /// Which resource reads which, and where.
    pub(crate) edges: BTreeMap<String, BTreeMap<String, Span>>,
}

impl Resolver<'_> {
    fn graph(&mut self, modules: &mut modules::Modules<'_>) -> Option<Graph> {
        let syntax = self.syntax;
        let places = self.places();
        for local in syntax.locals.values() {
            self.names(local, &places, Place::Local);
        }
        self.local_cycles();
        let plugins = self.plugins(&places);
        let targets = self.targets(&places);
        let (mut resources, mut nested) = (BTreeMap::new(), BTreeMap::new());
        for (name, raw) in &syntax.resources {
            self.resource_names(name, raw, &places);
            if raw.type_text.as_ref().is_some_and(|(text, _)| crate::syntax::is_folder(text)) {
                if let Some(module) = self.module(name, raw, &targets, modules) {
                    nested.insert(name.clone(), Arc::new(module));
                }
            } else if let Some(resource) = self.resource(name, raw, &targets, &plugins) {
                resources.insert(name.clone(), Arc::new(resource));
            }
        }
        let outputs = self.outputs(&places);
        for stack in syntax.stacks.values() {
            self.names(stack, &places, Place::Stack);
        }
        let order = self.order();
        let mut stacks_read = BTreeSet::new();
        for template in self.all_templates() {
            stacks_read.extend(template.references().stacks);
        }
        Some(Graph {
            name: syntax.name.clone(),
            source: syntax.source,
            inputs: syntax.inputs.clone(),
            locals: syntax.locals.clone(),
            targets,
            plugins,
            resources,
            modules: nested,
            outputs,
            order: order?,
            moved: syntax.moved.clone(),
            stacks: syntax.stacks.clone(),
            stacks_read,
            schemas: self.schemas.iter().filter_map(|(k, v)| Some((k.clone(), v.clone()?))).collect(),
        })
    }

    /// The names that expressions can read.
    fn places(&mut self) -> Places {
        let outputs = self.syntax.resources.iter().map(|(name, raw)| {
            let type_name = raw.type_text.as_ref().and_then(|(text, _)| text.parse::<TypeName>().ok());
            let schemas = type_name.and_then(|t| self.schemas_of(&t));
            (
                name.clone(),
                names::Known { repeated: !matches!(raw.repeat, crate::graph::Repeat::Once), schemas },
            )
        });
        let resources = outputs.collect();
        Places { resources }
    }

    /// A type's schemas, where the catalog has it and they can be used.
    fn schemas_of(&mut self, name: &TypeName) -> Option<Arc<TypeSchemas>> {
        if let Some(known) = self.schemas.get(name) {
            return known.clone();
        }
        let described = self.catalog.get(name)?;
        let compiled = match TypeSchemas::compile(described) {
            Ok(schemas) => Some(Arc::new(schemas)),
            Err(error) => {
                let summary = format!("the schema of `{name}` cannot be used");
                let fault = Diagnostic::error(codes::BAD_SCHEMA, summary).with_detail(error.to_string());
                self.faults.push(fault.with_help("this is a fault of the plugin, not of the blueprint"));
                None
            }
        };
        self.schemas.insert(name.clone(), compiled.clone());
        compiled
    }

    fn plugins(&mut self, places: &Places) -> BTreeMap<String, PluginSpec> {
        let syntax = self.syntax;
        let mut out = BTreeMap::new();
        for (name, plugin) in &syntax.plugins {
            self.granted(name, plugin);
            self.names(&plugin.settings, places, Place::Settings);
            if let Some(schema) = self.catalog.settings_schema(name) {
                match Schema::compile(schema) {
                    Ok(schema) => self.check(&schema, &plugin.settings, None),
                    Err(error) => {
                        let summary = format!("the settings' schema of the plugin `{name}` cannot be used");
                        self.faults.push(
                            Diagnostic::error(codes::BAD_SCHEMA, summary).with_detail(error.to_string()),
                        );
                    }
                }
            }
            let references = follow(&syntax.locals, plugin.settings.references()).resources;
            out.insert(name.clone(), PluginSpec { references, ..plugin.clone() });
        }
        out
    }

    fn targets(&mut self, places: &Places) -> BTreeMap<String, TargetSpec> {
        let syntax = self.syntax;
        let mut out = BTreeMap::new();
        for (name, raw) in &syntax.targets {
            self.names(&raw.settings, places, Place::Settings);
            if let Some(schema) = crate::targets::settings_schema(&raw.kind) {
                let first = self.faults.len();
                self.check(schema, &raw.settings, None);
                for fault in &mut self.faults[first..] {
                    fault.summary = format!("target `{name}`: {}", fault.summary);
                }
            }
            let target = TargetSpec {
                name: name.clone(),
                kind: raw.kind.clone(),
                settings: raw.settings.clone(),
                references: follow(&syntax.locals, raw.settings.references()).resources,
                span: raw.span,
            };
            out.insert(name.clone(), target);
        }
        out
    }

    fn outputs(&mut self, places: &Places) -> BTreeMap<String, OutputSpec> {
        let syntax = self.syntax;
        let mut out = BTreeMap::new();
        for (name, (value, span)) in &syntax.outputs {
            self.names(value, places, Place::Output);
            let references = follow(&syntax.locals, value.references()).resources;
            let output = OutputSpec { name: name.clone(), value: value.clone(), references, span: *span };
            out.insert(name.clone(), output);
        }
        out
    }

    /// Every template of the blueprint.
    fn all_templates(&self) -> Vec<&Template> {
        let syntax = self.syntax;
        let mut all: Vec<&Template> = syntax.locals.values().collect();
        all.extend(syntax.targets.values().map(|t| &t.settings));
        all.extend(syntax.plugins.values().map(|p| &p.settings));
        all.extend(syntax.outputs.values().map(|(t, _)| t));
        all.extend(syntax.stacks.values());
        syntax
            .resources
            .values()
            .for_each(|r| all.extend(resources::templates(r).into_iter().map(|(t, _)| t)));
        all
    }
}

/// The blueprint of a module's text.
pub(crate) fn parse_module(source: sheave_model::SourceId, text: &str) -> Parsed {
    crate::syntax::parse(source, text)
}
