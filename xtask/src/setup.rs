//! Gets the guests' target onto this machine, each step checked and said.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::guest_target::{TARGET, Toolchain};
use crate::run::{exists, output, run, run_within, say};

/// Debian's compiler, its cargo, and the sources of std in the same version.
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// Where rustup cannot reach its server it hangs rather than fails.
const RUSTUP_LIMIT: Duration = Duration::from_secs(60);

/// The toolchain for guests, installed if need be.
pub(crate) fn guest_toolchain() -> Result<Toolchain> {
    if let Some(found) = Toolchain::find() {
        say(format!("guests: {}", found.describe()));
        return Ok(found);
    }
    say(format!("guests need the target {TARGET}, which this machine lacks"));
    let on_debian = Path::new("/etc/debian_version").exists() && is_root();
    let steps: &[fn() -> Result<()>] = if on_debian { &[by_apt, by_rustup] } else { &[by_rustup] };
    for step in steps {
        if let Err(why) = step() {
            say(format!("that did not work: {why:#}"));
        } else if let Some(found) = Toolchain::find() {
            say(format!("guests: {}", found.describe()));
            return Ok(found);
        } else {
            say("that was not enough");
        }
    }
    bail!(
        "no toolchain for {TARGET}: run `rustup target add {TARGET}`, or on Debian, as root, `apt-get install {}`",
        DEBIAN_PACKAGES.join(" ")
    )
}

fn by_apt() -> Result<()> {
    say(format!("installing Debian's {}", DEBIAN_PACKAGES.join(", ")));
    apt_install(&DEBIAN_PACKAGES)
}

/// Installs Debian packages; only for root.
pub(crate) fn apt_install(packages: &[&str]) -> Result<()> {
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").arg("-q");
        apt
    };
    run(apt().arg("update"))?;
    run(apt().args(["install", "-y", "--no-install-recommends"]).args(packages))
}

fn by_rustup() -> Result<()> {
    say(format!("rustup target add {TARGET} (at most {} s)", RUSTUP_LIMIT.as_secs()));
    run_within(Command::new("rustup").args(["target", "add", TARGET]), RUSTUP_LIMIT)
}

/// Whether packages may be installed without asking anybody.
pub(crate) fn is_root() -> bool {
    exists("id", "-u") && output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
