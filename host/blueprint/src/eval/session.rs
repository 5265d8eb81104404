//! One evaluation: its budget of work, its locals, and templates.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;

use sheave_model::{Diagnostic, SecretText, UnknownKind, Value};

use super::marks::{Marks, Site};
use super::walk::Walk;
use super::{Answer, Error, Scope, convert};
use crate::cel::Fault;
use crate::codes;
use crate::limits::{MAX_DIAGNOSTICS, MAX_EVALUATION_DEPTH, MAX_TEXT_BYTES, MAX_WORK};
use crate::template::{Expression, FieldKey, Kind, Piece, Template};

/// What a local that is read inside an expression counts as: so much stack does its own template take.
const LEVELS_OF_LOCAL: usize = 8;

/// What is shared by all expressions of one evaluation.
pub(crate) struct Session<'g> {
    pub(super) scope: Option<&'g Scope<'g>>,
    /// `self`, in conditions.
    pub(super) this: Option<&'g Value>,
    locals: BTreeMap<&'g str, Local<'g>>,
    work: Cell<u64>,
    depth: Cell<usize>,
    pub(super) patterns: RefCell<BTreeMap<String, Rc<regex::Regex>>>,
}

struct Local<'g> {
    template: &'g Template,
    value: OnceCell<Result<Value, Vec<Diagnostic>>>,
    /// Resolving refuses circles; a graph that is none must not hang here either.
    busy: Cell<bool>,
}

impl<'g> Session<'g> {
    pub(crate) fn new(
        locals: &'g BTreeMap<String, Template>,
        scope: Option<&'g Scope<'g>>,
        this: Option<&'g Value>,
    ) -> Self {
        let local = |template| Local { template, value: OnceCell::new(), busy: Cell::new(false) };
        Self {
            scope,
            this,
            locals: locals.iter().map(|(name, t)| (name.as_str(), local(t))).collect(),
            work: Cell::new(0),
            depth: Cell::new(0),
            patterns: RefCell::default(),
        }
    }

    /// The template's value, or all faults in it.
    pub(crate) fn evaluate<'s>(&'s self, template: &'s Template) -> Result<Value, Vec<Diagnostic>>
    where
        'g: 's,
    {
        self.complete(template, true)
    }

    /// The value of one expression, which stands in no template.
    pub(crate) fn expression<'s>(&'s self, expression: &'s Expression) -> Answer<Value>
    where
        'g: 's,
    {
        let mut walk = Walk::new(self, expression, true);
        let value = walk.value(&expression.root)?;
        walk.owned(value, expression.root.at)
    }

    fn complete<'s>(&'s self, template: &'s Template, in_each: bool) -> Result<Value, Vec<Diagnostic>>
    where
        'g: 's,
    {
        let mut faults = Vec::new();
        match self.template(template, in_each, &mut faults) {
            Some(value) if faults.is_empty() => Ok(value),
            _ => Err(faults),
        }
    }

