//! What can be said of a blueprint before any cluster is asked: it is planned against an empty state, with every plugin's
//! answer not known.

use std::collections::BTreeMap;
use std::sync::Arc;

use sheave_engine::{Action, Event, ProviderPlanned, Rendered, Run, World};
use sheave_model::plan::{Action as Planned, Purpose};
use sheave_model::plugin::ProviderPlan;
use sheave_model::stack::StackState;
use sheave_model::{Address, Diagnostic, Masked, Unknown, UnknownKind, Value};

use crate::driver::in_order;
use crate::files::FolderFiles;
use crate::load::{Loaded, evaluate_early};
use crate::perform::with_files;
use crate::targets::Targets;

/// The faults that show without any cluster.
pub(crate) fn check_ahead(loaded: &Loaded, inputs: &BTreeMap<String, Value>, stack: &str) -> Vec<Diagnostic> {
    let files = Arc::new(FolderFiles::new(&loaded.blueprint.folder));
    let mut faults = Vec::new();
    for (name, spec) in loaded.graph.targets.iter().filter(|(_, spec)| spec.references.is_empty()) {
        match evaluate_early(&loaded.graph, &spec.settings, inputs, stack, &files) {
            Ok(settings) if spec.is_cluster() => {
                let added = Targets::default().add(name, &settings, &loaded.blueprint.folder, None);
                faults.extend(added.err().map(|d| d.at(spec.span, "this target")));
            }
            Ok(_) => {}
            Err(more) => faults.extend(more),
        }
    }
    let mut run = Run::new(world(loaded, inputs, stack, files.clone()));
    let mut inbox = vec![Event::Start];
    while let Some(event) = inbox.pop() {
        for action in run.step(event) {
            inbox.extend(answer(loaded, &files, action, &mut faults));
        }
        faults.extend(run.take_diagnostics());
    }
    in_order(faults)
}

fn world(loaded: &Loaded, inputs: &BTreeMap<String, Value>, stack: &str, files: Arc<FolderFiles>) -> World {
    let unknown = |name: &String| {
        let id = format!("stacks.{name}");
        (name.clone(), Value::Unknown(Unknown { id, kind: UnknownKind::Other, secret: false }))
    };
    let pins = loaded.plugins.bound.iter().map(|(name, bound)| (name.clone(), bound.pin.clone()));
    World {
        stack: stack.to_owned(),
        run: "validate".to_owned(),
        purpose: Purpose::Apply,
        graph: Some(loaded.graph.clone()),
        blueprint: None,
        types: loaded.types.clone(),
        plugins: pins.collect(),
        settings: BTreeMap::new(),
        inputs: inputs.clone(),
        state: StackState { name: stack.to_owned(), ..StackState::default() },
        outputs: BTreeMap::new(),
        passwords: BTreeMap::new(),
        stacks: loaded.graph.stacks_read.iter().map(unknown).collect(),
        moved: Vec::new(),
        files,
        // The plan is thrown away.
        mask: Arc::new(|_| Masked::default()),
        only: Vec::new(),
    }
}

/// What would come of an action, as far as nobody is asked: nothing known, and something new.
fn answer(
    loaded: &Loaded,
    files: &FolderFiles,
    action: Action,
    faults: &mut Vec<Diagnostic>,
) -> Option<Event> {
    match action {
        Action::Render(request) => {
            if let Err(fault) = with_files(&loaded.types, files, &request.type_name, &request.properties) {
                faults.push(placed(loaded, &request.address, fault));
            }
            let why = "nobody was asked".to_owned();
            let result = Ok(Rendered::Deferred { properties: request.properties, why });
            Some(Event::Rendered { address: request.address, result })
        }
        Action::PlanProvider(request) => {
            let outputs = match loaded.types.get(&request.type_name) {
                Some(kind) => kind.schemas.outputs.unknown_outputs(&request.address.to_string()),
                None => Value::empty(),
            };
            let planned = ProviderPlanned {
                properties: request.properties,
                key: String::new(),
                action: Planned::Create,
                changes: Vec::new(),
                plan: ProviderPlan { outputs, replace: Vec::new(), notes: Vec::new() },
                notes: Vec::new(),
            };
            Some(Event::ProviderPlanned { address: request.address, result: Ok(Box::new(planned)) })
        }
        _ => None,
    }
}

/// A fault of a resource of the root blueprint with its place.
fn placed(loaded: &Loaded, address: &Address, fault: Diagnostic) -> Diagnostic {
    let spec = loaded.graph.resources.get(address.name()).filter(|_| address.module().is_none());
    let fault = match spec {
        Some(spec) => spec.properties.locate(fault),
        None => fault,
    };
    fault.on(address.clone())
}
