//! `resources:`: a resource's own keys.

use sheave_model::{Value, pointer};

use super::reader::{Fields, Reader};
use super::{Options, RawResource, duration};
use crate::codes;
use crate::condition::Condition;
use crate::graph::{Repeat, ReplacePolicy};
use crate::nearest;
use crate::template::{Kind, Template};
use crate::yaml::{Entry, Node, NodeKind};

/// The keys of a resource, modules' included.
pub(crate) const KEYS: &[&str] = &[
    "type",
    "properties",
    "target",
    "depends-on",
    "count",
    "for-each",
    "when",
    "wait",
    "timeout",
    "ready-when",
    "force",
    "keep",
    "adopt",
    "existing",
    "ignore",
    "replace",
    "replace-when",
    "prevent-destroy",
    "inputs",
    "targets",
];

pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Option<RawResource> {
    let what = format!("the resource `{}`", entry.key);
    let fields = reader.fields(&entry.value, &what, KEYS)?;
    let type_text = match fields.get("type") {
        Some(e) => reader.string(&e.value, "`type`").map(|t| (t, e.value.span)),
        None => {
            reader.error(codes::MISSING_KEY, format!("{what} needs a `type`"), entry.key_span).help =
                Some("write `type: PLUGIN:TYPE`, such as `kubernetes:Deployment`".into());
            None
        }
    };
    let map = |reader: &mut Reader<'_>, key: &str| {
        let entry = fields.get(key)?;
        reader.template_map(&entry.value, &format!("`{key}`"))
    };
    let properties = map(reader, "properties");
    let misspelt = |e: &Entry| {
        !KEYS.contains(&e.key.as_str())
            && nearest::nearest(&e.key, KEYS.iter().copied()) == Some("properties")
    };
    let properties_lost = properties.is_none() && fields.iter().any(|e| e.key == "properties" || misspelt(e));
    let inputs = map(reader, "inputs");
    let targets = map(reader, "targets");
    let target = fields.get("target").map(|e| reader.template(&e.value));
    let depends_on =
        fields.get("depends-on").map(|e| reader.strings(&e.value, "`depends-on`")).unwrap_or_default();
    Some(RawResource {
        span: entry.key_span,
        type_text,
        properties,
        properties_lost,
        inputs,
        targets,
        target: target.filter(|t| !matches!(t.kind, Kind::Literal(Value::Null))),
        depends_on,
        repeat: repeat(reader, fields),
        when: fields.get("when").map(|e| {
            written(reader, &e.value, "`when`", "`true` or `false`", |v| matches!(v, Value::Bool(_)))
        }),
        options: options(reader, fields),
        keys: fields.iter().map(|e| (e.key.clone(), e.key_span)).collect(),
    })
}

fn repeat(reader: &mut Reader<'_>, fields: Fields<'_>) -> Repeat {
    match (fields.get("count"), fields.get("for-each")) {
        (Some(count), Some(for_each)) => {
            let fault = "a resource has `count` or `for-each`, not both";
            reader.error(codes::UNKNOWN_KEY, fault, for_each.key_span);
            Repeat::Count(reader.template(&count.value))
        }
        (Some(count), None) => {
            let template =
                written(reader, &count.value, "`count`", "an integer", |v| matches!(v, Value::Int(_)));
            if let Kind::Literal(Value::Int(n @ ..0)) = template.kind {
                let fault = format!("`count` must be at least 0, found {n}");
                reader.error(codes::INVALID_VALUE, fault, count.value.span);
            }
            Repeat::Count(template)
        }
        (None, Some(each)) => {
            let many = |v: &Value| matches!(v, Value::List(_) | Value::Map(_));
            Repeat::ForEach(written(reader, &each.value, "`for-each`", "a list or a map", many))
        }
        (None, None) => Repeat::Once,
    }
}

/// A template that, where it is written out, can be judged before anything is evaluated: a fault is then told together with
/// all others of the text.
fn written(
    reader: &mut Reader<'_>,
    node: &Node,
    what: &str,
    want: &str,
    fits: impl Fn(&Value) -> bool,
) -> Template {
    let template = reader.template(node);
    if matches!(&template.kind, Kind::Literal(value) if !fits(value)) {
        reader.expected(node, what, want);
    }
    template
}

