//! `cargo xtask test`: every test there is, those of the guests and those against a real control plane.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cluster::{self, Running};
use crate::docs::docs;
use crate::guests::guests;
use crate::run::{cargo, exists, root, run, say};
use crate::setup::{apt_install, is_root};

/// Runs them all, whatever fails, and passes `args` to the host's `cargo test`.
pub(crate) fn test(args: &[String]) -> Result<()> {
    guests()?;
    npm()?;
    servers()?;
    let mut failed = Vec::new();
    say("testing that the pages of types are current");
    if let Err(why) = docs(true) {
        say(format!("{why:#}"));
        failed.push("the pages of types".to_owned());
    }
    let _cluster = Running::for_now()?;
    let mut part = |name: &str, command: &mut Command| {
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

/// The language server that editors run comes by npm.
fn npm() -> Result<()> {
    if exists("npm", "--version") {
        return Ok(());
    }
    if !is_root() || !Path::new("/etc/debian_version").exists() {
        bail!("no npm, by which a test gets yaml-language-server: install Node.js 20 or later");
    }
    say("installing Debian's nodejs and npm");
    apt_install(&["nodejs", "npm"]).context("Debian's nodejs and npm")
}

/// Servers that others wrote, what makes certificates for them, and another tool for registries: plugins that speak HTTP, and plugins
/// in registries, are tested on them. Debian's packages bring the programs; tests start their own, on loopback.
const SERVERS: [(&str, &str, &str); 5] = [
    ("/usr/sbin/nginx", "-v", "nginx-light"),
    ("/usr/bin/docker-registry", "--version", "docker-registry"),
    ("/usr/bin/openssl", "version", "openssl"),
    ("/usr/bin/tinyproxy", "-v", "tinyproxy-bin"),
    ("/usr/bin/skopeo", "--version", "skopeo"),
];

fn servers() -> Result<()> {
    let lacking = SERVERS.iter().filter(|(program, version, _)| !exists(program, version));
    let packages: Vec<&str> = lacking.map(|(_, _, package)| *package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    if !is_root() || !Path::new("/etc/debian_version").exists() {
        bail!("tests need servers that this machine lacks: {}", packages.join(", "));
    }
    say(format!("installing Debian's {}", packages.join(", ")));
    apt_install(&packages).context("Debian's servers")
}
