//! Kinds that a run itself defines: a custom resource is planned, and checked, by its definition in the same plan, before any
//! cluster knows the kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde_json::Value as Json;
use sheave_blueprint::Schema;
use sheave_engine::RenderRequest;
use sheave_model::plugin::ObjectId;
use sheave_model::{Address, Diagnostic, Value};

use crate::context::locked;

/// Target, group and kind.
type Key = (String, String, String);

/// The definitions of one run, and the renders that wait for them.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    known: Mutex<BTreeMap<Key, Arc<Json>>>,
    put_off: Mutex<PutOff>,
}

#[derive(Debug, Default)]
struct PutOff {
    waiting: Vec<RenderRequest>,
    /// Each waits once: what is not defined when everything else is rendered will not be.
    before: BTreeSet<Address>,
}

impl Definitions {
    /// Takes an object of this run in, where it defines a kind.
    pub(crate) fn learn(&self, target: &str, object: &Json) {
        let text = |at: &str| object.pointer(at).and_then(Json::as_str).filter(|s| !s.is_empty());
        if text("/kind") != Some("CustomResourceDefinition") {
            return;
        }
        if let (Some(group), Some(kind)) = (text("/spec/group"), text("/spec/names/kind")) {
            let key = (target.to_owned(), group.to_owned(), kind.to_owned());
            locked(&self.known).insert(key, Arc::new(object.clone()));
        }
    }

    /// The definition of an object's kind, where this run has one.
    pub(crate) fn of(&self, target: &str, id: &ObjectId) -> Option<Arc<Json>> {
        locked(&self.known).get(&(target.to_owned(), id.group().to_owned(), id.kind.clone())).cloned()
    }

    /// Puts a render off until all others are done; false: it was before.
    pub(crate) fn put_off(&self, request: &RenderRequest) -> bool {
        let mut put_off = locked(&self.put_off);
        let first = put_off.before.insert(request.address.clone());
        if first {
            put_off.waiting.push(request.clone());
        }
        first
    }

    /// What was put off, to be rendered now.
    pub(crate) fn take_put_off(&self) -> Vec<RenderRequest> {
        std::mem::take(&mut locked(&self.put_off).waiting)
    }
}

/// Whether a definition's objects stand in namespaces.
pub(crate) fn is_namespaced(definition: &Json) -> bool {
    definition.pointer("/spec/scope").and_then(Json::as_str) != Some("Cluster")
}

/// What a definition's own schema says against a custom resource, as warnings: the last word is the cluster's, which also fills in
/// defaults and knows rules that the schema alone does not tell.
pub(crate) fn check(definition: &Json, id: &ObjectId, object: &Value) -> Vec<Diagnostic> {
    const CODE: &str = "kubernetes.custom-resource";
    let Some(schema) = sheave_manifest::custom_schema(definition, &id.api_version) else {
        let versions = definition.pointer("/spec/versions").and_then(Json::as_array).into_iter().flatten();
        let served: Vec<&str> = versions
            .filter(|v| v.get("served").and_then(Json::as_bool) == Some(true))
            .filter_map(|v| v.get("name")?.as_str())
            .collect();
        let summary = format!("{id} is of version `{}`, which its definition does not serve", id.api_version);
        let help = format!("served are: {}", served.join(", "));
        return vec![Diagnostic::warning(CODE, summary).with_help(help)];
    };
    // A schema that is none is for the cluster to refuse, with the definition.
    let Ok(schema) = Schema::compile(&schema) else { return Vec::new() };
    let faults = schema.check(object).into_iter();
    let warning = |fault: Diagnostic| {
        let at = fault.pointer.filter(|at| !at.is_empty()).map(|at| format!(" (`{at}`)"));
        let summary = format!("{id}: {}{}", fault.summary, at.unwrap_or_default());
        Diagnostic { help: fault.help, ..Diagnostic::warning(CODE, summary) }
    };
    faults.map(warning).collect()
}
