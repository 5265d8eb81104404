//! `plugins:`: what to load, and what the operator grants it.

use sheave_model::plugin::{Access, FolderGrant, Grants, LimitRaises};
use sheave_model::{Span, Value};

use super::nothing;
use super::reader::Reader;
use crate::codes;
use crate::graph::PluginSpec;
use crate::yaml::{Entry, Node, NodeKind};

pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Option<PluginSpec> {
    let what = format!("the plugin `{}`", entry.key);
    let fields = reader.fields(&entry.value, &what, &["source", "grants", "settings"])?;
    let source = fields
        .get("source")
        .and_then(|e| reader.string(&e.value, "`source`"))
        .filter(|text| text != "builtin");
    let grants = fields.get("grants").map(|e| grants(reader, &e.value)).unwrap_or_default();
    let settings = match fields.get("settings") {
        Some(e) => reader.template_map(&e.value, &format!("`settings` of {what}"))?,
        None => nothing(entry.key_span),
    };
    Some(PluginSpec {
        name: entry.key.clone(),
        source,
        grants,
        settings,
        references: std::collections::BTreeSet::new(),
        span: entry.key_span,
    })
}

fn grants(reader: &mut Reader<'_>, node: &Node) -> Grants {
    let mut out = Grants::default();
    let Some(fields) = reader.fields(node, "`grants`", &["filesystem", "limits"]) else { return out };
    if let Some(entry) = fields.get("filesystem") {
        match &entry.value.kind {
            NodeKind::List(items) => {
                out.filesystem = items.iter().filter_map(|n| folder(reader, n)).collect()
            }
            _ if entry.value.is_null() => {}
            _ => reader.expected(&entry.value, "`filesystem`", "a list of folders"),
        }
    }
    if let Some(entry) = fields.get("limits") {
        out.limits = limits(reader, &entry.value);
    }
    out
}

fn folder(reader: &mut Reader<'_>, node: &Node) -> Option<FolderGrant> {
    let fields = reader.fields(node, "a folder grant", &["path", "access"])?;
    let path = match fields.get("path") {
        Some(e) => reader.string(&e.value, "`path`")?,
        None => {
            missing(reader, "path", node.span);
            return None;
        }
    };
    let access = match fields.get("access") {
        Some(e) => reader.word(&e.value, "`access`", &[("read", Access::Read), ("write", Access::Write)])?,
        None => {
            missing(reader, "access", node.span);
            return None;
        }
    };
    Some(FolderGrant { path, access })
}

fn missing(reader: &mut Reader<'_>, key: &str, span: Span) {
    reader.error(codes::MISSING_KEY, format!("a folder grant needs `{key}`"), span).help =
        Some("write `{path: ./folder, access: read}`".into());
}

fn limits(reader: &mut Reader<'_>, node: &Node) -> LimitRaises {
    let mut out = LimitRaises::default();
    let known = ["memory-mib", "call-millis", "reply-mib", "fuel-millions"];
    let Some(fields) = reader.fields(node, "`limits`", &known) else { return out };
    for (key, place) in known.into_iter().zip([
        &mut out.memory_mib,
        &mut out.call_millis,
        &mut out.reply_mib,
        &mut out.fuel_millions,
    ]) {
        let Some(entry) = fields.get(key) else { continue };
        match reader.literal(&entry.value, &format!("`{key}`")) {
            Some(Value::Int(n)) if n > 0 && u32::try_from(n).is_ok() => *place = u32::try_from(n).ok(),
            Some(_) => reader.expected(&entry.value, &format!("`{key}`"), "a whole number above zero"),
            None => {}
        }
    }
    out
}
