//! Expression text to tokens.

use super::Fault;
use super::literal;
use crate::codes;

/// A token and its bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) at: (usize, usize),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A whole number without its sign: `9223372036854775808` is one only behind a `-`.
    Int(u64),
    /// With `u` behind it.
    Uint(u64),
    Float(f64),
    Text(String),
    Name(String),
    /// `true`, `false`, `null`, `in`.
    Keyword(&'static str),
    /// An operator or bracket.
    Sign(&'static str),
    End,
}

/// The longer ones first.
const SIGNS: &[&str] = &[
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")",
    "[", "]", "{", "}",
];

const KEYWORDS: &[&str] = &["true", "false", "null", "in"];

/// The tokens of an expression, an [`TokenKind::End`] last.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        at = blank(bytes, at);
        let Some(&first) = bytes.get(at) else {
            out.push(Token { kind: TokenKind::End, at: (text.len(), text.len()) });
            return Ok(out);
        };
        let digit_behind = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        let token = match first {
            b'"' | b'\'' => literal::text(text, at, at)?,
            b'0'..=b'9' => literal::number(text, at)?,
            b'.' if digit_behind => literal::number(text, at)?,
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => word(text, at)?,
            _ => sign(text, at)?,
        };
        at = token.at.1;
        out.push(token);
    }
}

/// Where the next token begins: behind white space and comments.
fn blank(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b) = bytes.get(at) {
        if matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c') {
            at += 1;
        } else if bytes[at..].starts_with(b"//") {
            at += bytes[at..].iter().position(|b| *b == b'\n').unwrap_or(bytes.len() - at);
        } else {
            break;
        }
    }
    at
}

/// A name or keyword; or a text with a prefix, which begins like one.
fn word(text: &str, at: usize) -> Result<Token, Fault> {
    let rest = &text[at..];
    let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let name = &rest[..len];
    if rest[len..].starts_with(['"', '\'']) {
        if matches!(name, "r" | "R") {
            return literal::text(text, at, at + len);
        }
        if matches!(name, "b" | "B" | "br" | "bR" | "Br" | "BR") {
            let end = super::quotes::end(text.as_bytes(), at + len).unwrap_or(text.len());
            let fault = Fault::new(codes::BAD_EXPRESSION, "bytes are not supported", (at, end));
            return Err(fault.help("leave the `b` before the quote out"));
        }
    }
    let kind = match KEYWORDS.iter().find(|k| **k == name) {
        Some(keyword) => TokenKind::Keyword(keyword),
        None => TokenKind::Name(name.to_owned()),
    };
    Ok(Token { kind, at: (at, at + len) })
}

fn sign(text: &str, at: usize) -> Result<Token, Fault> {
    let rest = &text[at..];
    if let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) {
        return Ok(Token { kind: TokenKind::Sign(sign), at: (at, at + sign.len()) });
    }
    let first = rest.chars().next().unwrap_or(' ');
    let at = (at, at + first.len_utf8());
    let fault = Fault::new(codes::BAD_EXPRESSION, format!("`{first}` has no meaning in an expression"), at);
    Err(match first {
        '=' => fault.help("to compare, write `==`"),
        '&' | '|' => fault.help(format!("write `{first}{first}`")),
        '$' => fault.help("inside `${...}` names stand without `$`"),
        '`' => fault.help("write `map[\"name\"]`"),
        _ => fault,
    })
}
