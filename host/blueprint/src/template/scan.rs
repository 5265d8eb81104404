//! Finds `${...}` in a text. Expressions may hold braces, and texts with braces.

use crate::cel::quotes;

/// A part of a scanned text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Stands for itself.
    Literal(String),
    /// The bytes between `${` and `}`.
    Expression(usize, usize),
}

/// The parts of a text; or the byte of the `${` that is never closed.
pub(super) fn scan(text: &str) -> Result<Vec<Part>, usize> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = 0;
    while let Some(found) = text[rest..].find("${") {
        let at = rest + found;
        if text[rest..at].ends_with('$') {
            // `$${` stands for `${`.
            literal.push_str(&text[rest..at - 1]);
            literal.push_str("${");
            rest = at + 2;
            continue;
        }
        literal.push_str(&text[rest..at]);
        let end = at + 2 + length(&text[at + 2..]).ok_or(at)?;
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(Part::Expression(at + 2, end));
        rest = end + 1;
    }
    literal.push_str(&text[rest..]);
    if !literal.is_empty() || parts.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

/// How many bytes stand before the brace that closes the expression.
fn length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        match b {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'"' | b'\'' => {
                at = quotes::end(bytes, at)?;
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                // A comment, to the line's end.
                at += bytes[at..].iter().position(|b| *b == b'\n')?;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match scan(text) {
            Err(at) => format!("open at {at}"),
            Ok(parts) => parts
                .iter()
                .map(|p| match p {
                    Part::Literal(t) => format!("<{t}>"),
                    Part::Expression(a, b) => format!("[{}]", &text[*a..*b]),
                })
                .collect(),
        }
    }

    #[test]
    fn finds_expressions() {
        for (text, want) in [
            ("", "<>"),
            ("plain", "<plain>"),
            ("${a}", "[a]"),
            ("x ${a} y", "<x >[a]< y>"),
            ("${a}${b}", "[a][b]"),
            ("$${a}", "<${a}>"),
            ("$$${a}", "<$${a}>"),
            ("cost $5 {x}", "<cost $5 {x}>"),
            ("${ {\"a\": {\"b\": 1}} }", "[ {\"a\": {\"b\": 1}} ]"),
            ("${'}'}!", "['}']<!>"),
            ("${\"\\\"}\"}!", "[\"\\\"}\"]<!>"),
            ("${r'\\'}!", "[r'\\']<!>"),
            ("${'''a'}'''}!", "['''a'}''']<!>"),
            ("${a // }\n}!", "[a // }\n]<!>"),
            ("${''}!", "['']<!>"),
            ("é${ü}", "<é>[ü]"),
            ("a ${b", "open at 2"),
            ("${'}", "open at 0"),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
    }
}
