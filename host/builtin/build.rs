//! Builds the built-in plugin's guest, makes it a component and compiles that ahead.

#[path = "../authoring/src/guest_target.rs"]
mod guest_target;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use guest_target::Toolchain;
use wit_component::ComponentEncoder;

/// The guest's package under `plugins/`.
const PACKAGE: &str = "kubernetes";

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let plugins = root.join("plugins");
    for source in ["Cargo.toml", "Cargo.lock", "sdk", PACKAGE] {
        println!("cargo::rerun-if-changed={}", plugins.join(source).display());
    }
    for source in ["wit", "host/authoring/src/guest_target.rs", "host/builtin/build.rs"] {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }

    // Build scripts install nothing; the task does.
    let Some(toolchain) = Toolchain::find() else {
        bail!("no toolchain for {}: run `cargo xtask build`, which sets one up", guest_target::TARGET);
    };
    // The folder that `cargo xtask guests` uses too: std is built once, and this finds its work done.
    let target_dir = plugins.join("target");
    let status =
        toolchain.build(&plugins, &target_dir).args(["--locked", "--quiet", "-p", PACKAGE]).status()?;
    if !status.success() {
        bail!("the guest `{PACKAGE}` does not build, with {}", toolchain.describe());
    }

    let module = guest_target::modules(&target_dir).join(format!("{PACKAGE}.wasm"));
    let module = fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
    let module = sheave_plugin_host::with_heap(PACKAGE, &module)?;
    let component = ComponentEncoder::default().validate(true).module(&module)?.encode()?;
    let manifest = plugins.join(PACKAGE).join("plugin.yaml");
    let manifest =
        fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let manifest = sheave_plugin_host::read_manifest(&manifest)?;
    let component = sheave_plugin_host::embed(&component, &manifest)?;
    let code = sheave_plugin_host::precompile(&component, &std::env::var("TARGET")?)?;

    let out = PathBuf::from(std::env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let name = |ending: &str| out.join(format!("{PACKAGE}.{ending}"));
    fs::write(name("sha256"), sheave_plugin_host::digest(&component))?;
    fs::write(name("manifest"), manifest.write()?)?;
    fs::write(name("wasm"), &component)?;
    fs::write(name("cwasm"), code)?;
    Ok(())
}
