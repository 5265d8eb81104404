//! Runs plugins: loading, limits, grants, cache. The only user of wasmtime.
//!
//! A plugin is a WebAssembly component behind `wit/plugin.wit`. [`PluginHost::load`] checks and compiles it without
//! running any of it; each function of [`Plugin`] is one call in an instance of its own, with its own memory, fuel and
//! clock, so that a plugin which loops, leaks, traps, floods or lies harms its own call and nothing else. Errors
//! say whose fault it is: [`CallError`].
//!
//! Only what was granted lies behind a plugin's imports, and only in `read`, `apply` and `adopt`; everything else runs
//! with nothing, and gives the same answer in every run.
//!
//! What passes to and from a plugin is in [`wire`]. Nothing of the engine, and nothing of the generated bindings, is
//! seen outside this crate.

mod bindings;
mod cache;
mod calls;
mod component;
mod convert;
mod engine;
mod error;
mod files;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod guest;
mod heap;
mod host;
pub mod http;
mod image;
pub mod limits;
mod log;
mod manifest;
mod meter;
mod native;
mod plugin;
mod reply;
mod stub;
mod text;
mod ticker;
mod trap;
mod typecheck;
mod wasi;
pub mod wire;

pub use engine::{digest, precompile};
pub use error::{CallError, HostError, LimitName, LoadError};
pub use heap::with_heap;
pub use host::{HostConfig, Inspected, PluginHost};
pub use log::LogSink;
pub use manifest::{embed, read_manifest};
#[doc(hidden)]
pub use native::Alone;
pub use plugin::Plugin;

/// The interface that this host speaks.
pub const INTERFACE: &str = "sheave:plugin@0.1.0";
