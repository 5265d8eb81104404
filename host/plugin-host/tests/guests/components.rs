//! Components that are refused when they are loaded, and some that only look as if they should be.

use sheave_plugin_host::LoadError;

use crate::support::*;

fn load_code(error: &LoadError) -> &'static str {
    let diagnostic = error.diagnostic();
    assert_eq!(diagnostic.code, error.code());
    assert!(diagnostic.help.is_some() && diagnostic.summary.contains("guest"), "{diagnostic:?}");
    error.code()
}

#[tokio::test]
pub(crate) async fn core_module() {
    let error = refused(&component("core-module")).await;
    assert_eq!(load_code(&error), "plugin.not-a-component");
    assert!(error.to_string().contains("a core module"), "{error}");
    assert!(error.diagnostic().help.unwrap().contains("component new"));
}

#[tokio::test]
pub(crate) async fn undeclared_import() {
    let error = refused(&component("undeclared-import")).await;
    assert_eq!(load_code(&error), "plugin.import-refused");
    assert!(error.to_string().contains("`acme:db/query@1.0.0`"), "{error}");
}

#[tokio::test]
pub(crate) async fn wants_network() {
    let error = refused(&component("wants-network")).await;
    assert_eq!(load_code(&error), "plugin.import-refused");
    assert!(error.diagnostic().help.unwrap().contains("serve none"));
}

#[tokio::test]
pub(crate) async fn old_interface() {
    let error = refused(&component("old-interface")).await;
    assert_eq!(load_code(&error), "plugin.interface-version");
    assert!(
        error.to_string().contains("speaks sheave:plugin@0.0.9, this host speaks sheave:plugin@0.1.0"),
        "{error}"
    );
}

#[tokio::test]
pub(crate) async fn only_model() {
    let error = refused(&component("only-model")).await;
    assert_eq!(load_code(&error), "plugin.missing-export");
}

#[tokio::test]
pub(crate) async fn empty_interfaces() {
    let error = refused(&component("empty-interfaces")).await;
    assert_eq!(load_code(&error), "plugin.missing-export");
    assert!(error.to_string().contains("sheave:plugin/model@0.1.0#describe"), "{error}");
}

#[tokio::test]
pub(crate) async fn wrong_types() {
    let error = refused(&component("wrong-types")).await;
    assert_eq!(load_code(&error), "plugin.interface-mismatch");
    assert!(error.diagnostic().detail.unwrap().contains("describe"));
}

#[tokio::test]
pub(crate) async fn wrong_import() {
    let error = refused(&component("wrong-import")).await;
    assert_eq!(load_code(&error), "plugin.interface-mismatch");
}

#[tokio::test]
pub(crate) async fn shared_memory() {
    let error = refused(&component("shared-memory")).await;
    assert_eq!(load_code(&error), "plugin.invalid");
    assert!(error.diagnostic().detail.unwrap().contains("threads"));
}

#[tokio::test]
pub(crate) async fn many_memories() {
    let error = refused(&component("many-memories")).await;
    assert_eq!(load_code(&error), "plugin.too-large");
    assert!(error.to_string().contains("9 memories, 8 are allowed"), "{error}");
}
