//! What stands at a path: roots, fields, elements.

use std::borrow::Cow;

use sheave_model::{Unknown, UnknownKind, Value};

use super::marks::Marks;
use super::session::cost;
use super::walk::{At, Walk, fault, helped, is_secret, is_text, wrong};
use super::{Answer, Error};
use crate::cel::{Expr, ExprKind, Fault};
use crate::codes;
use crate::nearest;
use crate::syntax::with_article;

impl<'s> Walk<'s> {
    pub(super) fn name(&mut self, name: &str, at: At) -> Answer<Cow<'s, Value>> {
        if let Some((_, value, _)) = self.variables.iter().rev().find(|(v, ..)| *v == name) {
            self.spend(if matches!(value, Cow::Owned(_)) { cost(value) } else { 0 }, at)?;
            return Ok(value.clone());
        }
        match name {
            "self" if self.session.this.is_some() => {
                Ok(self.session.this.map_or(Cow::Owned(Value::Null), Cow::Borrowed))
            }
            _ if super::convert::TYPE_NAMES.contains(&name) => Ok(Cow::Owned(Value::Text(name.to_owned()))),
            _ => Err(fault(codes::UNKNOWN_NAME, format!("there is no `{name}` by itself"), at)),
        }
    }

    /// What stands at `root.field`; the outer none: `of` is no root.
    fn root(&self, of: &Expr, field: &str, at: At) -> Option<Answer<Cow<'s, Value>>> {
        let ExprKind::Name(root) = &of.kind else { return None };
        if self.variables.iter().any(|(v, ..)| v == root) {
            return None;
        }
        let scope = self.session.scope?;
        let missing =
            |what: &str| Err(fault(codes::UNKNOWN_NAME, format!("there is no {what} `{field}`"), at));
        let found =
            |value: Option<&'s Value>, what| value.map_or_else(|| missing(what), |v| Ok(Cow::Borrowed(v)));
        Some(match root.as_str() {
            "inputs" => found(scope.inputs.get(field), "input"),
            "locals" => self.session.local(field, at).map(Cow::Borrowed),
            "resources" => Ok(scope.resources.get(field).map_or(Cow::Owned(Value::Null), Cow::Borrowed)),
            "stacks" => found(scope.stacks.get(field), "stack"),
            "each" => match (&scope.each, field) {
                (Some((key, _)), "key") => Ok(Cow::Borrowed(key)),
                (Some((_, value)), "value") => Ok(Cow::Borrowed(value)),
                _ => missing("`each`"),
            },
            "stack" if field == "name" => Ok(Cow::Owned(Value::Text(scope.stack.to_owned()))),
            _ => return None,
        })
    }

    /// A part of a comprehension's variable, without a copy of the whole.
    fn peek(&self, expr: &Expr) -> Option<&Value> {
        match &expr.kind {
            ExprKind::Name(name) => {
                self.variables.iter().rev().find(|(v, ..)| v == name).map(|(_, v, _)| &**v)
            }
            ExprKind::Select(of, field) => match self.peek(of)? {
                Value::Map(entries) => entries.get(field),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn select(&mut self, of: &'s Expr, field: &str, at: At) -> Answer<Cow<'s, Value>> {
        if let Some(answer) = self.root(of, field, at) {
            return answer;
        }
        if let Some(Value::Map(entries)) = self.peek(of)
            && let Some(value) = entries.get(field)
        {
            self.spend(cost(value), at)?;
            return Ok(Cow::Owned(value.clone()));
        }
        let value = self.value(of)?;
        self.field(value, field, at)
    }

    fn field(&self, value: Cow<'s, Value>, field: &str, at: At) -> Answer<Cow<'s, Value>> {
        match &*value {
            Value::Map(entries) if !entries.contains_key(field) => {
                let help = nearest::help(field, entries.keys().map(String::as_str));
                let mut bad = Fault::new(codes::UNKNOWN_NAME, format!("there is no `{field}` here"), at);
                bad.help = help;
                return Err(Box::new(Error::Here(bad)));
            }
            Value::Map(_) => {}
            Value::Unknown(u) if u.kind == UnknownKind::Other => return Ok(beneath(u, field)),
            Value::Null => {
                let summary = format!("nothing stands here, so it has no `{field}`");
                let help = "the resource's `when` may be false: ask with `has(...)` first";
                return Err(helped(codes::UNKNOWN_NAME, summary, at, help));
            }
            other => {
                let kind = if is_text(other) { "a string".into() } else { with_article(other.kind_name()) };
                return Err(fault(codes::TYPE_MISMATCH, format!("{kind} has no `{field}`"), at));
            }
        }
        match value {
            Cow::Borrowed(Value::Map(entries)) => {
                Ok(entries.get(field).map_or(Cow::Owned(Value::Null), Cow::Borrowed))
            }
            Cow::Owned(Value::Map(mut entries)) => {
                Ok(Cow::Owned(entries.remove(field).unwrap_or(Value::Null)))
            }
            _ => Ok(Cow::Owned(Value::Null)),
        }
    }

    pub(super) fn has(&mut self, of: &'s Expr, field: &str, at: At) -> Answer<Cow<'s, Value>> {
        if let ExprKind::Name(root) = &of.kind
            && let Some(scope) = self.session.scope
            && !self.variables.iter().any(|(v, ..)| v == root)
        {
            return Ok(match root.as_str() {
                "resources" => match scope.resources.get(field) {
                    Some(unknown @ Value::Unknown(_)) => self.derived(at, UnknownKind::Other, [unknown]),
                    found => Cow::Owned(Value::Bool(found.is_some_and(|v| *v != Value::Null))),
                },
                // Resolving has found the name: it is not evaluated for this.
                "locals" => Cow::Owned(Value::Bool(true)),
                _ => Cow::Owned(Value::Bool(self.root(of, field, at).is_some_and(|v| v.is_ok()))),
            });
        }
        let value = self.value(of)?;
        match &*value {
            // What is not known yet may turn out to be nothing; that it is there tells nothing of a secret.
            Value::Map(entries) => match entries.get(field) {
                Some(Value::Unknown(u)) => {
                    let marks = Marks { ids: [u.id.clone()].into(), secret: false };
                    Ok(self.derived_of(at, UnknownKind::Other, &marks))
                }
                found => Ok(Cow::Owned(Value::Bool(found.is_some()))),
            },
            Value::Null => Ok(Cow::Owned(Value::Bool(false))),
            Value::Unknown(u) if u.kind == UnknownKind::Other => {
                Ok(self.derived(at, UnknownKind::Other, [&*value]))
            }
            other => {
                let kind = with_article(other.kind_name());
                Err(fault(codes::TYPE_MISMATCH, format!("{kind} has no fields"), at))
            }
        }
    }

    pub(super) fn index(&mut self, of: &'s Expr, index: &'s Expr, at: At) -> Answer<Cow<'s, Value>> {
        if let ExprKind::Literal(Value::Text(field)) = &index.kind
            && let Some(answer) = self.root(of, field, at)
        {
            return answer;
        }
        let (value, key) = (self.value(of)?, self.value(index)?);
        if is_secret(&key) && is_text(&key) {
            return Err(fault(codes::SECRET_MISPLACED, "a secret cannot choose an element", index.at));
        }
        match (&*value, &*key) {
            (Value::Unknown(u), Value::Int(n)) if u.kind == UnknownKind::Other => {
                Ok(beneath(u, &n.to_string()))
            }
            (Value::Unknown(u), Value::Text(t)) if u.kind == UnknownKind::Other => Ok(beneath(u, t)),
            (Value::Unknown(_), _) | (Value::List(_) | Value::Map(_), Value::Unknown(_)) => {
                self.spend(cost(&value), at)?;
                Ok(self.derived(at, UnknownKind::Other, [&*value, &*key]))
            }
            (Value::List(items), Value::Int(n)) => {
                let len = items.len();
                let Some(n) = usize::try_from(*n).ok().filter(|n| *n < len) else {
                    return Err(fault(
                        codes::BAD_EXPRESSION,
                        format!("there is no element {n} in a list of {len}"),
                        index.at,
                    ));
                };
                match value {
                    Cow::Borrowed(Value::List(items)) => Ok(Cow::Borrowed(&items[n])),
                    Cow::Owned(Value::List(mut items)) => Ok(Cow::Owned(items.swap_remove(n))),
                    _ => Ok(Cow::Owned(Value::Null)),
                }
            }
            (Value::Map(_), Value::Text(field)) => {
                let field = field.clone();
                self.field(value, &field, at)
            }
            (Value::List(_), other) => Err(wrong("a list's element", "an integer", other, index.at)),
            (Value::Map(_), other) => Err(wrong("a map's key", "a string", other, index.at)),
            (other, _) => {
                let kind = with_article(other.kind_name());
                Err(fault(codes::TYPE_MISMATCH, format!("{kind} has no elements"), at))
            }
        }
    }
}

/// What stands in an unknown: unknown, too.
fn beneath<'s>(unknown: &Unknown, part: &str) -> Cow<'s, Value> {
    Cow::Owned(Value::Unknown(Unknown {
        id: sheave_model::pointer::join(&unknown.id, part),
        kind: UnknownKind::Other,
        secret: unknown.secret,
    }))
}
