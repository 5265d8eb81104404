//! What a blueprint means once its names are resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use sheave_model::plugin::Grants;
use sheave_model::{Address, SourceId, Span, TypeName, Value};

use crate::condition::Condition;
use crate::references::References;
use crate::schema::{Schema, TypeSchemas};
use crate::template::Template;

/// A resolved blueprint: every name exists, every type is known, nothing waits for itself.
#[derive(Clone, Debug)]
pub struct Graph {
    /// `blueprint:`.
    pub name: String,
    /// The text it came from.
    pub source: SourceId,
    /// `inputs:` by name.
    pub inputs: BTreeMap<String, InputSpec>,
    /// `locals:` by name.
    pub locals: BTreeMap<String, Template>,
    /// `targets:` by name.
    pub targets: BTreeMap<String, TargetSpec>,
    /// `plugins:` by name.
    pub plugins: BTreeMap<String, PluginSpec>,
    /// `resources:` whose type is a plugin's, by name.
    pub resources: BTreeMap<String, Arc<ResourceSpec>>,
    /// `resources:` whose type is a folder with a blueprint, by name.
    pub modules: BTreeMap<String, Arc<ModuleSpec>>,
    /// `outputs:` by name.
    pub outputs: BTreeMap<String, OutputSpec>,
    /// Names of resources and modules, each behind all it needs.
    pub order: Vec<String>,
    /// `moved:`, in the order of the file.
    pub moved: Vec<Moved>,
    /// `stacks:`, other stacks whose outputs are read, with their settings.
    pub stacks: BTreeMap<String, Template>,
    /// Every stack that some expression reads by `stacks.NAME`.
    pub stacks_read: BTreeSet<String>,
    /// The schemas of the types in use, compiled.
    pub schemas: BTreeMap<TypeName, Arc<TypeSchemas>>,
}

/// What may be given from outside.
#[derive(Clone, Debug)]
pub struct InputSpec {
    /// Its name.
    pub name: String,
    /// The type that its value must have.
    pub kind: InputKind,
    /// Whether its value is secret; only texts are.
    pub secret: bool,
    /// The value where none is given.
    pub default: Option<Value>,
    /// For people.
    pub description: Option<String>,
    /// The type and the rules, compiled.
    pub(crate) schema: Arc<Schema>,
    /// The rules as JSON Schema.
    pub rules: serde_json::Value,
    /// Where it is declared.
    pub span: Span,
}

/// The types of inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// A truth value.
    Boolean,
    /// A list.
    List,
    /// A map.
    Map,
    /// Whatever is given; a text from a flag or variable is read as YAML.
    Any,
}

impl InputKind {
    /// As a blueprint writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::Map => "map",
            Self::Any => "any",
        }
    }
}

/// A connection.
#[derive(Clone, Debug)]
pub struct TargetSpec {
    /// Its name in the blueprint.
    pub name: String,
    /// What it connects to: `kubernetes`, `http`, ...
    pub kind: String,
    /// Its settings: a map. May read resources.
    pub settings: Template,
    /// Resources that the settings read, locals followed.
    pub references: BTreeSet<String>,
    /// Where it is declared.
    pub span: Span,
}

/// A plugin as the blueprint lists it.
#[derive(Clone, Debug)]
pub struct PluginSpec {
    /// The name that types are written with.
    pub name: String,
    /// Where its component is, as written; none: built in.
    pub source: Option<String>,
    /// What the operator lets it do, as written: paths are relative to the blueprint.
    pub grants: Grants,
    /// Where that is written.
    pub grants_span: Span,
    /// Its settings: a map. May read resources.
    pub settings: Template,
    /// Resources that the settings read, locals followed. Empty before resolving.
    pub references: BTreeSet<String>,
    /// Where it is declared.
    pub span: Span,
}

/// How often a resource stands.
#[derive(Clone, Debug)]
pub enum Repeat {
    /// Once, without a key.
    Once,
    /// As often as a number says; keys are positions.
    Count(Template),
    /// Once for each element of a list (keys are positions) or of a map (keys are its keys).
    ForEach(Template),
}

/// Whether a resource may be replaced where its data would be lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplacePolicy {
    /// Where nothing is lost by it.
    #[default]
    Unset,
    /// `replace: allow`.
    Allow,
    /// `replace: never`.
    Never,
}

