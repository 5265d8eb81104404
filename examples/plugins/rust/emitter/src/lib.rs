//! A plugin with one type: a page, the pods that show it and the service before them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sheave_sdk::{Context, Diagnostic, Emitter, Failure, Live, Object, Observation, dns_label, json};

/// What a blueprint writes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Props {
    /// What the page says.
    message: String,
    /// How many pods show it.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    replicas: u64,
    /// Labels for the objects.
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

fn one() -> u64 {
    1
}

/// What other resources can read.
#[derive(Serialize, JsonSchema)]
struct Outputs {
    /// Where the page is, inside the cluster.
    #[schemars(extend("x-stable" = true))]
    address: String,
    /// How many pods show it now.
    pods: u64,
}

const MOST_PODS: u64 = 10;

struct Page;

impl Emitter for Page {
    const NAME: &'static str = "Page";
    const SUMMARY: &'static str = "a page that says something";
    type Props = Props;
    type Outputs = Outputs;

    fn check(_: &Context, props: &Props) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if props.message.is_empty() {
            found.push(Diagnostic::error("greeting.no-message", "the page says nothing").at("/message"));
        }
        if props.replicas > MOST_PODS {
            let summary = format!("{} pods are too many for a page", props.replicas);
            let fault = Diagnostic::error("greeting.too-many-pods", summary).at("/replicas");
            found.push(fault.detail(format!("at most {MOST_PODS} show it")));
        }
        found
    }

    fn render(cx: &Context, props: Props, _: &Live) -> Result<Vec<Object>, Failure> {
        let name = dns_label(cx.name());
        let mut metadata = json!({"name": name});
        if !props.labels.is_empty() {
            metadata["labels"] = json!(props.labels);
        }
        let selector = json!({"app": name});
        let page = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"index.html": format!("<h1>{}</h1>\n", props.message)},
        });
        let container = json!({
            "name": "web",
            "image": "nginx:1.29",
            "ports": [{"containerPort": 80}],
            "volumeMounts": [{"name": "page", "mountPath": "/usr/share/nginx/html"}],
        });
        let pods = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": props.replicas,
                "selector": {"matchLabels": selector},
                "template": {
                    "metadata": {"labels": selector},
                    "spec": {
                        "containers": [container],
                        "volumes": [{"name": "page", "configMap": {"name": name}}],
                    },
                },
            },
        });
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": selector, "ports": [{"port": 80}]},
        });
        Ok(vec![
            Object::new("page", page),
            Object::new("pods", pods).after("page").restart_on("page"),
            Object::new("service", service),
        ])
    }

    fn observe(cx: &Context, props: Props, live: &Live) -> Result<Observation<Outputs>, Failure> {
        let status = live.get("pods").and_then(|pods| pods.pointer("/status/readyReplicas"));
        let pods = status.and_then(|ready| ready.as_u64()).unwrap_or(0);
        let outputs = Outputs { address: format!("http://{}", dns_label(cx.name())), pods };
        Ok(if pods < props.replicas {
            Observation::waiting(format!("{pods} of {} pods are ready", props.replicas), outputs)
        } else {
            Observation::ready(outputs)
        })
    }
}

sheave_sdk::emitter!(Page);
