//! A manifest of any kind, as `Object` takes it.

use sheave_sdk::Diagnostic;

use super::Props;

/// What no single object can be, and what has a type that knows it better.
pub(crate) fn any_manifest(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    let kind = props.text("/manifest/kind");
    if kind.is_some_and(|kind| kind.ends_with("List")) && props.value.pointer("/manifest/items").is_some() {
        let why = Diagnostic::error("kubernetes.list-kind", "a list is not an object");
        found
            .push(why.at("/manifest/kind").detail(
                "write a resource for each item; from files, `kubernetes:Manifests` takes lists too",
            ));
    }
    if kind == Some("Secret") && props.text("/manifest/apiVersion") == Some("v1") {
        let why = Diagnostic::error(
            "kubernetes.secret-as-object",
            "a Secret as an `Object` would not be kept secret",
        );
        found.push(
            why.at("/manifest/kind")
                .detail("use the type `kubernetes:Secret`, whose schema says what is secret"),
        );
    }
    if let Some(version) = props.text("/manifest/apiVersion")
        && !is_api_version(version)
    {
        let why = Diagnostic::error("kubernetes.bad-api-version", format!("`{version}` is no apiVersion"));
        found.push(why.at("/manifest/apiVersion").detail("write `v1`, or a group and a version: `apps/v1`"));
    }
    for field in ["generateName", "managedFields"] {
        let pointer = format!("/manifest/metadata/{field}");
        if props.value.pointer(&pointer).is_some() {
            let why = Diagnostic::error(
                "kubernetes.not-yours",
                format!("`{field}` is not for a blueprint to write"),
            );
            found.push(why.at(pointer));
        }
    }
}

fn is_api_version(version: &str) -> bool {
    let good = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
    };
    match version.split_once('/') {
        Some((group, version)) => good(group) && good(version),
        None => good(version),
    }
}
