//! The calls of a front end, from settings to a run and back.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use sheave_blueprint::Graph;
use sheave_engine::{Event, Run, World};
use sheave_model::event::{RunOutcome, What};
use sheave_model::journal::RunRecord;
use sheave_model::plan::{Action, BlueprintText, Counts, Plan, Purpose};
use sheave_model::stack::StackState;
use sheave_model::{Address, Diagnostic, Masked, PluginPin, Role, SecretText, Sources, Value};
use sheave_plugin_host::{HostConfig, PluginHost};
use sheave_secrets::{MasterKey, StackKey};
use sheave_state::{LockGuard, LockOwner, SqliteStore, StateError, Store as _};

use crate::ahead::check_ahead;
use crate::carrying_out::{carry_out, members, renewed};
use crate::connections::Connections;
use crate::context::{Context, Parts};
use crate::early::EarlySettings;
use crate::files::FolderFiles;
use crate::keys::{cache_key, master_key};
use crate::load::{Loaded, bind, load, read_blueprint};
use crate::lock::{LockedPlugin, take_in};
use crate::moves::apply_moves;
use crate::plugins::PluginSet;
use crate::recover::recover;
use crate::request::{ApplyReport, Cancel, Fault, PlanReport, PlanRequest, Report, Settings, Watcher};
use crate::session::{Pause, Session};
use crate::targets::Begun;

/// A blueprint that was loaded before the state was read, or what is wrong with it.
pub(crate) type LoadedAhead = Result<Bound, Report>;

