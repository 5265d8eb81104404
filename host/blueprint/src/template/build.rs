//! From the YAML tree to templates.

use std::sync::Arc;

use sheave_model::{Diagnostic, Span, Value};

use super::scan::{Part, scan};
use super::{Expression, Field, FieldKey, Kind, Piece, Place, Template};
use crate::cel;
use crate::codes;
use crate::yaml::offsets::Offsets;
use crate::yaml::scalar::{self, Fault};
use crate::yaml::{Node, NodeKind, Scalar, Style};

/// The template of a node; a part that is faulty is [`Kind::Faulty`], and reported.
pub(crate) fn build(text: &str, node: &Node, faults: &mut Vec<Diagnostic>) -> Template {
    let kind = match &node.kind {
        NodeKind::Scalar(scalar) => leaf(text, scalar, node.span, faults),
        NodeKind::Faulty => Kind::Faulty,
        NodeKind::List(items) => Kind::List(items.iter().map(|n| build(text, n, faults)).collect()),
        NodeKind::Map(entries) => Kind::Map(
            entries
                .iter()
                .map(|entry| {
                    let key = match scan(&entry.key) {
                        Ok(parts) if parts.iter().any(|p| matches!(p, Part::Expression(..))) => {
                            let style = match text.as_bytes().get(entry.key_span.start) {
                                Some(b'"') => Style::Double,
                                Some(b'\'') => Style::Single,
                                _ => Style::Plain,
                            };
                            let offsets = offsets(text, &entry.key, entry.key_span, style);
                            FieldKey::Text(pieces(&entry.key, parts, entry.key_span, &offsets, faults))
                        }
                        Ok(parts) => FieldKey::Literal(literal(parts)),
                        Err(at) => {
                            faults.push(open(
                                at,
                                entry.key_span,
                                &Offsets::Shift(entry.key_span.start),
                                false,
                            ));
                            FieldKey::Literal(entry.key.clone())
                        }
                    };
                    Field { key, key_span: entry.key_span, value: build(text, &entry.value, faults) }
                })
                .collect(),
        ),
    };
    Template { span: node.span, kind }
}

fn leaf(text: &str, scalar: &Scalar, span: Span, faults: &mut Vec<Diagnostic>) -> Kind {
    if scalar.text.contains("${") {
        let offsets = offsets(text, &scalar.text, span, scalar.style);
        return match scan(&scalar.text) {
            Err(at) => {
                faults.push(open(at, span, &offsets, scalar.style == Style::Plain));
                Kind::Faulty
            }
            Ok(mut parts) => {
                // A block's own line end does not make a text of an expression that stands alone in it.
                if scalar.style == Style::Block
                    && matches!(&parts[..], [Part::Expression(..), Part::Literal(end)] if end == "\n")
                {
                    parts.pop();
                }
                match &parts[..] {
                    [Part::Expression(start, end)] => {
                        match expression(&scalar.text, (*start, *end), span, &offsets, faults) {
                            Some(e) => Kind::Expression(Arc::new(e)),
                            None => Kind::Faulty,
                        }
                    }
                    [Part::Literal(text)] => Kind::Literal(Value::Text(text.clone())),
                    _ => Kind::Text(pieces(&scalar.text, parts, span, &offsets, faults)),
                }
            }
        };
    }
    if scalar::was_boolean(scalar) {
        let word = &scalar.text;
        let fault = Diagnostic::warning(
            codes::AMBIGUOUS_SCALAR,
            format!("`{word}` is a text here, not a truth value"),
        );
        faults.push(
            fault.at(span, "").with_help(format!("write `true` or `false`, or `\"{word}\"` for the text")),
        );
    }
    match meaning(scalar, span) {
        Ok(value) => Kind::Literal(value),
        Err(fault) => {
            faults.push(*fault);
            Kind::Faulty
        }
    }
}

/// The value of a scalar, or why it has none.
pub(crate) fn meaning(scalar: &Scalar, span: Span) -> Result<Value, Box<Diagnostic>> {
    let text = &scalar.text;
    scalar::meaning(scalar).map_err(|fault| {
        Box::new(match fault {
            Fault::LeadingZero => {
                let zeros = text.trim_start_matches(['-', '+']).trim_start_matches('0');
                let octal = zeros.bytes().all(|b| b < b'8');
                let summary = format!("`{text}` is octal to some readers and decimal to others");
                Diagnostic::error(codes::AMBIGUOUS_SCALAR, summary).at(span, "").with_help(if octal {
                    format!("write `0o{zeros}` for octal, `{zeros}` for decimal, or `\"{text}\"` for a text")
                } else {
                    format!("write `{zeros}` for the number, or `\"{text}\"` for a text")
                })
            }
            Fault::NoNumber => {
                Diagnostic::error(codes::TYPE_MISMATCH, format!("`{text}` is no finite number")).at(span, "")
            }
            Fault::Tag => {
                let tag = scalar.tag.as_deref().unwrap_or_default();
                Diagnostic::error(codes::TYPE_MISMATCH, format!("`{text}` is no `!!{tag}`")).at(span, "")
            }
        })
    })
}

fn offsets(text: &str, scalar: &str, span: Span, style: Style) -> Offsets {
    Offsets::align(scalar, text.get(span.start..span.end).unwrap_or(""), span.start, style)
}

fn literal(parts: Vec<Part>) -> String {
    parts.into_iter().map(|p| if let Part::Literal(text) = p { text } else { String::new() }).collect()
}

fn pieces(
    text: &str,
    parts: Vec<Part>,
    span: Span,
    offsets: &Offsets,
    faults: &mut Vec<Diagnostic>,
) -> Arc<[Piece]> {
    parts
        .into_iter()
        .filter_map(|part| match part {
            Part::Literal(text) => Some(Piece::Literal(text)),
            Part::Expression(start, end) => {
                expression(text, (start, end), span, offsets, faults).map(Piece::Expression)
            }
        })
        .collect()
}

fn expression(
    text: &str,
    (start, end): (usize, usize),
    span: Span,
    offsets: &Offsets,
    faults: &mut Vec<Diagnostic>,
) -> Option<Expression> {
    let inside = &text[start..end];
    let place = Place { source: span.source, offsets: offsets.from(start, end - start) };
    match cel::parse(inside) {
        Ok(root) => Some(Expression { text: inside.to_owned(), root, place }),
        Err(found) => {
            faults.extend(found.into_iter().map(|f| place.diagnostic(f)));
            None
        }
    }
}

fn open(at: usize, span: Span, offsets: &Offsets, plain: bool) -> Diagnostic {
    let start = offsets.source(at);
    let here = Span { start, end: span.end.max(start), ..span };
    let fault = Diagnostic::error(codes::BAD_EXPRESSION, "this `${` is never closed").at(here, "");
    fault.with_help(if plain {
        "write `}`; in plain YAML ` #` begins a comment and `: ` a map: put such a text in quotes"
    } else {
        "write `}`, or `$${` for the characters themselves"
    })
}
