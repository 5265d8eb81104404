//! The built-in plugin: Kubernetes' own kinds as types, `Object` for every other, `Manifests` for files of them, and
//! `App` for those who would rather not think in kinds.
//!
//! It emits; the host applies. The objects stand in the resource's own target (an empty `target`), and where a
//! manifest names no namespace the host takes the target's.

mod app;
mod checks;
mod kind;
mod kinds;
mod manifest;
mod manifests;
mod object;
mod outputs;
mod schemas;

use sheave_sdk::EmitterType;

/// Every type, in the order in which they are shown.
pub fn types() -> &'static [&'static dyn EmitterType] {
    &kinds::TYPES
}

sheave_sdk::emitter!(types = types);
