//! From a byte of a scalar's text back to the byte of the source: through quotes, escapes, folds and indentation.

use super::Style;

/// Where each byte of a text stands in its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Offsets {
    /// Byte `n` stands at this plus `n`.
    Shift(usize),
    /// Byte `n` stands at entry `n`; the last entry is the end.
    Table(Box<[usize]>),
}

impl Offsets {
    /// Aligns `text` with `written`, the source from byte `start` on.
    pub(crate) fn align(text: &str, written: &str, start: usize, style: Style) -> Self {
        let quote = usize::from(matches!(style, Style::Single | Style::Double));
        if written.get(quote..).is_some_and(|w| w.starts_with(text)) {
            return Self::Shift(start + quote);
        }
        let mut table = Vec::with_capacity(text.len() + 1);
        let mut at = quote;
        for c in text.chars() {
            at = skip_unseen(c, written, at, style);
            let (width, seen) = width(c, written, at, style);
            table.extend(std::iter::repeat_n(start + at, c.len_utf8()));
            if seen {
                at += width;
            }
        }
        table.push(start + at);
        Self::Table(table.into())
    }

    /// The source's byte for byte `at` of the text.
    pub(crate) fn source(&self, at: usize) -> usize {
        match self {
            Self::Shift(start) => start + at,
            Self::Table(table) => table.get(at).or(table.last()).copied().unwrap_or(0),
        }
    }

    /// The same from byte `from` of the text on.
    pub(crate) fn from(&self, from: usize, len: usize) -> Self {
        match self {
            Self::Shift(start) => Self::Shift(start + from),
            Self::Table(table) => {
                let end = (from + len + 1).min(table.len());
                Self::Table(table.get(from..end).unwrap_or(&[]).into())
            }
        }
    }
}

fn blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Passes what is written but stands for no character of the text: indentation, folded lines, `\` before a line's end.
fn skip_unseen(next: char, written: &str, mut at: usize, style: Style) -> usize {
    while let Some(c) = written.get(at..).and_then(|w| w.chars().next()) {
        let continued = style == Style::Double && c == '\\' && written[at + 1..].starts_with(['\n', '\r']);
        if continued {
            at += 2;
            at += written[at..].len() - written[at..].trim_start_matches(blank).len();
        } else if blank(c) && !blank(next) {
            at += c.len_utf8();
        } else {
            break;
        }
    }
    at
}

/// How many bytes are written for `c` at `at`, and whether any are.
fn width(c: char, written: &str, at: usize, style: Style) -> (usize, bool) {
    let rest = written.get(at..).unwrap_or("");
    let Some(first) = rest.chars().next() else { return (0, false) };
    match style {
        Style::Double if first == '\\' => {
            let escape = match rest[1..].chars().next() {
                Some('x') => 4,
                Some('u') => 6,
                Some('U') => 10,
                Some(other) => 1 + other.len_utf8(),
                None => 1,
            };
            (escape.min(rest.len()), true)
        }
        Style::Single if rest.starts_with("''") && c == '\'' => (2, true),
        _ if blank(c) && !blank(first) => (0, false),
        _ => (first.len_utf8(), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The source's text at each place of `needle` in the scalar's text.
    fn found<'a>(text: &str, written: &'a str, style: Style, needle: &str) -> &'a str {
        let offsets = Offsets::align(text, written, 0, style);
        let at = text.find(needle).unwrap();
        &written[offsets.source(at)..offsets.source(at + needle.len())]
    }

    #[test]
    fn every_style_leads_back() {
        assert_eq!(found("plain ${x}", "plain ${x}", Style::Plain, "${x}"), "${x}");
        assert_eq!(found("a b ${x} c", "a\n    b ${x}\n   c", Style::Plain, "${x}"), "${x}");
        assert_eq!(found("it's ${x}", "'it''s ${x}'", Style::Single, "${x}"), "${x}");
        assert_eq!(found("\n\té ${x}", r#""\n\t\u00e9 ${x}""#, Style::Double, "${x}"), "${x}");
        assert_eq!(found("one two${x}", "\"one\n  two\\\n   ${x}\"", Style::Double, "${x}"), "${x}");
        assert_eq!(found("a\n  b ${x}\n", "a\n    b ${x}\n", Style::Block, "${x}"), "${x}");
        assert_eq!(found("  x ${y}\n z\n", "x ${y}\n   z\n", Style::Block, "${y}"), "${y}");
        assert_eq!(found("a\nb ${x}", "a\r\n  b ${x}", Style::Block, "${x}"), "${x}");
    }
}
