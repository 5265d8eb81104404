//! The one place where bytes become native code: deserialising what the engine compiled.
//!
//! The engine cannot check that compiled code is harmless, so whoever calls must know where the bytes come from. There
//! are two sources of plugins, and both are our own: the program's own binary, into which the build put the built-in one, and
//! cache entries whose authentication code was checked first, with a key that is kept elsewhere than the cache. Between that
//! check and the code's use nobody can change it: see [`Image`]. What is measured beside them, [`Alone`], was compiled in this process.

use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::engine::{HOST_TARGET, precompile};
use crate::error::{HostError, LoadError};
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

/// Compiled code and the engine alone, which authenticates, checks and grants nothing: what loading is measured against.
#[doc(hidden)]
#[derive(Debug)]
pub struct Alone {
    engine: Engine,
    code: Vec<u8>,
}

impl Alone {
    /// Compiles it here, so that where the code comes from is known.
    pub(crate) fn compile(engine: &Engine, wasm: &[u8]) -> Result<Self, LoadError> {
        Ok(Self { engine: engine.clone(), code: precompile(wasm, HOST_TARGET)? })
    }

    /// The compiled code.
    pub fn code(&self) -> &[u8] {
        &self.code
    }

    /// Loads it, and links it to nothing; nobody runs it.
    ///
    /// # Errors
    ///
    /// What the engine says.
    #[expect(
        unsafe_code,
        reason = "deserialising compiled code is unsafe; the module says why it may be done here"
    )]
    pub fn load(&self) -> Result<(), HostError> {
        let load = || {
            // SAFETY: the engine compiled it in this very process, and nobody else can write to it.
            let component = unsafe { Component::deserialize(&self.engine, &self.code) }?;
            let mut linker = Linker::<()>::new(&self.engine);
            linker.define_unknown_imports_as_traps(&component)?;
            linker.instantiate_pre(&component).map(drop)
        };
        load().map_err(|e: wasmtime::Error| HostError::Engine(format!("{e:#}")))
    }
}
