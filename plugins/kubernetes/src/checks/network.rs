//! Services in their forms, and what an Ingress leads to.

use sheave_sdk::Diagnostic;

use super::{Props, join};

/// The forms of a Service: what each must have and cannot have.
pub(crate) fn service(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    if !props.has("/spec") {
        found.push(Diagnostic::error("kubernetes.no-ports", "a Service without a `spec` leads nowhere"));
        return;
    }
    let kind = match props.value.pointer("/spec/type") {
        None => "ClusterIP",
        // A token: which form it will be is not known here.
        Some(_) => match props.text("/spec/type") {
            Some(kind) => kind,
            None => return,
        },
    };
    let headless = props.text("/spec/clusterIP") == Some("None");
    match kind {
        "ExternalName" => external_name(props, found),
        "ClusterIP" | "NodePort" | "LoadBalancer" => {
            if headless && kind != "ClusterIP" {
                let why = format!("a Service without an address of its own cannot be a {kind}");
                found.push(
                    Diagnostic::error("kubernetes.headless", why)
                        .at("/spec/clusterIP")
                        .detail("leave out `clusterIP: None`, or `type`"),
                );
            }
            if !headless && props.list("/spec/ports").next().is_none() {
                let why = Diagnostic::error("kubernetes.no-ports", "a Service needs a port");
                found.push(why.at("/spec").detail("only one with `clusterIP: None` can do without `ports`"));
            }
        }
        other => {
            let why =
                Diagnostic::error("kubernetes.service-type", format!("`{other}` is no type of Service"));
            found.push(
                why.at("/spec/type")
                    .detail("write `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`"),
            );
        }
    }
    ports(props, kind, found);
}

fn external_name(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    if !props.has("/spec/externalName") {
        let why = Diagnostic::error("kubernetes.no-external-name", "an ExternalName Service must name one");
        found.push(why.at("/spec").detail("add `externalName`"));
    }
    if props.has("/spec/clusterIP") && props.text("/spec/clusterIP") != Some("") {
        let why =
            Diagnostic::error("kubernetes.external-name-address", "an ExternalName Service has no address");
        found.push(why.at("/spec/clusterIP").detail("leave `clusterIP` out"));
    }
}

fn ports(props: &Props<'_>, kind: &str, found: &mut Vec<Diagnostic>) {
    let all: Vec<_> = props.list("/spec/ports").collect();
    let (mut names, mut numbers) = (Vec::new(), Vec::new());
    for (at, port) in &all {
        match port.get("name").and_then(|name| name.as_str()) {
            None if all.len() > 1 => {
                let why = Diagnostic::error("kubernetes.nameless-port", "one of several ports needs a name");
                found.push(why.at(at).detail("add `name`"));
            }
            Some(name) if names.contains(&name) => {
                let why = format!("the port `{name}` stands here twice");
                found.push(Diagnostic::error("kubernetes.duplicate-port", why).at(join(at, "name")));
            }
            Some(name) => names.push(name),
            None => {}
        }
        let protocol = port.get("protocol").and_then(|protocol| protocol.as_str()).unwrap_or("TCP");
        if let Some(number) = port.get("port").and_then(|number| number.as_i64()) {
            if numbers.contains(&(number, protocol)) {
                let why = format!("the port {number} ({protocol}) stands here twice");
                found.push(Diagnostic::error("kubernetes.duplicate-port", why).at(join(at, "port")));
            }
            numbers.push((number, protocol));
        }
        if kind == "ClusterIP" && props.has(&join(at, "nodePort")) {
            let why = Diagnostic::error("kubernetes.node-port", "only some Services have ports on nodes");
            found.push(why.at(join(at, "nodePort")).detail("add `type: NodePort`, or leave `nodePort` out"));
        }
    }
}

/// Where an Ingress leads.
pub(crate) fn ingress(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    if props.list("/spec/rules").next().is_none() && !props.has("/spec/defaultBackend") {
        let why = Diagnostic::error("kubernetes.no-rules", "an Ingress without rules leads nowhere");
        found.push(why.detail("add `rules`, or a `defaultBackend`"));
    }
    for (rule, _) in props.list("/spec/rules") {
        for (path, _) in props.list(&format!("{rule}/http/paths")) {
            let kind = props.text(&join(&path, "pathType"));
            let at = join(&path, "path");
            if let Some(text) = props.text(&at)
                && !text.starts_with('/')
                && kind != Some("ImplementationSpecific")
            {
                let why = Diagnostic::error("kubernetes.bad-path", format!("`{text}` is no absolute path"));
                found.push(why.at(at).detail("it begins with `/`"));
            }
            let port = format!("{path}/backend/service/port");
            if props.has(&format!("{path}/backend/service"))
                && props.has(&join(&port, "name")) == props.has(&join(&port, "number"))
            {
                let why = Diagnostic::error(
                    "kubernetes.backend-port",
                    "a backend's port is a `name` or a `number`",
                );
                found.push(why.at(format!("{path}/backend/service")));
            }
        }
    }
}
