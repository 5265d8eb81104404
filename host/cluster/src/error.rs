//! What can go wrong with a cluster, sorted by what an operator does about it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use sheave_model::{Diagnostic, ObjectId};

/// What a server or a tool of the user's said. It may echo a value that was sent: mask it before it is shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// The longest text that is kept: the rest of a longer one helps nobody.
    const MAX_CHARS: usize = 4_000;

    pub(crate) fn new(text: &str) -> Self {
        Self(text.trim().chars().take(Self::MAX_CHARS).collect())
    }

    /// The text, unmasked.
    pub fn unmasked(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({} bytes)", self.0.len())
    }
}

/// A field that another manager owns, and that an apply would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldConflict {
    /// The other field manager.
    pub manager: String,
    /// The field as the server writes it: `.spec.replicas`.
    pub field: String,
    /// Its pointer in the object that was sent; none where it could not be found there.
    pub pointer: Option<String>,
    /// What was sent, as JSON; none where the field is sensitive.
    pub ours: Option<Words>,
    /// What is there, as JSON; none where the field is sensitive or could not be read.
    pub theirs: Option<Words>,
}

/// One reason why an object is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The field as the server writes it: `spec.ports[0].port`; may be empty.
    pub field: String,
    /// What is wrong with it.
    pub message: Words,
}

/// What is wrong with a kubeconfig, or with the way a target names one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KubeconfigFault {
    /// There is no such file.
    #[error("there is no kubeconfig at {}", .0.display())]
    NoFile(PathBuf),
    /// It cannot be read.
    #[error("the kubeconfig {} cannot be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why, without its content.
        why: String,
    },
    /// It has no such context.
    #[error("there is no context `{wanted}`")]
    NoContext {
        /// The name that was asked for.
        wanted: String,
        /// The names that there are.
        known: Vec<String>,
        /// The one that was probably meant.
        nearest: Option<String>,
    },
    /// No context was asked for, and none is current.
    #[error("no context is named, and the kubeconfig has no current one")]
    NoCurrentContext {
        /// The names that there are.
        known: Vec<String>,
    },
    /// The context's parts do not fit, or a certificate cannot be loaded.
    #[error("{0}")]
    Broken(String),
    /// We are in no pod, though the target says so.
    #[error("the target is `in-cluster`, but this process runs in no pod: {0}")]
    NotInCluster(String),
}

/// Why a cluster did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClusterError {
    /// The settings or the kubeconfig are wrong; nothing was asked.
    #[error("target `{target}`: {fault}")]
    Kubeconfig {
        /// The target's name.
        target: String,
        /// What is wrong.
        fault: KubeconfigFault,
    },
    /// No answer could be had.
    #[error("target `{target}` cannot be reached at {server}: {why}")]
    Unreachable {
        /// The target's name.
        target: String,
        /// The server's URL.
        server: String,
        /// The connection's own words.
        why: String,
    },
    /// The server's certificate is not trusted.
    #[error("the certificate of target `{target}` at {server} is not trusted: {why}")]
    Untrusted {
        /// The target's name.
        target: String,
        /// The server's URL.
        server: String,
        /// The connection's own words.
        why: String,
    },
    /// Our credentials could not be had, such as from a credential plugin.
    #[error("the credentials for target `{target}` could not be had: {why}")]
    Credentials {
        /// The target's name.
        target: String,
        /// What failed.
        why: String,
        /// What a plugin wrote to its standard error.
        words: Words,
    },
    /// Our credentials are wrong or have expired.
    #[error("target `{target}` does not accept our credentials")]
    Unauthorized {
        /// The target's name.
        target: String,
        /// The server's words.
        words: Words,
    },
    /// We may not do that.
    #[error("not allowed to {what}")]
    Forbidden {
        /// What was tried: `list Deployment in namespace blog`.
        what: String,
        /// The server's words.
        words: Words,
    },
    /// There is no such object.
    #[error("cannot {what}: it does not exist")]
    NotFound {
        /// What was tried.
        what: String,
    },
    /// Other managers own fields that the apply would change.
    #[error("cannot {what}: {}", owners(conflicts))]
    Conflict {
        /// What was tried.
        what: String,
        /// The fields and who owns them.
        conflicts: Vec<FieldConflict>,
        /// The server's words.
        words: Words,
    },
    /// The object is not the one, or not in the state, that the request was made for.
    #[error("cannot {what}: the object has changed meanwhile")]
    Stale {
        /// What was tried.
        what: String,
        /// The server's words.
        words: Words,
    },
    /// The object breaks the rules of its kind.
    #[error("cannot {what}: the cluster finds it invalid")]
    Invalid {
        /// What was tried.
        what: String,
        /// What is wrong with it, field by field; may be empty.
        causes: Vec<Cause>,
        /// The server's words.
        words: Words,
    },
    /// It exists already.
    #[error("cannot {what}: it exists already")]
    AlreadyExists {
        /// What was tried.
        what: String,
    },
    /// The cluster serves no such kind.
    #[error("the cluster has no kind `{kind}` in `{api_version}`")]
    NoSuchKind {
        /// `example.com/v1`.
        api_version: String,
        /// `Widget`.
        kind: String,
        /// `apiVersion` and kind of what was probably meant.
        nearest: Option<(String, String)>,
    },
    /// The namespace does not exist.
    #[error("cannot {what}: there is no namespace `{namespace}`")]
    NamespaceMissing {
        /// What was tried.
        what: String,
        /// The namespace.
        namespace: String,
    },
    /// The namespace is being deleted.
    #[error("cannot {what}: namespace `{namespace}` is being deleted")]
    NamespaceTerminating {
        /// What was tried.
        what: String,
        /// The namespace.
        namespace: String,
    },
    /// A quota stands in the way.
    #[error("cannot {what}: a quota is used up")]
    QuotaExceeded {
        /// What was tried.
        what: String,
        /// The server's words.
        words: Words,
    },
    /// A webhook or policy of the cluster refuses it, or cannot be asked.
    #[error("cannot {what}: {by} refuses it")]
    Refused {
        /// What was tried.
        what: String,
        /// `webhook example.com`, `policy no-root`.
        by: String,
        /// The server's words.
        words: Words,
    },
    /// The server sheds load.
    #[error("cannot {what}: the cluster is busy, and stayed so for {} s", waited.as_secs())]
    TooManyRequests {
        /// What was tried.
        what: String,
        /// How long we waited as it asked us to.
        waited: Duration,
        /// The server's words.
        words: Words,
    },
    /// No answer in time.
    #[error("cannot {what}: no answer within {} s", after.as_secs())]
    Timeout {
        /// What was tried.
        what: String,
        /// The limit.
        after: Duration,
    },
    /// The server failed, or gave an answer that is none.
    #[error("cannot {what}: the cluster failed with status {status}")]
    Server {
        /// What was tried.
        what: String,
        /// The HTTP status.
        status: u16,
        /// The server's words.
        words: Words,
    },
}

