//! Limits from both sides, and what a grant gives beside what it does not: just up to it everything goes, just beyond it is named.
//! Those of HTTP stand in http.rs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

mod support;

use sheave_model::plugin::{Access, Grants};
use sheave_plugin_host::wire::Step;
use sheave_plugin_host::{CallError, HostConfig, LoadError, limits};
use support::*;

/// Renders one of rogue's types with the given properties.
async fn render(ty: &str, props: &str) -> Result<Vec<String>, CallError> {
    let plugin = load(&built("rogue"), &Grants::default()).await;
    let objects = plugin.render(&of(ty), &doc(props), &[]).await?;
    Ok(objects.into_iter().map(|o| o.manifest.json).collect())
}

/// Applies one of vandal's types.
async fn apply(ty: &str, props: &str, grants: &Grants) -> Result<Step, CallError> {
    load(&built("vandal"), grants).await.apply(&create(ty, props), &agreed(), "op", None).await
}

async fn outputs(ty: &str, props: &str, grants: &Grants) -> serde_json::Value {
    match apply(ty, props, grants).await.unwrap() {
        Step::Done(Some(snapshot)) => serde_json::from_str(&snapshot.outputs.json).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn load_code(error: &LoadError) -> &'static str {
    assert!(error.diagnostic().help.is_some(), "{error}");
    error.code()
}

#[tokio::test]
async fn as_many_handles_as_may_be_and_one_more() {
    let at = tempfile::tempdir().unwrap();
    let most = limits::HANDLES;
    // In the stub each wait is one handle; WASI's own keeps one of its own for each.
    for (grants, most) in [(Grants::default(), most), (folder(at.path(), Access::Read), most / 2)] {
        let crowd = |many: usize| format!(r#"{{"many": {many}}}"#);
        assert_eq!(outputs("Crowd", &crowd(most), &grants).await["alive"], most);
        let error = apply("Crowd", &crowd(most + 1), &grants).await.unwrap_err();
        assert_eq!(code(&error), "plugin.limit.handles", "{error:?}");
    }
}

#[tokio::test]
async fn as_much_fuel_as_a_call_takes_and_one_unit_less() {
    let with = async |fuel: u64| {
        let (host, _) = host_with(HostConfig { fuel, ..HostConfig::default() });
        let plugin = host.load("guest", &built("rogue"), &Grants::default()).await.unwrap();
        plugin.render(&of("Many"), &doc(r#"{"many": 10}"#), &[]).await
    };
    // The same call takes the same fuel each time: what it takes is found by halving.
    let (mut less, mut enough) = (0, limits::FUEL);
    while enough - less > 1 {
        let fuel = less + (enough - less) / 2;
        match with(fuel).await {
            Ok(_) => enough = fuel,
            Err(_) => less = fuel,
        }
    }
    assert_eq!(with(enough).await.unwrap().len(), 10);
    let error = with(less).await.unwrap_err();
    assert_eq!(code(&error), "plugin.limit.fuel");
    assert!(less > 1_000, "it computes something: {less}");
}

#[tokio::test]
async fn as_many_objects_and_log_lines_as_may_be_pass() {
    assert_eq!(render("Many", r#"{"many": 10000}"#).await.unwrap().len(), 10_000);
    let more = render("Many", r#"{"many": 10001}"#).await.unwrap_err();
    assert_eq!(code(&more), "plugin.limit.objects");
    for (most, told) in [(1_000, 1_000), (1_001, 1_001)] {
        let (host, lines) = host();
        let plugin = host.load("guest", &built("rogue"), &Grants::default()).await.unwrap();
        plugin.render(&of("Logs"), &doc(&format!(r#"{{"lines": {most}}}"#)), &[]).await.unwrap();
        let lines = lines.lock().unwrap();
        assert_eq!(lines.len(), told);
        assert_eq!(lines.iter().filter(|l| l.code == Some("plugin.limit.log")).count(), told - 1_000);
    }
}

/// An emitter whose functions are missing, with this many core instances, each with a memory, a table or nothing: what is wrong
/// with it is said only where it is not too large.
async fn of_size(instances: usize, each: &str) -> String {
    let text = format!(
        "(component (core module $m {each}) {} (instance $none) \
         (export \"sheave:plugin/model@0.1.0\" (instance $none)) (export \"sheave:plugin/emit@0.1.0\" (instance $none)))",
        "(core instance (instantiate $m))".repeat(instances)
    );
    let error = refused(&wat::parse_str(text).unwrap()).await;
    format!("{}: {error}: {}", load_code(&error), error.diagnostic().detail.unwrap_or_default())
}

#[tokio::test]
async fn a_component_as_large_as_may_be_and_one_larger() {
    for (each, most, what) in [
        ("(memory 1)", limits::MEMORIES, "9 memories, 8 are allowed"),
        ("(table 1 funcref)", limits::TABLES, "41 tables, 40 are allowed"),
        ("", limits::CORE_INSTANCES, "maximum of 100"),
    ] {
        let fits = of_size(most as usize, each).await;
        assert!(fits.starts_with("plugin.missing-export"), "{each}: {fits}");
        let more = of_size(most as usize + 1, each).await;
        assert!(more.starts_with("plugin.too-large") || more.starts_with("plugin.invalid"), "{each}: {more}");
        assert!(more.contains(what), "{each}: {more}");
    }
    let mut bytes = built("rogue");
    bytes.resize(limits::COMPONENT_BYTES, 0);
    assert_ne!(load_code(&refused(&bytes).await), "plugin.too-large");
    bytes.push(0);
    let error = refused(&bytes).await;
    assert_eq!(load_code(&error), "plugin.too-large");
    assert!(error.to_string().contains("67108865 bytes, 67108864 are allowed"), "{error}");
}

#[tokio::test]
async fn environment_and_arguments_are_what_was_granted_and_nothing_else() {
    let at = tempfile::tempdir().unwrap();
    assert!(std::env::vars().count() > 0, "there is something that could be inherited");
    let env = [("REGION".to_owned(), "eu-1".to_owned()), ("EMPTY".to_owned(), String::new())];
    let args = vec!["--verbose".to_owned(), "two words".to_owned()];
    let (env, args) = (env.into_iter().collect::<std::collections::BTreeMap<_, _>>(), args);
    let both = Grants { env: env.clone(), args: args.clone(), ..Grants::default() };
    let seen = outputs("Look", "{}", &both).await;
    assert_eq!(seen["env"], serde_json::json!({"REGION": "eu-1", "EMPTY": ""}));
    assert_eq!(seen["args"], serde_json::json!(["plugin", "--verbose", "two words"]));
    for (grants, has_env, has_args) in [
        (Grants { env, ..Grants::default() }, true, false),
        (Grants { args, ..Grants::default() }, false, true),
        // Real WASI, for another reason: what it has of its own must not be the user's.
        (folder(at.path(), Access::Read), false, false),
        (Grants { clock: true, ..Grants::default() }, false, false),
        (Grants::default(), false, false),
    ] {
        let seen = outputs("Look", "{}", &grants).await;
        assert_eq!(seen["env"].as_object().unwrap().is_empty(), !has_env, "{grants:?}: {seen}");
        assert_eq!(seen["args"].as_array().unwrap().is_empty(), !has_args, "{grants:?}: {seen}");
    }
    let plan = load(&built("vandal"), &both).await.plan(&create("Look", "{}")).await.unwrap();
    assert_eq!(plan.outputs.json, r#"{"args":[],"env":{},"folders":[]}"#, "a plan is a pure call");
}
