//! Taking into a stack what exists already: it is looked at and recorded, and the next plan says how it differs.

use std::sync::Arc;
use std::time::Instant;

use sheave_blueprint::Graph;
use sheave_engine::{Event as Step, Run};
use sheave_model::event::{RunOutcome, What};
use sheave_model::journal::{Change, Entry, Intent, Outcome};
use sheave_model::plan::{Action, Counts, Plan, PlannedObject, PlannedResource, Purpose};
use sheave_model::stack::{ObjectRecord, ResourceRecord, SnapshotRecord, Status};
use sheave_model::{Address, Diagnostic, Masked, ObjectId, Role, Severity, Value};
use sheave_plugin_host::{CallError, wire};
use sheave_secrets::{Family, TokenTable};
use sheave_state::{LockGuard, SqliteStore, Store as _};

use crate::carrying_out::begin;
use crate::context::{Context, now};
use crate::documents::{hide, receive};
use crate::driver::{Driver, Prepared, explained, millis, state_fault};
use crate::keys::SystemRandom;
use crate::request::{Cancel, Fault, PlanRequest, Report, Watcher};
use crate::reread::observe;
use crate::session::{Pause, Session};

/// What an import took in.
#[derive(Clone, Debug)]
pub struct ImportReport {
    /// What it is called from now on.
    pub address: Address,
    /// The object; none for a provider's resource.
    pub object: Option<ObjectId>,
    /// A provider's own id; none for an object.
    pub id: Option<String>,
    /// Warnings and notes.
    pub report: Report,
}

/// What is recorded of what was found.
struct Found {
    record: ResourceRecord,
    /// The operation that stands for it in the journal, and how it ended.
    operation: (Change, Outcome),
    outputs: Option<Value>,
    object: Option<ObjectId>,
    id: Option<String>,
}

impl Driver {
    /// Takes what exists as `id` into the stack as the blueprint's resource `address`. For an emitter's single object the
    /// id is `namespace/name` or `name`, and must be what the blueprint calls it; for a provider it is its own. Takes the
    /// lock; writes nothing outside.
    pub async fn import(
        &self,
        address: &Address,
        id: &str,
        watcher: &Watcher,
        cancel: &Cancel,
    ) -> Result<ImportReport, Fault> {
        let began = Instant::now();
        let store = self.open_store().await?;
        let stack = self.stack_name(Purpose::Apply, &store).await?;
        let lock = self.lock(&store, &stack).await?;
        let done = self.import_locked(address, id, &store, &lock, (watcher, cancel, began)).await;
        let _ = store.release(lock).await;
        done
    }

