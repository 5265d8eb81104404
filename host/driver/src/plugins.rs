//! The plugins of one run: loaded, pinned, and the types that they have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sheave_blueprint::PluginSpec;
use sheave_model::plugin::{EmitGrant, Grants};
use sheave_model::{Diagnostic, PluginPin, TypeCatalog, TypeName, TypeSchema};
use sheave_plugin_host::{CallError, Plugin, PluginHost};

use crate::lock::{self, LockFile, LockedPlugin, Standing};
use crate::supply::Supply;

/// The name in `source` of what the host carries in itself.
pub(crate) const BUILTIN: &str = "builtin";

/// A loaded plugin.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) plugin: Plugin,
    pub(crate) pin: PluginPin,
    /// The component's bytes, kept with the state; none for the built-in one.
    pub(crate) bytes: Option<Arc<[u8]>>,
}

/// The lock file, and whether nothing is used that does not stand in it.
pub(crate) struct Lock<'a> {
    pub(crate) file: &'a LockFile,
    pub(crate) strict: bool,
}

/// What is to be said and done of a plugin that was added.
#[derive(Debug, Default)]
pub(crate) struct Added {
    /// To be written into the lock file, without its types.
    pub(crate) new: Option<LockedPlugin>,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// All plugins of a run, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct PluginSet {
    pub(crate) bound: BTreeMap<String, Bound>,
    catalog: BTreeMap<TypeName, TypeSchema>,
    settings: BTreeMap<String, serde_json::Value>,
}

impl TypeCatalog for PluginSet {
    fn get(&self, name: &TypeName) -> Option<&TypeSchema> {
        self.catalog.get(name)
    }

    fn all(&self) -> Vec<&TypeSchema> {
        self.catalog.values().collect()
    }

    fn settings_schema(&self, plugin: &str) -> Option<&serde_json::Value> {
        self.settings.get(plugin)
    }
}

impl PluginSet {
    /// Loads a plugin that a blueprint lists.
    pub(crate) async fn add_spec(
        &mut self,
        host: &PluginHost,
        supply: &Supply,
        folder: &Path,
        spec: &PluginSpec,
        lock: &Lock<'_>,
    ) -> Result<Added, Diagnostic> {
        let mut added = Added::default();
        let at = |d: Diagnostic| if d.labels.is_empty() { d.at(spec.span, "this plugin") } else { d };
        let bound = match spec.source.as_deref() {
            None | Some(BUILTIN) => {
                let mut bound = builtin(host, &spec.name).map_err(at)?;
                let secrets_in = spec.grants.emit.secrets_in.clone();
                bound.pin.grants.emit.secrets_in.clone_from(&secrets_in);
                let emit = EmitGrant { secrets_in, ..EmitGrant::default() };
                if spec.grants != (Grants { emit, ..Grants::default() }) {
                    let summary = "the built-in plugin takes no grant but `emit: {secrets-in: [...]}`";
                    let help = "what is written in its resources is granted by that";
                    let warning = Diagnostic::warning("plugin.not-asked", summary).with_help(help);
                    added.warnings.push(warning.at(spec.grants_span, "granted here"));
                }
                bound
            }
            Some(source) => {
                let entry = lock.file.plugins.get(&spec.name);
                let supplied = supply.component(source, folder, entry).await.map_err(at)?;
                let grants = absolute(&spec.grants, folder);
                let plugin =
                    host.load(&spec.name, &supplied.bytes, &grants).await.map_err(|e| at(e.diagnostic()))?;
                let now = lock::found(source, &plugin, &supplied);
                if lock::check(&spec.name, &now, entry, lock.strict).map_err(at)? == Standing::New {
                    added.new = Some(now.after(entry));
                }
                added.warnings.extend(unasked(spec, &plugin));
                let pin = PluginPin {
                    name: spec.name.clone(),
                    source: source.to_owned(),
                    digest: plugin.digest().to_owned(),
                    grants,
                };
                Bound { plugin, pin, bytes: Some(supplied.bytes.into()) }
            }
        };
        self.bound.insert(spec.name.clone(), bound);
        Ok(added)
    }

    /// Adds the built-in plugin under its usual name, where none of that name is loaded.
    pub(crate) fn add_builtin(&mut self, host: &PluginHost) -> Result<(), Diagnostic> {
        const NAME: &str = "kubernetes";
        if !self.bound.contains_key(NAME) {
            self.bound.insert(NAME.to_owned(), builtin(host, NAME)?);
        }
        Ok(())
    }

