//! Numbers and texts of expressions.

use super::lexer::{Token, TokenKind};
use super::{Fault, quotes};
use crate::codes;

/// The number at this byte.
pub(super) fn number(text: &str, start: usize) -> Result<Token, Fault> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let is = |at: usize, set: &[u8]| bytes.get(at).is_some_and(|b| set.contains(b));
    let too_large = |end: usize| Fault::new(codes::BAD_EXPRESSION, "the number is too large", (start, end));
    if bytes[start] == b'0' && is(start + 1, b"xX") {
        let len = bytes[start + 2..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let end = start + 2 + len;
        let value = u64::from_str_radix(&text[start + 2..end], 16).map_err(|_| too_large(end))?;
        return finish(text, start, end, value);
    }
    let mut end = start + digits(start);
    let mut float = false;
    if is(end, b".") && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        float = true;
        end += 1 + digits(end + 1);
    }
    let exponent = if is(end, b"eE") { end + 1 + usize::from(is(end + 1, b"+-")) } else { end };
    if exponent > end && digits(exponent) > 0 {
        float = true;
        end = exponent + digits(exponent);
    }
    if !float {
        let value = text[start..end].parse().map_err(|_| too_large(end))?;
        return finish(text, start, end, value);
    }
    match text[start..end].parse::<f64>() {
        Ok(value) if value.is_finite() => {
            checked(text, Token { kind: TokenKind::Float(value), at: (start, end) })
        }
        _ => Err(too_large(end)),
    }
}

/// A whole number, with `u` behind it or not.
fn finish(text: &str, start: usize, end: usize, value: u64) -> Result<Token, Fault> {
    if text[end..].starts_with(['u', 'U']) {
        return checked(text, Token { kind: TokenKind::Uint(value), at: (start, end + 1) });
    }
    checked(text, Token { kind: TokenKind::Int(value), at: (start, end) })
}

/// `1x` is neither a number nor a name.
fn checked(text: &str, token: Token) -> Result<Token, Fault> {
    let (start, end) = token.at;
    let rest = &text[end..];
    let more = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    if more == 0 {
        return Ok(token);
    }
    let summary = format!("`{}` is no number", &text[start..end + more]);
    Err(Fault::new(codes::BAD_EXPRESSION, summary, (start, end + more)))
}

/// The text whose quote stands at `quote`; a prefix begins at `start`.
pub(super) fn text(text: &str, start: usize, quote: usize) -> Result<Token, Fault> {
    let open = || Fault::new(codes::BAD_EXPRESSION, "a text in quotes is not closed", (start, text.len()));
    let end = quotes::end(text.as_bytes(), quote).ok_or_else(open)?;
    let triple =
        end - quote >= 6 && (text[quote..].starts_with("\"\"\"") || text[quote..].starts_with("'''"));
    let width = if triple { 3 } else { 1 };
    let inside = &text[quote + width..end - width];
    if !triple && inside.contains(['\n', '\r']) {
        return Err(open().help("a text over several lines stands in three quotes"));
    }
    let value = if quote > start { inside.to_owned() } else { unescape(inside, quote + width)? };
    Ok(Token { kind: TokenKind::Text(value), at: (start, end) })
}

/// Puts in what escapes stand for; `from` is where the text begins in the expression.
fn unescape(inside: &str, from: usize) -> Result<String, Fault> {
    let mut out = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at..];
        let (c, len) = escaped(escape).ok_or_else(|| {
            let start = from + (inside.len() - rest.len()) + at;
            let shown: String = escape.chars().take(2).collect();
            let fault = Fault::new(
                codes::BAD_EXPRESSION,
                format!("`{shown}` is no escape"),
                (start, start + shown.len()),
            );
            fault.help("write `\\\\` for a backslash, or a raw text: `r\"...\"`")
        })?;
        out.push(c);
        rest = &escape[len..];
    }
    out.push_str(rest);
    Ok(out)
}

/// The character of an escape, and how many bytes it takes.
fn escaped(escape: &str) -> Option<(char, usize)> {
    let code = |from: usize, len: usize, radix: u32| {
        let digits = escape.get(from..from + len).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Some((char::from_u32(u32::from_str_radix(digits, radix).ok()?)?, from + len))
    };
    Some(match escape.as_bytes().get(1)? {
        b'a' => ('\x07', 2),
        b'b' => ('\x08', 2),
        b'f' => ('\x0c', 2),
        b'n' => ('\n', 2),
        b'r' => ('\r', 2),
        b't' => ('\t', 2),
        b'v' => ('\x0b', 2),
        b'\\' => ('\\', 2),
        b'?' => ('?', 2),
        b'"' => ('"', 2),
        b'\'' => ('\'', 2),
        b'`' => ('`', 2),
        b'x' | b'X' => return code(2, 2, 16),
        b'u' => return code(2, 4, 16),
        b'U' => return code(2, 8, 16),
        b'0'..=b'3' => return code(1, 3, 8),
        _ => return None,
    })
}
