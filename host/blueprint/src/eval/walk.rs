//! Walks one expression's tree.

use std::borrow::Cow;

use sheave_model::{UnknownKind, Value};

use super::marks::{Marks, Site};
use super::session::{Session, cost, key_of, text_cost, too_long};
use super::{Answer, Error};
use crate::cel::ast::Binary;
use crate::cel::functions::Function;
use crate::cel::{Expr, ExprKind, Fault};
use crate::codes;
use crate::limits::{MAX_ELEMENTS, MAX_TEXT_BYTES};
use crate::syntax::with_article;
use crate::template::Expression;

/// The bytes of an expression's text.
pub(super) type At = (usize, usize);

/// One expression being evaluated.
pub(super) struct Walk<'s> {
    pub(super) session: &'s Session<'s>,
    expression: &'s Expression,
    /// Whether `each` belongs to it: not in locals, whose values all instances share.
    in_each: bool,
    /// The comprehensions' variables, the innermost last, with the position each stands at.
    pub(super) variables: Vec<(&'s str, Cow<'s, Value>, u64)>,
}

/// An error of this code here.
pub(super) fn fault(code: &'static str, summary: impl Into<String>, at: At) -> Box<Error> {
    Box::new(Error::Here(Fault::new(code, summary, at)))
}

/// The same with help.
pub(super) fn helped(
    code: &'static str,
    summary: impl Into<String>,
    at: At,
    help: impl Into<String>,
) -> Box<Error> {
    Box::new(Error::Here(Fault::new(code, summary, at).help(help)))
}

impl<'s> Walk<'s> {
    pub(super) fn new(session: &'s Session<'s>, expression: &'s Expression, in_each: bool) -> Self {
        Self { session, expression, in_each, variables: Vec::new() }
    }

    pub(super) fn spend(&self, units: u64, at: At) -> Answer<()> {
        self.session.spend(units).map_err(|summary| {
            helped(codes::EXPRESSION_LIMIT, summary, at, "make the lists smaller, or the texts shorter")
        })
    }

    /// The value itself, copied where it belongs to somebody else.
    pub(super) fn owned(&self, value: Cow<'_, Value>, at: At) -> Answer<Value> {
        if let Cow::Borrowed(v) = &value {
            self.spend(cost(v), at)?;
        }
        Ok(value.into_owned())
    }

    /// Refuses a text of so many bytes, or takes its cost.
    pub(super) fn text_size(&self, bytes: usize, at: At) -> Answer<()> {
        if bytes > MAX_TEXT_BYTES {
            return Err(too_long(at));
        }
        self.spend(text_cost(bytes), at)
    }

    /// Refuses a list or map of so many elements, or takes its cost.
    pub(super) fn elements(&self, count: usize, at: At) -> Answer<()> {
        if count > MAX_ELEMENTS {
            let summary = format!("a list or map of {count} elements is larger than {MAX_ELEMENTS}");
            return Err(fault(codes::EXPRESSION_LIMIT, summary, at));
        }
        self.spend(count as u64, at)
    }

