//! What each language costs that plugins are written in: a new project, built by the language's own tools, and called once.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use sheave_model::plugin::Grants;
use sheave_plugin_host::wire::{Doc, Instance};
use sheave_plugin_host::{HostConfig, PluginHost};
use sheave_testkit::authors;

use crate::calls::instance;
use crate::process;
use crate::setting::Setting;
use crate::{median, say};

/// As the page and as `sheave plugin new` call them.
const ALL: [(&str, &str); 5] =
    [("Rust", "rust"), ("Go", "go"), ("Python", "python"), ("JavaScript", "js"), ("C", "c")];

/// Processes that load the component and call it, of which the first compiles it and does not count.
const CALLS: usize = 10;

/// What was measured of one language: the emitter that a new project comes with.
#[derive(Debug)]
pub(crate) struct Language {
    pub(crate) name: &'static str,
    pub(crate) component: u64,
    /// `sheave plugin build`, where the tools have built one such project before.
    pub(crate) build: Duration,
    /// From the cache of compiled components.
    pub(crate) load: Duration,
    /// The first call after that.
    pub(crate) call: Duration,
    /// The largest resident set of the process that does both, in KiB.
    pub(crate) peak: u64,
}

pub(crate) fn measure(setting: &Setting) -> Result<Vec<Language>> {
    ALL.into_iter().map(|(name, word)| one(setting, name, word)).collect()
}

fn one(setting: &Setting, name: &'static str, word: &str) -> Result<Language> {
    say(format!("a plugin in {name}"));
    let folder = setting.folder.join("languages").join(word);
    fs::create_dir_all(&folder)?;
    let sheave = |args: &[&str]| {
        let mut command = Command::new(&setting.sheave);
        command.current_dir(&folder).args(args);
        command.envs(authors::variables(setting.sheave.parent().unwrap_or(Path::new("/"))));
        process::run(&mut command)
    };
    let mut build = Duration::ZERO;
    // The first one fills the tools' own caches.
    for project in ["first", "second"] {
        let _ = sheave(&["plugin", "new", project, "--lang", word])?;
        build = sheave(&["plugin", "build", project])?.0.wall;
    }
    let wasm = folder.join("second/build/second.wasm");
    let component = fs::metadata(&wasm).with_context(|| wasm.display().to_string())?.len();
    let (mut loads, mut calls, mut peak) = (Vec::new(), Vec::new(), 0);
    for n in 0..=CALLS {
        let mut command = Command::new(&setting.itself);
        command.arg("call").arg(&wasm).arg(folder.join("cache"));
        let (cost, said) = process::run(&mut command)?;
        let [load, call] = said.split_whitespace().collect::<Vec<_>>()[..] else { bail!("no times: {said}") };
        if n > 0 {
            loads.push(Duration::from_micros(load.parse()?));
            calls.push(Duration::from_micros(call.parse()?));
            peak = peak.max(cost.peak);
        }
    }
    Ok(Language { name, component, build, load: median(loads), call: median(calls), peak })
}

/// Loads a component and has it render once; prints the microseconds of both.
pub(crate) fn call(wasm: &Path, cache: &Path) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let host = PluginHost::new(HostConfig {
            cache_dir: Some(cache.to_owned()),
            cache_key: Some([0; 32]),
            ..HostConfig::default()
        })?;
        let wasm = fs::read(wasm)?;
        let began = Instant::now();
        let plugin = host.load("page", &wasm, &Grants::default()).await?;
        let load = began.elapsed();
        let of = Instance { type_name: "Page".to_owned(), ..instance() };
        let json = json!({"message": "Hello", "replicas": 1, "labels": {}}).to_string();
        let began = Instant::now();
        let objects = plugin.render(&of, &Doc { json, marks: Vec::new() }, &[]).await?;
        let call = began.elapsed();
        ensure!(objects.len() == 3, "a page, its pods and its service were to be rendered");
        Ok(format!("{} {}", load.as_micros(), call.as_micros()))
    })
}
