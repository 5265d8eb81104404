//! Functions over texts.

use std::borrow::Cow;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use sheave_model::{UnknownKind, Value};

use super::Answer;
use super::functions::{Args, Texts};
use super::session::cost;
use super::walk::{Walk, fault};
use crate::cel::functions::Function;
use crate::codes;
use crate::limits::{
    MAX_ELEMENTS, MAX_INDENT, MAX_MATCHED_BYTES, MAX_PATTERN_BYTES, MAX_PATTERN_PROGRAM, MAX_TEXT_BYTES,
};

impl<'s> Walk<'s> {
    /// Functions that ask something of a text.
    pub(super) fn test(&self, function: Function, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        let texts = args.texts(2)?;
        args.no_secret()?;
        let Texts::Known(texts, _) = texts else { return self.call_unknown(args, UnknownKind::Other) };
        let (text, other) = (texts[0], texts[1]);
        self.text_size(text.len(), args.at)?;
        Ok(Cow::Owned(Value::Bool(match function {
            Function::StartsWith => text.starts_with(other),
            Function::EndsWith => text.ends_with(other),
            Function::Contains => text.contains(other),
            _ => self.matches(text, other, args)?,
        })))
    }

    /// Whether a regular expression (RE2's syntax) is found anywhere in the text.
    fn matches(&self, text: &str, pattern: &str, args: &Args<'_, 's>) -> Answer<bool> {
        let limit = |n, summary| Err(fault(codes::EXPRESSION_LIMIT, summary, args.place(n)));
        if pattern.len() > MAX_PATTERN_BYTES {
            return limit(1, format!("a pattern longer than {MAX_PATTERN_BYTES} bytes"));
        }
        if text.len() > MAX_MATCHED_BYTES {
            return limit(0, format!("`matches` looks at no more than {MAX_MATCHED_BYTES} bytes"));
        }
        // Time is the product of both, a few nanoseconds each.
        self.spend((text.len() * pattern.len()) as u64 / 16, args.at)?;
        let known = self.session.patterns.borrow().get(pattern).cloned();
        let regex = match known {
            Some(regex) => regex,
            None => {
                // Compiling is dear.
                self.spend(2000, args.at)?;
                let built = regex::RegexBuilder::new(pattern)
                    .size_limit(MAX_PATTERN_PROGRAM)
                    .dfa_size_limit(MAX_PATTERN_PROGRAM)
                    .build();
                let regex = match built {
                    Ok(regex) => Rc::new(regex),
                    Err(regex::Error::CompiledTooBig(_)) => {
                        return limit(1, "the pattern grows too large when it is compiled".into());
                    }
                    Err(_) => return Err(args.bad(1, "the pattern is not a regular expression (RE2)")),
                };
                self.session.patterns.borrow_mut().insert(pattern.to_owned(), Rc::clone(&regex));
                regex
            }
        };
        Ok(regex.is_match(text))
    }

