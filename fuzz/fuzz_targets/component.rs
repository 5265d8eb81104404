//! A stranger's component, before anything of it is compiled: what it is, what it imports, its manifest.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|wasm: &[u8]| sheave_plugin_host::fuzzing::component(wasm));
