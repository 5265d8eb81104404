//! Expressions: text to a tree that [`crate::eval`] walks.

pub(crate) mod ast;
pub(crate) mod functions;
mod lexer;
mod literal;
mod parse;
pub(crate) mod quotes;

pub(crate) use ast::{Expr, ExprKind};
pub(crate) use parse::parse;

/// What is wrong with an expression, at which bytes of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: &'static str,
    pub(crate) summary: String,
    pub(crate) help: Option<String>,
    pub(crate) at: (usize, usize),
}

impl Fault {
    pub(crate) fn new(code: &'static str, summary: impl Into<String>, at: (usize, usize)) -> Self {
        Self { code, summary: summary.into(), help: None, at }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
