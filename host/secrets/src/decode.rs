//! Layers of a text: what it says when its escapes are undone, with the way back to the place in the original.

/// A text with some escapes undone, and the way back to the text that it was made of.
pub(crate) struct Layer {
    pub(crate) bytes: Vec<u8>,
    /// In order. Texts without escapes have one, so that the memory follows the escapes and not the text.
    pieces: Vec<Piece>,
}

/// A stretch of a layer: an escape, or what stood between two.
struct Piece {
    /// Where it begins in the layer.
    at: u32,
    /// Where it begins in the text below.
    from: u32,
    /// How many bytes it takes there; none: as many as here.
    escape: Option<u8>,
}

/// What undoing does at one place.
enum Undone {
    Char(char),
    Byte(u8),
    Nothing,
}

/// A way to undo escapes: what stands at the beginning of these bytes, and how many it takes; none: no escape.
type Undo = fn(&[u8]) -> Option<(Undone, u8)>;

impl Layer {
    /// Where `start..end` of this layer stood in the text that it was made of.
    pub(crate) fn origin(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let piece = |at: usize| {
            let next = self.pieces.partition_point(|p| p.at as usize <= at);
            self.pieces.get(next.checked_sub(1)?)
        };
        let (first, last) = (piece(start)?, piece(end.checked_sub(1)?)?);
        let from = first.from as usize + if first.escape.is_some() { 0 } else { start - first.at as usize };
        let to = last.from as usize + last.escape.map_or(end - last.at as usize, usize::from);
        Some((from, to))
    }

    /// Without the backslash escapes of JSON, and those that Go, Rust and Python add. None where there is none.
    pub(crate) fn without_backslashes(bytes: &[u8]) -> Option<Self> {
        bytes.contains(&b'\\').then(|| Self::undo(bytes, backslash))?
    }

    /// Without the percent escapes of URLs. None where there is none.
    pub(crate) fn without_percents(bytes: &[u8]) -> Option<Self> {
        bytes.contains(&b'%').then(|| Self::undo(bytes, percent))?
    }

    /// Without white space: base64 in lines, texts that were indented. None where there is none.
    pub(crate) fn without_space(bytes: &[u8]) -> Option<Self> {
        bytes.iter().any(u8::is_ascii_whitespace).then(|| Self::undo(bytes, space))?
    }

