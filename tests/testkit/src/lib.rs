//! What Sheave's tests share: clusters, stacks in a folder of their own, the audit log.
//!
//! A helper that cannot do its work panics with all that it knows: a test that goes on would only hide the cause.
#![expect(clippy::panic, reason = "for tests only: a panic is how a test fails")]

pub mod admission;
pub mod api;
pub mod audit;
pub mod authors;
pub mod binary;
pub mod call;
pub mod cluster;
pub mod example;
pub mod language_server;
pub mod leaks;
pub mod proxy;
pub mod reader;
mod request;
pub mod services;
pub mod stack;

pub use admission::Admission;
pub use api::Api;
pub use call::{Call, Output, Running};
pub use cluster::Cluster;
pub use example::Example;
pub use language_server::LanguageServer;
pub use leaks::Secret;
pub use proxy::Proxy;
pub use reader::{Block, Reader};
pub use services::Service;
pub use stack::Stack;

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

/// The value, or a panic that says what was tried and why it failed.
pub fn must<T, E: std::fmt::Display>(result: Result<T, E>, what: impl std::fmt::Display) -> T {
    result.unwrap_or_else(|why| panic!("{what}: {why}"))
}
