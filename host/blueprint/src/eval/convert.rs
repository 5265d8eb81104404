//! Conversions between the scalar types, and a value as text.

use std::borrow::Cow;

use sheave_model::{UnknownKind, Value};

use super::walk::{At, Walk, fault, helped, is_secret, is_text, wrong};
use super::{Answer, Error};
use crate::cel::functions::Function;
use crate::codes;
use crate::syntax::with_article;

/// What `type` answers; the names stand for themselves in expressions.
pub(crate) const TYPE_NAMES: &[&str] =
    &["null_type", "bool", "int", "uint", "double", "string", "list", "map"];

impl<'s> Walk<'s> {
    pub(super) fn convert(
        &self,
        to: Function,
        value: Cow<'s, Value>,
        value_at: At,
        at: At,
    ) -> Answer<Cow<'s, Value>> {
        if to == Function::Type {
            return Ok(match type_name(&value) {
                Some(name) => Cow::Owned(Value::Text(name.into())),
                None => self.derived(at, UnknownKind::Text, [&*value]),
            });
        }
        if to == Function::Text {
            return match &*value {
                text if is_text(text) => Ok(value),
                Value::Unknown(_) => Ok(self.derived(at, UnknownKind::Text, [&*value])),
                other => show(other, value_at).map(|text| Cow::Owned(Value::Text(text.into_owned()))),
            };
        }
        if is_secret(&value) && is_text(&value) {
            return Err(secret_only_text(value_at));
        }
        let name = crate::cel::functions::signature(to).name;
        let no_number = |text: &str| {
            fault(
                codes::BAD_EXPRESSION,
                format!("`{name}` cannot read the text {} as a number", shown(text)),
                value_at,
            )
        };
        Ok(Cow::Owned(match (&*value, to) {
            (Value::Unknown(_), _) => return Ok(self.derived(at, UnknownKind::Other, [&*value])),
            (Value::Int(n), Function::Int) => Value::Int(*n),
            (Value::Int(n), Function::Uint) if *n >= 0 => Value::Int(*n),
            (Value::Float(f), Function::Int | Function::Uint) => {
                let whole = whole(*f).filter(|n| to == Function::Int || *n >= 0);
                Value::Int(whole.ok_or_else(|| out_of_range(name, value_at))?)
            }
            (Value::Int(_), Function::Uint) => return Err(out_of_range(name, value_at)),
            (Value::Text(t), Function::Int) => Value::Int(t.parse().map_err(|_| no_number(t))?),
            (Value::Text(t), Function::Uint) => Value::Int(
                t.parse::<u64>().ok().and_then(|n| i64::try_from(n).ok()).ok_or_else(|| no_number(t))?,
            ),
            #[expect(clippy::cast_precision_loss, reason = "what a conversion to double means")]
            (Value::Int(n), Function::Double) => Value::Float(*n as f64),
            (Value::Float(f), Function::Double) => Value::Float(*f),
            (Value::Text(t), Function::Double) => {
                Value::Float(t.parse().ok().filter(|f: &f64| f.is_finite()).ok_or_else(|| no_number(t))?)
            }
            (Value::Bool(b), Function::Bool) => Value::Bool(*b),
            (Value::Text(t), Function::Bool) => match t.as_str() {
                "1" | "t" | "T" | "true" | "True" | "TRUE" => Value::Bool(true),
                "0" | "f" | "F" | "false" | "False" | "FALSE" => Value::Bool(false),
                _ => {
                    let summary = format!("`bool` cannot read the text {} as a truth value", shown(t));
                    return Err(fault(codes::BAD_EXPRESSION, summary, value_at));
                }
            },
            (other, _) => {
                let want =
                    if to == Function::Bool { "a boolean or a string" } else { "a number or a string" };
                return Err(wrong(&format!("`{name}`"), want, other, value_at));
            }
        }))
    }
}

/// A text in an error message: short.
fn shown(text: &str) -> String {
    let cut: String = text.chars().take(40).collect();
    format!("{:?}{}", cut, if cut.len() < text.len() { "..." } else { "" })
}

fn out_of_range(name: &str, at: At) -> Box<Error> {
    fault(codes::BAD_EXPRESSION, format!("the number is out of the range of `{name}`"), at)
}

pub(super) fn secret_only_text(at: At) -> Box<Error> {
    helped(
        codes::SECRET_MISPLACED,
        "what is made of a secret here is no string, so it could not be kept secret",
        at,
        "only strings can be secret: texts of secrets may be joined, encoded and hashed",
    )
}

fn type_name(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Null => "null_type",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "double",
        Value::List(_) => "list",
        Value::Map(_) => "map",
        text if is_text(text) => "string",
        _ => return None,
    })
}

fn whole(float: f64) -> Option<i64> {
    const ABOVE: f64 = 9_223_372_036_854_775_808.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked, and towards zero is what CEL asks"
    )]
    (-ABOVE..ABOVE).contains(&float).then_some(float as i64)
}

/// A known scalar inside text. A secret's own text: the caller marks the whole as secret.
pub(super) fn show(value: &Value, at: At) -> Answer<Cow<'_, str>> {
    Ok(match value {
        Value::Bool(b) => Cow::Borrowed(if *b { "true" } else { "false" }),
        Value::Int(n) => Cow::Owned(n.to_string()),
        Value::Float(f) => Cow::Owned(float(*f)),
        Value::Text(text) => Cow::Borrowed(text),
        Value::Secret(text) => Cow::Borrowed(text.expose()),
        other => {
            let summary = format!("{} cannot stand in a text", with_article(other.kind_name()));
            let help = match other {
                Value::Null => "give it another value: `x == null ? \"\" : x`",
                _ => "write `jsonEncode(...)` or `yamlEncode(...)` around it, or `join(list, \",\")`",
            };
            return Err(helped(codes::TYPE_MISMATCH, summary, at, help));
        }
    })
}

/// A float as CEL shows it: the shortest digits, an exponent below 1e-4 and from 1e21 on.
pub(crate) fn float(f: f64) -> String {
    if f.is_nan() {
        return "NaN".into();
    }
    if f.is_infinite() {
        return if f > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    let size = f.abs();
    if f == 0.0 || (1e-4..1e21).contains(&size) {
        return format!("{f}");
    }
    let text = format!("{f:e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |d| ('-', d));
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn floats_look_as_in_cel() {
        for (f, text) in [
            (1.0, "1"),
            (1.5, "1.5"),
            (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (0.00001, "1e-05"),
            (-0.5, "-0.5"),
        ] {
            assert_eq!(super::float(f), text);
        }
    }
}
