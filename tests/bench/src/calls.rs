//! What a plugin call costs: a fresh instance of the built-in plugin that renders a Deployment, and the same call with
//! nothing of ours around it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sheave_builtin::KUBERNETES;
use sheave_model::plugin::Grants;
use sheave_plugin_host::wire::{Doc, Instance};
use sheave_plugin_host::{HostConfig, PluginHost, limits};

use crate::{median, root};

/// Calls that are measured, and calls before them that are not.
const CALLS: usize = 1000;
const WARM_UP: usize = 50;
/// Loadings that are measured: each reads a file of some hundred kilobytes.
const LOADS: usize = 50;

/// Medians.
#[derive(Debug)]
pub(crate) struct Calls {
    /// Through the host: limits, checks of the reply, translation.
    pub(crate) render: Duration,
    /// wasmtime alone, with the same fuel and epochs: the component instantiated, called, its reply read.
    pub(crate) bare: Duration,
    /// A component that is in the cache already.
    pub(crate) cached_load: Duration,
    /// The same component, compiled, by wasmtime alone: read from its file, deserialised, linked to nothing.
    pub(crate) bare_load: Duration,
    /// The built-in one, compiled ahead.
    pub(crate) builtin_load: Duration,
}

pub(crate) fn measure() -> Result<Calls> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(through_the_host(bare::render()?))
}

const TYPE: &str = "Deployment";
const NAME: &str = "web";

/// As a blueprint would have it.
pub(crate) fn properties() -> String {
    json!({"spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{
                "name": "web",
                "image": "nginx:1.29",
                "ports": [{"containerPort": 80}],
                "env": [{"name": "MODE", "value": "fast"}],
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
            }]},
        },
    }})
    .to_string()
}

pub(crate) fn instance() -> Instance {
    Instance {
        type_name: TYPE.to_owned(),
        name: NAME.to_owned(),
        stack: "bench".to_owned(),
        schema_version: 1,
        settings: Doc { json: "{}".to_owned(), marks: Vec::new() },
    }
}

async fn through_the_host(bare: Duration) -> Result<Calls> {
    let cache = tempfile::tempdir()?;
    let config = HostConfig {
        cache_dir: Some(cache.path().join("cache")),
        cache_key: Some([0; 32]),
        ..HostConfig::default()
    };
    let host = PluginHost::new(config)?;
    let mut builtin_loads = Vec::new();
    for _ in 0..LOADS {
        let started = Instant::now();
        let loaded = host.load_precompiled(KUBERNETES.name, KUBERNETES.cwasm, KUBERNETES.digest, None)?;
        builtin_loads.push(started.elapsed());
        drop(loaded);
    }
    let plugin = host.load(KUBERNETES.name, KUBERNETES.wasm, &Grants::default()).await?;
    // What is loaded from the cache in practice: a plugin that is not built in. The first time compiles it and fills the cache.
    let file = root().join("target/guests/file.wasm");
    let file = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let _ = host.load("file", &file, &Grants::default()).await?;
    let compiled = cache.path().join("file.cwasm");
    let alone = host.alone(&file)?;
    std::fs::write(&compiled, alone.code())?;
    let (mut cached_loads, mut bare_loads) = (Vec::new(), Vec::new());
    for _ in 0..LOADS {
        let started = Instant::now();
        let loaded = host.load("file", &file, &Grants::default()).await?;
        cached_loads.push(started.elapsed());
        drop(loaded);
        let started = Instant::now();
        // Whoever has it compiled has it in a file; what is loaded is what was compiled here, since files can change.
        let _ = std::fs::read(&compiled)?;
        alone.load()?;
        bare_loads.push(started.elapsed());
    }
    let of = instance();
    let props = Doc { json: properties(), marks: Vec::new() };
    let mut renders = Vec::new();
    for _ in 0..WARM_UP + CALLS {
        let started = Instant::now();
        let objects = plugin.render(&of, &props, &[]).await?;
        renders.push(started.elapsed());
        ensure!(objects.len() == 1, "one Deployment was to be rendered");
    }
    Ok(Calls {
        render: median(renders.into_iter().skip(WARM_UP)),
        bare,
        cached_load: median(cached_loads),
        bare_load: median(bare_loads),
        builtin_load: median(builtin_loads),
    })
}

/// wasmtime as its manual shows it, with a pool of instances, and with fuel and epochs as the host has them; nothing else.
mod bare {
    use super::*;
    use wasmtime::component::{Component, Linker};
    use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

    mod bindings {
        wasmtime::component::bindgen!({
            path: "../../wit/plugin.wit",
            inline: "package sheave:bench; world rendering { export sheave:plugin/emit@0.1.0; }",
        });
    }
    use bindings::exports::sheave::plugin::emit::GuestIndices;
    use bindings::sheave::plugin::types::{Doc, Instance};

    pub(super) fn render() -> Result<Duration> {
        let mut config = Config::new();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(PoolingAllocationConfig::new()));
        config.consume_fuel(true).epoch_interruption(true);
        let engine = Engine::new(&config)?;
        let component = Component::from_binary(&engine, KUBERNETES.wasm)?;
        let mut linker = Linker::<()>::new(&engine);
        linker.define_unknown_imports_as_traps(&component)?;
        let pre = linker.instantiate_pre(&component)?;
        let indices = GuestIndices::new(&pre)?;
        let of = Instance {
            type_name: TYPE.to_owned(),
            name: NAME.to_owned(),
            stack: "bench".to_owned(),
            schema_version: 1,
            settings: Doc { json: "{}".to_owned(), marks: Vec::new() },
        };
        let props = Doc { json: properties(), marks: Vec::new() };
        let mut times = Vec::new();
        for _ in 0..WARM_UP + CALLS {
            let started = Instant::now();
            let mut store = Store::new(&engine, ());
            store.set_fuel(limits::FUEL)?;
            store.set_epoch_deadline(u64::MAX / 2);
            let instance = pre.instantiate(&mut store)?;
            let guest = indices.load(&mut store, &instance)?;
            let objects = guest.call_render(&mut store, &of, &props, &[])?;
            drop(store);
            times.push(started.elapsed());
            let objects = objects.ok().context("the Deployment was refused")?;
            ensure!(objects.len() == 1, "one Deployment was to be rendered");
        }
        Ok(median(times.into_iter().skip(WARM_UP)))
    }
}
