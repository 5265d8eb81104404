//! Names, labels and annotations as Kubernetes accepts them.

use sheave_sdk::Diagnostic;

use super::{Props, join};

/// The longest name of an object, and of a label key's prefix.
const LONGEST_SUBDOMAIN: usize = 253;
/// The longest label value, and the longest name in a label key.
const LONGEST_LABEL: usize = 63;

const LABEL_RULE: &str =
    "at most 63 lower-case letters, digits and `-`, from a letter or digit to a letter or digit";

/// The object's own metadata.
pub(crate) fn metadata(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    if let Some(name) = props.text("/metadata/name")
        && !(name.len() <= LONGEST_SUBDOMAIN && is_subdomain(name))
    {
        let rule = "lower-case letters, digits, `-` and `.`, from a letter or digit to a letter or digit";
        let why = Diagnostic::error("kubernetes.bad-name", format!("`{name}` cannot be a name"));
        found
            .push(why.at("/metadata/name").detail(format!("{rule}; at most {LONGEST_SUBDOMAIN} characters")));
    }
    namespace(props, found);
    labels(props, "/metadata/labels", found);
}

/// The metadata of what stands in the path of its URL as it is, such as a role's: `system:masters` is a name.
pub(crate) fn path_segment(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    if let Some(name) = props.text("/metadata/name")
        && (matches!(name, "" | "." | "..") || name.contains(['/', '%']))
    {
        let why = Diagnostic::error("kubernetes.bad-name", format!("`{name}` cannot be a name"));
        found.push(why.at("/metadata/name").detail("anything but `.` and `..`, without `/` and `%`"));
    }
    namespace(props, found);
    labels(props, "/metadata/labels", found);
}

/// The metadata of a namespace: its name is part of DNS names.
pub(crate) fn namespace_name(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    if let Some(name) = props.text("/metadata/name")
        && !is_dns_label(name)
    {
        let why = Diagnostic::error("kubernetes.bad-name", format!("`{name}` cannot be a namespace's name"));
        found.push(why.at("/metadata/name").detail(LABEL_RULE));
    }
    labels(props, "/metadata/labels", found);
}

/// The metadata of a Service: its name is part of DNS names, and begins with a letter.
pub(crate) fn service_name(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    if let Some(name) = props.text("/metadata/name")
        && !(is_dns_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase()))
    {
        let why = Diagnostic::error("kubernetes.bad-name", format!("`{name}` cannot be a Service's name"));
        found.push(why.at("/metadata/name").detail(format!("{LABEL_RULE}; the first is a letter")));
    }
    namespace(props, found);
    labels(props, "/metadata/labels", found);
}

fn namespace(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    if let Some(name) = props.text("/metadata/namespace")
        && !is_dns_label(name)
    {
        let why = Diagnostic::error("kubernetes.bad-name", format!("`{name}` cannot be a namespace"));
        found.push(why.at("/metadata/namespace").detail(LABEL_RULE));
    }
}

/// A map of labels.
pub(crate) fn labels(props: &Props<'_>, pointer: &str, found: &mut Vec<Diagnostic>) {
    for (key, _) in props.map(pointer) {
        let at = join(pointer, key);
        label(key, props.text(&at), &at, found);
    }
}

/// One label; the value where it is known.
pub(crate) fn label(key: &str, value: Option<&str>, at: &str, found: &mut Vec<Diagnostic>) {
    if !is_label_key(key) {
        let why = Diagnostic::error("kubernetes.bad-label", format!("`{key}` cannot be a label's key"));
        let rule = "an optional DNS name and a slash, then at most 63 letters, digits, `-`, `_` and `.`";
        found.push(why.at(at).detail(rule));
    }
    if let Some(value) = value
        && !(value.is_empty() || is_label(value))
    {
        let why = Diagnostic::error("kubernetes.bad-label", format!("`{value}` cannot be a label's value"));
        let rule =
            "at most 63 letters, digits, `-`, `_` and `.`, from a letter or digit to a letter or digit";
        found.push(why.at(at).detail(rule));
    }
}

fn is_subdomain(name: &str) -> bool {
    name.split('.').all(|label| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

/// Whether a text can be one part of a DNS name.
pub(crate) fn is_dns_label(name: &str) -> bool {
    name.len() <= LONGEST_LABEL && !name.contains('.') && is_subdomain(name)
}

fn is_label_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => prefix.len() <= LONGEST_SUBDOMAIN && is_subdomain(prefix) && is_label(name),
        None => is_label(key),
    }
}

fn is_label(text: &str) -> bool {
    let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    text.len() <= LONGEST_LABEL
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && ends(text.bytes().next())
        && ends(text.bytes().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels() {
        for good in ["a", "a-b.c", "0a"] {
            assert!(is_subdomain(good), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a..b", "a_b", "é"] {
            assert!(!is_subdomain(bad), "{bad}");
        }
        for good in ["app", "app.kubernetes.io/name", "A_b.c"] {
            assert!(is_label_key(good), "{good}");
        }
        for bad in ["", "/a", "a/", "a/b/c", "-a", "a b"] {
            assert!(!is_label_key(bad), "{bad}");
        }
        assert!(is_label(&"a".repeat(63)) && !is_label(&"a".repeat(64)));
    }
}
