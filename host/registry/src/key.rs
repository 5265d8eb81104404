//! Keys in cosign's form: a PEM pair, the private half encrypted under a password (scrypt and a NaCl secretbox).

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use sigstore::crypto::signing_key::SigStoreKeyPair;
use sigstore::crypto::signing_key::ecdsa::{ECDSAKeys, EllipticCurve};
use sigstore::crypto::{CosignVerificationKey, Signature, SigningScheme};
use zeroize::Zeroizing;

use crate::digest::Digest;
use crate::fault::RegistryError;
use crate::settings::read_text;

/// A key that says who signed.
pub struct PublicKey {
    key: CosignVerificationKey,
    fingerprint: Digest,
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PublicKey").field(&self.fingerprint.as_str()).finish()
    }
}

impl PublicKey {
    /// The key of a PEM text (`PUBLIC KEY`): ECDSA on P-256 or P-384, Ed25519, or RSA.
    pub fn from_pem(pem: &str) -> Result<Self, String> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes())
            .map_err(|e| format!("it is no public key in PEM form: {e}"))?;
        let key = CosignVerificationKey::try_from_der(&der).map_err(|e| e.to_string())?;
        Ok(Self { key, fingerprint: Digest::of(&der) })
    }

    /// The key in a file.
    pub fn read(path: &Path) -> Result<Self, RegistryError> {
        let fault = |why: String| RegistryError::Key { path: path.to_owned(), why };
        let text = read_text(path)?.ok_or_else(|| fault("there is no such file".into()))?;
        Self::from_pem(&text).map_err(fault)
    }

    /// What it is known by: the SHA-256 of its public half in DER form.
    pub fn fingerprint(&self) -> &Digest {
        &self.fingerprint
    }

    /// Whether it made this signature (base64) of these bytes.
    pub(crate) fn made(&self, signature: &str, bytes: &[u8]) -> bool {
        self.key.verify_signature(Signature::Base64Encoded(signature.trim().as_bytes()), bytes).is_ok()
    }
}

/// A key that signs. Its secret is wiped when it is dropped.
pub struct PrivateKey(SigStoreKeyPair);

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

impl PrivateKey {
    /// A new one, on the curve that cosign uses.
    pub fn generate() -> Result<Self, String> {
        let keys = ECDSAKeys::new(EllipticCurve::P256).map_err(|e| e.to_string())?;
        Ok(Self(SigStoreKeyPair::ECDSA(keys)))
    }

    /// The key in a file, with the password that it is encrypted under.
    pub fn read(path: &Path, password: &[u8]) -> Result<Self, RegistryError> {
        let fault = |why: String| RegistryError::Key { path: path.to_owned(), why };
        let text = Zeroizing::new(read_text(path)?.ok_or_else(|| fault("there is no such file".into()))?);
        // Where the password is wrong the library's words are of cryptography.
        SigStoreKeyPair::from_encrypted_pem(text.as_bytes(), password).map(Self).map_err(|_| {
            fault("it is no private key in cosign's form, or the password is not the one that it is encrypted under".into())
        })
    }

    /// Writes the pair beside each other: `NAME.key`, for its owner alone, and `NAME.pub`. Nothing is written over.
    pub fn write(&self, name: &Path, password: &[u8]) -> Result<(PathBuf, PathBuf), RegistryError> {
        let of = |end: &str| {
            let mut path = name.as_os_str().to_owned();
            path.push(end);
            PathBuf::from(path)
        };
        let (private, public) = (of(".key"), of(".pub"));
        let fault = |path: &Path, why: String| RegistryError::Key { path: path.to_owned(), why };
        let encrypted =
            self.0.private_key_to_encrypted_pem(password).map_err(|e| fault(&private, e.to_string()))?;
        let open = self.0.public_key_to_pem().map_err(|e| fault(&public, e.to_string()))?;
        for (path, text, mode) in [(&private, encrypted.as_str(), 0o600), (&public, open.as_str(), 0o644)] {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
            let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(|e| fault(path, e.to_string()))?;
        }
        Ok((private, public))
    }

    /// The half that others verify with.
    pub fn public(&self) -> Result<PublicKey, String> {
        PublicKey::from_pem(&self.0.public_key_to_pem().map_err(|e| e.to_string())?)
    }

    /// The signature of these bytes, base64.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Result<String, String> {
        let scheme = match &self.0 {
            SigStoreKeyPair::ECDSA(ECDSAKeys::P256(_)) => SigningScheme::ECDSA_P256_SHA256_ASN1,
            SigStoreKeyPair::ECDSA(ECDSAKeys::P384(_)) => SigningScheme::ECDSA_P384_SHA384_ASN1,
            SigStoreKeyPair::ED25519(_) => SigningScheme::ED25519,
            SigStoreKeyPair::RSA(_) => SigningScheme::RSA_PKCS1_SHA256(0),
        };
        let signer = self.0.to_sigstore_signer(&scheme).map_err(|e| e.to_string())?;
        let signature = signer.sign(bytes).map_err(|e| e.to_string())?;
        Ok(STANDARD.encode(signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_written_is_the_pair_read() {
        let folder = tempfile::tempdir().unwrap();
        let key = PrivateKey::generate().unwrap();
        let (private, public) = key.write(&folder.path().join("acme"), b"password").unwrap();
        let text = std::fs::read_to_string(&private).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----"), "{text}");
        let (read, known) =
            (PrivateKey::read(&private, b"password").unwrap(), PublicKey::read(&public).unwrap());
        let signature = read.sign(b"bytes").unwrap();
        assert!(known.made(&signature, b"bytes") && !known.made(&signature, b"other"));
        assert!(!PrivateKey::generate().unwrap().public().unwrap().made(&signature, b"bytes"));
        assert_eq!(read.public().unwrap().fingerprint(), known.fingerprint());
        assert!(matches!(PrivateKey::read(&private, b"wrong"), Err(RegistryError::Key { .. })));
        assert!(key.write(&folder.path().join("acme"), b"").is_err(), "a key was written over");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
            assert!(PublicKey::from_pem(text).is_err(), "{text}");
        }
        assert!(!PrivateKey::generate().unwrap().public().unwrap().made("no base64!", b""));
    }

    #[cfg(unix)]
    #[test]
    fn the_private_half_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (private, _) = PrivateKey::generate().unwrap().write(&folder.path().join("k"), b"").unwrap();
        assert_eq!(std::fs::metadata(private).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
