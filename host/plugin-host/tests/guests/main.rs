//! Every guest under `tests/guests` has a test here, named after it: without one, this file does not compile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

#[path = "../support/mod.rs"]
mod support;

mod components;
mod modules;
mod rogue;
mod vandal;

use sheave_model::plugin::{Access, Grants};
use sheave_plugin_host::wire::{Change, Mark, MarkKind, Step};
use support::*;

/// The tests that are named after guests.
mod all {
    pub(crate) use super::components::*;
    pub(crate) use super::modules::*;
    pub(crate) use super::rogue::*;
    pub(crate) use super::vandal::*;
    pub(crate) use super::{asker, counter};
}

/// What the build script found under `tests/guests`: `each_guest!(check)` expands to `check!(name);` for each.
mod listed {
    include!(concat!(env!("OUT_DIR"), "/guests.rs"));
    macro_rules! has_a_test {
        ($name:ident) => {
            #[expect(unused_imports, reason = "that the name can be imported is the check")]
            use super::all::$name as _;
        };
    }
    each_guest!(has_a_test);
}

#[tokio::test]
pub(crate) async fn asker() {
    // How often it is answered is the tests' in http.rs; here nothing was granted.
    let plugin = load(&built("asker"), &Grants::default()).await;
    let what = create("Ask", r#"{"server": "127.0.0.1:1", "times": 2}"#);
    let Step::Done(Some(asked)) = plugin.apply(&what, &agreed(), "op", None).await.unwrap() else { panic!() };
    let outputs: serde_json::Value = serde_json::from_str(&asked.outputs.json).unwrap();
    assert_eq!((&outputs["answered"], outputs["refused"].as_array().unwrap().len()), (&0.into(), 2));
    assert!(outputs["refused"][0].as_str().unwrap().contains("not granted to this plugin"), "{outputs}");
}

#[tokio::test]
pub(crate) async fn counter() {
    let at = tempfile::tempdir().unwrap();
    let plugin = load(&built("counter"), &folder(at.path(), Access::Write)).await;
    let what = create("Thing", r#"{"size": 3}"#);
    let planned = plugin.plan(&what).await.unwrap();
    assert_eq!(planned.outputs.marks, [Mark { pointer: "/id".to_owned(), kind: MarkKind::Unknown }]);
    let Step::Done(Some(made)) = plugin.apply(&what, &planned, "key-1", None).await.unwrap() else {
        panic!()
    };
    assert_eq!(std::fs::read_to_string(at.path().join("things/key-1")).unwrap(), r#"{"size": 3}"#);
    assert_eq!(plugin.read(&what.of, &made).await.unwrap().as_ref(), Some(&made));
    let delete = Change { of: what.of.clone(), prior: Some(made.clone()), desired: None };
    assert_eq!(plugin.apply(&delete, &planned, "key-2", None).await.unwrap(), Step::Done(None));
    assert_eq!(plugin.read(&what.of, &made).await.unwrap(), None);
    let calls = std::fs::read_to_string(at.path().join("calls")).unwrap();
    assert_eq!(calls, "create web key-1\ndelete web key-2\n");
}
