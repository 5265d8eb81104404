//! Looking at plugins, and taking them in: `sheave plugin inspect`, `update` and `add`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sheave_blueprint::PluginSpec;
use sheave_model::asked::{Difference, Effective, asked_words, difference, granted_words};
use sheave_model::manifest::{Asks, PluginManifest};
use sheave_model::plugin::Grants;
use sheave_model::{Diagnostic, Role, Sources};
use sheave_plugin_host::{Plugin, PluginHost};
use sheave_registry::{Digest, Signer, Source};

use crate::driver::{Driver, explained};
use crate::load::read_blueprint;
use crate::lock::{LockFile, LockedPlugin, doubts, found, types_of};
use crate::plugins::{BUILTIN, absolute, builtin};
use crate::request::Fault;
use crate::supply::{Supplied, Supply};

/// A type of an inspected plugin.
#[derive(Clone, Debug)]
pub struct InspectedType {
    /// Its name, without the plugin's.
    pub name: String,
    /// What the plugin does for it.
    pub role: Role,
    /// The version of its stored state.
    pub version: u32,
    /// One line for people.
    pub summary: String,
    /// Bytes of its schema.
    pub schema_bytes: usize,
}

/// What can be known of a plugin.
#[derive(Clone, Debug)]
pub struct PluginReport {
    /// The name in the blueprint; of a file that stands in none, its own.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// SHA-256 of the component, lower-case hex.
    pub digest: String,
    /// The digest of its manifest in a registry; none of a file.
    pub manifest_digest: Option<Digest>,
    /// Who signed it; none where nobody had to.
    pub signer: Option<Signer>,
    /// Bytes of the component.
    pub bytes: u64,
    /// What it says of itself; none: nothing.
    pub manifest: Option<PluginManifest>,
    /// Its types.
    pub types: Vec<InspectedType>,
    /// What it imports.
    pub imports: Vec<String>,
    /// What it asks for, in words.
    pub asked: Vec<String>,
    /// What it gets, in words; none: it stands in no blueprint.
    pub granted: Option<Vec<String>>,
    /// Where asks and grants are not the same.
    pub effective: Effective,
    /// As it stands in the lock file.
    pub locked: Option<LockedPlugin>,
}

/// What an update changes.
#[derive(Clone, Debug)]
pub struct PluginUpdate {
    /// The name in the blueprint.
    pub name: String,
    /// As it stood in the lock file; none: it did not.
    pub before: Option<LockedPlugin>,
    /// As it is.
    pub now: LockedPlugin,
    /// What it asks for more and less.
    pub difference: Difference,
    /// Types that are new, are gone, or have another schema: each with a word for which.
    pub types: Vec<(String, &'static str)>,
    /// Why somebody has to accept it; empty: nobody.
    pub doubts: Vec<Diagnostic>,
    /// Whether it stands in the lock file so. Not where there are doubts and nobody accepted them.
    pub taken: bool,
}

/// A plugin that was added.
#[derive(Clone, Debug)]
pub struct PluginAddition {
    /// The name that it has in the blueprint.
    pub name: String,
    /// The lines that are to be added by hand; none: they were written.
    pub by_hand: Option<String>,
    /// What it asks for, in words.
    pub asked: Vec<String>,
}

/// A component that was had and loaded.
struct Component {
    plugin: Plugin,
    supplied: Supplied,
}

impl Driver {
    /// What can be known of a plugin: of the blueprint's by name, or of a file.
    pub async fn plugin_inspect(&self, what: &str) -> Result<PluginReport, Fault> {
        let host = self.key().and_then(|key| self.host(&key)).map_err(explained)?;
        let supply = self.supply().map_err(explained)?;
        let (folder, specs) = self.plugin_specs().unwrap_or_default();
        let locked = LockFile::read(&folder).map_err(explained)?.plugins.remove(what);
        let spec = specs.iter().find(|s| s.name == what);
        let (name, source, component, grants) = match spec.map(|s| (s, s.source.as_deref())) {
            Some((spec, Some(source))) => {
                let grants = absolute(&spec.grants, &folder);
                let component =
                    component(&host, &supply, what, source, &folder, locked.as_ref(), &grants).await?;
                (spec.name.clone(), source.to_owned(), component, Some(grants))
            }
            None if Source::is_one(what) || Path::new(what).exists() || what.contains('/') => {
                let component = stranger(&host, &supply, "plugin", what).await?;
                let name = component.plugin.manifest().map_or_else(|| stem(what), |m| m.name.clone());
                (name, what.to_owned(), component, None)
            }
            None if what != "kubernetes" => return Err(explained(no_plugin(what, &specs))),
            _ => {
                let plugin = builtin(&host, what).map_err(explained)?.plugin;
                let bytes = sheave_builtin::KUBERNETES.wasm.to_vec();
                let supplied = Supplied { bytes, manifest: None, signer: None, from: BUILTIN.to_owned() };
                (what.to_owned(), BUILTIN.to_owned(), Component { plugin, supplied }, None)
            }
        };
        let plugin = &component.plugin;
        let mut types = Vec::new();
        for info in plugin.describe().await.map_err(|e| explained(e.diagnostic()))? {
            let schema = plugin.schema(&info.name).await.map_err(|e| explained(e.diagnostic()))?;
            types.push(InspectedType {
                name: info.name,
                role: info.role,
                version: info.schema_version,
                summary: info.summary,
                schema_bytes: schema.len(),
            });
        }
        Ok(PluginReport {
            name,
            source,
            digest: plugin.digest().to_owned(),
            manifest_digest: component.supplied.manifest.clone(),
            signer: component.supplied.signer.clone(),
            bytes: component.supplied.bytes.len() as u64,
            manifest: plugin.manifest().cloned(),
            types,
            imports: plugin.imports().to_vec(),
            asked: plugin.manifest().map(|m| asked_words(&m.asks)).unwrap_or_default(),
            granted: grants.map(|_| granted_words(&plugin.held().grants)),
            effective: plugin.held().clone(),
            locked,
        })
    }

