//! The beginning of a call: the state opened, its stack named and locked, and the blueprint loaded meanwhile.

use std::collections::BTreeMap;
use std::path::Path;

use sheave_model::plan::{BlueprintText, Purpose};
use sheave_model::stack::StackState;
use sheave_model::{Diagnostic, Sources, Value};
use sheave_state::{LockGuard, LockOwner, SqliteStore, StateError, Store as _};

use crate::driver::{Driver, explained, state_fault};
use crate::load::{Loaded, bind, read_blueprint};
use crate::request::{Fault, PlanRequest, Report};
use crate::targets::Begun;

/// A blueprint that was loaded before the state was read, or what is wrong with it.
pub(crate) type LoadedAhead = Result<Bound, Report>;

/// With its inputs, or what is wrong with them.
pub(crate) struct Bound {
    pub(crate) loaded: Loaded,
    pub(crate) inputs: Result<BTreeMap<String, Value>, Vec<Diagnostic>>,
}

impl Driver {
    /// Loads the blueprint and binds its inputs.
    pub(crate) async fn load_and_bind(&self) -> LoadedAhead {
        let mut loaded = self.load_blueprint().await?;
        let inputs = bind(&loaded.graph, &self.settings.inputs, &mut loaded.report.sources);
        Ok(Bound { loaded, inputs })
    }

    /// Opens the state, and where it `locks` takes the lock, and loads the blueprint meanwhile where the request reads it: each
    /// takes about as long as the other, and neither needs the other. What was wrong with the state is said first. Then connecting
    /// begins to all clusters that a whole run is about.
    pub(crate) async fn open_and_load(
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
                None => stack_by_blueprint(&blueprint),
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

    /// The same, with the lock taken.
    pub(crate) async fn open_and_lock(
        &self,
        request: &PlanRequest,
    ) -> Result<(SqliteStore, LockGuard, Option<LoadedAhead>), Fault> {
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
    pub(crate) async fn stack_of(
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

    pub(crate) async fn load_state(&self, store: &SqliteStore, stack: &str) -> Result<StackState, Fault> {
        let found = store.load(stack).await.map_err(|e| state_fault(&e))?;
        Ok(found.unwrap_or_else(|| StackState { name: stack.to_owned(), ..StackState::default() }))
    }
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
