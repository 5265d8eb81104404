//! Many instances at once: what a thousand that wait take, how many calls two cores serve, and what a process for each plugin costs.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use sheave_builtin::KUBERNETES;
use sheave_model::plugin::{Access, FolderGrant, Grants};
use sheave_plugin_host::wire::{Change, Doc, Instance, Planned};
use sheave_plugin_host::{HostConfig, PluginHost};

use crate::calls::{instance, properties};
use crate::{process, root, say};

/// Instances alive at once.
pub(crate) const ALIVE: u32 = 1_000;
/// How long each waits before it is cut: longer than starting all of them takes.
const WAIT: Duration = Duration::from_secs(5);
/// Calls that are counted, and how many of them are on their way at once.
const CALLS: usize = 20_000;
const AT_ONCE: usize = 8;

/// What was measured.
#[derive(Debug)]
pub(crate) struct Crowd {
    /// The largest resident set of a process with [`ALIVE`] live instances, in KiB.
    pub(crate) alive_kib: u64,
    /// Calls a second, on two threads.
    pub(crate) per_second: u64,
    /// A process that serves as a plugin: started and called once.
    pub(crate) process: Duration,
    /// What it holds meanwhile, in KiB.
    pub(crate) process_kib: u64,
}

/// `goplugin` is the program of `tests/bench/goplugin`.
pub(crate) fn measure(itself: &std::path::Path, goplugin: &std::path::Path) -> Result<Crowd> {
    say(format!("{ALIVE} live instances"));
    // In a process of its own: nothing else is in its memory.
    let (alive, _) = process::run(Command::new(itself).arg("alive"))?;
    say("calls on two threads");
    let per_second = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(calls_a_second())?;
    say("a process for each plugin");
    let (_, said) = process::run(&mut Command::new(goplugin))?;
    let said: Value = serde_json::from_str(&said)?;
    let number = |name: &str| said[name].as_u64().with_context(|| format!("no `{name}` in {said}"));
    Ok(Crowd {
        alive_kib: alive.peak,
        per_second,
        process: Duration::from_micros(number("micros")?),
        process_kib: number("kib")?,
    })
}

/// Keeps [`ALIVE`] instances of a provider alive, each waiting inside the host, until they are cut.
pub(crate) fn alive() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let folder = tempfile::tempdir()?;
        let host = PluginHost::new(HostConfig {
            max_instances: ALIVE,
            provider_call: WAIT,
            ..HostConfig::default()
        })?;
        let guest = root().join("target/guests/vandal.wasm");
        let guest = std::fs::read(&guest).with_context(|| format!("cannot read {}", guest.display()))?;
        let path = folder.path().to_str().context("a folder with a name")?.to_owned();
        let grants =
            Grants { filesystem: vec![FolderGrant { path, access: Access::Read }], ..Grants::default() };
        let plugin = host.load("vandal", &guest, &grants).await?;
        let doc = || Doc { json: json!({}).to_string(), marks: Vec::new() };
        let of = |name: u32| Instance { type_name: "Sleep".to_owned(), name: name.to_string(), ..instance() };
        let calls: Vec<_> = (0..ALIVE)
            .map(|n| {
                let (plugin, change) =
                    (plugin.clone(), Change { of: of(n), prior: None, desired: Some(doc()) });
                let agreed = Planned { outputs: doc(), replace: Vec::new(), notes: Vec::new() };
                tokio::spawn(async move { plugin.apply(&change, &agreed, "op", None).await })
            })
            .collect();
        for call in calls {
            match call.await? {
                Err(cut) if cut.code() == "plugin.limit.time" => {}
                other => bail!("it was to wait until it was cut: {other:?}"),
            }
        }
        Ok(())
    })
}

async fn calls_a_second() -> Result<u64> {
    let host = PluginHost::new(HostConfig::default())?;
    let plugin = host.load_precompiled(KUBERNETES.name, KUBERNETES.cwasm, KUBERNETES.digest, None)?;
    let began = Instant::now();
    let callers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let plugin = plugin.clone();
            tokio::spawn(async move {
                let (of, props) = (instance(), Doc { json: properties(), marks: Vec::new() });
                for _ in 0..CALLS / AT_ONCE {
                    let objects = plugin.render(&of, &props, &[]).await?;
                    ensure!(objects.len() == 1, "one Deployment was to be rendered");
                }
                Ok(())
            })
        })
        .collect();
    for caller in callers {
        caller.await??;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some ten thousand a second")]
    Ok((CALLS as f64 / began.elapsed().as_secs_f64()) as u64)
}
