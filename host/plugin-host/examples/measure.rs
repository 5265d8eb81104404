//! Measures what plugins cost: `cargo run --release --example measure -- COMPONENT [TYPE [PROPERTIES]]`.
//!
//! Prints, in microseconds: compiling, loading from the cache, loading code compiled ahead, and the median and the 99th
//! percentile of calls, each in an instance of its own.
#![expect(clippy::print_stdout, reason = "it is a program")]

use std::time::{Duration, Instant};

use sheave_model::plugin::Grants;
use sheave_plugin_host::wire::{Doc, Instance};
use sheave_plugin_host::{HostConfig, PluginHost, digest, precompile};

/// Calls that are measured, and calls before them that are not.
const CALLS: usize = 500;
const WARM_UP: usize = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("which component?")?;
    let wasm = std::fs::read(&path)?;
    let cache = tempfile::tempdir()?;
    let config = HostConfig {
        cache_dir: Some(cache.path().join("cache")),
        cache_key: Some([0; 32]),
        ..HostConfig::default()
    };
    let host = PluginHost::new(config)?;
    let grants = Grants::default();

    let since = Instant::now();
    let plugin = host.load("measured", &wasm, &grants).await?;
    say("compile and load", since.elapsed());
    let mut times = Vec::new();
    for _ in 0..WARM_UP {
        let since = Instant::now();
        host.load("measured", &wasm, &grants).await?;
        times.push(since.elapsed());
    }
    spread("load from the cache", times);

    let compiled: &'static [u8] = precompile(&wasm, std::env!("SHEAVE_TARGET"))?.leak();
    let digest = digest(&wasm);
    let mut times = Vec::new();
    for _ in 0..WARM_UP {
        let since = Instant::now();
        host.load_precompiled("measured", compiled, &digest, None)?;
        times.push(since.elapsed());
    }
    spread("load compiled ahead", times);

    let mut times = Vec::new();
    for n in 0..WARM_UP + CALLS {
        let since = Instant::now();
        plugin.describe().await?;
        if n >= WARM_UP {
            times.push(since.elapsed());
        }
    }
    spread("describe", times);

    if let Some(type_name) = args.next() {
        let settings = Doc { json: "{}".to_owned(), marks: Vec::new() };
        let (name, stack) = ("web".to_owned(), "measured".to_owned());
        let of = Instance { type_name, name, stack, schema_version: 1, settings };
        let props = Doc { json: args.next().unwrap_or_else(|| "{}".to_owned()), marks: Vec::new() };
        let mut times = Vec::new();
        let mut objects = 0;
        for n in 0..WARM_UP + CALLS {
            let since = Instant::now();
            objects = plugin.render(&of, &props, &[]).await?.len();
            if n >= WARM_UP {
                times.push(since.elapsed());
            }
        }
        spread(&format!("render, {objects} objects"), times);
    }
    Ok(())
}

fn spread(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("{what:24} {:>9} us (median) {:>9} us (99 %)", at(50).as_micros(), at(99).as_micros());
}

fn say(what: &str, time: Duration) {
    println!("{what:24} {:>9} us", time.as_micros());
}
