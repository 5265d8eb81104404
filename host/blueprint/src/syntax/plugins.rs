//! `plugins:`: what to load, and what the operator grants it.

use super::reader::Reader;
use super::{grants, nothing};
use crate::graph::PluginSpec;
use crate::yaml::Entry;

pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Option<PluginSpec> {
    let what = format!("the plugin `{}`", entry.key);
    let fields = reader.fields(&entry.value, &what, &["source", "grants", "settings"])?;
    let source = fields
        .get("source")
        .and_then(|e| reader.string(&e.value, "`source`"))
        .filter(|text| text != "builtin");
    let grants = fields.get("grants").map(|e| grants::read(reader, &e.value)).unwrap_or_default();
    let settings = match fields.get("settings") {
        Some(e) => reader.template_map(&e.value, &format!("`settings` of {what}"))?,
        None => nothing(entry.key_span),
    };
    Some(PluginSpec {
        name: entry.key.clone(),
        source,
        grants,
        grants_span: fields.get("grants").map_or(entry.key_span, |e| e.key_span),
        settings,
        references: std::collections::BTreeSet::new(),
        span: entry.key_span,
    })
}
