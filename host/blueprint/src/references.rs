//! What expressions read: inputs, locals, resources, stacks, `each`.

use std::collections::BTreeSet;

use sheave_model::Value;

use crate::cel::ast::Each;
use crate::cel::{Expr, ExprKind};

/// The names that expressions read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// `inputs.NAME`.
    pub inputs: BTreeSet<String>,
    /// `locals.NAME`.
    pub locals: BTreeSet<String>,
    /// `resources.NAME`: resources and modules.
    pub resources: BTreeSet<String>,
    /// `stacks.NAME`.
    pub stacks: BTreeSet<String>,
    /// Whether `each` is read.
    pub each: bool,
}

impl References {
    /// Takes in what an expression reads.
    pub(crate) fn read(&mut self, expr: &Expr) {
        each_path(expr, &mut |path| {
            let name = path.steps.first().and_then(|s| s.name.clone());
            let names = match path.root {
                "inputs" => &mut self.inputs,
                "locals" => &mut self.locals,
                "resources" => &mut self.resources,
                "stacks" => &mut self.stacks,
                "each" => {
                    self.each = true;
                    return;
                }
                _ => return,
            };
            names.extend(name);
        });
    }

    /// Takes in what `other` reads.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.inputs.extend(other.inputs.iter().cloned());
        self.locals.extend(other.locals.iter().cloned());
        self.resources.extend(other.resources.iter().cloned());
        self.stacks.extend(other.stacks.iter().cloned());
        self.each |= other.each;
    }
}

/// `root.step.step[...]`: a name that is no comprehension's variable, and what is taken from it.
pub(crate) struct Path<'a> {
    pub(crate) root: &'a str,
    /// The bytes of the root itself.
    pub(crate) root_at: (usize, usize),
    pub(crate) steps: Vec<Step>,
}

/// One field or element taken.
pub(crate) struct Step {
    /// The name; none where it is computed, or a number.
    pub(crate) name: Option<String>,
    /// Whether it is a number, written.
    pub(crate) number: bool,
    /// Where it ends, from the path's start.
    pub(crate) at: (usize, usize),
}

/// Calls `see` on every path of the expression.
pub(crate) fn each_path<'a>(expr: &'a Expr, see: &mut dyn FnMut(Path<'a>)) {
    walk(expr, &mut Vec::new(), see);
}

fn walk<'a>(expr: &'a Expr, hidden: &mut Vec<&'a str>, see: &mut dyn FnMut(Path<'a>)) {
    if let Some(path) = path(expr) {
        if !hidden.contains(&path.root) {
            see(path);
        }
        return indices(expr, hidden, see);
    }
    if let ExprKind::Each(each) = &expr.kind {
        let Each { over, variable, filter, body, .. } = &**each;
        walk(over, hidden, see);
        hidden.push(variable);
        filter.iter().chain([body]).for_each(|e| walk(e, hidden, see));
        hidden.pop();
        return;
    }
    for child in expr.children() {
        walk(child, hidden, see);
    }
}

/// The computed parts of a path may hold paths themselves.
fn indices<'a>(expr: &'a Expr, hidden: &mut Vec<&'a str>, see: &mut dyn FnMut(Path<'a>)) {
    match &expr.kind {
        ExprKind::Index(of, index) => {
            indices(of, hidden, see);
            walk(index, hidden, see);
        }
        ExprKind::Select(of, _) | ExprKind::Has(of, _) => indices(of, hidden, see),
        _ => {}
    }
}

fn path(expr: &Expr) -> Option<Path<'_>> {
    let (of, step) = match &expr.kind {
        ExprKind::Name(root) => return Some(Path { root, root_at: expr.at, steps: Vec::new() }),
        ExprKind::Select(of, field) => (of, Step { name: Some(field.clone()), number: false, at: expr.at }),
        ExprKind::Has(of, field) => (of, Step { name: Some(field.clone()), number: false, at: expr.at }),
        ExprKind::Index(of, index) => {
            let (name, number) = match &index.kind {
                ExprKind::Literal(Value::Text(name)) => (Some(name.clone()), false),
                ExprKind::Literal(Value::Int(_)) => (None, true),
                _ => (None, false),
            };
            (of, Step { name, number, at: expr.at })
        }
        _ => return None,
    };
    let mut path = path(of)?;
    path.steps.push(step);
    Some(path)
}
