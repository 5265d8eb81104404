//! The blueprint's top level.

use std::collections::BTreeMap;

use sheave_model::{Diagnostic, SourceId, Span};

use super::reader::Reader;
use super::{Lost, Parsed, RawTarget, Syntax, inputs, plugins, resources};
use crate::codes;
use crate::graph::Moved;
use crate::limits::MAX_DIAGNOSTICS;
use crate::nearest;
use crate::targets;
use crate::template::Template;
use crate::yaml::{self, Node, NodeKind};

/// The keys of a blueprint.
pub(crate) const KEYS: &[&str] = &[
    "blueprint",
    "description",
    "inputs",
    "locals",
    "targets",
    "plugins",
    "resources",
    "outputs",
    "moved",
    "stacks",
];

/// Reads a blueprint. Never stops at the first fault.
pub fn parse(source: SourceId, text: &str) -> Parsed {
    let (root, faults) = yaml::load(source, text);
    let mut reader = Reader { text, faults };
    let whole_read = reader.faults.is_empty();
    let not_yaml = reader.faults.iter().find(|f| f.code == codes::NOT_YAML);
    let broken_at = not_yaml.and_then(|f| f.labels.first()).map(|l| l.span.start);
    let start = Span { source, start: 0, end: 0 };
    let syntax = match &root {
        Some(node) if matches!(node.kind, NodeKind::Map(_)) => Some(top(&mut reader, node, whole_read)),
        Some(node) if !node.is_null() => {
            reader.expected(node, "a blueprint", "a map");
            None
        }
        _ => {
            if whole_read {
                reader.error(codes::MISSING_KEY, "the blueprint is empty", start).help =
                    Some("begin with `blueprint: NAME` and `resources:`".into());
            }
            None
        }
    };
    let mut diagnostics = reader.faults;
    tidy(&mut diagnostics, broken_at);
    let faulty = diagnostics.iter().any(Diagnostic::is_error);
    let lost = |s: &Syntax| Lost { broken_at, ..s.lost.clone() };
    Parsed { syntax: syntax.map(|s| Syntax { faulty, lost: lost(&s), ..s }), diagnostics }
}

/// In the order of the text, and not without end. What touches the place where the YAML ends is half read.
pub(crate) fn tidy(diagnostics: &mut Vec<Diagnostic>, broken_at: Option<usize>) {
    if let Some(at) = broken_at {
        let half = |d: &Diagnostic| d.labels.first().is_some_and(|l| l.span.start <= at && l.span.end >= at);
        diagnostics.retain(|d| d.code == codes::NOT_YAML || !half(d));
    }
    diagnostics.sort_by_key(|d| d.labels.first().map_or((0, 0), |l| (l.span.source.0, l.span.start)));
    let mut seen = std::collections::BTreeSet::new();
    diagnostics.retain(|d| {
        let place = d.labels.first().map_or((0, 0, 0), |l| (l.span.source.0, l.span.start, l.span.end));
        seen.insert((d.code.clone(), d.summary.clone(), place, d.address.clone()))
    });
    let more = diagnostics.len().saturating_sub(MAX_DIAGNOSTICS);
    if more > 0 {
        diagnostics.truncate(MAX_DIAGNOSTICS);
        diagnostics.push(Diagnostic::error(codes::TOO_LARGE, format!("and {more} more faults")));
    }
}

