//! Giving plugins to others: `sheave plugin push`, `pull`, `sign` and `verify`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sheave_model::Diagnostic;
use sheave_model::plugin::Grants;
use sheave_registry::{
    About, Digest, PrivateKey, PublicKey, Pushed, RegistryError, Signer, Source, sign_file, verify_file,
};

use crate::driver::{Driver, explained};
use crate::request::Fault;
use crate::supply::{Named, read_component};

/// A component that was pushed.
#[derive(Debug)]
pub struct PushReport {
    /// Where it is now, the tag included.
    pub source: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// Whether it was there already.
    pub already: bool,
    /// Whether it was signed, too.
    pub signed: bool,
}

/// A component that was pulled.
#[derive(Debug)]
pub struct PullReport {
    /// The source that was asked for.
    pub source: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// SHA-256 of the component itself, lower-case hex.
    pub component: String,
    /// Bytes of the component.
    pub bytes: u64,
    /// Where it came from.
    pub from: String,
    /// Who signed it; none where nobody had to.
    pub signer: Option<Signer>,
}

/// What was verified, and who signed it.
#[derive(Debug)]
pub struct VerifyReport {
    /// The digest of the manifest, or of the file.
    pub digest: Digest,
    /// Who signed it; none where the policy wants nobody to.
    pub signer: Option<Signer>,
}

fn told(error: &RegistryError) -> Fault {
    explained(error.diagnostic())
}

impl Driver {
    /// Pushes a component's file to a registry. The tag, where none is written, is the plugin's version. With a key it is
    /// signed as well.
    pub async fn plugin_push(
        &self,
        component: &Path,
        to: &str,
        force: bool,
        key: Option<&PrivateKey>,
    ) -> Result<PushReport, Fault> {
        let mut source = Source::parse(to).map_err(|e| told(&e))?;
        if source.digest.is_some() {
            let fault = Diagnostic::error("registry.source-form", format!("`{to}` names a digest"));
            return Err(explained(fault.with_help("a digest comes of what is pushed: write a tag, or none")));
        }
        let shown = component.display().to_string();
        let bytes = read_component(component, &shown).await.map_err(explained)?;
        let host = self.key().and_then(|key| self.host(&key)).map_err(explained)?;
        // What does not load here loads nowhere: nobody is to find that out after a pull.
        let plugin =
            host.load("plugin", &bytes, &Grants::default()).await.map_err(|e| explained(e.diagnostic()))?;
        let about = match plugin.manifest() {
            Some(manifest) => About {
                name: manifest.name.clone(),
                version: Some(manifest.version.to_string()),
                licence: Some(manifest.licence.clone()),
                summary: Some(manifest.description.clone()),
            },
            None => About { name: source.repository.clone(), ..About::default() },
        };
        if source.tag.is_none() {
            // A tag has no `+`, which versions have before their build's name.
            source.tag = about.version.as_ref().map(|v| v.replace('+', "_"));
        }
        let supply = self.supply().map_err(explained)?;
        let pushed = supply.registries.push(&source, &bytes, &about, force).await;
        let Pushed { digest, already } = pushed.map_err(|e| told(&e))?;
        if let Some(key) = key {
            let exact = Source { digest: Some(digest.clone()), ..source.clone() };
            supply.registries.sign(&exact, key).await.map_err(|e| told(&e))?;
        }
        Ok(PushReport { source: source.to_string(), digest, already, signed: key.is_some() })
    }

    /// Pulls a component, under the policy: into a file, into a folder that can be used in place of registries, or only
    /// into the cache.
    pub async fn plugin_pull(
        &self,
        from: &str,
        output: Option<&Path>,
        folder: Option<&Path>,
    ) -> Result<PullReport, Fault> {
        let source = Source::parse(from).map_err(|e| told(&e))?;
        let supply = self.supply().map_err(explained)?;
        let supplied = supply.component(from, Path::new("."), None).await.map_err(explained)?;
        // Who pulls from a registry has its digest.
        let Some(digest) = supplied.manifest else { return Err(told(&RegistryError::NoTag(source.name()))) };
        if let Some(folder) = folder {
            let exact = Source { digest: Some(digest.clone()), ..source.clone() };
            supply.registries.copy(&exact, folder.to_owned()).await.map_err(|e| told(&e))?;
        }
        if let Some(output) = output {
            std::fs::write(output, &supplied.bytes).map_err(|e| {
                let summary = format!("`{}` cannot be written: {e}", output.display());
                explained(Diagnostic::error("plugin.unwritable", summary))
            })?;
        }
        Ok(PullReport {
            source: source.to_string(),
            digest,
            component: Digest::of(&supplied.bytes).hex().to_owned(),
            bytes: supplied.bytes.len() as u64,
            from: supplied.from,
            signer: supplied.signer,
        })
    }

    /// Signs a component: of a registry, there; of a file, beside it. What was signed, and the file of the signature.
    pub async fn plugin_sign(
        &self,
        what: &str,
        key: &PrivateKey,
    ) -> Result<(Digest, Option<PathBuf>), Fault> {
        match Named::of(what).map_err(explained)? {
            Named::Registry(source) => {
                let supply = self.supply().map_err(explained)?;
                let digest = supply.registries.sign(&source, key).await.map_err(|e| told(&e))?;
                Ok((digest, None))
            }
            Named::File(path) => {
                let bytes = read_component(&path, what).await.map_err(explained)?;
                let signature = sign_file(&path, &bytes, key).map_err(|e| told(&e))?;
                Ok((Digest::of(&bytes), Some(signature)))
            }
        }
    }

    /// Who signed a component: one of these keys' owners, or without keys, one of those whom the policy names.
    pub async fn plugin_verify(&self, what: &str, keys: &[PathBuf]) -> Result<VerifyReport, Fault> {
        let supply = self.supply().map_err(explained)?;
        if keys.is_empty() {
            if !supply.has_policy() {
                let fault =
                    Diagnostic::error("plugin.no-policy", "there is neither a key nor a policy to verify by");
                return Err(explained(fault.with_help("name a key with `--key FILE`, or write policy.yaml")));
            }
            let supplied = supply.component(what, Path::new("."), None).await.map_err(explained)?;
            let digest = supplied.manifest.unwrap_or_else(|| Digest::of(&supplied.bytes));
            return Ok(VerifyReport { digest, signer: supplied.signer });
        }
        let mut known = BTreeMap::new();
        for path in keys {
            known.insert(path.display().to_string(), PublicKey::read(path).map_err(|e| told(&e))?);
        }
        let (digest, signer) = match Named::of(what).map_err(explained)? {
            Named::Registry(source) => {
                let digest = match source.digest.clone() {
                    Some(digest) => digest,
                    None => supply.registries.resolve(&source).await.map_err(|e| told(&e))?,
                };
                let signer = supply.registries.verify(&source, &digest, &known).await;
                (digest, signer.map_err(|e| told(&e))?)
            }
            Named::File(path) => {
                let bytes = read_component(&path, what).await.map_err(explained)?;
                (Digest::of(&bytes), verify_file(&path, &bytes, &known).map_err(|e| told(&e))?)
            }
        };
        Ok(VerifyReport { digest, signer: Some(signer) })
    }
}
