//! From an instance's templates to what its plugin is asked: properties, target, settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use sheave_blueprint::{ResourceSpec, Template, Unknowns};
use sheave_model::{Address, Diagnostic, Role, TypeSchema, Unknown, UnknownKind, Value};

use crate::action::{Action, DiffRequest};
use crate::event::RenderedObject;
use crate::modules::{Each, Module, Modules};
use crate::passwords::PasswordBook;
use crate::watch::Watch;
use crate::{CompiledType, World};

/// An instance as its expressions give it.
#[derive(Debug)]
pub(crate) struct Evaluated {
    /// The properties, what the schema calls sensitive marked as secret.
    pub(crate) properties: Value,
    /// The root's name of the target; none for a provider.
    pub(crate) target: Option<String>,
    /// What `replace-when` watches.
    pub(crate) watch: Watch,
    /// Why it cannot be rendered yet; none: it can.
    pub(crate) unknown: Option<String>,
}

/// Settings of targets and plugins that read resources: evaluated when something first needs them.
#[derive(Debug, Default)]
pub(crate) struct Late {
    targets: BTreeMap<String, Value>,
    plugins: BTreeMap<String, Value>,
}

impl Late {
    /// A plugin's settings.
    pub(crate) fn settings(&self, world: &World, plugin: &str) -> Value {
        let found = self.plugins.get(plugin).or_else(|| world.settings.get(plugin));
        found.cloned().unwrap_or_else(Value::empty)
    }

    /// Evaluates the settings that an instance depends on, and asks for them to be used; the words say what is not
    /// known yet.
    fn settle(
        &mut self,
        around: Around<'_>,
        target: Option<&str>,
        plugin: &str,
        actions: &mut Vec<Action>,
    ) -> Result<Option<String>, Vec<Diagnostic>> {
        let Around { world, modules, passwords, to_be_made } = around;
        let Some(graph) = &world.graph else { return Ok(None) };
        let root = Address::new("root");
        let evaluate = |template: &Template| modules.evaluate(&root, passwords, template, &None);
        let late = target.and_then(|name| Some((name, graph.targets.get(name)?)));
        if let Some((name, spec)) = late.filter(|(_, spec)| !spec.references.is_empty()) {
            let settings = evaluate(&spec.settings)?;
            if settings.has_unknown() || spec.references.iter().any(|name| to_be_made(name)) {
                return Ok(Some(format!("its target `{name}` is known after apply")));
            }
            if self.targets.get(name) != Some(&settings) {
                self.targets.insert(name.to_owned(), settings.clone());
                actions.push(Action::Connect { target: name.to_owned(), settings });
            }
        }
        if let Some(spec) = graph.plugins.get(plugin).filter(|spec| !spec.references.is_empty()) {
            let settings = evaluate(&spec.settings)?;
            if settings.has_unknown() {
                return Ok(Some(format!("the settings of the plugin `{plugin}` are known after apply")));
            }
            if self.plugins.get(plugin) != Some(&settings) {
                self.plugins.insert(plugin.to_owned(), settings.clone());
                actions.push(Action::Configure { plugin: plugin.to_owned(), settings });
            }
        }
        Ok(None)
    }
}

/// What an evaluation reads.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) world: &'a World,
    pub(crate) modules: &'a Modules,
    pub(crate) passwords: &'a PasswordBook,
    /// Whether a resource of the root blueprint is still to be made: a cluster of which only the address is known
    /// cannot be asked anything.
    pub(crate) to_be_made: &'a dyn Fn(&str) -> bool,
}

/// Evaluates an instance's properties and target, and checks the properties. Errors are the blueprint's.
pub(crate) fn evaluate(
    around: Around<'_>,
    late: &mut Late,
    spec: &ResourceSpec,
    kind: &CompiledType,
    address: &Address,
    each: &Each,
    actions: &mut Vec<Action>,
) -> Result<Evaluated, Vec<Diagnostic>> {
    let Around { modules, passwords, .. } = around;
    let properties = modules.evaluate(address, passwords, &spec.properties, each)?;
    let properties = kind.schemas.properties.mark_sensitive(properties);
    let faults: Vec<Diagnostic> =
        kind.schemas.properties.check(&properties).into_iter().map(|d| place(spec, d)).collect();
    if faults.iter().any(Diagnostic::is_error) {
        return Err(faults);
    }
    let watch = Watch::of(around, spec, address, each, &properties)?;
    let target = match (kind.info.role, modules.around(address)) {
        (Role::Provides, _) | (_, None) => None,
        (Role::Emits, Some(module)) => Some(target(around, module, spec, address, each)?),
    };
    let plugin = &spec.type_name.plugin;
    let mut unknown = late.settle(around, target.as_deref(), plugin, actions)?;
    if let Unknowns::Defer(pointers) = kind.schemas.properties.verdict_on_unknowns(&properties) {
        unknown.get_or_insert_with(|| format!("{} known after apply", pointers.join(", ")));
    }
    Ok(Evaluated { properties, target, watch, unknown })
}

