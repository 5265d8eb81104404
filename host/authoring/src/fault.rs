//! What can go wrong for an author, each with its way out.

use std::path::Path;

use sheave_model::Diagnostic;

/// A fault is a diagnostic: the command line renders it, and nothing else decides by it.
pub(crate) type Result<T> = std::result::Result<T, Box<Diagnostic>>;

/// The longest part of a tool's output that is shown: its end, where the reason stands.
const SHOWN: usize = 16 << 10;

pub(crate) fn no_project(folder: &Path) -> Box<Diagnostic> {
    let summary = format!("there is no plugin.yaml in {}", folder.display());
    Box::new(
        Diagnostic::error("author.no-project", summary)
            .with_help("name the folder of a plugin, or make one: `sheave plugin new NAME --lang go`"),
    )
}

pub(crate) fn bad_project(why: impl Into<String>) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error("author.bad-project", "plugin.yaml does not describe a plugin")
            .with_detail(why)
            .with_help("`sheave plugin new` writes one that does"),
    )
}

pub(crate) fn files(path: &Path, why: &std::io::Error) -> Box<Diagnostic> {
    let summary = format!("{} cannot be read or written", path.display());
    Box::new(Diagnostic::error("author.files", summary).with_detail(why.to_string()))
}

pub(crate) fn tool_missing(tool: &str, how: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::error("author.tool-missing", format!("`{tool}` is not installed")).with_help(how))
}

pub(crate) fn build_failed(what: &str, said: &str) -> Box<Diagnostic> {
    let mut from = said.len().saturating_sub(SHOWN);
    while !said.is_char_boundary(from) {
        from += 1;
    }
    Box::new(
        Diagnostic::error("author.build-failed", format!("the plugin does not build: {what}"))
            .with_detail(said[from..].trim_end()),
    )
}

pub(crate) fn no_component(why: impl std::fmt::Display) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error("author.no-component", "what was built does not become a component")
            .with_detail(format!("{why:#}"))
            .with_help(
                "every function of the interface is the SDK's: is it `sdk/` as `sheave plugin new` wrote it?",
            ),
    )
}

pub(crate) fn bad_case(case: &str, why: impl Into<String>) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error("author.bad-case", format!("the golden case `{case}` cannot be read"))
            .with_detail(why)
            .with_help("a case is a folder with `input.yaml`, and `expected.yaml` once it is blessed"),
    )
}
