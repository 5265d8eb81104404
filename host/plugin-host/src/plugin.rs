//! A loaded plugin: linked, checked, and called with a fresh instance each time.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sheave_model::asked::Effective;
use sheave_model::manifest::PluginManifest;
use sheave_model::plugin::Grants;
use wasmtime::Store;
use wasmtime::component::{Component, Instance, InstancePre, Linker};

use crate::bindings::exports::sheave::plugin::{adopt, emit, model, provide};
use crate::bindings::sheave::plugin as imports;
use crate::component::Shape;
use crate::error::{CallError, HostError, LimitName, LoadError};
use crate::guest::Guest;
use crate::host::Shared;
use crate::http::{Http, Outside, Rules};
use crate::limits::{self, Limits, TICK};
use crate::log::Log;
use crate::meter::Meter;
use crate::reply::Fault;
use crate::wire::PluginDiagnostic;
use crate::{stub, trap, typecheck, wasi};

/// A plugin that is ready to be called. Cloning is cheap; each call runs in an instance of its own.
#[derive(Clone)]
pub struct Plugin(pub(crate) Arc<Loaded>, pub(crate) Option<Arc<dyn Outside>>);

pub(crate) struct Loaded {
    pub(crate) host: Arc<Shared>,
    pub(crate) name: Arc<str>,
    pub(crate) digest: String,
    pub(crate) limits: Limits,
    pub(crate) model: model::GuestIndices,
    pub(crate) emit: Option<emit::GuestIndices>,
    pub(crate) provide: Option<provide::GuestIndices>,
    pub(crate) adopt: Option<adopt::GuestIndices>,
    grants: Grants,
    rules: Rules,
    pure: InstancePre<Guest>,
    /// Linked to what was granted; none where nothing was, or nothing is imported that could be.
    granted: Option<InstancePre<Guest>>,
    pub(crate) imports: Vec<String>,
    pub(crate) manifest: Option<PluginManifest>,
    pub(crate) held: Effective,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.0.name)
            .field("digest", &self.0.digest)
            .finish_non_exhaustive()
    }
}

/// With what a call runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rights {
    /// With nothing: the same answer in every run.
    Pure,
    /// With what was granted.
    Granted,
    /// The same, once more: how the last try ended is not known.
    Repeated,
}

/// A call: which function, about which resource, with what.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) function: &'static str,
    pub(crate) instance: &'a str,
    pub(crate) rights: Rights,
    pub(crate) outside: Option<&'a Arc<dyn Outside>>,
}

pub(crate) type Running<'a, R> = Pin<Box<dyn Future<Output = wasmtime::Result<R>> + Send + 'a>>;

