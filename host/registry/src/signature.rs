//! Signatures of components in registries, in the form of cosign: a signed statement of which manifest is meant, kept in
//! the same repository under a tag made of the manifest's digest.
//!
//! The statement is the "simple signing" of
//! <https://github.com/containers/image/blob/main/docs/containers-signature.5.md>; how it is kept, cosign's
//! `specs/SIGNATURE_SPEC.md`.

use oci_client::manifest::{OCI_IMAGE_MEDIA_TYPE, OciImageManifest};
use serde::{Deserialize, Serialize};

use crate::artifact::{Blob, descriptor, parse};
use crate::digest::Digest;
use crate::key::{PrivateKey, PublicKey};
use crate::source::Source;

/// The most signatures of one manifest that are looked at: a team has some, a flood of them is an attack.
pub(crate) const MAX_SIGNATURES: usize = 32;
/// The largest signed statement: it has some hundred bytes.
pub(crate) const MAX_STATEMENT: u64 = 64 << 10;

/// The statement's media type.
const LAYER: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The annotation of a statement's layer that holds the signature.
const ANNOTATION: &str = "dev.cosignproject.cosign/signature";
/// What the statement says that it is.
const KIND: &str = "cosign container image signature";
/// A config is wanted of every manifest: one that says nothing.
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// The tag under which a manifest's signatures are kept.
pub(crate) fn tag(digest: &Digest) -> String {
    format!("sha256-{}.sig", digest.hex())
}

#[derive(Debug, Serialize, Deserialize)]
struct Statement {
    critical: Critical,
    #[serde(default)]
    optional: serde_json::Value,
}

#[derive(Debug, Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: Digest,
}

/// A statement as it came, and what is said to be its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) statement: Vec<u8>,
    pub(crate) signature: String,
}

impl Signed {
    /// Signs which manifest is meant by a source.
    pub(crate) fn make(source: &Source, digest: &Digest, key: &PrivateKey) -> Result<Self, String> {
        let statement = Statement {
            critical: Critical {
                identity: Identity { docker_reference: source.identity() },
                image: Image { docker_manifest_digest: digest.clone() },
                kind: KIND.to_owned(),
            },
            optional: serde_json::Value::Null,
        };
        let statement = serde_json::to_vec(&statement).map_err(|e| e.to_string())?;
        let signature = key.sign(&statement)?;
        Ok(Self { statement, signature })
    }

    /// Whether a key of `keys` says by it that `identity` has this manifest: which one, or why none does.
    pub(crate) fn signer<'a>(
        &self,
        identity: &str,
        digest: &Digest,
        keys: &[(&'a String, &'a PublicKey)],
    ) -> Result<(&'a str, &'a PublicKey), String> {
        // Who signed comes first: what an unsigned statement says is of no interest.
        let made = keys.iter().find(|(_, key)| key.made(&self.signature, &self.statement));
        let (name, key) = *made.ok_or("signed by a key that is not among them")?;
        let statement: Statement = serde_json::from_slice(&self.statement)
            .map_err(|e| format!("{name} signed no statement: {e}"))?;
        let critical = statement.critical;
        if critical.kind != KIND {
            return Err(format!("{name} signed another thing: `{}`", critical.kind));
        }
        if critical.image.docker_manifest_digest != *digest {
            return Err(format!("{name} signed other bytes: {}", critical.image.docker_manifest_digest));
        }
        // Some tools write the tag or digest behind the name, too.
        let signed = critical.identity.docker_reference;
        let rest = signed.strip_prefix(identity);
        if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '@'])) {
            return Err(format!("{name} signed it as `{signed}`, not as `{identity}`"));
        }
        Ok((name, key))
    }
}

