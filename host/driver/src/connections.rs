//! The HTTP connections of one run: `targets: {NAME: {http: ...}}`. Plugins know their names; the host, the rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use sheave_blueprint::Graph;
use sheave_model::stack::{StackState, TargetRecord};
use sheave_model::{Diagnostic, SecretText, Value};
use sheave_plugin_host::http::{Auth, Connection, ConnectionSettings};
use sheave_secrets::{Sealer, StackKey};

use crate::context::Context;
use crate::documents::at_mut;
use crate::files::FolderFiles;
use crate::load::evaluate_early;

/// The connections of one run, by target name.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    known: BTreeMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    settings: Value,
    connection: Arc<Connection>,
}

impl Connections {
    /// Those of the blueprint, and where it has none of a name, those that were recorded.
    pub(crate) fn of(
        graph: Option<&Graph>,
        inputs: &BTreeMap<String, Value>,
        state: &StackState,
        files: &FolderFiles,
        key: &StackKey,
    ) -> Result<Self, Vec<Diagnostic>> {
        let (mut connections, mut faults) = match graph {
            Some(graph) => Self::written(graph, inputs, &state.name, files),
            None => Default::default(),
        };
        for (name, record) in &state.targets {
            let Some(sealed) = record.http.as_ref().filter(|_| !connections.known.contains_key(name)) else {
                continue;
            };
            let added = Sealer::new(key).open(sealed).map_err(|e| e.diagnostic());
            faults.extend(added.and_then(|settings| connections.add(name, settings)).err());
        }
        if faults.is_empty() { Ok(connections) } else { Err(faults) }
    }

    /// Those of a blueprint; and what is wrong with the others, each at its place.
    pub(crate) fn written(
        graph: &Graph,
        inputs: &BTreeMap<String, Value>,
        stack: &str,
        files: &FolderFiles,
    ) -> (Self, Vec<Diagnostic>) {
        let (mut connections, mut faults) = (Self::default(), Vec::new());
        for (name, spec) in graph.targets.iter().filter(|(_, spec)| !spec.is_cluster()) {
            if let Some(read) = spec.references.iter().next() {
                let summary = format!("the connection `{name}` reads the resource `{read}`");
                let fault = Diagnostic::error("target.bad-connection", summary)
                    .with_help("a connection may read inputs and locals: it is there before any resource");
                faults.push(fault.at(spec.span, "this target"));
                continue;
            }
            match evaluate_early(graph, &spec.settings, inputs, stack, files) {
                Ok(settings) => {
                    let added = connections.add(name, settings);
                    faults.extend(added.err().map(|fault| spec.settings.locate(fault)));
                }
                Err(more) => faults.extend(more),
            }
        }
        (connections, faults)
    }

    /// Takes one in. `settings` was evaluated: a map.
    fn add(&mut self, name: &str, mut settings: Value) -> Result<(), Diagnostic> {
        // From here on they are masked, and sealed where they are kept.
        for at in CREDENTIALS {
            if let Some(leaf) = at_mut(&mut settings, at)
                && let Value::Text(text) = leaf
            {
                *leaf = Value::Secret(SecretText::new(std::mem::take(text)));
            }
        }
        let connection = Arc::new(Connection::new(name, &read(name, &settings)?)?);
        self.known.insert(name.to_owned(), Known { settings, connection });
        Ok(())
    }

    pub(crate) fn all(&self) -> BTreeMap<String, Arc<Connection>> {
        self.known.iter().map(|(name, known)| (name.clone(), known.connection.clone())).collect()
    }

    /// Every credential, with what is made of several: they are masked wherever a server echoes them.
    pub(crate) fn secrets(&self) -> Vec<SecretText> {
        let mut found = Vec::new();
        for known in self.known.values() {
            known.settings.each_leaf(&mut |_, leaf| {
                if let Value::Secret(secret) = leaf {
                    found.push(secret.clone());
                }
            });
        }
        found.retain(|secret| !secret.expose().is_empty());
        found
    }
}

/// What is a secret whether the blueprint says so or not.
const CREDENTIALS: [&str; 4] =
    ["/auth/basic/password", "/auth/bearer/token", "/auth/header/value", "/auth/mtls/key"];

