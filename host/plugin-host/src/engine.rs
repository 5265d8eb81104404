//! The WebAssembly engine: one set of settings for what is compiled ahead and what is compiled here.

use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

use crate::error::{HostError, LoadError};
use crate::limits;

/// The target that the host runs on.
pub(crate) const HOST_TARGET: &str = env!("SHEAVE_TARGET");

/// The engine of a host, with room for `instances` calls at once.
///
/// The pool reserves address space, not memory; where even that is refused (a container with a limit on virtual memory),
/// instances are allocated one by one, which costs some tens of microseconds a call.
pub(crate) fn running(instances: u32) -> Result<Engine, HostError> {
    let failed = |e: wasmtime::Error| HostError::Engine(format!("{e:#}"));
    let mut config = settings(HOST_TARGET).map_err(failed)?;
    config.allocation_strategy(pool(instances));
    if let Ok(engine) = Engine::new(&config) {
        return Ok(engine);
    }
    tracing::debug!(target: "plugin", "no address space for a pool of instances: allocating one by one");
    Engine::new(&settings(HOST_TARGET).map_err(failed)?).map_err(failed)
}

/// Compiles a component ahead, for the `target` triple (in a build script: the variable `TARGET`).
///
/// The code uses the CPU features that every machine of the target has. [`crate::PluginHost::load_precompiled`] of a
/// host of the same release takes it.
///
/// # Errors
///
/// [`LoadError`] where `wasm` is no valid component, under the plugin name `built-in`.
pub fn precompile(wasm: &[u8], target: &str) -> Result<Vec<u8>, LoadError> {
    let plugin = "built-in";
    crate::component::inspect(plugin, wasm)?;
    let failed = |e: wasmtime::Error| HostError::Engine(format!("{e:#}"));
    let engine = settings(target).and_then(|config| Engine::new(&config)).map_err(failed)?;
    engine
        .precompile_component(wasm)
        .map_err(|e| LoadError::Invalid { plugin: plugin.to_owned(), detail: format!("{e:#}") })
}

/// SHA-256 of a component, lower-case hex: what the lock file and the state call a plugin's digest.
pub fn digest(wasm: &[u8]) -> String {
    hex(&Sha256::digest(wasm))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// What compiled code depends on beside the component: the engine's version, settings and target.
pub(crate) fn fingerprint(engine: &Engine) -> [u8; 32] {
    struct Sink(Sha256);
    impl Hasher for Sink {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut sink = Sink(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut sink);
    sink.0.update(HOST_TARGET);
    sink.0.update(env!("CARGO_PKG_VERSION"));
    sink.0.finalize().into()
}

fn settings(target: &str) -> wasmtime::Result<Config> {
    let mut config = Config::new();
    // Named even where it is the machine's own: then the compiler keeps to what every such machine has, and code
    // compiled on one runs on the next.
    config.target(target)?;
    config.wasm_component_model(true);
    config.concurrency_support(false);
    config.consume_fuel(true);
    config.epoch_interruption(true);
    config.max_wasm_stack(limits::STACK);
    config.cranelift_opt_level(OptLevel::Speed);
    // Names of functions, for backtraces, come from the component's name section; DWARF would be parsed for nothing.
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    // For other programs that look at this one's stack; registering it takes its time at each load.
    config.native_unwind_info(false);
    // The same input gives the same output on every machine.
    config.cranelift_nan_canonicalization(true);
    config.relaxed_simd_deterministic(true);
    // What no toolchain for plugins needs is not there to be attacked.
    config.wasm_memory64(false);
    config.wasm_gc(false);
    config.wasm_function_references(false);
    config.wasm_exceptions(false);
    config.gc_support(false);
    Ok(config)
}

fn pool(instances: u32) -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_stacks(instances)
        .total_memories(instances.saturating_mul(limits::MEMORIES))
        .total_tables(instances.saturating_mul(limits::TABLES))
        .total_core_instances(instances.saturating_mul(limits::CORE_INSTANCES))
        .max_core_instances_per_component(limits::CORE_INSTANCES)
        // Loading a plugin checks both, with a better word than the engine's.
        .max_memories_per_component(u32::MAX)
        .max_tables_per_component(u32::MAX)
        .max_memories_per_module(limits::MEMORIES)
        .max_tables_per_module(limits::TABLES)
        .max_component_instance_size(limits::INSTANCE_BYTES)
        .max_core_instance_size(limits::INSTANCE_BYTES)
        .table_elements(limits::TABLE_ELEMENTS)
        // The slots are as large as 32-bit memories can be in any case: a grant may raise what a plugin gets of one.
        .max_memory_size(usize::try_from(limits::MEMORY_MOST).unwrap_or(usize::MAX))
        // What a call wrote to is wiped by writing, which is quicker than giving the pages back; where the system tells
        // which pages those are, only these are. A guest's heap begins beyond its stack and its data, a MiB or two up.
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(4 << 20)
        .table_keep_resident(64 << 10);
    InstanceAllocationStrategy::Pooling(pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_ahead_and_here_is_the_same() {
        let ahead = Engine::new(&settings(HOST_TARGET).unwrap()).unwrap();
        assert_eq!(fingerprint(&ahead), fingerprint(&running(4).unwrap()));
    }

    #[test]
    fn digests_are_lower_case_hex() {
        assert_eq!(digest(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