    async fn import_locked(
        &self,
        address: &Address,
        id: &str,
        store: &SqliteStore,
        lock: &LockGuard,
        (watcher, cancel, began): (&Watcher, &Cancel, Instant),
    ) -> Result<ImportReport, Fault> {
        let request = PlanRequest { purpose: Purpose::Apply, only: vec![address.without_key()] };
        let Prepared { context, mut world, sources, diagnostics, .. } =
            self.prepare(&request, None, store, watcher, cancel).await.map_err(about_an_import)?;
        if context.state.resources.contains_key(address) {
            let summary = format!("`{address}` is in the stack already");
            return Err(explained(Diagnostic::error("import.recorded", summary).with_help(format!(
                "`sheave state rm {address}` forgets what is recorded, and leaves what is there"
            ))));
        }
        if let Some(graph) = &mut world.graph {
            let Some(spec) = spec_of(Arc::make_mut(graph), address) else {
                let summary = format!("the blueprint has no resource `{}`", address.without_key());
                return Err(explained(Diagnostic::error("import.no-resource", summary).with_help(
                    "write the resource into the blueprint first, then import what it stands for",
                )));
            };
            if spec.existing {
                let summary = format!("`{address}` is only read: the blueprint says `existing: true`");
                return Err(explained(
                    Diagnostic::error("import.existing", summary)
                        .with_help("take `existing` away first, if the stack is to own it"),
                ));
            }
            spec.adopt = true;
        }
        let mut session = Session::new(context.clone(), Run::new(world), Some((store, lock)), cancel.clone());
        let pause = session.advance(Step::Start).await.map_err(|e| state_fault(&e))?;
        let mut report = Report { diagnostics, sources };
        report.diagnostics.append(&mut session.diagnostics);
        let Pause::Approval(plan) = pause else { return Err(Fault::Explained(Box::new(report))) };
        let Some(planned) = plan.resources.iter().find(|r| r.address == *address) else {
            return Err(not_planned(address, &plan, report));
        };
        let fault = |d: Diagnostic| {
            let diagnostics = vec![context.clean(d).on(address.clone())];
            Fault::Explained(Box::new(Report { diagnostics, sources: report.sources.clone() }))
        };
        let found = match planned.role {
            Role::Emits => object(&context, planned, id).await,
            Role::Provides => provided(&context, planned, id).await,
        };
        let found = found.map_err(|d| fault(*d))?;
        // What else the blueprint says is the next plan's to tell.
        report.diagnostics.retain(|d| d.address.as_ref() == Some(address));
        let run = uuid::Uuid::new_v4().to_string();
        begin(&mut session, &plan, &run).await.map_err(|e| state_fault(&e))?;
        let counts = Counts { unchanged: 1, ..Counts::default() };
        let ended = What::Finished { outcome: RunOutcome::Ok, counts, millis: millis(began) };
        let mut entries = entries(&context, address, &run, &found);
        entries.push(Entry::RunFinished { run, at: now(), outcome: RunOutcome::Ok, counts });
        let mut note = Diagnostic::warning("state.amended", format!("`{id}` is `{address}` from now on"));
        note.severity = Severity::Note;
        let told = [What::Diagnostic { diagnostic: note.on(address.clone()) }, ended.clone()];
        session.append(entries, &told).await.map_err(|e| state_fault(&e))?;
        context.tell(ended);
        Ok(ImportReport { address: address.clone(), object: found.object, id: found.id, report })
    }
}

const NO_RESOURCE: &str = "import.no-resource";
const WRITE_IT_FIRST: &str = "write the resource into the blueprint first, then import what it stands for";

/// A plan's refusal of the address, said of an import.
fn about_an_import(fault: Fault) -> Fault {
    let Fault::Explained(mut report) = fault else { return fault };
    for diagnostic in report.diagnostics.iter_mut().filter(|d| d.code == "plan.no-such-resource") {
        diagnostic.code = NO_RESOURCE.to_owned();
        diagnostic.help = Some(WRITE_IT_FIRST.to_owned());
    }
    Fault::Explained(report)
}

/// The resource that an address is an instance of.
fn spec_of<'a>(graph: &'a mut Graph, address: &Address) -> Option<&'a mut sheave_blueprint::ResourceSpec> {
    let (last, path) = address.steps().split_last()?;
    let mut graph = graph;
    for step in path {
        graph = Arc::make_mut(&mut Arc::make_mut(graph.modules.get_mut(&step.name)?).graph);
    }
    graph.resources.get_mut(&last.name).map(Arc::make_mut)
}

/// Why the plan has nothing of that address: its own faults, or what it lacks.
fn not_planned(address: &Address, plan: &Plan, report: Report) -> Fault {
    let base = address.without_key();
    if plan.failed.keys().any(|a| a.without_key() == base)
        || report.diagnostics.iter().any(Diagnostic::is_error)
    {
        return Fault::Explained(Box::new(report));
    }
    let instances: Vec<_> = plan
        .resources
        .iter()
        .filter(|r| r.address.bare() == address.bare())
        .map(|r| r.address.to_string())
        .collect();
    let fault = Diagnostic::error(NO_RESOURCE, format!("the blueprint has no instance `{address}`"));
    explained(if instances.is_empty() {
        fault.with_help("its `when`, `count` or `for-each` makes none")
    } else {
        fault.with_help(format!("it has: {}", instances.join(", ")))
    })
}

