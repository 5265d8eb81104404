//! What in an object is more than an application needs: the facts that a plugin's grant is compared with.
//!
//! Of pods it is what the Pod Security Standards' level *baseline* forbids. A pod's specification is looked for wherever
//! it may stand, since custom resources hold some, too: whatever has a list `containers` is one.

use serde_json::{Map, Value as Json};
use sheave_model::facts::ObjectFacts;
use sheave_model::plugin::Danger;
use sheave_model::{ObjectId, limits::MAX_DEPTH, pointer};

/// Where Kubernetes itself runs.
const SYSTEM_NAMESPACES: &[&str] = &["kube-system", "kube-public", "kube-node-lease"];

/// Capabilities that a container has anyway.
const HARMLESS_CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Kernel parameters that belong to the pod alone.
const HARMLESS_SYSCTLS: &[&str] = &[
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

/// SELinux types that containers run with anyway.
const HARMLESS_SELINUX: &[&str] =
    &["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

/// The facts of an object that was given its namespace. `home`: the target's own namespace.
pub fn facts(object: &Json, id: &ObjectId, home: &str) -> ObjectFacts {
    let mut facts = ObjectFacts {
        cluster_scoped: id.namespace.is_none(),
        away: id.namespace.as_deref().is_some_and(|n| n != home),
        ..ObjectFacts::default()
    };
    let mut found = |danger: Danger, at: &str| {
        facts.dangers.entry(danger).or_insert_with(|| at.to_owned());
    };
    let of_system = |name: &str| name != home && SYSTEM_NAMESPACES.contains(&name);
    let names_namespace = id.group().is_empty() && id.kind == "Namespace" && id.namespace.is_none();
    if id.namespace.as_deref().is_some_and(of_system) || names_namespace && of_system(&id.name) {
        found(Danger::KubeSystem, "");
    }
    match (id.group(), id.kind.as_str()) {
        ("rbac.authorization.k8s.io", _) => found(Danger::Rbac, ""),
        ("admissionregistration.k8s.io" | "apiregistration.k8s.io", _) => found(Danger::Webhooks, ""),
        ("apiextensions.k8s.io", _) if object.pointer("/spec/conversion/webhook").is_some() => {
            found(Danger::Webhooks, "/spec/conversion/webhook");
        }
        ("", "PersistentVolume") => {
            for at in ["/spec/hostPath", "/spec/local"] {
                if object.pointer(at).is_some_and(|v| !v.is_null()) {
                    found(Danger::HostPath, at);
                }
            }
        }
        _ => {}
    }
    pods(object, &mut String::new(), 0, &mut found);
    facts
}

type Found<'a> = dyn FnMut(Danger, &str) + 'a;

/// Looks for what is a pod's specification, at any depth.
fn pods(value: &Json, at: &mut String, depth: usize, found: &mut Found<'_>) {
    // What is nested deeper is refused elsewhere.
    if depth > MAX_DEPTH {
        return;
    }
    let length = at.len();
    match value {
        Json::Object(fields) => {
            if ["containers", "initContainers"].iter().any(|k| fields.get(*k).is_some_and(Json::is_array)) {
                pod(fields, at, found);
            }
            for (key, inner) in fields {
                pointer::push(at, key);
                pods(inner, at, depth + 1, found);
                at.truncate(length);
            }
        }
        Json::Array(items) => {
            for (i, inner) in items.iter().enumerate() {
                pointer::push(at, &i.to_string());
                pods(inner, at, depth + 1, found);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

fn pod(spec: &Map<String, Json>, at: &str, found: &mut Found<'_>) {
    for key in ["hostNetwork", "hostPID", "hostIPC"] {
        if spec.get(key).is_some_and(|v| *v != Json::Bool(false) && !v.is_null()) {
            found(Danger::HostNetwork, &pointer::join(at, key));
        }
    }
    for (i, volume) in list(spec.get("volumes")) {
        if volume.get("hostPath").is_some_and(|v| !v.is_null()) {
            found(Danger::HostPath, &format!("{at}/volumes/{i}/hostPath"));
        }
    }
    if let Some(context) = spec.get("securityContext") {
        let at = format!("{at}/securityContext");
        confined(context, &at, found);
        for (i, sysctl) in list(context.get("sysctls")) {
            if !sysctl.get("name").and_then(Json::as_str).is_some_and(|n| HARMLESS_SYSCTLS.contains(&n)) {
                found(Danger::Privileged, &format!("{at}/sysctls/{i}"));
            }
        }
    }
    for key in ["initContainers", "containers", "ephemeralContainers"] {
        for (i, container) in list(spec.get(key)) {
            let at = format!("{at}/{key}/{i}");
            for (n, port) in list(container.get("ports")) {
                if port.get("hostPort").is_some_and(|p| !p.is_null() && p.as_i64() != Some(0)) {
                    found(Danger::HostNetwork, &format!("{at}/ports/{n}/hostPort"));
                }
            }
            if let Some(context) = container.get("securityContext") {
                let at = format!("{at}/securityContext");
                confined(context, &at, found);
                if context.get("privileged").is_some_and(|v| *v != Json::Bool(false) && !v.is_null()) {
                    found(Danger::Privileged, &format!("{at}/privileged"));
                }
                if context.get("procMount").is_some_and(|m| !m.is_null() && m.as_str() != Some("Default")) {
                    found(Danger::Privileged, &format!("{at}/procMount"));
                }
                for (n, capability) in list(context.pointer("/capabilities/add")) {
                    if !capability.as_str().is_some_and(|c| HARMLESS_CAPABILITIES.contains(&c)) {
                        found(Danger::Privileged, &format!("{at}/capabilities/add/{n}"));
                    }
                }
            }
        }
    }
}

/// What a pod's and a container's security context have in common.
fn confined(context: &Json, at: &str, found: &mut Found<'_>) {
    if context.pointer("/windowsOptions/hostProcess").is_some_and(|v| *v != Json::Bool(false) && !v.is_null())
    {
        found(Danger::Privileged, &format!("{at}/windowsOptions/hostProcess"));
    }
    for profile in ["seccompProfile", "appArmorProfile"] {
        if context.get(profile).and_then(|p| p.get("type")).and_then(Json::as_str) == Some("Unconfined") {
            found(Danger::Privileged, &format!("{at}/{profile}"));
        }
    }
    if let Some(selinux) = context.get("seLinuxOptions") {
        let text = |key: &str| selinux.get(key).and_then(Json::as_str).unwrap_or_default();
        if !HARMLESS_SELINUX.contains(&text("type")) || !text("user").is_empty() || !text("role").is_empty() {
            found(Danger::Privileged, &format!("{at}/seLinuxOptions"));
        }
    }
}

fn list(value: Option<&Json>) -> impl Iterator<Item = (usize, &Json)> {
    value.and_then(Json::as_array).into_iter().flatten().enumerate()
}
