//! `cargo xtask demo`: the first example, carried out on the test cluster.

use std::process::Command;

use anyhow::Result;

use crate::build::build;
use crate::cluster;
use crate::run::{root, run, say, target_dir};

/// The blueprint that is shown.
const EXAMPLE: &str = "examples/first/blueprint.yaml";

pub(crate) fn demo() -> Result<()> {
    build()?;
    cluster::up()?;
    let variables = cluster::variables()?;
    for args in
        [&["plan"][..], &["apply", "--yes"], &["plan"], &["status"], &["outputs"], &["destroy", "--yes"]]
    {
        say(format!("sheave {} -f {EXAMPLE}", args.join(" ")));
        let mut sheave = Command::new(target_dir().join("release/sheave"));
        sheave.current_dir(root()).args(args).args(["-f", EXAMPLE]).envs(variables.iter().cloned());
        run(&mut sheave)?;
    }
    say("the test cluster is still up: `cargo xtask cluster down` ends it");
    Ok(())
}