/// The record of a resource that nothing was done for yet: its next plan renders and compares it.
fn record(context: &Context, planned: &PlannedResource) -> ResourceRecord {
    let settings = context.settings_of(&planned.type_name.plugin);
    ResourceRecord {
        type_name: planned.type_name.clone(),
        role: planned.role,
        plugin: planned.plugin.clone(),
        settings: context.seal(&settings.unwrap_or_else(Value::empty)),
        schema_version: context.types.get(&planned.type_name).map_or(0, |t| t.info.version),
        target: planned.objects.first().map(|o| o.target.clone()),
        requires: planned.requires.clone(),
        keep: None,
        properties: planned.properties.clone(),
        render_key: String::new(),
        status: Status::Ready,
        outputs: None,
        objects: Vec::new(),
        protect: false,
        snapshot: None,
        named: None,
        watched: None,
        renewing: false,
    }
}

async fn object(context: &Context, planned: &PlannedResource, id: &str) -> Result<Found, Box<Diagnostic>> {
    let address = &planned.address;
    let fault = |code: &str, summary: String, help: String| {
        Box::new(Diagnostic::error(code, summary).with_help(help))
    };
    if let Some(deferred) = &planned.deferred {
        let summary = format!("`{address}` cannot be looked for yet: {}", deferred.why);
        return Err(fault("import.unknown", summary, "apply first what it needs, with `--only`".to_owned()));
    }
    let [object] = planned.objects.as_slice() else {
        let summary =
            format!("`{address}` stands for {} objects, and an import takes one", planned.objects.len());
        let help = "`adopt: true` on the resource takes over all that exist when it is applied".to_owned();
        return Err(fault("import.several", summary, help));
    };
    if !names(&object.object, id) {
        let summary = format!("`{address}` is {} in the blueprint, not `{id}`", object.object);
        let help =
            "give it that name and namespace in its `metadata` first: under another one it would be replaced";
        return Err(fault("import.other-name", summary, help.to_owned()));
    }
    let Some(uid) = object.uid.clone().filter(|_| object.action != Action::Create) else {
        let summary = format!("{} is not there, in target `{}`", object.object, object.target);
        return Err(fault("import.not-there", summary, "`sheave apply` makes it".to_owned()));
    };
    let taken = taken(object, uid);
    let mut record = record(context, planned);
    record.objects = vec![taken.clone()];
    let outputs = observe(context, address, &record).await?;
    record.objects.clear();
    Ok(Found {
        record,
        operation: (Change::ApplyObject { object: taken.clone() }, Outcome::Applied { object: taken }),
        outputs,
        object: Some(object.object.clone()),
        id: None,
    })
}

/// The object as it is recorded: whose it was before stays known, and no digest says that it is as it should be.
fn taken(object: &PlannedObject, uid: String) -> ObjectRecord {
    ObjectRecord {
        slot: object.slot.clone(),
        target: object.target.clone(),
        id: object.object.clone(),
        uid: Some(uid),
        created: false,
        desired: String::new(),
        owned: String::new(),
        order: object.order.clone(),
    }
}

/// Whether `id`, as the operator wrote it, is this object.
fn names(object: &ObjectId, id: &str) -> bool {
    match id.split_once('/') {
        Some((namespace, name)) => object.namespace.as_deref() == Some(namespace) && object.name == name,
        None => object.name == id,
    }
}

