//! From the `cel` crate's tree to ours: places in bytes, comprehensions as nodes, functions looked up, depth bounded.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr as Cel, LiteralValue, SourceInfo, operators};
use sheave_model::Value;

use super::ast::{Binary, Each, EachKind};
use super::functions;
use super::{Expr, ExprKind, Fault};
use crate::codes;
use crate::limits::{MAX_COMPREHENSION_NESTING, MAX_EXPRESSION_DEPTH};

/// Names that a comprehension's variable may not hide.
pub(crate) const ROOTS: &[&str] = &["inputs", "locals", "resources", "each", "stack", "stacks", "self"];

pub(super) fn lower(text: &str, tree: &IdedExpr, places: &SourceInfo) -> Result<Expr, Vec<Fault>> {
    let chars = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
    let mut lowering = Lowering { text, chars, places, faults: Vec::new(), depth: 0, nesting: 0 };
    let expr = lowering.expr(tree);
    match expr {
        Some(expr) if lowering.faults.is_empty() => Ok(expr),
        _ => Err(lowering.faults),
    }
}

struct Lowering<'a> {
    text: &'a str,
    /// The byte of each character, where they differ.
    chars: Option<Vec<usize>>,
    places: &'a SourceInfo,
    faults: Vec<Fault>,
    depth: usize,
    nesting: usize,
}

