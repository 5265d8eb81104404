//! Rust: cargo, for `wasm32-unknown-unknown`, whose std may have to be built along.

use std::path::PathBuf;

use crate::component::encode;
use crate::fault::{self, Result};
use crate::guest_target::{self, TARGET, Toolchain};
use crate::project::Project;
use crate::tool;

/// How to get the target.
const HOW: &str = "`rustup target add wasm32-unknown-unknown`; where rustup cannot reach its server, on Debian, as root: \
    `apt-get install rustc-web cargo-web rust-web-src`";

pub(super) fn build(project: &Project) -> Result<Vec<u8>> {
    tool::find("cargo", &[])
        .ok_or_else(|| fault::tool_missing("cargo", "install Rust 1.95 or later by rustup"))?;
    let toolchain = Toolchain::find().ok_or_else(|| fault::tool_missing(TARGET, HOW))?;
    project.sdk()?;
    // Where cargo itself would build: several plugins may share what they depend on.
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| project.folder.join("target"), |given| project.folder.join(PathBuf::from(given)));
    let mut command = toolchain.build(&project.folder, &target);
    // Cargo would take that of a folder above where this one has none.
    command.arg("--manifest-path").arg(project.folder.join("Cargo.toml"));
    tool::run("cargo build", &mut command)?;
    let module = guest_target::modules(&target).join(format!("{}.wasm", project.name.replace('-', "_")));
    encode(&module, None)
}