async fn provided(context: &Context, planned: &PlannedResource, id: &str) -> Result<Found, Box<Diagnostic>> {
    let address = &planned.address;
    let plugin = &context.plugin_of(&planned.type_name)?.plugin;
    if !plugin.adopts() {
        let summary = format!("the plugin `{}` cannot take over what exists", planned.plugin.name);
        return Err(Box::new(
            Diagnostic::error("import.not-adopting", summary).with_help("its author must export `adopt`"),
        ));
    }
    let mut tokens = TokenTable::default();
    let instance = context.instance_of(address, &planned.type_name, Family::First, &mut tokens)?;
    let snapshot = match context.reaching(plugin, &tokens, address).adopt(&instance, id).await {
        Ok(snapshot) => snapshot,
        Err(CallError::Answer(wire::Failure::NotFound)) => {
            let summary = format!("the plugin `{}` finds no `{id}`", planned.plugin.name);
            return Err(Box::new(
                Diagnostic::error("import.not-there", summary)
                    .with_help("the id is the plugin's own, as it stands outside"),
            ));
        }
        Err(other) => return Err(Box::new(other.diagnostic())),
    };
    let (mut state, mut outputs) =
        (receive(&snapshot.state, &tokens, address)?, receive(&snapshot.outputs, &tokens, address)?);
    let shown = context.shown_to(plugin);
    hide(&mut state, &shown);
    hide(&mut outputs, &shown);
    if state.has_unknown() || outputs.has_unknown() {
        let summary = format!("the plugin `{}` took over what it does not know", planned.plugin.name);
        return Err(Box::new(Diagnostic::error("plugin.bad-reply", summary)));
    }
    let mut record = record(context, planned);
    record.properties = as_found(&planned.properties, &context.masked(&state));
    let kept = SnapshotRecord {
        id: snapshot.id.clone(),
        state: context.seal(&state),
        outputs: context.seal(&outputs),
        private: context.sealer.seal_bytes(&snapshot.private_data, &mut SystemRandom),
    };
    let change = Change::Provide { prior: None, desired: None, agreed: context.seal(&outputs), resume: None };
    let outcome = Outcome::Provided { snapshot: Some(kept) };
    Ok(Found {
        record,
        operation: (change, outcome),
        outputs: Some(outputs),
        object: None,
        id: Some(snapshot.id),
    })
}

/// The properties that it has, as far as they can be told: those whose names the plugin's own view has, too. The rest
/// counts as not set, so that the next plan sets it.
fn as_found(wanted: &Masked, state: &Masked) -> Masked {
    let (Some(wanted), Some(state)) = (wanted.0.as_object(), state.0.as_object()) else {
        return Masked::from(serde_json::json!({}));
    };
    let told = wanted.keys().filter_map(|key| Some((key.clone(), state.get(key)?.clone())));
    Masked::from(serde_json::Value::Object(told.collect()))
}

/// All that is written down, at once: there is nothing outside that could be cut off in between.
fn entries(context: &Context, address: &Address, run: &str, found: &Found) -> Vec<Entry> {
    let op = format!("{run}/{address}/import");
    let (change, outcome) = found.operation.clone();
    let mut entries = vec![
        Entry::ResourceBegun { address: address.clone(), record: Box::new(found.record.clone()) },
        Entry::Intent(Intent { op: op.clone(), address: address.clone(), change }),
        Entry::Outcome { op, outcome },
    ];
    if let Some(outputs) = &found.outputs {
        entries.push(Entry::ResourceReady { address: address.clone(), outputs: context.seal(outputs) });
    }
    entries
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_names_an_object_with_or_without_its_namespace() {
        let id = |namespace: Option<&str>| ObjectId {
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: namespace.map(Into::into),
            name: "web".into(),
        };
        assert!(names(&id(Some("blog")), "blog/web") && names(&id(Some("blog")), "web"));
        assert!(!names(&id(Some("blog")), "shop/web") && !names(&id(Some("blog")), "www"));
        assert!(names(&id(None), "web") && !names(&id(None), "blog/web"));
    }

    #[test]
    fn properties_are_recorded_as_far_as_they_can_be_told() {
        let (wanted, state) = (
            Masked::from(json!({"path": "a", "content": "x"})),
            Masked::from(json!({"path": "b", "size": 1})),
        );
        assert_eq!(as_found(&wanted, &state), Masked::from(json!({"path": "b"})));
        assert_eq!(as_found(&Masked::from(json!(null)), &state), Masked::from(json!({})));
    }
}
