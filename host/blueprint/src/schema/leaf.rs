//! Rules over one value without its parts: its type, allowed values, numbers and texts.

use std::cmp::Ordering;

use serde_json::Value as Json;
use sheave_model::{UnknownKind, Value};

use super::check::Findings;
use super::message::{Violation, either, found, shown};
use super::rules::{NumberRules, Rules, TextRules, Types};
use crate::codes;
use crate::eval::numbers;
use crate::nearest;
use crate::syntax::with_article;

/// Checks a value itself; whether its type is right, so that its parts can be looked at.
pub(super) fn check(rules: &Rules, value: &Value, at: &str, out: &mut Findings) -> bool {
    if let Value::Unknown(unknown) = value {
        // That it will be a text is known already.
        if unknown.kind == UnknownKind::Text && rules.types.is_some_and(|t| !t.has(Types::STRING)) {
            out.add(mismatch(rules.types.unwrap_or_default(), value, at));
        } else if let Some(allowed) = &rules.allowed
            && allowed.iter().all(|json| equal(value, json) == Some(false))
        {
            out.add(not_allowed(allowed, value, at));
        }
        out.open |= rules.types.is_some() && unknown.kind == UnknownKind::Other
            || rules.allowed.is_some()
            || rules.map.is_some()
            || rules.list.is_some()
            || rules.number.is_some()
            || rules.text.is_some();
        return false;
    }
    if let Some(types) = rules.types
        && !types.has(kind(value))
    {
        out.add(mismatch(types, value, at));
        return false;
    }
    if let Some(allowed) = &rules.allowed {
        let verdicts: Vec<Option<bool>> = allowed.iter().map(|json| equal(value, json)).collect();
        if !verdicts.contains(&Some(true)) {
            if verdicts.contains(&None) {
                out.open = true;
            } else {
                out.add(not_allowed(allowed, value, at));
                return false;
            }
        }
    }
    match value {
        Value::Int(_) | Value::Float(_) => {
            if let Some(number) = &rules.number {
                check_number(number, value, at, out);
            }
            if let Some(text) = &rules.text {
                check_width(text, value, at, out);
            }
        }
        Value::Text(text) => {
            if let Some(rules) = &rules.text {
                check_text(rules, text, value, at, out);
            }
        }
        Value::Secret(text) => {
            if let Some(rules) = &rules.text {
                check_text(rules, text.expose(), value, at, out);
            }
        }
        _ => {}
    }
    true
}

fn kind(value: &Value) -> Types {
    match value {
        Value::Null => Types::NULL,
        Value::Bool(_) => Types::BOOLEAN,
        Value::Int(_) => Types::INTEGER,
        Value::Float(f) if f.fract() == 0.0 => Types::INTEGER,
        // Of the set's two bits the one that integers lack.
        Value::Float(_) => Types::NUMBER,
        Value::Text(_) | Value::Secret(_) | Value::Unknown(_) => Types::STRING,
        Value::List(_) => Types::LIST,
        Value::Map(_) => Types::MAP,
    }
}

fn mismatch(types: Types, value: &Value, at: &str) -> Violation {
    let kind = match value {
        Value::Unknown(_) => "a string".to_owned(),
        other => with_article(other.kind_name()),
    };
    let violation =
        Violation::new(codes::TYPE_MISMATCH, at, format!("must be {}, found {kind}", types.words()));
    match value {
        Value::Text(text) if types.has(Types::INTEGER) && text.parse::<i64>().is_ok() => {
            violation.help(format!("leave the quotes out: `{text}`"))
        }
        Value::Text(text) if types.has(Types::BOOLEAN) && matches!(text.as_str(), "true" | "false") => {
            violation.help(format!("leave the quotes out: `{text}`"))
        }
        Value::Int(_) | Value::Float(_) | Value::Bool(_) if types.has(Types::STRING) => match value.to_json()
        {
            Some(json) => violation.help(format!("put it in quotes: `\"{json}\"`")),
            None => violation,
        },
        Value::Map(_) if types.has(Types::LIST) => violation.help("begin each element with `- `"),
        _ => violation,
    }
}

fn not_allowed(allowed: &[Json], value: &Value, at: &str) -> Violation {
    let words: Vec<String> = allowed.iter().take(24).map(shown).collect();
    let more = if allowed.len() > 24 { ", ..." } else { "" };
    let says = format!("must be {}{more}{}", either(&words), found(value));
    let violation = Violation::new(codes::INVALID_VALUE, at, says);
    match value {
        Value::Text(text) => match nearest::nearest(text, allowed.iter().filter_map(Json::as_str)) {
            Some(near) => violation.help(format!("did you mean `{near}`?")),
            None => violation,
        },
        _ => violation,
    }
}

