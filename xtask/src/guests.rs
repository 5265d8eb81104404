//! `cargo xtask guests`: every guest as a component in `target/guests/NAME.wasm`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use sheave_model::manifest::PluginManifest;
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
    let guests = guests_of(workspace)?;
    if guests.is_empty() {
        return Ok(());
    }
    let mut build = toolchain.build(workspace, &target_dir);
    run(build.args(guests.iter().flat_map(|guest| ["-p", &guest.name])))?;
    for Guest { name, folder: sources } in guests {
        let module = guest_target::modules(&target_dir).join(format!("{}.wasm", name.replace('-', "_")));
        let component = folder.join(format!("{name}.wasm"));
        let manifest = Some(sources.join("plugin.yaml")).filter(|path| path.exists());
        let current = is_newer(&component, &module)
            && manifest.as_ref().is_none_or(|manifest| is_newer(&component, manifest));
        if !current {
            encode(&module, manifest.as_deref(), &component)?;
        }
    }
    Ok(())
}

struct Guest {
    name: String,
    folder: PathBuf,
}

/// The packages of a workspace that are guests: those that build a `cdylib`.
fn guests_of(workspace: &Path) -> Result<Vec<Guest>> {
    let mut metadata = cargo();
    metadata.current_dir(workspace).args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&output(&mut metadata)?)?;
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let is_guest = |package: &Value| {
        list(package, "targets").iter().any(|target| list(target, "crate_types").contains(&"cdylib".into()))
    };
    let packages = list(&metadata, "packages");
    let guest = |package: &Value| {
        let folder = Path::new(package["manifest_path"].as_str()?).parent()?.to_owned();
        Some(Guest { name: package["name"].as_str()?.to_owned(), folder })
    };
    Ok(packages.iter().filter(|p| is_guest(p)).filter_map(guest).collect())
}

fn encode(module: &Path, manifest: Option<&Path>, component: &PathBuf) -> Result<()> {
    let bytes = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let mut encoded = ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|encoder| encoder.encode())
        .with_context(|| format!("{} does not become a component", module.display()))?;
    if let Some(path) = manifest {
        encoded.extend(section(path).with_context(|| format!("{} is no manifest", path.display()))?);
    }
    // Whole or not at all: tests may be reading the old one.
    let part = component.with_extension("part");
    fs::write(&part, &encoded)?;
    fs::rename(&part, component)?;
    say(format!("{} ({} KB)", component.display(), encoded.len() / 1000));
    Ok(())
}

/// A plugin's manifest as a section of its component. This task must build before the plugin host does, which can do this too.
fn section(manifest: &Path) -> Result<Vec<u8>> {
    let value: Value = serde_saphyr::from_str(&fs::read_to_string(manifest)?)?;
    Ok(PluginManifest::read(value.to_string().as_bytes())?.section()?)
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    time(file).zip(time(than)).is_some_and(|(file, than)| file >= than)
}
