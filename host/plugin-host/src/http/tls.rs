//! Which certificates are trusted: the system's, or those that a connection names.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use sheave_model::SecretText;

/// A configuration that trusts `ca` (PEM) or else the system's certificates, and shows a certificate of its own.
pub(crate) fn config(
    ca: Option<&str>,
    identity: Option<(&SecretText, &SecretText)>,
) -> Result<Arc<ClientConfig>, String> {
    if ca.is_none() && identity.is_none() {
        return systems();
    }
    let builder = builder()?;
    let builder = match ca {
        Some(pem) => builder.with_root_certificates(roots(pem)?),
        None => builder.with_platform_verifier().map_err(|e| e.to_string())?,
    };
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate.expose().as_bytes())
                .collect::<Result<_, _>>()
                .map_err(|_| "the certificate of `mtls` is no PEM")?;
            // The parser's words could quote the key.
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
                .map_err(|_| "the key of `mtls` is no PEM")?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|_| "the certificate and the key of `mtls` do not fit")?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())
}

fn roots(pem: &str) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| "`ca` is no PEM")?;
        store.add(certificate).map_err(|e| format!("`ca` cannot be used: {e}"))?;
    }
    if store.is_empty() {
        return Err("`ca` holds no certificate".to_owned());
    }
    Ok(store)
}

/// Read once a process: on some systems it takes a while.
pub(crate) fn systems() -> Result<Arc<ClientConfig>, String> {
    static SYSTEMS: OnceLock<Result<Arc<ClientConfig>, String>> = OnceLock::new();
    let make = || {
        let mut config =
            builder()?.with_platform_verifier().map_err(|e| e.to_string())?.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    };
    SYSTEMS.get_or_init(make).clone()
}