fn owners(conflicts: &[FieldConflict]) -> String {
    let mut named: Vec<String> = Vec::new();
    for conflict in conflicts {
        let entry = format!("`{}` owns {}", conflict.manager, conflict.field);
        if !named.contains(&entry) {
            named.push(entry);
        }
    }
    const SHOWN: usize = 5;
    let more = named.len().saturating_sub(SHOWN);
    named.truncate(SHOWN);
    let listed = named.join(", ");
    if more > 0 { format!("{listed} and {more} more") } else { listed }
}

impl ClusterError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Kubeconfig { fault: KubeconfigFault::NoContext { .. }, .. } => "cluster.no-context",
            Self::Kubeconfig { .. } => "cluster.kubeconfig",
            Self::Unreachable { .. } => "cluster.unreachable",
            Self::Untrusted { .. } => "cluster.untrusted",
            Self::Credentials { .. } => "cluster.credentials",
            Self::Unauthorized { .. } => "cluster.unauthorized",
            Self::Forbidden { .. } => "cluster.forbidden",
            Self::NotFound { .. } => "cluster.not-found",
            Self::Conflict { .. } => "cluster.conflict",
            Self::Stale { .. } => "cluster.stale",
            Self::Invalid { .. } => "cluster.invalid",
            Self::AlreadyExists { .. } => "cluster.already-exists",
            Self::NoSuchKind { .. } => "cluster.no-such-kind",
            Self::NamespaceMissing { .. } => "cluster.namespace-missing",
            Self::NamespaceTerminating { .. } => "cluster.namespace-terminating",
            Self::QuotaExceeded { .. } => "cluster.quota-exceeded",
            Self::Refused { .. } => "cluster.refused",
            Self::TooManyRequests { .. } => "cluster.too-many-requests",
            Self::Timeout { .. } => "cluster.timeout",
            Self::Server { .. } => "cluster.server",
        }
    }

    /// The server's own words, unmasked, where it said something.
    pub fn words(&self) -> Option<&Words> {
        match self {
            Self::Credentials { words, .. }
            | Self::Unauthorized { words, .. }
            | Self::Forbidden { words, .. }
            | Self::Conflict { words, .. }
            | Self::Stale { words, .. }
            | Self::Invalid { words, .. }
            | Self::QuotaExceeded { words, .. }
            | Self::Refused { words, .. }
            | Self::TooManyRequests { words, .. }
            | Self::Server { words, .. } => Some(words).filter(|w| !w.0.is_empty()),
            _ => None,
        }
    }

    /// Whether nothing can be asked of this target at all, so that other requests to it would fail alike.
    pub fn is_target_lost(&self) -> bool {
        matches!(
            self,
            Self::Kubeconfig { .. }
                | Self::Unreachable { .. }
                | Self::Untrusted { .. }
                | Self::Credentials { .. }
                | Self::Unauthorized { .. }
        )
    }

    /// The fields that cannot be changed in place, where that is why the object is invalid: to change them it must be
    /// replaced.
    pub fn immutable_fields(&self) -> Vec<&str> {
        let Self::Invalid { causes, .. } = self else { return Vec::new() };
        let fixed = |c: &&Cause| {
            let text = c.message.unmasked();
            text.contains("immutable")
                || (text.contains("Forbidden: ") && text.contains("may not change fields"))
                || (text.contains("Forbidden: ") && text.contains("updates to "))
        };
        causes.iter().filter(fixed).map(|c| c.field.as_str()).collect()
    }

    /// For people. Its `detail` holds the server's words: mask it.
    pub fn diagnostic(&self) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(self.code(), self.to_string());
        diagnostic.detail = self.detail();
        diagnostic.help = self.help();
        if let Self::Conflict { conflicts, .. } = self {
            diagnostic.pointer = conflicts.iter().find_map(|c| c.pointer.clone());
        }
        diagnostic
    }

    fn detail(&self) -> Option<String> {
        let lines: Vec<String> = match self {
            Self::Conflict { conflicts, .. } => conflicts
                .iter()
                .map(|c| {
                    let value =
                        |v: &Option<Words>| v.as_ref().map_or("(not shown)", Words::unmasked).to_owned();
                    format!(
                        "{}: {} here, {} set by `{}`",
                        c.field,
                        value(&c.ours),
                        value(&c.theirs),
                        c.manager
                    )
                })
                .collect(),
            Self::Invalid { causes, .. } if !causes.is_empty() => causes
                .iter()
                .map(|c| match c.field.as_str() {
                    "" => c.message.unmasked().to_owned(),
                    field => format!("{field}: {}", c.message.unmasked()),
                })
                .collect(),
            Self::Kubeconfig { fault: KubeconfigFault::NoContext { known, .. }, .. }
            | Self::Kubeconfig { fault: KubeconfigFault::NoCurrentContext { known }, .. }
                if !known.is_empty() =>
            {
                vec![format!("contexts: {}", known.join(", "))]
            }
            _ => return self.words().map(|w| w.unmasked().to_owned()),
        };
        Some(lines.join("\n"))
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Kubeconfig { fault, .. } => match fault {
                KubeconfigFault::NoContext { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
                KubeconfigFault::NoContext { .. } => "`kubectl config get-contexts` lists them".into(),
                KubeconfigFault::NoCurrentContext { .. } => {
                    "name one in the target's `context`, or set one with `kubectl config use-context`".into()
                }
                KubeconfigFault::NoFile(_) => {
                    "set KUBECONFIG, or name the file in the target's `kubeconfig`".into()
                }
                _ => return None,
            },
            Self::Unreachable { .. } => {
                "check that the cluster runs and that its address is reachable from here (VPN, firewall, proxy)".into()
            }
            Self::Untrusted { .. } => "the kubeconfig's certificate authority is not the server's".into(),
            Self::Credentials { .. } => "`kubectl get namespaces` with the same context shows whether they work".into(),
            Self::Unauthorized { .. } => "log in again, or renew the credentials of the context".into(),
            Self::Forbidden { .. } => "ask for a role that allows it".into(),
            Self::Conflict { .. } => {
                "leave the field to its owner with `ignore`, or take it with `force: true`".into()
            }
            Self::NoSuchKind { nearest: Some((version, kind)), .. } => {
                format!("did you mean `apiVersion: {version}`, `kind: {kind}`?")
            }
            Self::NoSuchKind { .. } => "install the CustomResourceDefinition first, or make it a resource of the stack".into(),
            Self::NamespaceMissing { namespace, .. } => {
                format!("add a resource of type `kubernetes:Namespace` named `{namespace}`")
            }
            Self::NamespaceTerminating { .. } => "wait until it is gone, and try again".into(),
            Self::QuotaExceeded { .. } => "ask for less, or for a larger quota".into(),
            Self::Invalid { .. } if !self.immutable_fields().is_empty() => {
                "the field cannot be changed in place: take the change back, or apply once with `replace-when: true` on the \
                 resource, which makes the object anew; where data would be lost, with `replace: allow`, too"
                    .into()
            }
            Self::Stale { .. } => "plan again".into(),
            _ => return None,
        })
    }
}

/// `Deployment blog/web`, for messages.
pub(crate) fn named(verb: &str, id: &ObjectId) -> String {
    format!("{verb} {id}")
}
