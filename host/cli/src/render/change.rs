//! One field's change: `~ spec.replicas: 2 -> 3`; longer values as the lines that differ.

use std::fmt::{self, Write};

use serde_json::Value as Json;
use sheave_model::plan::{FieldChange, Shown};
use sheave_model::pointer;
use similar::{ChangeTag, TextDiff};

use super::{document, outside};
use crate::look::Paint;

/// Characters of both sides that still read well on one line.
const MAX_INLINE: usize = 90;

/// Bytes of both sides that are compared line by line: beyond it the comparison would hold up the plan.
const MAX_DIFF: usize = 512 * 1024;

/// Lines that are shown around those that differ.
const CONTEXT: usize = 2;

/// Writes `changes`, each on lines of its own indented by `indent`.
pub(crate) fn changes(
    out: &mut dyn Write,
    changes: &[FieldChange],
    indent: usize,
    paint: Paint,
) -> fmt::Result {
    changes.iter().try_for_each(|change| one(out, change, indent, paint))
}

fn one(out: &mut dyn Write, change: &FieldChange, indent: usize, paint: Paint) -> fmt::Result {
    let at = path(&change.pointer);
    let (before, after) = (&change.before, &change.after);
    match (before, after) {
        (Shown::Absent, _) => write!(out, "{:indent$}{} {at}:", "", paint.green('+'))?,
        (_, Shown::Absent) => write!(out, "{:indent$}{} {at}:", "", paint.red('-'))?,
        _ => write!(out, "{:indent$}{} {at}:", "", paint.yellow('~'))?,
    }
    match (before, after) {
        (Shown::Secret, Shown::Secret) => {
            writeln!(out, " {}", paint.cyan("(sensitive, another value)"))
        }
        (Shown::Absent, shown) | (shown, Shown::Absent) => match shown {
            Shown::Value(node) if !short(node) => {
                writeln!(out)?;
                document::yaml(out, node, indent + 4, paint)
            }
            shown => writeln!(out, " {}", inline(shown, paint)),
        },
        (Shown::Value(old), Shown::Value(new)) if !(short(old) && short(new)) => {
            writeln!(out)?;
            lines(out, old, new, indent + 4, paint)
        }
        _ => writeln!(out, " {} -> {}", inline(before, paint), inline(after, paint)),
    }
}

/// `spec.containers[0].env`, from an RFC 6901 pointer; keys that are no plain word in brackets.
pub(crate) fn path(at: &str) -> String {
    let Some(parts) = pointer::parts(at) else { return outside::line(at).into_owned() };
    let mut out = String::new();
    for part in &parts {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$');
        if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) {
            out.extend(["[", part, "]"]);
        } else if !part.is_empty() && part.chars().all(plain) {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(part);
        } else {
            let key = Json::from(part.as_str()).to_string();
            out.extend(["[", &outside::line(&key), "]"]);
        }
    }
    if out.is_empty() { "(all of it)".to_owned() } else { out }
}

fn short(node: &Json) -> bool {
    match node {
        Json::String(text) => !text.trim_end_matches('\n').contains('\n') && text.len() <= MAX_INLINE,
        other => document::flow(other, Paint(false)).len() <= MAX_INLINE / 2,
    }
}

fn inline(shown: &Shown, paint: Paint) -> String {
    match shown {
        Shown::Absent => paint.dim("(absent)").to_string(),
        Shown::Value(node) => document::flow(node, paint),
        Shown::Secret => paint.cyan(document::SECRET).to_string(),
        Shown::Unknown => paint.cyan(document::UNKNOWN).to_string(),
    }
}

/// A long value's lines: a text's own, any other's as YAML.
fn lines_of(node: &Json) -> Result<String, fmt::Error> {
    if let Json::String(text) = node {
        return Ok(outside::block(text).into_owned());
    }
    let mut out = String::new();
    document::yaml(&mut out, node, 0, Paint(false))?;
    Ok(out)
}

