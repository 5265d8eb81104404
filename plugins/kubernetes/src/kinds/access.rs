//! Who may do what.

use sheave_sdk::{Value, json};

use crate::checks;
use crate::kind::Kind;
use crate::outputs::{NAME, NAMESPACE, Output, UID, text};
use crate::schemas;

pub(super) static CLUSTER_ROLE: Kind = Kind {
    summary: "a set of rights in the whole cluster",
    outputs: &[NAME, UID],
    checks: &[checks::path_segment],
    ..Kind::of(schemas::of("ClusterRole"))
};

pub(super) static CLUSTER_ROLE_BINDING: Kind = Kind {
    summary: "who has the rights of a ClusterRole, everywhere",
    outputs: &[NAME, UID],
    checks: &[checks::path_segment, checks::subjects],
    ..Kind::of(schemas::of("ClusterRoleBinding"))
};

pub(super) static ROLE: Kind = Kind {
    summary: "a set of rights in a namespace",
    outputs: &[NAME, NAMESPACE, UID],
    checks: &[checks::path_segment],
    ..Kind::of(schemas::of("Role"))
};

pub(super) static ROLE_BINDING: Kind = Kind {
    summary: "who has the rights of a Role or ClusterRole in a namespace",
    outputs: &[NAME, NAMESPACE, UID],
    checks: &[checks::path_segment, checks::subjects],
    ..Kind::of(schemas::of("RoleBinding"))
};

pub(super) static SERVICE_ACCOUNT: Kind = Kind {
    summary: "an identity for pods",
    outputs: &[
        NAME,
        NAMESPACE,
        UID,
        Output::made("user", user, "The name under which the API server knows it.").stable(),
    ],
    checks: &[checks::metadata],
    ..Kind::of(schemas::of("ServiceAccount"))
};

fn user(live: &Value) -> Value {
    let (namespace, name) = (text(live, "/metadata/namespace"), text(live, "/metadata/name"));
    if namespace.is_empty() {
        return json!("");
    }
    json!(format!("system:serviceaccount:{namespace}:{name}"))
}
