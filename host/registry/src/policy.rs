//! The operator's policy: who may sign what is taken from where.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use serde::Deserialize;

use crate::fault::RegistryError;
use crate::key::PublicKey;
use crate::settings::read_text;
use crate::source::{SCHEME, Source};

/// The file's name, in the user's configuration folder.
pub const POLICY_FILE: &str = "policy.yaml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    signers: BTreeMap<String, KeyEntry>,
    #[serde(default)]
    sources: Vec<SourceEntry>,
    files: Option<FilesEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    /// A PEM text, or the file of one; relative to the policy's folder.
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SourceEntry {
    r#match: String,
    signers: Option<Vec<String>>,
    unsigned: Option<bool>,
    signed_as: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilesEntry {
    signers: Option<Vec<String>>,
    unsigned: Option<bool>,
}

/// A policy that was read and makes sense. Where there is none, everything may be used.
#[derive(Debug)]
pub struct Policy {
    path: PathBuf,
    signers: BTreeMap<String, PublicKey>,
    rules: Vec<Rule>,
    files: Option<Demand>,
}

#[derive(Debug)]
struct Rule {
    matcher: GlobMatcher,
    demand: Demand,
    signed_as: Option<String>,
}

/// What is demanded of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Nothing.
    Nothing,
    /// A signature of one of these.
    Signed(Vec<String>),
}

