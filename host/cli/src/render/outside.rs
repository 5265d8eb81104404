//! Text from outside (clusters, plugins, files) made safe to print: no control character of it reaches a terminal.
//!
//! Escape sequences could repaint what was printed or answer a prompt; marks that turn the direction of text could make a
//! plan read otherwise than it is.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal would do something with `c` other than show it.
pub(crate) fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line: line ends and tabs become spaces, everything else that acts is written out as `\u{1b}`.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    neutral(text, &|c| matches!(c, '\n' | '\r' | '\t').then_some(" "))
}

/// Several lines: line ends stay, tabs become spaces.
pub(crate) fn block(text: &str) -> Cow<'_, str> {
    neutral(text, &|c| match c {
        '\n' => Some("\n"),
        '\t' => Some("    "),
        '\r' => Some(""),
        _ => None,
    })
}

fn neutral<'a>(text: &'a str, known: &dyn Fn(char) -> Option<&'static str>) -> Cow<'a, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match known(c) {
            Some(instead) => out.push_str(instead),
            None if acts(c) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "{}", c.escape_unicode());
            }
            None => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A source text whose spans must stay where they are: what acts is replaced by as many bytes that do not.
pub(crate) fn same_length(text: &str) -> Cow<'_, str> {
    let harmless = |c: char| c == '\n' || c == '\t' || !acts(c);
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if harmless(c) {
            out.push(c);
        } else if c == '\r' && rest.peek() == Some(&'\n') {
            out.push(' ');
        } else {
            out.extend(std::iter::repeat_n('?', c.len_utf8()));
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}[2Jb\r\nc\td\u{202e}e\u{9b}31m\u{7}";

    #[test]
    fn nothing_that_acts_is_left() {
        assert_eq!(line(HOSTILE), "a\\u{1b}[2Jb  c d\\u{202e}e\\u{9b}31m\\u{7}");
        assert_eq!(block(HOSTILE), "a\\u{1b}[2Jb\nc    d\\u{202e}e\\u{9b}31m\\u{7}");
        assert!(!line(HOSTILE).contains(acts));
        assert!(!block(HOSTILE).replace('\n', "").contains(acts));
    }

    #[test]
    fn sources_keep_their_offsets() {
        let safe = same_length(HOSTILE);
        assert_eq!(safe.len(), HOSTILE.len());
        assert!(!safe.replace(['\n', '\t'], "").contains(acts));
        assert_eq!(safe.find("\nc"), HOSTILE.find("\nc"));
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(line("größe: 1"), Cow::Borrowed(_)));
        assert!(matches!(same_length("a: b\n\tc"), Cow::Borrowed(_)));
    }
}
