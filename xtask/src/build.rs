//! `cargo xtask build`: everything, down to `target/release/sheave`.

use anyhow::Result;

use crate::guests::guests;
use crate::run::{cargo, run, say, target_dir};

pub(crate) fn build() -> Result<()> {
    release(&["sheave-cli"])?;
    say(format!("done: {}", target_dir().join("release/sheave").display()));
    Ok(())
}

/// The guests, and these packages as they are released.
pub(crate) fn release(packages: &[&str]) -> Result<()> {
    guests()?;
    say("building the host (the first time takes some minutes)");
    run(cargo().args(["build", "--release"]).args(packages.iter().flat_map(|name| ["--package", name])))
}
