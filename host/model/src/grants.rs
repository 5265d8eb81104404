//! What the operator lets a plugin do. Nothing is granted by default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::patterns::{HostPattern, KindPattern, NamePattern};

/// What the operator lets a plugin do, as the blueprint grants it or as it came out of asks and grants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Folders, each a preopen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filesystem: Vec<FolderGrant>,
    /// Whom it may speak HTTP with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpGrant>,
    /// The real clocks; without, fixed ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clock: bool,
    /// Real randomness; without, a seeded one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub random: bool,
    /// Environment variables; nothing is inherited.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Arguments after the program's name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// What `needs` may look up beyond the stack's own objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<ReadGrant>,
    /// Secrets that `reveal` opens, such as `inputs.password`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reveal: Vec<String>,
    /// Objects beyond the default.
    #[serde(default, skip_serializing_if = "EmitGrant::is_default")]
    pub emit: EmitGrant,
    /// Raised limits.
    #[serde(default, skip_serializing_if = "LimitRaises::is_empty")]
    pub limits: LimitRaises,
}

/// One folder that a plugin may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderGrant {
    /// The folder on the host; absolute once the blueprint's folder is known.
    pub path: String,
    /// What may be done in it.
    pub access: Access,
}

/// How a folder may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Read files and list folders.
    Read,
    /// That, and write, create and delete.
    Write,
}

/// Whom a plugin may speak HTTP with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HttpGrant {
    /// A connection of the blueprint's `targets:`; the host adds its credentials.
    Connection(ConnectionGrant),
    /// Hosts by name.
    Host(HostGrant),
}

/// A connection that a plugin may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionGrant {
    /// Its name under `targets:`.
    pub connection: String,
    /// Methods in upper case; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
}

/// Hosts that a plugin may speak with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostGrant {
    /// Which.
    pub host: HostPattern,
    /// Ports; empty: see [`HostGrant::ports`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// Methods in upper case; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Also addresses that are private, loopback, link-local, of metadata services.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// Also without TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
}

impl HostGrant {
    /// The ports that are meant: those named, else 443, with `plain` 80.
    pub fn ports(&self) -> &[u16] {
        match (&self.ports[..], self.plain) {
            ([], false) => &[443],
            ([], true) => &[80],
            (named, _) => named,
        }
    }
}

/// Whether a method is among these; none named: all are.
pub fn allows_method(methods: &[String], method: &str) -> bool {
    methods.is_empty() || methods.iter().any(|m| m.eq_ignore_ascii_case(method))
}

/// Live objects that a plugin may look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadGrant {
    /// Kinds.
    pub kinds: Vec<KindPattern>,
    /// Namespaces; empty: the target's own. Cluster-scoped kinds stand in none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<NamePattern>,
}

/// What an emitter may emit. The default: every namespaced kind but those of access control, into the target's own
/// namespace of the resource's target, no pod that is more than a pod, secrets in Secrets alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EmitGrant {
    /// Only these namespaced kinds; none: every one.
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
}

impl EmitGrant {
    /// Whether nothing is said.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What is dangerous in an object, and must be named to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Danger {
    /// Roles and their bindings.
    Rbac,
    /// Webhooks, admission policies, API services, and conversions: what stands between a client and the API server.
    Webhooks,
    /// Containers with more rights than a container has.
    Privileged,
    /// Folders of the node.
    HostPath,
    /// The node's network, processes and ports.
    HostNetwork,
    /// The namespaces that Kubernetes itself runs in.
    KubeSystem,
}

impl Danger {
    /// Each with the word that a grant writes.
    pub const ALL: [(&'static str, Self); 6] = [
        ("rbac", Self::Rbac),
        ("webhooks", Self::Webhooks),
        ("privileged", Self::Privileged),
        ("host-path", Self::HostPath),
        ("host-network", Self::HostNetwork),
        ("kube-system", Self::KubeSystem),
    ];

    /// As a grant writes it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, danger)| *danger == self).map_or("", |(word, _)| word)
    }
}

/// Where in objects of a kind secrets may stand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretPlace {
    /// The kind.
    pub kind: KindPattern,
    /// An RFC 6901 pointer: what stands there and beneath.
    pub pointer: String,
}

impl SecretPlace {
    /// Whether this pointer is there or beneath.
    pub fn holds(&self, pointer: &str) -> bool {
        crate::pointer::is_within(pointer, &self.pointer)
    }
}

/// Limits that the operator raised; none keeps the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LimitRaises {
    /// Memory summed over the instance's memories, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u32>,
    /// Wall clock of one call, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_millis: Option<u32>,
    /// Size of one reply, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_mib: Option<u32>,
    /// Fuel of a pure call, in millions of units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel_millions: Option<u32>,
}

impl LimitRaises {
    /// Whether nothing was raised.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
