//! `cargo xtask build`: everything, down to `target/dist/sheave`.

use std::path::PathBuf;

use anyhow::Result;

use crate::guests::guests;
use crate::run::{cargo, run, say, target_dir};

/// A profile of Cargo.toml.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    /// What is to run soon.
    Release,
    /// What is given out, and measured: it runs quicker, and takes longer to build.
    Dist,
}

pub(crate) fn build() -> Result<()> {
    let folder = programs(Profile::Dist, &["sheave-cli"])?;
    say(format!("done: {}", folder.join("sheave").display()));
    Ok(())
}

/// Builds the guests and these packages' programs; the folder that the programs are in.
pub(crate) fn programs(profile: Profile, packages: &[&str]) -> Result<PathBuf> {
    guests()?;
    say("building the host (the first time takes many minutes)");
    let profile = match profile {
        Profile::Release => "release",
        Profile::Dist => "dist",
    };
    let packages = packages.iter().flat_map(|name| ["--package", name]);
    run(cargo().args(["build", "--profile", profile]).args(packages))?;
    Ok(target_dir().join(profile))
}
