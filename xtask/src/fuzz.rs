//! Strangers' input, made up by a fuzzer: the targets of `fuzz/`, part of `cargo xtask soak`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::{cargo, root, run, say, target_dir};

/// The tool that builds the targets.
const CARGO_FUZZ: &str = "cargo-fuzz@0.13.2";
/// Each with what its search begins from: files of these folders with this extension.
const TARGETS: &[(&str, &[&str], &str)] = &[
    ("blueprint", &["examples", "tests/golden/bad-input"], "yaml"),
    ("component", &["target/guests"], "wasm"),
    ("reply", &[], ""),
];
/// Seconds that one input may take: anything slower is a finding. What a user waits for is far shorter.
const SLOW: u32 = 10;
/// Memory that one input may take, in MiB.
const MEMORY: u32 = 2_048;

/// Fuzzes each target for so many minutes. What was found stands under `target/fuzz/artifacts`, and fails.
pub(crate) fn fuzz(minutes: u32) -> Result<()> {
    let tool = cargo_fuzz()?;
    let folder = target_dir().join("fuzz");
    let mut build = Command::new(&tool);
    // Without a sanitizer, which needs a compiler that is not released: what is searched for are panics, and what
    // takes too long or too much; there is no unsafe code in what is fuzzed.
    build.current_dir(root().join("fuzz")).env("CARGO_TARGET_DIR", &folder).args([
        "build",
        "--sanitizer",
        "none",
    ]);
    say("building the fuzz targets (this takes some minutes)");
    run(&mut build)?;
    let programs = programs(&folder)?;
    let mut found = Vec::new();
    for (target, from, extension) in TARGETS {
        let (corpus, artifacts) = (folder.join("corpus").join(target), folder.join("artifacts").join(target));
        for folder in [&corpus, &artifacts] {
            std::fs::create_dir_all(folder)?;
        }
        for folder in *from {
            seed(&root().join(folder), extension, &corpus)?;
        }
        say(format!("fuzzing {target} for {minutes} minutes"));
        let mut fuzzer = Command::new(programs.join(target));
        fuzzer.arg(format!("-max_total_time={}", u64::from(minutes) * 60));
        fuzzer.args([format!("-timeout={SLOW}"), format!("-rss_limit_mb={MEMORY}")]);
        fuzzer.args(["-max_len=65536", "-print_final_stats=1"]);
        fuzzer.arg(format!("-artifact_prefix={}/", artifacts.display())).arg(&corpus);
        if let Err(why) = run(&mut fuzzer) {
            say(format!("{target}: {why:#}; the input is in {}", artifacts.display()));
            found.push(*target);
        }
    }
    if !found.is_empty() {
        bail!("found something: {}", found.join(" and "));
    }
    Ok(())
}

/// Where the targets were built: beneath the name of this machine's platform.
fn programs(folder: &Path) -> Result<PathBuf> {
    let built = std::fs::read_dir(folder)?.flatten().map(|e| e.path().join("release"));
    built
        .filter(|release| TARGETS.iter().all(|(target, ..)| release.join(target).is_file()))
        .max_by_key(|release| release.metadata().and_then(|m| m.modified()).ok())
        .with_context(|| format!("no fuzz targets beneath {}", folder.display()))
}

/// Copies what is there already to search from.
fn seed(from: &Path, extension: &str, corpus: &Path) -> Result<()> {
    let entries = std::fs::read_dir(from).with_context(|| from.display().to_string())?;
    for path in entries.flatten().map(|e| e.path()) {
        if path.is_dir() {
            seed(&path, extension, corpus)?;
        } else if path.extension().is_some_and(|e| e == extension) {
            let name: String = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().replace('/', "-");
            std::fs::copy(&path, corpus.join(name))?;
        }
    }
    Ok(())
}

fn cargo_fuzz() -> Result<PathBuf> {
    let folder = root().join("target/tools/cargo-fuzz");
    let program = folder.join("bin/cargo-fuzz");
    if !program.exists() {
        say("building cargo-fuzz");
        run(cargo().args(["install", CARGO_FUZZ, "--locked", "--root"]).arg(&folder))?;
    }
    Ok(program)
}
