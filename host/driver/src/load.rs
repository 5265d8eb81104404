//! From a blueprint's file to a graph with its plugins loaded and its inputs bound.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sheave_blueprint::{Graph, InputSource, InputValue, NoPasswords, RawInput, Scope};
use sheave_engine::CompiledType;
use sheave_model::plan::BlueprintText;
use sheave_model::{Diagnostic, PluginPin, Sources, TypeName, Value};
use sheave_plugin_host::PluginHost;

use crate::files::FolderFiles;
use crate::lock::{LockFile, LockedPlugin};
use crate::modules::ModuleTexts;
use crate::plugins::{Added, Lock, PluginSet};
use crate::request::{InputGiven, Report};
use crate::supply::Supply;
use crate::targets::Begun;

/// The largest blueprint or inputs file: real ones have a few hundred lines.
pub(crate) const MAX_TEXT: u64 = 8 << 20;

/// A blueprint ready to be planned.
pub(crate) struct Loaded {
    pub(crate) report: Report,
    pub(crate) graph: Arc<Graph>,
    pub(crate) plugins: PluginSet,
    pub(crate) types: BTreeMap<TypeName, Arc<CompiledType>>,
    pub(crate) blueprint: BlueprintText,
    /// Plugins that stand in the lock file from now on, once something is planned with them.
    pub(crate) unlocked: BTreeMap<String, LockedPlugin>,
    /// Clusters that it names, being connected to already.
    pub(crate) begun: Begun,
}

/// Reads a blueprint's file.
pub(crate) fn read_blueprint(path: &Path) -> Result<BlueprintText, Diagnostic> {
    let shown = path.display();
    let fault = |why: String| {
        Diagnostic::error("blueprint.unreadable", format!("the blueprint `{shown}` cannot be read: {why}"))
            .with_help("`-f FILE` names another one")
    };
    let bytes = read_limited(path).map_err(fault)?;
    let text = String::from_utf8(bytes).map_err(|e| {
        Diagnostic::error(
            "blueprint.not-yaml",
            format!(
                "the blueprint `{shown}` is not UTF-8 text: byte {} is wrong",
                e.utf8_error().valid_up_to()
            ),
        )
        .with_help("a blueprint is a YAML file in UTF-8")
    })?;
    let folder = std::path::absolute(path).map_err(|e| fault(e.to_string()))?;
    let folder = folder.parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
    Ok(BlueprintText { folder, files: vec![(shown.to_string(), text)] })
}

pub(crate) fn read_limited(path: &Path) -> Result<Vec<u8>, String> {
    let data = std::fs::metadata(path).map_err(|e| e.to_string())?;
    if !data.is_file() {
        return Err("it is no file".into());
    }
    if data.len() > MAX_TEXT {
        return Err(format!("it has {} bytes, {MAX_TEXT} are allowed", data.len()));
    }
    std::fs::read(path).map_err(|e| e.to_string())
}

/// Plugins as an earlier run had them, by name: the state's own copies.
pub(crate) type Kept = BTreeMap<String, (PluginPin, Option<Vec<u8>>)>;

/// Parses, loads the plugins, resolves. The report holds everything that was found on the way.
pub(crate) async fn load(
    blueprint: BlueprintText,
    host: &PluginHost,
    supply: &Supply,
    strict: bool,
) -> Result<Loaded, Report> {
    load_with(blueprint, host, supply, Kept::new(), strict).await
}

