//! `cargo xtask bench`: builds and provides what `tests/bench` measures, and calls it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::build::{Profile, programs};
use crate::cluster::{self, Running};
use crate::run::{root, run, say, target_dir};

/// The Helm that is measured beside Sheave.
const HELM: &str = "helm.sh/helm/v4/cmd/helm@v4.3.1";

pub(crate) fn bench(rounds: u32, loads: &[String]) -> Result<()> {
    // Built in one call with the program: the libraries of both are then built once, with the same features.
    let built = programs(Profile::Dist, &["sheave-cli", "sheave-bench"])?;
    let (helm, goplugin) = (helm()?, goplugin()?);
    let _cluster = Running::for_now()?;
    let mut bench = Command::new(built.join("sheave-bench"));
    bench.envs(cluster::variables()?).env("SHEAVE_BENCH_SHEAVE", built.join("sheave"));
    bench.env("SHEAVE_BENCH_KUBECTL", cluster::kubectl()).env("SHEAVE_BENCH_HELM", helm);
    bench.env("SHEAVE_BENCH_GOPLUGIN", goplugin);
    run(bench.current_dir(root()).arg(rounds.to_string()).args(loads))
}

/// Helm, built from its sources unless it was already.
fn helm() -> Result<PathBuf> {
    let version = HELM.rsplit('@').next().unwrap_or_default();
    let folder = root().join("target/tools/helm").join(version);
    let helm = folder.join("helm");
    if !helm.exists() {
        say(format!("building Helm {version} (this takes some minutes)"));
        let mut install = cluster::with_go()?;
        install.args(["install", HELM]).env("GOBIN", &folder).env("CGO_ENABLED", "0");
        run(&mut install)?;
    }
    Ok(helm)
}

/// A provider that does nothing, as a process of its own.
fn goplugin() -> Result<PathBuf> {
    let program = target_dir().join("goplugin");
    let mut build = cluster::with_go()?;
    build.current_dir(root().join("tests/bench/goplugin")).env("CGO_ENABLED", "0");
    run(build.args(["build", "-trimpath", "-o"]).arg(&program).arg("."))?;
    Ok(program)
}
