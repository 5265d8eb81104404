//! Settings, and what the cluster itself is made of.

use sheave_sdk::{Value, json};

use crate::checks;
use crate::kind::Kind;
use crate::outputs::{NAME, NAMESPACE as IN_NAMESPACE, Output, UID, text};
use crate::schemas;

pub(super) static CONFIG_MAP: Kind = Kind {
    summary: "texts and files for pods to read",
    outputs: &[NAME, IN_NAMESPACE, UID, Output::map("data", "/data", "The texts by key.")],
    checks: &[checks::metadata, checks::keys_of_data],
    ..Kind::of(schemas::of("ConfigMap"))
};

pub(super) static CUSTOM_RESOURCE_DEFINITION: Kind = Kind {
    summary: "a new kind of objects",
    outputs: &[
        NAME,
        UID,
        Output::text("group", "/spec/group", "The API group.").stable(),
        Output::text("kind", "/spec/names/kind", "The kind.").stable(),
        Output::text("plural", "/spec/names/plural", "The kind's name in URLs.").stable(),
        Output::texts("versions", "/spec/versions/*/name", "The versions."),
    ],
    checks: &[checks::metadata, checks::definition],
    named: Some(|props| match (text(props, "/spec/names/plural"), text(props, "/spec/group")) {
        ("", _) | (_, "") => None,
        (plural, group) => Some(format!("{plural}.{group}")),
    }),
    ..Kind::of(schemas::of("CustomResourceDefinition"))
};

pub(super) static NAMESPACE: Kind = Kind {
    summary: "a space of names for other objects",
    outputs: &[NAME, UID],
    checks: &[checks::namespace_name],
    ..Kind::of(schemas::of("Namespace"))
};

pub(super) static NODE: Kind = Kind {
    summary: "labels, taints and cordon of a node that exists",
    outputs: &[
        NAME,
        UID,
        Output::made(
            "address",
            |live| address(live, "InternalIP"),
            "Its address within the cluster's network.",
        ),
        Output::made(
            "externalIP",
            |live| address(live, "ExternalIP"),
            "Its address outside; empty where it has none.",
        ),
        Output::made("hostname", |live| address(live, "Hostname"), "The name that it gives itself."),
        Output::text("kubeletVersion", "/status/nodeInfo/kubeletVersion", "The version of its kubelet."),
        Output::text("providerID", "/spec/providerID", "Its cloud's name for it."),
    ],
    checks: &[checks::metadata],
    ..Kind::of(schemas::of("Node"))
};

pub(super) static SECRET: Kind = Kind {
    summary: "secret texts and files for pods to read",
    outputs: &[NAME, IN_NAMESPACE, UID],
    checks: &[checks::metadata, checks::keys_of_data],
    ..Kind::of(schemas::of("Secret"))
};

fn address(node: &Value, kind: &str) -> Value {
    let all = node.pointer("/status/addresses").and_then(Value::as_array).into_iter().flatten();
    let mut those = all.filter(|address| text(address, "/type") == kind);
    json!(those.next().map_or("", |address| text(address, "/address")))
}
