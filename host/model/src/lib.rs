//! The vocabulary that every crate of Sheave shares: addresses, values with marks, plans, journal entries, events.
//!
//! Nothing here does anything: no clock, no file, no randomness, no network. Types that may hold a secret
//! in clear ([`Value`], [`SecretText`]) cannot be serialised; what is written down is [`Sealed`] or [`Masked`].

pub mod address;
pub mod asked;
pub mod diagnostic;
pub mod document;
pub mod event;
pub mod facts;
pub mod grants;
pub mod in_flight;
pub mod journal;
pub mod limits;
pub mod manifest;
pub mod patterns;
pub mod places;
pub mod plan;
pub mod plugin;
pub mod pointer;
pub mod stack;
pub mod type_name;
pub mod value;

pub use address::{Address, Key, Step};
pub use diagnostic::{Diagnostic, Severity, SourceId, Sources, Span};
pub use document::{Masked, Sealed};
pub use plugin::{ObjectId, PluginPin, Role, TypeCatalog, TypeSchema};
pub use type_name::TypeName;
pub use value::{SecretText, Unknown, UnknownKind, Value};
