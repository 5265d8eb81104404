//! What a blueprint writes of an app. The schema is made of these structs and their words.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use sheave_sdk::{Map, Value, json};

use super::scalar::{Quantity, Scalar};

/// Texts by name.
pub(crate) type Texts = BTreeMap<String, Scalar>;

/// A container that runs, answers on ports and scales: a Deployment, a Service for each port, and whatever else is
/// asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = without_forms)]
pub(crate) struct Props {
    /// The container image, such as `nginx:1.29` or `registry.example.com/team/web@sha256:...`.
    #[schemars(length(min = 1))]
    pub(crate) image: String,
    /// The image's tag, where `image` names none.
    pub(crate) tag: Option<Scalar>,
    /// How many run at once; 1 where nothing is said. With `autoscale` it is the autoscaler that decides.
    pub(crate) replicas: Option<u32>,
    /// What runs in place of the image's entrypoint: the program and its first arguments.
    pub(crate) command: Option<Vec<Scalar>>,
    /// The arguments. `$(NAME)` stands for the variable NAME of `env`, secret or not.
    pub(crate) args: Option<Vec<Scalar>>,
    /// Environment variables by name: a plain value, or where it comes from (`{secret: NAME, key: KEY}`,
    /// `{config: NAME, key: KEY}`). A secret value, such as an input with `secret: true`, is put into a Secret, and the
    /// pods restart when it changes. `$(NAME)` in a plain value stands for another variable.
    pub(crate) env: Option<BTreeMap<String, Variable>>,
    /// Processor time, in processors: `0.5` or `500m` is half of one.
    pub(crate) cpu: Option<Amounts>,
    /// Memory, in bytes: `512Mi`, `2Gi`.
    pub(crate) memory: Option<Amounts>,
    /// The ports that it answers on.
    pub(crate) ports: Option<Ports>,
    /// How external ports are reached from outside: `LoadBalancer` asks the cluster for an address, `NodePort` opens a
    /// port on every node. `LoadBalancer` where nothing is said.
    pub(crate) exposure: Option<Exposure>,
    /// Reached by HTTP from outside under a host name, through the cluster's ingress controller.
    pub(crate) ingress: Option<Ingress>,
    /// As many replicas as the load needs.
    pub(crate) autoscale: Option<Autoscale>,
    /// How the cluster knows whether it works.
    pub(crate) probes: Option<Probes>,
    /// What is mounted, by the absolute path where the container finds it.
    pub(crate) volumes: Option<BTreeMap<String, Volume>>,
    /// What it and its objects are called; the resource's address where nothing is said. Made a valid DNS label: `My App`
    /// becomes `my-app`.
    #[schemars(extend("x-identity" = true), length(min = 1))]
    pub(crate) name: Option<String>,
    /// The namespace; the target's where nothing is said.
    #[schemars(extend("x-identity" = true), length(min = 1))]
    pub(crate) namespace: Option<String>,
    /// The ServiceAccount that it runs as; the namespace's own where nothing is said.
    pub(crate) service_account: Option<String>,
    /// The Secrets with which the image is pulled.
    pub(crate) pull_secrets: Option<Vec<String>>,
    /// Labels of all its objects and of its pods.
    pub(crate) labels: Option<Texts>,
    /// Annotations of all its objects and of its pods: clouds read some to set up a load balancer.
    pub(crate) annotations: Option<Texts>,
}

/// Takes null too: what an expression leaves open is as if it were not written.
fn or_null(schema: &mut Schema) {
    schema.insert("type".to_owned(), json!(["object", "null"]));
}

/// Of a property with two forms, a map and null, the map's alone, which takes null too: so that there is one list of
/// fields to show, and faults are told of a field.
fn without_forms(schema: &mut Schema) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        let reference = property.pointer("/anyOf/0/$ref").cloned();
        if let (Some(reference), Some(property)) = (reference, property.as_object_mut()) {
            property.remove("anyOf");
            property.insert("$ref".to_owned(), reference);
        }
    }
}

/// How much it gets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = or_null)]
pub(crate) struct Amounts {
    /// What it is sure to get.
    pub(crate) request: Option<Quantity>,
    /// The most that it can get.
    pub(crate) limit: Option<Quantity>,
}

