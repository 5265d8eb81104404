//! The calls of a front end, from settings to a run and back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use sheave_blueprint::Graph;
use sheave_engine::{Event, Run, World};
use sheave_model::event::{RunOutcome, What};
use sheave_model::journal::RunRecord;
use sheave_model::plan::{Action, Counts, Plan, Purpose};
use sheave_model::stack::StackState;
use sheave_model::{Address, Diagnostic, Masked, PluginPin, Role, SecretText, Sources, Value};
use sheave_plugin_host::{HostConfig, PluginHost};
use sheave_secrets::{MasterKey, StackKey};
use sheave_state::{LockGuard, SqliteStore, StateError, Store as _};

use crate::ahead::check_ahead;
use crate::carrying_out::{carry_out, members, renewed};
use crate::connections::Connections;
use crate::context::{Context, Parts};
use crate::early::EarlySettings;
use crate::files::FolderFiles;
use crate::keys::{cache_key, master_key};
use crate::load::{Loaded, load, read_blueprint};
use crate::lock::{LockedPlugin, take_in};
use crate::moves::apply_moves;
use crate::opening::{Bound, LoadedAhead};
use crate::plugins::PluginSet;
use crate::recover::recover;
use crate::request::{ApplyReport, Cancel, Fault, PlanReport, PlanRequest, Report, Settings, Watcher};
use crate::session::{Pause, Session};
use crate::targets::Begun;

/// The driver: one for a call of the program.
#[derive(Debug)]
pub struct Driver {
    pub(crate) settings: Settings,
    /// The earlier run that an apply carries out again, instead of what the blueprint's file says now.
    pub(crate) again: Option<Box<RunRecord>>,
}

/// A blueprint, its stack's state, and all that a run of it shares.
pub(crate) struct Prepared {
    pub(crate) context: Arc<Context>,
    pub(crate) world: World,
    pub(crate) sources: Sources,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Plugins that the lock file does not have yet.
    pub(crate) unlocked: BTreeMap<String, LockedPlugin>,
}

