//! `cargo xtask test`: every test there is, those of the guests and those against a real control plane.

use anyhow::{Result, bail};

use crate::guests::guests;
use crate::run::{cargo, root, run, say};
use crate::{cluster, run};

/// Runs them all, whatever fails, and passes `args` to the host's `cargo test`.
pub(crate) fn test(args: &[String]) -> Result<()> {
    guests()?;
    let _cluster = Cluster::for_this_run()?;
    let mut failed = Vec::new();
    let mut part = |name: &str, command: &mut std::process::Command| {
        say(format!("testing {name}"));
        if let Err(why) = run(command) {
            say(format!("{why:#}"));
            failed.push(name.to_owned());
        }
    };
    let mut guests = cargo();
    // Guests keep their own folder: natively built, they share nothing with the host.
    guests.current_dir(root().join("plugins")).env_remove("CARGO_TARGET_DIR");
    part("the guests", guests.args(["test", "--workspace", "--no-fail-fast"]));
    let mut host = cargo();
    host.envs(cluster::variables()?);
    part("the host", host.args(["test", "--workspace", "--no-fail-fast"]).args(args));
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(" and "));
    }
    Ok(())
}

/// A control plane that ends with the run, if the run started it.
struct Cluster {
    ours: bool,
}

impl Cluster {
    fn for_this_run() -> Result<Self> {
        let ours = !cluster::runs();
        // From here on, also when starting fails halfway.
        let cluster = Self { ours };
        cluster::up()?;
        Ok(cluster)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.ours
            && let Err(why) = cluster::down()
        {
            run::say(format!("the test cluster is still there: {why:#}"));
        }
    }
}
