//! The names in expressions: do they exist, may they stand there, what was meant.

use std::collections::BTreeMap;
use std::sync::Arc;

use sheave_model::Diagnostic;

use super::Resolver;
use crate::codes;
use crate::nearest;
use crate::references::{Path, Step, each_path};
use crate::schema::TypeSchemas;
use crate::template::{Expression, Template};

/// What resources can be read, and what they give.
pub(crate) struct Places {
    pub(crate) resources: BTreeMap<String, Known>,
}

/// A resource as expressions see it.
pub(crate) struct Known {
    pub(crate) repeated: bool,
    /// None for modules, and where the type is not known.
    pub(crate) schemas: Option<Arc<TypeSchemas>>,
}

/// Where a template stands: what it may read.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Local,
    /// In a resource; whether it is repeated.
    Resource(&'a str, bool),
    /// `count` and `for-each`, which make the instances.
    Repeat(&'a str),
    Settings,
    Output,
    Stack,
}

const ROOTS: [&str; 6] = ["inputs", "locals", "resources", "each", "stack", "stacks"];

impl Resolver<'_> {
    /// Checks every name in a template.
    pub(crate) fn names(&mut self, template: &Template, places: &Places, place: Place<'_>) {
        let mut found = Vec::new();
        template.each_expression(&mut |expression| {
            // `my-db` reads as `my - db`: what belongs to a name with hyphens is reported once.
            let mut swallowed: Vec<(usize, usize)> = Vec::new();
            each_path(&expression.root, &mut |path| {
                if swallowed.iter().any(|(from, to)| (*from..*to).contains(&path.root_at.0)) {
                    return;
                }
                let checker = Checker { resolver: self, places, place, expression };
                if let Err((fault, upto)) = checker.path(&path) {
                    swallowed.push((path.root_at.0, upto));
                    found.push(*fault);
                }
            });
        });
        if let Place::Resource(name, _) | Place::Repeat(name) = place {
            let address = sheave_model::Address::new(name);
            found = found.into_iter().map(|d| d.on(address.clone())).collect();
        }
        self.faults.extend(found);
    }
}

struct Checker<'a> {
    resolver: &'a Resolver<'a>,
    places: &'a Places,
    place: Place<'a>,
    expression: &'a Expression,
}

/// A fault, and up to where the text belongs to it.
type Checked = Result<(), (Box<Diagnostic>, usize)>;

