//! The Deployment.

use sheave_sdk::{Context, Value, json};

use super::names::Names;
use super::props::{Amounts, Probe, Props};
use super::scalar::Scalar;
use super::volumes::is_exclusive;
use super::{ports, put, variables, volumes};

pub(crate) fn deployment(cx: &Context, names: &Names, props: &Props) -> Value {
    let mut spec = json!({
        "selector": {"matchLabels": names.selector()},
        "template": {
            "metadata": {"labels": names.labels()},
            "spec": pod(cx, names, props),
        },
    });
    put(&mut spec["template"]["metadata"], "annotations", names.annotations());
    if props.autoscale.is_none() {
        // Else the number is the autoscaler's: what is claimed here would be taken back from it on each apply.
        spec["replicas"] = json!(props.replicas.unwrap_or(1));
    }
    if props.volumes.iter().flatten().any(|(_, volume)| is_exclusive(volume)) {
        // A new pod on another node would wait for ever for a volume that the old one has.
        spec["strategy"] =
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}});
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": names.metadata(names.base()),
        "spec": spec,
    })
}

fn pod(cx: &Context, names: &Names, props: &Props) -> Value {
    let mut container = json!({"name": names.base(), "image": image(props)});
    let texts = |list: &Vec<Scalar>| Value::from_iter(list.iter().map(|text| text.0.clone()));
    put(&mut container, "command", props.command.as_ref().map(texts));
    put(&mut container, "args", props.args.as_ref().map(texts));
    put(&mut container, "env", some(variables::variables(cx, names, props)));
    put(&mut container, "ports", some(ports::of_container(props)));
    put(&mut container, "resources", resources(props));
    let probes = props.probes.as_ref();
    for (field, probe) in [
        ("readinessProbe", probes.and_then(|p| p.readiness.as_ref())),
        ("livenessProbe", probes.and_then(|p| p.liveness.as_ref())),
        ("startupProbe", probes.and_then(|p| p.startup.as_ref())),
    ] {
        put(&mut container, field, probe.map(|probe| probe_of(probe, props)));
    }
    let (sources, mounts) = volumes::mounted(names, props);
    put(&mut container, "volumeMounts", some(mounts));
    let mut pod = json!({"containers": [container]});
    put(&mut pod, "volumes", some(sources));
    put(&mut pod, "serviceAccountName", props.service_account.clone());
    let pull = props.pull_secrets.iter().flatten().map(|name| json!({"name": name})).collect();
    put(&mut pod, "imagePullSecrets", some(pull));
    pod
}

fn some(list: Vec<Value>) -> Option<Value> {
    (!list.is_empty()).then_some(Value::Array(list))
}

fn image(props: &Props) -> String {
    match &props.tag {
        Some(tag) => format!("{}:{}", props.image, tag.0),
        None => props.image.clone(),
    }
}

fn resources(props: &Props) -> Option<Value> {
    let mut resources = json!({});
    for (name, amounts) in [("cpu", &props.cpu), ("memory", &props.memory)] {
        let Some(Amounts { request, limit }) = amounts else { continue };
        for (group, amount) in [("requests", request), ("limits", limit)] {
            if let Some(amount) = amount {
                resources[group][name] = json!(amount.0);
            }
        }
    }
    Some(resources).filter(|r| r.as_object().is_some_and(|r| !r.is_empty()))
}

/// The port that probes ask where they name none.
pub(crate) fn default_probe_port(props: &Props) -> Option<u16> {
    ports::for_http(&ports::all(props), None).map(ports::Served::target)
}

fn probe_of(probe: &Probe, props: &Props) -> Value {
    let port = probe.port.or_else(|| default_probe_port(props)).unwrap_or_default();
    let mut out = match (&probe.command, &probe.path) {
        (Some(command), _) => {
            json!({"exec": {"command": command.iter().map(|text| &text.0).collect::<Vec<_>>()}})
        }
        (None, Some(path)) => json!({"httpGet": {"path": path, "port": port}}),
        (None, None) => json!({"tcpSocket": {"port": port}}),
    };
    put(&mut out, "initialDelaySeconds", probe.delay);
    put(&mut out, "periodSeconds", probe.period);
    put(&mut out, "timeoutSeconds", probe.timeout);
    put(&mut out, "failureThreshold", probe.failures);
    out
}
