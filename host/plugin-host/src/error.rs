//! What can go wrong with a plugin, and whose fault it is.

use std::time::Duration;

use sheave_model::Diagnostic;

use crate::wire::Failure;

/// The host itself cannot go on: no plugin's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The WebAssembly engine refused to start or to work.
    #[error("the WebAssembly engine failed: {0}")]
    Engine(String),
    /// A granted folder cannot be opened.
    #[error("the granted folder `{path}` cannot be opened: {why}")]
    Folder {
        /// As granted.
        path: String,
        /// The operating system's word.
        why: String,
    },
    /// A grant of HTTP names no server.
    #[error("a grant of HTTP cannot be used: {0}")]
    HttpGrant(String),
}

impl HostError {
    /// For the operator.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Engine(_) => Diagnostic::error("plugin.host", self.to_string()),
            Self::Folder { .. } => Diagnostic::error("plugin.grant-folder", self.to_string()).with_help(
                "create the folder, or correct `grants.filesystem` of the plugin in the blueprint",
            ),
            Self::HttpGrant(_) => Diagnostic::error("plugin.grant-http", self.to_string())
                .with_help("`host` is a name (`api.example.com`), `*.` before one, or an address"),
        }
    }
}

/// Why a plugin cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file is something else.
    #[error("plugin `{plugin}` is not a WebAssembly component: it is {found}")]
    NotAComponent {
        /// The name in the blueprint.
        plugin: String,
        /// What it looks like, such as `a core module`.
        found: &'static str,
    },
    /// It begins as a component, and is broken or uses what the engine does not allow.
    #[error("plugin `{plugin}` is not a valid component")]
    Invalid {
        /// The name in the blueprint.
        plugin: String,
        /// The validator's word.
        detail: String,
    },
    /// It speaks another version of the interface.
    #[error("plugin `{plugin}` speaks {}, this host speaks {}", has.join(", "), crate::INTERFACE)]
    InterfaceVersion {
        /// The name in the blueprint.
        plugin: String,
        /// The versions that it imports or exports, such as `sheave:plugin@0.0.9`.
        has: Vec<String>,
    },
    /// It names the right version, but the functions have other types.
    #[error("plugin `{plugin}` does not fit {}, though it names that version", crate::INTERFACE)]
    InterfaceMismatch {
        /// The name in the blueprint.
        plugin: String,
        /// Which function, and how it differs.
        detail: String,
    },
    /// It imports something that no plugin, or no plugin without a grant, gets.
    #[error("plugin `{plugin}` imports `{import}`, which it may not have")]
    ImportRefused {
        /// The name in the blueprint.
        plugin: String,
        /// The import.
        import: String,
        /// What to do about it.
        help: String,
    },
    /// It does not export what every plugin does.
    #[error("plugin `{plugin}` does not export `{missing}`")]
    MissingExport {
        /// The name in the blueprint.
        plugin: String,
        /// The interface or function.
        missing: String,
    },
    /// What it carries as its manifest is none.
    #[error("the manifest of plugin `{plugin}` cannot be read")]
    BadManifest {
        /// The name in the blueprint.
        plugin: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something is granted, and it has no manifest that asks for it.
    #[error("plugin `{plugin}` has no manifest, and so asks for nothing that could be granted")]
    NoManifest {
        /// The name in the blueprint.
        plugin: String,
        /// What is granted, in words.
        granted: Vec<String>,
    },
    /// It took too long to compile.
    #[error("plugin `{plugin}` took more than {} s to compile", allowed.as_secs_f64())]
    CompileLimit {
        /// The name in the blueprint.
        plugin: String,
        /// The limit.
        allowed: Duration,
    },
    /// It is too large to be taken in.
    #[error("plugin `{plugin}` has {has} {what}, {allowed} are allowed")]
    TooLarge {
        /// The name in the blueprint.
        plugin: String,
        /// What there is too much of: `bytes`, `memories`, ...
        what: &'static str,
        /// How much it has.
        has: u64,
        /// The limit.
        allowed: u64,
    },
    /// The host failed.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl LoadError {
    /// Dotted and stable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAComponent { .. } => "plugin.not-a-component",
            Self::Invalid { .. } => "plugin.invalid",
            Self::InterfaceVersion { .. } => "plugin.interface-version",
            Self::InterfaceMismatch { .. } => "plugin.interface-mismatch",
            Self::ImportRefused { .. } => "plugin.import-refused",
            Self::MissingExport { .. } => "plugin.missing-export",
            Self::BadManifest { .. } => "plugin.bad-manifest",
            Self::NoManifest { .. } => "plugin.no-manifest",
            Self::CompileLimit { .. } => "plugin.compile-limit",
            Self::TooLarge { .. } => "plugin.too-large",
            Self::Host(_) => "plugin.host",
        }
    }

    /// For the operator and the plugin's author.
    pub fn diagnostic(&self) -> Diagnostic {
        let of = Diagnostic::error(self.code(), self.to_string());
        match self {
            Self::NotAComponent { found, .. } if *found == CORE_MODULE => of.with_help(
                "wrap the module into a component, as `wasm-tools component new` does",
            ),
            Self::NotAComponent { .. } => {
                of.with_help("`source` names a .wasm file that a component toolchain wrote")
            }
            Self::Invalid { detail, .. } => {
                of.with_detail(detail).with_help("build it again; a download may have been cut short")
            }
            Self::InterfaceVersion { .. } => of.with_help(format!(
                "build the plugin against {}, or use the release of Sheave that it was built for",
                crate::INTERFACE
            )),
            Self::InterfaceMismatch { detail, .. } => of
                .with_detail(detail)
                .with_help("build the plugin against the wit/plugin.wit of a released version, unchanged"),
            Self::ImportRefused { help, .. } => of.with_help(help),
            Self::MissingExport { .. } => of.with_help(
                "a plugin exports `model`, and at least one of `emit` and `provide`: see the worlds in wit/plugin.wit",
            ),
            Self::BadManifest { why, .. } => of.with_detail(why).with_help(
                "this is a fault of the plugin: its author corrects `plugin.yaml` and builds it again",
            ),
            Self::NoManifest { granted, .. } => {
                of.with_detail(format!("granted: {}", granted.join(", "))).with_help(
                    "its author says in `plugin.yaml` what it asks for and why; without, only `limits` can be granted",
                )
            }
            Self::CompileLimit { .. } => of.with_help(
                "make the component smaller (strip it, optimise for size), or compile it on an idle machine: \
                 the result is kept in the cache",
            ),
            Self::TooLarge { .. } => of.with_help("make the component smaller: strip it, optimise for size"),
            Self::Host(e) => e.diagnostic(),
        }
    }
}

