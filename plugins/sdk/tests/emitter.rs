//! An emitter through the interface that it exports.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sheave_sdk::bindings::base::exports::sheave::plugin::model::Guest as Model;
use sheave_sdk::bindings::emits::exports::sheave::plugin::emit::{Guest, Live as WitLive};
use sheave_sdk::emitter::{Emitters, Exported, Typed};
use sheave_sdk::{
    Context, Diagnostic, Doc, Emitter, EmitterType, Failure, Instance, Live, Lookup, Mark, MarkKind, Object,
    Observation, Value, json,
};

struct Page;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Props {
    text: String,
    #[serde(default)]
    of: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Outputs {
    name: String,
}

impl Emitter for Page {
    const NAME: &'static str = "Page";
    const SUMMARY: &'static str = "a page";
    const VERSION: u32 = 2;
    type Props = Props;
    type Outputs = Outputs;

    fn check(cx: &Context, props: &Props) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if props.text.is_empty() {
            found.push(
                Diagnostic::error("page.empty", "the page is empty").at("/text").detail("write something"),
            );
        }
        if cx.is_secret("/text") {
            found.push(Diagnostic::warning("page.secret", "pages are read by many").at("/text"));
        }
        found
    }

    fn needs(_: &Context, props: &Props, found: &Live) -> Result<Vec<Lookup>, Failure> {
        let want = |name: &String| Lookup {
            target: String::new(),
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: None,
            name: name.clone(),
        };
        Ok(props.of.iter().filter(|name| !found.looked_for(name)).map(want).collect())
    }

    fn render(cx: &Context, props: Props, found: &Live) -> Result<Vec<Object>, Failure> {
        let before = props.of.as_deref().and_then(|name| found.get(name)).map(|o| o["data"].clone());
        let map = json!({"kind": "ConfigMap", "metadata": {"name": cx.name()}, "text": props.text, "before": before});
        Ok(vec![
            Object::new("map", map).after("other").ready_when("self.ready").restart_on("map").target("east"),
        ])
    }

    fn observe(cx: &Context, _: Props, live: &Live) -> Result<Observation<Outputs>, Failure> {
        let outputs = Outputs { name: cx.name().to_owned() };
        Ok(if live.get("map").is_some() {
            Observation::ready(outputs)
        } else {
            Observation::waiting("none", outputs)
        })
    }
}

struct Types;

impl Emitters for Types {
    fn types() -> &'static [&'static dyn EmitterType] {
        &[&Typed::<Page>::NEW]
    }
}

type Component = Exported<Types>;

fn doc(json: &Value) -> Doc {
    Doc { json: json.to_string(), marks: Vec::new() }
}

fn of() -> Instance {
    let settings = doc(&Value::Null);
    Instance { type_name: "Page".into(), name: "p".into(), stack: "s".into(), schema_version: 2, settings }
}

#[test]
fn describes_itself() {
    let [page] = &Component::describe()[..] else { panic!("one type") };
    assert_eq!((page.name.as_str(), page.schema_version), ("Page", 2));
    let schema: Value = Component::schema("Page".into()).unwrap().parse().unwrap();
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(schema["x-outputs"]["properties"]["name"]["type"], "string");
    assert!(
        matches!(Component::schema("Other".into()), Err(Failure::Other(d)) if d.code == "sdk.unknown-type")
    );
    assert_eq!(Component::upgrade(of(), 2, doc(&json!({"a": 1}))).unwrap().json, r#"{"a":1}"#);
    assert!(
        matches!(Component::upgrade(of(), 1, doc(&json!({}))), Err(Failure::Other(d)) if d.code == "sdk.no-upgrade")
    );
}

#[test]
fn a_check_changes_nothing_and_warnings_stop_nothing() {
    let mut props = doc(&json!({"text": "token"}));
    props.marks.push(Mark { pointer: "/text".into(), kind: MarkKind::Secret });
    let checked = Component::check(of(), props.clone()).unwrap();
    assert_eq!((checked.json, checked.marks.len()), (props.json, 1));
    let refused = Component::check(of(), doc(&json!({"text": ""})));
    let Err(Failure::Invalid(found)) = refused else { panic!("an error stops") };
    assert_eq!((found[0].code.as_str(), found[0].pointer.as_deref()), ("page.empty", Some("/text")));
    let misspelt = Component::check(of(), doc(&json!({"txt": ""})));
    assert!(matches!(misspelt, Err(Failure::Invalid(found)) if found[0].code == "sdk.bad-properties"));
}

#[test]
fn renders_with_what_was_found() {
    let props = || doc(&json!({"text": "hi", "of": "old"}));
    let wanted = Component::needs(of(), props(), Vec::new()).unwrap();
    assert_eq!((wanted.len(), wanted[0].name.as_str()), (1, "old"));
    let found = || vec![WitLive { slot: "old".into(), body: Some(doc(&json!({"data": "was"}))) }];
    assert!(Component::needs(of(), props(), found()).unwrap().is_empty());
    let [object] = &Component::render(of(), props(), found()).unwrap()[..] else { panic!("one object") };
    let manifest: Value = object.manifest.json.parse().unwrap();
    assert_eq!((&manifest["before"], &manifest["text"]), (&json!("was"), &json!("hi")));
    assert_eq!((object.slot.as_str(), object.target.as_str()), ("map", "east"));
    assert_eq!(object.ready_when.as_deref(), Some("self.ready"));
    assert_eq!(
        (&object.after[..], &object.restart_on[..]),
        (&["other".to_owned()][..], &["map".to_owned()][..])
    );
}

#[test]
fn observes() {
    let props = || doc(&json!({"text": "hi"}));
    let waiting =
        Component::observe(of(), props(), vec![WitLive { slot: "map".into(), body: None }]).unwrap();
    assert_eq!((waiting.ready, waiting.reason.as_str()), (false, "none"));
    let live = vec![WitLive { slot: "map".into(), body: Some(doc(&json!({}))) }];
    let ready = Component::observe(of(), props(), live).unwrap();
    assert_eq!((ready.ready, ready.outputs.json.as_str()), (true, r#"{"name":"p"}"#));
}