/// The ports, in two groups. Each gets a Service of its own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = or_null)]
pub(crate) struct Ports {
    /// Reached from within the cluster.
    pub(crate) internal: Option<Vec<Port>>,
    /// Reached from outside, as `exposure` says.
    pub(crate) external: Option<Vec<Port>>,
}

/// A port: a number, or a map that says more.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub(crate) port: u16,
    pub(crate) target: Option<u16>,
    pub(crate) protocol: Protocol,
    pub(crate) node_port: Option<u16>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PortMap {
    port: u16,
    target: Option<u16>,
    protocol: Option<Protocol>,
    node_port: Option<u16>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PortForm {
    Number(u16),
    Map(PortMap),
}

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let PortMap { port, target, protocol, node_port } = match PortForm::deserialize(from)? {
            PortForm::Number(port) => PortMap { port, target: None, protocol: None, node_port: None },
            PortForm::Map(map) => map,
        };
        Ok(Self { port, target, protocol: protocol.unwrap_or_default(), node_port })
    }
}

impl JsonSchema for Port {
    fn schema_name() -> Cow<'static, str> {
        "Port".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // One schema with both forms: what is wrong within a map is then said of that field.
        let port = |about: &str| json_schema!({"type": "integer", "minimum": 1, "maximum": 65535, "description": about});
        let optional = |about: &str| json_schema!({"type": ["integer", "null"], "minimum": 1, "maximum": 65535, "description": about});
        json_schema!({
            "description": "A port: its number, or a map that says more.",
            "type": ["integer", "object"],
            "minimum": 1,
            "maximum": 65535,
            "required": ["port"],
            "additionalProperties": false,
            "properties": {
                "port": port("The port that others use."),
                "target": optional("The port that the container listens on; `port` where nothing is said."),
                "protocol": {
                    "description": "`TCP` where nothing is said.",
                    "type": ["string", "null"],
                    "enum": ["TCP", "UDP", "SCTP", null],
                },
                "nodePort": optional("The port on every node, of an external port; chosen by the cluster where nothing is said."),
            },
        })
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) enum Protocol {
    #[default]
    #[serde(rename = "TCP")]
    Tcp,
    #[serde(rename = "UDP")]
    Udp,
    #[serde(rename = "SCTP")]
    Sctp,
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) enum Exposure {
    LoadBalancer,
    NodePort,
}

/// A variable: a plain value, or where it comes from.
#[derive(Debug)]
pub(crate) enum Variable {
    Plain(String),
    From(From),
}

/// Where a variable comes from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct From {
    pub(crate) secret: Option<String>,
    pub(crate) config: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) field: Option<String>,
    pub(crate) optional: Option<bool>,
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let error = |e: serde_json::Error| serde::de::Error::custom(e);
        Ok(match Value::deserialize(from)? {
            map @ Value::Object(_) => Self::From(serde_json::from_value(map).map_err(error)?),
            plain => Self::Plain(serde_json::from_value::<Scalar>(plain).map_err(error)?.0),
        })
    }
}

impl JsonSchema for Variable {
    fn schema_name() -> Cow<'static, str> {
        "Variable".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = |about: &str| json_schema!({"type": ["string", "null"], "description": about});
        json_schema!({
            "description": "A variable: a plain value, or where it comes from.",
            "type": ["string", "number", "boolean", "object"],
            "additionalProperties": false,
            "properties": {
                "secret": text("The name of a Secret that has the value under `key`."),
                "config": text("The name of a ConfigMap that has the value under `key`."),
                "key": text("The key in the Secret or ConfigMap; the variable's name where nothing is said."),
                "field": text("A field of the pod itself, such as `metadata.name` or `status.podIP`."),
                "optional": {
                    "description": "Whether it starts without the Secret or ConfigMap too.",
                    "type": ["boolean", "null"],
                },
            },
        })
    }
}

/// A host name under which the ingress controller leads here.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = or_null)]
pub(crate) struct Ingress {
    /// The host name, such as `blog.example.com`.
    #[schemars(length(min = 1))]
    pub(crate) host: String,
    /// What the path of a request begins with; `/` where nothing is said.
    pub(crate) path: Option<String>,
    /// The port of `ports` that it leads to; the first internal one where nothing is said, else the first external one.
    #[schemars(range(min = 1))]
    pub(crate) port: Option<u16>,
    /// The IngressClass; the cluster's default where nothing is said.
    pub(crate) class: Option<String>,
    /// The Secret with the certificate and key for HTTPS.
    pub(crate) tls_secret: Option<String>,
}

