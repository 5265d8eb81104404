//! The one place where bytes become native code: deserialising what the engine compiled.
//!
//! The engine cannot check that compiled code is harmless, so whoever calls must know where the bytes come from. There
//! are two sources, and both are our own: the program's own binary, into which the build put the built-in plugin, and
//! cache entries whose authentication code was checked first, with a key that is kept elsewhere than the cache.

use wasmtime::Engine;
use wasmtime::component::Component;

/// Compiled code from a source that can be trusted; only the two modules that establish it make one.
pub(crate) struct Trusted<'a>(&'a [u8]);

impl<'a> Trusted<'a> {
    /// Of this program's own binary.
    pub(crate) fn own_binary(bytes: &'static [u8]) -> Self {
        Self(bytes)
    }

    /// The payload of a cache entry whose authentication code was found right.
    pub(crate) fn authenticated(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

/// The component that the engine compiled. Fails where another version or other settings compiled it.
#[expect(
    unsafe_code,
    reason = "deserialising compiled code is unsafe; the module says why it may be done here"
)]
pub(crate) fn deserialize(engine: &Engine, code: &Trusted<'_>) -> wasmtime::Result<Component> {
    // SAFETY: the bytes are what `Component::serialize` or `Engine::precompile_component` gave, unchanged: see
    // `Trusted`, which can be made in no other way.
    unsafe { Component::deserialize(engine, code.0) }
}