fn lines(out: &mut dyn Write, old: &Json, new: &Json, indent: usize, paint: Paint) -> fmt::Result {
    let (old, new) = (lines_of(old)?, lines_of(new)?);
    if old.len() + new.len() > MAX_DIFF {
        return writeln!(
            out,
            "{:indent$}{} lines -> {} lines, too long to compare here",
            "",
            old.lines().count(),
            new.lines().count()
        );
    }
    let diff = TextDiff::from_lines(&old, &new);
    for (i, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if i > 0 {
            writeln!(out, "{:indent$}{}", "", paint.dim("..."))?;
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = change.value().trim_end_matches('\n');
            match change.tag() {
                ChangeTag::Equal => writeln!(out, "{:indent$}  {text}", "")?,
                ChangeTag::Delete => writeln!(out, "{:indent$}{}", "", paint.red(format_args!("- {text}")))?,
                ChangeTag::Insert => {
                    writeln!(out, "{:indent$}{}", "", paint.green(format_args!("+ {text}")))?
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(pointer: &str, before: Shown, after: Shown) -> FieldChange {
        FieldChange { pointer: pointer.into(), before, after, manager: None }
    }

    #[test]
    fn pointers_read_as_paths() {
        assert_eq!(path("/spec/containers/0/env"), "spec.containers[0].env");
        assert_eq!(path("/metadata/annotations/a.b~1c"), r#"metadata.annotations["a.b/c"]"#);
        assert_eq!(path("/data/nginx.conf"), r#"data["nginx.conf"]"#);
        assert_eq!(path("/\u{1b}[1m"), r#"["\u001b[1m"]"#);
        assert_eq!(path("/\u{202e}"), r#"["\u{202e}"]"#);
        assert_eq!(path(""), "(all of it)");
        assert_eq!(path("/a//b"), r#"a[""].b"#);
    }

    #[test]
    fn every_kind_of_change_has_its_form() {
        let value = Shown::Value;
        let long = |n: u32| {
            let lines: Vec<_> = (0..12).map(|i| format!("line {i}")).collect();
            lines.join("\n").replace("line 6", &format!("line 6 is {n}"))
        };
        let all = [
            change("/spec/replicas", value(json!(2)), value(json!(3))),
            change("/spec/image", value(json!("nginx:1.26")), value(json!("nginx:1.27"))),
            change("/spec/paused", Shown::Absent, value(json!(true))),
            change("/spec/old", value(json!("x")), Shown::Absent),
            change("/spec/host", value(json!("a")), Shown::Unknown),
            change("/spec/password", Shown::Secret, Shown::Secret),
            change("/spec/token", Shown::Absent, Shown::Secret),
            change("/spec/ports", value(json!([80])), value(json!([80, 443]))),
            change("/data/nginx.conf", value(json!(long(1))), value(json!(long(2)))),
            change(
                "/spec/template",
                Shown::Absent,
                value(
                    json!({"name": "web", "ports": [{"containerPort": 80, "protocol": "TCP"}], "image": "nginx"}),
                ),
            ),
            change(
                "/spec/env",
                value(json!([{"name": "A_LONG_NAME", "value": "1"}, {"name": "ANOTHER", "value": "2"}])),
                value(
                    json!([{"name": "A_LONG_NAME", "value": "1"}, {"name": "ANOTHER", "value": {"$secret": "d"}}]),
                ),
            ),
        ];
        let mut out = String::new();
        changes(&mut out, &all, 2, Paint(false)).unwrap();
        insta::assert_snapshot!(out);
    }

    #[test]
    fn a_text_of_control_characters_stays_harmless() {
        let bad = "x\n\u{1b}[2Jy\n".to_owned();
        let mut out = String::new();
        let one = [change("/a", Shown::Value(json!(bad)), Shown::Value(json!("z\nz")))];
        changes(&mut out, &one, 0, Paint(false)).unwrap();
        assert!(!out.replace('\n', "").contains(outside::acts), "{out}");
    }
}
