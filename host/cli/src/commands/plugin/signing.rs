//! `sheave plugin sign` and `sheave plugin verify`.

use std::path::{Path, PathBuf};

use serde_json::json;
use sheave_driver::Fault;

use super::keys;
use crate::commands::{Session, document};
use crate::exit::Exit;
use crate::out::Out;
use crate::render::outside;

pub(super) async fn sign(session: &Session, what: &str, key: &Path, out: &mut Out) -> Result<Exit, Fault> {
    let key = keys::read(key)?;
    let (digest, file) = session.driver.plugin_sign(what, &key).await?;
    let file = file.map(|f| f.display().to_string());
    if session.json {
        document(out, &json!({"digest": digest, "file": file}));
    } else {
        let place = file.map_or_else(|| "in the registry".to_owned(), |f| format!("in {f}"));
        out.line(&format!("Signed {}: {digest}, {place}", outside::line(what)));
    }
    Ok(Exit::Done)
}

pub(super) async fn verify(
    session: &Session,
    what: &str,
    keys: &[PathBuf],
    out: &mut Out,
) -> Result<Exit, Fault> {
    let verified = session.driver.plugin_verify(what, keys).await?;
    if session.json {
        document(out, &json!({"digest": verified.digest, "signer": verified.signer}));
        return Ok(Exit::Done);
    }
    let (what, digest) = (outside::line(what), &verified.digest);
    out.line(&match &verified.signer {
        Some(signer) => {
            format!(
                "{what} ({digest}) is signed by {}, whose key is {}",
                outside::line(&signer.name),
                signer.fingerprint
            )
        }
        None => format!("{what} ({digest}) may be used: the policy wants no signature of it"),
    });
    Ok(Exit::Done)
}
