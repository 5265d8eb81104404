//! Every guest that misbehaves, in one process, beside one that works: what each does harms its own call and nothing else, and
//! nothing of it is left.
//!
//! The guests are the files of `tests/guests/behaviours`, which say themselves what must come of them, the components that this file
//! makes up, and the types of `rogue` and `vandal`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sheave_model::plugin::Grants;
use sheave_plugin_host::wire::Live;
use sheave_plugin_host::{HostConfig, Plugin, PluginHost, limits};
use support::behaviours::{Behaviour, all, made};
use support::*;

/// The time of a pure call here: a tenth of the default, for the many guests that use it up.
const PURE: Duration = Duration::from_millis(100);
/// The same of a provider's.
const PROVIDED: Duration = Duration::from_millis(200);
/// How long a call may take on the clock on the wall, whatever runs beside it.
const LATE: Duration = PURE.saturating_mul(limits::PURE_CALL_PATIENCE);

fn hasty() -> PluginHost {
    let config = HostConfig { pure_call: PURE, provider_call: PROVIDED, ..HostConfig::default() };
    host_with(config).0
}

/// What comes of a guest: the code of its failure, or `ok`.
async fn fate(host: &PluginHost, wasm: &[u8], call: &str) -> (String, String) {
    let plugin = match host.load("guest", wasm, &Grants::default()).await {
        Ok(plugin) => plugin,
        Err(error) => {
            let diagnostic = error.diagnostic();
            assert!(diagnostic.help.is_some(), "{diagnostic:?}");
            return (diagnostic.code, diagnostic.summary);
        }
    };
    match called(&plugin, call).await {
        Ok(()) => ("ok".to_owned(), String::new()),
        Err(error) => (code(&error), error.to_string()),
    }
}

async fn called(plugin: &Plugin, call: &str) -> Result<(), sheave_plugin_host::CallError> {
    let (of, props) = (of("Any"), doc(r#"{"text": "hello"}"#));
    let live = vec![Live { slot: "0".to_owned(), body: None }];
    match call {
        "describe" => plugin.describe().await.map(drop),
        "settings-schema" => plugin.settings_schema().await.map(drop),
        "schema" => plugin.schema("Any").await.map(drop),
        "check" => plugin.check(&of, &props).await.map(drop),
        "upgrade" => plugin.upgrade(&of, 1, &props).await.map(drop),
        "needs" => plugin.needs(&of, &props, &[]).await.map(drop),
        "render" => plugin.render(&of, &props, &[]).await.map(drop),
        "observe" => plugin.observe(&of, &props, &live).await.map(drop),
        other => panic!("there is no function `{other}`"),
    }
}

/// The number of descriptors that this process has open. This is the only test of its process: another would have some, too.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The bytes of memory that this process has.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
}

/// Calls a well-behaved guest over and over, each call in time, until it is told to stop; gives how many calls there were.
fn neighbour(plugin: Plugin, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<usize> {
    tokio::spawn(async move {
        let mut calls = 0;
        while !stop.load(Ordering::Relaxed) {
            let since = Instant::now();
            let rendered = plugin.render(&of("Honest"), &doc(r#"{"value": "here"}"#), &[]).await;
            assert!(rendered.unwrap()[0].manifest.json.contains("http://here:80/"));
            assert!(since.elapsed() < LATE, "a call of the neighbour's took {:?}", since.elapsed());
            calls += 1;
        }
        calls
    })
}

async fn misbehave(host: &PluginHost, behaviours: &[Behaviour]) -> Vec<String> {
    let mut wrong = Vec::new();
    for Behaviour { name, wasm, call, expected, says } in behaviours {
        let (came, words) = fate(host, wasm, call).await;
        if !expected.contains(&came) || !says.iter().all(|word| words.contains(word)) {
            wrong.push(format!("{name}: {came} ({words}), where {expected:?} was expected"));
        }
    }
    wrong
}

/// Whatever comes of it: what must come of each type is tested where the types are named.
async fn run_types(rogue: &Plugin, vandal: &Plugin) {
    for ty in rogue.describe().await.unwrap() {
        let _ = rogue.render(&of(&ty.name), &doc("{}"), &[]).await;
    }
    for ty in vandal.describe().await.unwrap() {
        let _ = vandal.apply(&create(&ty.name, "{}"), &agreed(), "op", None).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_harms_its_own_call_and_nothing_is_left_of_it() {
    let host = hasty();
    let mut behaviours = all();
    behaviours.extend(made());
    assert!(behaviours.len() >= 80, "{}", behaviours.len());
    let rogue = host.load("guest", &built("rogue"), &Grants::default()).await.unwrap();
    let vandal = host.load("guest", &built("vandal"), &Grants::default()).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let calls = neighbour(rogue.clone(), stop.clone());

    // Once to fill pools and caches, and once more: what the second time leaves behind, each run would.
    let mut wrong = misbehave(&host, &behaviours).await;
    run_types(&rogue, &vandal).await;
    let before = (descriptors(), resident());
    wrong.extend(misbehave(&host, &behaviours).await);
    run_types(&rogue, &vandal).await;
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));

    stop.store(true, Ordering::Relaxed);
    assert!(calls.await.unwrap() > 0, "the neighbour was served all the while");
    assert!(descriptors() <= before.0, "{} descriptors, before {}", descriptors(), before.0);
    let grown = resident().saturating_sub(before.1);
    assert!(grown < 2 * limits::MEMORY, "{} MiB more than before", grown >> 20);
    rogue.render(&of("Honest"), &doc(r#"{"value": "after"}"#), &[]).await.unwrap();
}
