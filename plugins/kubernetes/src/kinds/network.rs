//! How pods are reached.

use sheave_sdk::{Value, json};

use crate::checks;
use crate::kind::Kind;
use crate::outputs::{LOAD_BALANCER, NAME, NAMESPACE, Output, UID, text};
use crate::schemas;

pub(super) static INGRESS: Kind = Kind {
    summary: "HTTP from outside to Services, by host and path",
    outputs: &[
        NAME,
        NAMESPACE,
        UID,
        Output::text("host", "/spec/rules/0/host", "The first rule's host."),
        Output::texts("hosts", "/spec/rules/*/host", "Every rule's host."),
        Output::written(
            "address",
            LOAD_BALANCER,
            "Where its controller answers, an IP address or a name; empty before it has one.",
        ),
        Output::made("url", url, "The first rule's host and path as a URL; empty where it names no host."),
    ],
    checks: &[checks::metadata, checks::ingress],
    ..Kind::of(schemas::of("Ingress"))
};

pub(super) static NETWORK_POLICY: Kind = Kind {
    summary: "who may talk to pods, and whom they may talk to",
    outputs: &[NAME, NAMESPACE, UID],
    checks: &[checks::metadata],
    ..Kind::of(schemas::of("NetworkPolicy"))
};

pub(super) static SERVICE: Kind = Kind {
    summary: "one address for many pods",
    outputs: &[
        NAME,
        NAMESPACE,
        UID,
        Output::text(
            "clusterIP",
            "/spec/clusterIP",
            "Its address within the cluster; `None` where it is headless.",
        ),
        Output::written(
            "host",
            &["${/metadata/name}.${/metadata/namespace}.svc"],
            "Its DNS name within the cluster.",
        )
        .stable(),
        Output::written(
            "address",
            LOAD_BALANCER,
            "Where its load balancer answers, an IP address or a name; empty where it has none.",
        ),
        Output::text("externalName", "/spec/externalName", "The name outside that it stands for."),
        Output::integer("port", "/spec/ports/0/port", "Its first port."),
        Output::integers("ports", "/spec/ports/*/port", "Its ports."),
        Output::integer(
            "nodePort",
            "/spec/ports/0/nodePort",
            "Its first port on every node; 0 where it has none.",
        ),
        Output::integers("nodePorts", "/spec/ports/*/nodePort", "Its ports on every node."),
    ],
    checks: &[checks::service_name, checks::service],
    ..Kind::of(schemas::of("Service"))
};

fn url(live: &Value) -> Value {
    let host = text(live, "/spec/rules/0/host");
    if host.is_empty() {
        return json!("");
    }
    let lists = live.pointer("/spec/tls").and_then(Value::as_array).into_iter().flatten();
    let mut secured = lists.filter_map(|tls| tls.get("hosts")?.as_array()).flatten();
    let scheme = if secured.any(|secured| secured == host) { "https" } else { "http" };
    let path = text(live, "/spec/rules/0/http/paths/0/path");
    json!(format!("{scheme}://{host}{}", if path == "/" { "" } else { path }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ingress_has_a_url() {
        let live = |tls: Value, path: &str| json!({"spec": {"tls": tls, "rules": [{"host": "a.example", "http": {"paths": [{"path": path}]}}]}});
        assert_eq!(url(&live(json!(null), "/")), "http://a.example");
        assert_eq!(url(&live(json!([{"hosts": ["b", "a.example"]}]), "/x")), "https://a.example/x");
        assert_eq!(url(&json!({})), "");
    }
}
