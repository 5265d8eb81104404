//! What Sheave costs, beside kubectl, Helm and what the API server allows. `cargo xtask bench` builds, provides and calls it.
//!
//! `sheave-bench ROUNDS LOAD...` measures everything and writes docs/benchmarks.md; `sheave-bench bare VERB LOAD NAMESPACE` is one of
//! the measured programs: a client that sends the requests and does nothing else. `sheave-bench alive` is another: a host full of plugins
//! that wait; and `sheave-bench call FILE CACHE`: a host that loads one component and calls it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

mod bare;
mod calls;
mod crowd;
mod languages;
mod objects;
mod process;
mod report;
mod rounds;
mod setting;
mod tools;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::objects::Load;
use crate::setting::Setting;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bare", verb, load, namespace] => println!("{}", bare::run(verb, read(load)?, namespace)?),
        ["alive"] => crowd::alive()?,
        ["call", wasm, cache] => println!("{}", languages::call(wasm.as_ref(), cache.as_ref())?),
        [rounds, ref loads @ ..] if !loads.is_empty() => {
            let loads = loads.iter().map(|load| read(load)).collect::<Result<Vec<_>>>()?;
            all(rounds.parse().context("how many rounds?")?, &loads)?;
        }
        _ => anyhow::bail!("usage: sheave-bench ROUNDS LOAD..."),
    }
    Ok(())
}

fn read(load: &str) -> Result<Load> {
    Load::read(load).with_context(|| format!("`{load}` is no load: maps-1000, mixed-10000, ..."))
}

fn all(rounds: usize, loads: &[Load]) -> Result<()> {
    let setting = Setting::of_this_machine()?;
    say("calls of the built-in plugin");
    let calls = calls::measure()?;
    let crowd = crowd::measure(&setting.itself, &setting.goplugin)?;
    let languages = languages::measure(&setting)?;
    let validate = tools::validate(&setting)?;
    let rounds =
        loads.iter().map(|load| rounds::measure(&setting, *load, rounds)).collect::<Result<Vec<_>>>()?;
    let report = report::Report { calls, crowd, languages, validate, rounds };
    println!("{}", report.for_a_terminal());
    let path = root().join("docs/benchmarks.md");
    std::fs::write(&path, report.page(&setting))?;
    say(format!("written to {}", path.display()));
    Ok(())
}

/// One line about what happens next.
fn say(line: impl AsRef<str>) {
    eprintln!("bench: {}", line.as_ref());
}

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

/// The middle one; of an even number, the upper of the two. Zero of none.
fn median<T: Copy + Ord + Default>(values: impl IntoIterator<Item = T>) -> T {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
