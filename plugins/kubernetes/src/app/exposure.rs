//! The Ingress and the autoscaler.

use sheave_sdk::{Value, json};

use super::names::Names;
use super::props::Props;
use super::{ports, put};

pub(crate) fn ingress(names: &Names, props: &Props) -> Option<Value> {
    let ingress = props.ingress.as_ref()?;
    let all = ports::all(props);
    // Without a port there is nothing to lead to: the checks have said so.
    let served = ports::for_http(&all, ingress.port)?;
    let path = json!({
        "path": ingress.path.as_deref().unwrap_or("/"),
        "pathType": "Prefix",
        "backend": {"service": {"name": served.service(names), "port": {"number": served.port.port}}},
    });
    let mut spec = json!({"rules": [{"host": ingress.host, "http": {"paths": [path]}}]});
    put(&mut spec, "ingressClassName", ingress.class.clone());
    if let Some(secret) = &ingress.tls_secret {
        spec["tls"] = json!([{"hosts": [ingress.host], "secretName": secret}]);
    }
    Some(json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": names.metadata(names.base()),
        "spec": spec,
    }))
}

pub(crate) fn autoscaler(names: &Names, props: &Props) -> Option<Value> {
    /// Percent of the requested processor time: room for a peak while new pods start.
    const USUAL_LOAD: u32 = 80;
    let autoscale = props.autoscale.as_ref()?;
    let load = autoscale.cpu.unwrap_or(USUAL_LOAD);
    Some(json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": names.metadata(names.base()),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": names.base()},
            "minReplicas": autoscale.min.unwrap_or(1),
            "maxReplicas": autoscale.max,
            "metrics": [{
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": load}},
            }],
        },
    }))
}
