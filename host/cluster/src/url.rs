//! Paths and queries of the API.

use std::fmt::Write as _;

use crate::discovery::Resource;

/// `/api/v1`, `/apis/apps/v1`.
pub(crate) fn group_path(api_version: &str) -> String {
    match api_version.split_once('/') {
        Some((group, version)) => format!("/apis/{}/{}", encode(group), encode(version)),
        None => format!("/api/{}", encode(api_version)),
    }
}

/// The path of all objects of a kind, or of one. A namespace is left out where the kind has none.
pub(crate) fn object_path(
    api_version: &str,
    resource: &Resource,
    namespace: Option<&str>,
    name: Option<&str>,
) -> String {
    let mut path = group_path(api_version);
    if let Some(namespace) = namespace.filter(|_| resource.namespaced) {
        let _ = write!(path, "/namespaces/{}", encode(namespace));
    }
    let _ = write!(path, "/{}", encode(&resource.plural));
    if let Some(name) = name {
        let _ = write!(path, "/{}", encode(name));
    }
    path
}

/// Percent-encodes what could end or change a path segment or a query value.
pub(crate) fn encode(text: &str) -> String {
    // A segment of dots would climb.
    if text == "." || text == ".." {
        return text.replace('.', "%2E");
    }
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                out.push(char::from(byte));
            }
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

/// `path?key=value&...`.
pub(crate) fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let mut out = path.to_owned();
    for (i, (key, value)) in query.iter().enumerate() {
        let _ = write!(out, "{}{key}={}", if i == 0 { '?' } else { '&' }, encode(value));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_where_they_belong() {
        let pods = Resource { plural: "pods".into(), namespaced: true };
        let nodes = Resource { plural: "nodes".into(), namespaced: false };
        assert_eq!(object_path("v1", &pods, Some("a"), Some("b")), "/api/v1/namespaces/a/pods/b");
        assert_eq!(object_path("v1", &pods, None, None), "/api/v1/pods");
        assert_eq!(object_path("x.io/v1", &nodes, Some("a"), Some("n")), "/apis/x.io/v1/nodes/n");
        assert_eq!(
            object_path("v1", &pods, Some("../x"), Some("..")),
            "/api/v1/namespaces/..%2Fx/pods/%2E%2E"
        );
        assert_eq!(with_query("/a", &[("b", "c=d,e"), ("f", "ü")]), "/a?b=c%3Dd%2Ce&f=%C3%BC");
    }
}
