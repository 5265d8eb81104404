//! Comprehensions.

use std::borrow::Cow;

use sheave_model::{UnknownKind, Value};

use super::marks::Marks;
use super::session::cost;
use super::walk::{At, Walk, is_limit, wrong};
use super::{Answer, Error};
use crate::cel::Expr;
use crate::cel::ast::{Each, EachKind};

impl<'s> Walk<'s> {
    pub(super) fn each(&mut self, each: &'s Each, at: At) -> Answer<Cow<'s, Value>> {
        let over = self.value(&each.over)?;
        let items: Vec<Cow<'s, Value>> = match over {
            Cow::Borrowed(Value::List(items)) => items.iter().map(Cow::Borrowed).collect(),
            Cow::Owned(Value::List(items)) => items.into_iter().map(Cow::Owned).collect(),
            Cow::Borrowed(Value::Map(entries)) => {
                self.elements(entries.len(), at)?;
                entries.keys().map(|k| Cow::Owned(Value::Text(k.clone()))).collect()
            }
            Cow::Owned(Value::Map(entries)) => {
                entries.into_keys().map(|k| Cow::Owned(Value::Text(k))).collect()
            }
            unknown if matches!(&*unknown, Value::Unknown(u) if u.kind == UnknownKind::Other) => {
                return Ok(self.derived(at, UnknownKind::Other, [&*unknown]));
            }
            other => return Err(wrong("a comprehension", "a list or a map", &other, each.over.at)),
        };
        match each.kind {
            EachKind::Map | EachKind::Filter => self.collect(each, items, at),
            EachKind::All => self.fold(each, items, false, at),
            EachKind::Exists => self.fold(each, items, true, at),
            EachKind::ExistsOne => self.exists_one(each, items, at),
        }
    }

    /// `expr` where the comprehension's variable is `item`; the item comes back.
    fn with(
        &mut self,
        each: &'s Each,
        expr: &'s Expr,
        item: Cow<'s, Value>,
        position: usize,
    ) -> (Answer<Cow<'s, Value>>, Cow<'s, Value>) {
        self.variables.push((&each.variable, item, position as u64));
        let answer = self.value(expr);
        let item = self.variables.pop().map_or(Cow::Owned(Value::Null), |(_, item, _)| item);
        (answer, item)
    }

    /// `map` and `filter`. Where an unknown decides what is in the list, the whole list is unknown.
    fn collect(&mut self, each: &'s Each, items: Vec<Cow<'s, Value>>, at: At) -> Answer<Cow<'s, Value>> {
        let condition = if each.kind == EachKind::Filter { Some(&each.body) } else { each.filter.as_ref() };
        let mut out = Vec::new();
        let mut undecided = Marks::default();
        for (position, mut item) in items.into_iter().enumerate() {
            if let Some(condition) = condition {
                let (answer, back) = self.with(each, condition, item, position);
                item = back;
                match &*answer? {
                    Value::Bool(true) => {}
                    Value::Bool(false) => continue,
                    unknown @ Value::Unknown(_) => undecided.see(unknown),
                    other => return Err(wrong("a filter", "a boolean", other, condition.at)),
                }
            }
            let value = if each.kind == EachKind::Filter {
                item
            } else {
                self.with(each, &each.body, item, position).0?
            };
            out.push(self.owned(value, each.body.at)?);
        }
        if undecided.is_unknown() {
            for value in &out {
                self.spend(cost(value), at)?;
                undecided.see(value);
            }
            return Ok(self.derived_of(at, UnknownKind::Other, &undecided));
        }
        self.elements(out.len(), at)?;
        Ok(Cow::Owned(Value::List(out)))
    }

    /// `all` and `exists`: one element that decides makes the others not needed.
    fn fold(
        &mut self,
        each: &'s Each,
        items: Vec<Cow<'s, Value>>,
        decides: bool,
        at: At,
    ) -> Answer<Cow<'s, Value>> {
        let mut undecided = Marks::default();
        let mut first: Option<Box<Error>> = None;
        for (position, item) in items.into_iter().enumerate() {
            let answer = self.with(each, &each.body, item, position).0;
            match answer {
                Err(error) if is_limit(&error) => return Err(error),
                Err(error) => _ = first.get_or_insert(error),
                Ok(value) => match &*value {
                    Value::Bool(b) if *b == decides => return Ok(value),
                    Value::Bool(_) => {}
                    unknown @ Value::Unknown(_) => undecided.see(unknown),
                    other => {
                        _ = first
                            .get_or_insert_with(|| wrong("a condition", "a boolean", other, each.body.at))
                    }
                },
            }
        }
        if undecided.is_unknown() {
            return Ok(self.derived_of(at, UnknownKind::Other, &undecided));
        }
        first.map_or(Ok(Cow::Owned(Value::Bool(!decides))), Err)
    }

    fn exists_one(&mut self, each: &'s Each, items: Vec<Cow<'s, Value>>, at: At) -> Answer<Cow<'s, Value>> {
        let mut undecided = Marks::default();
        let mut count = 0_usize;
        for (position, item) in items.into_iter().enumerate() {
            match &*self.with(each, &each.body, item, position).0? {
                Value::Bool(b) => count += usize::from(*b),
                unknown @ Value::Unknown(_) => undecided.see(unknown),
                other => return Err(wrong("a condition", "a boolean", other, each.body.at)),
            }
        }
        if undecided.is_unknown() && count < 2 {
            return Ok(self.derived_of(at, UnknownKind::Other, &undecided));
        }
        Ok(Cow::Owned(Value::Bool(count == 1)))
    }
}
