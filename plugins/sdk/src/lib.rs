//! Write Sheave plugins in Rust.
//!
//! A plugin is a WebAssembly component with one or more *types*. A type is a struct of properties, a struct of
//! outputs, and an implementation of [`Emitter`] (it turns properties into objects, which the host applies) or of
//! [`Provider`] (it creates, reads, updates and deletes something by itself). One macro exports them:
//!
//! ```
//! use sheave_sdk::{Context, Emitter, Failure, Live, Object, Observation, json};
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Props {
//!     /// What the page says.
//!     greeting: String,
//! }
//!
//! #[derive(serde::Serialize, schemars::JsonSchema)]
//! struct Outputs {
//!     /// The ConfigMap's name.
//!     #[schemars(extend("x-stable" = true))]
//!     name: String,
//! }
//!
//! struct Hello;
//!
//! impl Emitter for Hello {
//!     const NAME: &'static str = "Hello";
//!     const SUMMARY: &'static str = "a greeting";
//!     type Props = Props;
//!     type Outputs = Outputs;
//!
//!     fn render(cx: &Context, props: Props, _: &Live) -> Result<Vec<Object>, Failure> {
//!         Ok(vec![Object::new(
//!             "map",
//!             json!({
//!                 "apiVersion": "v1",
//!                 "kind": "ConfigMap",
//!                 "metadata": {"name": sheave_sdk::dns_label(cx.name())},
//!                 "data": {"greeting": props.greeting},
//!             }),
//!         )])
//!     }
//!
//!     fn observe(cx: &Context, _: Props, _: &Live) -> Result<Observation<Outputs>, Failure> {
//!         Ok(Observation::ready(Outputs { name: sheave_sdk::dns_label(cx.name()) }))
//!     }
//! }
//!
//! sheave_sdk::emitter!(Hello);
//! ```
//!
//! The crate is a `cdylib` for `wasm32-unknown-unknown`; it needs no libc and imports nothing but `log`.
//!
//! **Tokens.** A text that the plugin may not see, secret or known only after apply, is a *token*: a text like any
//! other, that may be placed whole or inside a longer text. The host finds it again and puts the value in. To take
//! one apart or to hash it is refused; [`Context::has_token`] tells where one stands.
//!
//! **Panics** end in the log with their message and place, and the call in a trap.

// The macros name the crate from outside and from inside alike.
extern crate self as sheave_sdk;

pub mod bindings;
mod context;
mod diagnostic;
pub mod emitter;
mod export;
mod heap;
pub mod http;
pub mod log;
mod model;
mod names;
pub mod provider;
pub mod schema;

pub use bindings::base::sheave::plugin::types::{
    Diagnostic, Doc, Failure, Instance, Mark, MarkKind, RetryHint, Severity,
};
pub use context::Context;
pub use emitter::{Emitter, EmitterType, Live, Lookup, Object, Observation};
pub use model::Description;
pub use names::dns_label;
pub use provider::{Attempt, Known, Pending, Planned, Provider, Resource, Step};
pub use serde_json::{Map, Value, json};

#[doc(hidden)]
pub use wit_bindgen::rt;