impl Policy {
    /// The policy in a file; none where there is no file.
    pub fn read(path: &Path) -> Result<Option<Self>, RegistryError> {
        match read_text(path)? {
            Some(text) => Self::parse(path, &text)
                .map(Some)
                .map_err(|why| RegistryError::Settings { path: path.to_owned(), why }),
            None => Ok(None),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, String> {
        let file: File = serde_saphyr::from_str(text).map_err(|e| e.to_string())?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut signers = BTreeMap::new();
        for (name, entry) in file.signers {
            let of = |why: String| format!("the signer `{name}`: {why}");
            let key = if entry.key.contains("-----BEGIN") {
                PublicKey::from_pem(&entry.key).map_err(of)?
            } else {
                PublicKey::read(&folder.join(&entry.key)).map_err(|e| of(e.to_string()))?
            };
            signers.insert(name, key);
        }
        let known = |demand: &Demand| match demand {
            Demand::Signed(names) => match names.iter().find(|n| !signers.contains_key(*n)) {
                Some(name) => Err(format!("`{name}` does not stand under `signers`")),
                None => Ok(()),
            },
            Demand::Nothing => Ok(()),
        };
        let mut rules = Vec::new();
        for entry in file.sources {
            let of = |why: String| format!("the rule for `{}`: {why}", entry.r#match);
            let pattern = entry.r#match.strip_prefix(SCHEME).unwrap_or(&entry.r#match);
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            let matcher = glob.map_err(|e| of(e.to_string()))?.compile_matcher();
            let demand = demand(entry.signers, entry.unsigned).map_err(of)?;
            known(&demand).map_err(of)?;
            let signed_as = entry.signed_as.map(|s| s.strip_prefix(SCHEME).unwrap_or(&s).to_owned());
            rules.push(Rule { matcher, demand, signed_as });
        }
        let files = match file.files {
            Some(entry) => {
                let demand =
                    demand(entry.signers, entry.unsigned).map_err(|why| format!("`files`: {why}"))?;
                known(&demand).map_err(|why| format!("`files`: {why}"))?;
                Some(demand)
            }
            None => None,
        };
        Ok(Self { path: path.to_owned(), signers, rules, files })
    }

    /// What is demanded of a source in a registry, and the name that a signature has to give it. The first rule that
    /// matches counts.
    pub(crate) fn of_source(&self, source: &Source) -> Result<(Demand, String), RegistryError> {
        let identity = source.identity();
        match self.rules.iter().find(|r| r.matcher.is_match(&identity)) {
            Some(rule) => Ok((rule.demand.clone(), rule.signed_as.clone().unwrap_or(identity))),
            None => Err(self.no_rule(source.name())),
        }
    }

    /// What is demanded of a component in a file.
    pub(crate) fn of_file(&self, source: &str) -> Result<Demand, RegistryError> {
        self.files.clone().ok_or_else(|| self.no_rule(source.to_owned()))
    }

    fn no_rule(&self, source: String) -> RegistryError {
        RegistryError::NoRule { plugin: source, policy: self.path.clone() }
    }

    /// The keys of all signers, by name.
    pub(crate) fn signers(&self) -> &BTreeMap<String, PublicKey> {
        &self.signers
    }
}

fn demand(signers: Option<Vec<String>>, unsigned: Option<bool>) -> Result<Demand, String> {
    match (signers, unsigned) {
        (Some(names), None) if !names.is_empty() => Ok(Demand::Signed(names)),
        (None, Some(true)) => Ok(Demand::Nothing),
        _ => Err("it says either `signers: [NAME, ...]` or `unsigned: true`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::PrivateKey;

    fn policy(rest: &str) -> Result<Policy, RegistryError> {
        let folder = tempfile::tempdir().unwrap();
        PrivateKey::generate().unwrap().write(&folder.path().join("acme"), b"").unwrap();
        let path = folder.path().join(POLICY_FILE);
        std::fs::write(&path, format!("signers: {{acme: {{key: acme.pub}}}}\n{rest}")).unwrap();
        Policy::read(&path).map(Option::unwrap)
    }

    fn of(policy: &Policy, text: &str) -> Option<(Demand, String)> {
        policy.of_source(&Source::parse(text).unwrap()).ok()
    }

    #[test]
    fn the_first_rule_that_matches_counts() {
        let policy = policy(
            "sources:\n- {match: 'oci://r.example.com/acme/try-*', unsigned: true}\n- {match: 'r.example.com/acme/**', signers: [acme]}\n- {match: 'm.example.com/dns', signers: [acme], signed-as: oci://r.example.com/acme/dns}\n",
        )
        .unwrap();
        let signed = Demand::Signed(vec!["acme".into()]);
        let demand = |text: &str| of(&policy, text).map(|(demand, _)| demand);
        assert_eq!(demand("oci://r.example.com/acme/try-x:1"), Some(Demand::Nothing));
        assert_eq!(demand("oci://r.example.com/acme/dns:1"), Some(signed.clone()));
        assert_eq!(demand("oci://r.example.com/acme/a/b:1"), Some(signed.clone()));
        assert_eq!(demand("oci://r.example.com/other/dns:1"), None);
        assert_eq!(demand("oci://r.example.com.evil.example/acme/dns:1"), None);
        assert_eq!(of(&policy, "oci://m.example.com/dns:1"), Some((signed, "r.example.com/acme/dns".into())));
        assert!(policy.of_file("./x.wasm").is_err(), "files were not named");
    }

    #[test]
    fn files_have_a_rule_of_their_own() {
        assert_eq!(policy("files: {unsigned: true}").unwrap().of_file("x").unwrap(), Demand::Nothing);
        let signed = policy("files: {signers: [acme]}").unwrap().of_file("x").unwrap();
        assert_eq!(signed, Demand::Signed(vec!["acme".into()]));
    }

    #[test]
    fn a_policy_that_makes_no_sense_is_refused() {
        for rest in [
            "sources: [{match: 'a.b/**'}]",
            "sources: [{match: 'a.b/**', signers: []}]",
            "sources: [{match: 'a.b/**', unsigned: false}]",
            "sources: [{match: 'a.b/**', signers: [acme], unsigned: true}]",
            "sources: [{match: 'a.b/**', signers: [nobody]}]",
            "sources: [{match: 'a.b/[', unsigned: true}]",
            "sources: [{match: 'a.b/**', unsigned: true, extra: 1}]",
            "files: {signers: [nobody]}",
            "source: []",
        ] {
            assert!(matches!(policy(rest), Err(RegistryError::Settings { .. })), "{rest}");
        }
        assert!(Policy::read(Path::new("/nonexistent/policy.yaml")).unwrap().is_none());
    }
}
