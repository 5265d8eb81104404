//! The host of all plugins of a process: one engine, one clock, one cache.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sheave_model::asked::{Effective, effective};
use sheave_model::manifest::{Asks, BadManifest, PluginManifest};
use sheave_model::plugin::Grants;
use tokio::sync::{Semaphore, oneshot};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cache::Cache;
use crate::component::{self, Shape};
use crate::error::{HostError, LoadError};
use crate::log::LogSink;
use crate::native::{self, Trusted};
use crate::plugin::{Loaded, Plugin, detail};
use crate::ticker::Ticker;
use crate::{engine, limits};

/// Pure calls at once on the smallest machine: one that uses up its time does not keep the others from beginning.
const COMPUTING_LEAST: usize = 8;

/// How a host is set up.
#[derive(Clone)]
pub struct HostConfig {
    /// Where compiled code is kept; none: nowhere. Made private to the user where it is missing.
    pub cache_dir: Option<PathBuf>,
    /// Authenticates what is in the cache, and must be kept elsewhere. None: no cache.
    pub cache_key: Option<[u8; 32]>,
    /// Calls at once; more wait.
    pub max_instances: u32,
    /// The fuel of a pure call, where no grant raises it.
    pub fuel: u64,
    /// The processor time of a pure call, where no grant raises it.
    pub pure_call: Duration,
    /// The wall clock of a provider's `read`, `apply` and `adopt`, where no grant raises it.
    pub provider_call: Duration,
    /// The time that compiling one component may take.
    pub compile_budget: Duration,
    /// Gets what plugins log, beside `tracing` with the target `plugin`.
    pub log: Option<LogSink>,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            cache_dir: None,
            cache_key: None,
            max_instances: 32,
            fuel: limits::FUEL,
            pure_call: limits::PURE_CALL,
            provider_call: limits::PROVIDER_CALL,
            compile_budget: limits::COMPILE,
            log: None,
        }
    }
}

/// Runs plugins. Cloning is cheap.
#[derive(Clone)]
pub struct PluginHost(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    pub(crate) instances: Semaphore,
    /// Pure calls at once. They never wait for anything: more of them than cores can serve only take more memory.
    pub(crate) computing: Semaphore,
    pub(crate) log: Option<LogSink>,
    pub(crate) fuel: u64,
    pub(crate) pure_call: Duration,
    pub(crate) provider_call: Duration,
    compiling: Arc<Semaphore>,
    compile_budget: Duration,
    cache: Option<Arc<Cache>>,
}

