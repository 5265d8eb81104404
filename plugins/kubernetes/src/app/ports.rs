//! The ports: a Service for each.

use sheave_sdk::{Object, Value, json};

use super::names::Names;
use super::props::{Exposure, Port, Props, Protocol};
use super::put;
use crate::checks::join;

/// Who reaches a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Internal,
    External,
}

impl Side {
    /// The word in the properties.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::External => "external",
        }
    }
}

/// A port and its Service.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) side: Side,
    pub(crate) port: Port,
    /// Where it stands in the properties.
    pub(crate) pointer: String,
}

/// Every port, the internal ones first.
pub(crate) fn all(props: &Props) -> Vec<Served> {
    let ports = props.ports.iter().flat_map(|ports| {
        [(Side::Internal, ports.internal.as_ref()), (Side::External, ports.external.as_ref())]
    });
    ports
        .flat_map(|(side, list)| {
            let list = list.into_iter().flatten().cloned().enumerate();
            list.map(move |(i, port)| Served {
                side,
                port,
                pointer: join(&format!("/ports/{}", side.word()), &i.to_string()),
            })
        })
        .collect()
}

/// The one that the ingress leads to: the port that is asked for, else the first that speaks TCP, internal ones first.
pub(crate) fn for_http(all: &[Served], wanted: Option<u16>) -> Option<&Served> {
    all.iter().find(|served| {
        served.port.protocol == Protocol::Tcp && wanted.is_none_or(|number| served.port.port == number)
    })
}

impl Served {
    /// The port that the container listens on.
    pub(crate) fn target(&self) -> u16 {
        self.port.target.unwrap_or(self.port.port)
    }

    /// `80`, `53-udp`.
    fn number(&self) -> String {
        match self.port.protocol {
            Protocol::Tcp => self.port.port.to_string(),
            other => format!("{}-{}", self.port.port, other.name().to_lowercase()),
        }
    }

    /// The slot of its Service.
    pub(crate) fn slot(&self) -> String {
        format!("{}-{}", self.side.word(), self.number())
    }

    /// The name of its Service.
    pub(crate) fn service(&self, names: &Names) -> String {
        match self.side {
            Side::Internal => names.of(&self.number()),
            Side::External => names.of(&self.slot()),
        }
    }

    fn object(&self, names: &Names, exposure: Exposure) -> Value {
        let kind = match (self.side, exposure) {
            (Side::Internal, _) => "ClusterIP",
            (Side::External, Exposure::LoadBalancer) => "LoadBalancer",
            (Side::External, Exposure::NodePort) => "NodePort",
        };
        let mut port = json!({
            "port": self.port.port,
            "targetPort": self.target(),
            "protocol": self.port.protocol.name(),
        });
        put(&mut port, "nodePort", self.port.node_port);
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": names.metadata(self.service(names)),
            "spec": {"type": kind, "selector": names.selector(), "ports": [port]},
        })
    }
}

/// The Services.
pub(crate) fn services(names: &Names, props: &Props) -> Vec<Object> {
    let exposure = props.exposure.unwrap_or(Exposure::LoadBalancer);
    all(props).iter().map(|served| Object::new(served.slot(), served.object(names, exposure))).collect()
}

/// The container's `ports`: each that it listens on, once.
pub(crate) fn of_container(props: &Props) -> Vec<Value> {
    // In order of number, so that pods do not restart when a blueprint lists them in another.
    let mut targets: Vec<(u16, Protocol)> = Vec::new();
    for served in all(props) {
        let target = (served.target(), served.port.protocol);
        if let Err(at) = targets.binary_search(&target) {
            targets.insert(at, target);
        }
    }
    targets
        .into_iter()
        .map(|(port, protocol)| json!({"containerPort": port, "protocol": protocol.name()}))
        .collect()
}
