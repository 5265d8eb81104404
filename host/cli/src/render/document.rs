//! Masked documents as YAML, the way people read manifests; holes are shown at the very leaf.

use std::borrow::Cow;
use std::fmt::{self, Write};

use serde_json::{Map, Value as Json};
use sheave_model::Masked;

use super::outside;
use crate::look::Paint;

/// Lines of one text that are shown: beyond it a file that someone put into a manifest hides the plan.
const MAX_TEXT_LINES: usize = 400;

/// What stands for a leaf that only apply can tell.
pub(crate) const UNKNOWN: &str = "(known after apply)";
/// What stands for a leaf that nobody may see.
pub(crate) const SECRET: &str = "(sensitive)";

/// Writes `node` as YAML lines, each indented by `indent` spaces. An object's own head (`apiVersion`, `kind`, `metadata`)
/// comes first, as in every manifest.
pub(crate) fn yaml(out: &mut dyn Write, node: &Json, indent: usize, paint: Paint) -> fmt::Result {
    match container(node) {
        None => writeln!(out, "{:indent$}{}", "", Leaf { node, paint }),
        Some(Container::List(items)) => list(out, items, indent, paint),
        Some(Container::Map(fields)) => map(out, fields, indent, paint, false),
    }
}

/// `node` on one line: a scalar as YAML would write it, a map or list in YAML's flow form.
pub(crate) fn flow(node: &Json, paint: Paint) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_flow(&mut out, node, paint);
    out
}

enum Container<'a> {
    Map(&'a Map<String, Json>),
    List(&'a [Json]),
}

/// The maps and lists that have something in them and do not stand for a hole.
fn container(node: &Json) -> Option<Container<'_>> {
    match node {
        Json::Object(fields) if !fields.is_empty() && hole(node).is_none() => Some(Container::Map(fields)),
        Json::Array(items) if !items.is_empty() => Some(Container::List(items)),
        _ => None,
    }
}

/// The word for a masked leaf.
fn hole(node: &Json) -> Option<&'static str> {
    if Masked::is_unknown(node) {
        Some(UNKNOWN)
    } else if Masked::is_secret(node) {
        Some(SECRET)
    } else {
        None
    }
}

const HEAD: [&str; 3] = ["apiVersion", "kind", "metadata"];

fn map(
    out: &mut dyn Write,
    fields: &Map<String, Json>,
    indent: usize,
    paint: Paint,
    mut first_inline: bool,
) -> fmt::Result {
    let manifest = HEAD.iter().all(|key| fields.contains_key(*key));
    let head = HEAD.iter().filter(|_| manifest).filter_map(|key| fields.get_key_value(*key));
    let rest = fields.iter().filter(|(key, _)| !(manifest && HEAD.contains(&key.as_str())));
    for (key, node) in head.chain(rest) {
        let width = if std::mem::take(&mut first_inline) { 0 } else { indent };
        write!(out, "{:width$}{}:", "", scalar(key))?;
        match (container(node), node) {
            (Some(Container::Map(inner)), _) => {
                writeln!(out)?;
                map(out, inner, indent + 2, paint, false)?;
            }
            (Some(Container::List(items)), _) => {
                writeln!(out)?;
                list(out, items, indent, paint)?;
            }
            (None, Json::String(text)) if is_block(text) => literal(out, text, indent + 2)?,
            (None, leaf) => writeln!(out, " {}", Leaf { node: leaf, paint })?,
        }
    }
    Ok(())
}

fn list(out: &mut dyn Write, items: &[Json], indent: usize, paint: Paint) -> fmt::Result {
    for item in items {
        write!(out, "{:indent$}-", "")?;
        match (container(item), item) {
            (Some(Container::Map(inner)), _) => {
                write!(out, " ")?;
                map(out, inner, indent + 2, paint, true)?;
            }
            (Some(Container::List(inner)), _) => {
                writeln!(out)?;
                list(out, inner, indent + 2, paint)?;
            }
            (None, Json::String(text)) if is_block(text) => literal(out, text, indent + 2)?,
            (None, leaf) => writeln!(out, " {}", Leaf { node: leaf, paint })?,
        }
    }
    Ok(())
}

/// Whether a text reads best line by line: YAML's literal form holds it as it is.
fn is_block(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.chars().any(|c| c != '\n' && outside::acts(c))
}

fn literal(out: &mut dyn Write, text: &str, indent: usize) -> fmt::Result {
    let keep = if text.ends_with("\n\n") {
        "+"
    } else if text.ends_with('\n') {
        ""
    } else {
        "-"
    };
    writeln!(out, " |{keep}")?;
    let total = text.lines().count();
    for line in text.lines().take(MAX_TEXT_LINES) {
        let width = if line.is_empty() { 0 } else { indent };
        writeln!(out, "{:width$}{line}", "")?;
    }
    if total > MAX_TEXT_LINES {
        writeln!(out, "{:indent$}... {} more lines", "", total - MAX_TEXT_LINES)?;
    }
    Ok(())
}

/// A leaf, or what stands for it.
struct Leaf<'a> {
    node: &'a Json,
    paint: Paint,
}

impl fmt::Display for Leaf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (hole(self.node), self.node) {
            (Some(word), _) => write!(f, "{}", self.paint.cyan(word)),
            (None, Json::String(text)) => f.write_str(&scalar(text)),
            (None, other) => write!(f, "{other}"),
        }
    }
}

fn write_flow(out: &mut String, node: &Json, paint: Paint) -> fmt::Result {
    match container(node) {
        None => write!(out, "{}", Leaf { node, paint }),
        Some(Container::List(items)) => {
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i == 0 { "[" } else { ", " });
                write_flow(out, item, paint)?;
            }
            out.push(']');
            Ok(())
        }
        Some(Container::Map(fields)) => {
            for (i, (key, item)) in fields.iter().enumerate() {
                out.push_str(if i == 0 { "{" } else { ", " });
                write!(out, "{}: ", scalar(key))?;
                write_flow(out, item, paint)?;
            }
            out.push('}');
            Ok(())
        }
    }
}