    /// Loads a plugin as it was recorded, from the state's own copy.
    pub(crate) async fn add_pin(
        &mut self,
        host: &PluginHost,
        pin: &PluginPin,
        bytes: Option<Vec<u8>>,
    ) -> Result<(), Diagnostic> {
        let bound = if pin.source == BUILTIN {
            builtin(host, &pin.name)?
        } else {
            let bytes = bytes.ok_or_else(|| {
                Diagnostic::error("plugin.missing", format!("the state has no copy of plugin `{}`", pin.name))
                    .with_help(format!("restore `{}` and run from its blueprint's folder", pin.source))
            })?;
            let plugin = host.load(&pin.name, &bytes, &pin.grants).await.map_err(|e| e.diagnostic())?;
            if plugin.digest() != pin.digest {
                let summary =
                    format!("the state's copy of plugin `{}` is not the one that was used", pin.name);
                return Err(Diagnostic::error("plugin.digest-mismatch", summary));
            }
            Bound { plugin, pin: pin.clone(), bytes: Some(bytes.into()) }
        };
        self.bound.insert(pin.name.clone(), bound);
        Ok(())
    }

    /// Asks every plugin what types it has, and for the schemas of those that `wanted` picks.
    pub(crate) async fn describe(&mut self, wanted: &dyn Fn(&TypeName) -> bool) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        for (name, bound) in self.bound.clone() {
            if let Err(fault) = self.describe_one(&name, &bound.plugin, wanted).await {
                faults.push(fault);
            }
        }
        faults
    }

    async fn describe_one(
        &mut self,
        name: &str,
        plugin: &Plugin,
        wanted: &dyn Fn(&TypeName) -> bool,
    ) -> Result<(), Diagnostic> {
        let fault = |e: CallError| e.diagnostic();
        let parse = |text: &str, what: &str| {
            serde_json::from_str::<serde_json::Value>(text).map_err(|e| {
                Diagnostic::error(
                    "plugin.bad-reply",
                    format!("plugin `{name}` gave {what} that is no JSON: {e}"),
                )
            })
        };
        if let Some(text) = plugin.settings_schema().await.map_err(fault)? {
            self.settings.insert(name.to_owned(), parse(&text, "a settings schema")?);
        }
        for info in plugin.describe().await.map_err(fault)? {
            let type_name = TypeName::new(name, &info.name);
            let schema = if wanted(&type_name) {
                parse(&plugin.schema(&info.name).await.map_err(fault)?, "a schema")?
            } else {
                serde_json::Value::Null
            };
            self.catalog.insert(
                type_name.clone(),
                TypeSchema {
                    name: type_name,
                    role: info.role,
                    version: info.schema_version,
                    summary: info.summary,
                    schema,
                },
            );
        }
        Ok(())
    }
}

pub(crate) fn builtin(host: &PluginHost, name: &str) -> Result<Bound, Diagnostic> {
    let built = &sheave_builtin::KUBERNETES;
    let plugin = host
        .load_precompiled(name, built.cwasm, built.digest, Some(built.manifest))
        .map_err(|e| e.diagnostic())?;
    let pin = PluginPin {
        name: name.to_owned(),
        source: BUILTIN.to_owned(),
        digest: built.digest.to_owned(),
        grants: Grants::default(),
    };
    Ok(Bound { plugin, pin, bytes: None })
}

/// What is granted to a plugin that never asked for it, which is of no use to it.
fn unasked(spec: &PluginSpec, plugin: &Plugin) -> Option<Diagnostic> {
    let unasked = &plugin.held().unasked;
    (!unasked.is_empty()).then(|| {
        let summary = format!("the plugin `{}` is granted what it does not ask for", spec.name);
        Diagnostic::warning("plugin.not-asked", summary)
            .with_detail(unasked.join("\n"))
            .with_help(format!(
                "it does not get it; `sheave plugin inspect {}` shows what it asks for",
                spec.name
            ))
            .at(spec.grants_span, "granted here")
    })
}

pub(crate) fn absolute(grants: &Grants, folder: &Path) -> Grants {
    let mut grants = grants.clone();
    for grant in &mut grants.filesystem {
        grant.path = clean(&folder.join(&grant.path)).to_string_lossy().into_owned();
    }
    grants
}

/// The path without `.` and, where that needs no look at the file system, `..`.
pub(crate) fn clean(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
