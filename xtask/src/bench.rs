//! `cargo xtask bench`: how long a plan and an apply take, on the test cluster.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Result;

use crate::build::build;
use crate::cluster;
use crate::run::{root, run, say, target_dir};

/// How many ConfigMaps the measured blueprint has.
const OBJECTS: usize = 1000;

pub(crate) fn bench() -> Result<()> {
    build()?;
    cluster::up()?;
    let variables = cluster::variables()?;
    let folder = root().join("target/bench");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let mut blueprint =
        String::from("blueprint: bench\ntargets:\n  main: {kubernetes: {namespace: default}}\nresources:\n");
    writeln!(blueprint, "  map:\n    for-each: ${{range({OBJECTS})}}\n    type: kubernetes:ConfigMap")?;
    writeln!(blueprint, "    properties: {{data: {{index: \"${{string(each.key)}}\"}}}}")?;
    fs::write(folder.join("blueprint.yaml"), blueprint)?;
    let mut lines = Vec::new();
    for args in [&["plan"][..], &["apply", "--yes"], &["plan"], &["apply", "--yes"], &["destroy", "--yes"]] {
        let mut sheave = Command::new(target_dir().join("release/sheave"));
        sheave.current_dir(&folder).args(args).envs(variables.iter().cloned()).stdout(Stdio::null());
        let started = Instant::now();
        run(&mut sheave)?;
        lines.push(format!("{:>8} ms  sheave {}", started.elapsed().as_millis(), args.join(" ")));
    }
    say(format!("{OBJECTS} ConfigMaps:\n{}", lines.join("\n")));
    Ok(())
}
