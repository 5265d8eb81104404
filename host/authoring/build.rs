//! Puts what a new project is made of into the program: the SDKs, the interface, the examples that are the templates.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where something stands in the repository, and where among the embedded files.
const TAKEN: [(&str, &str); 8] = [
    ("wit", "wit"),
    ("plugins/sdk", "sdk/rust"),
    ("sdk/go", "sdk/go"),
    ("sdk/python", "sdk/python"),
    ("sdk/js", "sdk/js"),
    ("sdk/c", "sdk/c"),
    ("examples/plugins", "examples"),
    ("host/authoring/templates", "templates"),
];

/// What builds leave behind.
const LEFT: [&str; 7] =
    ["target", "build", "node_modules", "__pycache__", ".venv", "package-lock.json", "tests"];

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let mut list = String::from("&[\n");
    for (from, to) in TAKEN {
        let mut found = Vec::new();
        walk(&root.join(from), to, &mut found)?;
        found.sort();
        for (name, path) in found {
            println!("cargo::rerun-if-changed={}", path.display());
            let path = match name.as_str() {
                "sdk/rust/Cargo.toml" => {
                    let alone = out.join("sdk-Cargo.toml");
                    fs::write(&alone, standing_alone(&path, &root.join("plugins/Cargo.toml"))?)?;
                    println!("cargo::rerun-if-changed={}", root.join("plugins/Cargo.toml").display());
                    alone
                }
                _ => path,
            };
            writeln!(list, "    ({name:?}, include_bytes!({:?})),", path.display().to_string())?;
        }
    }
    list.push(']');
    fs::write(out.join("embedded.rs"), list)?;
    Ok(())
}

fn walk(folder: &Path, name: &str, found: &mut Vec<(String, PathBuf)>) -> Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let file = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let generated = file.starts_with("sheave_plugin_") || file.starts_with("wit_exports_");
        // An example's copy of the SDK is the SDK.
        let copy = name.starts_with("examples/") && file == "sdk";
        if LEFT.contains(&file.as_str()) || generated || copy {
            continue;
        }
        let name = format!("{name}/{file}");
        if path.is_dir() {
            walk(&path, &name, found)?;
        } else {
            found.push((name, path));
        }
    }
    Ok(())
}

/// A package's manifest without what it has from its workspace.
fn standing_alone(package: &Path, workspace: &Path) -> Result<String> {
    let (package, workspace) = (fs::read_to_string(package)?, fs::read_to_string(workspace)?);
    let mut alone = String::new();
    let mut lints = false;
    for line in package.lines() {
        if line.starts_with('[') {
            lints = line == "[lints]";
        }
        if lints {
            continue;
        }
        match line.strip_suffix(".workspace = true") {
            Some(key) => {
                let start = format!("{key} = ");
                let found = workspace.lines().find(|l| l.starts_with(&start));
                writeln!(alone, "{}", found.with_context(|| format!("the workspace has no `{key}`"))?)?;
            }
            None => writeln!(alone, "{line}")?,
        }
    }
    Ok(alone)
}