impl Driver {
    /// Opens nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, again: None }
    }

    pub(crate) fn host(&self, key: &MasterKey) -> Result<PluginHost, Diagnostic> {
        let config = HostConfig {
            cache_dir: Some(self.settings.cache_dir.join("plugins")),
            cache_key: Some(cache_key(key)),
            ..HostConfig::default()
        };
        PluginHost::new(config).map_err(|e| e.diagnostic())
    }

    /// A host for plugins that stand in no blueprint, with the user's cache of compiled ones.
    ///
    /// # Errors
    /// There is no key, or no engine.
    pub fn plugin_host(&self) -> Result<PluginHost, Diagnostic> {
        self.host(&self.key()?)
    }

    pub(crate) fn key(&self) -> Result<MasterKey, Diagnostic> {
        master_key(self.settings.key.as_ref().map(SecretText::expose), &self.settings.config_dir)
    }

    /// Every fault of the blueprint and its inputs; asks no cluster, and writes nothing but the compiled plugins' cache.
    pub async fn validate(&self) -> Report {
        let Bound { loaded, inputs } = match self.load_and_bind().await {
            Ok(bound) => bound,
            Err(report) => return report,
        };
        let mut report = loaded.report.clone();
        match inputs {
            Ok(inputs) => {
                let stack = self.settings.stack.clone().unwrap_or_else(|| loaded.graph.name.clone());
                match self.key() {
                    Ok(key) => {
                        let key = key.stack(&stack);
                        report.diagnostics.extend(check_ahead(&loaded, &inputs, &stack, key).await);
                    }
                    Err(fault) => report.diagnostics.push(fault),
                }
            }
            Err(faults) => report.diagnostics.extend(faults),
        }
        report
    }

    pub(crate) async fn load_blueprint(&self) -> Result<Loaded, Report> {
        let only = |d| Report { diagnostics: vec![d], sources: Sources::default() };
        let blueprint = read_blueprint(&self.settings.blueprint).map_err(only)?;
        let host = self.key().and_then(|key| self.host(&key)).map_err(only)?;
        load(blueprint, &host, &self.supply().map_err(only)?, self.settings.locked).await
    }

    /// What would change. Takes no lock, and writes nothing but the lock file of new plugins, and the word that a plugin saw a secret.
    pub async fn plan(&self, request: &PlanRequest, watcher: &Watcher) -> Result<PlanReport, Fault> {
        let began = Instant::now();
        let cancel = Cancel::default();
        let (store, _, loaded) = self.open_and_load(request, false).await?;
        let prepared = self.prepare(request, loaded, &store, watcher, &cancel).await?;
        let mut session = Session::new(prepared.context.clone(), Run::new(prepared.world), None, cancel);
        session.context.live.look_ahead();
        let pause = session.advance(Event::Start).await.map_err(|e| state_fault(&e))?;
        let mut report = Report { diagnostics: prepared.diagnostics, sources: prepared.sources };
        report.diagnostics.extend(in_order(std::mem::take(&mut session.diagnostics)));
        match pause {
            Pause::Approval(mut plan) => {
                prepared.context.note_found(&mut plan);
                if plan.failed.is_empty() {
                    let context = &prepared.context;
                    let said = take_in(&context.folder, &context.plugins, prepared.unlocked).await;
                    report.diagnostics.extend(said);
                }
                let outcome = if plan.failed.is_empty() { RunOutcome::Ok } else { RunOutcome::Failed };
                let millis = millis(began);
                prepared.context.tell(What::Finished { outcome, counts: plan.counts(), millis });
                session.free();
                free(prepared.context);
                Ok(PlanReport { plan: *plan, report })
            }
            Pause::Finished(_) | Pause::Aborted => Err(Fault::Explained(Box::new(report))),
        }
    }

    /// Takes the lock, finishes what an interrupted run left in doubt, and plans. `approve` sees the plan and says whether
    /// to carry it out; a plan with nothing to do is not asked about.
    pub async fn apply(
        &self,
        request: &PlanRequest,
        approve: impl AsyncFnOnce(&PlanReport) -> bool,
        watcher: &Watcher,
        cancel: &Cancel,
    ) -> Result<ApplyReport, Fault> {
        let began = Instant::now();
        let (store, lock, loaded) = self.open_and_lock(request).await?;
        let result = self.apply_locked(request, loaded, approve, watcher, cancel, &store, &lock, began).await;
        // An error to let go changes nothing for the caller: an owner that is gone is taken over.
        let _ = store.release(lock).await;
        result
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the body of `apply`, between taking the lock and letting it go"
    )]
    async fn apply_locked(
        &self,
        request: &PlanRequest,
        loaded: Option<LoadedAhead>,
        approve: impl AsyncFnOnce(&PlanReport) -> bool,
        watcher: &Watcher,
        cancel: &Cancel,
        store: &SqliteStore,
        lock: &LockGuard,
        began: Instant,
    ) -> Result<ApplyReport, Fault> {
        let mut prepared = self.prepare(request, loaded, store, watcher, cancel).await?;
        if !prepared.context.state.in_flight.is_empty() {
            let recovered = recover(&prepared.context, (store, lock)).await;
            if !recovered.entries.is_empty() {
                store.append(lock, &recovered.entries, &[]).await.map_err(|e| state_fault(&e))?;
            }
            prepared = self.prepare(request, None, store, watcher, cancel).await?;
            prepared.context.set_in_doubt(recovered.in_doubt);
        }
        let journal = Some((store, lock));
        let mut session =
            Session::new(prepared.context.clone(), Run::new(prepared.world), journal, cancel.clone());
        session.context.live.look_ahead();
        let pause = session.advance(Event::Start).await.map_err(|e| state_fault(&e))?;
        let mut report = Report { diagnostics: prepared.diagnostics, sources: prepared.sources };
        report.diagnostics.extend(in_order(std::mem::take(&mut session.diagnostics)));
        let mut plan = match pause {
            Pause::Approval(plan) => *plan,
            Pause::Finished(_) | Pause::Aborted => return Err(Fault::Explained(Box::new(report))),
        };
        prepared.context.note_found(&mut plan);
        let mut unlocked = prepared.unlocked;
        if plan.failed.is_empty() {
            let (context, new) = (&prepared.context, std::mem::take(&mut unlocked));
            report.diagnostics.extend(take_in(&context.folder, &context.plugins, new).await);
        }
        let planned = PlanReport { plan, report };
        let idle = planned.plan.is_empty() && !outputs_moved(&planned.plan, &prepared.context);
        if idle || !approve(&planned).await {
            let declined = !idle;
            let outcome = if declined { RunOutcome::Cancelled } else { RunOutcome::Ok };
            let counts = if declined { Counts::default() } else { planned.plan.counts() };
            prepared.context.tell(What::Finished { outcome, counts, millis: millis(began) });
            if idle {
                let renewed = renewed(&prepared.context, &planned.plan);
                session.append(renewed, &[]).await.map_err(|e| state_fault(&e))?;
            }
            let outputs = recorded_outputs(&prepared.context, &session.state);
            let mut report = planned.report;
            if idle && request.purpose == Purpose::Destroy {
                // A run that was cut off at its very end has left the inventory.
                let all: Vec<String> = prepared.context.targets.names().map(str::to_owned).collect();
                report
                    .diagnostics
                    .extend(prepared.context.narrow(&members(&session.state), all.into_iter()).await);
            }
            session.free();
            free((planned.plan, prepared.context));
            return Ok(ApplyReport { outcome, counts, report, outputs });
        }
        // Where nothing is done nothing is trusted yet.
        if planned.plan.resources.iter().any(|r| r.action != Action::NoOp) {
            let context = session.context.clone();
            let said = take_in(&context.folder, &context.plugins, unlocked).await;
            session.diagnostics.extend(said);
        }
        let done = carry_out(session, planned, began).await;
        free(prepared.context);
        done
    }

    /// With the blueprint where it was `loaded` before.
    pub(crate) async fn prepare(
        &self,
        request: &PlanRequest,
        loaded: Option<LoadedAhead>,
        store: &SqliteStore,
        watcher: &Watcher,
        cancel: &Cancel,
    ) -> Result<Prepared, Fault> {
        let prepared = self.prepare_unheard(request, loaded, store, watcher, cancel).await?;
        let _ = prepared.context.audit.set(store.clone());
        Ok(prepared)
    }

    /// The same, without anybody who writes down what plugins see.
    async fn prepare_unheard(
        &self,
        request: &PlanRequest,
        loaded: Option<LoadedAhead>,
        store: &SqliteStore,
        watcher: &Watcher,
        cancel: &Cancel,
    ) -> Result<Prepared, Fault> {
        match request.purpose {
            Purpose::Apply if let Some(run) = &self.again => {
                self.prepare_again(run, store, watcher, cancel).await
            }
            Purpose::Apply => {
                let loaded = match loaded {
                    Some(loaded) => loaded,
                    None => self.load_and_bind().await,
                };
                let Bound { loaded, inputs } = loaded.map_err(|r| Fault::Explained(Box::new(r)))?;
                let stack = self.stack_of(Purpose::Apply, Some(&loaded.graph.name), store).await?;
                let state = self.load_state(store, &stack).await?;
                let inputs = inputs.map_err(|faults| with(&loaded.report, faults))?;
                self.assemble(Some(loaded), inputs, state, request, watcher, cancel, None).await
            }
            Purpose::Destroy => {
                let stack = self.stack_name(Purpose::Destroy, store).await?;
                let state = self.load_state(store, &stack).await?;
                self.assemble(None, BTreeMap::new(), state, request, watcher, cancel, Some(store)).await
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the one place where all parts of a run meet")]
    pub(crate) async fn assemble(
        &self,
        loaded: Option<Loaded>,
        inputs: BTreeMap<String, Value>,
        mut state: StackState,
        request: &PlanRequest,
        watcher: &Watcher,
        cancel: &Cancel,
        store: Option<&SqliteStore>,
    ) -> Result<Prepared, Fault> {
        let master = self.key().map_err(explained)?;
        let key = master.stack(&state.name);
        let mut unlocked = BTreeMap::new();
        let mut begun = Begun::default();
        let (graph, blueprint, types, plugins, report) = match loaded {
            Some(l) => {
                unlocked = l.unlocked;
                begun = l.begun;
                (Some(l.graph), Some(l.blueprint), l.types, l.plugins, l.report)
            }
            None => (None, None, BTreeMap::new(), PluginSet::default(), Report::default()),
        };
        if let Some(graph) = graph.as_deref() {
            let unknown: Vec<Diagnostic> =
                request.only.iter().filter(|only| !stands_in(graph, only)).map(no_such_resource).collect();
            if !unknown.is_empty() {
                return Err(with(&report, unknown));
            }
        }
        let moved = graph.as_deref().map_or_else(Vec::new, |graph| apply_moves(graph, &mut state));
        let folder = blueprint.as_ref().map_or_else(String::new, |b| b.folder.clone());
        let files = Arc::new(FolderFiles::new(&folder));
        let EarlySettings { mut targets, plugins: plugin_settings, faults } =
            graph.as_deref().map_or_else(EarlySettings::default, |graph| {
                EarlySettings::of(graph, &inputs, &state.name, &files, &folder, &state.targets)
            });
        if !faults.is_empty() {
            return Err(with(&report, faults));
        }
        for (name, record) in state.targets.iter().filter(|(_, record)| record.http.is_none()) {
            targets.add_record(name, record);
        }
        targets.take_over(begun);
        let connections = Connections::of(graph.as_deref(), &inputs, &state, &files, &key)
            .map_err(|faults| with(&report, in_order(faults)))?;
        let mut plugins = plugins;
        let mut diagnostics = report.diagnostics;
        self.add_recorded_plugins(&master, &state, &mut plugins, store, &mut diagnostics).await?;
        let context = Arc::new(Context::new(Parts {
            stack: state.name.clone(),
            key: key.clone(),
            plugins,
            plugin_settings: plugin_settings.clone(),
            files: files.clone(),
            folder: folder.clone(),
            types: types.clone(),
            targets,
            connections,
            state: state.clone(),
            timeout: self.settings.timeout,
            parallelism: self.settings.parallelism,
            watcher: watcher.clone(),
            cancelled: cancel.0.subscribe(),
        }));
        inputs.values().for_each(|value| context.learn_input(value));
        inputs.iter().for_each(|(name, value)| context.may_reveal_input(name, value));
        // A secret in what a plugin is set up with is masked as one in properties is.
        plugin_settings.values().for_each(|settings| context.learn(settings));
        context.learn_all(context.connections.secrets());
        let mut outputs = BTreeMap::new();
        for (address, record) in &state.resources {
            if let Some(sealed) = &record.outputs {
                let value = context.open(sealed).map_err(explained)?;
                context.learn_outputs(&value);
                context.may_reveal_outputs(address, &value);
                outputs.insert(address.clone(), value);
            }
        }
        let mut passwords = BTreeMap::new();
        for (name, sealed) in &state.passwords {
            if let Value::Secret(secret) = context.open(sealed).map_err(explained)? {
                context.may_reveal_password(name, &secret);
                passwords.insert(name.clone(), secret);
            }
        }
        let stacks = match &graph {
            Some(graph) => self.other_stacks(graph, &master, &inputs, &state.name, &files, &context).await?,
            None => BTreeMap::new(),
        };
        let pins =
            context.plugins.bound.iter().map(|(name, bound)| (name.clone(), bound.pin.clone())).collect();
        let mask_key: StackKey = key;
        let world = World {
            stack: state.name.clone(),
            run: uuid::Uuid::new_v4().to_string(),
            purpose: request.purpose,
            graph,
            blueprint,
            types,
            plugins: pins,
            settings: plugin_settings,
            inputs,
            state,
            outputs,
            passwords,
            stacks,
            moved,
            files,
            mask: Arc::new(move |value: &Value| mask_key.mask(value)),
            only: request.only.clone(),
        };
        Ok(Prepared { context, world, sources: report.sources, diagnostics, unlocked })
    }

    /// Loads the plugins of recorded provider resources that the blueprint no longer lists: to remove something takes the
    /// plugin that made it.
    async fn add_recorded_plugins(
        &self,
        master: &MasterKey,
        state: &StackState,
        plugins: &mut PluginSet,
        store: Option<&SqliteStore>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<(), Fault> {
        let needed = state.resources.values().filter(|r| r.role == Role::Provides);
        let mut missing: BTreeMap<&str, &PluginPin> = BTreeMap::new();
        for record in needed {
            if !plugins.bound.contains_key(&record.plugin.name) {
                missing.insert(&record.plugin.name, &record.plugin);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let own;
        let store = match store {
            Some(store) => store,
            None => {
                own = self.open_store().await?;
                &own
            }
        };
        let host = self.host(master).map_err(explained)?;
        for pin in missing.values() {
            let bytes = store.component(&pin.digest).await.map_err(|e| state_fault(&e))?;
            if let Err(fault) = plugins.add_pin(&host, pin, bytes).await {
                diagnostics.push(fault);
            }
        }
        Ok(())
    }
}

/// The recorded outputs, opened; one that cannot be opened any more is left out.
pub(crate) fn recorded_outputs(context: &Context, state: &StackState) -> BTreeMap<String, Value> {
    let opened =
        state.outputs.iter().filter_map(|(name, sealed)| Some((name.clone(), context.open(sealed).ok()?)));
    opened.collect()
}

/// Whether the outputs will be others although no resource changes.
fn outputs_moved(plan: &Plan, context: &Context) -> bool {
    if plan.purpose == Purpose::Destroy {
        return false;
    }
    let recorded = recorded_outputs(context, &context.state);
    let masked: BTreeMap<String, Masked> =
        recorded.iter().map(|(name, value)| (name.clone(), context.masked(value))).collect();
    plan.outputs != masked
}

/// Whether the blueprint, or a module in it, has a resource of that name.
fn stands_in(graph: &Graph, address: &Address) -> bool {
    let mut graph = graph;
    let mut steps = address.steps().iter().peekable();
    while let Some(step) = steps.next() {
        match graph.modules.get(&step.name) {
            Some(module) => graph = &module.graph,
            None => return steps.peek().is_none() && graph.resources.contains_key(&step.name),
        }
    }
    true
}

fn no_such_resource(address: &Address) -> Diagnostic {
    Diagnostic::error("plan.no-such-resource", format!("the blueprint has no resource `{address}`"))
        .with_help("`--only` takes addresses of the blueprint, such as `web`, `web[1]` or `db.server`")
}

/// In the order of the blueprint: plugins and clusters answer in any.
pub(crate) fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|d| d.labels.first().map(|l| (l.span.source.0, l.span.start)));
    diagnostics
}

/// Frees what a run has taken, on another thread: nobody need wait for that, and a process that ends does not.
pub(crate) fn free<T: Send + 'static>(taken: T) {
    tokio::task::spawn_blocking(move || drop(taken));
}

pub(crate) fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// One diagnostic as the reason why nothing was done.
pub(crate) fn explained(diagnostic: Diagnostic) -> Fault {
    Fault::Explained(Box::new(Report { diagnostics: vec![diagnostic], sources: Sources::default() }))
}

/// The store's error as the reason why nothing was done.
pub(crate) fn state_fault(error: &StateError) -> Fault {
    let report = Report { diagnostics: vec![error.diagnostic()], sources: Sources::default() };
    if matches!(error, StateError::Held { .. }) {
        return Fault::Locked(Box::new(report));
    }
    Fault::Explained(Box::new(report))
}

pub(crate) fn with(report: &Report, faults: Vec<Diagnostic>) -> Fault {
    let mut report = report.clone();
    report.diagnostics.extend(faults);
    Fault::Explained(Box::new(report))
}
