//! Operators with two sides.

use std::borrow::Cow;

use sheave_model::{SecretText, UnknownKind, Value};

use super::Answer;
use super::compare::Truth;
use super::session::cost;
use super::walk::{At, Walk, fault, helped, is_text};
use crate::cel::ast::Binary;
use crate::codes;
use crate::syntax::with_article;

impl<'s> Walk<'s> {
    pub(super) fn binary(
        &mut self,
        op: Binary,
        left: &Value,
        right: &Value,
        sides: (At, At),
        at: At,
    ) -> Answer<Cow<'s, Value>> {
        match op {
            Binary::Equal | Binary::NotEqual => {
                let truth = self.equal(left, right, at)?;
                let truth = if op == Binary::NotEqual { truth.not() } else { truth };
                self.truth(truth, left, right, at)
            }
            Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => {
                self.order(op, left, right, at)
            }
            Binary::In => {
                let truth = self.contained(left, right, sides.1, at)?;
                self.truth(truth, left, right, at)
            }
            Binary::Add => self.add(left, right, at),
            _ => self.arithmetic(op, left, right, at),
        }
    }

    /// A truth that may be unknown, as a value.
    fn truth(&self, truth: Truth, left: &Value, right: &Value, at: At) -> Answer<Cow<'s, Value>> {
        match truth {
            Truth::Known(b) => Ok(Cow::Owned(Value::Bool(b))),
            Truth::Unknown => {
                self.spend(cost(left) + cost(right), at)?;
                Ok(self.derived(at, UnknownKind::Other, [left, right]))
            }
            Truth::Secret => Err(secret_comparison(at)),
        }
    }

    fn add(&self, left: &Value, right: &Value, at: At) -> Answer<Cow<'s, Value>> {
        Ok(Cow::Owned(match (left, right) {
            (Value::Int(a), Value::Int(b)) => Value::Int(a.checked_add(*b).ok_or_else(|| overflow(at))?),
            (Value::Float(a), Value::Float(b)) => Value::Float(a + b),
            (Value::Text(a), Value::Text(b)) => {
                self.text_size(a.len() + b.len(), at)?;
                Value::Text(format!("{a}{b}"))
            }
            (Value::Text(_) | Value::Secret(_), Value::Text(_) | Value::Secret(_)) => {
                let (a, b) = (exposed(left), exposed(right));
                self.text_size(a.len() + b.len(), at)?;
                Value::Secret(SecretText::new(format!("{a}{b}")))
            }
            (Value::List(a), Value::List(b)) => {
                self.elements(a.len() + b.len(), at)?;
                self.spend(cost(left) + cost(right), at)?;
                Value::List(a.iter().chain(b).cloned().collect())
            }
            (Value::Unknown(_), _) | (_, Value::Unknown(_)) => {
                let text = is_text(left) || is_text(right);
                self.spend(cost(left) + cost(right), at)?;
                return Ok(self.derived(
                    at,
                    if text { UnknownKind::Text } else { UnknownKind::Other },
                    [left, right],
                ));
            }
            _ => return Err(mismatch(Binary::Add, left, right, at)),
        }))
    }

    fn arithmetic(&self, op: Binary, left: &Value, right: &Value, at: At) -> Answer<Cow<'s, Value>> {
        Ok(Cow::Owned(match (left, right) {
            (Value::Int(a), Value::Int(b)) => {
                let (a, b) = (*a, *b);
                if b == 0 && matches!(op, Binary::Divide | Binary::Modulo) {
                    return Err(fault(codes::BAD_EXPRESSION, "a division by zero", at));
                }
                let result = match op {
                    Binary::Subtract => a.checked_sub(b),
                    Binary::Multiply => a.checked_mul(b),
                    Binary::Divide => a.checked_div(b),
                    _ => a.checked_rem(b),
                };
                Value::Int(result.ok_or_else(|| overflow(at))?)
            }
            (Value::Float(a), Value::Float(b)) => match op {
                Binary::Subtract => Value::Float(a - b),
                Binary::Multiply => Value::Float(a * b),
                Binary::Divide => Value::Float(a / b),
                _ => return Err(mismatch(op, left, right, at)),
            },
            (Value::Unknown(_), _) | (_, Value::Unknown(_)) => {
                self.spend(cost(left) + cost(right), at)?;
                return Ok(self.derived(at, UnknownKind::Other, [left, right]));
            }
            _ => return Err(mismatch(op, left, right, at)),
        }))
    }
}

/// The text of a text, in clear: it goes into another secret only.
pub(super) fn exposed(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        Value::Secret(text) => text.expose(),
        _ => "",
    }
}

pub(super) fn overflow(at: At) -> Box<super::Error> {
    fault(codes::BAD_EXPRESSION, "the number grows beyond 64 bits", at)
}

pub(super) fn secret_comparison(at: At) -> Box<super::Error> {
    helped(
        codes::SECRET_MISPLACED,
        "what a secret is compared with would tell something of it",
        at,
        "only strings can be secret: what is not a string is shown in plans and events",
    )
}

fn mismatch(op: Binary, left: &Value, right: &Value, at: At) -> Box<super::Error> {
    let (l, r) = (with_article(left.kind_name()), with_article(right.kind_name()));
    let summary = format!("`{}` does not take {l} and {r}", op.sign());
    let help = match (left, right) {
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => {
            Some("write `double(...)` around the integer")
        }
        (Value::Text(_) | Value::Secret(_), _) | (_, Value::Text(_) | Value::Secret(_))
            if op == Binary::Add =>
        {
            Some("write `string(...)` around what is no string")
        }
        (Value::Map(_), Value::Map(_)) if op == Binary::Add => Some("write `merge(a, b)`"),
        _ => None,
    };
    match help {
        Some(help) => helped(codes::TYPE_MISMATCH, summary, at, help),
        None => fault(codes::TYPE_MISMATCH, summary, at),
    }
}
