//! Runs plugins: loading, limits, grants, cache. The only user of wasmtime.
