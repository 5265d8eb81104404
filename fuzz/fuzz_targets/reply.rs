//! What a plugin replies, lifted out of its memory, before anybody relies on it.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sheave_plugin_host::fuzzing;
use sheave_plugin_host::wire::{Doc, Emitted, Lookup, Mark, MarkKind, Observation, Planned, Snapshot};

#[derive(Arbitrary, Debug)]
struct FuzzedDoc {
    json: String,
    marks: Vec<(String, bool)>,
}

impl From<FuzzedDoc> for Doc {
    fn from(doc: FuzzedDoc) -> Self {
        let kind = |secret| if secret { MarkKind::Secret } else { MarkKind::Unknown };
        let marks = doc.marks.into_iter().map(|(pointer, secret)| Mark { pointer, kind: kind(secret) });
        Self { json: doc.json, marks: marks.collect() }
    }
}

#[derive(Arbitrary, Debug)]
struct FuzzedObject {
    slot: String,
    target: String,
    manifest: FuzzedDoc,
    after: Vec<String>,
    ready_when: Option<String>,
    restart_on: Vec<String>,
}

impl From<FuzzedObject> for Emitted {
    fn from(of: FuzzedObject) -> Self {
        let FuzzedObject { slot, target, manifest, after, ready_when, restart_on } = of;
        Self { slot, target, manifest: manifest.into(), after, ready_when, restart_on }
    }
}

#[derive(Arbitrary, Debug)]
enum Fuzzed {
    Doc(FuzzedDoc),
    Schema(String),
    Objects(Vec<FuzzedObject>),
    Lookups(Vec<(String, String, String, Option<String>, String)>),
    Observation(bool, String, FuzzedDoc),
    Snapshot(String, FuzzedDoc, FuzzedDoc, Vec<u8>),
    Planned(FuzzedDoc, Vec<String>),
}

fuzz_target!(|reply: Fuzzed| {
    match reply {
        Fuzzed::Doc(doc) => fuzzing::reply(&Doc::from(doc)),
        Fuzzed::Schema(text) => fuzzing::reply(&text),
        Fuzzed::Objects(all) => fuzzing::reply(&all.into_iter().map(Emitted::from).collect::<Vec<_>>()),
        Fuzzed::Lookups(all) => {
            let lookup = |(target, api_version, kind, namespace, name)| Lookup {
                target,
                api_version,
                kind,
                namespace,
                name,
            };
            fuzzing::reply(&all.into_iter().map(lookup).collect::<Vec<_>>());
        }
        Fuzzed::Observation(ready, reason, outputs) => {
            fuzzing::reply(&Observation { ready, reason, outputs: outputs.into() });
        }
        Fuzzed::Snapshot(id, state, outputs, private_data) => {
            fuzzing::reply(&Snapshot { id, state: state.into(), outputs: outputs.into(), private_data });
        }
        Fuzzed::Planned(outputs, replace) => {
            fuzzing::reply(&Planned { outputs: outputs.into(), replace, notes: Vec::new() });
        }
    }
});
