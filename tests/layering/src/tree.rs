//! The repository's files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Folders that hold what was built, fetched or recorded, not what was written.
const NOT_WRITTEN: [&str; 5] = ["target", ".git", "node_modules", "snapshots", ".sheave"];

/// The repository's root.
pub fn root() -> &'static Path {
    // tests/layering stands two folders below it.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."))
}

/// The files under `folder` (relative to the root) whose names end with `end`, in order, as paths relative to the root.
pub fn files(folder: &str, end: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut |path| {
        if path.to_string_lossy().ends_with(end) {
            found.push(path.strip_prefix(root()).unwrap_or(path).to_owned());
        }
    })?;
    found.sort();
    Ok(found)
}

/// The text of a file, given relative to the root.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("reading {}", path.display()))
}

fn walk(folder: &Path, see: &mut dyn FnMut(&Path)) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if !NOT_WRITTEN.iter().any(|skipped| name == *skipped) {
                walk(&entry.path(), see)?;
            }
        } else if kind.is_file() {
            see(&entry.path());
        }
    }
    Ok(())
}
