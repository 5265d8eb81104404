//! What a schema cannot say of an app, told with the place before any cluster is asked.

use sheave_sdk::{Context, Diagnostic};

use super::names::{NAME_LABEL, TOOL_LABEL};
use super::ports::{self, Served};
use super::props::{Amounts, Props, Protocol, Variable, Volume};
use super::volumes::is_exclusive;
use super::{pods, quantity, variables};
use crate::checks::{self, join};

type Found = Vec<Diagnostic>;

pub(crate) fn check(cx: &Context, props: &Props) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    image(cx, props, &mut found);
    misplaced_secrets(cx, props, &mut found);
    variables(cx, props, &mut found);
    amounts(cx, props, &mut found);
    let all = ports::all(props);
    ports(props, &all, &mut found);
    ingress(cx, props, &all, &mut found);
    autoscale(props, &mut found);
    probes(props, &mut found);
    volumes(cx, props, &mut found);
    names(cx, props, &mut found);
    found
}

fn image(cx: &Context, props: &Props, found: &mut Found) {
    if cx.has_token("/image") {
        return;
    }
    let image = props.image.as_str();
    let (path, digest) = image.split_once('@').map_or((image, None), |(path, digest)| (path, Some(digest)));
    let (name, tag) = match path.rsplit_once(':') {
        // A colon before a slash parts a registry from its port.
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (path, None),
    };
    if image.contains(char::is_whitespace) || name.is_empty() || tag == Some("") || digest == Some("") {
        let why = Diagnostic::error("app.bad-image", format!("`{image}` is no container image"));
        found.push(why.at("/image").detail("write a name and a tag, such as `nginx:1.29`"));
    }
    if props.tag.is_some() && (tag.is_some() || digest.is_some()) {
        let why = format!("`{image}` names a version, and so does `tag`");
        found.push(Diagnostic::error("app.two-tags", why).at("/tag").detail("leave one of them out"));
    }
}

/// A Secret is the only place for what is secret, and only variables lead there.
fn misplaced_secrets(cx: &Context, props: &Props, found: &mut Found) {
    let lists = [("/command", &props.command), ("/args", &props.args)];
    let words = lists
        .iter()
        .flat_map(|(at, list)| (0..list.as_ref().map_or(0, Vec::len)).map(move |i| join(at, &i.to_string())));
    for at in words.filter(|at| cx.is_secret(at)) {
        let why =
            Diagnostic::error("app.secret-misplaced", "everybody who sees the pod would read this secret");
        found
            .push(why.at(at).detail("put it into `env`, and write `$(NAME)` here, with the variable's name"));
    }
}

fn variables(cx: &Context, props: &Props, found: &mut Found) {
    for (name, variable) in props.env.iter().flatten() {
        let at = variables::pointer(name);
        if !is_variable(name) {
            let why = Diagnostic::error("app.bad-variable", format!("`{name}` cannot be a variable's name"));
            found
                .push(why.at(&at).detail("letters, digits, `_`, `-` and `.`, and no digit at the beginning"));
        }
        let Variable::From(from) = variable else { continue };
        let sources = [&from.secret, &from.config, &from.field];
        if sources.iter().filter(|source| source.is_some()).count() != 1 {
            let why = format!("`{name}` has one source: `secret`, `config` or `field`");
            found.push(Diagnostic::error("app.variable-source", why).at(&at));
        }
        if from.field.is_some() && (from.key.is_some() || from.optional.is_some()) {
            let why = Diagnostic::error("app.variable-source", "a `field` has no `key` and is always there");
            found.push(why.at(&at).detail("leave `key` and `optional` out"));
        }
        for key in ["secret", "config", "key", "field"].map(|key| join(&at, key)) {
            if cx.is_secret(&key) {
                let why = Diagnostic::error("app.secret-misplaced", "a name cannot be secret");
                found.push(why.at(key));
            }
        }
    }
}

fn is_variable(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let first = name.bytes().next();
    first.is_some_and(|b| !b.is_ascii_digit())
        && name.bytes().all(good)
        && name != "."
        && !name.starts_with("..")
}

