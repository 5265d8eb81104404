//! `cargo xtask soak`: many random stacks, each through a random life, against a real control plane.

use anyhow::Result;

use crate::cluster::{self, Running};
use crate::guests::guests;
use crate::run::{cargo, run, say};

/// Lives so many of them, or the one that a seed names; the seed of each is printed.
pub(crate) fn soak(runs: u32, seed: Option<u64>) -> Result<()> {
    guests()?;
    if runs == 0 && seed.is_none() {
        return Ok(());
    }
    let _cluster = Running::for_now()?;
    let mut tests = cargo();
    tests.envs(cluster::variables()?).env("SHEAVE_RANDOM_RUNS", runs.to_string());
    match seed {
        Some(seed) => {
            say(format!("the random run of seed {seed}"));
            tests.env("SHEAVE_RANDOM_SEED", seed.to_string());
        }
        None => {
            say(format!("{runs} random runs"));
            tests.env_remove("SHEAVE_RANDOM_SEED");
        }
    }
    // The workspace as a whole: one package alone would have its libraries built once more, with other features.
    run(tests.args(["test", "--workspace", "--test", "random", "--", "--nocapture"]))
}