/// A resource of a plugin's type.
#[derive(Clone, Debug)]
pub struct ResourceSpec {
    /// Its name in the blueprint.
    pub name: String,
    /// Its type, which the catalog has.
    pub type_name: TypeName,
    /// Its properties: a map.
    pub properties: Template,
    /// The target's name, where written. A literal one exists.
    pub target: Option<Template>,
    /// `depends-on`: resources and modules of this blueprint.
    pub depends_on: Vec<String>,
    /// Resources and modules that anything in it reads, locals, its plugin's and its target's settings followed.
    pub references: BTreeSet<String>,
    /// `count` or `for-each`.
    pub repeat: Repeat,
    /// `when`.
    pub when: Option<Template>,
    /// `wait`: until it is ready.
    pub wait: bool,
    /// `timeout` of that.
    pub timeout: Option<Duration>,
    /// `ready-when`: CEL over `self`.
    pub ready_when: Option<Condition>,
    /// `force`: take fields that other managers own.
    pub force: bool,
    /// `keep`: leave it when it goes from the blueprint.
    pub keep: Option<bool>,
    /// `adopt`: take over what exists and belongs to nobody.
    pub adopt: bool,
    /// `existing`: read it, never change it.
    pub existing: bool,
    /// `ignore`: RFC 6901 pointers of properties left alone.
    pub ignore: Vec<String>,
    /// `replace`.
    pub replace: ReplacePolicy,
    /// `replace-when`: replaced where this value is true, or another one than when it was last applied.
    pub replace_when: Option<Template>,
    /// `replace-when`: RFC 6901 pointers of properties whose change replaces it.
    pub replace_on: Vec<String>,
    /// `prevent-destroy`.
    pub prevent_destroy: bool,
    /// Where its name stands.
    pub span: Span,
}

/// A resource that is a folder with a blueprint of its own.
#[derive(Clone, Debug)]
pub struct ModuleSpec {
    /// Its name in the blueprint: a step of the addresses beneath.
    pub name: String,
    /// The folder, as written.
    pub folder: String,
    /// The blueprint in it, resolved.
    pub graph: Arc<Graph>,
    /// A map from the module's inputs to their values.
    pub inputs: Template,
    /// Targets of the module's blueprint by the targets of this one; empty: the same names.
    pub targets: Option<Template>,
    /// As of a resource.
    pub depends_on: Vec<String>,
    /// As of a resource.
    pub references: BTreeSet<String>,
    /// As of a resource.
    pub repeat: Repeat,
    /// As of a resource.
    pub when: Option<Template>,
    /// Where its name stands.
    pub span: Span,
}

/// A value that the stack gives.
#[derive(Clone, Debug)]
pub struct OutputSpec {
    /// Its name.
    pub name: String,
    /// What it is.
    pub value: Template,
    /// Resources that it reads, locals followed.
    pub references: BTreeSet<String>,
    /// Where its name stands.
    pub span: Span,
}

/// A resource that has another address now: nothing is made or deleted for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where it stood.
    pub from: Address,
    /// Where it stands.
    pub to: Address,
    /// Where that is written.
    pub span: Span,
}

impl Graph {
    /// What a template reads, locals followed: `locals` of the answer are those on the way.
    pub fn references(&self, template: &Template) -> References {
        follow(&self.locals, template.references())
    }

    /// The resources and modules whose outputs some expression reads.
    pub fn read(&self) -> BTreeSet<&str> {
        let found = self.resources.values().flat_map(|r| &r.references);
        let found = found.chain(self.modules.values().flat_map(|m| &m.references));
        let found = found.chain(self.targets.values().flat_map(|t| &t.references));
        let found = found.chain(self.plugins.values().flat_map(|p| &p.references));
        found.chain(self.outputs.values().flat_map(|o| &o.references)).map(String::as_str).collect()
    }

    /// The names that must be done before this resource or module: what it reads and `depends-on`.
    pub fn needs(&self, name: &str) -> BTreeSet<&str> {
        let (references, depends_on) = match (self.resources.get(name), self.modules.get(name)) {
            (Some(r), _) => (&r.references, &r.depends_on),
            (_, Some(m)) => (&m.references, &m.depends_on),
            _ => return BTreeSet::new(),
        };
        references.iter().chain(depends_on).map(String::as_str).collect()
    }
}

/// `found`, with what the locals in it read. Locals may go in a circle.
pub(crate) fn follow(locals: &BTreeMap<String, Template>, mut found: References) -> References {
    let mut todo: Vec<String> = found.locals.iter().cloned().collect();
    while let Some(name) = todo.pop() {
        let Some(local) = locals.get(&name) else { continue };
        let more = local.references();
        todo.extend(more.locals.difference(&found.locals).cloned());
        found.extend(&more);
    }
    found
}
