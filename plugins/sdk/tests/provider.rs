//! A provider through the interface that it exports.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sheave_sdk::bindings::base::sheave::plugin::types::Snapshot;
use sheave_sdk::bindings::provides::exports::sheave::plugin::provide::{
    Change, Guest, Planned, Step as WitStep,
};
use sheave_sdk::provider::{Exported, ProviderType, Providers, Typed};
use sheave_sdk::{
    Attempt, Context, Doc, Failure, Instance, Known, MarkKind, Pending, Provider, Resource, Step, Value, json,
};

struct Disk;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Props {
    #[schemars(extend("x-immutable" = true))]
    zone: String,
    size: u32,
}

#[derive(Serialize, JsonSchema)]
struct Outputs {
    #[schemars(extend("x-stable" = true))]
    id: String,
    device: String,
    blocks: u64,
}

#[derive(Serialize, Deserialize)]
struct State {
    zone: String,
    size: u32,
}

fn disk(id: &str, zone: String, size: u32) -> Resource<Disk> {
    let outputs = Outputs { id: id.to_owned(), device: format!("/dev/{id}"), blocks: u64::from(size) * 2 };
    Resource { id: id.to_owned(), state: State { zone, size }, outputs, private: vec![7] }
}

impl Provider for Disk {
    const NAME: &'static str = "Disk";
    const SUMMARY: &'static str = "a disk";
    type Props = Props;
    type Outputs = Outputs;
    type State = State;

    fn create(_: &Context, props: Props, attempt: &Attempt) -> Result<Step<Self>, Failure> {
        Ok(match &attempt.resume {
            None => Step::Pending(Pending {
                resume: attempt.key.clone().into_bytes(),
                after_ms: 10,
                ..Pending::default()
            }),
            Some(key) => Step::Done(disk(std::str::from_utf8(key).unwrap(), props.zone, props.size)),
        })
    }

    fn read(_: &Context, known: Known<State>) -> Result<Option<Resource<Self>>, Failure> {
        assert_eq!(known.private, [7]);
        Ok((known.id != "gone").then(|| disk(&known.id, known.state.zone, known.state.size)))
    }

    fn update(_: &Context, known: Known<State>, props: Props, _: &Attempt) -> Result<Step<Self>, Failure> {
        Ok(Step::Done(disk(&known.id, props.zone, props.size)))
    }

    fn delete(_: &Context, _: Known<State>, _: &Attempt) -> Result<Step<Self>, Failure> {
        Ok(Step::Gone)
    }
}

struct Types;

impl Providers for Types {
    fn types() -> &'static [&'static dyn ProviderType] {
        &[&Typed::<Disk>::NEW]
    }
}

type Component = Exported<Types>;

fn doc(json: &Value) -> Doc {
    Doc { json: json.to_string(), marks: Vec::new() }
}

fn of() -> Instance {
    let settings = Doc { json: String::new(), marks: Vec::new() };
    Instance { type_name: "Disk".into(), name: "d".into(), stack: "s".into(), schema_version: 1, settings }
}

fn change(prior: Option<&Snapshot>, desired: Option<&Value>) -> Change {
    Change { of: of(), prior: prior.cloned(), desired: desired.map(doc) }
}

fn apply(what: Change, resume: Option<Vec<u8>>) -> Result<WitStep, Failure> {
    let agreed = Planned { outputs: doc(&json!({})), replace: Vec::new(), notes: Vec::new() };
    Component::apply(what, agreed, "key-1".into(), resume)
}

fn made() -> Snapshot {
    let what = change(None, Some(&json!({"zone": "a", "size": 1})));
    let WitStep::Pending(pending) = apply(what.clone(), None).unwrap() else { panic!("pending first") };
    assert_eq!((pending.resume.as_slice(), pending.after_ms), (&b"key-1"[..], 10));
    let WitStep::Done(Some(made)) = apply(what, Some(pending.resume)).unwrap() else { panic!("then done") };
    made
}

fn planned(prior: Option<&Snapshot>, desired: &Value) -> (Value, Vec<String>, Vec<String>) {
    let planned = Component::plan(change(prior, Some(desired))).unwrap();
    assert!(planned.outputs.marks.iter().all(|m| m.kind == MarkKind::Unknown));
    let marks = planned.outputs.marks.into_iter().map(|m| m.pointer).collect();
    (planned.outputs.json.parse().unwrap(), marks, planned.replace)
}

#[test]
fn a_plan_by_schema_knows_what_is_stable() {
    let all = |marks: &[&str]| marks.iter().map(|m| (*m).to_owned()).collect::<Vec<_>>();
    let (outputs, marks, replace) = planned(None, &json!({"zone": "a", "size": 1}));
    assert_eq!(outputs, json!({"id": "", "device": "", "blocks": null}), "texts stay texts");
    assert_eq!((marks, replace), (all(&["/blocks", "/device", "/id"]), all(&[])));

    let made = made();
    let (outputs, marks, replace) = planned(Some(&made), &json!({"zone": "a", "size": 2}));
    assert_eq!(outputs["id"], "key-1");
    assert_eq!((marks, replace), (all(&["/blocks", "/device"]), all(&[])));

    let (_, marks, replace) = planned(Some(&made), &json!({"zone": "b", "size": 1}));
    assert_eq!((marks.len(), replace), (3, all(&["/zone"])), "what replaces it is another disk");
    assert_eq!(Component::plan(change(Some(&made), None)).unwrap().outputs.json, "{}");
}

#[test]
fn prior_and_desired_tell_what_is_done() {
    let made = made();
    assert_eq!(made.state.json.parse::<Value>().unwrap(), json!({"zone": "a", "size": 1}));
    let what = change(Some(&made), Some(&json!({"zone": "a", "size": 5})));
    let WitStep::Done(Some(grown)) = apply(what, None).unwrap() else { panic!("done") };
    assert_eq!(grown.outputs.json.parse::<Value>().unwrap()["blocks"], 10);
    assert!(matches!(apply(change(Some(&grown), None), None).unwrap(), WitStep::Done(None)));
    assert!(Component::read(of(), grown.clone()).unwrap().is_some());
    assert!(Component::read(of(), Snapshot { id: "gone".into(), ..grown }).unwrap().is_none());
}

#[test]
fn what_does_not_fit_is_told_not_trapped() {
    let wrong = change(None, Some(&json!({"zone": "a", "size": "big"})));
    assert!(
        matches!(apply(wrong, None), Err(Failure::Invalid(found)) if found[0].code == "sdk.bad-properties")
    );
    let mut stale = made();
    stale.state = doc(&json!({}));
    assert!(
        matches!(Component::read(of(), stale), Err(Failure::Invalid(found)) if found[0].code == "sdk.bad-state")
    );
    let other = Instance { type_name: "Tape".into(), ..of() };
    assert!(matches!(Component::read(other, made()), Err(Failure::Other(d)) if d.code == "sdk.unknown-type"));
}
