//! Calls: what each function does with its arguments.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sheave_model::{SecretText, Unknown, UnknownKind, Value};

use super::convert::secret_only_text;
use super::session::cost;
use super::walk::{At, Walk, fault, helped, is_secret, is_text, wrong};
use super::{Answer, Error};
use crate::cel::functions::{Function, signature};
use crate::codes;
use crate::limits::PASSWORD_LENGTH;

/// The arguments of one call.
pub(super) struct Args<'v, 's> {
    pub(super) name: &'static str,
    pub(super) values: &'v [Cow<'s, Value>],
    pub(super) places: &'v [At],
    pub(super) at: At,
}

/// Texts among the arguments, as far as they are known.
pub(super) enum Texts<'v> {
    /// All of them, and whether one is secret.
    Known(Vec<&'v str>, bool),
    /// One is not known.
    Unknown,
}

impl<'v> Args<'v, '_> {
    pub(super) fn value(&self, n: usize) -> &'v Value {
        self.values.get(n).map_or(&Value::Null, |v| v)
    }

    pub(super) fn place(&self, n: usize) -> At {
        self.places.get(n).copied().unwrap_or(self.at)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &'v Value> + use<'v> {
        self.values.iter().map(|v| &**v)
    }

    /// The first `count` arguments as texts.
    pub(super) fn texts(&self, count: usize) -> Answer<Texts<'v>> {
        let mut out = Vec::with_capacity(count);
        let (mut secret, mut unknown) = (false, false);
        for n in 0..count {
            match self.value(n) {
                Value::Text(text) => out.push(text.as_str()),
                Value::Secret(text) => {
                    secret = true;
                    out.push(text.expose());
                }
                Value::Unknown(_) => unknown = true,
                other => return Err(self.wrong(n, "a string", other)),
            }
        }
        Ok(if unknown { Texts::Unknown } else { Texts::Known(out, secret) })
    }

    /// A whole number; none where it is not known.
    pub(super) fn int(&self, n: usize) -> Answer<Option<i64>> {
        match self.value(n) {
            Value::Int(i) => Ok(Some(*i)),
            Value::Unknown(_) => Ok(None),
            other => Err(self.wrong(n, "an integer", other)),
        }
    }

    pub(super) fn wrong(&self, n: usize, want: &str, found: &Value) -> Box<Error> {
        wrong(&format!("`{}`", self.name), want, found, self.place(n))
    }

    pub(super) fn bad(&self, n: usize, summary: impl Into<String>) -> Box<Error> {
        fault(codes::BAD_EXPRESSION, summary, self.place(n))
    }

    /// Refuses a secret text where the answer is no text.
    pub(super) fn no_secret(&self) -> Answer<()> {
        match (0..self.values.len()).find(|n| is_secret(self.value(*n)) && is_text(self.value(*n))) {
            Some(n) => Err(secret_only_text(self.place(n))),
            None => Ok(()),
        }
    }
}

