//! `cargo xtask demo`: the first example, carried out on the test cluster and left there to look at.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::build::build;
use crate::cluster;
use crate::run::{root, run, say, target_dir};

/// The example's folder.
const EXAMPLE: &str = "examples/first";

pub(crate) fn demo() -> Result<()> {
    build()?;
    cluster::up()?;
    let variables = cluster::variables()?;
    // The one folder that the example grants to a plugin.
    fs::create_dir_all(root().join(EXAMPLE).join("out"))?;
    let sheave = target_dir().join("release/sheave");
    for args in [&["apply", "--yes"][..], &["plan"], &["status"], &["outputs"]] {
        say(format!("sheave {}", args.join(" ")));
        let mut command = Command::new(&sheave);
        command.current_dir(root().join(EXAMPLE)).args(args).envs(variables.iter().cloned());
        run(&mut command)?;
    }
    say("to look around:  eval \"$(cargo xtask cluster env)\" && kubectl get all,secret -n sheave-first");
    say(format!("the file outside the cluster:  {EXAMPLE}/out/web.txt"));
    say(format!(
        "to clean up:  (cd {EXAMPLE} && {} destroy --yes) && cargo xtask cluster down",
        sheave.display()
    ));
    Ok(())
}
