//! What can be said of a blueprint before any cluster is asked: everything that inputs decide.

use std::collections::BTreeMap;
use std::sync::Arc;

use sheave_blueprint::{Instance, NoPasswords, Repeat, ResourceSpec, Scope, codes};
use sheave_model::{Address, Diagnostic, Role, Unknown, UnknownKind, Value};

use crate::files::FolderFiles;
use crate::load::{Loaded, evaluate_early};
use crate::targets::Targets;

/// Instances of one resource that are looked at: `validate` answers at once, and `plan` looks at them all.
const MAX_INSTANCES_CHECKED: usize = 50;

/// The faults that show without any cluster.
pub(crate) fn check_ahead(loaded: &Loaded, inputs: &BTreeMap<String, Value>, stack: &str) -> Vec<Diagnostic> {
    let files = FolderFiles::new(&loaded.blueprint.folder);
    let mut faults = Vec::new();
    for (name, spec) in loaded.graph.targets.iter().filter(|(_, spec)| spec.references.is_empty()) {
        match evaluate_early(&loaded.graph, &spec.settings, inputs, stack, &files) {
            Ok(settings) => {
                let added = Targets::default().add(name, &settings, &loaded.blueprint.folder, None);
                faults.extend(added.err().map(|d| d.at(spec.span, "this target")));
            }
            Err(more) => faults.extend(more),
        }
    }
    let resources = foreseen(loaded);
    let unknown = |name: &String| {
        Value::Unknown(Unknown { id: format!("stacks.{name}"), kind: UnknownKind::Other, secret: false })
    };
    let stacks = loaded.graph.stacks_read.iter().map(|name| (name.clone(), unknown(name))).collect();
    let scope = Scope {
        inputs,
        resources: &resources,
        stacks: &stacks,
        each: None,
        stack,
        module: "",
        files: &files,
        passwords: &NoPasswords,
    };
    for (name, spec) in &loaded.graph.resources {
        let emits = loaded.types.get(&spec.type_name).is_some_and(|t| t.info.role == Role::Emits);
        if emits && spec.target.is_none() && loaded.graph.targets.is_empty() {
            let summary = format!("`{name}` needs a target, and the blueprint has none");
            let help = "add for example `targets: {main: {kubernetes: {namespace: default}}}`";
            faults.push(Diagnostic::error(codes::NO_TARGET, summary).at(spec.span, "").with_help(help));
        }
        if let Err(more) = check(loaded, spec, &scope) {
            faults.extend(
                more.into_iter().map(|d| if d.address.is_none() { d.on(Address::new(name)) } else { d }),
            );
        }
    }
    faults
}

/// The resources as expressions see them when nothing has been applied.
fn foreseen(loaded: &Loaded) -> BTreeMap<String, Value> {
    let outputs = |(name, spec): (&String, &Arc<ResourceSpec>)| {
        let unknown =
            || Value::Unknown(Unknown { id: name.clone(), kind: UnknownKind::Other, secret: false });
        let single = matches!(spec.repeat, Repeat::Once) && spec.when.is_none();
        let value = match loaded.types.get(&spec.type_name).filter(|_| single) {
            Some(kind) => Value::Map(BTreeMap::from([(
                "outputs".to_owned(),
                kind.schemas.outputs.unknown_outputs(name),
            )])),
            None => unknown(),
        };
        (name.clone(), value)
    };
    loaded.graph.resources.iter().map(outputs).collect()
}

fn check(loaded: &Loaded, spec: &ResourceSpec, scope: &Scope<'_>) -> Result<(), Vec<Diagnostic>> {
    let graph = &loaded.graph;
    let mut faults = Vec::new();
    for instance in graph.instances(&spec.repeat, scope)?.into_iter().flatten().take(MAX_INSTANCES_CHECKED) {
        let scope = within(scope, &instance);
        if let Some(when) = &spec.when
            && graph.holds(when, &scope)? != Some(true)
        {
            continue;
        }
        let Some(kind) = loaded.types.get(&spec.type_name) else { break };
        let properties = graph.evaluate(&spec.properties, &scope)?;
        faults.extend(
            kind.schemas.properties.check(&properties).into_iter().map(|f| spec.properties.locate(f)),
        );
        // The next ones are most likely wrong in the same way.
        if !faults.is_empty() {
            break;
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn within<'a>(scope: &Scope<'a>, instance: &Instance) -> Scope<'a> {
    Scope { each: instance.each.clone(), ..*scope }
}
