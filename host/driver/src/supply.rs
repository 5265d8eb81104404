//! Where the components of plugins come from: files, and registries under the operator's policy.

use std::path::{Path, PathBuf};

use sheave_model::Diagnostic;
use sheave_registry::{
    Digest, MAX_COMPONENT, POLICY_FILE, Policy, Registries, RegistryError, Settings as RegistrySettings,
    Signer, Source,
};

use crate::driver::Driver;
use crate::lock::LockedPlugin;

/// What has components, for one run.
#[derive(Debug)]
pub(crate) struct Supply {
    pub(crate) registries: Registries,
    policy: Option<Policy>,
}

/// A component, and what is known of where it came from.
#[derive(Debug)]
pub(crate) struct Supplied {
    pub(crate) bytes: Vec<u8>,
    /// The digest of its manifest in a registry; none of a file.
    pub(crate) manifest: Option<Digest>,
    /// Who signed it; none where nobody had to.
    pub(crate) signer: Option<Signer>,
    /// Where it came from, for messages.
    pub(crate) from: String,
}

impl Driver {
    /// The operator's settings, read anew: a policy that changed holds from the next run.
    pub(crate) fn supply(&self) -> Result<Supply, Diagnostic> {
        let settings = &self.settings;
        let read = || -> Result<Supply, RegistryError> {
            let policy = match &settings.policy {
                Some(path) => match Policy::read(path)? {
                    Some(policy) => Some(policy),
                    // A policy that is named and gone must not read as "everything may be used".
                    None => {
                        let why = "there is no such file".to_owned();
                        return Err(RegistryError::Settings { path: path.clone(), why });
                    }
                },
                None => Policy::read(&settings.config_dir.join(POLICY_FILE))?,
            };
            let registries = Registries::new(
                RegistrySettings::read(&settings.config_dir)?,
                settings.cache_dir.join("registries"),
                settings.offline.clone(),
            );
            Ok(Supply { registries, policy })
        };
        read().map_err(|e| e.diagnostic())
    }
}

impl Supply {
    /// Whether the operator has a policy.
    pub(crate) fn has_policy(&self) -> bool {
        self.policy.is_some()
    }

    /// The component of a blueprint's `source`, which is a file relative to `folder`, or a registry's. `locked`: as the
    /// lock file has it.
    pub(crate) async fn component(
        &self,
        source: &str,
        folder: &Path,
        locked: Option<&LockedPlugin>,
    ) -> Result<Supplied, Diagnostic> {
        if Source::is_one(source) {
            let pinned = locked.filter(|l| l.source == source).and_then(|l| l.manifest.as_ref());
            self.pulled(source, pinned).await.map_err(|e| e.diagnostic())
        } else {
            self.file(&folder.join(source), source).await
        }
    }

    async fn pulled(&self, text: &str, pinned: Option<&Digest>) -> Result<Supplied, RegistryError> {
        let source = Source::parse(text)?;
        let pulled = self.registries.pull(&source, pinned).await?;
        let signer = match &self.policy {
            Some(policy) => self.registries.allowed(&source, &pulled.digest, policy).await?,
            None => None,
        };
        Ok(Supplied { bytes: pulled.component, manifest: Some(pulled.digest), signer, from: pulled.from })
    }

    async fn file(&self, path: &Path, source: &str) -> Result<Supplied, Diagnostic> {
        let bytes = read_component(path, source).await?;
        let signer = match &self.policy {
            Some(policy) => policy.allows_file(path, source, &bytes).map_err(|e| e.diagnostic())?,
            None => None,
        };
        Ok(Supplied { bytes, manifest: None, signer, from: source.to_owned() })
    }
}

/// Reads a component's file. `source`: as it is called.
pub(crate) async fn read_component(path: &Path, source: &str) -> Result<Vec<u8>, Diagnostic> {
    let unreadable = |why: String| {
        Diagnostic::error("plugin.unreadable", format!("the plugin `{source}` cannot be read: {why}"))
            .with_help(
                "`source` is a file, relative to the blueprint's folder, or `oci://HOST/REPOSITORY:TAG`",
            )
    };
    let size = tokio::fs::metadata(path).await.map_err(|e| unreadable(e.to_string()))?;
    if !size.is_file() {
        return Err(unreadable("it is no file".into()));
    }
    if size.len() > MAX_COMPONENT {
        return Err(unreadable(format!("it has {} bytes, {MAX_COMPONENT} are allowed", size.len())));
    }
    tokio::fs::read(path).await.map_err(|e| unreadable(e.to_string()))
}

/// What a text on the command line names: a registry's component, or a file.
pub(crate) enum Named {
    Registry(Source),
    File(PathBuf),
}

impl Named {
    pub(crate) fn of(text: &str) -> Result<Self, Diagnostic> {
        if Source::is_one(text) {
            Source::parse(text).map(Self::Registry).map_err(|e| e.diagnostic())
        } else {
            Ok(Self::File(PathBuf::from(text)))
        }
    }
}
