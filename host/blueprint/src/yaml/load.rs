//! Events of the YAML parser to the tree: bounded, without aliases, without a key twice.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use sheave_model::{Diagnostic, SourceId, Span, limits::MAX_DEPTH};

use super::{Entry, Node, NodeKind, Scalar, Style};
use crate::codes;
use crate::limits::{MAX_DIAGNOSTICS, MAX_NODES, MAX_SOURCE_BYTES};

/// The tree of the text's one document, as far as it could be read, and what is wrong with it.
/// No tree where the text holds nothing.
pub(crate) fn load(source: SourceId, text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    let start = Span { source, start: 0, end: 0 };
    if text.len() > MAX_SOURCE_BYTES {
        let summary = format!("the file is larger than {MAX_SOURCE_BYTES} bytes");
        return (None, vec![Diagnostic::error(codes::TOO_LARGE, summary).at(start, "")]);
    }
    let mut loader = Loader {
        source,
        bytes: Bytes::of(text),
        text,
        open: Vec::new(),
        root: None,
        nodes: 0,
        faults: Vec::new(),
    };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, at)) => {
                let span = loader.span(at.start.index(), at.end.index());
                if !loader.event(event, span) {
                    break;
                }
            }
            Err(error) => {
                loader.not_yaml(&error);
                break;
            }
        }
    }
    loader.finish()
}

/// Character positions, which the parser counts, to bytes.
enum Bytes {
    Same(usize),
    Table(Vec<usize>),
}

impl Bytes {
    fn of(text: &str) -> Self {
        if text.is_ascii() {
            return Self::Same(text.len());
        }
        Self::Table(text.char_indices().map(|(at, _)| at).chain([text.len()]).collect())
    }

    fn at(&self, char_index: usize) -> usize {
        match self {
            Self::Same(len) => char_index.min(*len),
            Self::Table(table) => table.get(char_index).or(table.last()).copied().unwrap_or(0),
        }
    }
}

/// A collection whose end has not come.
enum Open {
    List { start: Span, items: Vec<Node> },
    Map { start: Span, entries: Vec<Entry>, seen: BTreeMap<String, Span>, key: Option<Key> },
}

/// A key whose value has not come.
enum Key {
    Good(String, Span),
    /// Reported; its value is read and dropped.
    Bad,
}

struct Loader<'a> {
    source: SourceId,
    bytes: Bytes,
    text: &'a str,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    faults: Vec<Diagnostic>,
}

