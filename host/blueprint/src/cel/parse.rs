//! Tokens to a tree: CEL's grammar by precedence climbing, comprehensions as nodes of their own.
//!
//! Written here since the `cel` crate's parser takes some 200 KiB of stack for each bracket in unoptimised code, and
//! a millisecond for a small expression; the tests hold the two against each other.

use sheave_model::Value;

use super::ast::{Binary, Each, EachKind};
use super::functions;
use super::lexer::{Token, TokenKind, tokens};
use super::{Expr, ExprKind, Fault};
use crate::codes;
use crate::limits::{
    MAX_COMPREHENSION_NESTING, MAX_EXPRESSION_BYTES, MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_NESTING,
    MAX_EXPRESSION_TOKENS,
};

/// Names that a comprehension's variable may not hide.
const ROOTS: &[&str] = &["inputs", "locals", "resources", "each", "stack", "stacks", "self"];

/// Words that CEL keeps for itself.
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// The expression, or what is wrong with it: all unknown functions and the like, but one fault of grammar only.
pub(crate) fn parse(text: &str) -> Result<Expr, Vec<Fault>> {
    let whole = (0, text.len());
    let limit = |summary: String| {
        vec![Fault::new(codes::EXPRESSION_LIMIT, summary, whole).help("split it over several `locals`")]
    };
    if text.len() > MAX_EXPRESSION_BYTES {
        return Err(limit(format!("the expression is longer than {MAX_EXPRESSION_BYTES} bytes")));
    }
    if text.trim().is_empty() {
        return Err(vec![Fault::new(codes::BAD_EXPRESSION, "the expression is empty", whole)]);
    }
    let tokens = tokens(text).map_err(|fault| vec![fault])?;
    if tokens.len() > MAX_EXPRESSION_TOKENS {
        return Err(limit(format!("the expression has more than {MAX_EXPRESSION_TOKENS} words and signs")));
    }
    let mut parser = Parser { text, tokens: &tokens, next: 0, faults: Vec::new(), nesting: 0, loops: 0 };
    let parsed = parser.expr().and_then(|expr| parser.end().map(|()| expr));
    match parsed {
        Ok(expr) if parser.faults.is_empty() => Ok(expr),
        Ok(_) => Err(parser.faults),
        Err(fault) => {
            parser.faults.push(*fault);
            Err(parser.faults)
        }
    }
}