    /// The unknown that comes here of the unknowns among `values`.
    pub(super) fn derived<'v>(
        &self,
        at: At,
        kind: UnknownKind,
        values: impl IntoIterator<Item = &'v Value>,
    ) -> Cow<'s, Value> {
        self.derived_of(at, kind, &Marks::of(values))
    }

    pub(super) fn derived_of(&self, at: At, kind: UnknownKind, marks: &Marks) -> Cow<'s, Value> {
        let mut site = Site::new(self.session, self.in_each);
        site.text(&self.expression.text);
        site.number(at.0 as u64);
        site.number(at.1 as u64);
        self.variables.iter().for_each(|(_, _, position)| site.number(*position));
        Cow::Owned(site.unknown(marks, kind))
    }

    /// The expression's value.
    pub(super) fn value(&mut self, expr: &'s Expr) -> Answer<Cow<'s, Value>> {
        self.spend(1, expr.at)?;
        let before = self.session.enter(1).map_err(|s| fault(codes::EXPRESSION_LIMIT, s, expr.at))?;
        let answer = self.node(expr);
        self.session.leave(before);
        answer
    }

    fn node(&mut self, expr: &'s Expr) -> Answer<Cow<'s, Value>> {
        let at = expr.at;
        match &expr.kind {
            ExprKind::Literal(value) => Ok(Cow::Borrowed(value)),
            ExprKind::Name(name) => self.name(name, at),
            ExprKind::Select(of, field) => self.select(of, field, at),
            ExprKind::Has(of, field) => self.has(of, field, at),
            ExprKind::Index(of, index) => self.index(of, index, at),
            ExprKind::Not(of) => self.not(of, at),
            ExprKind::Negate(of) => self.negate(of, at),
            ExprKind::Binary(op, left, right) => self.two_sides(*op, left, right, at),
            ExprKind::And(left, right) => self.logic(left, right, false, at),
            ExprKind::Or(left, right) => self.logic(left, right, true, at),
            ExprKind::Choice(parts) => self.choice(&parts[0], &parts[1], &parts[2], at),
            ExprKind::Call(function, args) => self.called(*function, args, at),
            ExprKind::List(items) => self.list(items, at),
            ExprKind::Map(entries) => self.map(entries, at),
            ExprKind::Each(each) => self.each(each, at),
        }
    }

    // One function an arm: what they need of the stack is not needed by the levels above.

    fn not(&mut self, of: &'s Expr, at: At) -> Answer<Cow<'s, Value>> {
        let value = self.value(of)?;
        match &*value {
            Value::Bool(b) => Ok(Cow::Owned(Value::Bool(!b))),
            Value::Unknown(_) => Ok(self.derived(at, UnknownKind::Other, [&*value])),
            other => Err(wrong("`!`", "a boolean", other, of.at)),
        }
    }

    fn negate(&mut self, of: &'s Expr, at: At) -> Answer<Cow<'s, Value>> {
        let value = self.value(of)?;
        match &*value {
            Value::Int(n) => n
                .checked_neg()
                .map(|n| Cow::Owned(Value::Int(n)))
                .ok_or_else(|| super::arithmetic::overflow(at)),
            Value::Float(f) => Ok(Cow::Owned(Value::Float(-f))),
            Value::Unknown(_) => Ok(self.derived(at, UnknownKind::Other, [&*value])),
            other => Err(wrong("`-`", "a number", other, of.at)),
        }
    }

    fn two_sides(&mut self, op: Binary, left: &'s Expr, right: &'s Expr, at: At) -> Answer<Cow<'s, Value>> {
        let (l, r) = (self.value(left)?, self.value(right)?);
        self.binary(op, &l, &r, (left.at, right.at), at)
    }

    fn called(&mut self, function: Function, args: &'s [Expr], at: At) -> Answer<Cow<'s, Value>> {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            values.push(self.value(arg)?);
        }
        let places: Vec<At> = args.iter().map(|a| a.at).collect();
        self.call(function, values, &places, at)
    }

    fn list(&mut self, items: &'s [Expr], at: At) -> Answer<Cow<'s, Value>> {
        self.elements(items.len(), at)?;
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            let value = self.value(item)?;
            out.push(self.owned(value, item.at)?);
        }
        Ok(Cow::Owned(Value::List(out)))
    }

    fn map(&mut self, entries: &'s [(Expr, Expr)], at: At) -> Answer<Cow<'s, Value>> {
        self.elements(entries.len(), at)?;
        let mut out = std::collections::BTreeMap::new();
        for (key, value) in entries {
            let (k, v) = (self.value(key)?, self.value(value)?);
            let k = self.owned(k, key.at)?;
            let name = key_of(k).map_err(|d| {
                let mut bad = Fault::new(codes::BAD_EXPRESSION, d.summary, key.at);
                bad.help = d.help;
                bad.code = [codes::SECRET_MISPLACED, codes::UNKNOWN_MISPLACED, codes::TYPE_MISMATCH]
                    .into_iter()
                    .find(|c| *c == d.code)
                    .unwrap_or(bad.code);
                Box::new(Error::Here(bad))
            })?;
            let v = self.owned(v, value.at)?;
            if out.insert(name, v).is_some() {
                return Err(fault(codes::DUPLICATE_KEY, "the key stands twice in one map", key.at));
            }
        }
        Ok(Cow::Owned(Value::Map(out)))
    }

    /// `&&` and `||`: a side that decides makes the other one not needed, whichever it is, and whatever it would be.
    fn logic(&mut self, left: &'s Expr, right: &'s Expr, decides: bool, at: At) -> Answer<Cow<'s, Value>> {
        let mut sides = Vec::with_capacity(2);
        for side in [left, right] {
            let answer = self.value(side).and_then(|v| match &*v {
                Value::Bool(_) | Value::Unknown(_) => Ok(v),
                other => Err(wrong(if decides { "`||`" } else { "`&&`" }, "a boolean", other, side.at)),
            });
            match answer {
                Ok(v) if matches!(*v, Value::Bool(b) if b == decides) => return Ok(v),
                Err(error) if is_limit(&error) => return Err(error),
                other => sides.push(other),
            }
        }
        let unknown: Vec<&Value> =
            sides.iter().flatten().map(|v| &**v).filter(|v| matches!(v, Value::Unknown(_))).collect();
        if !unknown.is_empty() {
            return Ok(self.derived(at, UnknownKind::Other, unknown));
        }
        for side in sides {
            side?;
        }
        Ok(Cow::Owned(Value::Bool(!decides)))
    }

    fn choice(
        &mut self,
        condition: &'s Expr,
        then: &'s Expr,
        or: &'s Expr,
        at: At,
    ) -> Answer<Cow<'s, Value>> {
        let decided = self.value(condition)?;
        match &*decided {
            Value::Bool(true) => self.value(then),
            Value::Bool(false) => self.value(or),
            Value::Unknown(_) => {
                let sides = [self.value(then), self.value(or)];
                let mut values = Vec::with_capacity(2);
                let mut first = None;
                for side in sides {
                    match side {
                        Ok(value) => values.push(value),
                        Err(error) if is_limit(&error) => return Err(error),
                        Err(error) => _ = first.get_or_insert(error),
                    }
                }
                if let (true, Some(error)) = (values.is_empty(), first) {
                    return Err(error);
                }
                for value in &values {
                    self.spend(cost(value), at)?;
                }
                let text = values.iter().all(|v| is_text(v));
                let kind = if text { UnknownKind::Text } else { UnknownKind::Other };
                Ok(self.derived(at, kind, values.iter().map(|v| &**v).chain([&*decided])))
            }
            other => Err(wrong("a condition", "a boolean", other, condition.at)),
        }
    }
}

/// Whether it is a text, known or not.
pub(super) fn is_text(value: &Value) -> bool {
    matches!(value, Value::Text(_) | Value::Secret(_))
        || matches!(value, Value::Unknown(u) if u.kind == UnknownKind::Text)
}

/// Whether it is a secret leaf, known or not.
pub(super) fn is_secret(value: &Value) -> bool {
    matches!(value, Value::Secret(_)) || matches!(value, Value::Unknown(u) if u.secret)
}

/// Limits hold even where `||` would not need the side that broke one.
pub(super) fn is_limit(error: &Error) -> bool {
    match error {
        Error::Here(fault) => fault.code == codes::EXPRESSION_LIMIT,
        Error::Elsewhere(all) => all.iter().any(|d| d.code == codes::EXPRESSION_LIMIT),
    }
}

/// Another type than was needed.
pub(super) fn wrong(what: &str, want: &str, found: &Value, at: At) -> Box<Error> {
    let found = match found {
        Value::Secret(_) => "a secret string".to_owned(),
        other => with_article(other.kind_name()),
    };
    fault(codes::TYPE_MISMATCH, format!("{what} needs {want}, found {found}"), at)
}
