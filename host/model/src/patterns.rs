//! Names with a wildcard, as grants and asks write them: kinds, namespaces, hosts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest host name, by DNS; kinds and namespaces are shorter.
const LONGEST: usize = 253;

/// A text that is no such pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPattern(String);

macro_rules! text_type {
    ($name:ident) => {
        impl $name {
            /// As it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadPattern;

            fn try_from(text: String) -> Result<Self, BadPattern> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(pattern: $name) -> Self {
                pattern.0
            }
        }
    };
}

/// Kinds of objects: `ConfigMap`, `apps/Deployment`, or every kind of a group, `cert-manager.io/*`.
///
/// Without a group it is Kubernetes' own kind of that name, of whichever of its own groups.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KindPattern(String);

text_type!(KindPattern);

impl std::str::FromStr for KindPattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let bad = || {
            BadPattern(format!(
                "`{text}` is no kind: write `ConfigMap`, `apps/Deployment` or `cert-manager.io/*`"
            ))
        };
        let (group, kind) = split(text);
        let kind_good = kind == "*" && group.is_some()
            || kind.starts_with(|c: char| c.is_ascii_uppercase())
                && kind.chars().all(|c| c.is_ascii_alphanumeric());
        let good = |g: &str| {
            !g.is_empty()
                && g.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c))
        };
        if text.len() > LONGEST || !kind_good || !group.is_none_or(good) {
            return Err(bad());
        }
        Ok(Self(text.to_owned()))
    }
}

impl KindPattern {
    /// Whether this kind is among those meant. `group` is empty for the core group.
    pub fn matches(&self, group: &str, kind: &str) -> bool {
        match split(&self.0) {
            (Some(own), "*") => own == group,
            (Some(own), name) => own == group && name == kind,
            (None, name) => name == kind && of_kubernetes(group),
        }
    }

    /// What both mean; none where they have nothing in common.
    pub fn common(&self, other: &Self) -> Option<Self> {
        if self.covers(other) {
            return Some(other.clone());
        }
        match (split(&self.0), split(&other.0)) {
            _ if other.covers(self) => Some(self.clone()),
            ((None, name), (Some(group), "*")) | ((Some(group), "*"), (None, name)) => {
                of_kubernetes(group).then(|| Self(format!("{group}/{name}")))
            }
            _ => None,
        }
    }

    /// Whether all that `other` means is meant by this one, too.
    pub fn covers(&self, other: &Self) -> bool {
        match (split(&self.0), split(&other.0)) {
            (a, b) if a == b => true,
            ((Some(a), "*"), (Some(b), _)) => a == b,
            ((None, a), (Some(group), b)) => a == b && of_kubernetes(group),
            _ => false,
        }
    }
}

fn split(text: &str) -> (Option<&str>, &str) {
    match text.rsplit_once('/') {
        Some((group, kind)) => (Some(group), kind),
        None => (None, text),
    }
}

/// Whether a group is one that Kubernetes keeps for itself: none, one word, or under `k8s.io`.
fn of_kubernetes(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io")
}

/// Names, such as namespaces: `blog`, `team-*`, `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamePattern(String);

text_type!(NamePattern);

impl std::str::FromStr for NamePattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let stem = text.strip_suffix('*').unwrap_or(text);
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if text.is_empty() || text.len() > LONGEST || !stem.chars().all(good) {
            return Err(BadPattern(format!("`{text}` is no name: write `blog`, `team-*` or `*`")));
        }
        Ok(Self(text.to_owned()))
    }
}

impl NamePattern {
    /// Whether this name is among those meant.
    pub fn matches(&self, name: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(stem) => name.starts_with(stem),
            None => self.0 == name,
        }
    }

    /// What both mean; none where they have nothing in common.
    pub fn common(&self, other: &Self) -> Option<Self> {
        match self.covers(other) {
            true => Some(other.clone()),
            false => other.covers(self).then(|| self.clone()),
        }
    }

    /// Whether all that `other` means is meant by this one, too.
    pub fn covers(&self, other: &Self) -> bool {
        match (self.0.strip_suffix('*'), other.0.strip_suffix('*')) {
            (Some(stem), Some(theirs)) => theirs.starts_with(stem),
            (None, Some(_)) => false,
            (_, None) => self.matches(&other.0),
        }
    }
}