    fn template<'s>(
        &'s self,
        template: &'s Template,
        in_each: bool,
        faults: &mut Vec<Diagnostic>,
    ) -> Option<Value>
    where
        'g: 's,
    {
        match &template.kind {
            Kind::Literal(value) => match self.spend(cost(value)) {
                Ok(()) => Some(value.clone()),
                Err(fault) => {
                    faults.push(too_much(fault).at(template.span, ""));
                    None
                }
            },
            Kind::Expression(expression) => {
                let mut walk = Walk::new(self, expression, in_each);
                let value = walk.value(&expression.root).and_then(|v| walk.owned(v, expression.root.at));
                value.map_err(|e| note(faults, placed(*e, expression))).ok()
            }
            Kind::Text(pieces) => self.text(pieces, in_each, faults),
            Kind::Faulty => Some(template.outline()),
            Kind::List(items) => {
                let values: Vec<_> = items.iter().map(|t| self.template(t, in_each, faults)).collect();
                values.into_iter().collect::<Option<_>>().map(Value::List)
            }
            Kind::Map(fields) => {
                let mut out = BTreeMap::new();
                let mut whole = true;
                for field in fields {
                    let value = self.template(&field.value, in_each, faults);
                    let key = match &field.key {
                        FieldKey::Literal(key) => Some(key.clone()),
                        FieldKey::Text(pieces) => self.text(pieces, in_each, faults).and_then(|key| {
                            key_of(key).map_err(|f| faults.push(f.at(field.key_span, ""))).ok()
                        }),
                    };
                    let (Some(key), Some(value)) = (key, value) else {
                        whole = false;
                        continue;
                    };
                    match out.entry(key) {
                        Entry::Vacant(slot) => _ = slot.insert(value),
                        Entry::Occupied(slot) => {
                            let summary = format!("the key `{}` stands twice in one map", slot.key());
                            faults.push(
                                Diagnostic::error(codes::DUPLICATE_KEY, summary).at(field.key_span, ""),
                            );
                            whole = false;
                        }
                    }
                }
                whole.then_some(Value::Map(out))
            }
        }
    }

    /// A text with expressions in it: secret or unknown as a whole where one of them is.
    fn text<'s>(&'s self, pieces: &'s [Piece], in_each: bool, faults: &mut Vec<Diagnostic>) -> Option<Value>
    where
        'g: 's,
    {
        let mut out = String::new();
        let mut marks = Marks::default();
        let mut site = Site::new(self, in_each);
        let mut whole = true;
        for piece in pieces {
            let expression = match piece {
                Piece::Literal(text) => {
                    out.push_str(text);
                    site.text(text);
                    continue;
                }
                Piece::Expression(expression) => expression,
            };
            site.text(&expression.text);
            let mut walk = Walk::new(self, expression, in_each);
            let shown = walk.value(&expression.root).and_then(|value| {
                marks.see(&value);
                match &*value {
                    Value::Unknown(_) => Ok(()),
                    known => convert::show(known, expression.root.at).and_then(|text| {
                        out.push_str(&text);
                        walk.text_size(out.len(), expression.root.at)
                    }),
                }
            });
            if let Err(error) = shown {
                note(faults, placed(*error, expression));
                whole = false;
            }
        }
        if !whole {
            return None;
        }
        Some(if marks.is_unknown() {
            site.unknown(&marks, UnknownKind::Text)
        } else if marks.secret {
            Value::Secret(SecretText::new(out))
        } else {
            Value::Text(out)
        })
    }

    /// A local's value, evaluated when it is first read.
    pub(super) fn local<'s>(&'s self, name: &str, at: (usize, usize)) -> Answer<&'s Value>
    where
        'g: 's,
    {
        let Some(local) = self.locals.get(name) else {
            return Err(Box::new(Error::Here(Fault::new(
                codes::UNKNOWN_NAME,
                format!("there is no local `{name}`"),
                at,
            ))));
        };
        if local.value.get().is_none() {
            if local.busy.replace(true) {
                let fault = Fault::new(codes::CYCLE, format!("the local `{name}` reads itself"), at);
                return Err(Box::new(Error::Here(fault)));
            }
            let entered = self.enter(LEVELS_OF_LOCAL);
            let value = entered.map(|before| {
                let value = self.complete(local.template, false);
                self.leave(before);
                value
            });
            local.busy.set(false);
            let value =
                value.map_err(|s| Box::new(Error::Here(Fault::new(codes::EXPRESSION_LIMIT, s, at))))?;
            _ = local.value.set(value);
        }
        match local.value.get() {
            Some(Ok(value)) => Ok(value),
            Some(Err(faults)) => Err(Box::new(Error::Elsewhere(faults.clone()))),
            None => Err(Box::new(Error::Elsewhere(Vec::new()))),
        }
    }

    /// Takes work off the budget.
    pub(super) fn spend(&self, units: u64) -> Result<(), String> {
        let spent = self.work.get().saturating_add(units);
        self.work.set(spent);
        if spent > MAX_WORK {
            return Err(format!("the evaluation takes more than {MAX_WORK} units of work"));
        }
        Ok(())
    }

    /// So many levels deeper; what the way back needs.
    pub(super) fn enter(&self, levels: usize) -> Result<usize, String> {
        let before = self.depth.get();
        if before >= MAX_EVALUATION_DEPTH {
            return Err(format!(
                "the expressions and the locals they read are deeper than {MAX_EVALUATION_DEPTH}"
            ));
        }
        self.depth.set(before + levels);
        Ok(before)
    }

    pub(super) fn leave(&self, before: usize) {
        self.depth.set(before);
    }
}

/// Takes faults in, each once: what reads a broken local repeats the local's own.
fn note(faults: &mut Vec<Diagnostic>, found: Vec<Diagnostic>) {
    for fault in found {
        if faults.len() < MAX_DIAGNOSTICS && !faults.contains(&fault) {
            faults.push(fault);
        }
    }
}

/// Units of work to copy a value.
pub(super) fn cost(value: &Value) -> u64 {
    match value {
        Value::Text(text) => 1 + text_cost(text.len()),
        Value::Secret(text) => 1 + text_cost(text.expose().len()),
        Value::List(items) => 1 + items.iter().map(cost).sum::<u64>(),
        Value::Map(entries) => 1 + entries.iter().map(|(k, v)| text_cost(k.len()) + cost(v)).sum::<u64>(),
        _ => 1,
    }
}

/// Units of work to handle so many bytes.
pub(super) fn text_cost(bytes: usize) -> u64 {
    bytes as u64 / 64
}

/// The fault of a text that is too long.
pub(super) fn too_long(at: (usize, usize)) -> Box<Error> {
    let summary = format!("the text is longer than {MAX_TEXT_BYTES} bytes");
    Box::new(Error::Here(Fault::new(codes::EXPRESSION_LIMIT, summary, at)))
}

fn too_much(summary: String) -> Diagnostic {
    Diagnostic::error(codes::EXPRESSION_LIMIT, summary)
}

/// A map's key: a text that everybody may see.
pub(super) fn key_of(value: Value) -> Result<String, Box<Diagnostic>> {
    let fault = match value {
        Value::Text(text) => return Ok(text),
        Value::Secret(_) => Diagnostic::error(codes::SECRET_MISPLACED, "a map key cannot be secret")
            .with_help("keys are shown; only values are kept secret"),
        Value::Unknown(_) => {
            Diagnostic::error(codes::UNKNOWN_MISPLACED, "a map key cannot be known only after apply")
                .with_help("put what is known into the key, and the rest into the value")
        }
        other => {
            let kind = crate::syntax::with_article(other.kind_name());
            Diagnostic::error(codes::TYPE_MISMATCH, format!("a map key must be a string, found {kind}"))
        }
    };
    Err(Box::new(fault))
}

/// An error in an expression, at its place in the source.
pub(crate) fn placed(error: Error, expression: &Expression) -> Vec<Diagnostic> {
    match error {
        Error::Here(fault) => vec![expression.place.diagnostic(fault)],
        Error::Elsewhere(diagnostics) => diagnostics,
    }
}