    /// Takes the blueprint's plugins, or one of them, into the lock file as they are now: of a registry, what the tag
    /// stands for now. One that there are doubts about stays out unless `accept` says otherwise.
    pub async fn plugin_update(&self, name: Option<&str>, accept: bool) -> Result<Vec<PluginUpdate>, Fault> {
        let host = self.key().and_then(|key| self.host(&key)).map_err(explained)?;
        let (folder, specs) = self.plugin_specs().map_err(|d| explained(*d))?;
        if let Some(name) = name
            && !specs.iter().any(|s| s.name == name && s.source.is_some())
        {
            return Err(explained(no_plugin(name, &specs)));
        }
        let supply = self.supply().map_err(explained)?;
        let mut lock = LockFile::read(&folder).map_err(explained)?;
        let mut updates = Vec::new();
        for spec in specs.iter().filter(|s| name.is_none_or(|n| n == s.name)) {
            let Some(source) = spec.source.as_deref() else { continue };
            let grants = absolute(&spec.grants, &folder);
            let component = component(&host, &supply, &spec.name, source, &folder, None, &grants).await?;
            let before = lock.plugins.get(&spec.name).cloned();
            let mut update = compared(&spec.name, source, &component, before).await?;
            if accept || update.doubts.is_empty() {
                update.taken = true;
                lock.plugins.insert(spec.name.clone(), update.now.clone());
            }
            updates.push(update);
        }
        write(&lock, &folder)?;
        Ok(updates)
    }

    /// Adds a plugin to the blueprint and to the lock file. `source` is a registry's, or a file from the working folder.
    pub async fn plugin_add(&self, source: &str, name: Option<&str>) -> Result<PluginAddition, Fault> {
        let host = self.key().and_then(|key| self.host(&key)).map_err(explained)?;
        let (folder, specs) = self.plugin_specs().map_err(|d| explained(*d))?;
        let supply = self.supply().map_err(explained)?;
        let component = stranger(&host, &supply, name.unwrap_or("plugin"), source).await?;
        let own = || component.plugin.manifest().map_or_else(|| stem(source), |m| m.name.clone());
        let name = name.map_or_else(own, str::to_owned);
        if !sheave_model::address::is_name(&name) {
            let fault = Diagnostic::error("blueprint.bad-name", format!("`{name}` is not a name"));
            return Err(explained(fault.with_help("give it one: `--name NAME`")));
        }
        if specs.iter().any(|s| s.name == name) {
            let fault = Diagnostic::error(
                "plugin.name-taken",
                format!("the blueprint has a plugin `{name}` already"),
            );
            return Err(explained(fault.with_help("give this one another name: `--name NAME`")));
        }
        let source =
            if Source::is_one(source) { source.to_owned() } else { relative(Path::new(source), &folder) };
        let path = &self.settings.blueprint;
        let text = std::fs::read_to_string(path).map_err(|e| explained(unwritable(path, &e.to_string())))?;
        let by_hand = match crate::blueprint_edit::with_plugin(&text, &name, &source) {
            Some(edited) => {
                replace(path, &edited).map_err(|e| explained(unwritable(path, &e.to_string())))?;
                None
            }
            None => Some(format!("plugins:\n  {name}:\n    source: {source}\n")),
        };
        let mut lock = LockFile::read(&folder).map_err(explained)?;
        let update = compared(&name, &source, &component, None).await?;
        lock.plugins.insert(name.clone(), update.now);
        write(&lock, &folder)?;
        let asks = component.plugin.manifest().map(|m| m.asks.clone()).unwrap_or_default();
        Ok(PluginAddition { name, by_hand, asked: asked_words(&asks) })
    }

