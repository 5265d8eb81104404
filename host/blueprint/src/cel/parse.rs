//! Expression text to a tree: CEL's own grammar by the `cel` crate's parser, its messages put into plain words.

use cel::Env;

use super::{Expr, Fault, lower, quotes};
use crate::codes;
use crate::limits::{MAX_EXPRESSION_BYTES, MAX_EXPRESSION_NESTING, MAX_EXPRESSION_OPERATORS};

/// The expression, or all that is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Expr, Vec<Fault>> {
    let whole = (0, text.len());
    if text.len() > MAX_EXPRESSION_BYTES {
        let summary = format!("the expression is longer than {MAX_EXPRESSION_BYTES} bytes");
        let fault = Fault::new(codes::EXPRESSION_LIMIT, summary, whole);
        return Err(vec![fault.help("split it over several `locals`")]);
    }
    if quotes::operators(text) > MAX_EXPRESSION_OPERATORS {
        let summary =
            format!("the expression has more than {MAX_EXPRESSION_OPERATORS} operators and brackets");
        let fault = Fault::new(codes::EXPRESSION_LIMIT, summary, whole);
        return Err(vec![fault.help("split it over several `locals`")]);
    }
    if text.trim().is_empty() {
        return Err(vec![Fault::new(codes::BAD_EXPRESSION, "the expression is empty", whole)]);
    }
    // An environment without macros: comprehensions stay calls, which lowering understands itself.
    let parser = Env::default().parser().max_recursion_depth(MAX_EXPRESSION_NESTING);
    match parser.parse_with_source_info(text) {
        Ok((tree, places)) => lower::lower(text, &tree, &places),
        Err(errors) => Err(vec![explain(text, &errors.errors)]),
    }
}

/// The first of the parser's errors in our words: the rest follow from it.
fn explain(text: &str, errors: &[cel::ParseError]) -> Fault {
    let whole = (0, text.len());
    if errors.iter().any(|e| e.msg.contains("Recursion limit")) {
        let summary = format!("the expression's brackets are nested deeper than {MAX_EXPRESSION_NESTING}");
        return Fault::new(codes::EXPRESSION_LIMIT, summary, whole).help("split it over several `locals`");
    }
    let Some(error) = errors.iter().find(|e| e.msg.starts_with("Syntax error")).or(errors.first()) else {
        return Fault::new(codes::BAD_EXPRESSION, "the expression cannot be read", whole);
    };
    let start = position(text, error.pos);
    let found = error.msg.split_once('\'').map_or("", |(_, rest)| rest);
    let end = |len: usize| (start, (start + len).min(text.len()));
    if error.msg.contains("token recognition error") {
        let first = text[start..].chars().next().unwrap_or(' ');
        if matches!(first, '"' | '\'') {
            return Fault::new(codes::BAD_EXPRESSION, "a text in quotes is not closed", (start, text.len()));
        }
        let summary = match first {
            '&' | '|' => format!("`{first}` alone has no meaning in an expression"),
            _ => format!("`{first}` has no meaning in an expression"),
        };
        let fault = Fault::new(codes::BAD_EXPRESSION, summary, end(first.len_utf8()));
        return match first {
            '=' => fault.help("to compare, write `==`"),
            '&' | '|' => fault.help(format!("write `{first}{first}`")),
            _ => fault,
        };
    }
    if let Some(bracket) = error.msg.strip_prefix("Syntax error: missing '").and_then(|m| m.chars().next()) {
        let last = text.trim_end().len();
        let at = if start < last { end(1) } else { (last.saturating_sub(1), last) };
        return Fault::new(codes::BAD_EXPRESSION, format!("a `{bracket}` is missing"), at);
    }
    if found.starts_with("<EOF>") {
        let last = text.trim_end().len();
        let fault = Fault::new(
            codes::BAD_EXPRESSION,
            "the expression ends too early",
            (last.saturating_sub(1), last),
        );
        return fault.help("an operator lacks its right side, or a bracket is not closed");
    }
    let token: String = text[start..]
        .chars()
        .enumerate()
        .take_while(|(i, c)| *i == 0 || c.is_ascii_alphanumeric() || *c == '_')
        .map(|(_, c)| c)
        .take(if text[start..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') { 64 } else { 1 })
        .collect();
    if token.is_empty() {
        return Fault::new(codes::BAD_EXPRESSION, "the expression cannot be read", whole);
    }
    let fault =
        Fault::new(codes::BAD_EXPRESSION, format!("`{token}` does not belong here"), end(token.len()));
    match token.as_str() {
        "=" => fault.help("to compare, write `==`"),
        "$" => fault.help("inside `${...}` names stand without `$`"),
        _ if text[..start].split_whitespace().any(|word| word == "if") => {
            fault.help("write `condition ? value : other`")
        }
        _ => fault,
    }
}

/// The byte of a line and column, both from one, columns in characters.
fn position(text: &str, (line, column): (isize, isize)) -> usize {
    let mut start = 0;
    for _ in 1..line.max(1) {
        start += text[start..].find('\n').map_or(text.len() - start, |n| n + 1);
    }
    let skip = usize::try_from(column.saturating_sub(1)).unwrap_or(0);
    text[start..].char_indices().nth(skip).map_or(text.len(), |(at, _)| start + at)
}
