//! Texts in quotes inside expressions, as CEL writes them: with escapes, raw, in threes.

/// The byte behind the text whose quote stands at `at`; none where it is not closed.
pub(crate) fn end(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = *bytes.get(at)?;
    let raw = raw(bytes, at);
    let triple = bytes.get(at + 1) == Some(&quote) && bytes.get(at + 2) == Some(&quote);
    let mut at = if triple { at + 3 } else { at + 1 };
    while let Some(&b) = bytes.get(at) {
        if b == b'\\' && !raw {
            at += 2;
            continue;
        }
        if b == quote {
            if !triple {
                return Some(at + 1);
            }
            if bytes.get(at + 1) == Some(&quote) && bytes.get(at + 2) == Some(&quote) {
                return Some(at + 3);
            }
        }
        at += 1;
    }
    None
}

/// Whether the quote follows `r`, `R`, `br` and so on, which are no part of a name.
fn raw(bytes: &[u8], at: usize) -> bool {
    let mut before = at;
    while before > 0 && (bytes[before - 1].is_ascii_alphanumeric() || bytes[before - 1] == b'_') {
        before -= 1;
    }
    matches!(&bytes[before..at], [b'r' | b'R'] | [b'b' | b'B', b'r' | b'R'])
}
