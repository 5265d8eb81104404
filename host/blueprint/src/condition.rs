//! Conditions over a live object: `ready-when`, in blueprints and from plugins, under the limits of every expression.

use std::collections::BTreeMap;
use std::sync::Arc;

use sheave_model::{Diagnostic, SourceId, Value};

use crate::cel;
use crate::codes;
use crate::eval::Session;
use crate::nearest;
use crate::references::each_path;
use crate::template::{Expression, Place};
use crate::yaml::offsets::Offsets;

/// CEL over `self`.
#[derive(Clone, Debug)]
pub struct Condition(Arc<Expression>);

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Condition {
    /// Reads a condition; labels of the diagnostics count in its own text.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let place = Place { source: SourceId(0), offsets: Offsets::Shift(0) };
        let root = cel::parse(text)
            .map_err(|all| all.into_iter().map(|f| place.diagnostic(f)).collect::<Vec<_>>())?;
        let mut faults = Vec::new();
        each_path(&root, &mut |path| {
            if path.root != "self" && !crate::eval::is_type_name(path.root) {
                let fault = Diagnostic::error(
                    codes::UNKNOWN_NAME,
                    format!("there is no `{}` in a condition", path.root),
                );
                let help = match nearest::nearest(path.root, ["self"]) {
                    Some(_) => "did you mean `self`?",
                    None => "a condition reads `self`, the live object",
                };
                faults.push(fault.at(place.span(path.root_at), "").with_help(help));
            }
        });
        if faults.is_empty() {
            Ok(Self(Arc::new(Expression { text: text.to_owned(), root, place })))
        } else {
            Err(faults)
        }
    }

    /// The condition as written.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether it holds for an object. A field that is not there yet makes it false, as does an unknown; what no
    /// object could make true is an error.
    pub fn holds(&self, object: &Value) -> Result<bool, Box<Diagnostic>> {
        let locals = BTreeMap::new();
        let session = Session::new(&locals, None, Some(object));
        match session.expression(&self.0) {
            Ok(Value::Bool(b)) => Ok(b),
            Ok(Value::Unknown(_)) => Ok(false),
            Ok(other) => {
                let kind = crate::syntax::with_article(other.kind_name());
                let summary = format!("a condition must be a boolean, found {kind}");
                Err(Box::new(Diagnostic::error(codes::TYPE_MISMATCH, summary)))
            }
            Err(error) => {
                let mut all = crate::eval::placed(*error, &self.0);
                if all.iter().all(|d| d.code == codes::UNKNOWN_NAME) {
                    return Ok(false);
                }
                let first = if all.is_empty() { None } else { Some(all.swap_remove(0)) };
                let fallback = || Diagnostic::error(codes::BAD_EXPRESSION, "the condition has no value");
                Err(Box::new(first.unwrap_or_else(fallback)))
            }
        }
    }
}
