//! `allOf`, `anyOf`, `oneOf`, `not`, `if`: which of several schemas fits, and what to say where none does.

use sheave_model::Value;

use super::check::{Checker, Findings};
use super::message::{Violation, either};
use super::rules::{CombineRules, Types};
use crate::codes;
use crate::syntax::with_article;

impl Checker<'_> {
    pub(super) fn combine(
        &mut self,
        rules: &CombineRules,
        value: &Value,
        at: &mut String,
        out: &mut Findings,
    ) {
        for node in &rules.all {
            self.node(*node, value, at, out);
        }
        for (forms, only_one) in [(&rules.any, false), (&rules.one, true)] {
            if !forms.is_empty() {
                self.forms(forms, only_one, value, at, out);
            }
        }
        if let Some(node) = rules.not {
            let inner = self.alone(node, value, at);
            if inner.violations.is_empty() {
                if inner.open {
                    out.open = true;
                } else {
                    let violation = Violation::new(codes::INVALID_VALUE, at, "is what its schema rules out");
                    out.add(violation);
                }
            }
        }
        if let Some(node) = rules.condition {
            let inner = self.alone(node, value, at);
            let next = if !inner.violations.is_empty() {
                rules.otherwise
            } else if inner.open {
                out.open = true;
                None
            } else {
                rules.then
            };
            if let Some(next) = next {
                self.node(next, value, at, out);
            }
        }
    }

    fn forms(&mut self, forms: &[usize], only_one: bool, value: &Value, at: &mut String, out: &mut Findings) {
        let found: Vec<Findings> = forms.iter().map(|n| self.alone(*n, value, at)).collect();
        let sure = found.iter().filter(|f| f.violations.is_empty() && !f.open).count();
        let perhaps = found.iter().filter(|f| f.violations.is_empty()).count();
        if perhaps == 0 {
            for violation in self.none_fits(forms, found, value, at) {
                out.add(violation);
            }
        } else if only_one && sure > 1 {
            let says = format!("fits {sure} of its forms, and must fit exactly one");
            out.add(Violation::new(codes::INVALID_VALUE, at, says));
        } else {
            out.open |= if only_one { sure != 1 || perhaps != 1 } else { sure == 0 };
        }
    }

    /// What to say: the faults of the form that was meant, where that can be told.
    fn none_fits(&self, forms: &[usize], found: Vec<Findings>, value: &Value, at: &str) -> Vec<Violation> {
        let of_type: Vec<usize> =
            (0..found.len()).filter(|n| !found[*n].violations.iter().any(|v| v.is_type_at(at))).collect();
        if of_type.is_empty() {
            let mut types = Types::default();
            forms.iter().for_each(|n| types = types.with(self.types(*n, 0)));
            let kind = with_article(value.kind_name());
            return vec![Violation::new(
                codes::TYPE_MISMATCH,
                at,
                format!("must be {}, found {kind}", types.words()),
            )];
        }
        let fewest = of_type.iter().map(|n| found[*n].violations.len()).min().unwrap_or(0);
        let best: Vec<usize> =
            of_type.iter().copied().filter(|n| found[*n].violations.len() == fewest).collect();
        if let [one] = best.as_slice() {
            return found.into_iter().nth(*one).map(|f| f.violations).unwrap_or_default();
        }
        let lines: Vec<String> = of_type
            .iter()
            .map(|n| {
                let title = self.nodes.get(forms[*n]).and_then(|r| r.title.clone());
                let title = title.unwrap_or_else(|| format!("form {}", n + 1));
                let faults: Vec<String> = found[*n]
                    .violations
                    .iter()
                    .take(3)
                    .map(|v| v.clone().into_diagnostic().summary)
                    .collect();
                format!("{title}: {}", faults.join("; "))
            })
            .collect();
        let missing: Vec<String> = best
            .iter()
            .filter_map(|n| match found[*n].violations.as_slice() {
                [one] if one.code == codes::MISSING_KEY => {
                    one.pointer.rsplit('/').next().map(|k| format!("`{k}`"))
                }
                _ => None,
            })
            .collect();
        let mut violation = if missing.len() == best.len() {
            Violation::new(codes::MISSING_KEY, at, format!("needs {}", either(&missing)))
        } else {
            Violation::new(codes::INVALID_VALUE, at, format!("fits none of its {} forms", forms.len()))
        };
        violation.detail = Some(lines.join("\n"));
        vec![violation]
    }

    /// The types that a schema takes at all.
    fn types(&self, node: usize, depth: usize) -> Types {
        let Some(rules) = self.nodes.get(node).filter(|_| depth < 16) else { return Types::ANY };
        let mut types = rules.types.unwrap_or(Types::ANY);
        if let Some(next) = rules.reference {
            types = types.and(self.types(next, depth + 1));
        }
        if let Some(combine) = &rules.combine {
            for all in &combine.all {
                types = types.and(self.types(*all, depth + 1));
            }
            for forms in [&combine.any, &combine.one] {
                if !forms.is_empty() {
                    let any = forms.iter().fold(Types::default(), |t, n| t.with(self.types(*n, depth + 1)));
                    types = types.and(any);
                }
            }
        }
        types
    }
}
