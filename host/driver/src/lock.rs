//! `sheave.lock`, beside the blueprint: which plugins it was written for, to the byte, and what they asked for when
//! somebody took them in. JSON, since asks read there as they do in a plugin's manifest, and a line changes where a thing does.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sheave_model::asked::difference;
use sheave_model::manifest::Asks;
use sheave_model::{Diagnostic, Severity};
use sheave_plugin_host::Plugin;

use crate::load::read_limited;
use crate::plugins::PluginSet;

/// The file's name, in the blueprint's folder.
pub const LOCK_FILE: &str = "sheave.lock";

/// The version of the file's form.
const FORMAT: u32 = 1;

/// Digits of a schema's digest that are kept: enough to see that it changed.
const SCHEMA_DIGEST: usize = 16;

/// The plugins of the blueprints in one folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockFile {
    version: u32,
    /// By the name in the blueprint.
    pub plugins: BTreeMap<String, LockedPlugin>,
}

/// One plugin as it was taken in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPlugin {
    /// Where it came from, as the blueprint says it.
    pub source: String,
    /// SHA-256 of the component, lower-case hex.
    pub digest: String,
    /// The version that it says it has; none: it has no manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who signed it; none: nobody.
    pub signer: Option<String>,
    /// What it asked for when it was taken in.
    pub asks: Asks,
    /// Its types, each with the beginning of its schema's digest.
    pub types: BTreeMap<String, String>,
}

impl Default for LockFile {
    fn default() -> Self {
        Self { version: FORMAT, plugins: BTreeMap::new() }
    }
}

impl LockFile {
    /// The file of a folder; an empty one where there is none.
    pub(crate) fn read(folder: &Path) -> Result<Self, Diagnostic> {
        let path = folder.join(LOCK_FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let unreadable = |why: String| {
            Diagnostic::error("plugin.lock-unreadable", format!("`{}` cannot be read: {why}", path.display()))
                .with_help("take it from version control again; `sheave plugin update` writes a new one where it is gone")
        };
        let bytes = read_limited(&path).map_err(unreadable)?;
        let lock: Self = serde_json::from_slice(&bytes).map_err(|e| unreadable(e.to_string()))?;
        if lock.version != FORMAT {
            return Err(unreadable(format!("it has version {}, this release reads {FORMAT}", lock.version)));
        }
        Ok(lock)
    }

    /// Writes it, whole or not at all. The same content is the same bytes.
    pub(crate) fn write(&self, folder: &Path) -> Result<PathBuf, String> {
        let path = folder.join(LOCK_FILE);
        let mut text = serde_json::to_string_pretty(self).map_err(|e| e.to_string())?;
        text.push('\n');
        let part = folder.join(format!(".{LOCK_FILE}.{}", std::process::id()));
        let written = std::fs::File::create(&part)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&part, &path));
        written.map_err(|e| {
            let _ = std::fs::remove_file(&part);
            e.to_string()
        })?;
        Ok(path)
    }
}

/// What a plugin that is about to be used is to its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the one.
    Same,
    /// There is none yet, or the same bytes come from elsewhere now: to be written.
    New,
}

/// A plugin as it would be taken in now, without its types.
pub(crate) fn found(source: &str, plugin: &Plugin) -> LockedPlugin {
    LockedPlugin {
        source: source.to_owned(),
        digest: plugin.digest().to_owned(),
        version: plugin.manifest().map(|m| m.version.to_string()),
        signer: None,
        asks: plugin.manifest().map(|m| m.asks.clone()).unwrap_or_default(),
        types: BTreeMap::new(),
    }
}

/// Each type with the beginning of its schema's digest.
pub(crate) async fn types_of(plugin: &Plugin) -> Result<BTreeMap<String, String>, Diagnostic> {
    let mut types = BTreeMap::new();
    for info in plugin.describe().await.map_err(|e| e.diagnostic())? {
        let schema = plugin.schema(&info.name).await.map_err(|e| e.diagnostic())?;
        let mut digest = sheave_plugin_host::digest(schema.as_bytes());
        digest.truncate(SCHEMA_DIGEST);
        types.insert(info.name, digest);
    }
    Ok(types)
}