/// What [`LoadError::NotAComponent`] calls a core module.
pub(crate) const CORE_MODULE: &str = "a core module";

/// Why a call gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The plugin answered, with a failure of its own.
    #[error("the plugin reports: {}", words(.0))]
    Answer(Failure),
    /// The plugin broke down.
    #[error("plugin `{plugin}` trapped in `{function}`: {message}")]
    Trap {
        /// The name in the blueprint.
        plugin: String,
        /// The function that was called.
        function: &'static str,
        /// What the engine says: `unreachable executed`, ...
        message: String,
        /// Function names from the innermost, one a line.
        backtrace: String,
        /// The last line that the plugin logged as an error: the SDK logs a panic's message so.
        last_words: Option<String>,
    },
    /// The plugin used more than it may.
    #[error("plugin `{plugin}` used more {limit} in `{function}` than the {allowed} allowed")]
    Limit {
        /// The name in the blueprint.
        plugin: String,
        /// The function that was called.
        function: &'static str,
        /// Which limit.
        limit: LimitName,
        /// How much is allowed, with its unit.
        allowed: String,
        /// Where the plugin was, from the innermost function, one a line; empty where it had returned.
        backtrace: String,
    },
    /// The plugin's reply breaks the interface's rules.
    #[error("plugin `{plugin}` gave a bad reply from `{function}`: {what}")]
    BadReply {
        /// The name in the blueprint.
        plugin: String,
        /// The function that was called.
        function: &'static str,
        /// Which rule.
        what: String,
    },
    /// The host failed.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// The limits of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitName {
    /// Memory summed over the instance's memories.
    Memory,
    /// Table elements.
    Tables,
    /// Instructions.
    Fuel,
    /// Wall clock.
    Time,
    /// Size of a reply.
    Reply,
    /// Nesting of JSON in a reply.
    Depth,
    /// Objects in a render.
    Objects,
    /// Objects that `needs` asks for.
    Lookups,
    /// Types that `describe` names.
    Types,
    /// Things of the host's that the guest holds at once: open files, requests, what it waits for.
    Handles,
}

