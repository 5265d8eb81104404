//! C: zig, which brings a libc, or a clang that has one.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::component::encode;
use crate::fault::{self, Result};
use crate::project::Project;
use crate::{bindings, tool};

/// How to get a compiler.
const HOW: &str = "`pip install ziglang` is the quickest way to one, in a `.venv` of the plugin's folder or beside the \
    system's Python; zig on PATH does, and so does clang with lld, wasi-libc and compiler-rt for wasm32";

pub(super) fn build(project: &Project) -> Result<Vec<u8>> {
    let sdk = project.sdk()?;
    let bindings = project.out().join("bindings");
    bindings::c(&sdk, project.world(), &bindings)?;
    let module = project.out().join("module.wasm");
    let mut command = compiler(&project.folder).ok_or_else(|| fault::tool_missing("zig", HOW))?;
    command.current_dir(&project.folder);
    // Names of functions stay: a trap's backtrace shows them. The stack is not the 16 MiB that zig would make it.
    command.args([
        "-mexec-model=reactor",
        "-Os",
        "-g0",
        "-std=c11",
        "-Wall",
        "-Wextra",
        "-Wl,-z,stack-size=262144",
    ]);
    command.arg("-I").arg(&sdk).arg("-I").arg(&bindings).arg("-o").arg(&module);
    let world = format!("{}.c", project.world());
    command
        .args(["json.c", "sheave.c", "glue.c", &world].map(|file| sdk.join(file)))
        .arg(bindings.join("wit.c"));
    command.arg(bindings.join("wit_component_type.o"));
    command.args(sources(&project.folder)?);
    tool::run("the C compiler", &mut command)?;
    encode(&module, None)
}

fn compiler(folder: &Path) -> Option<Command> {
    let python = tool::find("python3", &[folder.join(".venv/bin"), folder.join(".venv/Scripts")]);
    if let Some(python) = python.filter(|p| tool::works(p, &["-m", "ziglang", "version"])) {
        let mut command = Command::new(python);
        command.args(["-m", "ziglang", "cc", "-target", "wasm32-wasi"]);
        return Some(command);
    }
    if let Some(zig) = tool::find("zig", &[]) {
        let mut command = Command::new(zig);
        command.args(["cc", "-target", "wasm32-wasi"]);
        return Some(command);
    }
    let clang = tool::find("clang", &[])?;
    tool::find("wasm-ld", &[])?;
    let mut command = Command::new(clang);
    command.arg("--target=wasm32-wasi");
    Some(command)
}

/// The plugin's own files.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|e| fault::files(folder, &e))?;
    let mut all: Vec<_> =
        entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "c")).collect();
    all.sort();
    Ok(all)
}
