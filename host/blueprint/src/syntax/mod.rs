//! A blueprint as it is written: its keys read, its expressions parsed, no name looked up.

mod duration;
mod grants;
mod inputs;
mod parse;
mod plugins;
mod reader;
mod resources;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sheave_model::{Diagnostic, SourceId, Span, TypeName, Value};

use crate::condition::Condition;
use crate::graph::{InputSpec, Moved, PluginSpec, Repeat, ReplacePolicy};
use crate::template::Template;

pub(crate) use grants::KEYS as GRANT_KEYS;
pub(crate) use inputs::{KINDS as INPUT_KINDS, read_value};
pub use parse::parse;
pub(crate) use parse::tidy;
pub(crate) use reader::with_article;
pub(crate) use resources::{KEYS as RESOURCE_KEYS, never_text};

/// What parsing gives: as much as could be read, and all that is wrong.
#[derive(Debug)]
pub struct Parsed {
    /// None where there is no map of blueprint keys at all.
    pub syntax: Option<Syntax>,
    /// Faults, warnings and notes, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// A blueprint whose keys are read and whose names are not looked up yet.
#[derive(Clone, Debug)]
pub struct Syntax {
    pub(crate) source: SourceId,
    pub(crate) name: String,
    pub(crate) inputs: BTreeMap<String, InputSpec>,
    pub(crate) locals: BTreeMap<String, Template>,
    pub(crate) targets: BTreeMap<String, RawTarget>,
    pub(crate) plugins: BTreeMap<String, PluginSpec>,
    pub(crate) resources: BTreeMap<String, RawResource>,
    pub(crate) outputs: BTreeMap<String, (Template, Span)>,
    pub(crate) moved: Vec<Moved>,
    pub(crate) stacks: BTreeMap<String, Template>,
    /// Whether something was wrong: a graph of it would be one of something else.
    pub(crate) faulty: bool,
    /// What stands there but could not be read.
    pub(crate) lost: Lost,
}

/// What stands in the blueprint but could not be read: reported once, and not again by what refers to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lost {
    pub(crate) inputs: BTreeSet<String>,
    pub(crate) targets: BTreeSet<String>,
    pub(crate) plugins: BTreeSet<String>,
    pub(crate) resources: BTreeSet<String>,
    /// Where the YAML ended: what touches it is half read.
    pub(crate) broken_at: Option<usize>,
}

/// A target as written.
#[derive(Clone, Debug)]
pub(crate) struct RawTarget {
    pub(crate) kind: String,
    pub(crate) settings: Template,
    pub(crate) span: Span,
}

/// A resource as written.
#[derive(Clone, Debug)]
pub(crate) struct RawResource {
    /// Where its name stands.
    pub(crate) span: Span,
    pub(crate) type_text: Option<(String, Span)>,
    pub(crate) properties: Option<Template>,
    /// Whether properties stand there and could not be read.
    pub(crate) properties_lost: bool,
    /// Of a module.
    pub(crate) inputs: Option<Template>,
    /// Of a module.
    pub(crate) targets: Option<Template>,
    pub(crate) target: Option<Template>,
    pub(crate) depends_on: Vec<(String, Span)>,
    pub(crate) repeat: Repeat,
    pub(crate) when: Option<Template>,
    pub(crate) options: Options,
    /// The keys that stand in it, with their places.
    pub(crate) keys: Vec<(String, Span)>,
}

/// The keys of a resource that take no expression.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) wait: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) ready_when: Option<Condition>,
    pub(crate) force: bool,
    pub(crate) keep: Option<bool>,
    pub(crate) adopt: bool,
    pub(crate) existing: bool,
    pub(crate) ignore: Vec<String>,
    pub(crate) replace: ReplacePolicy,
    pub(crate) replace_when: Option<Template>,
    pub(crate) replace_on: Vec<String>,
    pub(crate) prevent_destroy: bool,
}

impl Syntax {
    /// The stack's name where none is given: `blueprint:`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The plugins that must be loaded before types are known.
    pub fn plugins(&self) -> Vec<PluginSpec> {
        self.plugins.values().cloned().collect()
    }

    /// The types that resources have, each once: those whose schemas resolving asks for. Modules have none.
    pub fn type_names(&self) -> Vec<TypeName> {
        let texts = self.resources.values().filter_map(|r| r.type_text.as_ref());
        let mut names: Vec<TypeName> = texts.filter_map(|(text, _)| text.parse().ok()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The folders of the modules, as written, each once.
    pub fn modules(&self) -> Vec<String> {
        let mut folders: Vec<String> = self
            .resources
            .values()
            .filter_map(|r| r.type_text.as_ref())
            .filter(|(text, _)| is_folder(text))
            .map(|(text, _)| text.clone())
            .collect();
        folders.sort();
        folders.dedup();
        folders
    }
}

/// Whether a `type` is a folder with a blueprint.
pub(crate) fn is_folder(text: &str) -> bool {
    text.starts_with("./") || text.starts_with("../")
}

/// An empty map, at this place.
pub(crate) fn nothing(span: Span) -> Template {
    Template::of(&Value::empty(), span)
}