/// Bounds between which the number of replicas follows the load.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = or_null)]
pub(crate) struct Autoscale {
    /// The fewest replicas; 1 where nothing is said.
    #[schemars(range(min = 1))]
    pub(crate) min: Option<u32>,
    /// The most replicas.
    #[schemars(range(min = 1))]
    pub(crate) max: u32,
    /// How much of the requested processor time they should use on average, in percent; 80 where nothing is said.
    #[schemars(range(min = 1))]
    pub(crate) cpu: Option<u32>,
}

/// How the cluster knows whether it works.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = or_null, transform = without_forms)]
pub(crate) struct Probes {
    /// Whether it can serve: while it cannot, nothing is sent to it.
    pub(crate) readiness: Option<Probe>,
    /// Whether it lives: when it does not, it is started again.
    pub(crate) liveness: Option<Probe>,
    /// Whether it has started: until it has, the other probes wait.
    pub(crate) startup: Option<Probe>,
}

/// One probe: an HTTP request where there is a `path`, a program in the container where there is a `command`, else a
/// connection to `port`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = or_null)]
pub(crate) struct Probe {
    /// The path of an HTTP GET request, which must be answered with a status below 400.
    pub(crate) path: Option<String>,
    /// The port that the container listens on; that of the first of `ports` where nothing is said.
    #[schemars(range(min = 1))]
    pub(crate) port: Option<u16>,
    /// A program in the container, and its arguments, that must end with 0.
    #[schemars(length(min = 1))]
    pub(crate) command: Option<Vec<Scalar>>,
    /// Seconds before the first try; 0 where nothing is said.
    pub(crate) delay: Option<u32>,
    /// Seconds between tries; 10 where nothing is said.
    #[schemars(range(min = 1))]
    pub(crate) period: Option<u32>,
    /// Seconds that a try may take; 1 where nothing is said.
    #[schemars(range(min = 1))]
    pub(crate) timeout: Option<u32>,
    /// How many tries must fail in a row; 3 where nothing is said.
    #[schemars(range(min = 1))]
    pub(crate) failures: Option<u32>,
}

/// Something mounted: exactly one of `secret`, `config`, `claim`, `size` and `scratch`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Volume {
    /// The name of a Secret: a file for each of its keys.
    pub(crate) secret: Option<String>,
    /// The name of a ConfigMap: a file for each of its keys.
    pub(crate) config: Option<String>,
    /// The name of a PersistentVolumeClaim that is there already.
    pub(crate) claim: Option<String>,
    /// Storage of its own that lasts, this large: a PersistentVolumeClaim is made, such as `10Gi`.
    pub(crate) size: Option<Quantity>,
    /// `true`: an empty folder that goes with the pod.
    pub(crate) scratch: Option<bool>,
    /// The StorageClass of storage of its own; the cluster's default where nothing is said.
    pub(crate) class: Option<String>,
    /// Who may use storage of its own: `ReadWriteOnce` where nothing is said, one node at a time.
    pub(crate) access: Option<Access>,
    /// Only this file or folder of the volume.
    pub(crate) sub_path: Option<String>,
    /// Whether it cannot be written to.
    pub(crate) read_only: Option<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(clippy::enum_variant_names, reason = "Kubernetes' own words")]
pub(crate) enum Access {
    #[default]
    ReadWriteOnce,
    ReadWriteMany,
    ReadOnlyMany,
    ReadWriteOncePod,
}

impl Access {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ReadWriteOnce => "ReadWriteOnce",
            Self::ReadWriteMany => "ReadWriteMany",
            Self::ReadOnlyMany => "ReadOnlyMany",
            Self::ReadWriteOncePod => "ReadWriteOncePod",
        }
    }

    /// Whether pods on two nodes can have it.
    pub(crate) fn is_shared(self) -> bool {
        matches!(self, Self::ReadWriteMany | Self::ReadOnlyMany)
    }
}