fn options(reader: &mut Reader<'_>, fields: Fields<'_>) -> Options {
    let mut flag = |key: &str| fields.get(key).and_then(|e| reader.boolean(&e.value, &format!("`{key}`")));
    let (wait, force, keep) = (flag("wait"), flag("force"), flag("keep"));
    let (adopt, existing, prevent_destroy) = (flag("adopt"), flag("existing"), flag("prevent-destroy"));
    let (replace_when, replace_on) =
        fields.get("replace-when").map(|e| replace_when(reader, &e.value)).unwrap_or_default();
    let policies = [("allow", ReplacePolicy::Allow), ("never", ReplacePolicy::Never)];
    Options {
        wait: wait.unwrap_or(true),
        timeout: fields.get("timeout").and_then(|e| timeout(reader, &e.value)),
        ready_when: fields.get("ready-when").and_then(|e| ready_when(reader, &e.value)),
        force: force.unwrap_or(false),
        keep,
        adopt: adopt.unwrap_or(false),
        existing: existing.unwrap_or(false),
        ignore: fields.get("ignore").map(|e| ignore(reader, &e.value)).unwrap_or_default(),
        replace: fields
            .get("replace")
            .and_then(|e| reader.word(&e.value, "`replace`", &policies))
            .unwrap_or_default(),
        replace_when,
        replace_on,
        prevent_destroy: prevent_destroy.unwrap_or(false),
    }
}

fn timeout(reader: &mut Reader<'_>, node: &Node) -> Option<std::time::Duration> {
    let literal = reader.literal(node, "`timeout`")?;
    let found = match &literal {
        Value::Text(text) => duration::parse(text),
        _ => None,
    };
    if found.is_none() {
        reader.error(codes::INVALID_VALUE, "`timeout` must be a length of time", node.span).help =
            Some("write `90s`, `5m` or `1h30m`; at most 31 days".into());
    }
    found
}

/// CEL over `self`, bare or in `${...}`.
fn ready_when(reader: &mut Reader<'_>, node: &Node) -> Option<Condition> {
    let NodeKind::Scalar(scalar) = &node.kind else {
        reader.expected(node, "`ready-when`", "an expression over `self`");
        return None;
    };
    let text = scalar.text.trim();
    let bare = text.strip_prefix("${").and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    match Condition::parse(bare) {
        Ok(condition) => Some(condition),
        Err(mut found) => {
            // The text's own places hold where it stands as it is read.
            let written = reader.text.get(node.span.start..node.span.end).unwrap_or("");
            let base = written.find(bare).map(|n| node.span.start + n);
            for fault in &mut found {
                for label in &mut fault.labels {
                    label.span = match base {
                        Some(base) => sheave_model::Span {
                            source: node.span.source,
                            start: base + label.span.start,
                            end: base + label.span.end,
                        },
                        None => node.span,
                    };
                }
            }
            reader.faults.extend(found);
            None
        }
    }
}

/// A value, and the texts in it that name properties: `/spec/image`, alone or in a list.
fn replace_when(reader: &mut Reader<'_>, node: &Node) -> (Option<Template>, Vec<String>) {
    let mut template = reader.template(node);
    let mut pointers = Vec::new();
    let mut take = |item: &Template| match &item.kind {
        Kind::Literal(sheave_model::Value::Text(text)) if pointer::parts(text).is_some() => {
            pointers.push(text.clone());
            true
        }
        _ => false,
    };
    let named = match &mut template.kind {
        Kind::List(items) => {
            items.retain(|item| !take(item));
            items.is_empty()
        }
        _ => take(&template),
    };
    ((!named).then_some(template), pointers)
}

/// RFC 6901 pointers; `spec.replicas` is put right.
fn ignore(reader: &mut Reader<'_>, node: &Node) -> Vec<String> {
    let mut out = Vec::new();
    for (text, span) in reader.strings(node, "`ignore`") {
        if text.is_empty() || pointer::parts(&text).is_none() {
            let parts: Vec<&str> = text.split('.').filter(|p| !p.is_empty()).collect();
            let mut better = String::new();
            parts.iter().for_each(|p| pointer::push(&mut better, p));
            reader.error(codes::INVALID_VALUE, format!("`{text}` is not a pointer"), span).help =
                Some(format!("write `{}`", if better.is_empty() { "/spec/replicas" } else { &better }));
        } else {
            out.push(text);
        }
    }
    out
}

/// Whether a template is certainly no text.
pub(crate) fn never_text(template: &Template) -> bool {
    !matches!(
        template.kind,
        Kind::Expression(_) | Kind::Text(_) | Kind::Faulty | Kind::Literal(Value::Text(_))
    )
}
