//! `format`: texts after a pattern, with the verbs of Go's `fmt` that make sense for plain values.

use std::borrow::Cow;

use sheave_model::{UnknownKind, Value};

use super::Answer;
use super::convert::{float, show};
use super::functions::Args;
use super::walk::Walk;
use crate::limits::{MAX_INDENT, MAX_TEXT_BYTES};

/// `%-08.3f`.
struct Verb {
    left: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

impl<'s> Walk<'s> {
    /// `format(pattern, a, b)` and `pattern.format([a, b])`.
    pub(super) fn format(&self, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        let mut secret = false;
        let pattern = match args.value(0) {
            Value::Text(text) => text.as_str(),
            Value::Secret(text) => {
                secret = true;
                text.expose()
            }
            Value::Unknown(_) => return self.call_unknown(args, UnknownKind::Text),
            other => return Err(args.wrong(0, "a pattern", other)),
        };
        let listed = args.values.len() == 2;
        let values: Vec<&Value> = match args.value(1) {
            Value::List(items) if listed => items.iter().collect(),
            Value::Unknown(u) if listed && u.kind == UnknownKind::Other => {
                return self.call_unknown(args, UnknownKind::Text);
            }
            _ => args.all().skip(1).collect(),
        };
        let place = |n: usize| if listed { 1 } else { n + 1 };
        let (mut out, mut next, mut unknown) = (String::new(), 0, false);
        let mut rest = pattern;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                out.push('%');
                rest = after;
                continue;
            }
            let Some(verb) = verb(&mut rest) else {
                return Err(args.bad(0, "the pattern has a `%` that begins no verb; `%%` is the sign itself"));
            };
            let Some(value) = values.get(next) else {
                return Err(args.bad(0, format!("the pattern asks for more than {} values", values.len())));
            };
            match value {
                Value::Unknown(_) => unknown = true,
                known => {
                    secret |= known.has_secret();
                    let Some(text) = self.verb(&verb, known, args, place(next))? else {
                        let want = match verb.letter {
                            'd' | 'b' | 'o' | 'x' | 'X' => "an integer",
                            'f' | 'e' => "a number",
                            _ => "a string",
                        };
                        return Err(args.wrong(
                            place(next),
                            &format!("{want} for `%{}`", verb.letter),
                            known,
                        ));
                    };
                    out.push_str(&padded(&verb, text));
                }
            }
            if out.len() > MAX_TEXT_BYTES {
                return Err(super::session::too_long(args.at));
            }
            next += 1;
        }
        out.push_str(rest);
        if next < values.len() {
            return Err(args.bad(0, format!("the pattern uses {next} of {} values", values.len())));
        }
        if unknown {
            return self.call_unknown(args, UnknownKind::Text);
        }
        self.made(out, secret, args.at)
    }

    /// One value by one verb; none where the verb does not take it.
    fn verb(&self, verb: &Verb, value: &Value, args: &Args<'_, 's>, n: usize) -> Answer<Option<String>> {
        let number = match value {
            Value::Float(f) => Some(*f),
            #[expect(clippy::cast_precision_loss, reason = "%f of an integer")]
            Value::Int(n) => Some(*n as f64),
            _ => None,
        };
        let text = match (verb.letter, value) {
            ('s' | 'v', _) => Some(show(value, args.place(n))?.into_owned()),
            ('q', Value::Text(_) | Value::Secret(_)) => {
                let quoted = serde_json::Value::from(super::arithmetic::exposed(value)).to_string();
                Some(quoted)
            }
            ('d', Value::Int(n)) => Some(n.to_string()),
            ('b', Value::Int(n)) => Some(signed(*n, format!("{:b}", n.unsigned_abs()))),
            ('o', Value::Int(n)) => Some(signed(*n, format!("{:o}", n.unsigned_abs()))),
            ('x', Value::Int(n)) => Some(signed(*n, format!("{:x}", n.unsigned_abs()))),
            ('X', Value::Int(n)) => Some(signed(*n, format!("{:X}", n.unsigned_abs()))),
            ('f', _) => number.map(|f| format!("{f:.*}", verb.precision.unwrap_or(6))),
            ('e', _) => number.map(|f| exponent(f, verb.precision.unwrap_or(6))),
            ('g', _) => number.map(float),
            ('t', Value::Bool(b)) => Some(b.to_string()),
            _ => None,
        };
        if let Some(text) = &text {
            self.text_size(text.len(), args.at)?;
        }
        Ok(text)
    }
}

fn signed(n: i64, digits: String) -> String {
    if n < 0 { format!("-{digits}") } else { digits }
}

/// Go's form: at least two digits of exponent, with its sign.
fn exponent(f: f64, precision: usize) -> String {
    let text = format!("{f:.precision$e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |d| ('-', d));
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        None => text,
    }
}

fn verb(rest: &mut &str) -> Option<Verb> {
    let mut verb = Verb { left: false, zero: false, width: 0, precision: None, letter: ' ' };
    while let Some(flag) = rest.chars().next().filter(|c| matches!(c, '-' | '0')) {
        verb.left |= flag == '-';
        verb.zero |= flag == '0';
        *rest = &rest[1..];
    }
    verb.width = digits(rest)?.unwrap_or(0);
    if let Some(after) = rest.strip_prefix('.') {
        *rest = after;
        verb.precision = Some(digits(rest)?.unwrap_or(0));
    }
    verb.letter = rest.chars().next().filter(|c| "svqdboxXfegt".contains(*c))?;
    *rest = &rest[1..];
    Some(verb)
}

/// A number, where one stands; the outer none: it is too large.
fn digits(rest: &mut &str) -> Option<Option<usize>> {
    let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    if len == 0 {
        return Some(None);
    }
    let number = rest[..len].parse().ok().filter(|n| *n <= MAX_INDENT)?;
    *rest = &rest[len..];
    Some(Some(number))
}

fn padded(verb: &Verb, text: String) -> String {
    let missing = verb.width.saturating_sub(text.chars().count());
    if missing == 0 {
        return text;
    }
    if verb.left {
        return text + &" ".repeat(missing);
    }
    if verb.zero && !matches!(verb.letter, 's' | 'v' | 'q' | 't') {
        let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |d| ("-", d));
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    " ".repeat(missing) + &text
}
