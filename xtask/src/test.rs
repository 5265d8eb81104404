//! `cargo xtask test`: every test there is, those of the guests and those against a real control plane.

use anyhow::{Result, bail};

use crate::cluster::{self, Running};
use crate::guests::guests;
use crate::run::{cargo, root, run, say};

/// Runs them all, whatever fails, and passes `args` to the host's `cargo test`.
pub(crate) fn test(args: &[String]) -> Result<()> {
    guests()?;
    let _cluster = Running::for_now()?;
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
