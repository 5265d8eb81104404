//! Names, labels and annotations as Kubernetes accepts them.

use sheave_sdk::Diagnostic;

use super::{Props, join};

/// The longest name of an object, and of a label key's prefix.
const LONGEST_SUBDOMAIN: usize = 253;
/// The longest label value, and the longest name in a label key.
const LONGEST_LABEL: usize = 63;

/// The object's own metadata.
pub(crate) fn metadata(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    for (field, longest) in [("name", LONGEST_SUBDOMAIN), ("namespace", LONGEST_LABEL)] {
        let pointer = format!("/metadata/{field}");
        if let Some(name) = props.text(&pointer)
            && !(name.len() <= longest && is_subdomain(name))
        {
            let rule = "lower-case letters, digits, `-` and `.`, from a letter or digit to a letter or digit";
            let why = Diagnostic::error("kubernetes.bad-name", format!("`{name}` cannot be a {field}"));
            found.push(why.at(pointer).detail(format!("{rule}; at most {longest} characters")));
        }
    }
    labels(props, "/metadata/labels", found);
}

/// A map of labels.
pub(crate) fn labels(props: &Props<'_>, pointer: &str, found: &mut Vec<Diagnostic>) {
    for (key, _) in props.map(pointer) {
        let at = join(pointer, key);
        if !is_label_key(key) {
            let why = Diagnostic::error("kubernetes.bad-label", format!("`{key}` cannot be a label's key"));
            found.push(why.at(&at).detail(
                "an optional DNS name and a slash, then at most 63 letters, digits, `-`, `_` and `.`",
            ));
        }
        if let Some(value) = props.text(&at)
            && !(value.is_empty() || is_label(value))
        {
            let why =
                Diagnostic::error("kubernetes.bad-label", format!("`{value}` cannot be a label's value"));
            let rule =
                "at most 63 letters, digits, `-`, `_` and `.`, from a letter or digit to a letter or digit";
            found.push(why.at(&at).detail(rule));
        }
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
