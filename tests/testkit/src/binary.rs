//! The program that is tested, and the guests that it loads.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::{must, root};

/// Names the binary to test; whoever sets it has built it with the feature `failpoints`.
const VARIABLE: &str = "SHEAVE_BIN";

/// The `sheave` binary: the one that `SHEAVE_BIN` names, or one built now.
pub fn sheave() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os(VARIABLE) {
        Some(given) => root().join(given),
        None => build(),
    })
}

/// Cargo's own lock on its target folder makes test programs that build at once wait for each other.
fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(root())
        .args(["build", "-p", "sheave-cli", "--features", "failpoints", "--message-format", "json"])
        .stderr(Stdio::inherit());
    // What cargo sets for test programs is not for the build.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|n| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(&name);
        }
    }
    let built = must(command.output(), "cargo build");
    assert!(built.status.success(), "cargo build ended with {}", built.status);
    let messages = String::from_utf8_lossy(&built.stdout);
    let mut executable = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    executable.next_back().unwrap_or_else(|| panic!("cargo build says of no executable:\n{messages}"))
}

/// A guest's component: one that `cargo xtask guests` built, or one that `tests/guests/components/NAME.wat` writes out.
pub fn guest(name: &str) -> Vec<u8> {
    let text = root().join("tests/guests/components").join(format!("{name}.wat"));
    if text.is_file() {
        return must(wat::parse_file(&text), text.display());
    }
    let path = root().join("target/guests").join(format!("{name}.wasm"));
    must(std::fs::read(&path), format_args!("{} (`cargo xtask guests` builds it)", path.display()))
}
