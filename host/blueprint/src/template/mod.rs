//! Templates: values in which expressions stand for what is not known yet.

mod build;
mod scan;

use std::collections::BTreeMap;
use std::sync::Arc;

use sheave_model::{Diagnostic, SourceId, Span, Unknown, UnknownKind, Value, pointer};

use crate::cel::{Expr, Fault};
use crate::codes;
use crate::references::References;
use crate::yaml::offsets::Offsets;

pub(crate) use build::{build, meaning};

/// A value in which expressions stand for what is not known yet; every part knows its place in the source.
#[derive(Clone, Debug)]
pub struct Template {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

/// What stands there.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A scalar without an expression.
    Literal(Value),
    /// `${...}` alone: keeps the expression's type.
    Expression(Arc<Expression>),
    /// A text with expressions in it.
    Text(Arc<[Piece]>),
    List(Vec<Template>),
    Map(Vec<Field>),
    /// Nothing that could be read, and reported. It counts as not known, so that nothing more is said of it.
    Faulty,
}

/// A part of a text.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Literal(String),
    Expression(Expression),
}

/// One `key: value`.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) key: FieldKey,
    pub(crate) key_span: Span,
    pub(crate) value: Template,
}

/// A key of a map.
#[derive(Clone, Debug)]
pub(crate) enum FieldKey {
    Literal(String),
    Text(Arc<[Piece]>),
}

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) text: String,
    pub(crate) root: Expr,
    pub(crate) place: Place,
}

/// From the bytes of an expression's text to the source.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) source: SourceId,
    pub(crate) offsets: Offsets,
}

impl Place {
    pub(crate) fn span(&self, at: (usize, usize)) -> Span {
        let start = self.offsets.source(at.0);
        Span { source: self.source, start, end: self.offsets.source(at.1).max(start) }
    }

    pub(crate) fn diagnostic(&self, fault: Fault) -> Diagnostic {
        let mut out = Diagnostic::error(fault.code, fault.summary).at(self.span(fault.at), "");
        out.help = fault.help;
        out
    }
}

impl Template {
    /// A template that is this value, at this place.
    pub fn of(value: &Value, span: Span) -> Self {
        let kind = match value {
            Value::List(items) => Kind::List(items.iter().map(|v| Self::of(v, span)).collect()),
            Value::Map(entries) => Kind::Map(
                entries
                    .iter()
                    .map(|(key, v)| Field {
                        key: FieldKey::Literal(key.clone()),
                        key_span: span,
                        value: Self::of(v, span),
                    })
                    .collect(),
            ),
            scalar => Kind::Literal(scalar.clone()),
        };
        Self { span, kind }
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Where the value at an RFC 6901 pointer stands; where an expression makes it, the expression.
    /// None where nothing is written there.
    pub fn span_at(&self, at: &str) -> Option<Span> {
        let parts = pointer::parts(at)?;
        let mut here = self;
        for part in &parts {
            here = match &here.kind {
                Kind::List(items) => items.get(part.parse::<usize>().ok()?)?,
                Kind::Map(_) => &here.field(part)?.value,
                Kind::Expression(_) => return Some(here.span),
                Kind::Literal(_) | Kind::Text(_) | Kind::Faulty => return None,
            };
        }
        Some(here.span)
    }

    /// Where the key that the pointer ends with stands.
    pub fn key_span_at(&self, at: &str) -> Option<Span> {
        let (parent, last) = at.rsplit_once('/')?;
        let mut here = self;
        for part in &pointer::parts(parent)? {
            here = match &here.kind {
                Kind::List(items) => items.get(part.parse::<usize>().ok()?)?,
                Kind::Map(_) => &here.field(part)?.value,
                _ => return None,
            };
        }
        Some(here.field(&last.replace("~1", "/").replace("~0", "~"))?.key_span)
    }

    /// The same diagnostic with the place that its pointer names as its first label, where it has none yet.
    #[must_use]
    pub fn locate(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        if !diagnostic.labels.is_empty() {
            return diagnostic;
        }
        let at = diagnostic.pointer.clone().unwrap_or_default();
        let by_key = [codes::UNKNOWN_KEY, codes::MISSING_KEY].contains(&diagnostic.code.as_str());
        let mut span = if by_key { self.key_span_at(&at) } else { None };
        let mut near = at.as_str();
        // The nearest thing around it that is written.
        while span.is_none() {
            span = self.span_at(near);
            match near.rsplit_once('/') {
                Some((parent, _)) => near = parent,
                None => break,
            }
        }
        diagnostic = diagnostic.at(span.unwrap_or(self.span), "");
        diagnostic
    }

    fn field(&self, key: &str) -> Option<&Field> {
        let Kind::Map(fields) = &self.kind else { return None };
        fields.iter().find(|f| matches!(&f.key, FieldKey::Literal(k) if k == key))
    }

    /// The part at this key of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.field(key).map(|f| &f.value)
    }

    /// The value, where no expression stands in it.
    pub fn literal(&self) -> Option<Value> {
        let mut pure = true;
        self.each_expression(&mut |_| pure = false);
        pure.then(|| self.outline())
    }

    /// The value as far as it is written: an expression is an unknown with an empty id. A map key that is an expression is left out.
    pub fn outline(&self) -> Value {
        let unknown = |kind| Value::Unknown(Unknown { id: String::new(), kind, secret: false });
        match &self.kind {
            Kind::Literal(value) => value.clone(),
            Kind::Expression(_) | Kind::Faulty => unknown(UnknownKind::Other),
            Kind::Text(_) => unknown(UnknownKind::Text),
            Kind::List(items) => Value::List(items.iter().map(Self::outline).collect()),
            Kind::Map(fields) => {
                let known = fields.iter().filter_map(|f| match &f.key {
                    FieldKey::Literal(key) => Some((key.clone(), f.value.outline())),
                    FieldKey::Text(_) => None,
                });
                Value::Map(known.collect::<BTreeMap<_, _>>())
            }
        }
    }

    /// Whether a key of any map in it is an expression: then what is missing may still come.
    pub(crate) fn has_computed_key(&self) -> bool {
        match &self.kind {
            Kind::Literal(_) | Kind::Expression(_) | Kind::Text(_) | Kind::Faulty => false,
            Kind::List(items) => items.iter().any(Self::has_computed_key),
            Kind::Map(fields) => {
                fields.iter().any(|f| matches!(f.key, FieldKey::Text(_)) || f.value.has_computed_key())
            }
        }
    }

    /// What its expressions read, by themselves: locals are not followed.
    pub fn references(&self) -> References {
        let mut found = References::default();
        self.each_expression(&mut |e| found.read(&e.root));
        found
    }

    /// Calls `see` on every expression, map keys included.
    pub(crate) fn each_expression<'a>(&'a self, see: &mut dyn FnMut(&'a Expression)) {
        let pieces = |pieces: &'a [Piece], see: &mut dyn FnMut(&'a Expression)| {
            for piece in pieces {
                if let Piece::Expression(e) = piece {
                    see(e);
                }
            }
        };
        match &self.kind {
            Kind::Literal(_) | Kind::Faulty => {}
            Kind::Expression(e) => see(e),
            Kind::Text(text) => pieces(text, see),
            Kind::List(items) => items.iter().for_each(|t| t.each_expression(see)),
            Kind::Map(fields) => {
                for field in fields {
                    if let FieldKey::Text(text) = &field.key {
                        pieces(text, see);
                    }
                    field.value.each_expression(see);
                }
            }
        }
    }
}
