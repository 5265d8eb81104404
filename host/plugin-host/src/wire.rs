//! What passes between the host and a plugin, in the host's own types: the shapes of `wit/plugin.wit`.

pub use sheave_model::plugin::Role;

/// UTF-8 JSON with marks on its leaves.
///
/// In a reply it was checked: it is JSON, no deeper than [`crate::limits::JSON_DEPTH`], and every mark points into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doc {
    /// The JSON text.
    pub json: String,
    /// Which leaves hold tokens.
    pub marks: Vec<Mark>,
}

/// One marked leaf.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// RFC 6901 pointer.
    pub pointer: String,
    /// Why the plugin may not see the leaf.
    pub kind: MarkKind,
}

/// Why a leaf is marked. Both can stand on one leaf, as two marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkKind {
    /// Known only after apply.
    Unknown,
    /// Secret.
    Secret,
}

/// The resource that a call is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// The type's name without the plugin's.
    pub type_name: String,
    /// The resource's address.
    pub name: String,
    /// The stack.
    pub stack: String,
    /// The version of the type's stored state.
    pub schema_version: u32,
    /// The plugin's settings.
    pub settings: Doc,
}

/// A type as `describe` gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeInfo {
    /// The type's name.
    pub name: String,
    /// What the plugin does for it.
    pub role: Role,
    /// The version of its stored state.
    pub schema_version: u32,
    /// One line for people.
    pub summary: String,
}

/// One desired object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// Stable within the instance; no two objects of one render share it.
    pub slot: String,
    /// The name of a connection in the blueprint.
    pub target: String,
    /// The object.
    pub manifest: Doc,
    /// Slots of the same render that must be ready first.
    pub after: Vec<String>,
    /// CEL over `self`.
    pub ready_when: Option<String>,
    /// Slots of the same render whose content restarts this object's pods.
    pub restart_on: Vec<String>,
}

/// A live object that `render` wants to see.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lookup {
    /// The name of a connection in the blueprint.
    pub target: String,
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// None for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: String,
}

/// What comes of a render that asks first what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NeedsOrObjects {
    /// Live objects that `render` wants to see, at least one.
    Needs(Vec<Lookup>),
    /// It needs none: the desired objects.
    Objects(Vec<Emitted>),
}

/// What comes of a check that goes on to the render.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The properties with defaults filled in.
    pub props: Doc,
    /// What the plugin warns of.
    pub warnings: Vec<PluginDiagnostic>,
    /// What came of rendering just these; none: it has to be asked for, since the plugin marked a leaf of them.
    pub next: Option<NeedsOrObjects>,
}

/// A live object, or that there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The slot, or for a look-up its position in what was asked.
    pub slot: String,
    /// The object; none: it does not exist.
    pub body: Option<Doc>,
}

/// What `observe` says of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Whether dependants may start.
    pub ready: bool,
    /// Why, for people.
    pub reason: String,
    /// The outputs.
    pub outputs: Doc,
}

/// A provider's resource as it is outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The identity outside.
    pub id: String,
    /// The plugin's view of it.
    pub state: Doc,
    /// What expressions may read.
    pub outputs: Doc,
    /// The plugin's own bytes.
    pub private_data: Vec<u8>,
}

/// What a provider is asked to bring about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The resource.
    pub of: Instance,
    /// None: create.
    pub prior: Option<Snapshot>,
    /// None: delete.
    pub desired: Option<Doc>,
}

/// What a provider would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The outputs, marked unknown where only apply can tell.
    pub outputs: Doc,
    /// Pointers of the properties that force a replacement.
    pub replace: Vec<String>,
    /// Words for the operator.
    pub notes: Vec<PluginDiagnostic>,
}

/// How far a provider came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Finished; none: it is gone.
    Done(Option<Snapshot>),
    /// Call again with `resume`.
    Pending {
        /// Given back untouched.
        resume: Vec<u8>,
        /// Milliseconds to wait.
        after_ms: u32,
        /// For people.
        message: String,
        /// 0 to 100.
        percent: Option<u8>,
    },
    /// It exists but is not right.
    Partial {
        /// What there is.
        left: Snapshot,
        /// Why it is not right.
        why: Vec<PluginDiagnostic>,
    },
}

/// How bad a plugin says it is.
pub use sheave_model::Severity;

/// A plugin's word on a fault, free of control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginDiagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Dotted and stable.
    pub code: String,
    /// One sentence.
    pub summary: String,
    /// More; may be empty.
    pub detail: String,
    /// Where in the properties.
    pub pointer: Option<String>,
}

impl From<PluginDiagnostic> for sheave_model::Diagnostic {
    fn from(d: PluginDiagnostic) -> Self {
        let mut out = Self::error(d.code, d.summary);
        out.severity = d.severity;
        out.detail = (!d.detail.is_empty()).then_some(d.detail);
        out.pointer = d.pointer;
        out
    }
}

/// What a plugin can report by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The properties are wrong.
    Invalid(Vec<PluginDiagnostic>),
    /// There is no such thing.
    NotFound,
    /// Something outside refused, or a grant is missing.
    Denied(PluginDiagnostic),
    /// Somebody else changed it.
    Conflict(PluginDiagnostic),
    /// May work later.
    Retry {
        /// Milliseconds to wait.
        after_ms: u32,
        /// Why it did not work now.
        why: PluginDiagnostic,
    },
    /// Anything else.
    Other(PluginDiagnostic),
}

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For the plugin's author.
    Debug,
    /// For the operator.
    Info,
    /// Worth mending.
    Warn,
    /// Something went wrong.
    Error,
}

/// One line of a plugin's log, free of control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The plugin's name in the blueprint.
    pub plugin: String,
    /// The function that was called.
    pub function: &'static str,
    /// The resource's address; empty where the call is about none.
    pub instance: String,
    /// How loud.
    pub level: LogLevel,
    /// The text.
    pub message: String,
    /// Names and values beside it.
    pub fields: Vec<(String, String)>,
    /// The host's own word, such as `plugin.limit.log`; none for the plugin's lines.
    pub code: Option<&'static str>,
}