    fn undo(bytes: &[u8], undo: Undo) -> Option<Self> {
        u32::try_from(bytes.len()).ok()?;
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let mut layer = Self { bytes: Vec::with_capacity(bytes.len()), pieces: Vec::new() };
        let (mut plain, mut at) = (0, 0);
        while at < bytes.len() {
            let Some((undone, taken)) = undo(&bytes[at..]) else {
                at += 1;
                continue;
            };
            layer.plain(offset(plain), &bytes[plain..at]);
            layer.pieces.push(Piece { at: offset(layer.bytes.len()), from: offset(at), escape: Some(taken) });
            match undone {
                Undone::Nothing => drop(layer.pieces.pop()),
                Undone::Byte(byte) => layer.bytes.push(byte),
                Undone::Char(c) => layer.bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            at += usize::from(taken);
            plain = at;
        }
        layer.plain(offset(plain), &bytes[plain.min(bytes.len())..]);
        Some(layer)
    }

    fn plain(&mut self, from: u32, bytes: &[u8]) {
        if !bytes.is_empty() {
            let at = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
            self.pieces.push(Piece { at, from, escape: None });
            self.bytes.extend_from_slice(bytes);
        }
    }
}

fn space(bytes: &[u8]) -> Option<(Undone, u8)> {
    bytes.first().filter(|b| b.is_ascii_whitespace()).map(|_| (Undone::Nothing, 1))
}

fn hex_number(digits: Option<&[u8]>) -> Option<u32> {
    let digits = digits.filter(|d| !d.is_empty())?;
    digits.iter().try_fold(0, |n, b| Some(n << 4 | char::from(*b).to_digit(16)?))
}

fn percent(bytes: &[u8]) -> Option<(Undone, u8)> {
    if bytes.first() != Some(&b'%') {
        return None;
    }
    let byte = u8::try_from(hex_number(bytes.get(1..3))?).ok()?;
    Some((Undone::Byte(byte), 3))
}

fn backslash(bytes: &[u8]) -> Option<(Undone, u8)> {
    if bytes.first() != Some(&b'\\') {
        return None;
    }
    let simple = |b| Some((Undone::Byte(b), 2));
    match bytes.get(1)? {
        b @ (b'"' | b'\'' | b'\\' | b'/') => simple(*b),
        b'n' => simple(b'\n'),
        b'r' => simple(b'\r'),
        b't' => simple(b'\t'),
        b'b' => simple(8),
        b'f' => simple(12),
        b'0' => simple(0),
        b'x' => {
            let byte = u8::try_from(hex_number(bytes.get(2..4))?).ok()?;
            Some((Undone::Byte(byte), 4))
        }
        b'u' if bytes.get(2) == Some(&b'{') => {
            // Rust's form: one to six digits in braces.
            let digits = bytes.get(3..)?.iter().take(7).position(|b| *b == b'}')?;
            let c = char::from_u32(hex_number(bytes.get(3..3 + digits))?)?;
            Some((Undone::Char(c), u8::try_from(digits + 4).ok()?))
        }
        b'u' => {
            let first = hex_number(bytes.get(2..6))?;
            if let Some(c) = char::from_u32(first) {
                return Some((Undone::Char(c), 6));
            }
            if bytes.get(6..8) != Some(b"\\u") {
                return None;
            }
            let second = hex_number(bytes.get(8..12))?;
            char::decode_utf16([u16::try_from(first).ok()?, u16::try_from(second).ok()?])
                .next()?
                .ok()
                .map(|c| (Undone::Char(c), 12))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(layer: Option<Layer>) -> String {
        String::from_utf8(layer.unwrap().bytes).unwrap()
    }

    #[test]
    fn backslashes_of_every_dialect_are_undone() {
        let text = r#"a\"b\\c\/d\u00e9\ud83d\ude00\u{1f600}\x41\'\n\q\u12 \ud800x"#;
        let layer = Layer::without_backslashes(text.as_bytes());
        assert_eq!(undone(layer), "a\"b\\c/d\u{e9}\u{1f600}\u{1f600}A'\n\\q\\u12 \\ud800x");
    }

    #[test]
    fn percents_are_undone_in_either_case() {
        let layer = Layer::without_percents(b"p%40ss%2f%2F%zz%4");
        assert_eq!(undone(layer), "p@ss//%zz%4");
    }

    #[test]
    fn every_byte_finds_its_origin() {
        let layer = Layer::without_backslashes(br"x\u0041yz\n").unwrap();
        assert_eq!(layer.bytes, b"xAyz\n");
        for (place, origin) in
            [((0, 1), (0, 1)), ((1, 2), (1, 7)), ((0, 2), (0, 7)), ((2, 4), (7, 9)), ((3, 5), (8, 11))]
        {
            assert_eq!(layer.origin(place.0, place.1), Some(origin), "{place:?}");
        }
        let layer = Layer::without_space(b"ab \n cd").unwrap();
        assert_eq!(layer.bytes, b"abcd");
        assert_eq!(layer.origin(0, 2), Some((0, 2)), "the space after a word is not part of it");
        assert_eq!(layer.origin(1, 3), Some((1, 6)));
    }

    #[test]
    fn texts_that_end_in_half_an_escape_are_left_as_they_are() {
        for text in [
            "\\",
            "\\u",
            "\\u00",
            "\\ud83d",
            "\\ud83d\\u",
            "\\u{",
            "\\u{12",
            "\\u{}x",
            "\\x4",
            "%",
            "%4",
            "\\u{1234567}",
        ] {
            let layer =
                Layer::without_backslashes(text.as_bytes()).or(Layer::without_percents(text.as_bytes()));
            let layer = layer.unwrap();
            assert_eq!(layer.bytes, text.as_bytes(), "{text}");
        }
    }
}
