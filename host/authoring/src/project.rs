//! A plugin's folder, as `plugin.yaml` describes it.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use sheave_model::plugin::Role;

use crate::embedded;
use crate::fault::{self, Result};
use crate::language::Language;

/// The file that makes a folder a plugin's.
pub(crate) const FILE: &str = "plugin.yaml";

/// The largest `plugin.yaml`: a manifest has 64 KiB at most.
const MOST_BYTES: u64 = 128 << 10;

/// A plugin's folder.
#[derive(Clone, Debug)]
pub struct Project {
    /// Where it is.
    pub folder: PathBuf,
    /// The plugin's name.
    pub name: String,
    /// What it is written in.
    pub language: Language,
    /// What its types do.
    pub role: Role,
    /// What the component says of itself.
    pub(crate) manifest: Value,
}

/// The part of `plugin.yaml` that is for building, and not for the component.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Build {
    language: Language,
    role: Role,
}

impl Project {
    /// Reads a folder's `plugin.yaml`.
    ///
    /// # Errors
    /// A diagnostic where there is none, or where it says nothing useful.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let file = fs::File::open(&path).map_err(|_| fault::no_project(folder))?;
        let mut text = String::new();
        file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|e| fault::files(&path, &e))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(fault::bad_project(format!("it has more than {MOST_BYTES} bytes")));
        }
        let mut manifest: Value =
            serde_saphyr::from_str(&text).map_err(|e| fault::bad_project(e.to_string()))?;
        let build = manifest.as_object_mut().and_then(|m| m.remove("build"));
        let build: Build = serde_json::from_value(build.unwrap_or_default()).map_err(|e| {
            fault::bad_project(format!("`build`: {e}; it is `{{language: go, role: emits}}`"))
        })?;
        let name = manifest["name"].as_str().unwrap_or_default().to_owned();
        if !is_name(&name) {
            return Err(fault::bad_project(NAMES));
        }
        let folder = fs::canonicalize(folder).map_err(|e| fault::files(folder, &e))?;
        Ok(Self { folder, name, language: build.language, role: build.role, manifest })
    }

    /// Where builds leave what they make.
    pub(crate) fn out(&self) -> PathBuf {
        self.folder.join("build")
    }

    /// The component.
    pub fn component(&self) -> PathBuf {
        self.out().join(format!("{}.wasm", self.name))
    }

    /// The world of its role.
    pub(crate) fn world(&self) -> &'static str {
        match self.role {
            Role::Emits => "emitter",
            Role::Provides => "provider",
        }
    }

    /// The SDK's folder; written where it is not there.
    pub(crate) fn sdk(&self) -> Result<PathBuf> {
        let sdk = self.folder.join("sdk");
        if !sdk.join("wit/plugin.wit").exists() {
            write_sdk(&sdk, self.language)?;
        }
        Ok(sdk)
    }
}

/// Writes the SDK of a language, and the interface that it is for.
pub(crate) fn write_sdk(folder: &Path, language: Language) -> Result<()> {
    for (name, bytes) in embedded::beneath(&format!("sdk/{}", language.word())) {
        if name == "src/bindings.rs" {
            // In the repository the interface stands elsewhere.
            let text = String::from_utf8_lossy(bytes).replace("\"../../wit\"", "\"wit\"");
            embedded::write(&folder.join(name), text.as_bytes())?;
        } else {
            embedded::write(&folder.join(name), bytes)?;
        }
    }
    for (name, bytes) in embedded::beneath("wit") {
        embedded::write(&folder.join("wit").join(name), bytes)?;
    }
    Ok(())
}

/// What a plugin's name may be.
pub(crate) const NAMES: &str =
    "`name` is a lower-case letter, then letters, digits and single `-`; at most 40 characters";

/// A name that is one for every language's tools, too.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !name.ends_with('-')
        && !name.contains("--")
}
