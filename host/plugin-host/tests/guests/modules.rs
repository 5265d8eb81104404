//! Core modules that break down when they are called.

use sheave_model::plugin::Grants;
use sheave_plugin_host::{CallError, LimitName};

use crate::support::*;

/// Renders with a guest of `modules`.
async fn module_fault(name: &str) -> CallError {
    let (host, _) = host();
    let plugin = host.load("guest", &module(name), &Grants::default()).await.unwrap();
    plugin.render(&of("Any"), &doc("{}"), &[]).await.unwrap_err()
}

#[tokio::test]
pub(crate) async fn spins_at_start() {
    let error = module_fault("spins-at-start").await;
    assert!(matches!(code(&error).as_str(), "plugin.limit.time" | "plugin.limit.fuel"), "{error:?}");
}

#[tokio::test]
pub(crate) async fn far_pointer() {
    let error = module_fault("far-pointer").await;
    assert_eq!(code(&error), "plugin.bad-reply");
    assert!(error.to_string().contains("out of bounds"), "{error}");
}

#[tokio::test]
pub(crate) async fn wide_memory() {
    assert_eq!(code(&module_fault("wide-memory").await), "plugin.limit.memory");
}

#[tokio::test]
pub(crate) async fn two_memories() {
    assert_eq!(code(&module_fault("two-memories").await), "plugin.limit.memory");
}

#[tokio::test]
pub(crate) async fn table_hog() {
    let error = module_fault("table-hog").await;
    assert!(matches!(error, CallError::Limit { limit: LimitName::Tables, .. }), "{error:?}");
}

#[tokio::test]
pub(crate) async fn hundredfold() {
    // How little memory that takes is the test in reply_memory.rs.
    assert_eq!(code(&module_fault("hundredfold").await), "plugin.limit.reply");
}
