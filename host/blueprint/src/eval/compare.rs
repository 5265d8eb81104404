//! Equality, order and membership over values whose leaves may be unknown or secret.

use std::borrow::Cow;
use std::cmp::Ordering;

use sheave_model::{UnknownKind, Value};

use super::Answer;
use super::arithmetic::secret_comparison;
use super::session::text_cost;
use super::walk::{At, Walk, is_secret, is_text, wrong};
use crate::cel::ast::Binary;

/// A truth, as far as it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Known(bool),
    /// It hangs on an unknown.
    Unknown,
    /// It hangs on a secret: telling it would tell of the secret.
    Secret,
}

impl Truth {
    pub(super) fn not(self) -> Self {
        match self {
            Self::Known(b) => Self::Known(!b),
            other => other,
        }
    }
}

impl<'s> Walk<'s> {
    /// Whether two values are equal. A difference in what everybody may see decides, whatever the rest is.
    pub(super) fn equal(&self, left: &Value, right: &Value, at: At) -> Answer<Truth> {
        self.spend(1, at)?;
        Ok(match (left, right) {
            // Two texts one of which is secret: telling them apart would tell of it, known or not.
            _ if is_text(left) && is_text(right) && (is_secret(left) || is_secret(right)) => Truth::Secret,
            (Value::Unknown(_), _) | (_, Value::Unknown(_)) => Truth::Unknown,
            (Value::Null, Value::Null) => Truth::Known(true),
            (Value::Bool(a), Value::Bool(b)) => Truth::Known(a == b),
            (Value::Text(a), Value::Text(b)) => {
                self.spend(text_cost(a.len().min(b.len())), at)?;
                Truth::Known(a == b)
            }
            (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
                Truth::Known(numbers(left, right) == Some(Ordering::Equal))
            }
            (Value::List(a), Value::List(b)) if a.len() == b.len() => self.all_equal(a.iter().zip(b), at)?,
            (Value::Map(a), Value::Map(b)) if a.len() == b.len() && a.keys().eq(b.keys()) => {
                self.all_equal(a.values().zip(b.values()), at)?
            }
            _ => Truth::Known(false),
        })
    }

    fn all_equal<'v>(&self, pairs: impl Iterator<Item = (&'v Value, &'v Value)>, at: At) -> Answer<Truth> {
        let mut all = Truth::Known(true);
        for (a, b) in pairs {
            all = match (all, self.equal(a, b, at)?) {
                (_, Truth::Known(false)) => return Ok(Truth::Known(false)),
                (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
                (Truth::Secret, _) | (_, Truth::Secret) => Truth::Secret,
                _ => Truth::Known(true),
            };
        }
        Ok(all)
    }

    /// `left in right`.
    pub(super) fn contained(&self, left: &Value, right: &Value, right_at: At, at: At) -> Answer<Truth> {
        match right {
            Value::List(items) => {
                let mut any = Truth::Known(false);
                for item in items {
                    any = match (any, self.equal(left, item, at)?) {
                        (_, Truth::Known(true)) => return Ok(Truth::Known(true)),
                        (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
                        (Truth::Secret, _) | (_, Truth::Secret) => Truth::Secret,
                        _ => Truth::Known(false),
                    };
                }
                Ok(any)
            }
            Value::Map(entries) => Ok(match left {
                Value::Text(key) => Truth::Known(entries.contains_key(key)),
                _ if entries.is_empty() => Truth::Known(false),
                secret if is_secret(secret) && is_text(secret) => Truth::Secret,
                Value::Unknown(_) => Truth::Unknown,
                _ => Truth::Known(false),
            }),
            Value::Unknown(u) if u.kind == UnknownKind::Other => Ok(Truth::Unknown),
            other => Err(wrong("`in`", "a list or a map", other, right_at)),
        }
    }

    /// `<`, `<=`, `>`, `>=`.
    pub(super) fn order(&self, op: Binary, left: &Value, right: &Value, at: At) -> Answer<Cow<'s, Value>> {
        let order = match (left, right) {
            _ if is_secret(left) && is_text(left) || is_secret(right) && is_text(right) => {
                return Err(secret_comparison(at));
            }
            (Value::Unknown(_), _) | (_, Value::Unknown(_)) => {
                return Ok(self.derived(
                    at,
                    UnknownKind::Other,
                    [left, right].into_iter().filter(|v| is_scalar(v)),
                ));
            }
            (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => numbers(left, right),
            (Value::Text(a), Value::Text(b)) => {
                self.spend(text_cost(a.len().min(b.len())), at)?;
                Some(a.cmp(b))
            }
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            _ => {
                let sign = format!("`{}`", op.sign());
                let odd = if matches!(left, Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Bool(_))
                {
                    right
                } else {
                    left
                };
                return Err(wrong(&sign, "two numbers or two strings", odd, at));
            }
        };
        Ok(Cow::Owned(Value::Bool(match op {
            Binary::Less => order == Some(Ordering::Less),
            Binary::LessEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Binary::Greater => order == Some(Ordering::Greater),
            _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        })))
    }
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::List(_) | Value::Map(_))
}

/// The order of two numbers, exact between integers and floats.
pub(crate) fn numbers(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Float(b)) => int_float(*a, *b),
        (Value::Float(a), Value::Int(b)) => int_float(*b, *a).map(Ordering::reverse),
        _ => None,
    }
}

fn int_float(int: i64, float: f64) -> Option<Ordering> {
    // 2^63: the first float above every integer.
    const ABOVE: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= ABOVE {
        return Some(Ordering::Less);
    }
    if float < -ABOVE {
        return Some(Ordering::Greater);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range was checked, and the fraction is looked at below"
    )]
    let whole = float.trunc() as i64;
    Some(int.cmp(&whole).then_with(|| 0.0_f64.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal)))
}