/// The same, with these plugins in place of those that stand where the blueprint says. `strict`: nothing else is used
/// that the lock file does not have.
pub(crate) async fn load_with(
    blueprint: BlueprintText,
    host: &PluginHost,
    supply: &Supply,
    mut kept: Kept,
    strict: bool,
) -> Result<Loaded, Report> {
    let mut sources = Sources::default();
    let (name, text) = blueprint.files.first().cloned().unwrap_or_default();
    let id = sources.add(name, text.clone());
    let parsed = sheave_blueprint::parse(id, &text);
    let mut diagnostics = parsed.diagnostics;
    let Some(syntax) = parsed.syntax else { return Err(Report { diagnostics, sources }) };
    let mut plugins = PluginSet::default();
    let folder = PathBuf::from(&blueprint.folder);
    let file = LockFile::read(&folder).unwrap_or_else(|fault| {
        diagnostics.push(fault);
        LockFile::default()
    });
    let lock = Lock { file: &file, strict };
    let mut unlocked = BTreeMap::new();
    for spec in syntax.plugins() {
        let added = match kept.remove(&spec.name) {
            Some((pin, bytes)) => plugins.add_pin(host, &pin, bytes).await.map(|()| Added::default()),
            None => plugins.add_spec(host, supply, &folder, &spec, &lock).await,
        };
        match added {
            Ok(added) => {
                diagnostics.extend(added.warnings);
                unlocked.extend(added.new.map(|new| (spec.name.clone(), new)));
            }
            Err(fault) => diagnostics.push(fault),
        }
    }
    let mut used: BTreeSet<TypeName> = syntax.type_names().into_iter().collect();
    let modules = ModuleTexts::read(&syntax, &blueprint, &mut sources);
    used.extend(modules.types());
    diagnostics.extend(plugins.describe(&|name| used.contains(name)).await);
    let unloaded = diagnostics.iter().any(|d| d.is_error() && d.code.starts_with("plugin."));
    let resolved = sheave_blueprint::resolve_with(syntax, &plugins, &modules);
    let blueprint = BlueprintText { files: modules.add_to(blueprint.files), ..blueprint };
    // A plugin that could not be loaded makes all its types unknown: saying that too would hide the cause.
    diagnostics.extend(resolved.diagnostics.into_iter().filter(|d| {
        !(unloaded && matches!(d.code.as_str(), "blueprint.unknown-type" | "blueprint.unknown-plugin"))
    }));
    let report = Report { diagnostics, sources };
    match resolved.graph {
        Some(graph) if !report.diagnostics.iter().any(Diagnostic::is_error) => {
            // Resolving compiled every schema that is used, those of modules included.
            let compiled = graph.schemas.iter().filter_map(|(name, schemas)| {
                let info = sheave_model::TypeCatalog::get(&plugins, name)?.clone();
                Some((name.clone(), Arc::new(CompiledType::new(info, schemas.clone()))))
            });
            let types = compiled.collect();
            let begun = Begun::default();
            Ok(Loaded { report, graph: Arc::new(graph), plugins, types, blueprint, unlocked, begun })
        }
        _ => Err(report),
    }
}

/// Binds the inputs that were given.
pub(crate) fn bind(
    graph: &Graph,
    given: &[InputGiven],
    sources: &mut Sources,
) -> Result<BTreeMap<String, Value>, Vec<Diagnostic>> {
    bind_with(graph, given, &BTreeMap::new(), sources)
}

/// Binds the inputs that were given; those in `known` are had from elsewhere.
pub(crate) fn bind_with(
    graph: &Graph,
    given: &[InputGiven],
    known: &BTreeMap<String, Value>,
    sources: &mut Sources,
) -> Result<BTreeMap<String, Value>, Vec<Diagnostic>> {
    let mut values: Vec<InputValue> = known
        .iter()
        .map(|(name, value)| given_value(name, RawInput::Value(value.clone()), InputSource::Saved))
        .collect();
    let mut faults = Vec::new();
    for input in given {
        match input {
            InputGiven::Flag { name, text } => {
                values.push(given_value(name, RawInput::Text(text.expose().to_owned()), InputSource::Flag))
            }
            InputGiven::Env { name, text } => {
                values.push(given_value(name, RawInput::Text(text.expose().to_owned()), InputSource::Env))
            }
            InputGiven::File(path) => match read_inputs(path, sources) {
                Ok(found) => values.extend(found),
                Err(found) => faults.extend(found),
            },
        }
    }
    match sheave_blueprint::bind_inputs(graph, &values) {
        Ok(bound) if faults.is_empty() => Ok(bound),
        Ok(_) => Err(faults),
        Err(more) => {
            faults.extend(more);
            Err(faults)
        }
    }
}

fn read_inputs(path: &Path, sources: &mut Sources) -> Result<Vec<InputValue>, Vec<Diagnostic>> {
    let shown = path.display().to_string();
    let fault = |why: String| {
        vec![Diagnostic::error("input.file", format!("the inputs file `{shown}` cannot be used: {why}"))]
    };
    let bytes = read_limited(path).map_err(fault)?;
    let text = String::from_utf8(bytes).map_err(|_| fault("it is not UTF-8 text".into()))?;
    let id = sources.add(shown.clone(), text.clone());
    let values = sheave_blueprint::read_inputs(id, &text)?;
    let from = InputSource::File(shown);
    Ok(values
        .into_iter()
        .map(|(name, value)| given_value(name, RawInput::Value(value), from.clone()))
        .collect())
}

fn given_value(name: impl Into<String>, value: RawInput, from: InputSource) -> InputValue {
    InputValue { name: name.into(), value, from }
}

/// Evaluates what may read inputs only, such as a target's settings.
pub(crate) fn evaluate_early(
    graph: &Graph,
    template: &sheave_blueprint::Template,
    inputs: &BTreeMap<String, Value>,
    stack: &str,
    files: &FolderFiles,
) -> Result<Value, Vec<Diagnostic>> {
    let none = BTreeMap::new();
    let scope = Scope {
        inputs,
        resources: &none,
        stacks: &none,
        each: None,
        stack,
        module: "",
        files,
        passwords: &NoPasswords,
    };
    graph.evaluate(template, &scope)
}
