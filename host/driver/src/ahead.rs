//! What can be said of a blueprint before any cluster is asked: it is planned against an empty state, with what plugins would make
//! of it not known. Then each plugin checks the properties, as far as they are known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use sheave_engine::{Action, Event, ProviderPlanned, Rendered, Run, World};
use sheave_model::event::What;
use sheave_model::plan::{Action as Planned, Purpose};
use sheave_model::plugin::ProviderPlan;
use sheave_model::stack::StackState;
use sheave_model::{Address, Diagnostic, Masked, TypeName, Unknown, UnknownKind, Value};
use sheave_secrets::StackKey;
use tokio::sync::{mpsc, watch};

use crate::connections::Connections;
use crate::context::{Context, Parts};
use crate::driver::in_order;
use crate::early::EarlySettings;
use crate::files::FolderFiles;
use crate::load::Loaded;
use crate::perform::{check, with_files};
use crate::targets::Targets;

/// Properties that their plugin may check.
struct Question {
    address: Address,
    type_name: TypeName,
    properties: Value,
}

/// One question for each resource: its first instance's.
#[derive(Default)]
struct Questions {
    asked: BTreeSet<(Option<Address>, String)>,
    all: Vec<Question>,
}

impl Questions {
    fn add(&mut self, address: &Address, type_name: &TypeName, properties: &Value) {
        if self.asked.insert((address.module(), address.name().to_owned())) {
            let (address, type_name) = (address.clone(), type_name.clone());
            self.all.push(Question { address, type_name, properties: properties.clone() });
        }
    }
}

/// The faults that show without any cluster, and what plugins warn of.
///
/// Of a resource with many instances plugins check the first: thousands that come from one text have their faults in common, and
/// a plan checks each.
pub(crate) async fn check_ahead(
    loaded: &Loaded,
    inputs: &BTreeMap<String, Value>,
    stack: &str,
    key: StackKey,
) -> Vec<Diagnostic> {
    let files = Arc::new(FolderFiles::new(&loaded.blueprint.folder));
    let (graph, folder) = (&*loaded.graph, loaded.blueprint.folder.as_str());
    let EarlySettings { plugins, mut faults, .. } =
        EarlySettings::of(graph, inputs, stack, &files, folder, &BTreeMap::new());
    faults.extend(Connections::written(graph, inputs, stack, &files).1);
    let mut questions = Questions::default();
    let mut run = Run::new(world(loaded, inputs, stack, files.clone()));
    let mut inbox = vec![Event::Start];
    while let Some(event) = inbox.pop() {
        for action in run.step(event) {
            inbox.extend(answer(loaded, &files, action, &mut faults, &mut questions));
        }
        faults.extend(run.take_diagnostics());
    }
    faults.extend(ask(loaded, inputs, stack, key, plugins, files, questions.all).await);
    in_order(faults)
}

/// What plugins say of the properties: they are asked with nothing granted, and reach nothing.
async fn ask(
    loaded: &Loaded,
    inputs: &BTreeMap<String, Value>,
    stack: &str,
    key: StackKey,
    plugin_settings: BTreeMap<String, Value>,
    files: Arc<FolderFiles>,
    questions: Vec<Question>,
) -> Vec<Diagnostic> {
    let (watcher, mut heard) = mpsc::unbounded_channel();
    let (_never, cancelled) = watch::channel(0);
    let context = Context::new(Parts {
        stack: stack.to_owned(),
        key,
        plugins: loaded.plugins.clone(),
        plugin_settings,
        files,
        folder: loaded.blueprint.folder.clone(),
        types: loaded.types.clone(),
        targets: Targets::default(),
        connections: Connections::default(),
        state: StackState { name: stack.to_owned(), ..StackState::default() },
        timeout: Duration::ZERO,
        parallelism: 1,
        watcher,
        cancelled,
    });
    inputs.values().for_each(|value| context.learn_input(value));
    let said = join_all(questions.iter().map(async |q| {
        let checked = check(&context, &q.address, &q.type_name, &q.properties).await;
        checked.err().map_or_else(Vec::new, |failure| failure.diagnostics)
    }))
    .await;
    let mut found: Vec<Diagnostic> = said.into_iter().flatten().collect();
    drop(context);
    while let Some(event) = heard.recv().await {
        if let What::Diagnostic { diagnostic } = event.what {
            found.push(diagnostic);
        }
    }
    found
        .into_iter()
        .map(|d| match d.address.clone() {
            Some(address) => placed(loaded, &address, d),
            None => d,
        })
        .collect()
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
    questions: &mut Questions,
) -> Option<Event> {
    match action {
        Action::Render(request) => {
            match with_files(&loaded.types, files, &request.type_name, &request.properties) {
                Ok(read) => {
                    let properties = read.as_ref().unwrap_or(&request.properties);
                    questions.add(&request.address, &request.type_name, properties);
                }
                Err(fault) => faults.push(placed(loaded, &request.address, fault)),
            }
            let why = "nobody was asked".to_owned();
            let result = Ok(Rendered::Deferred { properties: request.properties, why });
            Some(Event::Rendered { address: request.address, result })
        }
        Action::PlanProvider(request) => {
            questions.add(&request.address, &request.type_name, &request.properties);
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
