//! JSON pointers (RFC 6901), as texts.

/// Appends one reference token, escaped.
pub fn push(pointer: &mut String, part: &str) {
    pointer.push('/');
    for c in part.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// `pointer` with one more reference token.
pub fn join(pointer: &str, part: &str) -> String {
    let mut out = pointer.to_owned();
    push(&mut out, part);
    out
}

/// The reference tokens of a pointer, unescaped; none where the text is no pointer.
pub fn parts(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let rest = pointer.strip_prefix('/')?;
    Some(rest.split('/').map(|p| p.replace("~1", "/").replace("~0", "~")).collect())
}

/// Whether `inner` is `outer` or lies beneath it.
pub fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
