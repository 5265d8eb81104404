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
use sheave_registry::Digest;

use crate::load::read_limited;
use crate::plugins::PluginSet;
use crate::supply::Supplied;

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
    /// The digest of its manifest in the registry that it came from; none of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// The fingerprint of the key that signed it; none: nobody had to.
    pub signer: Option<Digest>,
    /// What it asked for when it was taken in.
    pub asks: Asks,
    /// Its types, each with the beginning of its schema's digest.
    pub types: BTreeMap<String, String>,
}

impl LockedPlugin {
    /// It, in place of `entry`: of the same bytes it stays known who signed them, where nobody looked now.
    pub(crate) fn after(mut self, entry: Option<&Self>) -> Self {
        if let Some(entry) = entry.filter(|e| e.digest == self.digest) {
            self.signer = self.signer.or_else(|| entry.signer.clone());
        }
        self
    }

    fn version(&self) -> Option<semver::Version> {
        self.version.as_ref().and_then(|v| v.parse().ok())
    }
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
pub(crate) fn found(source: &str, plugin: &Plugin, supplied: &Supplied) -> LockedPlugin {
    LockedPlugin {
        source: source.to_owned(),
        digest: plugin.digest().to_owned(),
        version: plugin.manifest().map(|m| m.version.to_string()),
        manifest: supplied.manifest.clone(),
        signer: supplied.signer.as_ref().map(|s| s.fingerprint.clone()),
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
        if let (Some(old), Some(new)) = (&entry.signer, &now.signer)
            && old != new
        {
            return Err(signer_changed(name, old, Some(new)));
        }
        let as_it_is = entry.source == now.source && (entry.signer.is_some() || now.signer.is_none());
        if as_it_is || (locked && entry.source == now.source) {
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
    if let Some(doubt) = doubts(name, entry, now).into_iter().next() {
        return Err(doubt);
    }
    let summary = format!("the plugin `{name}` is not the one that {LOCK_FILE} has{}", versions(entry, now));
    let detail = format!("locked: {}\nfound:  {}", entry.digest, now.digest);
    Err(Diagnostic::error("plugin.changed", summary)
        .with_detail(detail)
        .with_help(format!("where that is meant, run `sheave plugin update {name}`")))
}

/// Why somebody has to look before a plugin is taken in place of the one that is locked; empty: nobody has to.
pub(crate) fn doubts(name: &str, entry: &LockedPlugin, now: &LockedPlugin) -> Vec<Diagnostic> {
    let mut doubts = Vec::new();
    let accept = || format!("where that is right: `sheave plugin update {name} --accept`");
    if let Some(old) = &entry.signer
        && now.signer.as_ref() != Some(old)
    {
        doubts.push(signer_changed(name, old, now.signer.as_ref()));
    }
    if now.version() < entry.version() && now.version().is_some() {
        let summary =
            format!("the plugin `{name}` is older than the one that {LOCK_FILE} has{}", versions(entry, now));
        let help = format!("an older one may have faults that are known; {}", accept());
        doubts.push(Diagnostic::error("plugin.older", summary).with_help(help));
    }
    let moved = entry.source == now.source && entry.manifest.is_some() && entry.manifest != now.manifest;
    if moved && entry.version == now.version {
        let summary = format!("`{}` is another component than it was, of the same version", now.source);
        let digest = |of: &LockedPlugin| of.manifest.as_ref().map_or("", Digest::as_str).to_owned();
        let detail = format!("locked: {}\nfound:  {}", digest(entry), digest(now));
        let help = format!("somebody moved the tag: ask its author why; {}", accept());
        doubts.push(Diagnostic::error("plugin.tag-moved", summary).with_detail(detail).with_help(help));
    }
    let wider = difference(&entry.asks, &now.asks).widened;
    if !wider.is_empty() {
        let summary = format!(
            "the plugin `{name}` asks for more than it did when it was taken in{}",
            versions(entry, now)
        );
        let detail: Vec<String> = wider.iter().map(|more| format!("+ {more}")).collect();
        doubts.push(Diagnostic::error("plugin.asks-more", summary).with_detail(detail.join("\n")).with_help(
            format!(
                "`sheave plugin inspect {name}` says why; `sheave plugin update {name} --accept` takes it in"
            ),
        ));
    }
    doubts
}

fn versions(entry: &LockedPlugin, now: &LockedPlugin) -> String {
    match (&entry.version, &now.version) {
        (Some(old), Some(new)) if old != new => format!(" ({old} became {new})"),
        _ => String::new(),
    }
}

fn signer_changed(name: &str, old: &Digest, new: Option<&Digest>) -> Diagnostic {
    let summary = match new {
        Some(_) => format!("the plugin `{name}` is signed by another key than it was when it was taken in"),
        None => {
            format!("the plugin `{name}` was signed when it was taken in, and nobody says so of this one")
        }
    };
    let found = new.map_or("no signature that was asked for", Digest::as_str);
    Diagnostic::error("plugin.signer-changed", summary)
        .with_detail(format!("locked: {old}\nfound:  {found}"))
        .with_help(format!(
            "ask its author; where the new key is theirs: `sheave plugin update {name} --accept`, under a policy that has it"
        ))
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
            manifest: None,
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
    fn what_has_to_be_accepted_is_named() {
        let (key, other) = (Some(Digest::of(b"key")), Some(Digest::of(b"other")));
        let (one, two) = (Some(Digest::of(b"1")), Some(Digest::of(b"2")));
        let of =
            |digest: &str, version: &str, manifest: &Option<Digest>, signer: &Option<Digest>| LockedPlugin {
                source: "oci://h.example/x:1".into(),
                version: Some(version.into()),
                manifest: manifest.clone(),
                signer: signer.clone(),
                ..plugin(digest, READ)
            };
        for (entry, now, expected) in [
            (of("a", "1.9.0", &one, &key), of("b", "1.10.0", &two, &key), vec![]),
            (of("a", "1.10.0", &one, &None), of("b", "1.9.0", &two, &None), vec!["plugin.older"]),
            (of("a", "1.0.0", &one, &None), of("b", "1.0.0", &two, &key), vec!["plugin.tag-moved"]),
            (of("a", "1.0.0", &one, &key), of("b", "1.1.0", &two, &None), vec!["plugin.signer-changed"]),
            (of("a", "1.0.0", &one, &key), of("b", "1.1.0", &two, &other), vec!["plugin.signer-changed"]),
            (
                of("a", "1.0.0", &one, &key),
                of("b", "1.0.0", &two, &None),
                vec!["plugin.signer-changed", "plugin.tag-moved"],
            ),
        ] {
            let found = doubts("x", &entry, &now);
            assert_eq!(found.iter().map(|d| d.code.as_str()).collect::<Vec<_>>(), expected, "{now:?}");
        }
    }

    #[test]
    fn the_same_bytes_keep_their_signer_and_take_no_other() {
        let key = Digest::of(b"key");
        let signed = LockedPlugin { signer: Some(key.clone()), ..plugin("a", READ) };
        let other = LockedPlugin { signer: Some(Digest::of(b"other")), ..plugin("a", READ) };
        let standing = |now: &LockedPlugin, entry: &LockedPlugin, locked| {
            check("x", now, Some(entry), locked).map_err(|d| d.code.to_string())
        };
        assert_eq!(standing(&plugin("a", READ), &signed, true), Ok(Standing::Same));
        assert_eq!(standing(&signed, &plugin("a", READ), false), Ok(Standing::New));
        assert_eq!(standing(&signed, &plugin("a", READ), true), Ok(Standing::Same));
        assert_eq!(standing(&other, &signed, false), Err("plugin.signer-changed".to_owned()));
        assert_eq!(plugin("a", READ).after(Some(&signed)).signer, Some(key));
        assert_eq!(plugin("b", READ).after(Some(&signed)).signer, None);
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
