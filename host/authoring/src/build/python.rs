//! Python: componentize-py, with WASI stubbed out.

use std::fs;
use std::process::Command;

use crate::fault::{self, Result};
use crate::project::Project;
use crate::tool;

/// How to get the tool.
const HOW: &str =
    "in the plugin's folder: `python3 -m venv .venv && .venv/bin/pip install -r requirements.txt`";

pub(super) fn build(project: &Project) -> Result<Vec<u8>> {
    let places = [project.folder.join(".venv/bin"), project.folder.join(".venv/Scripts")];
    let program =
        tool::find("componentize-py", &places).ok_or_else(|| fault::tool_missing("componentize-py", HOW))?;
    let sdk = project.sdk()?;
    let component = project.out().join("component.wasm");
    let mut command = Command::new(program);
    command.current_dir(&project.folder).arg("--wit-path").arg(sdk.join("wit"));
    command.args(["--world", project.world(), "--quiet", "componentize", "--stub-wasi"]);
    command.arg("--python-path").arg(&project.folder).arg("--python-path").arg(&sdk);
    command.arg("--output").arg(&component).arg(format!("sheave_entry_{}", project.world()));
    tool::run("componentize-py", &mut command)?;
    fs::read(&component).map_err(|e| fault::files(&component, &e))
}