impl Loader<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        let (start, end) = (self.bytes.at(start), self.bytes.at(end));
        Span { source: self.source, start, end: end.max(start) }
    }

    /// Takes one event in; false: nothing more is read.
    fn event(&mut self, event: Event<'_>, span: Span) -> bool {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                self.fault(
                    codes::UNSUPPORTED_YAML,
                    "a second document begins here",
                    span,
                    "a blueprint is one document",
                );
                return false;
            }
            Event::Scalar(text, style, _, tag) => {
                let tag = tag.and_then(|tag| self.tag(&tag, span));
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let span = self.without_properties(span, style);
                let scalar = Scalar { text: text.into_owned(), style, tag };
                return self.node(Node { span, kind: NodeKind::Scalar(scalar) });
            }
            Event::SequenceStart(_, tag) => {
                if let Some(tag) = tag {
                    self.tag(&tag, span);
                }
                return self.begin(Open::List { start: span, items: Vec::new() }, span);
            }
            Event::MappingStart(_, tag) => {
                if let Some(tag) = tag {
                    self.tag(&tag, span);
                }
                let open = Open::Map { start: span, entries: Vec::new(), seen: BTreeMap::new(), key: None };
                return self.begin(open, span);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.end(span),
            Event::Alias(_) => {
                self.fault(
                    codes::UNSUPPORTED_YAML,
                    "aliases are not part of the blueprint language",
                    span,
                    "put what is shared under `locals` and write `${locals.NAME}`",
                );
                return self.node(Node { span, kind: NodeKind::Faulty });
            }
            _ => {}
        }
        true
    }

    /// Where the scalar itself begins: the parser's span takes an anchor and a tag in.
    fn without_properties(&self, span: Span, style: Style) -> Span {
        let mut start = span.start;
        let mut rest = self.text.get(span.start..span.end).unwrap_or("");
        while style != Style::Block && (rest.starts_with('&') || rest.starts_with('!')) {
            let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let skip = word + (rest[word..].len() - rest[word..].trim_start().len());
            start += skip;
            rest = &rest[skip..];
        }
        Span { start, ..span }
    }

    /// A core tag's suffix; any other tag is reported.
    fn tag(&mut self, tag: &saphyr_parser::Tag, span: Span) -> Option<String> {
        let core = ["str", "int", "float", "bool", "null", "map", "seq"];
        if tag.is_yaml_core_schema() && core.contains(&tag.suffix.as_str()) {
            return Some(tag.suffix.clone());
        }
        let summary = format!("the tag `{tag}` means nothing here");
        self.fault(codes::UNSUPPORTED_YAML, summary, span, "leave it out");
        None
    }

    fn begin(&mut self, open: Open, span: Span) -> bool {
        if self.open.len() >= MAX_DEPTH {
            let summary = format!("the nesting is deeper than {MAX_DEPTH}");
            self.faults.push(Diagnostic::error(codes::TOO_LARGE, summary).at(span, ""));
            return false;
        }
        self.open.push(open);
        true
    }

    fn end(&mut self, end: Span) -> bool {
        let node = match self.open.pop() {
            Some(Open::List { start, items }) => {
                let last = items.last().map_or(start.end, |n| n.span.end);
                Node { span: self.closed(start, last, end, ']'), kind: NodeKind::List(items) }
            }
            Some(Open::Map { start, entries, .. }) => {
                let last = entries.last().map_or(start.end, |e| e.value.span.end.max(e.key_span.end));
                Node { span: self.closed(start, last, end, '}'), kind: NodeKind::Map(entries) }
            }
            None => return true,
        };
        self.node(node)
    }

    /// A flow collection reaches to its bracket, a block one to the end of what it holds.
    fn closed(&self, start: Span, last: usize, end: Span, bracket: char) -> Span {
        let flow = self.text.get(end.start..end.end).is_some_and(|t| t.starts_with(bracket));
        Span { end: if flow { end.end } else { last.max(start.start) }, ..start }
    }

    fn node(&mut self, node: Node) -> bool {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let summary = format!("the file holds more than {MAX_NODES} values");
            self.faults.push(Diagnostic::error(codes::TOO_LARGE, summary).at(node.span, ""));
            return false;
        }
        let mut fault = None;
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, seen, key, .. }) => match key.take() {
                None => match as_key(node, seen) {
                    Ok((text, span)) => {
                        seen.insert(text.clone(), span);
                        *key = Some(Key::Good(text, span));
                    }
                    Err(bad) => {
                        fault = Some(*bad);
                        *key = Some(Key::Bad);
                    }
                },
                Some(Key::Good(key, key_span)) => entries.push(Entry { key, key_span, value: node }),
                Some(Key::Bad) => {}
            },
        }
        self.faults.extend(fault);
        self.faults.len() < MAX_DIAGNOSTICS
    }

    fn fault(&mut self, code: &str, summary: impl Into<String>, span: Span, help: &str) {
        self.faults.push(Diagnostic::error(code, summary).at(span, "").with_help(help));
    }

    fn not_yaml(&mut self, error: &saphyr_parser::ScanError) {
        let at = self.bytes.at(error.marker().index());
        let width = self.text[at..].chars().next().map_or(0, char::len_utf8);
        let span = Span { source: self.source, start: at, end: at + width };
        if error.info().contains("recursion limit") {
            let summary = format!("the nesting is deeper than {MAX_DEPTH}");
            self.faults.push(Diagnostic::error(codes::TOO_LARGE, summary).at(span, ""));
            return;
        }
        let mut fault =
            Diagnostic::error(codes::NOT_YAML, "this is not YAML").at(span, "").with_detail(error.info());
        let before = self.text[..at].rfind('\n').map_or(0, |n| n + 1);
        let after = self.text[at..].find('\n').map_or(self.text.len(), |n| at + n);
        let line = &self.text[before..after];
        if error.info().contains("tab") {
            fault = fault.with_help("YAML is indented with spaces, never with tabs");
        } else if line.contains("${") {
            fault = fault.with_help(
                "put a text with an expression in quotes: `: `, ` #`, `{`, `}` and `,` have their own meaning in plain YAML",
            );
        }
        self.faults.push(fault);
    }

    fn finish(mut self) -> (Option<Node>, Vec<Diagnostic>) {
        // What was read before the fault is still checked: all faults at once.
        while !self.open.is_empty() {
            let end = Span { source: self.source, start: self.text.len(), end: self.text.len() };
            if !self.end(end) {
                break;
            }
        }
        (self.root, self.faults)
    }
}

fn as_key(node: Node, seen: &BTreeMap<String, Span>) -> Result<(String, Span), Box<Diagnostic>> {
    let span = node.span;
    let NodeKind::Scalar(scalar) = node.kind else {
        return Err(Box::new(Diagnostic::error(codes::UNSUPPORTED_YAML, "a key is a text").at(span, "")));
    };
    if scalar.style == Style::Plain && scalar.text == "<<" {
        let fault =
            Diagnostic::error(codes::UNSUPPORTED_YAML, "merge keys are not part of the blueprint language");
        return Err(Box::new(fault.at(span, "").with_help("write `${merge(locals.COMMON, {...})}`")));
    }
    if let Some(first) = seen.get(&scalar.text) {
        let fault =
            Diagnostic::error(codes::DUPLICATE_KEY, format!("`{}` stands twice in one map", scalar.text));
        return Err(Box::new(fault.at(span, "again here").at(*first, "first here")));
    }
    Ok((scalar.text, span))
}
