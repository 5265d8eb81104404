//! For authors of plugins, in any language: new projects, builds through the language's own tools, and golden tests
//! through the host that will run the plugin.
//!
//! What a project is made of (SDKs, interface, templates) is in the program, so that nothing but the language's own tools
//! is needed to begin, wherever one is.

mod bindings;
mod build;
mod component;
mod embedded;
mod fault;
mod golden;
mod guest_target;
mod language;
mod project;
mod scaffold;
mod tool;

pub use build::{Built, build};
pub use golden::{Outcome, Tested, Verdict, test};
pub use language::Language;
pub use project::Project;
pub use scaffold::{New, scaffold};
