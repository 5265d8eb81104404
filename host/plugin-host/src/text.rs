//! Makes text from plugins harmless to terminals and logs.

use std::borrow::Cow;

/// The text on one line: control characters, line ends included, are shown and not obeyed.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    neutral(text, false)
}

/// The same, but lines and tabs stay.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    neutral(text, true)
}

fn neutral(text: &str, keep_lines: bool) -> Cow<'_, str> {
    let obeyed = |c: char| is_control(c) && !(keep_lines && matches!(c, '\n' | '\t'));
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if obeyed(c) { picture(c) } else { c }).collect())
}

/// What a terminal obeys, and what changes the direction of the text that people read.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The character that stands for a control character: `␛` for escape.
fn picture(c: char) -> char {
    match u32::from(c) {
        code @ 0..=0x1f => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
        0x7f => '\u{2421}',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// At most `bytes` of the text, whole characters.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(line("\x1b[2Jgone\r\nnext\x7f\u{9b}31m"), "␛[2Jgone␍␊next␡\u{fffd}31m");
        assert_eq!(lines("a\n\tb\x07"), "a\n\tb␇");
        assert_eq!(line("abc\u{202e}fed"), "abc\u{fffd}fed");
        assert!(matches!(line("täglich ✓"), Cow::Borrowed("täglich ✓")));
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(cut("aä", 2), "a");
        assert_eq!(cut("aä", 3), "aä");
        assert_eq!(cut("aä", 300), "aä");
    }
}