impl Context {
    /// What is kept of the connections that were not recorded so: sealed, to be there when no blueprint is.
    pub(crate) fn connection_records(
        &self,
        recorded: &BTreeMap<String, TargetRecord>,
    ) -> Vec<(String, TargetRecord)> {
        let mut records = Vec::new();
        for (name, known) in &self.connections.known {
            let before = recorded.get(name).and_then(|record| record.http.as_ref());
            // Sealing the same twice gives two texts.
            if before.and_then(|sealed| self.open(sealed).ok()).as_ref() != Some(&known.settings) {
                let http = Some(self.seal(&known.settings));
                records.push((name.clone(), TargetRecord { http, ..TargetRecord::default() }));
            }
        }
        records
    }
}

/// Settings as evaluated: a map that the schema has let through.
fn read(name: &str, settings: &Value) -> Result<ConnectionSettings, Diagnostic> {
    let fault = |at: &str, why: &str| {
        Diagnostic::error("target.bad-connection", format!("target `{name}` is no connection: {why}"))
            .pointing(at)
    };
    let secret = |at: &str| match settings.at(at) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Secret(secret)) => Ok(Some(secret.clone())),
        Some(Value::Text(text)) => Ok(Some(SecretText::new(text.clone()))),
        Some(_) => Err(fault(at, &format!("`{at}` must be a text"))),
    };
    let text = |at: &str| Ok::<_, Diagnostic>(secret(at)?.map(|text| text.expose().to_owned()));
    let needed = |at: &str| secret(at)?.ok_or_else(|| fault(at, &format!("`{at}` is missing")));
    let has = |at: &str| !matches!(settings.at(at), None | Some(Value::Null));
    let auth = if has("/auth/basic") {
        Some(Auth::Basic {
            username: needed("/auth/basic/username")?,
            password: needed("/auth/basic/password")?,
        })
    } else if has("/auth/bearer") {
        Some(Auth::Bearer { token: needed("/auth/bearer/token")? })
    } else if has("/auth/header") {
        let name = text("/auth/header/name")?.unwrap_or_default();
        Some(Auth::Header { name, value: needed("/auth/header/value")? })
    } else if has("/auth/mtls") {
        Some(Auth::Mtls { certificate: needed("/auth/mtls/certificate")?, key: needed("/auth/mtls/key")? })
    } else {
        None
    };
    let mut headers = Vec::new();
    if let Some(Value::Map(fields)) = settings.at("/headers") {
        for (key, value) in fields {
            match value {
                Value::Secret(secret) => headers.push((key.clone(), secret.clone())),
                Value::Text(text) => headers.push((key.clone(), SecretText::new(text.clone()))),
                _ => {
                    let at = sheave_model::pointer::join("/headers", key);
                    return Err(fault(&at, "a header's value must be a text"));
                }
            }
        }
    }
    Ok(ConnectionSettings { url: text("/url")?.unwrap_or_default(), auth, ca: text("/ca")?, headers })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn credentials_are_masked_whether_they_were_called_secret_or_not() {
        let mut connections = Connections::default();
        let settings = json!({"url": "https://a", "auth": {"basic": {"username": "u", "password": "pw"}}, "headers": {"x": "y"}});
        connections.add("api", Value::from_json(&settings)).unwrap();
        let secrets: Vec<_> = connections.secrets().iter().map(|s| s.expose().to_owned()).collect();
        assert_eq!(secrets, ["pw"]);
        assert!(matches!(
            connections.known["api"].settings.at("/auth/basic/password"),
            Some(Value::Secret(_))
        ));
        assert_eq!(connections.all().len(), 1);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let mut connections = Connections::default();
        for (settings, why) in [
            (json!({"url": "ftp://a"}), "https://"),
            (json!({"url": "https://a", "auth": {"bearer": {}}}), "/auth/bearer/token"),
            (json!({"url": "https://a", "headers": {"x": 1}}), "header"),
        ] {
            let fault = connections.add("api", Value::from_json(&settings)).unwrap_err();
            assert_eq!(fault.code, "target.bad-connection");
            assert!(fault.summary.contains(why), "{}", fault.summary);
        }
    }
}
