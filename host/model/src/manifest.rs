//! What a plugin says of itself: its manifest, and in it what it asks for and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::grants::{Access, Danger, EmitGrant, LimitRaises, SecretPlace};
use crate::patterns::{HostPattern, KindPattern, NamePattern};

/// The custom section of a component that holds the manifest.
pub const SECTION: &str = "sheave:manifest";

/// The largest manifest: a page of reasons has 4 KB.
pub const MAX_MANIFEST: usize = 64 << 10;

/// The longest text in a manifest, in bytes: a reason is a sentence, and all of them are shown.
const MAX_TEXT: usize = 2_000;

/// A plugin's manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginManifest {
    /// Its name.
    pub name: String,
    /// Its version, as SemVer has them.
    pub version: semver::Version,
    /// An SPDX expression.
    pub licence: String,
    /// One line for people.
    pub description: String,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// The interface that it was built for: `sheave:plugin@0.1.0`.
    pub wit: String,
    /// What it asks for.
    #[serde(default, skip_serializing_if = "Asks::is_empty")]
    pub asks: Asks,
}

/// Why a section is no manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadManifest {
    /// Larger than [`MAX_MANIFEST`].
    #[error("it has {0} bytes, {MAX_MANIFEST} are allowed")]
    TooLarge(usize),
    /// No JSON, or of another shape.
    #[error("{0}")]
    Shape(String),
    /// A field that is empty, too long, or not what it should be.
    #[error("`{field}` {why}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl PluginManifest {
    /// Reads a manifest as it stands in a component. The bytes may be anything.
    pub fn read(bytes: &[u8]) -> Result<Self, BadManifest> {
        if bytes.len() > MAX_MANIFEST {
            return Err(BadManifest::TooLarge(bytes.len()));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|e| BadManifest::Shape(e.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The bytes for a component.
    pub fn write(&self) -> Result<Vec<u8>, BadManifest> {
        self.check()?;
        let bytes = serde_json::to_vec(self).map_err(|e| BadManifest::Shape(e.to_string()))?;
        if bytes.len() > MAX_MANIFEST {
            return Err(BadManifest::TooLarge(bytes.len()));
        }
        Ok(bytes)
    }

    /// The manifest as a custom section of WebAssembly: what is appended to a component.
    pub fn section(&self) -> Result<Vec<u8>, BadManifest> {
        let content = self.write()?;
        let mut body = leb128(SECTION.len());
        body.extend(SECTION.as_bytes());
        body.extend(content);
        let mut section = vec![0];
        section.extend(leb128(body.len()));
        section.extend(body);
        Ok(section)
    }

    fn check(&self) -> Result<(), BadManifest> {
        let bad = |field, why: &str| Err(BadManifest::Field { field, why: why.to_owned() });
        if !crate::address::is_name(&self.name) {
            return bad("name", "is no name: a letter, then letters, digits, `-` and `_`; at most 63");
        }
        let spdx = |c: char| c.is_ascii_alphanumeric() || " .-+()".contains(c);
        if self.licence.is_empty() || !self.licence.chars().all(spdx) {
            return bad("licence", "is no SPDX expression, such as `Apache-2.0`");
        }
        if self.description.is_empty() {
            return bad("description", "is empty");
        }
        if !self.wit.starts_with("sheave:plugin@") {
            return bad("wit", "names no interface of Sheave's, such as `sheave:plugin@0.1.0`");
        }
        let texts = [("licence", &self.licence), ("description", &self.description), ("wit", &self.wit)];
        for (field, text) in texts.into_iter().chain(self.homepage.iter().map(|h| ("homepage", h))) {
            if text.len() > MAX_TEXT {
                return bad(field, "is too long");
            }
        }
        for why in self.asks.reasons() {
            if why.trim().is_empty() {
                return bad("asks", "holds an ask without a reason: `why` says what it is for");
            }
            if why.len() > MAX_TEXT {
                return bad("asks", "holds a reason that is too long");
            }
        }
        Ok(())
    }
}

/// A length as WebAssembly writes it: seven bits a byte, the lowest first.
fn leb128(mut number: usize) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

/// What a plugin asks for. What is left out of an entry (ports, methods, namespaces) is left to the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asks {
    /// Folders that the operator names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filesystem: Vec<FolderAsk>,
    /// Whom it would speak HTTP with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpAsk>,
    /// The real clocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Reason>,
    /// Real randomness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<Reason>,
    /// Environment variables by name; `*`: any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Reason>,
    /// Arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Reason>,
    /// Live objects to look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<ReadAsk>,
    /// To see secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reveal: Option<Reason>,
    /// Objects beyond the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emit: Option<EmitAsk>,
    /// Limits that it is likely to need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsAsk>,
}

/// Why something is asked for, where there is no more to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// For the operator.
    pub why: String,
}

/// A folder that the operator would name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderAsk {
    /// A proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What would be done in it.
    pub access: Access,
    /// For the operator.
    pub why: String,
}

