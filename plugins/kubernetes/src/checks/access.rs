//! Whom a binding gives rights.

use sheave_sdk::Diagnostic;

use super::{Props, join};

/// Each subject names all that identifies it.
pub(crate) fn subjects(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    for (at, _) in props.list("/subjects") {
        let Some(kind) = props.text(&join(&at, "kind")) else { continue };
        let named = props.has(&join(&at, "namespace"));
        if kind == "ServiceAccount" && !named {
            let why = Diagnostic::error(
                "kubernetes.subject-namespace",
                "a ServiceAccount as a subject needs its namespace",
            );
            found.push(why.at(&at).detail("add `namespace`"));
        }
        if !matches!(kind, "ServiceAccount" | "User" | "Group") {
            let why = Diagnostic::error("kubernetes.bad-subject", format!("`{kind}` cannot be a subject"));
            found.push(why.at(join(&at, "kind")).detail("write `ServiceAccount`, `User` or `Group`"));
        }
    }
    if let Some(kind) = props.text("/roleRef/kind")
        && !matches!(kind, "Role" | "ClusterRole")
    {
        let why = Diagnostic::error("kubernetes.bad-role", format!("`{kind}` is no kind of role"));
        found.push(why.at("/roleRef/kind").detail("write `Role` or `ClusterRole`"));
    }
}
