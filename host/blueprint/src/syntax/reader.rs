//! Reading maps of known keys: each helper reports what is wrong and gives none.

use sheave_model::{Diagnostic, Span, Value, address};

use crate::codes;
use crate::nearest;
use crate::template::{self, Template};
use crate::yaml::{Entry, Node, NodeKind};

/// The text being read, and what is wrong with it.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) faults: Vec<Diagnostic>,
}

/// The entries of one map.
#[derive(Clone, Copy)]
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    pub(super) fn get(self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|e| e.key == key)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = &'n Entry> {
        self.entries.iter()
    }
}

impl Reader<'_> {
    pub(super) fn error(&mut self, code: &str, summary: impl Into<String>, span: Span) -> &mut Diagnostic {
        self.faults.push(Diagnostic::error(code, summary).at(span, ""));
        let last = self.faults.len() - 1;
        &mut self.faults[last]
    }

    /// Any map. Nothing written is an empty one.
    pub(super) fn map<'n>(&mut self, node: &'n Node, what: &str) -> Option<Fields<'n>> {
        match &node.kind {
            NodeKind::Map(entries) => Some(Fields { entries }),
            NodeKind::Faulty => None,
            _ if node.is_null() => Some(Fields { entries: &[] }),
            _ => {
                self.expected(node, what, "a map");
                None
            }
        }
    }

    /// A map that takes these keys and no others.
    pub(super) fn fields<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Option<Fields<'n>> {
        let fields = self.map(node, what)?;
        for entry in fields.iter().filter(|e| !known.contains(&e.key.as_str())) {
            let summary = format!("{what} has no key `{}`", entry.key);
            let help = nearest::nearest(&entry.key, known.iter().copied()).map_or_else(
                || format!("its keys are {}", nearest::listed(known)),
                |n| format!("did you mean `{n}`?"),
            );
            self.error(codes::UNKNOWN_KEY, summary, entry.key_span).help = Some(help);
        }
        Some(fields)
    }

    /// A map whose keys are names, each once and well-formed.
    pub(super) fn names<'n>(&mut self, node: &'n Node, what: &str) -> Vec<&'n Entry> {
        let Some(fields) = self.map(node, &format!("`{what}`")) else { return Vec::new() };
        if fields.entries.len() > crate::limits::MAX_NAMES {
            let summary = format!("`{what}` holds more than {} names", crate::limits::MAX_NAMES);
            self.error(codes::TOO_LARGE, summary, node.span);
            return Vec::new();
        }
        fields.iter().filter(|e| self.name(&e.key, e.key_span)).collect()
    }

    pub(super) fn name(&mut self, name: &str, span: Span) -> bool {
        let good = address::is_name(name);
        if !good {
            self.error(codes::BAD_NAME, format!("`{name}` is not a name"), span).help =
                Some("a name is a letter, then letters, digits, `-` and `_`; at most 63 characters".into());
        }
        good
    }

    pub(super) fn expected(&mut self, node: &Node, what: &str, want: &str) {
        if matches!(node.kind, NodeKind::Faulty) {
            return;
        }
        let summary = format!("{what} must be {want}, found {}", with_article(node.kind_name()));
        self.error(codes::TYPE_MISMATCH, summary, node.span);
    }

    pub(super) fn template(&mut self, node: &Node) -> Template {
        template::build(self.text, node, &mut self.faults)
    }

    /// A map with expressions in it, or an expression that gives one.
    pub(super) fn template_map(&mut self, node: &Node, what: &str) -> Option<Template> {
        let template = self.template(node);
        match template.kind {
            template::Kind::Map(_) | template::Kind::Expression(_) => Some(template),
            template::Kind::Literal(Value::Null) if node.is_null() => Some(super::nothing(node.span)),
            template::Kind::Faulty => None,
            _ => {
                self.expected(node, what, "a map");
                None
            }
        }
    }

    /// A scalar without an expression.
    pub(super) fn literal(&mut self, node: &Node, what: &str) -> Option<Value> {
        let NodeKind::Scalar(scalar) = &node.kind else {
            self.expected(node, what, "a single value");
            return None;
        };
        if scalar.text.contains("${") {
            self.error(codes::TYPE_MISMATCH, format!("{what} takes no expression"), node.span).help =
                Some("it must be known before anything is evaluated".into());
            return None;
        }
        match template::meaning(scalar, node.span) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.faults.push(*fault);
                None
            }
        }
    }

    pub(super) fn string(&mut self, node: &Node, what: &str) -> Option<String> {
        match self.literal(node, what)? {
            Value::Text(text) => Some(text),
            _ => {
                self.expected(node, what, "a string");
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match self.literal(node, what)? {
            Value::Bool(b) => Some(b),
            _ => {
                self.expected(node, what, "`true` or `false`");
                None
            }
        }
    }

    /// A list of texts, or one text.
    pub(super) fn strings(&mut self, node: &Node, what: &str) -> Vec<(String, Span)> {
        match &node.kind {
            NodeKind::List(items) => items
                .iter()
                .filter_map(|n| Some((self.string(n, &format!("an entry of {what}"))?, n.span)))
                .collect(),
            _ if node.is_null() => Vec::new(),
            _ => {
                self.expected(node, what, "a list");
                Vec::new()
            }
        }
    }

    /// One word of a few.
    pub(super) fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.string(node, what)?;
        if let Some((_, value)) = words.iter().find(|(w, _)| *w == text) {
            return Some(*value);
        }
        let all: Vec<&str> = words.iter().map(|(w, _)| *w).collect();
        let summary = format!("{what} is {}, not `{text}`", nearest::listed(&all).replace(" and ", " or "));
        let help = nearest::nearest(&text, all).map(|n| format!("did you mean `{n}`?"));
        self.error(codes::INVALID_VALUE, summary, node.span).help = help;
        None
    }
}

/// `a map`, `an integer`.
pub(crate) fn with_article(kind: &str) -> String {
    match kind.chars().next() {
        _ if kind == "null" => "nothing".into(),
        Some('a' | 'e' | 'i' | 'o' | 'u') => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}
