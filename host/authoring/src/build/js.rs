//! JavaScript: componentize-qjs, with WASI stubbed out.

use std::fs;
use std::process::Command;

use crate::fault::{self, Result};
use crate::project::Project;
use crate::tool;

pub(super) fn build(project: &Project) -> Result<Vec<u8>> {
    let places = [project.folder.join("node_modules/.bin")];
    let program = tool::find("componentize-qjs", &places)
        .ok_or_else(|| fault::tool_missing("componentize-qjs", "in the plugin's folder: `npm install`"))?;
    let sdk = project.sdk()?;
    let component = project.out().join("component.wasm");
    let mut command = Command::new(program);
    command.current_dir(&project.folder).arg("--wit").arg(sdk.join("wit"));
    command.arg("--js").arg(project.folder.join(format!("sdk/{}.js", project.world())));
    command.arg("--module-root").arg(&project.folder);
    command.args(["--world", project.world(), "--stub-wasi", "--sync", "--output"]).arg(&component);
    tool::run("componentize-qjs", &mut command)?;
    fs::read(&component).map_err(|e| fault::files(&component, &e))
}