impl PluginHost {
    /// A host that is ready to load plugins.
    ///
    /// # Errors
    ///
    /// Where the engine does not run on this machine.
    pub fn new(config: HostConfig) -> Result<Self, HostError> {
        let max_instances = config.max_instances.max(1);
        let engine = engine::running(max_instances)?;
        let cache = config
            .cache_dir
            .zip(config.cache_key)
            .and_then(|(folder, key)| Cache::open(&folder, key, engine::fingerprint(&engine)));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self(Arc::new(Shared {
            engine,
            ticker: Ticker::default(),
            instances: Semaphore::new(max_instances as usize),
            computing: Semaphore::new(
                (2 * cores).clamp(COMPUTING_LEAST.min(max_instances as usize), max_instances as usize),
            ),
            log: config.log,
            fuel: config.fuel,
            pure_call: config.pure_call,
            provider_call: config.provider_call,
            compiling: Arc::new(Semaphore::new(cores)),
            compile_budget: config.compile_budget,
            cache: cache.map(Arc::new),
        })))
    }

    /// Loads a component as the plugin `name`: checks what it imports and exports, compiles it or takes it from the
    /// cache, and links it to what is granted. No code of the plugin runs.
    ///
    /// # Errors
    ///
    /// See [`LoadError`].
    pub async fn load(&self, name: &str, wasm: &[u8], grants: &Grants) -> Result<Plugin, LoadError> {
        let shape = component::inspect(name, wasm)?;
        let manifest = shape.manifest(name)?;
        let held = held(name, manifest.as_ref(), grants)?;
        let digest = engine::digest(wasm);
        let component = self.compile(name, wasm, &digest).await?;
        self.link(name, digest, &component, shape, manifest, held)
    }

    /// What can be known of a component without compiling it: its manifest, and what it imports. No code of it runs.
    ///
    /// # Errors
    ///
    /// As of [`PluginHost::load`].
    pub fn inspect(name: &str, wasm: &[u8]) -> Result<Inspected, LoadError> {
        let shape = component::inspect(name, wasm)?;
        let manifest = shape.manifest(name)?;
        Ok(Inspected { manifest, imports: shape.imports().to_vec(), digest: engine::digest(wasm) })
    }

    /// Loads a plugin that [`crate::precompile`] compiled when this program was built. `digest` is that of the
    /// component that it was compiled from.
    ///
    /// # Errors
    ///
    /// Where it was compiled for another version of the engine, other settings or another target.
    pub fn load_precompiled(
        &self,
        name: &str,
        cwasm: &'static [u8],
        digest: &str,
        manifest: Option<&[u8]>,
    ) -> Result<Plugin, LoadError> {
        let code = Trusted::own_binary(cwasm).map_err(|e| HostError::Engine(e.to_string()))?;
        let component = native::deserialize(&self.0.engine, &code).map_err(|e| {
            HostError::Engine(format!("the built-in plugin does not fit this program: {e:#}"))
        })?;
        let shape = Shape::of(&component);
        let bad = |e: BadManifest| LoadError::BadManifest { plugin: name.to_owned(), why: e.to_string() };
        let manifest = manifest.map(PluginManifest::read).transpose().map_err(bad)?;
        self.link(name, digest.to_owned(), &component, shape, manifest, Effective::default())
    }

    /// The component compiled, for the engine alone to load: what this host's loading is measured against.
    ///
    /// # Errors
    ///
    /// As of [`crate::precompile`].
    #[doc(hidden)]
    pub fn alone(&self, wasm: &[u8]) -> Result<native::Alone, LoadError> {
        native::Alone::compile(&self.0.engine, wasm)
    }

    fn link(
        &self,
        name: &str,
        digest: String,
        component: &Component,
        shape: Shape,
        manifest: Option<PluginManifest>,
        held: Effective,
    ) -> Result<Plugin, LoadError> {
        let loaded = Loaded::link(self.0.clone(), name, digest, component, shape, manifest, held)?;
        Ok(Plugin(Arc::new(loaded), None))
    }

    /// What an earlier load compiled, where it is kept. The disk and the check of the code hold up nobody else.
    async fn cached(&self, digest: &str) -> Option<Component> {
        let (engine, cache, digest) = (self.0.engine.clone(), self.0.cache.clone()?, digest.to_owned());
        let look = move || native::deserialize(&engine, &cache.get(&digest)?).ok();
        tokio::task::spawn_blocking(look).await.ok().flatten()
    }

    /// Compiling cannot be cancelled: it runs on a thread of its own, which is left behind when its time is over and
    /// does not hold up the program's end, as one of the runtime's threads would.
    async fn compile(&self, name: &str, wasm: &[u8], digest: &str) -> Result<Component, LoadError> {
        if let Some(component) = self.cached(digest).await {
            return Ok(component);
        }
        let failed = |why: String| LoadError::Host(HostError::Engine(why));
        let permit = self.0.compiling.clone().acquire_owned().await.map_err(|e| failed(e.to_string()))?;
        let (engine, cache) = (self.0.engine.clone(), self.0.cache.clone());
        let (wasm, digest) = (wasm.to_vec(), digest.to_owned());
        let (send, receive) = oneshot::channel();
        std::thread::Builder::new()
            .name("plugin-compiler".to_owned())
            .stack_size(COMPILER_STACK)
            .spawn(move || {
                let component = compile(&engine, cache.as_deref(), &wasm, &digest);
                // Where nobody waits any longer there is nobody to tell.
                let _ = send.send(component);
                drop(permit);
            })
            .map_err(|e| failed(format!("cannot start a compiler: {e}")))?;
        match tokio::time::timeout(self.0.compile_budget, receive).await {
            Ok(Ok(Ok(component))) => Ok(component),
            Ok(Ok(Err(e))) => Err(LoadError::Invalid { plugin: name.to_owned(), detail: detail(&e) }),
            Ok(Err(_)) => Err(failed("the compiler broke down".to_owned())),
            Err(_) => {
                Err(LoadError::CompileLimit { plugin: name.to_owned(), allowed: self.0.compile_budget })
            }
        }
    }
}

/// What a component shows without being compiled.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// Its manifest; none where it has none.
    pub manifest: Option<PluginManifest>,
    /// What it imports, by name.
    pub imports: Vec<String>,
    /// SHA-256, lower-case hex.
    pub digest: String,
}

/// What a plugin gets of what it is granted.
fn held(name: &str, manifest: Option<&PluginManifest>, grants: &Grants) -> Result<Effective, LoadError> {
    let nothing = Asks::default();
    let held = effective(manifest.map_or(&nothing, |m| &m.asks), grants);
    if manifest.is_none() && !held.unasked.is_empty() {
        return Err(LoadError::NoManifest { plugin: name.to_owned(), granted: held.unasked });
    }
    Ok(held)
}

/// Stack of a compiler thread: Cranelift recurses over nested blocks.
const COMPILER_STACK: usize = 16 << 20;

fn compile(engine: &Engine, cache: Option<&Cache>, wasm: &[u8], digest: &str) -> wasmtime::Result<Component> {
    let component = Component::from_binary(engine, wasm)?;
    if let Some(cache) = cache
        && let Ok(code) = component.serialize()
    {
        cache.put(digest, &code);
    }
    Ok(component)
}