/// Whether a value is this JSON; none where an unknown decides.
pub(super) fn equal(value: &Value, json: &Json) -> Option<bool> {
    let mut sure = Some(true);
    let mut take = |part: Option<bool>| {
        sure = match (sure, part) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (None, _) | (_, None) => None,
            _ => Some(true),
        };
    };
    match (value, json) {
        (Value::Unknown(u), json) => {
            return if u.kind == UnknownKind::Text && !json.is_string() { Some(false) } else { None };
        }
        (Value::Null, Json::Null) => {}
        (Value::Bool(a), Json::Bool(b)) => take(Some(a == b)),
        (Value::Text(a), Json::String(b)) => take(Some(a == b)),
        (Value::Secret(a), Json::String(b)) => take(Some(a.expose() == b)),
        (Value::Int(_) | Value::Float(_), Json::Number(_)) => {
            take(Some(numbers(value, &Value::from_json(json)) == Some(Ordering::Equal)));
        }
        (Value::List(a), Json::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).for_each(|(a, b)| take(equal(a, b)))
        }
        (Value::Map(a), Json::Object(b)) if a.len() == b.len() => {
            a.iter().for_each(|(k, a)| take(b.get(k).map_or(Some(false), |b| equal(a, b))));
        }
        _ => return Some(false),
    }
    sure
}

/// A text that two equal values share, and no two others.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Float(f) if f.fract() == 0.0 => format!("{f:.0}"),
        Value::Text(text) => Json::from(text.as_str()).to_string(),
        Value::Secret(text) => Json::from(text.expose()).to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Map(entries) => {
            let parts: Vec<String> =
                entries.iter().map(|(k, v)| format!("{}:{}", Json::from(k.as_str()), canonical(v))).collect();
            format!("{{{}}}", parts.join(","))
        }
        other => other.to_json().map(|j| j.to_string()).unwrap_or_default(),
    }
}

fn check_number(rules: &NumberRules, value: &Value, at: &str, out: &mut Findings) {
    let order = |bound: &Json| numbers(value, &Value::from_json(bound));
    let bounds = [
        (&rules.least, "at least", [Ordering::Equal, Ordering::Greater]),
        (&rules.most, "at most", [Ordering::Equal, Ordering::Less]),
        (&rules.above, "above", [Ordering::Greater, Ordering::Greater]),
        (&rules.below, "below", [Ordering::Less, Ordering::Less]),
    ];
    for (bound, words, good) in bounds {
        if let Some(bound) = bound
            && !order(bound).is_some_and(|o| good.contains(&o))
        {
            let says = format!("must be {words} {bound}{}", found(value));
            out.add(Violation::new(codes::INVALID_VALUE, at, says));
        }
    }
    if let Some(by) = rules.multiple {
        let number = match value {
            #[expect(clippy::cast_precision_loss, reason = "JSON Schema's numbers are those of JSON")]
            Value::Int(n) => *n as f64,
            Value::Float(f) => *f,
            _ => return,
        };
        let times = number / by;
        if (times - times.round()).abs() > 1e-9 * times.abs().max(1.0) {
            out.add(Violation::new(
                codes::INVALID_VALUE,
                at,
                format!("must be a multiple of {by}{}", found(value)),
            ));
        }
    }
}

/// `format: int32` on a number.
fn check_width(rules: &TextRules, value: &Value, at: &str, out: &mut Findings) {
    if rules.format.as_deref() == Some("int32")
        && let Value::Int(n) = value
        && i32::try_from(*n).is_err()
    {
        out.add(Violation::new(codes::INVALID_VALUE, at, format!("must fit into 32 bits{}", found(value))));
    }
}

fn check_text(rules: &TextRules, text: &str, value: &Value, at: &str, out: &mut Findings) {
    let chars = text.chars().count();
    let characters = |n: usize| format!("{n} character{}", if n == 1 { "" } else { "s" });
    if let Some(least) = rules.least.filter(|n| chars < *n) {
        let says = if chars == 0 {
            "must not be empty".into()
        } else {
            format!("must have at least {}{}", characters(least), found(value))
        };
        out.add(Violation::new(codes::INVALID_VALUE, at, says));
    }
    if let Some(most) = rules.most.filter(|n| chars > *n) {
        let says = format!("must have at most {}{}", characters(most), found(value));
        out.add(Violation::new(codes::INVALID_VALUE, at, says));
    }
    if let Some(pattern) = &rules.pattern
        && !pattern.is_match(text)
    {
        let says = format!("must match `{}`{}", pattern.as_str(), found(value));
        out.add(Violation::new(codes::INVALID_VALUE, at, says));
    }
    let address = match rules.format.as_deref() {
        Some("ipv4") => text.parse::<std::net::Ipv4Addr>().is_ok(),
        Some("ipv6") => text.parse::<std::net::Ipv6Addr>().is_ok(),
        _ => true,
    };
    if !address {
        let format = rules.format.as_deref().unwrap_or_default();
        let says = format!("must be an {} address{}", format.replace("ipv", "IPv"), found(value));
        out.add(Violation::new(codes::INVALID_VALUE, at, says));
    }
}