/// A text as a YAML scalar: bare where every reader takes it for the same text, in double quotes otherwise.
pub(crate) fn scalar(text: &str) -> Cow<'_, str> {
    if is_plain(text) { Cow::Borrowed(text) } else { Cow::Owned(quoted(text)) }
}

/// What readers of YAML take for something else than a text, or this program for a hole.
const OTHER: [&str; 11] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", UNKNOWN, SECRET];

fn is_plain(text: &str) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return false };
    // A dash begins a list where a space follows, and a document where it stands three times.
    let dash = first == '-' && chars.next().is_some_and(|c| c != ' ') && !text.starts_with("---");
    let starts_well = dash || first.is_alphanumeric() || matches!(first, '/' | '.' | '_' | '$' | '(' | '+');
    starts_well
        && !OTHER.iter().any(|other| text.eq_ignore_ascii_case(other))
        && !looks_like_number(text)
        && is_bare(text)
        && !text.ends_with([':', ' '])
}

/// Whether nothing within ends a scalar, or begins a comment.
fn is_bare(text: &str) -> bool {
    let mut before = '\0';
    text.chars().all(|c| {
        let marker = matches!((before, c), (':', ' ') | (' ', '#') | ('-', '>'));
        before = c;
        !marker && !outside::acts(c) && !matches!(c, '{' | '}' | '[' | ']' | ',' | '"' | '\'' | '`')
    })
}

/// Numbers in any of YAML's spellings, dates and times included: after sign and point comes a digit, and no letter that a
/// number could not have.
fn looks_like_number(text: &str) -> bool {
    let bare = text.trim_start_matches(['+', '-', '.']);
    let part = |c: u8| {
        c.is_ascii_digit()
            || matches!(c, b'.' | b'+' | b'-' | b'_' | b':' | b'e' | b'E' | b't' | b'T' | b'z' | b'Z')
    };
    let based = match bare.as_bytes() {
        [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', digits @ ..] => Some(digits),
        _ => None,
    };
    bare.eq_ignore_ascii_case("inf")
        || bare.eq_ignore_ascii_case("nan")
        || based.is_some_and(|digits| digits.iter().all(|c| c.is_ascii_hexdigit() || *c == b'_'))
        || bare.starts_with(|c: char| c.is_ascii_digit()) && bare.bytes().all(part)
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if outside::acts(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLAIN: Paint = Paint(false);

    #[test]
    fn a_manifest_reads_as_people_write_it() {
        let node = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "labels": {}, "annotations": {"a/b": "yes"}},
            "data": {"nginx.conf": "server {\n  listen 80;\n}\n", "cut": "a\nb", "empty": ""},
            "spec": {
                "replicas": 3, "paused": false, "nothing": null,
                "containers": [
                    {"name": "web", "image": "nginx:1.27", "args": ["-c", "a: b"], "ports": []},
                    {"env": [{"name": "HOST", "value": {"$unknown": "db#/host"}},
                             {"name": "PASSWORD", "value": {"$secret": "abc"}}]}
                ],
                "matrix": [[1, 2], [3]]
            }
        });
        let mut out = String::new();
        yaml(&mut out, &node, 2, PLAIN).unwrap();
        insta::assert_snapshot!(out);
    }

    #[test]
    fn what_could_be_taken_for_something_else_is_quoted() {
        for bare in [
            "web",
            "nginx:1.27",
            "/etc/x",
            "a b",
            "v1",
            "10m",
            "2Gi",
            "http://a.b/c?d=e#f",
            "größe",
            "9ff2e052",
            "-c",
            "--a=b",
        ] {
            assert_eq!(scalar(bare), bare);
        }
        for text in [
            "",
            "3",
            "1.5",
            "0x1F",
            "0XFF",
            "1e3",
            "1E3",
            "2026-01-02T03:04:05Z",
            "2024-01-02",
            "true",
            "No",
            "- a",
            "-",
            "---",
            "-1",
            ".inf",
            ".NaN",
            "Null",
            "-.5",
            "a: b",
            "a #b",
            "a->b",
            "a:",
            "*x",
            "&x",
            "{a}",
        ] {
            assert!(scalar(text).starts_with('"'), "{text}");
        }
        assert_eq!(scalar("a\u{1b}[1m\"\n"), r#""a\u001b[1m\"\n""#);
        assert_eq!(scalar(SECRET), format!("\"{SECRET}\""), "a text cannot pass for a hole");
    }

    #[test]
    fn control_characters_never_stand_in_a_literal_block() {
        let mut out = String::new();
        yaml(&mut out, &json!({"a": "x\n\u{1b}[2Jy\n", "b\u{7}": 1}), 0, PLAIN).unwrap();
        assert_eq!(out, "a: \"x\\n\\u001b[2Jy\\n\"\n\"b\\u0007\": 1\n");
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        let text = "line\n".repeat(MAX_TEXT_LINES + 5);
        let mut out = String::new();
        yaml(&mut out, &json!({"a": text}), 0, PLAIN).unwrap();
        assert!(out.ends_with("  ... 5 more lines\n"));
    }

    #[test]
    fn flow_keeps_to_one_line() {
        let node = json!({"a": [1, {"b": "x\ny"}], "c": {"$unknown": "i"}, "d": {}});
        assert_eq!(flow(&node, PLAIN), r#"{a: [1, {b: "x\ny"}], c: (known after apply), d: {}}"#);
    }
}