impl Lowering<'_> {
    /// The bytes of a node's own token.
    fn token(&self, id: u64) -> (usize, usize) {
        let Some((start, last)) = self.places.offset_for(id) else { return (0, self.text.len()) };
        let byte = |n: usize| match &self.chars {
            None => n.min(self.text.len()),
            Some(table) => table.get(n).copied().unwrap_or(self.text.len()),
        };
        let start = byte(start as usize);
        (start, byte(last as usize + 1).max(start))
    }

    fn fault(&mut self, fault: Fault) -> Option<Expr> {
        self.faults.push(fault);
        None
    }

    fn expr(&mut self, node: &IdedExpr) -> Option<Expr> {
        if self.depth >= MAX_EXPRESSION_DEPTH {
            // Once is enough: every branch of the tree may be too deep.
            if self.faults.iter().all(|f| f.code != codes::EXPRESSION_LIMIT) {
                let summary = format!("the expression's tree is deeper than {MAX_EXPRESSION_DEPTH}");
                let whole = (0, self.text.len());
                self.faults.push(
                    Fault::new(codes::EXPRESSION_LIMIT, summary, whole)
                        .help("split it over several `locals`"),
                );
            }
            return None;
        }
        self.depth += 1;
        let lowered = self.node(node);
        self.depth -= 1;
        lowered
    }

    fn boxed(&mut self, node: &IdedExpr) -> Option<Box<Expr>> {
        self.expr(node).map(Box::new)
    }

    fn all(&mut self, nodes: &[IdedExpr]) -> Option<Vec<Expr>> {
        // Every node is looked at even after a fault: all faults at once.
        let lowered: Vec<_> = nodes.iter().map(|n| self.expr(n)).collect();
        lowered.into_iter().collect()
    }

    fn node(&mut self, node: &IdedExpr) -> Option<Expr> {
        let at = self.token(node.id);
        let kind = match &node.expr {
            Cel::Literal(literal) => match self.literal(literal, at) {
                Ok(value) => ExprKind::Literal(value),
                Err(fault) => return self.fault(fault),
            },
            Cel::Ident(name) => ExprKind::Name(name.trim_start_matches('.').to_owned()),
            Cel::Select(select) => {
                let operand = self.boxed(&select.operand)?;
                let end = self.after_name(at.1, &select.field);
                return Some(Expr {
                    at: (operand.at.0, end),
                    kind: ExprKind::Select(operand, select.field.clone()),
                });
            }
            Cel::List(list) => {
                if !list.optional_indices.is_empty() {
                    return self.fault(Fault::new(
                        codes::BAD_EXPRESSION,
                        "optional values are not supported",
                        at,
                    ));
                }
                let items = self.all(&list.elements)?;
                return Some(self.bracketed(at, ExprKind::List(items), ']'));
            }
            Cel::Map(map) => {
                let mut entries = Vec::with_capacity(map.entries.len());
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else { continue };
                    if entry.optional {
                        return self.fault(Fault::new(
                            codes::BAD_EXPRESSION,
                            "optional values are not supported",
                            at,
                        ));
                    }
                    let (key, value) = (self.expr(&entry.key), self.expr(&entry.value));
                    entries.push(key.zip(value));
                }
                let entries = entries.into_iter().collect::<Option<Vec<_>>>()?;
                return Some(self.bracketed(at, ExprKind::Map(entries), '}'));
            }
            Cel::Call(call) => return self.call(call, at),
            Cel::Struct(_) => {
                let fault = Fault::new(codes::BAD_EXPRESSION, "messages are not supported", at);
                return self.fault(fault.help("a map is written `{\"key\": value}`"));
            }
            Cel::Comprehension(_) | Cel::Unspecified => {
                return self.fault(Fault::new(codes::BAD_EXPRESSION, "the expression cannot be read", at));
            }
        };
        Some(Expr { kind, at })
    }

    fn literal(&self, literal: &LiteralValue, at: (usize, usize)) -> Result<Value, Fault> {
        Ok(match literal {
            LiteralValue::Null => Value::Null,
            LiteralValue::Boolean(b) => Value::Bool(*b.inner()),
            LiteralValue::Int(n) => Value::Int(*n.inner()),
            LiteralValue::UInt(n) => Value::Int(
                i64::try_from(*n.inner())
                    .map_err(|_| Fault::new(codes::BAD_EXPRESSION, "the number is too large", at))?,
            ),
            LiteralValue::Double(f) => Value::Float(*f.inner()),
            LiteralValue::String(s) => Value::Text(s.inner().to_owned()),
            LiteralValue::Bytes(_) => {
                let fault = Fault::new(codes::BAD_EXPRESSION, "bytes are not supported", at);
                return Err(fault.help("leave the `b` before the quote out"));
            }
        })
    }

    /// Where `name` ends, looked for from `from` on.
    fn after_name(&self, from: usize, name: &str) -> usize {
        let rest = self.text.get(from..).unwrap_or("");
        rest.find(name).map_or(from, |n| from + n + name.len())
    }

    /// A literal in brackets reaches to the bracket behind its last part.
    fn bracketed(&self, at: (usize, usize), kind: ExprKind, close: char) -> Expr {
        let mut expr = Expr { kind, at };
        let last = expr.children().last().map_or(at.0 + 1, |e| e.at.1);
        expr.at.1 = self.close(last, close).max(at.1);
        expr
    }

    fn close(&self, from: usize, close: char) -> usize {
        self.text.get(from..).and_then(|t| t.find(close)).map_or(from, |n| from + n + 1)
    }

    fn call(&mut self, call: &cel::common::ast::CallExpr, at: (usize, usize)) -> Option<Expr> {
        if call.target.is_none()
            && let Some(expr) = self.operator(&call.func_name, &call.args, at)
        {
            return expr;
        }
        if call.target.is_none() && call.func_name == operators::HAS {
            return self.has(&call.args, at);
        }
        let name = call.func_name.as_str();
        let name_at = self.name_before(at.0, name);
        if let Some(target) = &call.target
            && functions::COMPREHENSIONS.contains(&name)
            && (call.args.len() == 2 || name == "map" && call.args.len() == 3)
        {
            return self.each(name, target, &call.args, at);
        }
        let Some(signature) = functions::find(name) else {
            let mut fault =
                Fault::new(codes::UNKNOWN_FUNCTION, format!("there is no function `{name}`"), name_at);
            fault = if functions::COMPREHENSIONS.contains(&name) {
                fault.summary = format!("`{name}` takes a variable and an expression");
                fault.code = codes::BAD_EXPRESSION;
                fault.help(format!("write `list.{name}(x, ...)`"))
            } else {
                fault.help(functions::help(name))
            };
            self.faults.push(fault);
            self.all(&call.args);
            return None;
        };
        let target = match &call.target {
            Some(target) => Some(self.expr(target)?),
            None => None,
        };
        let start = target.as_ref().map_or(name_at.0, |t| t.at.0);
        let args: Vec<Expr> = target.into_iter().chain(self.all(&call.args)?).collect();
        let end = self.close(args.last().map_or(at.1, |a| a.at.1).max(at.1), ')');
        if !signature.args.contains(&args.len()) {
            let fault = Fault::new(
                codes::BAD_EXPRESSION,
                format!(
                    "`{name}` does not take {} argument{}",
                    args.len(),
                    if args.len() == 1 { "" } else { "s" }
                ),
                (start, end),
            );
            return self.fault(fault.help(format!("write `{}`", signature.usage)));
        }
        Some(Expr { kind: ExprKind::Call(signature.function, args), at: (start, end) })
    }

    /// The bytes of a function's name, which stands before its bracket.
    fn name_before(&self, bracket: usize, name: &str) -> (usize, usize) {
        let end = self.text.get(..bracket).map_or(0, |t| t.trim_end().len());
        (end.saturating_sub(name.len()), end)
    }

    fn has(&mut self, args: &[IdedExpr], at: (usize, usize)) -> Option<Expr> {
        let start = self.name_before(at.0, "has").0;
        let lowered = self.all(args)?;
        let end = self.close(lowered.last().map_or(at.1, |a| a.at.1), ')');
        match <[Expr; 1]>::try_from(lowered) {
            Ok([Expr { kind: ExprKind::Select(of, field), .. }]) => {
                Some(Expr { kind: ExprKind::Has(of, field), at: (start, end) })
            }
            _ => {
                let fault = Fault::new(codes::BAD_EXPRESSION, "`has` asks for a field", (start, end));
                self.fault(fault.help("write `has(map.field)`"))
            }
        }
    }

    fn each(&mut self, name: &str, target: &IdedExpr, args: &[IdedExpr], at: (usize, usize)) -> Option<Expr> {
        let over = self.expr(target);
        let name_at = self.name_before(at.0, name);
        let variable = match args.first().map(|a| (&a.expr, a.id)) {
            Some((Cel::Ident(v), _)) if !ROOTS.contains(&v.as_str()) && !v.starts_with('.') => v.clone(),
            Some((_, id)) => {
                let at = self.token(id);
                let fault = Fault::new(codes::BAD_EXPRESSION, format!("`{name}` takes a new name first"), at);
                return self.fault(fault.help(format!("write `list.{name}(x, ...)`")));
            }
            None => return None,
        };
        if self.nesting >= MAX_COMPREHENSION_NESTING {
            let summary = format!("comprehensions are nested deeper than {MAX_COMPREHENSION_NESTING}");
            let fault = Fault::new(codes::EXPRESSION_LIMIT, summary, name_at);
            return self.fault(fault.help("put the inner one into a local"));
        }
        self.nesting += 1;
        let mut parts = args[1..].iter().map(|a| self.expr(a)).collect::<Vec<_>>();
        self.nesting -= 1;
        let body = parts.pop().flatten();
        let filter = match parts.pop() {
            Some(filter) => Some(filter?),
            None => None,
        };
        let (over, body) = (over?, body?);
        let kind = match name {
            "map" => EachKind::Map,
            "filter" => EachKind::Filter,
            "all" => EachKind::All,
            "exists" => EachKind::Exists,
            _ => EachKind::ExistsOne,
        };
        let at = (over.at.0, self.close(body.at.1, ')'));
        Some(Expr { kind: ExprKind::Each(Box::new(Each { kind, over, variable, filter, body })), at })
    }

    /// An operator; the outer none: it is no operator.
    fn operator(&mut self, name: &str, args: &[IdedExpr], at: (usize, usize)) -> Option<Option<Expr>> {
        let binary = match name {
            operators::ADD => Binary::Add,
            operators::SUBSTRACT => Binary::Subtract,
            operators::MULTIPLY => Binary::Multiply,
            operators::DIVIDE => Binary::Divide,
            operators::MODULO => Binary::Modulo,
            operators::EQUALS => Binary::Equal,
            operators::NOT_EQUALS => Binary::NotEqual,
            operators::LESS => Binary::Less,
            operators::LESS_EQUALS => Binary::LessEqual,
            operators::GREATER => Binary::Greater,
            operators::GREATER_EQUALS => Binary::GreaterEqual,
            operators::IN => Binary::In,
            _ => return self.other_operator(name, args, at),
        };
        let [left, right] = args else { return None };
        let sides = (self.boxed(left), self.boxed(right));
        Some(
            sides
                .0
                .zip(sides.1)
                .map(|(l, r)| Expr { at: (l.at.0, r.at.1), kind: ExprKind::Binary(binary, l, r) }),
        )
    }

    fn other_operator(&mut self, name: &str, args: &[IdedExpr], at: (usize, usize)) -> Option<Option<Expr>> {
        let expr = match (name, args) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [left, right]) => {
                let sides = (self.boxed(left), self.boxed(right));
                sides.0.zip(sides.1).map(|(l, r)| {
                    let at = (l.at.0, r.at.1);
                    let kind =
                        if name == operators::LOGICAL_AND { ExprKind::And(l, r) } else { ExprKind::Or(l, r) };
                    Expr { kind, at }
                })
            }
            (operators::LOGICAL_NOT, [of]) => {
                self.boxed(of).map(|e| Expr { at: (at.0.min(e.at.0), e.at.1), kind: ExprKind::Not(e) })
            }
            (operators::NEGATE, [of]) => {
                self.boxed(of).map(|e| Expr { at: (at.0.min(e.at.0), e.at.1), kind: ExprKind::Negate(e) })
            }
            (operators::CONDITIONAL, [_, _, _]) => self.all(args).and_then(|parts| {
                let parts = Box::new(<[Expr; 3]>::try_from(parts).ok()?);
                Some(Expr { at: (parts[0].at.0, parts[2].at.1), kind: ExprKind::Choice(parts) })
            }),
            (operators::INDEX, [of, index]) => {
                let sides = (self.boxed(of), self.boxed(index));
                sides.0.zip(sides.1).map(|(of, index)| {
                    let at = (of.at.0, self.close(index.at.1, ']'));
                    Expr { kind: ExprKind::Index(of, index), at }
                })
            }
            (operators::OPT_INDEX | operators::OPT_SELECT, _) => {
                self.fault(Fault::new(codes::BAD_EXPRESSION, "optional values are not supported", at))
            }
            _ => return None,
        };
        Some(expr)
    }
}
