//! `sheave plugin key`.

use std::path::Path;

use serde_json::json;
use sheave_driver::Fault;
use sheave_model::Diagnostic;
use sheave_registry::{PrivateKey, RegistryError};

use crate::commands::{Session, document, explained};
use crate::exit::Exit;
use crate::out::Out;
use crate::prompt;

pub(super) fn run(session: &Session, name: &Path, out: &mut Out) -> Result<Exit, Fault> {
    let password = prompt::password(true).map_err(explained)?;
    let unmade =
        |why: String| explained(Diagnostic::error("plugin.key", format!("no key can be made: {why}")));
    let key = PrivateKey::generate().map_err(unmade)?;
    let fingerprint = key.public().map_err(unmade)?.fingerprint().clone();
    let written = key.write(name, password.as_bytes());
    let (private, public) = written.map_err(|e: RegistryError| explained(e.diagnostic()))?;
    let (private, public) = (private.display().to_string(), public.display().to_string());
    if session.json {
        document(out, &json!({"private": private, "public": public, "key": fingerprint}));
    } else {
        out.line(&format!("{private} signs; keep it, and its password, to yourself."));
        out.line(&format!("{public} is for those who verify: {fingerprint}"));
    }
    Ok(Exit::Done)
}

/// The key in a file; its password is asked for.
pub(super) fn read(path: &Path) -> Result<PrivateKey, Fault> {
    let password = prompt::password(false).map_err(explained)?;
    PrivateKey::read(path, password.as_bytes()).map_err(|e| explained(e.diagnostic()))
}
