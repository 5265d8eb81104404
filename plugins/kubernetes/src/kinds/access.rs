//! Who may do what.

use crate::checks;
use crate::kind::Kind;
use crate::outputs::{NAME, NAMESPACE, Output, UID};
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
        Output::written(
            "user",
            &["system:serviceaccount:${/metadata/namespace}:${/metadata/name}"],
            "The name under which the API server knows it.",
        )
        .stable(),
    ],
    checks: &[checks::metadata],
    ..Kind::of(schemas::of("ServiceAccount"))
};