/// Whether a plugin may be used. `locked`: only one that stands in the file as it is.
pub(crate) fn check(
    name: &str,
    now: &LockedPlugin,
    entry: Option<&LockedPlugin>,
    locked: bool,
) -> Result<Standing, Diagnostic> {
    let Some(entry) = entry else {
        if !locked {
            return Ok(Standing::New);
        }
        let summary = format!("the plugin `{name}` does not stand in {LOCK_FILE}");
        return Err(Diagnostic::error("plugin.not-locked", summary).with_help(format!(
            "run `sheave plugin update {name}` without `--locked`, and commit the file"
        )));
    };
    if entry.digest == now.digest {
        if entry.source == now.source {
            return Ok(Standing::Same);
        }
        if !locked {
            return Ok(Standing::New);
        }
        let summary = format!(
            "the plugin `{name}` is to come from `{}`, and {LOCK_FILE} has it from `{}`",
            now.source, entry.source
        );
        return Err(Diagnostic::error("plugin.not-locked", summary)
            .with_help("plan once without `--locked`, and commit the file"));
    }
    let wider = difference(&entry.asks, &now.asks).widened;
    let versions = match (&entry.version, &now.version) {
        (Some(old), Some(new)) if old != new => format!(" ({old} became {new})"),
        _ => String::new(),
    };
    if wider.is_empty() {
        let summary = format!("the plugin `{name}` is not the one that {LOCK_FILE} has{versions}");
        let detail = format!("locked: {}\nfound:  {}", entry.digest, now.digest);
        return Err(Diagnostic::error("plugin.changed", summary)
            .with_detail(detail)
            .with_help(format!("where that is meant, run `sheave plugin update {name}`")));
    }
    let summary = format!("the plugin `{name}` asks for more than it did when it was taken in{versions}");
    let detail: Vec<String> = wider.iter().map(|more| format!("+ {more}")).collect();
    Err(Diagnostic::error("plugin.asks-more", summary).with_detail(detail.join("\n")).with_help(format!(
        "`sheave plugin inspect {name}` says why; `sheave plugin update {name} --accept` takes it in"
    )))
}

/// Writes plugins that are used for the first time into the lock file, and says so.
pub(crate) async fn take_in(
    folder: &str,
    plugins: &PluginSet,
    new: BTreeMap<String, LockedPlugin>,
) -> Vec<Diagnostic> {
    if new.is_empty() {
        return Vec::new();
    }
    let mut said = Vec::new();
    let result = async {
        let mut file = LockFile::read(Path::new(folder))?;
        for (name, mut entry) in new {
            if let Some(bound) = plugins.bound.get(&name) {
                entry.types = types_of(&bound.plugin).await?;
            }
            let version = entry.version.as_ref().map_or_else(String::new, |v| format!(" {v}"));
            said.push(format!("the plugin `{name}`{version} stands in {LOCK_FILE} from now on"));
            file.plugins.insert(name, entry);
        }
        file.write(Path::new(folder)).map(|_| ()).map_err(|why| {
            let summary = format!("{LOCK_FILE} cannot be written: {why}");
            Diagnostic::warning("plugin.lock-unwritable", summary)
        })
    };
    match result.await {
        Ok(()) => said
            .into_iter()
            .map(|summary| {
                let help = "commit the file: with `--locked` nothing else is used";
                let note = Diagnostic::warning("plugin.taken-in", summary).with_help(help);
                Diagnostic { severity: Severity::Note, ..note }
            })
            .collect(),
        Err(fault) => {
            let help = "until it is, another component in its place goes unnoticed";
            vec![Diagnostic { severity: Severity::Warning, ..fault.with_help(help) }]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(digest: &str, asks: &str) -> LockedPlugin {
        LockedPlugin {
            source: "./x.wasm".into(),
            digest: digest.into(),
            version: Some("1.0.0".into()),
            signer: None,
            asks: serde_json::from_str(asks).unwrap(),
            types: BTreeMap::new(),
        }
    }

    const READ: &str = r#"{"filesystem": [{"access": "read", "why": "w"}]}"#;
    const WRITE: &str = r#"{"filesystem": [{"access": "write", "why": "w"}]}"#;

    #[test]
    fn who_may_be_used() {
        let elsewhere = LockedPlugin { source: "./y.wasm".into(), ..plugin("a", READ) };
        for (now, entry, locked, outcome) in [
            (plugin("a", READ), None, false, "new"),
            (plugin("a", READ), None, true, "plugin.not-locked"),
            (plugin("a", READ), Some(plugin("a", READ)), true, "same"),
            (elsewhere.clone(), Some(plugin("a", READ)), false, "new"),
            (elsewhere, Some(plugin("a", READ)), true, "plugin.not-locked"),
            (plugin("b", READ), Some(plugin("a", READ)), false, "plugin.changed"),
            (plugin("b", READ), Some(plugin("a", WRITE)), true, "plugin.changed"),
            (plugin("b", WRITE), Some(plugin("a", READ)), false, "plugin.asks-more"),
        ] {
            let found = check("x", &now, entry.as_ref(), locked);
            let said = match &found {
                Ok(Standing::Same) => "same",
                Ok(Standing::New) => "new",
                Err(fault) => fault.code.as_str(),
            };
            assert_eq!(said, outcome, "{now:?} {entry:?}");
        }
    }

    #[test]
    fn a_file_is_read_as_it_was_written_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(LockFile::read(folder.path()).unwrap(), LockFile::default());
        let lock = LockFile { plugins: [("x".to_owned(), plugin("a", WRITE))].into(), ..LockFile::default() };
        let path = lock.write(folder.path()).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(LockFile::read(folder.path()).unwrap(), lock);
        lock.write(folder.path()).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        for wrong in
            ["", "{}", r#"{"version": 2, "plugins": {}}"#, r#"{"version": 1, "plugins": {}, "x": 1}"#]
        {
            std::fs::write(&path, wrong).unwrap();
            assert_eq!(LockFile::read(folder.path()).unwrap_err().code, "plugin.lock-unreadable", "{wrong}");
        }
    }
}