/// A fault of grammar ends the reading.
type Read<T> = Result<T, Box<Fault>>;

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    next: usize,
    /// What is wrong but leaves the grammar whole.
    faults: Vec<Fault>,
    nesting: usize,
    loops: usize,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        // The last token is the end, and is never passed.
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn at(&self) -> (usize, usize) {
        self.token().at
    }

    /// The end of the token before.
    fn behind(&self) -> usize {
        self.tokens[..self.next.min(self.tokens.len())].last().map_or(0, |t| t.at.1)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(&self.token().kind, TokenKind::Sign(s) if *s == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        self.next += usize::from(found);
        found
    }

    /// The bracket or sign that must stand here.
    fn expect(&mut self, sign: &str) -> Read<()> {
        if self.take(sign) {
            return Ok(());
        }
        if matches!(self.token().kind, TokenKind::End) {
            let last = self.behind();
            let at = (last.saturating_sub(1), last);
            return Err(Box::new(Fault::new(codes::BAD_EXPRESSION, format!("a `{sign}` is missing"), at)));
        }
        let mut fault = self.unexpected();
        fault.help.get_or_insert_with(|| format!("a `{sign}` was expected"));
        Err(fault)
    }

    fn unexpected(&self) -> Box<Fault> {
        let at = self.at();
        if matches!(self.token().kind, TokenKind::End) {
            let last = self.behind();
            let fault = Fault::new(
                codes::BAD_EXPRESSION,
                "the expression ends too early",
                (last.saturating_sub(1), last),
            );
            return Box::new(fault.help("an operator lacks its right side, or a bracket is not closed"));
        }
        let shown: String = self.text[at.0..at.1].chars().take(40).collect();
        let fault = Fault::new(codes::BAD_EXPRESSION, format!("`{shown}` does not belong here"), at);
        let before = self.text[..at.0].trim_end();
        let after_if = before
            .strip_suffix("if")
            .is_some_and(|b| !b.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
        Box::new(if after_if || shown == "if" {
            fault.help("write `condition ? value : other`")
        } else {
            fault
        })
    }

    fn end(&self) -> Read<()> {
        if matches!(self.token().kind, TokenKind::End) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// A node, where the tree does not grow too deep by it.
    fn node(&self, kind: ExprKind, at: (usize, usize)) -> Read<Expr> {
        let expr = Expr::new(kind, at);
        if expr.depth > MAX_EXPRESSION_DEPTH {
            let summary = format!("the expression's tree is deeper than {MAX_EXPRESSION_DEPTH}");
            let fault = Fault::new(codes::EXPRESSION_LIMIT, summary, (0, self.text.len()));
            return Err(Box::new(fault.help("split it over several `locals`")));
        }
        Ok(expr)
    }

    /// `condition ? then : otherwise`, or what binds tighter.
    fn expr(&mut self) -> Read<Expr> {
        if self.nesting >= MAX_EXPRESSION_NESTING {
            let summary = format!("the expression is nested deeper than {MAX_EXPRESSION_NESTING}");
            let fault = Fault::new(codes::EXPRESSION_LIMIT, summary, (0, self.text.len()));
            return Err(Box::new(fault.help("split it over several `locals`")));
        }
        self.nesting += 1;
        let condition = self.binary(0)?;
        let expr = if self.take("?") {
            let then = self.binary(0)?;
            self.expect(":")?;
            let otherwise = self.expr()?;
            let at = (condition.at.0, otherwise.at.1);
            self.node(ExprKind::Choice(Box::new([condition, then, otherwise])), at)?
        } else {
            condition
        };
        self.nesting -= 1;
        Ok(expr)
    }

    /// Operators with two sides, from this precedence on; those of one precedence from left to right.
    fn binary(&mut self, least: u8) -> Read<Expr> {
        let mut left = self.unary()?;
        while let Some((precedence, operator)) = self.operator().filter(|(p, _)| *p >= least) {
            self.next += 1;
            let right = self.binary(precedence + 1)?;
            let at = (left.at.0, right.at.1);
            let (left_side, right_side) = (Box::new(left), Box::new(right));
            let kind = match operator {
                Operator::Or => ExprKind::Or(left_side, right_side),
                Operator::And => ExprKind::And(left_side, right_side),
                Operator::Two(op) => ExprKind::Binary(op, left_side, right_side),
            };
            left = self.node(kind, at)?;
        }
        Ok(left)
    }

    fn operator(&self) -> Option<(u8, Operator)> {
        let sign = match &self.token().kind {
            TokenKind::Sign(sign) => *sign,
            TokenKind::Keyword("in") => "in",
            _ => return None,
        };
        Some(match sign {
            "||" => (0, Operator::Or),
            "&&" => (1, Operator::And),
            "==" => (2, Operator::Two(Binary::Equal)),
            "!=" => (2, Operator::Two(Binary::NotEqual)),
            "<" => (2, Operator::Two(Binary::Less)),
            "<=" => (2, Operator::Two(Binary::LessEqual)),
            ">" => (2, Operator::Two(Binary::Greater)),
            ">=" => (2, Operator::Two(Binary::GreaterEqual)),
            "in" => (2, Operator::Two(Binary::In)),
            "+" => (3, Operator::Two(Binary::Add)),
            "-" => (3, Operator::Two(Binary::Subtract)),
            "*" => (4, Operator::Two(Binary::Multiply)),
            "/" => (4, Operator::Two(Binary::Divide)),
            "%" => (4, Operator::Two(Binary::Modulo)),
            _ => return None,
        })
    }

    /// `!`s or `-`s, and what they stand before. Two of a kind are none.
    fn unary(&mut self) -> Read<Expr> {
        let start = self.at().0;
        let sign = if self.is("!") { "!" } else { "-" };
        let mut count = 0_usize;
        while self.take(sign) {
            count += 1;
        }
        // A number's own sign: the least of all integers has no counterpart above zero.
        if sign == "-" && count == 1 && matches!(self.token().kind, TokenKind::Int(_) | TokenKind::Float(_)) {
            let first = self.number(true, start)?;
            return self.member(first);
        }
        let first = self.primary()?;
        let of = self.member(first)?;
        if count.is_multiple_of(2) {
            return Ok(of);
        }
        let at = (start, of.at.1);
        let of = Box::new(of);
        self.node(if sign == "!" { ExprKind::Not(of) } else { ExprKind::Negate(of) }, at)
    }

    fn number(&mut self, negative: bool, start: usize) -> Read<Expr> {
        let token = self.token().clone();
        let at = (start, token.at.1);
        let value = match token.kind {
            TokenKind::Int(n) | TokenKind::Uint(n) => {
                let signed = if negative { 0_i64.checked_sub_unsigned(n) } else { i64::try_from(n).ok() };
                let too_large = || Box::new(Fault::new(codes::BAD_EXPRESSION, "the number is too large", at));
                Value::Int(signed.ok_or_else(too_large)?)
            }
            TokenKind::Float(f) => Value::Float(if negative { -f } else { f }),
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        self.node(ExprKind::Literal(value), at)
    }

    fn primary(&mut self) -> Read<Expr> {
        let token = self.token().clone();
        let at = token.at;
        match token.kind {
            TokenKind::Int(_) | TokenKind::Uint(_) | TokenKind::Float(_) => self.number(false, at.0),
            TokenKind::Text(text) => {
                self.next += 1;
                self.node(ExprKind::Literal(Value::Text(text)), at)
            }
            TokenKind::Keyword(word) if word != "in" => {
                self.next += 1;
                let value = if word == "null" { Value::Null } else { Value::Bool(word == "true") };
                self.node(ExprKind::Literal(value), at)
            }
            TokenKind::Sign("(") => {
                self.next += 1;
                let inner = self.expr()?;
                self.expect(")")?;
                Ok(inner)
            }
            TokenKind::Sign("[") => {
                self.next += 1;
                let items = self.list("]")?;
                self.node(ExprKind::List(items), (at.0, self.behind()))
            }
            TokenKind::Sign("{") => {
                self.next += 1;
                self.map(at.0)
            }
            TokenKind::Sign(".") => {
                self.next += 1;
                if matches!(self.token().kind, TokenKind::Name(_)) {
                    self.primary()
                } else {
                    Err(self.unexpected())
                }
            }
            TokenKind::Name(name) => self.name(name, at),
            _ => Err(self.unexpected()),
        }
    }

    /// A name that begins something: a root, a variable, a function.
    fn name(&mut self, name: String, at: (usize, usize)) -> Read<Expr> {
        if RESERVED.contains(&name.as_str()) {
            return Err(self.unexpected());
        }
        self.next += 1;
        if self.take("(") {
            return self.call(&name, at, None);
        }
        if self.is("{") && name.starts_with(|c: char| c.is_ascii_uppercase()) {
            let fault = Fault::new(codes::BAD_EXPRESSION, "messages are not supported", at);
            return Err(Box::new(fault.help("a map is written `{\"key\": value}`")));
        }
        self.node(ExprKind::Name(name), at)
    }

    /// `.field`, `.function(...)` and `[index]` behind something.
    fn member(&mut self, mut of: Expr) -> Read<Expr> {
        loop {
            let start = of.at.0;
            if self.take(".") {
                let token = self.token().clone();
                let TokenKind::Name(field) = token.kind else { return Err(self.optional_or_unexpected()) };
                self.next += 1;
                of = if self.take("(") {
                    self.call(&field, token.at, Some(of))?
                } else {
                    self.node(ExprKind::Select(Box::new(of), field), (start, token.at.1))?
                };
            } else if self.take("[") {
                if self.is("?") {
                    return Err(self.optional_or_unexpected());
                }
                let index = self.expr()?;
                self.expect("]")?;
                of = self.node(ExprKind::Index(Box::new(of), Box::new(index)), (start, self.behind()))?;
            } else {
                return Ok(of);
            }
        }
    }

    fn optional_or_unexpected(&self) -> Box<Fault> {
        if self.is("?") {
            let fault = Fault::new(codes::BAD_EXPRESSION, "optional values are not supported", self.at());
            return Box::new(fault.help("ask with `has(...)` first"));
        }
        self.unexpected()
    }

    /// Expressions with commas between them, up to the bracket, which is taken.
    fn list(&mut self, close: &str) -> Read<Vec<Expr>> {
        let mut items = Vec::new();
        while !self.take(close) {
            if self.is("?") {
                return Err(self.optional_or_unexpected());
            }
            items.push(self.expr()?);
            if !self.take(",") {
                self.expect(close)?;
                break;
            }
            // A comma may stand behind the last element, but not behind the last argument.
            if close == ")" && self.is(close) {
                return Err(self.unexpected());
            }
        }
        Ok(items)
    }

    fn map(&mut self, start: usize) -> Read<Expr> {
        let mut entries = Vec::new();
        while !self.take("}") {
            if self.is("?") {
                return Err(self.optional_or_unexpected());
            }
            let key = self.expr()?;
            self.expect(":")?;
            entries.push((key, self.expr()?));
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        self.node(ExprKind::Map(entries), (start, self.behind()))
    }

    /// A call whose opening bracket is taken.
    fn call(&mut self, name: &str, name_at: (usize, usize), target: Option<Expr>) -> Read<Expr> {
        let start = target.as_ref().map_or(name_at.0, |t| t.at.0);
        let comprehension = target.is_some() && functions::COMPREHENSIONS.contains(&name);
        if comprehension {
            self.loops += 1;
        }
        let args = self.list(")");
        if comprehension {
            self.loops -= 1;
        }
        let (args, at) = (args?, (start, self.behind()));
        match target {
            None if name == "has" => self.has(args, at),
            Some(over) if comprehension => self.each(name, name_at, over, args, at),
            target => self.function(name, name_at, target, args, at),
        }
    }

    fn has(&mut self, args: Vec<Expr>, at: (usize, usize)) -> Read<Expr> {
        if let Ok([Expr { kind: ExprKind::Select(of, field), .. }]) = <[Expr; 1]>::try_from(args) {
            return self.node(ExprKind::Has(of, field), at);
        }
        let fault = Fault::new(codes::BAD_EXPRESSION, "`has` asks for a field", at);
        self.faults.push(fault.help("write `has(map.field)`"));
        self.node(ExprKind::Literal(Value::Null), at)
    }

    fn each(
        &mut self,
        name: &str,
        name_at: (usize, usize),
        over: Expr,
        args: Vec<Expr>,
        at: (usize, usize),
    ) -> Read<Expr> {
        let fault = if self.loops >= MAX_COMPREHENSION_NESTING {
            let summary = format!("comprehensions are nested deeper than {MAX_COMPREHENSION_NESTING}");
            Fault::new(codes::EXPRESSION_LIMIT, summary, name_at).help("put the inner one into a local")
        } else if args.len() != 2 && !(name == "map" && args.len() == 3) {
            Fault::new(codes::BAD_EXPRESSION, format!("`{name}` takes a variable and an expression"), name_at)
                .help(format!("write `list.{name}(x, ...)`"))
        } else {
            let variable = match &args[0].kind {
                ExprKind::Name(v) if !ROOTS.contains(&v.as_str()) => Some(v.clone()),
                _ => None,
            };
            let variable_at = args[0].at;
            let mut parts = args.into_iter().skip(1);
            let (first, second) = (parts.next(), parts.next());
            if let (Some(variable), Some(first)) = (variable, first) {
                let (filter, body) = match second {
                    Some(second) => (Some(first), second),
                    None => (None, first),
                };
                let kind = match name {
                    "map" => EachKind::Map,
                    "filter" => EachKind::Filter,
                    "all" => EachKind::All,
                    "exists" => EachKind::Exists,
                    _ => EachKind::ExistsOne,
                };
                return self.node(ExprKind::Each(Box::new(Each { kind, over, variable, filter, body })), at);
            }
            Fault::new(codes::BAD_EXPRESSION, format!("`{name}` takes a new name first"), variable_at)
                .help(format!("write `list.{name}(x, ...)`"))
        };
        self.faults.push(fault);
        self.node(ExprKind::Literal(Value::Null), at)
    }

    fn function(
        &mut self,
        name: &str,
        name_at: (usize, usize),
        target: Option<Expr>,
        args: Vec<Expr>,
        at: (usize, usize),
    ) -> Read<Expr> {
        let args: Vec<Expr> = target.into_iter().chain(args).collect();
        let fault = match functions::find(name) {
            Some(found) if found.args.contains(&args.len()) => {
                return self.node(ExprKind::Call(found.function, args), at);
            }
            Some(found) => {
                let plural = if args.len() == 1 { "" } else { "s" };
                let summary = format!("`{name}` does not take {} argument{plural}", args.len());
                Fault::new(codes::BAD_EXPRESSION, summary, at).help(format!("write `{}`", found.usage))
            }
            None if functions::COMPREHENSIONS.contains(&name) => Fault::new(
                codes::BAD_EXPRESSION,
                format!("`{name}` takes a variable and an expression"),
                name_at,
            )
            .help(format!("write `list.{name}(x, ...)`")),
            None => Fault::new(codes::UNKNOWN_FUNCTION, format!("there is no function `{name}`"), name_at)
                .help(functions::help(name)),
        };
        self.faults.push(fault);
        self.node(ExprKind::Literal(Value::Null), at)
    }
}

/// An operator with two sides.
enum Operator {
    Or,
    And,
    Two(Binary),
}
