//! `diff` against the server's own judgement: what it foretells is what a dry run shows, for many odd objects.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};
use sheave_cluster::{ApplyOptions, AwaitTarget, Cluster};
use sheave_manifest::{
    Change, FIELD_MANAGER, changes_between, desired_digest, diff, owned_digest, readiness,
};
use sheave_testkit::cluster::{Namespace, unique};

use crate::{cluster, id};

/// Each case is a handful of requests.
const CASES: usize = 60;

fn definition(group: &str) -> Json {
    let int = json!({"type": "integer"});
    let item = json!({"type": "object", "properties": {"id": {"type": "string"}, "n": int, "m": int, "deep": {
        "type": "object", "properties": {"x": int, "y": int}}}, "required": ["id"]});
    let keyed = json!({"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"]});
    let spec = json!({"type": "object", "properties": {
        "n": int,
        "free": {"type": "object", "additionalProperties": int},
        "plain": {"type": "object", "properties": {"a": int, "b": int, "inner": {"type": "object", "properties": {"c": int}}}},
        "parts": keyed,
        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "list": {"type": "array", "items": {"type": "object", "properties": {"a": int, "b": int}}},
        "whole": {"type": "object", "additionalProperties": int, "x-kubernetes-map-type": "atomic"},
    }});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("oddities.{group}")},
        "spec": {"group": group, "scope": "Namespaced", "names": {"kind": "Oddity", "plural": "oddities"}, "versions": [
            {"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}]}})
}

fn int() -> impl Strategy<Value = Json> {
    (0..3_i64).prop_map(Json::from)
}

fn fields(names: &'static str, value: impl Strategy<Value = Json> + 'static) -> BoxedStrategy<Json> {
    proptest::collection::btree_map(names, value, 0..3).prop_map(|m| json!(m)).boxed()
}

fn spec() -> impl Strategy<Value = Json> {
    let parts = proptest::collection::btree_map(
        "[a-c]",
        (fields("[nm]", int()), proptest::option::of(fields("[xy]", int()))),
        0..3,
    );
    let parts = parts.prop_map(|parts| {
        let part = |(id, (mut part, deep)): (String, (Json, Option<Json>))| {
            part["id"] = json!(id);
            if let Some(deep) = deep {
                part["deep"] = deep;
            }
            part
        };
        Json::from(parts.into_iter().map(part).collect::<Vec<_>>())
    });
    let plain =
        (fields("[ab]", int()), proptest::option::of(fields("c", int()))).prop_map(|(mut plain, inner)| {
            if let Some(inner) = inner {
                plain["inner"] = inner;
            }
            plain
        });
    let tags = proptest::collection::btree_set("[a-c]", 0..3).prop_map(|t| json!(t));
    let list = proptest::collection::vec(fields("[ab]", int()), 0..3).prop_map(Json::from);
    let half = |s: BoxedStrategy<Json>| proptest::option::of(s);
    (
        half(int().boxed()),
        half(fields("[a-c]", int())),
        half(plain.boxed()),
        half(parts.boxed()),
        half(tags.boxed()),
        half(list.boxed()),
        half(fields("[a-c]", int())),
    )
        .prop_map(|(n, free, plain, parts, tags, list, whole)| {
            let all = [
                ("n", n),
                ("free", free),
                ("plain", plain),
                ("parts", parts),
                ("tags", tags),
                ("list", list),
                ("whole", whole),
            ];
            Json::Object(all.into_iter().filter_map(|(k, v)| Some((k.to_owned(), v?))).collect())
        })
}

/// Each leaf that changes, by its path and with its values; empty maps and lists are no leaves.
fn leaves(changes: &[Change]) -> BTreeSet<String> {
    fn walk(value: &Json, path: &str, see: &mut dyn FnMut(String)) {
        match value {
            Json::Object(fields) => fields.iter().for_each(|(k, v)| walk(v, &format!("{path}.{k}"), see)),
            Json::Array(items) => items.iter().enumerate().for_each(|(i, v)| {
                let label = v.get("id").and_then(Json::as_str).map_or_else(|| i.to_string(), str::to_owned);
                walk(v, &format!("{path}[{label}]"), see);
            }),
            leaf => see(format!("{path} {leaf}")),
        }
    }
    let mut out = BTreeSet::new();
    for change in changes {
        // Members of a set are told by their values.
        let path = change.path.split("tags[").next().unwrap();
        for (sign, side) in [("-", &change.before), ("+", &change.after)] {
            let mut see = |leaf: String| {
                let _ = out.insert(format!("{sign} {}", without_positions(&leaf)));
            };
            side.iter().for_each(|value| walk(value, path, &mut see));
        }
    }
    out
}

fn without_positions(leaf: &str) -> String {
    match leaf.split_once("spec.tags") {
        Some((_, rest)) => format!("spec.tags {}", rest.rsplit(' ').next().unwrap()),
        None => leaf.replace("spec. ", "spec.tags "),
    }
}

async fn defined() -> (Cluster, Namespace, String, Json) {
    let (cluster, ns) = cluster().await;
    let group = format!("{}.example.com", unique("g"));
    let crd = definition(&group);
    cluster.apply(&crd, &ApplyOptions::default()).await.unwrap();
    let awaited = AwaitTarget { id: id(&crd), uid: None, seen: None, judge: Box::new(readiness) };
    cluster.await_ready(vec![awaited], Duration::from_secs(60), |_| ()).await.unwrap();
    (cluster, ns, format!("{group}/v1"), crd)
}

#[tokio::test]
async fn what_diff_foretells_is_what_the_server_does() {
    let (cluster, ns, version, crd) = defined().await;
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let apply = |obj: Json, manager: &'static str, dry_run: bool| {
        let cluster = cluster.clone();
        async move {
            let options = ApplyOptions { force: true, dry_run, field_manager: manager.to_owned() };
            let refused = match cluster.apply(&obj, &options).await {
                Ok(applied) => return Some(applied.object),
                Err(error) => error.diagnostic(),
            };
            // A map of a custom resource that is emptied becomes null in the server's merge, which its validation
            // then refuses.
            let known =
                refused.detail.as_deref().is_some_and(|d| d.contains("must be of type object: \"null\""));
            assert!(known, "{refused:?}\n{obj}");
            None
        }
    };
    let mut sure = 0;
    for case in 0..CASES {
        let (old, new, foreign) =
            (spec(), spec(), proptest::option::of(spec())).new_tree(&mut runner).unwrap().current();
        let object = |spec: Json| json!({"apiVersion": version, "kind": "Oddity", "metadata": {"name": format!("o{case}"), "namespace": ns.name}, "spec": spec});
        let Some(mut live) = apply(object(old.clone()), FIELD_MANAGER, false).await else { continue };
        let digest = owned_digest(&live, FIELD_MANAGER, b"k");
        if let Some(foreign) = &foreign {
            let Some(shared) = apply(object(foreign.clone()), "other", false).await else { continue };
            live = shared;
        }
        let context = format!("old {old}\nnew {new}\nforeign {foreign:?}\nlive {}", live["spec"]);
        if foreign.is_none() {
            let same = diff(&object(old.clone()), &live, FIELD_MANAGER, &[]);
            assert!(same.changes.is_empty(), "{context}\n{:?}", same.changes);
            assert_eq!(owned_digest(&live, FIELD_MANAGER, b"k"), digest);
        }
        let desired = object(new);
        let foretold = diff(&desired, &live, FIELD_MANAGER, &[]);
        let Some(tried) = apply(desired.clone(), FIELD_MANAGER, true).await else { continue };
        let done = changes_between(&live, &tried, FIELD_MANAGER);
        if !foretold.doubt {
            sure += 1;
            assert_eq!(leaves(&foretold.changes), leaves(&done), "{context}\nthen {}", tried["spec"]);
        }
        assert_eq!(desired_digest(&desired, b"k"), desired_digest(&desired, b"k"));
    }
    assert!(sure > CASES / 2, "only {sure} of {CASES} were foretold without doubt");
    cluster.delete(&id(&crd), None).await.unwrap();
}
