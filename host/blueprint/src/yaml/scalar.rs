//! What a scalar means: YAML 1.2's core schema, and where readers of YAML 1.1 would see something else.

use sheave_model::Value;

use super::{Scalar, Style};

/// Why a scalar has no meaning here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `0644`: octal in YAML 1.1 and so in what Kubernetes reads, decimal in YAML 1.2.
    LeadingZero,
    /// `.inf`, `.nan`: JSON has no such number.
    NoNumber,
    /// `!!int x`.
    Tag,
}

/// The value of a scalar.
pub(crate) fn meaning(scalar: &Scalar) -> Result<Value, Fault> {
    let text = scalar.text.as_str();
    let plain = scalar.style == Style::Plain;
    match scalar.tag.as_deref() {
        Some("str") => return Ok(Value::Text(text.to_owned())),
        Some("null") => return if null(text) { Ok(Value::Null) } else { Err(Fault::Tag) },
        Some("bool") => return boolean(text).map(Value::Bool).ok_or(Fault::Tag),
        Some("int") => return number(text)?.filter(|n| matches!(n, Value::Int(_))).ok_or(Fault::Tag),
        Some("float") => {
            return match number(text)? {
                #[expect(clippy::cast_precision_loss, reason = "a float was asked for")]
                Some(Value::Int(n)) => Ok(Value::Float(n as f64)),
                Some(other) => Ok(other),
                None => Err(Fault::Tag),
            };
        }
        Some(_) => return Err(Fault::Tag),
        None if !plain => return Ok(Value::Text(text.to_owned())),
        None => {}
    }
    if null(text) {
        return Ok(Value::Null);
    }
    if let Some(b) = boolean(text) {
        return Ok(Value::Bool(b));
    }
    Ok(number(text)?.unwrap_or_else(|| Value::Text(text.to_owned())))
}

/// Whether YAML 1.1 reads this plain text as a truth value.
pub(crate) fn was_boolean(scalar: &Scalar) -> bool {
    let words = ["yes", "no", "on", "off"];
    scalar.style == Style::Plain
        && scalar.tag.is_none()
        && words.contains(&scalar.text.to_ascii_lowercase().as_str())
}

/// Whether a plain scalar of this text would be read as something other than a text, by any reader.
pub(crate) fn needs_quotes(text: &str) -> bool {
    let scalar = Scalar { text: text.to_owned(), style: Style::Plain, tag: None };
    !matches!(meaning(&scalar), Ok(Value::Text(_)))
        || was_boolean(&scalar)
        || matches!(text, "y" | "Y" | "n" | "N")
        || text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '.'))
}

fn null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Result<Option<Value>, Fault> {
    if let Some(hex) = text.strip_prefix("0x") {
        return Ok(digits(hex, 16).map(Value::Int));
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return Ok(digits(octal, 8).map(Value::Int));
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(Fault::NoNumber);
    }
    if !is_float(unsigned) {
        return Ok(None);
    }
    if unsigned.bytes().all(|b| b.is_ascii_digit()) {
        if unsigned.len() > 1 && unsigned.starts_with('0') {
            return Err(Fault::LeadingZero);
        }
        if let Ok(n) = text.parse::<i64>() {
            return Ok(Some(Value::Int(n)));
        }
    }
    match text.parse::<f64>() {
        Ok(f) if f.is_finite() => Ok(Some(Value::Float(f))),
        _ => Err(Fault::NoNumber),
    }
}

fn digits(text: &str, radix: u32) -> Option<i64> {
    if text.starts_with(['+', '-']) { None } else { i64::from_str_radix(text, radix).ok() }
}

/// `[0-9]+ ( . [0-9]* )? | . [0-9]+`, then an exponent or not.
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let all = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    all(whole)
        && all(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|e| {
            let digits = e.strip_prefix(['-', '+']).unwrap_or(e);
            !digits.is_empty() && all(digits)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Result<Value, Fault> {
        meaning(&Scalar { text: text.into(), style: Style::Plain, tag: None })
    }

    #[test]
    fn core_schema() {
        for (text, value) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("null", Value::Null),
            ("nULL", Value::Text("nULL".into())),
            ("true", Value::Bool(true)),
            ("FALSE", Value::Bool(false)),
            ("yes", Value::Text("yes".into())),
            ("0", Value::Int(0)),
            ("-12", Value::Int(-12)),
            ("+12", Value::Int(12)),
            ("0x1F", Value::Int(31)),
            ("0o17", Value::Int(15)),
            ("0o18", Value::Text("0o18".into())),
            ("0x-1", Value::Text("0x-1".into())),
            ("1.5", Value::Float(1.5)),
            (".5", Value::Float(0.5)),
            ("1.", Value::Float(1.0)),
            ("1e3", Value::Float(1000.0)),
            ("1e", Value::Text("1e".into())),
            (".", Value::Text(".".into())),
            ("-", Value::Text("-".into())),
            ("1_000", Value::Text("1_000".into())),
            ("12:30", Value::Text("12:30".into())),
            ("0.5", Value::Float(0.5)),
            ("9223372036854775807", Value::Int(i64::MAX)),
            ("1.2.3", Value::Text("1.2.3".into())),
        ] {
            assert_eq!(plain(text), Ok(value), "{text}");
        }
        assert_eq!(plain("0644"), Err(Fault::LeadingZero));
        assert_eq!(plain(".inf"), Err(Fault::NoNumber));
        assert_eq!(plain("1e999"), Err(Fault::NoNumber));
    }
}
