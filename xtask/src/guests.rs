//! `cargo xtask guests`: every guest as a component in `target/guests/NAME.wasm`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use wit_component::ComponentEncoder;

use crate::guest_target::{self, Toolchain};
use crate::run::{cargo, output, root, run, say};
use crate::setup;

/// The workspaces that guests stand in.
const WORKSPACES: [&str; 2] = ["plugins", "tests/guests"];

/// Builds what is not up to date.
pub(crate) fn guests() -> Result<()> {
    let toolchain = setup::guest_toolchain()?;
    let folder = root().join("target/guests");
    fs::create_dir_all(&folder)?;
    for workspace in WORKSPACES.map(|w| root().join(w)) {
        if workspace.join("Cargo.toml").exists() {
            build_workspace(&toolchain, &workspace, &folder)?;
        }
    }
    Ok(())
}

fn build_workspace(toolchain: &Toolchain, workspace: &Path, folder: &Path) -> Result<()> {
    // One folder for both, so that std is built once.
    let target_dir = root().join("plugins/target");
    let names = names(workspace)?;
    if names.is_empty() {
        return Ok(());
    }
    let mut build = toolchain.build(workspace, &target_dir);
    run(build.args(names.iter().flat_map(|name| ["-p", name])))?;
    for name in names {
        let module = guest_target::modules(&target_dir).join(format!("{}.wasm", name.replace('-', "_")));
        let component = folder.join(format!("{name}.wasm"));
        if !is_newer(&component, &module) {
            encode(&module, &component)?;
        }
    }
    Ok(())
}

/// The packages of a workspace that are guests: those that build a `cdylib`.
fn names(workspace: &Path) -> Result<Vec<String>> {
    let mut metadata = cargo();
    metadata.current_dir(workspace).args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&output(&mut metadata)?)?;
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let is_guest = |package: &Value| {
        list(package, "targets").iter().any(|target| list(target, "crate_types").contains(&"cdylib".into()))
    };
    let packages = list(&metadata, "packages");
    Ok(packages.iter().filter(|p| is_guest(p)).filter_map(|p| Some(p["name"].as_str()?.to_owned())).collect())
}

fn encode(module: &Path, component: &PathBuf) -> Result<()> {
    let bytes = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|encoder| encoder.encode())
        .with_context(|| format!("{} does not become a component", module.display()))?;
    // Whole or not at all: tests may be reading the old one.
    let part = component.with_extension("part");
    fs::write(&part, &encoded)?;
    fs::rename(&part, component)?;
    say(format!("{} ({} KB)", component.display(), encoded.len() / 1000));
    Ok(())
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    time(file).zip(time(than)).is_some_and(|(file, than)| file >= than)
}