/// With its inputs, or what is wrong with them.
pub(crate) struct Bound {
    loaded: Loaded,
    inputs: Result<BTreeMap<String, Value>, Vec<Diagnostic>>,
}

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
        let loaded = match self.load_blueprint().await {
            Ok(loaded) => loaded,
            Err(report) => return report,
        };
        let mut report = loaded.report.clone();
        match bind(&loaded.graph, &self.settings.inputs, &mut report.sources) {
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

    async fn load_and_bind(&self) -> LoadedAhead {
        let mut loaded = self.load_blueprint().await?;
        let inputs = bind(&loaded.graph, &self.settings.inputs, &mut loaded.report.sources);
        Ok(Bound { loaded, inputs })
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
        let (store, locked, loaded) = self.open_and_load(request, true).await?;
        let named = loaded.as_ref().and_then(|l| Some(l.as_ref().ok()?.loaded.graph.name.as_str()));
        let stack = self.stack_of(request.purpose, named, &store).await?;
        let lock = match locked {
            Some(lock) if lock.stack() == stack => lock,
            // The blueprint's file got another name since.
            other => {
                if let Some(other) = other {
                    let _ = store.release(other).await;
                }
                self.lock(&store, &stack).await?
            }
        };
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

    /// Opens the state, and where it `locks` takes the lock, and loads the blueprint meanwhile where the request reads it: each
    /// takes about as long as the other, and neither needs the other. What was wrong with the state is said first. Then connecting
    /// begins to all clusters that a whole run is about.
    async fn open_and_load(
        &self,
        request: &PlanRequest,
        locks: bool,
    ) -> Result<(SqliteStore, Option<LockGuard>, Option<LoadedAhead>), Fault> {
        let reads = request.purpose == Purpose::Apply && self.again.is_none();
        let state = self.settings.state.clone();
        let owner = (locks && reads).then(|| LockOwner::current(self.settings.command.clone()));
        let (given, blueprint) = (self.settings.stack.clone(), self.settings.blueprint.clone());
        let opening = tokio::spawn(async move {
            let store = sheave_state::open(&state).await?;
            // A name that cannot be one is said later.
            let name = || match given {
                Some(given) => Some(given).filter(|name| sheave_model::address::is_name(name)),
                None => read_blueprint(&blueprint).ok().and_then(|text| blueprint_name(&text)),
            };
            let lock = match owner.and_then(|owner| Some((name()?, owner))) {
                Some((stack, owner)) => Some(store.lock(&stack, owner).await?),
                None => None,
            };
            Ok::<_, StateError>((store, lock))
        });
        let mut loaded = if reads { Some(self.load_and_bind().await) } else { None };
        if let Some(Ok(Bound { loaded, inputs: Ok(inputs) })) = &mut loaded
            && request.only.is_empty()
        {
            let stack = self.settings.stack.as_ref().unwrap_or(&loaded.graph.name);
            loaded.begun = Begun::of(&loaded.graph, inputs, stack, &loaded.blueprint.folder);
        }
        let (store, lock) = match opening.await {
            Ok(opened) => opened.map_err(|e| state_fault(&e))?,
            // The task was lost with its runtime's thread; what was wrong comes again.
            Err(_) => (self.open_store().await?, None),
        };
        Ok((store, lock, loaded))
    }

    pub(crate) async fn open_store(&self) -> Result<SqliteStore, Fault> {
        sheave_state::open(&self.settings.state).await.map_err(|e| state_fault(&e))
    }

    pub(crate) async fn lock(&self, store: &SqliteStore, stack: &str) -> Result<LockGuard, Fault> {
        let owner = LockOwner::current(self.settings.command.clone());
        store.lock(stack, owner).await.map_err(|e| state_fault(&e))
    }

    /// The stack that is meant: as given, the blueprint's, or for what needs no blueprint the only one there is.
    pub(crate) async fn stack_name(&self, purpose: Purpose, store: &SqliteStore) -> Result<String, Fault> {
        self.stack_of(purpose, None, store).await
    }

    /// The same, where the blueprint was read already, with the name that it has.
    async fn stack_of(
        &self,
        purpose: Purpose,
        blueprints: Option<&str>,
        store: &SqliteStore,
    ) -> Result<String, Fault> {
        if let Some(stack) = &self.settings.stack {
            if !sheave_model::address::is_name(stack) {
                let summary = format!("`{stack}` cannot be a stack's name");
                return Err(explained(Diagnostic::error("stack.name", summary).with_help(
                    "a name is a letter, then letters, digits, `-` and `_`, 63 characters at most",
                )));
            }
            return Ok(stack.clone());
        }
        let named = match blueprints {
            Some(name) => Ok(Some(name.to_owned())),
            None => read_blueprint(&self.settings.blueprint).map(|text| blueprint_name(&text)),
        };
        match (named, purpose) {
            (Ok(Some(name)), _) => Ok(name),
            (Ok(None), Purpose::Apply) => {
                let report = match self.load_blueprint().await {
                    Err(report) => report,
                    Ok(loaded) => return Ok(loaded.graph.name.clone()),
                };
                Err(Fault::Explained(Box::new(report)))
            }
            (Err(fault), Purpose::Apply) => Err(explained(fault)),
            (_, Purpose::Destroy) => {
                let stacks = store.stacks().await.map_err(|e| state_fault(&e))?;
                match stacks.as_slice() {
                    [only] => Ok(only.name.clone()),
                    [] => Err(explained(
                        Diagnostic::error("stack.none", format!("`{}` holds no stack", self.settings.state))
                            .with_help("`--state` names another one"),
                    )),
                    several => {
                        let names: Vec<&str> = several.iter().map(|s| s.name.as_str()).collect();
                        let summary = format!("which stack? `{}` holds several", self.settings.state);
                        Err(explained(
                            Diagnostic::error("stack.several", summary)
                                .with_help(format!("add `--stack NAME`; there are: {}", names.join(", "))),
                        ))
                    }
                }
            }
        }
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

    pub(crate) async fn load_state(&self, store: &SqliteStore, stack: &str) -> Result<StackState, Fault> {
        let found = store.load(stack).await.map_err(|e| state_fault(&e))?;
        Ok(found.unwrap_or_else(|| StackState { name: stack.to_owned(), ..StackState::default() }))
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

/// The stack's name where none is given: the blueprint's own, as far as it can be read, whatever else is wrong with it.
pub fn stack_by_blueprint(path: &Path) -> Option<String> {
    read_blueprint(path).ok().and_then(|text| blueprint_name(&text))
}

/// The name under `blueprint:`, without loading anything.
fn blueprint_name(text: &BlueprintText) -> Option<String> {
    let (name, text) = text.files.first()?;
    let mut sources = Sources::default();
    let parsed = sheave_blueprint::parse(sources.add(name.as_str(), text.as_str()), text);
    parsed.syntax.map(|s| s.name().to_owned()).filter(|n| sheave_model::address::is_name(n))
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
