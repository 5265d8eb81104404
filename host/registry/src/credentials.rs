//! Who one is to a registry: what `docker login` kept, helpers of docker's included.

use docker_credential::{CredentialRetrievalError as Fault, DockerCredential, get_credential};
use oci_client::secrets::RegistryAuth;

use crate::fault::Miss;

/// The credentials for a host; nobody's where there are none.
pub(crate) async fn of(host: &str) -> Result<RegistryAuth, Miss> {
    let server = host.to_owned();
    // A helper is another program, which is waited for.
    let found = tokio::task::spawn_blocking(move || get_credential(&server)).await;
    match found.map_err(|e| Miss::Denied(e.to_string()))? {
        Ok(DockerCredential::UsernamePassword(user, password)) => Ok(RegistryAuth::Basic(user, password)),
        Ok(DockerCredential::IdentityToken(_)) => Err(Miss::Denied(
            "docker's config.json has an identity token for it, which is not understood here: log in with a password or an access token"
                .into(),
        )),
        Err(Fault::ConfigNotFound | Fault::ConfigReadError | Fault::NoCredentialConfigured) => Ok(RegistryAuth::Anonymous),
        // What the helper printed may be the secret itself.
        Err(Fault::HelperFailure { helper, .. }) => {
            Err(Miss::Denied(format!("docker's credential helper `{helper}` failed")))
        }
        Err(other) => Err(Miss::Denied(format!("docker's config.json: {other}"))),
    }
}