/// `whole`: the YAML was read to its end, so that a missing key is really missing.
fn top(reader: &mut Reader<'_>, node: &Node, whole: bool) -> Syntax {
    let source = node.span.source;
    let mut syntax = Syntax {
        source,
        name: String::new(),
        inputs: BTreeMap::new(),
        locals: BTreeMap::new(),
        targets: BTreeMap::new(),
        plugins: BTreeMap::new(),
        resources: BTreeMap::new(),
        outputs: BTreeMap::new(),
        moved: Vec::new(),
        stacks: BTreeMap::new(),
        faulty: false,
        lost: Lost::default(),
    };
    let Some(fields) = reader.fields(node, "a blueprint", KEYS) else { return syntax };
    match fields.get("blueprint") {
        Some(entry) => {
            if let Some(name) = reader.string(&entry.value, "`blueprint`")
                && reader.name(&name, entry.value.span)
            {
                syntax.name = name;
            }
        }
        None if whole => {
            let first = Span { source, start: node.span.start, end: node.span.start };
            reader.error(codes::MISSING_KEY, "the key `blueprint` is missing", first).help =
                Some("write `blueprint: NAME`: it names the stack".into());
        }
        None => {}
    }
    if let Some(entry) = fields.get("description") {
        reader.string(&entry.value, "`description`");
    }
    let each = |reader: &mut Reader<'_>, key: &str, take: &mut dyn FnMut(&mut Reader<'_>, &yaml::Entry)| {
        if let Some(entry) = fields.get(key) {
            for named in reader.names(&entry.value, key) {
                take(reader, named);
            }
        }
    };
    each(reader, "inputs", &mut |r, e| {
        if let Some(input) = inputs::read(r, e) {
            syntax.inputs.insert(e.key.clone(), input);
        } else {
            syntax.lost.inputs.insert(e.key.clone());
        }
    });
    each(reader, "locals", &mut |r, e| {
        let template = r.template(&e.value);
        syntax.locals.insert(e.key.clone(), template);
    });
    each(reader, "targets", &mut |r, e| {
        if let Some(target) = target(r, e) {
            syntax.targets.insert(e.key.clone(), target);
        } else {
            syntax.lost.targets.insert(e.key.clone());
        }
    });
    each(reader, "plugins", &mut |r, e| {
        if let Some(plugin) = plugins::read(r, e) {
            syntax.plugins.insert(e.key.clone(), plugin);
        } else {
            syntax.lost.plugins.insert(e.key.clone());
        }
    });
    each(reader, "resources", &mut |r, e| {
        if let Some(resource) = resources::read(r, e) {
            syntax.resources.insert(e.key.clone(), resource);
        } else {
            syntax.lost.resources.insert(e.key.clone());
        }
    });
    each(reader, "outputs", &mut |r, e| {
        let template = r.template(&e.value);
        syntax.outputs.insert(e.key.clone(), (template, e.key_span));
    });
    each(reader, "stacks", &mut |r, e| {
        let template = r.template_map(&e.value, &format!("the stack `{}`", e.key));
        syntax.stacks.extend(template.map(|t: Template| (e.key.clone(), t)));
    });
    if let Some(entry) = fields.get("moved") {
        syntax.moved = moved(reader, &entry.value);
    }
    syntax
}

fn target(reader: &mut Reader<'_>, entry: &yaml::Entry) -> Option<RawTarget> {
    let what = format!("the target `{}`", entry.key);
    let fields = reader.map(&entry.value, &what)?;
    let mut kinds = fields.iter();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else {
        let summary = format!("{what} must have exactly one key, which says what it connects to");
        reader.error(codes::TYPE_MISMATCH, summary, entry.key_span).help =
            Some(format!("write `{}: {{kubernetes: {{namespace: ...}}}}`", entry.key));
        return None;
    };
    if !targets::KINDS.contains(&kind.key.as_str()) {
        let summary = format!("there is no kind of target `{}`", kind.key);
        reader.error(codes::UNKNOWN_NAME, summary, kind.key_span).help =
            nearest::help(&kind.key, targets::KINDS.iter().copied());
        return None;
    }
    let settings = reader.template_map(&kind.value, &format!("`{}` of {what}", kind.key))?;
    Some(RawTarget { kind: kind.key.clone(), settings, span: entry.key_span })
}

fn moved(reader: &mut Reader<'_>, node: &Node) -> Vec<Moved> {
    let NodeKind::List(items) = &node.kind else {
        if !node.is_null() {
            reader.expected(node, "`moved`", "a list");
        }
        return Vec::new();
    };
    let mut out = Vec::new();
    for item in items {
        let Some(fields) = reader.fields(item, "an entry of `moved`", &["from", "to"]) else { continue };
        let mut address = |key: &str| {
            let Some(entry) = fields.get(key) else {
                reader.error(codes::MISSING_KEY, format!("an entry of `moved` needs `{key}`"), item.span);
                return None;
            };
            let text = reader.string(&entry.value, &format!("`{key}`"))?;
            text.parse().map_err(|e| reader.error(codes::BAD_NAME, format!("{e}"), entry.value.span)).ok()
        };
        if let (Some(from), Some(to)) = (address("from"), address("to")) {
            out.push(Moved { from, to, span: item.span });
        }
    }
    out
}