impl LimitName {
    /// Dotted and stable.
    pub fn code(self) -> &'static str {
        match self {
            Self::Memory => "plugin.limit.memory",
            Self::Tables => "plugin.limit.tables",
            Self::Fuel => "plugin.limit.fuel",
            Self::Time => "plugin.limit.time",
            Self::Reply => "plugin.limit.reply",
            Self::Depth => "plugin.limit.depth",
            Self::Objects => "plugin.limit.objects",
            Self::Lookups => "plugin.limit.lookups",
            Self::Types => "plugin.limit.types",
            Self::Handles => "plugin.limit.handles",
        }
    }

    /// What the author can do, and what the operator can grant.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Memory => {
                "author: hold less at once; operator: `grants: {limits: {memory-mib: N}}` raises it for this plugin"
            }
            Self::Tables => "author: use fewer table elements; it cannot be raised",
            Self::Fuel => {
                "author: look for a loop without end, or do less in one call; \
                 operator: `grants: {limits: {fuel-millions: N}}` raises it for this plugin"
            }
            Self::Time => {
                "author: return `pending` and be called again rather than wait; \
                 operator: `grants: {limits: {call-millis: N}}` raises it for this plugin"
            }
            Self::Reply => {
                "author: return less at once; operator: `grants: {limits: {reply-mib: N}}` raises it for this plugin"
            }
            Self::Depth => "author: nest the reply's JSON less; it cannot be raised",
            Self::Objects => {
                "author: split the type into smaller ones; operator: split the resource; it cannot be raised"
            }
            Self::Lookups => "author: ask for fewer live objects; it cannot be raised",
            Self::Types => "author: split the plugin; it cannot be raised",
            Self::Handles => {
                "author: drop files, requests and pollables as soon as they are done with; it cannot be raised"
            }
        }
    }
}

impl std::fmt::Display for LimitName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Tables => "table elements",
            Self::Fuel => "fuel",
            Self::Time => "time",
            Self::Reply => "reply",
            Self::Depth => "nesting",
            Self::Objects => "objects",
            Self::Lookups => "look-ups",
            Self::Types => "types",
            Self::Handles => "handles",
        })
    }
}

impl CallError {
    /// Dotted and stable. Of a plugin's own answer, the code that the plugin gave.
    pub fn code(&self) -> &str {
        match self {
            Self::Answer(Failure::Invalid(all)) => {
                all.first().map_or("plugin.invalid-properties", |d| d.code.as_str())
            }
            Self::Answer(Failure::NotFound) => "plugin.not-found",
            Self::Answer(Failure::Denied(d) | Failure::Conflict(d) | Failure::Other(d)) => &d.code,
            Self::Answer(Failure::Retry { why, .. }) => &why.code,
            Self::Trap { .. } => "plugin.trap",
            Self::Limit { limit, .. } => limit.code(),
            Self::BadReply { .. } => "plugin.bad-reply",
            Self::Host(HostError::Engine(_)) => "plugin.host",
            Self::Host(HostError::Folder { .. }) => "plugin.grant-folder",
            Self::Host(HostError::HttpGrant(_)) => "plugin.grant-http",
        }
    }

    /// The first of [`CallError::diagnostics`], or the only one.
    pub fn diagnostic(&self) -> Diagnostic {
        self.diagnostics().swap_remove(0)
    }

    /// For the operator and the plugin's author; never empty. A plugin's answer can hold several.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let one = match self {
            Self::Answer(Failure::Invalid(all)) if !all.is_empty() => {
                return all.iter().cloned().map(Diagnostic::from).collect();
            }
            Self::Answer(Failure::Invalid(_)) => {
                Diagnostic::error(self.code(), "the plugin refuses the properties")
            }
            Self::Answer(Failure::NotFound) => {
                Diagnostic::error(self.code(), "the plugin found no such thing")
            }
            Self::Answer(Failure::Denied(d) | Failure::Conflict(d) | Failure::Other(d)) => d.clone().into(),
            Self::Answer(Failure::Retry { why, .. }) => why.clone().into(),
            Self::Trap { backtrace, last_words, .. } => {
                let mut detail = String::new();
                if let Some(words) = last_words {
                    detail.push_str(&format!("its last words: {words}\n"));
                }
                detail.push_str(backtrace);
                let mut of = Diagnostic::error(self.code(), self.to_string());
                if !detail.is_empty() {
                    of = of.with_detail(detail);
                }
                of.with_help(
                    "this is a fault in the plugin: send its author these lines; nothing else was harmed",
                )
            }
            Self::Limit { limit, backtrace, .. } => {
                let of = Diagnostic::error(self.code(), self.to_string()).with_help(limit.hint());
                if backtrace.is_empty() { of } else { of.with_detail(backtrace.clone()) }
            }
            Self::BadReply { .. } => Diagnostic::error(self.code(), self.to_string())
                .with_help("this is a fault in the plugin: send its author these lines"),
            Self::Host(e) => e.diagnostic(),
        };
        vec![one]
    }
}

fn words(failure: &Failure) -> &str {
    match failure {
        Failure::Invalid(all) => all.first().map_or("the properties are wrong", |d| d.summary.as_str()),
        Failure::NotFound => "no such thing",
        Failure::Denied(d) | Failure::Conflict(d) | Failure::Other(d) => &d.summary,
        Failure::Retry { why, .. } => &why.summary,
    }
}
