//! The workspace's packages and what they depend on, as cargo sees it.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::tree::root;

/// What a dependency is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Linked into the crate.
    Normal,
    /// Linked into its build script.
    Build,
    /// Linked into its tests.
    Dev,
}

/// One package of the workspace.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder, relative to the root, such as `host/model`.
    pub folder: String,
    /// What its manifest names.
    pub dependencies: Vec<(Kind, String)>,
}

impl Package {
    /// The names of its dependencies of these kinds.
    pub fn uses<'a>(&'a self, kinds: &'a [Kind]) -> impl Iterator<Item = &'a str> {
        self.dependencies.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, name)| name.as_str())
    }
}

/// The workspace's packages.
pub fn workspace() -> Result<Vec<Package>> {
    let json = cargo(&["metadata", "--no-deps", "--format-version", "1"])?;
    let json: Value = serde_json::from_str(&json)?;
    let packages = json["packages"].as_array().context("cargo metadata lists no packages")?;
    packages.iter().map(package).collect()
}

fn package(json: &Value) -> Result<Package> {
    let text =
        |node: &Value| node.as_str().map(str::to_owned).context("a text was expected in cargo's metadata");
    let manifest = text(&json["manifest_path"])?;
    let folder = manifest.strip_suffix("/Cargo.toml").unwrap_or(&manifest);
    let root = root().to_string_lossy();
    let folder = folder.strip_prefix(&*root).unwrap_or(folder).trim_start_matches('/');
    let dependencies = json["dependencies"].as_array().context("a package without a list of dependencies")?;
    let dependency = |node: &Value| -> Result<(Kind, String)> {
        let kind = match node["kind"].as_str() {
            None => Kind::Normal,
            Some("build") => Kind::Build,
            Some(_) => Kind::Dev,
        };
        Ok((kind, text(&node["name"])?))
    };
    Ok(Package {
        name: text(&json["name"])?,
        folder: folder.to_owned(),
        dependencies: dependencies.iter().map(dependency).collect::<Result<_>>()?,
    })
}

/// The names of all crates that are linked into `package`, itself among them, with the features that it asks for.
pub fn linked(package: &str) -> Result<BTreeSet<String>> {
    let tree =
        cargo(&["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"])?;
    Ok(tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

/// Asks cargo, which must neither go to the network nor change the lock file.
fn cargo(arguments: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let done =
        Command::new(cargo).current_dir(root()).args(arguments).args(["--offline", "--locked"]).output()?;
    ensure!(done.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8(done.stdout)?)
}
