//! What expressions may read of an app.

use schemars::JsonSchema;
use serde::Serialize;
use sheave_sdk::{Live, Observation, Value};

use super::DEPLOYMENT;
use super::names::Names;
use super::ports::{self, Served, Side};
use super::props::{Props, Protocol};
use crate::outputs::{LOAD_BALANCER, first_written, service_host, text};

/// What a running app gives.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outputs {
    /// What it is called.
    #[schemars(extend("x-stable" = true, "x-emitted" = "deployment#/metadata/name"))]
    name: String,
    /// The namespace that it stands in.
    #[schemars(extend("x-stable" = true, "x-emitted" = "deployment#/metadata/namespace"))]
    namespace: String,
    /// The cluster's own identity of its Deployment.
    #[schemars(extend("x-stable" = true))]
    uid: String,
    /// Its DNS name within the cluster: that of the first internal port's Service, else of the first external one's.
    host: String,
    /// The port under that name.
    port: i64,
    /// How it is reached by HTTP: the ingress's host; else the first load balancer's address; else its name within the
    /// cluster.
    url: String,
    /// Where it answers within the cluster, `HOST:PORT` for each internal port.
    internal_addresses: Vec<String>,
    /// The internal ports.
    internal_ports: Vec<i64>,
    /// The first load balancer's IP address, or its host name where it has none; empty where there is none.
    #[serde(rename = "externalIP")]
    external_ip: String,
    /// Where it answers outside, `ADDRESS:PORT` for each external port with a load balancer.
    external_addresses: Vec<String>,
    /// The external ports.
    external_ports: Vec<i64>,
    /// The ports on every node of the external ports.
    node_ports: Vec<i64>,
    /// How many pods there are.
    replicas: i64,
    /// How many of them are ready.
    ready_replicas: i64,
    /// The image that runs.
    image: String,
}

pub(crate) fn observe(names: &Names, props: &Props, live: &Live) -> Observation<Outputs> {
    let none = Value::Null;
    let object = |slot: &str| live.get(slot).unwrap_or(&none);
    let deployment = object(DEPLOYMENT);
    let number = |object: &Value, pointer: &str| object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    let namespace = text(deployment, "/metadata/namespace");
    let all = ports::all(props);
    let of = |side| all.iter().filter(move |served: &&Served| served.side == side);
    let host = |served: &Served| service_host(&served.service(names), namespace);
    let port = |served: &Served| i64::from(served.port.port);
    let outside = |served: &Served| first_written(LOAD_BALANCER, object(&served.slot()));
    let addresses = |side, address: &dyn Fn(&Served) -> String| -> Vec<String> {
        let with_port = |s: &Served| with_port(&address(s), s.port.port);
        of(side).map(with_port).filter(|address| !address.is_empty()).collect()
    };
    let node_port = |served: &Served| number(object(&served.slot()), "/spec/ports/0/nodePort");
    let outputs = Outputs {
        name: names.base().to_owned(),
        namespace: namespace.to_owned(),
        uid: text(deployment, "/metadata/uid").to_owned(),
        host: all.first().map(host).unwrap_or_default(),
        port: all.first().map_or(0, port),
        url: url(props, &all, &host, &outside),
        internal_addresses: addresses(Side::Internal, &host),
        internal_ports: of(Side::Internal).map(port).collect(),
        external_ip: of(Side::External).map(outside).find(|a| !a.is_empty()).unwrap_or_default(),
        external_addresses: addresses(Side::External, &outside),
        external_ports: of(Side::External).map(port).collect(),
        node_ports: of(Side::External).map(node_port).filter(|port| *port > 0).collect(),
        replicas: number(deployment, "/status/replicas"),
        ready_replicas: number(deployment, "/status/readyReplicas"),
        image: text(deployment, "/spec/template/spec/containers/0/image").to_owned(),
    };
    if live.get(DEPLOYMENT).is_some() {
        Observation::ready(outputs)
    } else {
        Observation::waiting("not there yet", outputs)
    }
}

fn url(
    props: &Props,
    all: &[Served],
    host: &dyn Fn(&Served) -> String,
    outside: &dyn Fn(&Served) -> String,
) -> String {
    if let Some(ingress) = &props.ingress {
        let scheme = if ingress.tls_secret.is_some() { "https" } else { "http" };
        let path = ingress.path.as_deref().filter(|path| *path != "/").unwrap_or_default();
        return format!("{scheme}://{}{path}", ingress.host);
    }
    let tcp = || all.iter().filter(|served| served.port.protocol == Protocol::Tcp);
    let external = tcp().filter(|s| s.side == Side::External).map(|s| (outside(s), s.port.port));
    let mut known =
        external.chain(tcp().map(|s| (host(s), s.port.port))).filter(|(host, _)| !host.is_empty());
    match known.next() {
        Some((host, 80)) => format!("http://{}", bracketed(&host)),
        Some((host, 443)) => format!("https://{}", bracketed(&host)),
        Some((host, port)) => format!("http://{}", with_port(&host, port)),
        None => String::new(),
    }
}

fn with_port(host: &str, port: u16) -> String {
    if host.is_empty() { String::new() } else { format!("{}:{port}", bracketed(host)) }
}

/// An IPv6 address in brackets, as URLs want it.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}
