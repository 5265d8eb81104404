//! Go: its own compiler, and bindings of ours.

use std::process::Command;

use crate::component::encode;
use crate::fault::{self, Result};
use crate::project::Project;
use crate::{bindings, tool};

pub(super) fn build(project: &Project) -> Result<Vec<u8>> {
    let go = tool::find("go", &[]).ok_or_else(|| {
        fault::tool_missing("go", "install Go 1.24 or later from its own site or your system's packages")
    })?;
    let sdk = project.sdk()?;
    bindings::go(&sdk)?;
    let module = project.out().join("module.wasm");
    // Names of functions stay: a trap's backtrace shows them.
    let mut command = Command::new(go);
    command.current_dir(&project.folder).env("GOOS", "wasip1").env("GOARCH", "wasm");
    command.args(["build", "-buildmode=c-shared", "-trimpath", "-ldflags=-w", "-o"]).arg(&module).arg(".");
    tool::run("go build", &mut command)?;
    encode(&module, Some((&sdk.join("wit"), project.world())))
}