impl<'s> Walk<'s> {
    pub(super) fn call(
        &mut self,
        function: Function,
        mut values: Vec<Cow<'s, Value>>,
        places: &[At],
        at: At,
    ) -> Answer<Cow<'s, Value>> {
        use Function as F;
        match function {
            F::Dyn => return Ok(values.swap_remove(0)),
            F::Int | F::Uint | F::Double | F::Text | F::Bool | F::Type => {
                return self.convert(function, values.swap_remove(0), places[0], at);
            }
            _ => {}
        }
        let args = Args { name: signature(function).name, values: &values, places, at };
        match function {
            F::Size => self.size(&args),
            F::StartsWith | F::EndsWith | F::Contains | F::Matches => self.test(function, &args),
            F::Range => self.range(&args),
            F::Keys | F::Values => self.parts(function, &args),
            F::Merge => self.merge(&args),
            F::Flatten => self.flatten(&args),
            F::Join => self.join(&args),
            F::Split => self.split(&args),
            F::Replace | F::Lower | F::Upper | F::Trim | F::Indent | F::DnsLabel => {
                self.text_to_text(function, &args)
            }
            F::Base64Encode | F::Base64Decode | F::Sha256 => self.text_to_text(function, &args),
            F::Format => self.format(&args),
            F::JsonEncode | F::YamlEncode => self.encode(function, &args),
            F::JsonDecode | F::YamlDecode => self.decode(function, &args),
            F::File => self.file(&args),
            F::RandomPassword => self.password(&args),
            F::Dyn | F::Int | F::Uint | F::Double | F::Text | F::Bool | F::Type => {
                Err(fault(codes::BAD_EXPRESSION, "the expression cannot be evaluated", at))
            }
        }
    }

    /// The unknown that a call over unknowns gives.
    pub(super) fn call_unknown(&self, args: &Args<'_, '_>, kind: UnknownKind) -> Answer<Cow<'s, Value>> {
        for value in args.all() {
            self.spend(cost(value), args.at)?;
        }
        Ok(self.derived(args.at, kind, args.all()))
    }

    /// A text that a call made, secret where one of its arguments is.
    pub(super) fn made(&self, text: String, secret: bool, at: At) -> Answer<Cow<'s, Value>> {
        self.text_size(text.len(), at)?;
        Ok(Cow::Owned(if secret { Value::Secret(SecretText::new(text)) } else { Value::Text(text) }))
    }

    fn size(&self, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        args.no_secret()?;
        let size = match args.value(0) {
            Value::Text(text) => {
                self.text_size(text.len(), args.at)?;
                text.chars().count()
            }
            Value::List(items) => items.len(),
            Value::Map(entries) => entries.len(),
            Value::Unknown(_) => return self.call_unknown(args, UnknownKind::Other),
            other => return Err(args.wrong(0, "a string, a list or a map", other)),
        };
        Ok(Cow::Owned(Value::Int(i64::try_from(size).unwrap_or(i64::MAX))))
    }

    fn range(&self, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        let (first, second) = (args.int(0)?, if args.values.len() == 2 { args.int(1)? } else { Some(0) });
        let (Some(first), Some(second)) = (first, second) else {
            return self.call_unknown(args, UnknownKind::Other);
        };
        let (from, to) = if args.values.len() == 2 { (first, second) } else { (0, first) };
        if to < from {
            return Err(args.bad(args.values.len() - 1, format!("`range` cannot count from {from} to {to}")));
        }
        let count = to.checked_sub(from).and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
        self.elements(count, args.at)?;
        Ok(Cow::Owned(Value::List((from..to).map(Value::Int).collect())))
    }

    fn parts(&self, function: Function, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        let entries = match args.value(0) {
            Value::Map(entries) => entries,
            Value::Unknown(u) if u.kind == UnknownKind::Other => {
                return self.call_unknown(args, UnknownKind::Other);
            }
            other => return Err(args.wrong(0, "a map", other)),
        };
        self.elements(entries.len(), args.at)?;
        if function == Function::Keys {
            return Ok(Cow::Owned(Value::List(entries.keys().map(|k| Value::Text(k.clone())).collect())));
        }
        self.spend(cost(args.value(0)), args.at)?;
        Ok(Cow::Owned(Value::List(entries.values().cloned().collect())))
    }

    /// What stands in a later map wins, key by key; maps inside are not merged.
    fn merge(&self, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        let mut out = BTreeMap::new();
        let mut unknown = false;
        for (n, value) in args.all().enumerate() {
            match value {
                Value::Map(entries) => {
                    self.spend(cost(value), args.at)?;
                    out.extend(entries.iter().map(|(k, v)| (k.clone(), v.clone())));
                }
                Value::Unknown(u) if u.kind == UnknownKind::Other => unknown = true,
                other => return Err(args.wrong(n, "a map", other)),
            }
        }
        if unknown {
            return self.call_unknown(args, UnknownKind::Other);
        }
        self.elements(out.len(), args.at)?;
        Ok(Cow::Owned(Value::Map(out)))
    }

    fn flatten(&self, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        let depth = if args.values.len() == 2 { args.int(1)? } else { Some(1) };
        let items = match args.value(0) {
            Value::List(items) => items,
            Value::Unknown(u) if u.kind == UnknownKind::Other => {
                return self.call_unknown(args, UnknownKind::Other);
            }
            other => return Err(args.wrong(0, "a list", other)),
        };
        let Some(depth) = depth else { return self.call_unknown(args, UnknownKind::Other) };
        if depth < 0 {
            return Err(args.bad(1, "`flatten` takes a depth from zero"));
        }
        self.spend(cost(args.value(0)), args.at)?;
        let mut out = Vec::new();
        if !flatten_into(items, depth, &mut out) {
            // An unknown element may be a list itself.
            return self.call_unknown(args, UnknownKind::Other);
        }
        self.elements(out.len(), args.at)?;
        Ok(Cow::Owned(Value::List(out)))
    }

    fn file(&self, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        let path = match args.value(0) {
            Value::Text(path) => path,
            Value::Unknown(_) => return self.call_unknown(args, UnknownKind::Text),
            Value::Secret(_) => {
                return Err(fault(codes::SECRET_MISPLACED, "a path cannot be secret", args.place(0)));
            }
            other => return Err(args.wrong(0, "a path", other)),
        };
        let Some(scope) = self.session.scope else {
            return Err(args.bad(0, "files cannot be read here"));
        };
        // A system call: dear, so that no expression makes thousands.
        self.spend(1000, args.at)?;
        let text = scope
            .files
            .read(path)
            .map_err(|why| args.bad(0, format!("the file `{path}` cannot be read: {why}")))?;
        self.made(text, false, args.at)
    }

    fn password(&self, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        let name = match args.value(0) {
            Value::Text(name) if sheave_model::address::is_name(name) => name,
            Value::Text(_) => {
                let summary = "a password's name is a letter, then letters, digits, `-` and `_`";
                return Err(args.bad(0, summary));
            }
            Value::Unknown(_) => {
                return Err(fault(
                    codes::UNKNOWN_MISPLACED,
                    "a password's name must be known",
                    args.place(0),
                ));
            }
            Value::Secret(_) => {
                return Err(fault(
                    codes::SECRET_MISPLACED,
                    "a password's name cannot be secret",
                    args.place(0),
                ));
            }
            other => return Err(args.wrong(0, "a name", other)),
        };
        let Some(length) = args.int(1)? else {
            return Err(fault(codes::UNKNOWN_MISPLACED, "a password's length must be known", args.place(1)));
        };
        let good = u32::try_from(length).ok().filter(|_| PASSWORD_LENGTH.contains(&length));
        let Some(good) = good else {
            let (least, most) = (PASSWORD_LENGTH.start(), PASSWORD_LENGTH.end());
            let summary = format!("a password has {least} to {most} characters, not {length}");
            return Err(args.bad(1, summary));
        };
        let Some(scope) = self.session.scope else {
            return Err(helped(
                codes::BAD_EXPRESSION,
                "passwords cannot be made here",
                args.at,
                "put it into a property",
            ));
        };
        Ok(Cow::Owned(match scope.passwords.get(name, good) {
            Some(password) => Value::Secret(password),
            None => {
                let id = format!("password:{name}");
                Value::Unknown(Unknown { id, kind: UnknownKind::Text, secret: true })
            }
        }))
    }
}

/// False: an element that is not known may be a list.
fn flatten_into(items: &[Value], depth: i64, out: &mut Vec<Value>) -> bool {
    for item in items {
        match item {
            Value::List(inner) if depth > 0 => {
                if !flatten_into(inner, depth - 1, out) {
                    return false;
                }
            }
            Value::Unknown(u) if depth > 0 && u.kind == UnknownKind::Other => return false,
            other => out.push(other.clone()),
        }
    }
    true
}