impl Checker<'_> {
    fn fault(&self, code: &str, summary: String, at: (usize, usize), help: Option<String>) -> Checked {
        let mut fault = Diagnostic::error(code, summary).at(self.expression.place.span(at), "");
        fault.help = help;
        Err((Box::new(fault), at.1))
    }

    /// The bytes of a step's own name.
    fn own(&self, step: &Step) -> (usize, usize) {
        let name = step.name.as_deref().unwrap_or_default();
        let from = step.at.1.saturating_sub(name.len());
        let own = self.expression.text.get(from..step.at.1) == Some(name) && !name.is_empty();
        if own { (from, step.at.1) } else { step.at }
    }

    fn path(&self, path: &Path<'_>) -> Checked {
        let syntax = self.resolver.syntax;
        match path.root {
            "inputs" => self.named(path, "input", syntax.inputs.keys().chain(&syntax.lost.inputs)),
            "locals" => self.named(path, "local", syntax.locals.keys()),
            "resources" => {
                self.named(path, "resource", syntax.resources.keys().chain(&syntax.lost.resources))?;
                self.resource(path)
            }
            "stacks" => {
                if syntax.stacks.is_empty() {
                    self.first(path, "stack")?;
                } else {
                    self.named(path, "stack", syntax.stacks.keys())?;
                }
                self.outputs_next(path, 1, "stacks")
            }
            "stack" => match path.steps.first() {
                Some(Step { name: Some(name), .. }) if name == "name" => Ok(()),
                step => {
                    let at = step.map_or(path.root_at, |s| self.own(s));
                    let help = Some("a stack has a `name`: write `stack.name`".to_owned());
                    self.fault(codes::UNKNOWN_NAME, "this is nothing that a stack has".into(), at, help)
                }
            },
            "each" => self.each(path),
            name if path.steps.is_empty() && crate::eval::is_type_name(name) => Ok(()),
            name => self.stranger(name, path),
        }
    }

    fn each(&self, path: &Path<'_>) -> Checked {
        let why = match self.place {
            Place::Resource(_, true) => None,
            Place::Resource(name, false) => Some(format!("`{name}` has neither `count` nor `for-each`")),
            Place::Repeat(_) => {
                Some("`count` and `for-each` make the instances, and cannot ask for one".into())
            }
            Place::Local => Some("a local is the same for every instance".into()),
            Place::Settings | Place::Output | Place::Stack => {
                Some("this stands in no repeated resource".into())
            }
        };
        if why.is_some() {
            let summary = "`each` is known only inside a repeated resource".to_owned();
            return self.fault(codes::UNKNOWN_NAME, summary, path.root_at, why);
        }
        match path.steps.first() {
            Some(Step { name: Some(name), .. }) if name == "key" || name == "value" => Ok(()),
            step => {
                let at = step.map_or(path.root_at, |s| self.own(s));
                let help = Some("write `each.key` or `each.value`".to_owned());
                self.fault(codes::UNKNOWN_NAME, "`each` has a `key` and a `value`".into(), at, help)
            }
        }
    }

    /// The name behind a root; a computed one leads nowhere, since the graph is drawn before anything is computed.
    fn first<'p>(
        &self,
        path: &'p Path<'_>,
        what: &str,
    ) -> Result<(&'p str, &'p Step), (Box<Diagnostic>, usize)> {
        match path.steps.first() {
            Some(step @ Step { name: Some(name), .. }) => Ok((name, step)),
            Some(step) => {
                let summary = format!("the {what} must be named, not computed");
                let help = Some(format!("write `{}.NAME` or `{}[\"NAME\"]`", path.root, path.root));
                self.fault(codes::BAD_EXPRESSION, summary, step.at, help).map(|()| ("", step))
            }
            None => {
                let summary = format!("`{}` by itself is no value", path.root);
                let help = Some(format!("write `{}.NAME`", path.root));
                match self.fault(codes::BAD_EXPRESSION, summary, path.root_at, help) {
                    Err(fault) => Err(fault),
                    Ok(()) => Err((Box::new(Diagnostic::error(codes::BAD_EXPRESSION, "")), 0)),
                }
            }
        }
    }

    fn named<'n>(
        &self,
        path: &Path<'_>,
        what: &str,
        names: impl Iterator<Item = &'n String> + Clone,
    ) -> Checked {
        let (name, step) = self.first(path, what)?;
        let mut all = names.map(String::as_str);
        if all.clone().any(|n| n == name) {
            return Ok(());
        }
        let at = self.own(step);
        let rest: String = self.expression.text[at.0..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .collect();
        // The longest declared name that the text goes on to, hyphens and all.
        if let Some(long) =
            all.clone().filter(|n| n.contains('-') && rest.starts_with(n)).max_by_key(|n| n.len())
        {
            let summary = format!("`{long}` reads as a subtraction: a name with a hyphen stands in brackets");
            let help = Some(format!("write `{}[\"{long}\"]`", path.root));
            return self.fault(codes::UNKNOWN_NAME, summary, (at.0, at.0 + long.len()), help);
        }
        let help = nearest::help(name, all.by_ref());
        let help = help.or_else(|| Some(format!("the blueprint has no {what}s")));
        self.fault(codes::UNKNOWN_NAME, format!("there is no {what} `{name}`"), at, help)
    }

    /// What stands behind `resources.NAME`.
    fn resource(&self, path: &Path<'_>) -> Checked {
        let Some(Step { name: Some(name), .. }) = path.steps.first() else { return Ok(()) };
        let Some(known) = self.places.resources.get(name) else { return Ok(()) };
        let mut next = 1;
        if known.repeated {
            match path.steps.get(1) {
                Some(step) if step.name.as_deref() == Some("outputs") => {
                    let help = Some(format!(
                        "write `resources.{name}[0].outputs` or `resources.{name}.map(x, x.outputs...)`"
                    ));
                    let summary = format!("`{name}` is repeated: say which one");
                    return self.fault(codes::BAD_EXPRESSION, summary, self.own(step), help);
                }
                _ => next = 2,
            }
        } else if let Some(step) = path.steps.get(1).filter(|s| s.number) {
            let summary = format!("`{name}` is not repeated, and has no elements");
            return self.fault(
                codes::BAD_EXPRESSION,
                summary,
                step.at,
                Some(format!("write `resources.{name}.outputs`")),
            );
        }
        self.outputs_next(path, next, &format!("resources.{name}"))?;
        let Some(step @ Step { name: Some(output), .. }) = path.steps.get(next + 1) else { return Ok(()) };
        let Some(schemas) = &known.schemas else { return Ok(()) };
        let (names, open) = schemas.outputs.root_properties();
        if open || names.contains(&output.as_str()) {
            return Ok(());
        }
        let help = nearest::help(output, names.iter().copied()).unwrap_or_else(|| {
            if names.is_empty() {
                "it has no outputs".to_owned()
            } else {
                format!("its outputs are {}", nearest::listed(&names))
            }
        });
        self.fault(
            codes::UNKNOWN_NAME,
            format!("`{name}` has no output `{output}`"),
            self.own(step),
            Some(help),
        )
    }

    fn outputs_next(&self, path: &Path<'_>, at: usize, before: &str) -> Checked {
        let Some(step @ Step { name: Some(name), .. }) = path.steps.get(at) else { return Ok(()) };
        if name == "outputs" {
            return Ok(());
        }
        let help = if nearest::nearest(name, ["outputs"]).is_some() {
            "did you mean `outputs`?".to_owned()
        } else {
            format!("write `{before}.outputs.{name}`, where `{name}` is an output")
        };
        self.fault(
            codes::UNKNOWN_NAME,
            format!("only `outputs` can be read here, not `{name}`"),
            self.own(step),
            Some(help),
        )
    }

    /// Where `resources.my-db` was written, which subtracts `db` from `resources.my`: how to name `my-db`.
    fn with_dash(&self, name: &str, at: usize) -> Option<String> {
        let syntax = self.resolver.syntax;
        let before = self.expression.text.get(..at)?.strip_suffix('-')?;
        let start =
            before.rfind(|c: char| !(c.is_ascii_alphanumeric() || "_.".contains(c))).map_or(0, |n| n + 1);
        let (root, first) = before[start..].split_once('.')?;
        let whole = format!("{first}-{name}");
        let known = match root {
            "resources" => syntax.resources.contains_key(&whole),
            "inputs" => syntax.inputs.contains_key(&whole),
            "locals" => syntax.locals.contains_key(&whole),
            _ => false,
        };
        known.then(|| format!("{root}[\"{whole}\"]"))
    }

    /// A name that is no root.
    fn stranger(&self, name: &str, path: &Path<'_>) -> Checked {
        let syntax = self.resolver.syntax;
        let help = if let Some(written) = self.with_dash(name, path.root_at.0) {
            format!("`-` subtracts: write `{written}`")
        } else if syntax.inputs.contains_key(name) {
            format!("did you mean `inputs.{name}`?")
        } else if syntax.locals.contains_key(name) {
            format!("did you mean `locals.{name}`?")
        } else if syntax.resources.contains_key(name) {
            format!("did you mean `resources.{name}`?")
        } else {
            match name {
                "var" | "vars" | "variables" | "input" | "values" | "Values" => {
                    "did you mean `inputs`?".into()
                }
                "local" => "did you mean `locals`?".into(),
                _ => match nearest::nearest(name, ROOTS) {
                    Some(root) => format!("did you mean `{root}`?"),
                    None => {
                        format!("an expression reads {}; a text stands in quotes", nearest::listed(&ROOTS))
                    }
                },
            }
        };
        self.fault(codes::UNKNOWN_NAME, format!("there is no `{name}`"), path.root_at, Some(help))
    }
}
