//! `cargo xtask build`: everything, down to `target/release/sheave`.

use anyhow::Result;

use crate::guests::guests;
use crate::run::{cargo, run, say, target_dir};

pub(crate) fn build() -> Result<()> {
    guests()?;
    run(cargo().args(["build", "--release", "--package", "sheave-cli"]))?;
    say(format!("done: {}", target_dir().join("release/sheave").display()));
    Ok(())
}