fn amounts(cx: &Context, props: &Props, found: &mut Found) {
    for (what, amounts) in [("cpu", &props.cpu), ("memory", &props.memory)] {
        let Some(Amounts { request, limit }) = amounts else { continue };
        let mut parsed = [("request", request), ("limit", limit)].map(|(which, amount)| {
            let at = format!("/{what}/{which}");
            let text = amount.as_ref().filter(|_| !cx.has_token(&at))?;
            let number = quantity::parse(&text.0);
            if number.is_none() {
                found.push(bad_amount(
                    &text.0,
                    at,
                    if what == "cpu" { "`0.5` or `500m`" } else { "`512Mi`" },
                ));
            }
            number
        });
        if let [Some(request), Some(limit)] = &mut parsed
            && request > limit
        {
            let why = format!("more {what} is requested than the limit allows");
            let why = Diagnostic::error("app.request-above-limit", why);
            found.push(why.at(format!("/{what}/request")));
        }
    }
}

fn bad_amount(text: &str, at: String, example: &str) -> Diagnostic {
    let why = Diagnostic::error("app.bad-amount", format!("`{text}` is no amount"));
    why.at(at).detail(format!("a number above zero, with a suffix where it needs one, such as {example}"))
}

fn ports(props: &Props, all: &[Served], found: &mut Found) {
    let mut seen = Vec::new();
    for served in all {
        let (side, number, protocol) = (served.side, served.port.port, served.port.protocol);
        if seen.contains(&(side, number, protocol)) {
            let why = format!("the {} port {number} ({}) stands here twice", side.word(), protocol.name());
            found.push(Diagnostic::error("app.duplicate-port", why).at(&served.pointer));
        }
        seen.push((side, number, protocol));
        if served.side == ports::Side::Internal && served.port.node_port.is_some() {
            let why = Diagnostic::error("app.internal-node-port", "an internal port is not open on nodes");
            let detail = "leave `nodePort` out, or list it under `external`";
            found.push(why.at(join(&served.pointer, "nodePort")).detail(detail));
        }
    }
    if props.exposure.is_some() && !all.iter().any(|served| served.side == ports::Side::External) {
        let why = Diagnostic::warning("app.nothing-exposed", "there is no external port to expose");
        found.push(why.at("/exposure").detail("list one under `ports.external`"));
    }
}

fn ingress(cx: &Context, props: &Props, all: &[Served], found: &mut Found) {
    let Some(ingress) = &props.ingress else { return };
    if ports::for_http(all, ingress.port).is_none() {
        let at = if ingress.port.is_some() { "/ingress/port" } else { "/ingress" };
        let tcp = all.iter().filter(|s| s.port.protocol == Protocol::Tcp);
        let mut known: Vec<_> = tcp.map(|s| s.port.port.to_string()).collect();
        known.dedup();
        let (why, detail) = match (ingress.port, known.is_empty()) {
            (Some(port), false) => {
                (format!("the app has no port {port}"), format!("it has {}", known.join(", ")))
            }
            _ => (
                "there is no port that the ingress could lead to".to_owned(),
                "add one under `ports.internal`".to_owned(),
            ),
        };
        found.push(Diagnostic::error("app.ingress-without-port", why).at(at).detail(detail));
    }
    if !cx.has_token("/ingress/host") && !is_host(&ingress.host) {
        let why = Diagnostic::error("app.bad-host", format!("`{}` is no host name", ingress.host));
        found.push(
            why.at("/ingress/host").detail("write it without scheme, port and path: `blog.example.com`"),
        );
    }
    if let Some(path) = &ingress.path
        && !cx.has_token("/ingress/path")
        && !path.starts_with('/')
    {
        found.push(bad_path(path, "/ingress/path".to_owned()));
    }
}

fn is_host(host: &str) -> bool {
    /// The longest name that DNS has.
    const LONGEST: usize = 253;
    let name = host.strip_prefix("*.").unwrap_or(host);
    host.len() <= LONGEST && name.split('.').all(checks::is_dns_label)
}

fn bad_path(path: &str, at: String) -> Diagnostic {
    Diagnostic::error("app.bad-path", format!("`{path}` is no absolute path"))
        .at(at)
        .detail("it begins with `/`")
}

fn autoscale(props: &Props, found: &mut Found) {
    let Some(autoscale) = &props.autoscale else { return };
    let least = autoscale.min.unwrap_or(1);
    if least > autoscale.max {
        let why = format!("at least {least} replicas and at most {} cannot be", autoscale.max);
        found.push(Diagnostic::error("app.autoscale-bounds", why).at("/autoscale/max"));
    }
    if props.replicas.is_some() {
        let why =
            Diagnostic::warning("app.replicas-ignored", "the autoscaler decides how many replicas there are");
        found.push(why.at("/replicas").detail("leave `replicas` out"));
    }
    if props.cpu.as_ref().is_none_or(|cpu| cpu.request.is_none() && cpu.limit.is_none()) {
        let why = Diagnostic::warning(
            "app.autoscale-without-request",
            "without a request for processor time there is no load to scale by",
        );
        found.push(
            why.at("/autoscale").detail("add `cpu: {request: 250m}`, unless the namespace has a default"),
        );
    }
}

