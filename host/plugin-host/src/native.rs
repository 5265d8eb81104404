//! The one place where bytes become native code: deserialising what the engine compiled.
//!
//! The engine cannot check that compiled code is harmless, so whoever calls must know where the bytes come from. There
//! are two sources, and both are our own: the program's own binary, into which the build put the built-in plugin, and
//! cache entries whose authentication code was checked first, with a key that is kept elsewhere than the cache. Between that
//! check and the code's use nobody can change it: see [`Image`].

use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::image::Image;

/// Compiled code from a source that can be trusted; only the two modules that establish it make one.
pub(crate) struct Trusted(Image);

impl Trusted {
    /// Of this program's own binary.
    pub(crate) fn own_binary(bytes: &'static [u8]) -> std::io::Result<Self> {
        Image::read(bytes).map(Self)
    }

    /// The payload of a cache entry whose authentication code was found right.
    pub(crate) fn authenticated(code: Image) -> Self {
        Self(code)
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.bytes().unwrap()
    }
}

/// The component that the engine compiled. Fails where another version or other settings compiled it.
#[expect(
    unsafe_code,
    reason = "deserialising compiled code is unsafe; the module says why it may be done here"
)]
pub(crate) fn deserialize(engine: &Engine, code: &Trusted) -> wasmtime::Result<Component> {
    if let Some(path) = code.0.path() {
        // SAFETY: the bytes are what `Component::serialize` or `Engine::precompile_component` gave, unchanged: see
        // `Trusted`, which can be made in no other way. The file is sealed, and this very process holds it open.
        if let Ok(component) = unsafe { Component::deserialize_file(engine, path) } {
            return Ok(component);
        }
    }
    // Where the system lets nobody map such a file, or has none, the engine copies them.
    let bytes = code.0.bytes()?;
    // SAFETY: as above.
    unsafe { Component::deserialize(engine, bytes) }
}

/// What the engine alone does to load code that this process compiled: nothing is authenticated, checked or granted.
#[expect(
    unsafe_code,
    reason = "deserialising compiled code is unsafe; the module says why it may be done here"
)]
pub(crate) fn load_alone(engine: &Engine, code: &'static [u8]) -> wasmtime::Result<()> {
    // SAFETY: `precompile` made it in this very process.
    let component = unsafe { Component::deserialize(engine, code) }?;
    let mut linker = Linker::<()>::new(engine);
    linker.define_unknown_imports_as_traps(&component)?;
    linker.instantiate_pre(&component).map(drop)
}
