//! One registry over the network, under limits.

use std::time::Duration;

use futures::StreamExt as _;
use http::HeaderValue;
use oci_client::client::{Certificate, CertificateEncoding, Client, ClientConfig, ClientProtocol};
use oci_client::errors::{DigestError, OciDistributionError, OciErrorCode};
use oci_client::manifest::{OCI_IMAGE_MEDIA_TYPE, OciDescriptor};
use oci_client::secrets::RegistryAuth;
use oci_client::{Reference, RegistryOperation};

use crate::artifact::{Blob, MAX_MANIFEST};
use crate::bounded::read_at_most;
use crate::credentials;
use crate::digest::Digest;
use crate::fault::{Miss, said};
use crate::settings::{Endpoint, MAX_SETTINGS};
use crate::source::Source;

/// How long a registry may take to accept a connection: across the world it takes less than one second.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a registry may be silent in the middle of an answer: storage behind it may have to wake.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a manifest, with the logins before it, may take: it has some hundred bytes.
const MANIFEST: Duration = Duration::from_secs(60);
/// How long a component may take in all: 64 MiB over a line of one megabit a second.
const BLOB: Duration = Duration::from_secs(600);

/// A registry, or a mirror of one.
pub(crate) struct Remote {
    endpoint: Endpoint,
    client: Client,
    auth: RegistryAuth,
}

impl Remote {
    /// Gets ready to ask; nothing is sent yet.
    pub(crate) async fn new(endpoint: Endpoint) -> Result<Self, Miss> {
        // Where another part of the program installed it already, that is as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut extra_root_certificates = Vec::new();
        if let Some(path) = &endpoint.ca {
            let wrong = |why: String| {
                Miss::Down(format!("its certificates `{}` cannot be read: {why}", path.display()))
            };
            let data = read_at_most(path, MAX_SETTINGS).map_err(|e| wrong(e.to_string()))?;
            let data = data.ok_or_else(|| wrong("there is no such file".into()))?;
            extra_root_certificates.push(Certificate { encoding: CertificateEncoding::Pem, data });
        }
        let config = ClientConfig {
            protocol: if endpoint.http { ClientProtocol::Http } else { ClientProtocol::Https },
            extra_root_certificates,
            read_timeout: Some(SILENCE),
            connect_timeout: Some(CONNECT),
            user_agent: concat!("sheave/", env!("CARGO_PKG_VERSION")),
            platform_resolver: None,
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|e| miss(&e))?;
        let auth = credentials::of(&endpoint.host).await?;
        Ok(Self { endpoint, client, auth })
    }

    /// Its name, as messages say it.
    pub(crate) fn name(&self) -> &str {
        &self.endpoint.host
    }

    fn repository(&self, source: &Source) -> String {
        match self.endpoint.prefix.as_str() {
            "" => source.repository.clone(),
            prefix => format!("{prefix}/{}", source.repository),
        }
    }

    fn by_tag(&self, source: &Source, tag: &str) -> Reference {
        Reference::with_tag(self.endpoint.host.clone(), self.repository(source), tag.to_owned())
    }

    fn by_digest(&self, source: &Source, digest: &Digest) -> Reference {
        Reference::with_digest(self.endpoint.host.clone(), self.repository(source), digest.to_string())
    }

    /// What a tag stands for, as the registry says; what then comes by the digest is measured.
    pub(crate) async fn resolve(&self, source: &Source, tag: &str) -> Result<Digest, Miss> {
        let reference = self.by_tag(source, tag);
        let asked = self.client.fetch_manifest_digest(&reference, &self.auth);
        let digest = within(MANIFEST, asked).await?;
        Digest::parse(&digest).ok_or_else(|| Miss::Wrong(format!("`{}` is no SHA-256 digest", said(&digest))))
    }

    /// The manifest of a digest.
    pub(crate) async fn manifest(&self, source: &Source, digest: &Digest) -> Result<Vec<u8>, Miss> {
        let reference = self.by_digest(source, digest);
        let asked = self.client.pull_manifest_raw(&reference, &self.auth, &[OCI_IMAGE_MEDIA_TYPE]);
        let (bytes, _) = within(MANIFEST, asked).await?;
        if bytes.len() > MAX_MANIFEST {
            return Err(Miss::Wrong(format!(
                "a manifest of {} bytes, {MAX_MANIFEST} are allowed",
                bytes.len()
            )));
        }
        measured(bytes.to_vec(), digest)
    }

    /// The bytes of a blob.
    pub(crate) async fn blob(&self, source: &Source, blob: &Blob) -> Result<Vec<u8>, Miss> {
        let reference = self.by_digest(source, &blob.digest);
        self.client.store_auth_if_needed(reference.resolve_registry(), &self.auth).await;
        let descriptor = OciDescriptor { digest: blob.digest.to_string(), ..OciDescriptor::default() };
        let pull = async {
            let mut stream =
                self.client.pull_blob_stream(&reference, &descriptor).await.map_err(|e| miss(&e))?;
            let mut bytes = Vec::new();
            while let Some(part) = stream.next().await {
                let part = part.map_err(|e| broken(&e))?;
                if bytes.len() as u64 + part.len() as u64 > blob.size {
                    return Err(Miss::Wrong(format!(
                        "more than the {} bytes that the manifest says",
                        blob.size
                    )));
                }
                bytes.extend_from_slice(&part);
            }
            Ok(bytes)
        };
        let bytes = tokio::time::timeout(BLOB, pull).await.map_err(|_| too_slow(BLOB))??;
        measured(bytes, &blob.digest)
    }

