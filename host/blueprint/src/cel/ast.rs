//! The tree of an expression: CEL with its macros as nodes of their own.

use sheave_model::Value;

use super::functions::Function;

/// A node and the bytes of the expression's text that it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) at: (usize, usize),
    /// Levels of the tree from here down.
    pub(crate) depth: usize,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    Literal(Value),
    /// A root (`inputs`) or a comprehension's variable.
    Name(String),
    Select(Box<Expr>, String),
    /// `has(a.b)`.
    Has(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    /// Condition, then, otherwise.
    Choice(Box<[Expr; 3]>),
    Call(Function, Vec<Expr>),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Each(Box<Each>),
}

/// Operators that need both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
}

impl Binary {
    /// As it is written.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
        }
    }
}

/// A comprehension: `list.map(x, filter, body)` and its relatives.
#[derive(Clone, Debug)]
pub(crate) struct Each {
    pub(crate) kind: EachKind,
    pub(crate) over: Expr,
    pub(crate) variable: String,
    /// Of the three-argument `map` only.
    pub(crate) filter: Option<Expr>,
    pub(crate) body: Expr,
}

/// Which comprehension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EachKind {
    Map,
    Filter,
    All,
    Exists,
    ExistsOne,
}

impl Expr {
    pub(crate) fn new(kind: ExprKind, at: (usize, usize)) -> Self {
        let mut expr = Self { kind, at, depth: 1 };
        expr.depth = 1 + expr.children().iter().map(|e| e.depth).max().unwrap_or(0);
        expr
    }

    /// The parts directly beneath, in the order they are written.
    pub(crate) fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Literal(_) | ExprKind::Name(_) => Vec::new(),
            ExprKind::Select(e, _) | ExprKind::Has(e, _) | ExprKind::Not(e) | ExprKind::Negate(e) => vec![e],
            ExprKind::Index(a, b) | ExprKind::Binary(_, a, b) | ExprKind::And(a, b) | ExprKind::Or(a, b) => {
                vec![a, b]
            }
            ExprKind::Choice(parts) => parts.iter().collect(),
            ExprKind::Call(_, args) | ExprKind::List(args) => args.iter().collect(),
            ExprKind::Map(entries) => entries.iter().flat_map(|(k, v)| [k, v]).collect(),
            ExprKind::Each(each) => {
                let mut parts = vec![&each.over];
                parts.extend(&each.filter);
                parts.push(&each.body);
                parts
            }
        }
    }
}
