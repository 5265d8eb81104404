//! What `when`, `count` and `for-each` decide: all of it must be plain and known, or the resource is deferred.

use sheave_model::limits::MAX_INSTANCES;
use sheave_model::{Diagnostic, Key, Value};

use crate::codes;
use crate::eval::Scope;
use crate::graph::{Graph, Repeat};
use crate::syntax::with_article;
use crate::template::Template;

/// One instance of a resource or module.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Its key in the address; none for what is not repeated.
    pub key: Option<Key>,
    /// `each.key` and `each.value` for its expressions.
    pub each: Option<(Value, Value)>,
}

impl Graph {
    /// Whether a `when` holds; none: not known yet. `scope.each` may be of an instance.
    pub fn holds(&self, when: &Template, scope: &Scope<'_>) -> Result<Option<bool>, Vec<Diagnostic>> {
        match self.evaluate(when, scope)? {
            Value::Bool(b) => Ok(Some(b)),
            Value::Unknown(_) => Ok(None),
            Value::Secret(_) => Err(vec![secret("`when`", when)]),
            other => {
                let summary =
                    format!("`when` must be `true` or `false`, found {}", with_article(other.kind_name()));
                Err(vec![Diagnostic::error(codes::TYPE_MISMATCH, summary).at(when.span(), "")])
            }
        }
    }

    /// The instances that a `count` or `for-each` makes; none: not known yet.
    pub fn instances(
        &self,
        repeat: &Repeat,
        scope: &Scope<'_>,
    ) -> Result<Option<Vec<Instance>>, Vec<Diagnostic>> {
        let (template, what) = match repeat {
            Repeat::Once => return Ok(Some(vec![Instance { key: None, each: None }])),
            Repeat::Count(template) => (template, "`count`"),
            Repeat::ForEach(template) => (template, "`for-each`"),
        };
        let value = self.evaluate(template, scope)?;
        let fault =
            |code: &str, summary: String| Err(vec![Diagnostic::error(code, summary).at(template.span(), "")]);
        if value.has_secret() {
            return Err(vec![secret(what, template)]);
        }
        let many = |count: usize| {
            format!("{what} makes {count} instances, and a stack holds at most {MAX_INSTANCES}")
        };
        let index = |n: usize| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
        let made = match (repeat, value) {
            (_, Value::Unknown(_)) => return Ok(None),
            (Repeat::Count(_), Value::Int(n)) => match usize::try_from(n) {
                Ok(n) if n <= MAX_INSTANCES => {
                    (0..n).map(|n| (Key::Index(n as u64), index(n), index(n))).collect()
                }
                Ok(n) => return fault(codes::INVALID_VALUE, many(n)),
                Err(_) => {
                    return fault(codes::INVALID_VALUE, format!("`count` must be at least 0, found {n}"));
                }
            },
            (Repeat::ForEach(_), Value::List(items)) if items.len() <= MAX_INSTANCES => {
                items.into_iter().enumerate().map(|(n, v)| (Key::Index(n as u64), index(n), v)).collect()
            }
            (Repeat::ForEach(_), Value::Map(entries)) if entries.len() <= MAX_INSTANCES => entries
                .into_iter()
                .map(|(k, v)| (Key::Name(k.clone()), Value::Text(k), v))
                .collect::<Vec<_>>(),
            (Repeat::ForEach(_), Value::List(items)) => {
                return fault(codes::INVALID_VALUE, many(items.len()));
            }
            (Repeat::ForEach(_), Value::Map(entries)) => {
                return fault(codes::INVALID_VALUE, many(entries.len()));
            }
            (repeat, other) => {
                let want = if matches!(repeat, Repeat::Count(_)) { "an integer" } else { "a list or a map" };
                let found = with_article(other.kind_name());
                return fault(codes::TYPE_MISMATCH, format!("{what} must be {want}, found {found}"));
            }
        };
        let instance = |(key, each_key, value)| Instance { key: Some(key), each: Some((each_key, value)) };
        Ok(Some(made.into_iter().map(instance).collect()))
    }
}

fn secret(what: &str, at: &Template) -> Diagnostic {
    let summary = format!("{what} cannot hang on a secret: how many resources there are is shown");
    Diagnostic::error(codes::SECRET_MISPLACED, summary).at(at.span(), "")
}