/// Whom a plugin would speak HTTP with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HttpAsk {
    /// A connection that the operator would name.
    Connection(ConnectionAsk),
    /// Hosts.
    Host(HostAsk),
}

/// A connection that the operator would name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionAsk {
    /// Its name under `targets:`; `*`: whatever it is called there.
    pub connection: NamePattern,
    /// Methods; empty: any that is granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// For the operator.
    pub why: String,
}

/// Hosts that a plugin would speak with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostAsk {
    /// Which.
    pub host: HostPattern,
    /// Ports; empty: any that is granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// Methods; empty: any that is granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Also private addresses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// Also without TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
    /// For the operator.
    pub why: String,
}

/// Live objects that a plugin would look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadAsk {
    /// Kinds.
    pub kinds: Vec<KindPattern>,
    /// Namespaces; empty: any that is granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<NamePattern>,
    /// For the operator.
    pub why: String,
}

/// Objects that an emitter would emit. As [`EmitGrant`], with a reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EmitAsk {
    /// The only namespaced kinds that it emits; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<KindPattern>>,
    /// Namespaces beside the target's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<NamePattern>,
    /// Targets beside the resource's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<NamePattern>,
    /// Kinds that stand in no namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cluster_scoped: Vec<KindPattern>,
    /// What is dangerous.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Danger>,
    /// Places for secrets beside the data of Secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets_in: Vec<SecretPlace>,
    /// For the operator.
    pub why: String,
}

impl EmitAsk {
    /// What is asked for, without the reason.
    pub fn asked(&self) -> EmitGrant {
        EmitGrant {
            kinds: self.kinds.clone(),
            namespaces: self.namespaces.clone(),
            targets: self.targets.clone(),
            cluster_scoped: self.cluster_scoped.clone(),
            allow: self.allow.clone(),
            secrets_in: self.secrets_in.clone(),
        }
    }
}

/// Limits that a plugin is likely to need: a recommendation, the operator's raises hold without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsAsk {
    /// Which, and how high.
    #[serde(flatten)]
    pub limits: LimitRaises,
    /// For the operator.
    pub why: String,
}

impl Asks {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Every reason that is given.
    pub fn reasons(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.filesystem.iter().map(|a| a.why.as_str()).collect();
        all.extend(self.http.iter().map(|a| match a {
            HttpAsk::Connection(c) => c.why.as_str(),
            HttpAsk::Host(h) => h.why.as_str(),
        }));
        let plain = [&self.clock, &self.random, &self.args, &self.reveal];
        all.extend(plain.into_iter().flatten().chain(self.env.values()).map(|r| r.why.as_str()));
        all.extend(self.read.iter().map(|a| a.why.as_str()));
        all.extend(self.emit.iter().map(|a| a.why.as_str()));
        all.extend(self.limits.iter().map(|a| a.why.as_str()));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"name":"x","version":"1.2.3","licence":"Apache-2.0 OR MIT","description":"d",
        "wit":"sheave:plugin@0.1.0","asks":{"filesystem":[{"access":"write","why":"w"}],"clock":{"why":"w"},
        "emit":{"cluster-scoped":["ClusterRole"],"allow":["rbac"],"why":"w"},
        "http":[{"connection":"*","why":"w"},{"host":"*.example.com","why":"w"}],
        "limits":{"memory-mib":256,"why":"w"}}}"#;

    #[test]
    fn what_is_written_is_read() {
        let manifest = PluginManifest::read(GOOD.as_bytes()).unwrap();
        assert_eq!(PluginManifest::read(&manifest.write().unwrap()).unwrap(), manifest);
        assert_eq!(manifest.asks.reasons().len(), 6);
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        let with = |from: &str, to: &str| GOOD.replacen(from, to, 1);
        for (text, part) in [
            (String::new(), "EOF"),
            ("[]".into(), "invalid length"),
            ("[".repeat(10_000), "invalid type"),
            (with("1.2.3", "one"), "unexpected character"),
            (with("\"name\":\"x\"", "\"name\":\"../x\""), "`name`"),
            (with("\"description\":\"d\"", "\"description\":\"\""), "`description`"),
            (with("Apache-2.0 OR MIT", "\\u001b[2J"), "`licence`"),
            (with("sheave:plugin", "other:plugin"), "`wit`"),
            (with("\"why\":\"w\"", "\"why\":\" \""), "without a reason"),
            (with("\"rbac\"", "\"root\""), "root"),
            (with("\"clock\"", "\"clocks\""), "clocks"),
            (with("*.example.com", "https://x"), "untagged"),
            (with("\"d\"", &format!("\"{}\"", "d".repeat(MAX_TEXT + 1))), "too long"),
            (with("\"d\"", &format!("\"{}\"", "d".repeat(MAX_MANIFEST))), "are allowed"),
        ] {
            let why = PluginManifest::read(text.as_bytes()).unwrap_err().to_string();
            assert!(why.contains(part), "{part}: {why}");
        }
        assert!(PluginManifest::read(b"\xff\xfe{}").is_err());
    }
}
