//! JSON values as YAML text: block style, texts quoted where any reader could take them for something else.

use serde_json::Value;

use super::scalar::needs_quotes;

/// The YAML of a value, ending in a line's end.
pub(crate) fn emit(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block(value, 0, &mut out),
        Value::Array(list) if !list.is_empty() => block(value, 0, &mut out),
        scalar => {
            inline(scalar, 0, &mut out);
        }
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) => {
            for (n, (key, item)) in map.iter().enumerate() {
                if n > 0 || out.ends_with('\n') {
                    margin(indent, out);
                }
                out.push_str(&scalar_text(key));
                out.push(':');
                match item {
                    Value::Object(m) if !m.is_empty() => {
                        out.push('\n');
                        block(item, indent + 2, out);
                    }
                    Value::Array(l) if !l.is_empty() => {
                        out.push('\n');
                        block(item, indent, out);
                    }
                    other => {
                        out.push(' ');
                        inline(other, indent, out);
                    }
                }
            }
        }
        Value::Array(list) => {
            for (n, item) in list.iter().enumerate() {
                if n > 0 || out.ends_with('\n') {
                    margin(indent, out);
                }
                out.push_str("- ");
                match item {
                    Value::Object(m) if !m.is_empty() => block(item, indent + 2, out),
                    Value::Array(l) if !l.is_empty() => block(item, indent + 2, out),
                    other => inline(other, indent, out),
                }
            }
        }
        _ => {}
    }
}

fn margin(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A scalar or an empty collection, and the line's end.
fn inline(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::String(text) if literal(text) => {
            let end = if text.ends_with('\n') { "|" } else { "|-" };
            out.push_str(end);
            out.push('\n');
            for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
                if !line.is_empty() {
                    margin(indent + 2, out);
                    out.push_str(line);
                }
                out.push('\n');
            }
            return;
        }
        Value::String(text) => out.push_str(&scalar_text(text)),
        other => out.push_str(&other.to_string()),
    }
    out.push('\n');
}

/// Whether a text of several lines can stand as it is in a `|` block.
fn literal(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && !text.ends_with("\n\n")
        && text.lines().all(|line| !line.ends_with([' ', '\t']) && !line.contains('\t'))
        && text.chars().all(|c| c == '\n' || printable(c))
}

fn printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{feff}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// A text on one line: plain where that is certain, in double quotes otherwise.
fn scalar_text(text: &str) -> String {
    let plain = !text.is_empty()
        && text.chars().all(|c| printable(c) && c != '\n')
        && text.trim() == text
        && !text.starts_with(|c: char| "-?:,[]{}#&*!|>'\"%@`~=<".contains(c))
        && !text.ends_with(':')
        && !text.contains(": ")
        && !text.contains(" #")
        && !needs_quotes(text);
    if plain {
        return text.to_owned();
    }
    // JSON's quoting is YAML's double quoting, but for what YAML calls not printable.
    let mut out = String::new();
    for c in Value::from(text).to_string().chars() {
        if printable(c) {
            out.push(c);
        } else {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        }
    }
    out
}
