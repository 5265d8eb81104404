//! Guests as bytes, and a host to run them.

#![allow(dead_code, reason = "each test crate uses a part of it")]

use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use sheave_model::plugin::{Access, FolderGrant, Grants, LimitRaises};
use sheave_plugin_host::wire::{Change, Doc, Instance, LogLine, Planned};
use sheave_plugin_host::{CallError, HostConfig, LoadError, Plugin, PluginHost};
use wit_component::{ComponentEncoder, StringEncoding};

pub(crate) mod behaviours;

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A guest that `cargo xtask guests` built.
pub(crate) fn built(name: &str) -> Vec<u8> {
    let path = root().join(format!("target/guests/{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}: run `cargo xtask guests` first", path.display()))
}

/// A guest of `tests/guests/components`.
pub(crate) fn component(name: &str) -> Vec<u8> {
    wat::parse_file(root().join(format!("tests/guests/components/{name}.wat"))).unwrap()
}

/// A guest of `tests/guests/modules`, wrapped into a component of the world `emitter`.
pub(crate) fn module(name: &str) -> Vec<u8> {
    of_module(&wat::parse_file(root().join(format!("tests/guests/modules/{name}.wat"))).unwrap())
}

/// A core module as a component of the world `emitter`.
pub(crate) fn of_module(module: &[u8]) -> Vec<u8> {
    let mut module = module.to_vec();
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_file(root().join("wit/plugin.wit")).unwrap();
    let world = resolve.select_world(&[package], Some("emitter")).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
        .unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// A host with a small number of instances, and what its plugins log.
pub(crate) fn host() -> (PluginHost, Arc<Mutex<Vec<LogLine>>>) {
    host_with(HostConfig::default())
}

pub(crate) fn host_with(config: HostConfig) -> (PluginHost, Arc<Mutex<Vec<LogLine>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let log: sheave_plugin_host::LogSink = Arc::new(move |line| sink.lock().unwrap().push(line));
    // What one test compiled, the next need not.
    static CACHE: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
    let cache_dir = config.cache_dir.clone().or_else(|| Some(CACHE.path().join("cache")));
    let cache_key = config.cache_key.or(Some([9; 32]));
    let config = HostConfig { max_instances: 4, log: Some(log), cache_dir, cache_key, ..config };
    let host = PluginHost::new(config).unwrap();
    (host, lines)
}

pub(crate) async fn load(wasm: &[u8], grants: &Grants) -> Plugin {
    host().0.load("guest", wasm, grants).await.unwrap()
}

pub(crate) async fn refused(wasm: &[u8]) -> LoadError {
    host().0.load("guest", wasm, &Grants::default()).await.unwrap_err()
}

pub(crate) fn raised(limits: LimitRaises) -> Grants {
    Grants { limits, ..Grants::default() }
}

pub(crate) fn folder(path: &std::path::Path, access: Access) -> Grants {
    let path = path.to_str().unwrap().to_owned();
    Grants { filesystem: vec![FolderGrant { path, access }], ..Grants::default() }
}

pub(crate) fn doc(json: &str) -> Doc {
    Doc { json: json.to_owned(), marks: Vec::new() }
}

pub(crate) fn of(type_name: &str) -> Instance {
    Instance {
        type_name: type_name.to_owned(),
        name: "web".to_owned(),
        stack: "test".to_owned(),
        schema_version: 1,
        settings: doc("{}"),
    }
}

pub(crate) fn create(type_name: &str, props: &str) -> Change {
    Change { of: of(type_name), prior: None, desired: Some(doc(props)) }
}

pub(crate) fn agreed() -> Planned {
    Planned { outputs: doc("{}"), replace: Vec::new(), notes: Vec::new() }
}

/// The error's code, after a look at what every error must have.
pub(crate) fn code(error: &CallError) -> String {
    let diagnostic = error.diagnostic();
    assert_eq!(diagnostic.code, error.code());
    if !matches!(error, CallError::Answer(_)) {
        assert!(diagnostic.help.is_some(), "{error}");
        assert!(diagnostic.summary.contains("guest"), "{error} does not name the plugin");
    }
    diagnostic.code
}