/// Hosts: `files.example.com`, an address, `*.example.com` (every name below, not `example.com` itself), `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern(String);

text_type!(HostPattern);

impl std::str::FromStr for HostPattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let name = text.strip_prefix("*.").unwrap_or(text);
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        let edge = |c: char| c == '.' || c == '-';
        let named = !name.is_empty()
            && name.chars().all(good)
            && !name.starts_with(edge)
            && !name.ends_with(edge)
            && !name.contains("..")
            && (!name.contains(':') || name.parse::<std::net::Ipv6Addr>().is_ok() && name == text);
        if text.len() > LONGEST || text != "*" && !named {
            return Err(BadPattern(format!(
                "`{text}` is no host: write a name or an address without scheme, port and path, or `*.example.com`"
            )));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl HostPattern {
    /// Whether this host is among those meant: a name or an address, an IPv6 one without brackets. Case does not matter.
    pub fn matches(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        match self.0.strip_prefix('*') {
            Some("") => true,
            // `*.0.0.1` would be met by addresses, which have no names below them.
            Some(suffix) => {
                host.len() > suffix.len()
                    && host.ends_with(suffix)
                    && host.parse::<std::net::IpAddr>().is_err()
            }
            None => self.0 == host,
        }
    }

    /// Whether all that `other` means is meant by this one, too.
    pub fn covers(&self, other: &Self) -> bool {
        match (self.0.strip_prefix('*'), other.0.strip_prefix('*')) {
            (Some(suffix), Some(theirs)) => theirs.ends_with(suffix),
            (None, Some(_)) => false,
            (_, None) => self.matches(&other.0),
        }
    }

    /// Whether it means every host.
    pub fn is_any(&self) -> bool {
        self.0 == "*"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_without_group_is_kubernetes_own() {
        let kind: KindPattern = "Deployment".parse().unwrap();
        assert!(kind.matches("apps", "Deployment") && !kind.matches("evil.example", "Deployment"));
        let role: KindPattern = "Role".parse().unwrap();
        assert!(role.matches("rbac.authorization.k8s.io", "Role") && !role.matches("xk8s.io", "Role"));
        let group: KindPattern = "cert-manager.io/*".parse().unwrap();
        assert!(group.matches("cert-manager.io", "Issuer") && !group.matches("", "Issuer"));
        assert!(group.covers(&"cert-manager.io/Issuer".parse().unwrap()));
        for wrong in ["", "*", "configmap", "/Role", "a b/Role", "Con*", "apps/"] {
            assert!(wrong.parse::<KindPattern>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn hosts_below_a_name() {
        let host: HostPattern = "*.Example.com".parse().unwrap();
        for (name, inside) in [
            ("a.example.com", true),
            ("A.B.EXAMPLE.COM", true),
            ("example.com", false),
            ("evilexample.com", false),
        ] {
            assert_eq!(host.matches(name), inside, "{name}");
        }
        for wrong in ["", "*.", "*x.com", "a.*.com", "https://a", "a/b", "a:443", "a..b", "*.::1", ".a"] {
            assert!(wrong.parse::<HostPattern>().is_err(), "{wrong}");
        }
        assert!("::1".parse::<HostPattern>().is_ok() && "10.0.0.1".parse::<HostPattern>().is_ok());
    }

    #[test]
    fn covering_agrees_with_matching() {
        let names: Vec<NamePattern> =
            ["*", "team-*", "team-a*", "team-a", "blog"].map(|t| t.parse().unwrap()).into();
        let seen = ["team-", "team-a", "team-ab", "blog", "x"];
        for a in &names {
            for b in &names {
                if a.covers(b) {
                    assert!(seen.iter().all(|n| !b.matches(n) || a.matches(n)), "{a} {b}");
                }
            }
        }
    }
}