    /// Gives the registry a blob, unless it has it.
    pub(crate) async fn push_blob(&self, source: &Source, bytes: &[u8]) -> Result<(), Miss> {
        let digest = Digest::of(bytes);
        let reference = self.by_digest(source, &digest);
        self.login(&reference).await?;
        // Whoever may push may look as well; where not, it is pushed again.
        if matches!(within(MANIFEST, self.client.blob_exists(&reference, digest.as_str())).await, Ok(true)) {
            return Ok(());
        }
        let pushed = self.client.push_blob(&reference, bytes.to_vec(), digest.as_str());
        within(BLOB, pushed).await.map(|_| ())
    }

    /// Gives the registry a manifest, and the tag that names it.
    pub(crate) async fn push_manifest(
        &self,
        source: &Source,
        tag: &str,
        manifest: &[u8],
    ) -> Result<(), Miss> {
        let reference = self.by_tag(source, tag);
        self.login(&reference).await?;
        let form = HeaderValue::from_static(OCI_IMAGE_MEDIA_TYPE);
        let pushed = self.client.push_manifest_raw(&reference, manifest.to_vec(), form);
        within(MANIFEST, pushed).await.map(|_| ())
    }

    /// Asks for the right to push, so that a refusal says why.
    async fn login(&self, reference: &Reference) -> Result<(), Miss> {
        self.client.store_auth_if_needed(reference.resolve_registry(), &self.auth).await;
        within(MANIFEST, self.client.auth(reference, &self.auth, RegistryOperation::Push)).await.map(|_| ())
    }
}

/// What a registry answers in time, or why it does not.
async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, OciDistributionError>>,
) -> Result<T, Miss> {
    match tokio::time::timeout(limit, asked).await {
        Ok(answer) => answer.map_err(|e| miss(&e)),
        Err(_) => Err(too_slow(limit)),
    }
}

fn too_slow(limit: Duration) -> Miss {
    Miss::Down(format!("no whole answer within {} s", limit.as_secs()))
}

fn measured(bytes: Vec<u8>, digest: &Digest) -> Result<Vec<u8>, Miss> {
    let found = Digest::of(&bytes);
    if found == *digest {
        return Ok(bytes);
    }
    Err(Miss::Changed(format!("{found} came where {digest} was asked for")))
}

/// Why a blob did not come to its end.
fn broken(error: &std::io::Error) -> Miss {
    let text = said(&chain(error));
    match error.get_ref() {
        Some(inner) if inner.is::<DigestError>() => Miss::Changed(text),
        Some(inner) if inner.is::<OciDistributionError>() => Miss::Wrong(text),
        _ => Miss::Down(text),
    }
}

/// What kind of failure the library's error is.
fn miss(error: &OciDistributionError) -> Miss {
    use OciDistributionError as E;
    match error {
        E::ImageManifestNotFoundError(_) => Miss::NotFound,
        E::DigestError(why) => Miss::Changed(said(&why.to_string())),
        E::UnauthorizedError { .. } => Miss::Denied("not without a login".into()),
        E::AuthenticationFailure(why) => Miss::Denied(said(why)),
        E::ServerError { code, message, .. } => of_status(*code, message),
        E::RegistryError { envelope, .. } => {
            let any = |of: &[OciErrorCode]| envelope.errors.iter().any(|e| of.contains(&e.code));
            let text = said(&envelope.to_string());
            if any(&[OciErrorCode::Denied, OciErrorCode::Unauthorized]) {
                Miss::Denied(text)
            } else if any(&[
                OciErrorCode::BlobUnknown,
                OciErrorCode::ManifestUnknown,
                OciErrorCode::NameUnknown,
                OciErrorCode::NotFound,
            ]) {
                Miss::NotFound
            } else if any(&[OciErrorCode::Toomanyrequests]) {
                Miss::Down(text)
            } else {
                Miss::Wrong(text)
            }
        }
        E::RequestError(why) => match why.status() {
            Some(status) => of_status(status.as_u16(), ""),
            None if why.is_decode() || why.is_body() => Miss::Wrong(said(&chain(why))),
            None => Miss::Down(said(&chain(why))),
        },
        other => Miss::Wrong(said(&other.to_string())),
    }
}

fn of_status(code: u16, message: &str) -> Miss {
    match code {
        401 | 403 => Miss::Denied(said(&format!("HTTP {code} {message}"))),
        404 => Miss::NotFound,
        429 | 500..=599 => Miss::Down(said(&format!("HTTP {code} {message}"))),
        _ => Miss::Wrong(said(&format!("HTTP {code} {message}"))),
    }
}

/// An error with its causes: the outermost of a request says only that it failed.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_is_told_apart() {
        let of = |code| of_status(code, "");
        assert!(matches!(of(401), Miss::Denied(_)) && matches!(of(403), Miss::Denied(_)));
        assert_eq!(of(404), Miss::NotFound);
        assert!(matches!(of(429), Miss::Down(_)) && matches!(of(503), Miss::Down(_)));
        assert!(matches!(of(418), Miss::Wrong(_)));
    }

    #[test]
    fn bytes_that_are_not_those_asked_for_are_refused() {
        let digest = Digest::of(b"right");
        assert_eq!(measured(b"right".to_vec(), &digest).unwrap(), b"right");
        assert!(matches!(measured(b"wrong".to_vec(), &digest), Err(Miss::Changed(_))));
    }
}
