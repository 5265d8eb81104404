//! Who signed a component, measured against what the operator demands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::digest::Digest;
use crate::fault::RegistryError;
use crate::key::{PrivateKey, PublicKey};
use crate::policy::{Demand, Policy};
use crate::registries::Registries;
use crate::settings::read_text;
use crate::signature::Signed;
use crate::source::Source;

/// How the file of a component's signature ends, behind the component's own name.
pub const SIGNATURE_END: &str = ".sig";

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signer {
    /// The name in the policy, or the key's file.
    pub name: String,
    /// The key's fingerprint: what a lock file pins.
    #[serde(rename = "key")]
    pub fingerprint: Digest,
}

impl Registries {
    /// Whether a policy lets a component of a registry be used, and who signed it; nobody where the policy demands no
    /// signature.
    pub async fn allowed(
        &self,
        source: &Source,
        digest: &Digest,
        policy: &Policy,
    ) -> Result<Option<Signer>, RegistryError> {
        match policy.of_source(source)? {
            (Demand::Nothing, _) => Ok(None),
            (Demand::Signed(wanted), identity) => {
                let keys = wanted_keys(policy.signers(), &wanted);
                self.signer(source, digest, &identity, &wanted, keys).await.map(Some)
            }
        }
    }

    /// Who of these keys, each under the name that is shown of it, signed a component.
    pub async fn verify(
        &self,
        source: &Source,
        digest: &Digest,
        keys: &BTreeMap<String, PublicKey>,
    ) -> Result<Signer, RegistryError> {
        let wanted: Vec<String> = keys.keys().cloned().collect();
        self.signer(source, digest, &source.identity(), &wanted, keys.iter().collect()).await
    }

    async fn signer(
        &self,
        source: &Source,
        digest: &Digest,
        identity: &str,
        wanted: &[String],
        keys: Vec<(&String, &PublicKey)>,
    ) -> Result<Signer, RegistryError> {
        let kept = self.kept_signatures(source, digest);
        if let Ok(signer) = first(&kept, identity, digest, &keys) {
            return Ok(signer);
        }
        let found = self.signatures(source, digest).await?;
        first(&found.signed, identity, digest, &keys).map_err(|whys| {
            let (source, wanted) = (source.to_string(), wanted.to_vec());
            if whys.is_empty() {
                RegistryError::Unsigned { plugin: source, wanted, unasked: found.unasked }
            } else {
                RegistryError::WrongSigner { plugin: source, wanted, found: whys }
            }
        })
    }
}

impl Policy {
    /// Whether a component in a file may be used, and who signed it.
    pub fn allows_file(
        &self,
        path: &Path,
        source: &str,
        component: &[u8],
    ) -> Result<Option<Signer>, RegistryError> {
        match self.of_file(source)? {
            Demand::Nothing => Ok(None),
            Demand::Signed(wanted) => {
                file_signer(path, source, component, &wanted, &wanted_keys(self.signers(), &wanted)).map(Some)
            }
        }
    }
}

/// The keys that a demand names; the policy was checked to have them all.
fn wanted_keys<'a>(
    keys: &'a BTreeMap<String, PublicKey>,
    wanted: &[String],
) -> Vec<(&'a String, &'a PublicKey)> {
    keys.iter().filter(|(name, _)| wanted.contains(name)).collect()
}

fn first(
    all: &[Signed],
    identity: &str,
    digest: &Digest,
    keys: &[(&String, &PublicKey)],
) -> Result<Signer, Vec<String>> {
    let mut whys = Vec::new();
    for signed in all {
        match signed.signer(identity, digest, keys) {
            Ok((name, key)) => {
                return Ok(Signer { name: name.to_owned(), fingerprint: key.fingerprint().clone() });
            }
            Err(why) => whys.push(why),
        }
    }
    Err(whys)
}

fn signature_path(component: &Path) -> PathBuf {
    let mut path = component.as_os_str().to_owned();
    path.push(SIGNATURE_END);
    PathBuf::from(path)
}

/// Signs a component in a file: the signature's file beside it, as `cosign sign-blob` writes it.
pub fn sign_file(component: &Path, bytes: &[u8], key: &PrivateKey) -> Result<PathBuf, RegistryError> {
    let path = signature_path(component);
    let fault = |why: String| RegistryError::Folder { path: path.clone(), why };
    let signature = key.sign(bytes).map_err(fault)?;
    std::fs::write(&path, signature).map_err(|e| fault(e.to_string()))?;
    Ok(path)
}

/// Who of these keys signed a component in a file.
pub fn verify_file(
    path: &Path,
    component: &[u8],
    keys: &BTreeMap<String, PublicKey>,
) -> Result<Signer, RegistryError> {
    let wanted: Vec<String> = keys.keys().cloned().collect();
    let keys: Vec<_> = keys.iter().collect();
    file_signer(path, &path.display().to_string(), component, &wanted, &keys)
}

fn file_signer(
    path: &Path,
    source: &str,
    component: &[u8],
    wanted: &[String],
    keys: &[(&String, &PublicKey)],
) -> Result<Signer, RegistryError> {
    let (source, wanted) = (source.to_owned(), wanted.to_vec());
    let Some(signature) = read_text(&signature_path(path))? else {
        return Err(RegistryError::Unsigned { plugin: source, wanted, unasked: Vec::new() });
    };
    match keys.iter().find(|(_, key)| key.made(&signature, component)) {
        Some((name, key)) => Ok(Signer { name: (*name).clone(), fingerprint: key.fingerprint().clone() }),
        None => {
            let found = vec!["signed by a key that is not among them, or of other bytes".to_owned()];
            Err(RegistryError::WrongSigner { plugin: source, wanted, found })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_verified_by_what_stands_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (folder.path().join("x.wasm"), PrivateKey::generate().unwrap());
        let keys = [("acme".to_owned(), key.public().unwrap())].into();
        assert!(matches!(verify_file(&path, b"bytes", &keys), Err(RegistryError::Unsigned { .. })));
        sign_file(&path, b"bytes", &key).unwrap();
        assert_eq!(verify_file(&path, b"bytes", &keys).unwrap().name, "acme");
        assert!(matches!(verify_file(&path, b"other", &keys), Err(RegistryError::WrongSigner { .. })));
        let others = [("x".to_owned(), PrivateKey::generate().unwrap().public().unwrap())].into();
        assert!(matches!(verify_file(&path, b"bytes", &others), Err(RegistryError::WrongSigner { .. })));
    }
}
