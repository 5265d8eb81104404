//! The host itself: its cache, its limits on itself, and code compiled ahead.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

mod support;

use std::path::Path;
use std::time::Duration;

use sheave_model::plugin::Grants;
use sheave_plugin_host::{HostConfig, HostError, LoadError};
use support::*;

fn with_cache(folder: &Path) -> HostConfig {
    HostConfig { cache_dir: Some(folder.to_owned()), cache_key: Some([1; 32]), ..HostConfig::default() }
}

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect()
}

#[tokio::test]
async fn compiled_code_is_taken_from_the_cache() {
    let at = tempfile::tempdir().unwrap();
    let folder = at.path().join("cache");
    let rogue = built("rogue");
    host_with(with_cache(&folder)).0.load("guest", &rogue, &Grants::default()).await.unwrap();
    assert_eq!(entries(&folder).len(), 1);
    // Nothing can be compiled in no time: this comes from the cache.
    let hasty = HostConfig { compile_budget: Duration::from_millis(500), ..with_cache(&folder) };
    let plugin = host_with(hasty.clone()).0.load("guest", &rogue, &Grants::default()).await.unwrap();
    assert_eq!(plugin.render(&of("Honest"), &doc("{}"), &[]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_forged_cache_entry_is_not_run() {
    let at = tempfile::tempdir().unwrap();
    let folder = at.path().join("cache");
    let rogue = built("rogue");
    host_with(with_cache(&folder)).0.load("guest", &rogue, &Grants::default()).await.unwrap();
    let entry = entries(&folder).remove(0);
    let mut forged = std::fs::read(&entry).unwrap();
    let middle = forged.len() / 2;
    forged[middle] ^= 0xff;
    std::fs::write(&entry, &forged).unwrap();
    let plugin = host_with(with_cache(&folder)).0.load("guest", &rogue, &Grants::default()).await.unwrap();
    assert_eq!(plugin.render(&of("Honest"), &doc("{}"), &[]).await.unwrap().len(), 1);
    assert_ne!(std::fs::read(&entry).unwrap(), forged, "it was compiled again, and written");
}

#[tokio::test]
async fn without_a_key_nothing_is_cached() {
    let at = tempfile::tempdir().unwrap();
    let folder = at.path().join("cache");
    let config = HostConfig { cache_dir: Some(folder.clone()), ..HostConfig::default() };
    sheave_plugin_host::PluginHost::new(config).unwrap();
    assert!(!folder.exists());
}

#[tokio::test]
async fn compiling_has_a_budget() {
    let at = tempfile::tempdir().unwrap();
    let none = HostConfig { compile_budget: Duration::ZERO, ..with_cache(&at.path().join("cache")) };
    let error = host_with(none).0.load("guest", &built("rogue"), &Grants::default()).await.unwrap_err();
    assert_eq!(error.diagnostic().code, "plugin.compile-limit");
}

#[tokio::test]
async fn a_component_that_is_too_large_is_refused_unread() {
    let mut large = built("rogue");
    large.resize(sheave_plugin_host::limits::COMPONENT_BYTES + 1, 0);
    let error = refused(&large).await;
    assert_eq!(error.diagnostic().code, "plugin.too-large");
}

#[tokio::test]
async fn a_component_that_is_cut_short_is_refused() {
    let rogue = built("rogue");
    for length in [8, 9, 100, rogue.len() / 2, rogue.len() - 1] {
        let error = refused(&rogue[..length]).await;
        assert!(
            matches!(error, LoadError::Invalid { .. } | LoadError::MissingExport { .. }),
            "{length}: {error:?}"
        );
    }
}

#[tokio::test]
async fn more_calls_than_instances_wait_for_each_other() {
    let (host, _) = host();
    let plugin = host.load("guest", &built("rogue"), &Grants::default()).await.unwrap();
    let call = |n: usize| {
        let plugin = plugin.clone();
        tokio::spawn(async move {
            let props = doc(&format!(r#"{{"value": "v{n}"}}"#));
            plugin.render(&of("Honest"), &props, &[]).await.unwrap().remove(0).manifest.json
        })
    };
    for (n, call) in (0..50).map(|n| (n, call(n))).collect::<Vec<_>>() {
        assert!(call.await.unwrap().contains(&format!("http://v{n}:80/")));
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_harms_no_other() {
    let (host, _) = host();
    let plugin = host.load("guest", &built("rogue"), &Grants::default()).await.unwrap();
    for _ in 0..10 {
        let given_up = async { plugin.render(&of("Loop"), &doc("{}"), &[]).await };
        assert!(tokio::time::timeout(Duration::from_millis(20), given_up).await.is_err());
    }
    plugin.render(&of("Honest"), &doc("{}"), &[]).await.unwrap();
}

#[tokio::test]
async fn what_is_compiled_ahead_is_loaded_without_compiling() {
    let rogue = built("rogue");
    let compiled: &'static [u8] =
        sheave_plugin_host::precompile(&rogue, env!("SHEAVE_TARGET")).unwrap().leak();
    let digest = sheave_plugin_host::digest(&rogue);
    let (host, _) = host();
    let plugin = host.load_precompiled("guest", compiled, &digest, None).unwrap();
    assert_eq!((plugin.name(), plugin.digest(), plugin.emits()), ("guest", digest.as_str(), true));
    plugin.render(&of("Honest"), &doc("{}"), &[]).await.unwrap();
    let garbage = host.load_precompiled("guest", b"garbage", &digest, None).unwrap_err();
    assert!(matches!(garbage, LoadError::Host(HostError::Engine(_))), "{garbage:?}");
    assert_eq!(
        sheave_plugin_host::precompile(b"(module)", env!("SHEAVE_TARGET")).unwrap_err().code(),
        "plugin.not-a-component"
    );
}