    /// Functions that make one text of texts; secret where one of these is.
    pub(super) fn text_to_text(&self, function: Function, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        let count = if function == Function::Replace { 3 } else { 1 };
        let texts = args.texts(count)?;
        let number = if args.values.len() > count { args.int(count)? } else { Some(-1) };
        let (Texts::Known(texts, secret), Some(number)) = (texts, number) else {
            return self.call_unknown(args, UnknownKind::Text);
        };
        let text = texts[0];
        self.text_size(text.len(), args.at)?;
        let out = match function {
            Function::Lower => text.to_lowercase(),
            Function::Upper => text.to_uppercase(),
            Function::Trim => text.trim().to_owned(),
            Function::Replace => {
                let (old, new) = (texts[1], texts[2]);
                let most = usize::try_from(number).unwrap_or(usize::MAX);
                let found = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old).count() };
                let grown = found.min(most).saturating_mul(new.len()).saturating_add(text.len());
                // Measured before it is made.
                self.text_size(grown, args.at)?;
                text.replacen(old, new, most)
            }
            Function::Indent => {
                let Some(columns) = usize::try_from(number).ok().filter(|n| *n <= MAX_INDENT) else {
                    return Err(args.bad(1, format!("`indent` takes from 0 to {MAX_INDENT} columns")));
                };
                let lines = text.bytes().filter(|b| *b == b'\n').count() + 1;
                self.text_size(text.len() + lines * columns, args.at)?;
                let margin = " ".repeat(columns);
                format!("{margin}{}", text.replace('\n', &format!("\n{margin}")))
            }
            Function::DnsLabel => match dns_label(text) {
                Some(label) => label,
                None => return Err(args.bad(0, "`dnsLabel` needs a letter or a digit in the text")),
            },
            Function::Base64Encode => STANDARD.encode(text),
            Function::Base64Decode => {
                let bytes =
                    STANDARD.decode(text.trim()).map_err(|_| args.bad(0, "the text is not base64"))?;
                String::from_utf8(bytes).map_err(|_| args.bad(0, "what is base64 here is no UTF-8 text"))?
            }
            _ => {
                Sha256::digest(text.as_bytes()).iter().fold(String::new(), |out, b| out + &format!("{b:02x}"))
            }
        };
        self.made(out, secret, args.at)
    }

    pub(super) fn join(&self, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        let items = match args.value(0) {
            Value::List(items) => items,
            Value::Unknown(u) if u.kind == UnknownKind::Other => {
                return self.call_unknown(args, UnknownKind::Text);
            }
            other => return Err(args.wrong(0, "a list of strings", other)),
        };
        self.spend(cost(args.value(0)), args.at)?;
        let separator = match args.values.get(1).map(|v| &**v) {
            None => "",
            Some(Value::Text(text)) => text,
            Some(Value::Secret(text)) => text.expose(),
            Some(Value::Unknown(_)) => return self.call_unknown(args, UnknownKind::Text),
            Some(other) => return Err(args.wrong(1, "a string", other)),
        };
        let mut secret = matches!(args.values.get(1).map(|v| &**v), Some(Value::Secret(_)));
        let (mut out, mut unknown) = (String::new(), false);
        for (n, item) in items.iter().enumerate() {
            if n > 0 {
                out.push_str(separator);
            }
            match item {
                Value::Text(text) => out.push_str(text),
                Value::Secret(text) => {
                    secret = true;
                    out.push_str(text.expose());
                }
                Value::Unknown(_) => unknown = true,
                other => return Err(args.wrong(0, "a list of strings", other)),
            }
            if out.len() > MAX_TEXT_BYTES {
                return Err(super::session::too_long(args.at));
            }
        }
        if unknown {
            return self.call_unknown(args, UnknownKind::Text);
        }
        self.made(out, secret, args.at)
    }

    pub(super) fn split(&self, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        let texts = args.texts(2)?;
        args.no_secret()?;
        let limit = if args.values.len() == 3 { args.int(2)? } else { Some(-1) };
        let (Texts::Known(texts, _), Some(limit)) = (texts, limit) else {
            return self.call_unknown(args, UnknownKind::Other);
        };
        let (text, separator) = (texts[0], texts[1]);
        self.text_size(text.len(), args.at)?;
        // As in Go: no more than `limit` pieces, the last with the rest; below zero all.
        let most = usize::try_from(limit).unwrap_or(MAX_ELEMENTS + 1).min(MAX_ELEMENTS + 1);
        let pieces: Vec<Value> = if separator.is_empty() {
            let mut pieces: Vec<Value> = Vec::new();
            for (at, c) in text.char_indices() {
                if pieces.len() + 1 == most {
                    pieces.push(Value::Text(text[at..].to_owned()));
                    break;
                }
                pieces.push(Value::Text(c.to_string()));
            }
            pieces
        } else {
            text.splitn(most, separator).map(|p| Value::Text(p.to_owned())).collect()
        };
        self.elements(pieces.len(), args.at)?;
        Ok(Cow::Owned(Value::List(pieces)))
    }
}

/// A DNS label made of any text: lower case, `-` for what is neither letter nor digit, at most 63 characters.
/// What is cut off is told apart by a digest. None where no letter or digit is left.
pub fn dns_label(text: &str) -> Option<String> {
    const LONGEST: usize = 63;
    const DIGEST: usize = 8;
    let lower = text.to_lowercase();
    let mapped: String = lower.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let label = mapped.trim_matches('-');
    if label.is_empty() {
        return None;
    }
    if label.len() <= LONGEST {
        return Some(label.to_owned());
    }
    let digest = Sha256::digest(text.as_bytes())
        .iter()
        .take(DIGEST / 2)
        .fold(String::new(), |o, b| o + &format!("{b:02x}"));
    Some(format!("{}-{digest}", label[..LONGEST - DIGEST - 1].trim_end_matches('-')))
}