impl Loaded {
    pub(crate) fn link(
        host: Arc<Shared>,
        name: &str,
        digest: String,
        component: &Component,
        shape: Shape,
        manifest: Option<PluginManifest>,
        held: Effective,
    ) -> Result<Self, LoadError> {
        let grants = &held.grants;
        let mismatch =
            |e: wasmtime::Error| LoadError::InterfaceMismatch { plugin: name.to_owned(), detail: detail(&e) };
        let engine_failed = |e: wasmtime::Error| HostError::Engine(format!("{e:#}"));
        check_size(name, component)?;
        let mut base = Linker::<Guest>::new(component.engine());
        add_imports(&mut base).map_err(engine_failed)?;
        let rules = Rules::of(&grants.http).map_err(HostError::HttpGrant)?;
        // Who speaks HTTP without the grant learns at each request which one is missing.
        let granted = if shape.imports_http() || (needs_world(grants) && shape.imports_world()) {
            let mut linker = base.clone();
            wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(engine_failed)?;
            wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).map_err(engine_failed)?;
            Some(linker.instantiate_pre(component).map_err(mismatch)?)
        } else {
            None
        };
        stub::add(&mut base, component).map_err(mismatch)?;
        let pure = base.instantiate_pre(component).map_err(mismatch)?;
        typecheck::exports(name, &pure, component, &shape)?;
        let index =
            |e: wasmtime::Error| LoadError::MissingExport { plugin: name.to_owned(), missing: detail(&e) };
        let optional = |interface| shape.exports(interface).then_some(());
        Ok(Self {
            limits: Limits::of(&grants.limits, host.fuel, host.pure_call, host.provider_call),
            host,
            name: name.into(),
            digest,
            model: model::GuestIndices::new(&pure).map_err(index)?,
            emit: optional("emit").map(|()| emit::GuestIndices::new(&pure)).transpose().map_err(index)?,
            provide: optional("provide")
                .map(|()| provide::GuestIndices::new(&pure))
                .transpose()
                .map_err(index)?,
            adopt: optional("adopt").map(|()| adopt::GuestIndices::new(&pure)).transpose().map_err(index)?,
            grants: grants.clone(),
            rules,
            pure,
            granted,
            imports: shape.imports().to_vec(),
            manifest,
            held,
        })
    }

    /// Runs `go` in a fresh instance, under every limit.
    pub(crate) async fn run<R, F>(&self, call: Call<'_>, go: F) -> Result<R, CallError>
    where
        F: for<'a> FnOnce(&'a mut Store<Guest>, Instance) -> Running<'a, R>,
    {
        self.run_and_hear(call, go).await.map(|(reply, _)| reply)
    }

    /// The same, with the warnings that were logged on the way.
    pub(crate) async fn run_and_hear<R, F>(
        &self,
        call: Call<'_>,
        go: F,
    ) -> Result<(R, Vec<PluginDiagnostic>), CallError>
    where
        F: for<'a> FnOnce(&'a mut Store<Guest>, Instance) -> Running<'a, R>,
    {
        let _permit = self.host.instances.acquire().await.map_err(|e| HostError::Engine(e.to_string()))?;
        let _computing = match call.rights {
            Rights::Pure => {
                Some(self.host.computing.acquire().await.map_err(|e| HostError::Engine(e.to_string()))?)
            }
            Rights::Granted | Rights::Repeated => None,
        };
        let _running = self.host.ticker.run(&self.host.engine)?;
        let time = self.time(call.rights);
        // A provider's work is bounded by its clock: it mostly waits.
        let fuel = if call.rights == Rights::Pure { self.limits.fuel } else { u64::MAX };
        // A pure call only ever runs, so what it ran is its time; a provider also waits for others.
        let patience = if call.rights == Rights::Pure { time * limits::PURE_CALL_PATIENCE } else { time };
        let deadline = Instant::now() + patience;
        let repeated = call.rights == Rights::Repeated;
        let (pre, granted) = match &self.granted {
            Some(pre) if call.rights != Rights::Pure => {
                let http = Http::new(self.rules.clone(), call.outside.cloned(), deadline, time);
                (pre, Some(wasi::granted(&self.grants, http)?))
            }
            _ => (&self.pure, None),
        };
        // A token is opened for who may act outside, and only where that is granted.
        let may_reveal = call.rights != Rights::Pure && !self.grants.reveal.is_empty();
        let outside = call.outside.filter(|_| may_reveal).cloned();
        let meter = Meter::default();
        let (metered, pure) = (meter.clone(), call.rights == Rights::Pure);
        let over = move || (pure && metered.used() >= time) || Instant::now() >= deadline;
        let log = Log::new(self.name.clone(), call.function, call.instance, self.host.log.clone());
        let mut store = Guest::new(&self.limits, log, granted, repeated, outside)
            .store(&self.host.engine, &self.limits, fuel, over)
            .map_err(|e| HostError::Engine(format!("{e:#}")))?;
        store.data_mut().meter = meter.clone();
        let work = meter.measure(async {
            let instance = pre.instantiate_async(&mut store).await?;
            go(&mut store, instance).await
        });
        // The guest's own clock comes first, since it knows where the guest is; this one cuts what waits in the host.
        let result = tokio::time::timeout_at((deadline + 2 * TICK).into(), work).await;
        let last_words = store.data_mut().log.last_words();
        // In a call of several functions, the one that ran last.
        let call = Call { function: store.data().log.function(), ..call };
        let context = self.context(&call, last_words);
        match result {
            Ok(Ok(reply)) => Ok((reply, store.data_mut().log.warnings())),
            Ok(Err(e)) => Err(context.explain(&e)),
            Err(_) => Err(context.limit(LimitName::Time, String::new())),
        }
    }

    /// What a fault in a reply means.
    pub(crate) fn fault(&self, call: &Call<'_>, fault: Fault) -> CallError {
        let context = self.context(call, None);
        match fault {
            Fault::Limit(limit) => context.limit(limit, String::new()),
            Fault::Rule(what) => context.bad_reply(&what),
        }
    }

    fn context(&self, call: &Call<'_>, last_words: Option<String>) -> trap::Context<'_> {
        trap::Context {
            plugin: &self.name,
            function: call.function,
            limits: &self.limits,
            time: self.time(call.rights),
            last_words,
        }
    }

    fn time(&self, rights: Rights) -> Duration {
        match rights {
            Rights::Pure => self.limits.pure_call,
            Rights::Granted | Rights::Repeated => self.limits.provider_call,
        }
    }
}

/// Whether there is anything behind WASI but the stub.
fn needs_world(grants: &Grants) -> bool {
    !grants.filesystem.is_empty()
        || !grants.http.is_empty()
        || grants.clock
        || grants.random
        || !grants.env.is_empty()
        || !grants.args.is_empty()
}

fn check_size(name: &str, component: &Component) -> Result<(), LoadError> {
    // None where modules or components are imported: linking refuses those.
    let Some(needs) = component.resources_required() else { return Ok(()) };
    for (what, has, allowed) in
        [("memories", needs.num_memories, limits::MEMORIES), ("tables", needs.num_tables, limits::TABLES)]
    {
        if has > allowed {
            let (has, allowed) = (has.into(), allowed.into());
            return Err(LoadError::TooLarge { plugin: name.to_owned(), what, has, allowed });
        }
    }
    Ok(())
}

/// The engine's words, harmless.
pub(crate) fn detail(e: &wasmtime::Error) -> String {
    crate::text::lines(crate::text::cut(&format!("{e:#}"), 2_000)).into_owned()
}

fn add_imports(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    use wasmtime::component::HasSelf;
    imports::types::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)?;
    imports::log::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)?;
    imports::reveal::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)?;
    imports::attempt::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)?;
    imports::files::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}
