//! The built-in Kubernetes plugin, compiled ahead of time by `build.rs`.
//!
//! It is a plugin like any other, behind the same interface and without any capability; only its compiling is done
//! beforehand. `PluginHost::load_precompiled` takes it.

/// A plugin inside this program.
#[derive(Clone, Copy)]
pub struct Builtin {
    /// The name in a blueprint.
    pub name: &'static str,
    /// Machine code for this program's target, made by `sheave_plugin_host::precompile`.
    pub cwasm: &'static [u8],
    /// SHA-256 of [`Self::wasm`], lower-case hex: what plans and state call this plugin.
    pub digest: &'static str,
    /// Its manifest, as it stands in the component.
    pub manifest: &'static [u8],
    /// The component that the code was compiled from.
    pub wasm: &'static [u8],
}

/// Kubernetes' own kinds, and `Object` for every other.
pub static KUBERNETES: Builtin = Builtin {
    name: "kubernetes",
    cwasm: include_bytes!(concat!(env!("OUT_DIR"), "/kubernetes.cwasm")),
    digest: include_str!(concat!(env!("OUT_DIR"), "/kubernetes.sha256")),
    manifest: include_bytes!(concat!(env!("OUT_DIR"), "/kubernetes.manifest")),
    wasm: include_bytes!(concat!(env!("OUT_DIR"), "/kubernetes.wasm")),
};

impl std::fmt::Debug for Builtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builtin")
            .field("name", &self.name)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}