    /// The blueprint's folder and its plugins, whatever else is wrong with it.
    fn plugin_specs(&self) -> Result<(PathBuf, Vec<PluginSpec>), Box<Diagnostic>> {
        let text = read_blueprint(&self.settings.blueprint).map_err(Box::new)?;
        let (name, content) = text.files.first().cloned().unwrap_or_default();
        let mut sources = Sources::default();
        let id = sources.add(name, content.as_str());
        let specs = sheave_blueprint::parse(id, &content).syntax.map(|s| s.plugins()).unwrap_or_default();
        Ok((PathBuf::from(text.folder), specs))
    }
}

/// Has and loads a blueprint's component. No code of it runs.
async fn component(
    host: &PluginHost,
    supply: &Supply,
    name: &str,
    source: &str,
    folder: &Path,
    locked: Option<&LockedPlugin>,
    grants: &Grants,
) -> Result<Component, Fault> {
    let supplied = supply.component(source, folder, locked).await.map_err(explained)?;
    let plugin = host.load(name, &supplied.bytes, grants).await.map_err(|e| explained(e.diagnostic()))?;
    Ok(Component { plugin, supplied })
}

/// The same of a component that stands in no blueprint. `source`, where it is a file, is looked for from here.
async fn stranger(host: &PluginHost, supply: &Supply, name: &str, source: &str) -> Result<Component, Fault> {
    component(host, supply, name, source, Path::new(""), None, &Grants::default()).await
}

async fn compared(
    name: &str,
    source: &str,
    component: &Component,
    before: Option<LockedPlugin>,
) -> Result<PluginUpdate, Fault> {
    let mut now = found(source, &component.plugin, &component.supplied).after(before.as_ref());
    now.types = types_of(&component.plugin).await.map_err(explained)?;
    let nothing = (Asks::default(), BTreeMap::new());
    let (asks, types) = before.as_ref().map_or((&nothing.0, &nothing.1), |b| (&b.asks, &b.types));
    let difference = difference(asks, &now.asks);
    let mut changed = Vec::new();
    for (name, digest) in &now.types {
        match types.get(name) {
            None => changed.push((name.clone(), "new")),
            Some(old) if old != digest => changed.push((name.clone(), "another schema")),
            Some(_) => {}
        }
    }
    let gone = types.keys().filter(|name| !now.types.contains_key(*name));
    changed.extend(gone.map(|name| (name.clone(), "gone")));
    let doubts = before.as_ref().map(|before| doubts(name, before, &now)).unwrap_or_default();
    Ok(PluginUpdate { name: name.to_owned(), before, now, difference, types: changed, doubts, taken: false })
}

fn write(lock: &LockFile, folder: &Path) -> Result<(), Fault> {
    let written = lock.write(folder);
    written.map(|_| ()).map_err(|why| {
        let summary = format!("{} cannot be written: {why}", crate::lock::LOCK_FILE);
        explained(Diagnostic::error("plugin.lock-unwritable", summary))
    })
}

fn unwritable(path: &Path, why: &str) -> Diagnostic {
    let summary = format!("the blueprint `{}` cannot be changed: {why}", path.display());
    Diagnostic::error("blueprint.unreadable", summary)
}

fn no_plugin(name: &str, specs: &[PluginSpec]) -> Diagnostic {
    let known: Vec<&str> = specs.iter().map(|s| s.name.as_str()).collect();
    let fault = Diagnostic::error("plugin.unknown", format!("the blueprint has no plugin `{name}`"));
    fault.with_help(match sheave_blueprint::nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "`sheave plugin add FILE` adds one".to_owned(),
        None => format!("it has: {}; a file is named by its path, such as ./{name}", known.join(", ")),
    })
}

/// A name for a component that says none: its file's.
fn stem(source: &str) -> String {
    Path::new(source).file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A path as a blueprint in `folder` writes it: from there where it lies below, else absolute.
fn relative(path: &Path, folder: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let absolute = crate::plugins::clean(&absolute);
    match absolute.strip_prefix(folder) {
        Ok(below) => format!("./{}", below.display()),
        Err(_) => absolute.display().to_string(),
    }
}

/// Writes a file whole or not at all, with the permissions that it had.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = std::fs::canonicalize(path)?;
    let part = path.with_extension(format!("part{}", std::process::id()));
    std::fs::write(&part, text)?;
    std::fs::set_permissions(&part, std::fs::metadata(&path)?.permissions())?;
    std::fs::rename(&part, &path)
}
