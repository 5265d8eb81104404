//! Which fields of an object hold secrets by their kind.

use sheave_model::{ObjectId, pointer};

/// The fields of a Secret that hold its content; the last is the copy that client-side apply keeps of the whole object.
const OF_SECRETS: &[&str] =
    &["/data", "/stringData", "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"];

/// Whether the field at `at` (an RFC 6901 pointer) is secret by its kind, or holds or lies within one that is: a
/// Secret's `data` and `stringData`.
pub fn is_sensitive(id: &ObjectId, at: &str) -> bool {
    id.api_version == "v1"
        && id.kind == "Secret"
        && OF_SECRETS.iter().any(|s| pointer::is_within(at, s) || pointer::is_within(s, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secret_content_is_sensitive() {
        let id = |kind: &str| ObjectId {
            api_version: "v1".into(),
            kind: kind.into(),
            namespace: None,
            name: "x".into(),
        };
        for at in ["", "/data", "/data/password", "/stringData/a~1b", "/metadata/annotations", OF_SECRETS[2]]
        {
            assert!(is_sensitive(&id("Secret"), at), "{at}");
        }
        for at in ["/metadata/name", "/metadata/annotations/a", "/type", "/database", "/immutable"] {
            assert!(!is_sensitive(&id("Secret"), at), "{at}");
        }
        assert!(!is_sensitive(&id("ConfigMap"), "/data/a"));
    }
}
