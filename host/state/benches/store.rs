//! How fast the store appends and loads: `cargo bench -p sheave-state`.

#![expect(clippy::unwrap_used, reason = "a measurement that fails has nothing else to do")]
#![expect(clippy::print_stdout, reason = "its result is what it prints")]
#![expect(dead_code, reason = "it needs a part of what the tests share")]

#[path = "../tests/store/fixture.rs"]
mod fixture;

use std::time::Instant;

use sheave_model::journal::Entry;
use sheave_state::{LockOwner, Store as _};

use fixture::*;

const RESOURCES: usize = 10_000;
const BATCH: usize = 32;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let folder =
        tempfile::tempdir_in(std::env::var("SHEAVE_BENCH_DIR").unwrap_or_else(|_| ".".into())).unwrap();
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("bench")).await.unwrap();

    // As a run does it: a batch of beginnings, of intents, of outcomes, of ends.
    let started = Instant::now();
    let (mut appends, mut entries, mut longest) = (0_u32, 0, 0.0_f64);
    store.append(&lock, &[run_started("r1")], &[]).await.unwrap();
    for first in (0..RESOURCES).step_by(BATCH) {
        let some = || first..(first + BATCH).min(RESOURCES);
        let stages: [Vec<Entry>; 4] = [
            some().map(begun).collect(),
            some().map(|i| intent(i, "a")).collect(),
            some().map(|i| applied(i, "a")).collect(),
            some().map(ready).collect(),
        ];
        for stage in stages {
            let events: Vec<_> = some().map(event).collect();
            let one = Instant::now();
            store.append(&lock, &stage, &events).await.unwrap();
            longest = longest.max(one.elapsed().as_secs_f64());
            appends += 1;
            entries += stage.len();
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "append: {appends} batches of {BATCH} in {seconds:.2} s: {:.0} batches/s, {:.0} entries/s; the longest {:.1} ms",
        f64::from(appends) / seconds,
        entries as f64 / seconds,
        longest * 1e3
    );

    let one = Instant::now();
    store.append(&lock, &[run_finished("r1")], &[]).await.unwrap();
    println!("append of the run's end: {:.1} ms", one.elapsed().as_secs_f64() * 1e3);

    let before = cpu_seconds();
    for _ in 0..20 {
        assert!(store.load("blog").await.unwrap().is_some());
    }
    let spent: Vec<String> = cpu_seconds()
        .into_iter()
        .map(|(thread, after)| (after - before.get(&thread).copied().unwrap_or(0.0), thread))
        .filter(|(seconds, _)| *seconds > 0.0)
        .map(|(seconds, thread)| format!("{thread} {:.0} ms", seconds / 20.0 * 1e3))
        .collect();
    println!("processor time of a load, by thread: {}", spent.join(", "));

    for (what, opens) in [("load, file open", false), ("open and load", true)] {
        let mut times = Vec::new();
        for _ in 0..7 {
            let one = Instant::now();
            let reader = if opens { open(folder.path()).await } else { store.clone() };
            let state = reader.load("blog").await.unwrap().unwrap();
            times.push(one.elapsed().as_secs_f64() * 1e3);
            assert_eq!(state.resources.len(), RESOURCES);
        }
        times.sort_by(f64::total_cmp);
        println!("{what}: {RESOURCES} resources: median {:.0} ms, fastest {:.0} ms", times[3], times[0]);
    }

    let mut times = Vec::new();
    for i in 0..200 {
        let change = [intent(i, "a")];
        let one = Instant::now();
        store.append(&lock, &change, &[]).await.unwrap();
        times.push(one.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!("append of one entry: median {:.2} ms", times[100]);
    let one = Instant::now();
    store.append(&lock, &[run_finished("r1")], &[]).await.unwrap();
    println!("snapshot of 200 touched resources: {:.1} ms", one.elapsed().as_secs_f64() * 1e3);

    let one = Instant::now();
    assert_eq!(store.stacks().await.unwrap().len(), 1);
    println!("list of stacks: {:.1} ms", one.elapsed().as_secs_f64() * 1e3);
    store.release(lock).await.unwrap();
    store.close().await.unwrap();
    let size = std::fs::metadata(folder.path().join(".sheave/state.db")).unwrap().len();
    println!("file: {:.1} MiB", size as f64 / 1048576.0);
}

/// Processor seconds of each thread so far, by name: what a busy machine does not distort.
fn cpu_seconds() -> std::collections::BTreeMap<String, f64> {
    let mut seconds = std::collections::BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
        let (name, rest) = stat.split_once('(').unwrap().1.rsplit_once(')').unwrap();
        let ticks: f64 = rest.split_whitespace().skip(11).take(2).map(|t| t.parse::<f64>().unwrap()).sum();
        *seconds.entry(name.to_owned()).or_insert(0.0) += ticks / 100.0;
    }
    seconds
}