fn probes(props: &Props, found: &mut Found) {
    let Some(probes) = &props.probes else { return };
    let all =
        [("readiness", &probes.readiness), ("liveness", &probes.liveness), ("startup", &probes.startup)];
    for (name, probe) in all.into_iter().filter_map(|(name, probe)| Some((name, probe.as_ref()?))) {
        let at = format!("/probes/{name}");
        if probe.command.is_some() && (probe.path.is_some() || probe.port.is_some()) {
            let why =
                Diagnostic::error("app.two-probes", "a probe runs a `command` or asks a `port`, not both");
            found.push(why.at(join(&at, "command")));
        }
        if probe.command.is_none() && probe.port.is_none() && pods::default_probe_port(props).is_none() {
            let why = Diagnostic::error("app.probe-without-port", "this probe has no port to ask");
            found.push(why.at(&at).detail("add `port`, or a `command`; or list a port under `ports`"));
        }
        if let Some(path) = &probe.path
            && !path.starts_with('/')
        {
            found.push(bad_path(path, join(&at, "path")));
        }
    }
}

fn volumes(cx: &Context, props: &Props, found: &mut Found) {
    for (path, volume) in props.volumes.iter().flatten() {
        let at = join("/volumes", path);
        if !path.starts_with('/') || path.contains(':') {
            let why = Diagnostic::error("app.bad-path", format!("nothing can be mounted at `{path}`"));
            found.push(why.at(&at).detail("the path begins with `/` and has no `:`"));
        }
        let sources = sources_of(volume);
        if sources.len() != 1 {
            let detail = match sources.as_slice() {
                [] => "add `secret`, `config`, `claim`, `size` or `scratch: true`".to_owned(),
                several => format!("it has {}", several.join(", ")),
            };
            let why = Diagnostic::error("app.volume-source", "a volume has exactly one source");
            found.push(why.at(&at).detail(detail));
        }
        if volume.size.is_none() && (volume.class.is_some() || volume.access.is_some()) {
            let why = "`class` and `access` are for storage of its own";
            found.push(Diagnostic::error("app.volume-without-size", why).at(&at).detail("add `size`"));
        }
        let size_at = join(&at, "size");
        if let Some(size) = volume.size.as_ref().filter(|_| !cx.has_token(&size_at))
            && quantity::parse(&size.0).is_none()
        {
            found.push(bad_amount(&size.0, size_at, "`10Gi`"));
        }
        let many =
            props.autoscale.as_ref().map_or(props.replicas.unwrap_or(1), |autoscale| autoscale.max) > 1;
        if many && is_exclusive(volume) {
            let why = Diagnostic::warning("app.exclusive-volume", "one node at a time can have this volume");
            let detail =
                "pods on other nodes wait for it: write `access: ReadWriteMany` where the class can do that";
            found.push(why.at(&at).detail(detail));
        }
    }
}

fn sources_of(volume: &Volume) -> Vec<&'static str> {
    let there = [
        ("secret", volume.secret.is_some()),
        ("config", volume.config.is_some()),
        ("claim", volume.claim.is_some()),
        ("size", volume.size.is_some()),
        ("scratch", volume.scratch == Some(true)),
    ];
    there.into_iter().filter_map(|(name, there)| there.then_some(name)).collect()
}

fn names(cx: &Context, props: &Props, found: &mut Found) {
    if let Some(namespace) = &props.namespace
        && !checks::is_dns_label(namespace)
    {
        let why = Diagnostic::error("app.bad-namespace", format!("`{namespace}` cannot be a namespace"));
        found.push(why.at("/namespace").detail("at most 63 lower-case letters, digits and `-`"));
    }
    for (key, value) in props.labels.iter().flatten() {
        let at = join("/labels", key);
        if key == NAME_LABEL || key == TOOL_LABEL {
            let why = format!("`{key}` is how the app's Services find its pods");
            found.push(Diagnostic::error("app.reserved-label", why).at(&at).detail("choose another key"));
        }
        let text = (!cx.has_token(&at)).then_some(value.0.as_str());
        checks::label(key, text, &at, found);
    }
}
