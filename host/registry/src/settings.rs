//! `registries.yaml` of the operator's configuration folder: mirrors, plain HTTP, certificates.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::bounded::read_at_most;
use crate::fault::RegistryError;

/// The file's name, in the user's configuration folder.
pub const SETTINGS_FILE: &str = "registries.yaml";

/// The largest settings or policy file: real ones have some lines.
pub(crate) const MAX_SETTINGS: u64 = 1 << 20;

/// How registries are reached. The default: over TLS, each by its own name, without mirrors.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// By host, with the port where one is written in sources.
    #[serde(default)]
    registries: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Asked before it, in this order: `HOST` or `HOST/PATH`, where the repository's own path follows.
    #[serde(default)]
    mirrors: Vec<String>,
    /// Plain HTTP. Default: for this machine's own loopback addresses only.
    http: Option<bool>,
    /// Certificates (PEM) that are trusted for it beside the system's; relative to the file's folder.
    ca: Option<PathBuf>,
}

/// One place that can be asked for what a source names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Endpoint {
    /// The host, and its port where it has one.
    pub(crate) host: String,
    /// What stands before the repository there, without slashes at its ends.
    pub(crate) prefix: String,
    /// Plain HTTP.
    pub(crate) http: bool,
    /// The file of certificates that are trusted for it.
    pub(crate) ca: Option<PathBuf>,
}

impl Settings {
    /// The settings of a folder; the default where there is no file.
    pub fn read(folder: &Path) -> Result<Self, RegistryError> {
        let path = folder.join(SETTINGS_FILE);
        let Some(text) = read_text(&path)? else { return Ok(Self::default()) };
        let wrong = |why: String| RegistryError::Settings { path: path.clone(), why };
        let mut settings: Self = serde_saphyr::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        for (host, entry) in &mut settings.registries {
            if host.contains('/') {
                return Err(wrong(format!("`{host}` is no host: a path stands in sources and mirrors only")));
            }
            if let Some(mirror) = entry.mirrors.iter().find(|m| m.contains("://") || m.starts_with('/')) {
                return Err(wrong(format!("the mirror `{mirror}` is not written as HOST or HOST/PATH")));
            }
            entry.ca = entry.ca.as_ref().map(|ca| folder.join(ca));
        }
        Ok(settings)
    }

    /// The places to ask for what is in a registry, mirrors first.
    pub(crate) fn endpoints(&self, registry: &str) -> Vec<Endpoint> {
        let mirrors = self.registries.get(registry).map(|e| e.mirrors.as_slice()).unwrap_or_default();
        let mirrors = mirrors.iter().map(|m| m.split_once('/').unwrap_or((m, "")));
        mirrors.map(|(host, prefix)| self.endpoint(host, prefix)).chain([self.origin(registry)]).collect()
    }

    /// The registry itself: what is pushed goes nowhere else.
    pub(crate) fn origin(&self, registry: &str) -> Endpoint {
        self.endpoint(registry, "")
    }

    fn endpoint(&self, host: &str, prefix: &str) -> Endpoint {
        let entry = self.registries.get(host);
        Endpoint {
            host: host.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            http: entry.and_then(|e| e.http).unwrap_or_else(|| is_loopback(host)),
            ca: entry.and_then(|e| e.ca.clone()),
        }
    }
}

/// Whether a host is this machine. Other tools take plain HTTP there without being told, too.
fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok_and(|a| a.is_loopback())
}

/// The text of a file of the operator's; none where there is no file.
pub(crate) fn read_text(path: &Path) -> Result<Option<String>, RegistryError> {
    let wrong = |why: String| RegistryError::Settings { path: path.to_owned(), why };
    let Some(bytes) = read_at_most(path, MAX_SETTINGS).map_err(|e| wrong(e.to_string()))? else {
        return Ok(None);
    };
    String::from_utf8(bytes).map(Some).map_err(|_| wrong("it is not UTF-8 text".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<Settings, RegistryError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(SETTINGS_FILE), text).unwrap();
        Settings::read(folder.path())
    }

    #[test]
    fn mirrors_come_first_and_have_settings_of_their_own() {
        let text = "registries:\n  r.example.com: {mirrors: [m.example.com/r/, 127.0.0.1:5000], http: false}\n  m.example.com: {http: true}\n";
        let endpoints = settings(text).unwrap().endpoints("r.example.com");
        let said: Vec<_> = endpoints.iter().map(|e| (e.host.as_str(), e.prefix.as_str(), e.http)).collect();
        assert_eq!(
            said,
            [("m.example.com", "r", true), ("127.0.0.1:5000", "", true), ("r.example.com", "", false)]
        );
    }

    #[test]
    fn nothing_written_is_tls_everywhere_but_on_this_machine() {
        let none = Settings::read(Path::new("/nonexistent")).unwrap();
        for (host, http) in
            [("r.example.com", false), ("localhost:5000", true), ("127.0.0.2", true), ("10.0.0.1", false)]
        {
            assert_eq!(none.endpoints(host)[0].http, http, "{host}");
        }
        assert!(!settings("registries: {localhost: {http: false}}").unwrap().origin("localhost").http);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "registry: {}",
            "registries: {a.b: {mirror: [x]}}",
            "registries: {a.b/c: {}}",
            "registries: {a.b: {mirrors: ['https://m.example.com']}}",
        ] {
            assert!(matches!(settings(text), Err(RegistryError::Settings { .. })), "{text}");
        }
    }
}
