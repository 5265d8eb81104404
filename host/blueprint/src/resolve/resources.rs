//! A resource's type, its keys, its properties against the type's schema, and what it reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sheave_model::{Address, Diagnostic, Role, TypeName, Value};

use super::Resolver;
use super::names::{Place, Places};
use crate::codes;
use crate::graph::{ModuleSpec, PluginSpec, Repeat, ResourceSpec, TargetSpec};
use crate::nearest;
use crate::references::each_path;
use crate::schema::Schema;
use crate::syntax::{RawResource, never_text, nothing};
use crate::template::Template;

/// The templates of a resource, and whether each makes the instances.
pub(super) fn templates(raw: &RawResource) -> Vec<(&Template, bool)> {
    let mut out: Vec<(&Template, bool)> = Vec::new();
    let plain =
        [&raw.properties, &raw.inputs, &raw.targets, &raw.target, &raw.when, &raw.options.replace_when];
    out.extend(plain.into_iter().flatten().map(|t| (t, false)));
    match &raw.repeat {
        Repeat::Once => {}
        Repeat::Count(t) | Repeat::ForEach(t) => out.push((t, true)),
    }
    out
}

impl Resolver<'_> {
    /// Names in a resource's expressions and in `depends-on`; notes what it reads, and where.
    pub(super) fn resource_names(&mut self, name: &str, raw: &RawResource, places: &Places) {
        let repeated = !matches!(raw.repeat, Repeat::Once);
        for (template, makes_instances) in templates(raw) {
            let place = if makes_instances { Place::Repeat(name) } else { Place::Resource(name, repeated) };
            self.names(template, places, place);
            self.note_reads(name, template);
        }
        let resources = &self.syntax.resources;
        for (needed, span) in &raw.depends_on {
            if self.syntax.lost.resources.contains(needed) {
                continue;
            }
            if resources.contains_key(needed) {
                self.edges.entry(name.to_owned()).or_default().entry(needed.clone()).or_insert(*span);
                continue;
            }
            let mut fault =
                Diagnostic::error(codes::UNKNOWN_NAME, format!("there is no resource `{needed}`"))
                    .at(*span, "")
                    .on(Address::new(name));
            fault.help = nearest::help(needed, resources.keys().map(String::as_str));
            self.faults.push(fault);
        }
    }

    /// Notes that `name` reads what a template reads.
    pub(super) fn note_reads(&mut self, name: &str, template: &Template) {
        let locals = &self.syntax.locals;
        let edges = self.edges.entry(name.to_owned()).or_default();
        template.each_expression(&mut |expression| {
            each_path(&expression.root, &mut |path| {
                let Some(first) = path.steps.first().and_then(|s| s.name.as_ref()) else { return };
                let span = expression
                    .place
                    .span((path.root_at.0, path.steps.last().map_or(path.root_at.1, |s| s.at.1)));
                match path.root {
                    "resources" => _ = edges.entry(first.clone()).or_insert(span),
                    "locals" => {
                        let Some(local) = locals.get(first) else { return };
                        for read in crate::graph::follow(locals, local.references()).resources {
                            edges.entry(read).or_insert(span);
                        }
                    }
                    _ => {}
                }
            });
        });
    }

    /// A resource of a plugin's type.
    pub(super) fn resource(
        &mut self,
        name: &str,
        raw: &RawResource,
        targets: &BTreeMap<String, TargetSpec>,
        plugins: &BTreeMap<String, PluginSpec>,
    ) -> Option<ResourceSpec> {
        let address = Address::new(name);
        for (key, span) in raw.keys.iter().filter(|(k, _)| ["inputs", "targets"].contains(&k.as_str())) {
            let fault = Diagnostic::error(codes::UNKNOWN_KEY, format!("`{key}` belongs to modules"));
            let help = "a resource of a plugin's type takes `properties` and `target`";
            self.faults.push(fault.at(*span, "").on(address.clone()).with_help(help));
        }
        let properties = raw.properties.clone().unwrap_or_else(|| nothing(raw.span));
        let type_name = self.type_name(raw, &address)?;
        if let Some(schemas) = self.schemas_of(&type_name).filter(|_| !raw.properties_lost) {
            self.check(&schemas.properties, &properties, Some(&address));
        }
        let used = self.target(raw, &type_name, targets, &address);
        let mut also: Vec<&Template> =
            used.iter().filter_map(|t| targets.get(t)).map(|t| &t.settings).collect();
        also.extend(plugins.get(&type_name.plugin).map(|p| &p.settings));
        for settings in also {
            self.note_reads(name, settings);
        }
        let references: BTreeSet<String> =
            self.edges.get(name).map(|e| e.keys().cloned().collect()).unwrap_or_default();
        let depends_on: Vec<String> = raw.depends_on.iter().map(|(n, _)| n.clone()).collect();
        let options = raw.options.clone();
        Some(ResourceSpec {
            name: name.to_owned(),
            type_name,
            properties,
            target: raw.target.clone(),
            references,
            depends_on,
            repeat: raw.repeat.clone(),
            when: raw.when.clone(),
            wait: options.wait,
            timeout: options.timeout,
            ready_when: options.ready_when,
            force: options.force,
            keep: options.keep,
            adopt: options.adopt,
            existing: options.existing,
            ignore: options.ignore,
            replace: options.replace,
            replace_when: options.replace_when,
            replace_on: options.replace_on,
            prevent_destroy: options.prevent_destroy,
            span: raw.span,
        })
    }

    fn type_name(&mut self, raw: &RawResource, address: &Address) -> Option<TypeName> {
        let (text, span) = raw.type_text.as_ref()?;
        let all: Vec<String> = self.catalog.all().iter().map(|t| t.name.to_string()).collect();
        let mut fault = |code: &str, summary: String, help: Option<String>| {
            let mut out = Diagnostic::error(code, summary).at(*span, "").on(address.clone());
            out.help = help;
            self.faults.push(out);
            None
        };
        let Ok(name) = text.parse::<TypeName>() else {
            let same =
                all.iter().find(|t| t.split_once(':').is_some_and(|(_, n)| n.eq_ignore_ascii_case(text)));
            let near =
                same.map(String::as_str).or_else(|| nearest::nearest(text, all.iter().map(String::as_str)));
            let help = near.map_or_else(
                || "write `PLUGIN:TYPE`, such as `kubernetes:Deployment`, or a folder, such as `./modules/database`".into(),
                |n| format!("did you mean `{n}`?"),
            );
            return fault(codes::UNKNOWN_TYPE, format!("`{text}` is not a type"), Some(help));
        };
        if self.catalog.get(&name).is_some() {
            return Some(name);
        }
        let of_plugin: Vec<&str> = all
            .iter()
            .filter_map(|t| t.split_once(':'))
            .filter(|(p, _)| *p == name.plugin)
            .map(|(_, n)| n)
            .collect();
        if self.syntax.lost.plugins.contains(&name.plugin) {
            return None;
        }
        if of_plugin.is_empty() && !self.syntax.plugins.contains_key(&name.plugin) {
            let mut known: Vec<&str> = self.syntax.plugins.keys().map(String::as_str).collect();
            known.extend(all.iter().filter_map(|t| t.split_once(':')).map(|(p, _)| p));
            known.sort_unstable();
            known.dedup();
            let help = match nearest::nearest(&name.plugin, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}:{}`?", name.name),
                None => format!(
                    "list it under `plugins:` with its `source`; there is {}",
                    nearest::listed(&known)
                ),
            };
            return fault(codes::UNKNOWN_PLUGIN, format!("there is no plugin `{}`", name.plugin), Some(help));
        }
        let help = nearest::nearest(&name.name, of_plugin.iter().copied()).map_or_else(
            || match all.iter().find(|t| t.ends_with(&format!(":{}", name.name))) {
                Some(other) => format!("did you mean `{other}`?"),
                None => "`sheave types` lists those that there are".to_owned(),
            },
            |n| format!("did you mean `{}:{n}`?", name.plugin),
        );
        fault(
            codes::UNKNOWN_TYPE,
            format!("the plugin `{}` has no type `{}`", name.plugin, name.name),
            Some(help),
        )
    }

    /// The targets that a resource may use, by name.
    fn target(
        &mut self,
        raw: &RawResource,
        type_name: &TypeName,
        targets: &BTreeMap<String, TargetSpec>,
        address: &Address,
    ) -> Vec<String> {
        let emits = self.catalog.get(type_name).is_some_and(|t| t.role == Role::Emits);
        let Some(template) = &raw.target else {
            let clusters: Vec<&String> =
                targets.iter().filter(|(_, t)| t.is_cluster()).map(|(name, _)| name).collect();
            if emits && clusters.len() > 1 && self.syntax.lost.targets.is_empty() {
                let names: Vec<&str> = clusters.iter().map(|n| n.as_str()).collect();
                let fault = Diagnostic::error(
                    codes::NO_TARGET,
                    "the blueprint has several targets, and none is chosen",
                );
                let help =
                    format!("write `target:` with {}", nearest::listed(&names).replace(" and ", " or "));
                self.faults.push(fault.at(raw.span, "").on(address.clone()).with_help(help));
            }
            return if emits && clusters.len() == 1 { vec![clusters[0].clone()] } else { Vec::new() };
        };
        if never_text(template) {
            let fault = Diagnostic::error(codes::TYPE_MISMATCH, "`target` must be the name of a target");
            self.faults.push(fault.at(template.span(), "").on(address.clone()));
            return Vec::new();
        }
        match template.literal() {
            Some(Value::Text(name)) if emits && targets.get(&name).is_some_and(|t| !t.is_cluster()) => {
                let summary =
                    format!("the target `{name}` is an HTTP connection, and objects go to clusters");
                let clusters = targets.iter().filter(|(_, t)| t.is_cluster()).map(|(n, _)| n.as_str());
                let mut fault = Diagnostic::error(codes::INVALID_VALUE, summary)
                    .at(template.span(), "")
                    .on(address.clone());
                fault.help = nearest::help("", clusters);
                self.faults.push(fault);
                Vec::new()
            }
            Some(Value::Text(name)) if targets.contains_key(&name) => vec![name],
            Some(Value::Text(name)) if self.syntax.lost.targets.contains(&name) => Vec::new(),
            Some(Value::Text(name)) => {
                let mut fault =
                    Diagnostic::error(codes::UNKNOWN_NAME, format!("there is no target `{name}`"))
                        .at(template.span(), "")
                        .on(address.clone());
                fault.help = nearest::help(&name, targets.keys().map(String::as_str))
                    .or_else(|| Some("list it under `targets:`".into()));
                self.faults.push(fault);
                Vec::new()
            }
            // Computed: it may be any.
            _ => targets.keys().cloned().collect(),
        }
    }

    /// The literal parts of a template against a schema.
    pub(super) fn check(&mut self, schema: &Schema, template: &Template, address: Option<&Address>) {
        let computed = template.has_computed_key();
        for fault in schema.check(&template.outline()) {
            if computed && fault.code == codes::MISSING_KEY {
                continue;
            }
            let mut fault = template.locate(fault);
            fault.address = address.cloned();
            self.faults.push(fault);
        }
    }

    /// A resource that is a folder with a blueprint.
    pub(super) fn module(
        &mut self,
        name: &str,
        raw: &RawResource,
        targets: &BTreeMap<String, TargetSpec>,
        modules: &mut super::modules::Modules<'_>,
    ) -> Option<ModuleSpec> {
        let (folder, span) = raw.type_text.as_ref()?;
        let address = Address::new(name);
        let known = ["type", "inputs", "targets", "depends-on", "count", "for-each", "when"];
        for (key, span) in raw.keys.iter().filter(|(k, _)| !known.contains(&k.as_str())) {
            let fault = Diagnostic::error(codes::UNKNOWN_KEY, format!("a module takes no `{key}`"));
            let help = if key == "properties" {
                "did you mean `inputs`?".to_owned()
            } else {
                format!("its keys are {}", nearest::listed(&known))
            };
            self.faults.push(fault.at(*span, "").on(address.clone()).with_help(help));
        }
        let graph = match modules.graph(folder, self.syntax, self.catalog, self.schemas) {
            Ok((graph, faults)) => {
                self.faults.extend(faults);
                graph?
            }
            Err(why) => {
                let fault =
                    Diagnostic::error(codes::BAD_MODULE, format!("the module `{folder}` cannot be used"));
                self.faults.push(fault.with_detail(why).at(*span, "").on(address));
                return None;
            }
        };
        let inputs = raw.inputs.clone().unwrap_or_else(|| nothing(raw.span));
        self.check(&modules.inputs_schema(&graph)?, &inputs, Some(&address));
        let mapped = raw.targets.as_ref().map(Template::outline);
        for own in graph.targets.keys() {
            let outside = match mapped.as_ref().and_then(|m| m.at(&format!("/{own}"))) {
                Some(Value::Text(name)) => name.clone(),
                _ => own.clone(),
            };
            match targets.get(&outside) {
                Some(target) => self.note_reads(name, &target.settings),
                None => {
                    let summary =
                        format!("the module `{folder}` uses a target `{own}`, and here is no `{outside}`");
                    let mut fault =
                        Diagnostic::error(codes::UNKNOWN_NAME, summary).at(raw.span, "").on(address.clone());
                    let all: Vec<&str> = targets.keys().map(String::as_str).collect();
                    fault.help =
                        Some(format!("write `targets: {{{own}: NAME}}`; there is {}", nearest::listed(&all)));
                    self.faults.push(fault);
                }
            }
        }
        let references: BTreeSet<String> =
            self.edges.get(name).map(|e| e.keys().cloned().collect()).unwrap_or_default();
        Some(ModuleSpec {
            name: name.to_owned(),
            folder: folder.clone(),
            graph: Arc::clone(&graph),
            inputs,
            targets: raw.targets.clone(),
            depends_on: raw.depends_on.iter().map(|(n, _)| n.clone()).collect(),
            references,
            repeat: raw.repeat.clone(),
            when: raw.when.clone(),
            span: raw.span,
        })
    }
}