/// The manifest and config that keep signatures.
pub(crate) fn manifest(all: &[Signed]) -> Result<(Vec<u8>, Vec<u8>), String> {
    let digests: Vec<Digest> = all.iter().map(|s| Digest::of(&s.statement)).collect();
    let config = serde_json::json!({
        "architecture": "", "os": "", "config": {},
        "rootfs": {"type": "layers", "diff_ids": digests},
    });
    let config = serde_json::to_vec(&config).map_err(|e| e.to_string())?;
    let layers = all.iter().map(|signed| {
        let mut layer = descriptor(LAYER, &signed.statement);
        layer.annotations = Some([(ANNOTATION.to_owned(), signed.signature.clone())].into());
        layer
    });
    let manifest = OciImageManifest {
        schema_version: 2,
        media_type: Some(OCI_IMAGE_MEDIA_TYPE.to_owned()),
        config: descriptor(CONFIG, &config),
        layers: layers.collect(),
        subject: None,
        artifact_type: None,
        annotations: None,
    };
    Ok((serde_json::to_vec(&manifest).map_err(|e| e.to_string())?, config))
}

/// The statements that a manifest of signatures lists, each with its signature; and its config.
pub(crate) fn read(manifest_bytes: &[u8]) -> Result<(Blob, Vec<(Blob, String)>), String> {
    let manifest = parse(manifest_bytes)?;
    let mut all = Vec::new();
    for layer in manifest.layers.iter().filter(|l| l.media_type == LAYER) {
        let Some(signature) = layer.annotations.as_ref().and_then(|a| a.get(ANNOTATION)) else { continue };
        let blob = Blob::of(layer)?;
        if blob.size > MAX_STATEMENT {
            return Err(format!("a signed statement has {} bytes, {MAX_STATEMENT} are allowed", blob.size));
        }
        all.push((blob, signature.clone()));
    }
    if all.len() > MAX_SIGNATURES {
        return Err(format!("it has {} signatures, {MAX_SIGNATURES} are looked at", all.len()));
    }
    Ok((Blob::of(&manifest.config)?, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::parse(text).unwrap()
    }

    #[test]
    fn a_signature_counts_for_its_bytes_its_name_and_its_key_only() {
        let key = PrivateKey::generate().unwrap();
        let (acme, public) = ("acme".to_owned(), key.public().unwrap());
        let keys = [(&acme, &public)];
        let digest = Digest::of(b"manifest");
        let dns = source("oci://r.example.com/acme/dns:1");
        let signed = Signed::make(&dns, &digest, &key).unwrap();
        let of =
            |identity: &str, digest: &Digest| signed.signer(identity, digest, &keys).map(|(name, _)| name);
        assert_eq!(of("r.example.com/acme/dns", &digest), Ok("acme"));
        assert!(of("r.example.com/acme/dns", &Digest::of(b"x")).unwrap_err().contains("other bytes"));
        assert!(of("r.example.com/acme/dn", &digest).unwrap_err().contains("not as"));
        assert!(of("r.example.com/acme/web", &digest).unwrap_err().contains("not as"));
        let stranger = Signed::make(&dns, &digest, &PrivateKey::generate().unwrap()).unwrap();
        assert!(stranger.signer("r.example.com/acme/dns", &digest, &keys).unwrap_err().contains("not among"));
        let changed = Signed { statement: b"{}".to_vec(), ..signed.clone() };
        assert!(changed.signer("r.example.com/acme/dns", &digest, &keys).is_err());
        let sign = |statement: &[u8]| Signed {
            statement: statement.to_vec(),
            signature: key.sign(statement).unwrap(),
        };
        for other in [&b"{}"[..], b"no JSON", br#"{"critical": 1}"#] {
            let why = sign(other).signer("r.example.com/acme/dns", &digest, &keys).unwrap_err();
            assert!(why.contains("no statement"), "{why}");
        }
    }

    #[test]
    fn what_is_kept_is_what_is_found() {
        let key = PrivateKey::generate().unwrap();
        let dns = source("oci://r.example.com/acme/dns:1");
        let signed = Signed::make(&dns, &Digest::of(b"m"), &key).unwrap();
        let (kept, config) = manifest(std::slice::from_ref(&signed)).unwrap();
        let (found_config, found) = read(&kept).unwrap();
        assert_eq!(found_config.digest, Digest::of(&config));
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0].0.digest, &found[0].1), (&Digest::of(&signed.statement), &signed.signature));
        let flood = vec![signed; MAX_SIGNATURES + 1];
        assert!(read(&manifest(&flood).unwrap().0).unwrap_err().contains("signatures"));
        assert!(read(&manifest(&flood[1..]).unwrap().0).is_ok());
    }
}