/// The root's name of the target that an instance goes to.
fn target(
    around: Around<'_>,
    module: &Module,
    spec: &ResourceSpec,
    address: &Address,
    each: &Each,
) -> Result<String, Vec<Diagnostic>> {
    let Some(root) = &around.world.graph else { return Ok(String::new()) };
    let named = match &spec.target {
        Some(template) => match around.modules.evaluate(address, around.passwords, template, each)? {
            Value::Text(name) => name,
            other => {
                let summary = format!(
                    "`target` names one of the blueprint's targets, and {} is none",
                    other.kind_name()
                );
                return Err(vec![
                    Diagnostic::error("blueprint.unknown-name", summary).at(spec.span, "in this resource"),
                ]);
            }
        },
        None => {
            let own = &module.graph.targets;
            let all = if own.is_empty() { &root.targets } else { own };
            let mut clusters = all.iter().filter(|(_, spec)| spec.is_cluster()).map(|(name, _)| name);
            match (clusters.next(), clusters.next()) {
                (Some(only), None) => only.clone(),
                (None, _) => {
                    let help = "add for example `targets: {main: {kubernetes: {namespace: default}}}`";
                    let summary = format!("`{}` needs a target, and the blueprint has none", spec.name);
                    return Err(vec![
                        Diagnostic::error("blueprint.no-target", summary).at(spec.span, "").with_help(help),
                    ]);
                }
                (Some(_), Some(_)) => {
                    let summary = format!("`{}` must say which target: there are several", spec.name);
                    return Err(vec![
                        Diagnostic::error("blueprint.no-target", summary).at(spec.span, "add `target: NAME`"),
                    ]);
                }
            }
        }
    };
    let outside = module.target(&named).to_owned();
    match root.targets.get(&outside) {
        Some(found) if found.is_cluster() => return Ok(outside),
        Some(_) => {
            let summary = format!("the target `{outside}` is an HTTP connection, and objects go to clusters");
            return Err(vec![
                Diagnostic::error("blueprint.invalid-value", summary).at(spec.span, "in this resource"),
            ]);
        }
        None => {}
    }
    let summary = format!("`target` names one of the blueprint's targets, and `{outside}` is none");
    let names: Vec<&str> = root.targets.keys().map(String::as_str).collect();
    let fault = Diagnostic::error("blueprint.unknown-name", summary).at(spec.span, "in this resource");
    Err(vec![fault.with_help(format!("the targets are: {}", names.join(", ")))])
}

/// Every unknown leaf as a text, which the schema says they are: so each can travel as a token.
pub(crate) fn as_texts(properties: Value) -> Value {
    match properties {
        Value::Unknown(unknown) => Value::Unknown(Unknown { kind: UnknownKind::Text, ..unknown }),
        Value::List(items) => Value::List(items.into_iter().map(as_texts).collect()),
        Value::Map(fields) => Value::Map(fields.into_iter().map(|(k, v)| (k, as_texts(v))).collect()),
        known => known,
    }
}

/// The request to compare a resource's objects.
pub(crate) fn diff_request(
    world: &World,
    kind: &CompiledType,
    spec: &ResourceSpec,
    address: &Address,
    objects: Option<Vec<RenderedObject>>,
) -> DiffRequest {
    DiffRequest {
        address: address.clone(),
        objects,
        recorded: world.state.resources.get(address).map(|r| r.objects.clone()).unwrap_or_default(),
        force: spec.force,
        adopt: spec.adopt,
        ignore: spec.ignore.clone(),
        immutable: kind.immutable.clone(),
        keep: spec.keep,
        replace: spec.replace,
        renew: None,
    }
}

/// Gives a diagnostic that points into the properties its place in the blueprint.
pub(crate) fn place(spec: &ResourceSpec, diagnostic: Diagnostic) -> Diagnostic {
    if !diagnostic.labels.is_empty() {
        return diagnostic;
    }
    if diagnostic.pointer.is_some() {
        return spec.properties.locate(diagnostic);
    }
    diagnostic.at(spec.span, "in this resource")
}

/// The types of a run by the specs that use them.
pub(crate) fn kind_of(world: &World, spec: &ResourceSpec) -> Option<Arc<CompiledType>> {
    world.types.get(&spec.type_name).cloned()
}

/// Outputs that a type's schema says stand in what it emits (`x-emitted: SLOT#POINTER`), as far as that is a plain text.
pub(crate) fn emitted_outputs(of: &TypeSchema, objects: &[RenderedObject]) -> BTreeMap<String, Value> {
    let outputs = of.outputs().get("properties").and_then(serde_json::Value::as_object);
    let found = outputs.into_iter().flatten().filter_map(|(name, schema)| {
        let (slot, pointer) = schema.get("x-emitted")?.as_str()?.split_once('#')?;
        let object = objects.iter().find(|o| o.slot == slot)?;
        match object.manifest.at(pointer)? {
            text @ Value::Text(_) => Some((name.clone(), text.clone())),
            _ => None,
        }
    });
    found.collect()
}
