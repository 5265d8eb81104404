//! What emitters looked up: found once, it is what they see for the rest of a run, and of the run that carries a saved plan out.
//!
//! A plan shows objects that were made of it. Were it looked up again later, the objects could be others, and the plan would
//! have been agreed to for nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use sheave_model::Address;
use sheave_model::plan::{Found, Plan};
use sheave_plugin_host::wire::{Doc, Lookup};

use crate::context::{Context, locked};

/// Bytes of what was found that are kept in all. A plan is read by people and sent around; what is beyond this is looked up again,
/// and a render that differs by then is refused.
const MAX_KEPT: usize = 16 << 20;

/// What was found so far, as plugins saw it.
#[derive(Debug, Default)]
pub(crate) struct Looked(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    bytes: usize,
    by_resource: BTreeMap<Address, BTreeMap<Lookup, Option<String>>>,
}

impl Kept {
    fn keep(&mut self, address: &Address, lookup: Lookup, body: Option<String>) {
        // Of what is not there the names alone take room.
        let size = lookup.name.len() + lookup.kind.len() + body.as_ref().map_or(0, String::len);
        if self.bytes + size <= MAX_KEPT {
            self.bytes += size;
            self.by_resource.entry(address.clone()).or_default().insert(lookup, body);
        }
    }
}

impl Context {
    /// What a resource saw of an object before; the outer none: it did not look.
    pub(crate) fn seen_before(&self, address: &Address, lookup: &Lookup) -> Option<Option<Doc>> {
        let kept = locked(&self.looked.0);
        let body = kept.by_resource.get(address)?.get(lookup)?;
        Some(body.as_ref().map(|json| Doc { json: json.clone(), marks: Vec::new() }))
    }

    /// A resource looked at an object.
    pub(crate) fn has_seen(&self, address: &Address, lookup: &Lookup, body: Option<&Doc>) {
        let body = body.map(|doc| doc.json.clone());
        locked(&self.looked.0).keep(address, lookup.clone(), body);
    }

    /// Writes what was found into a plan.
    pub(crate) fn note_found(&self, plan: &mut Plan) {
        let kept = locked(&self.looked.0);
        let planned = plan.resources.iter().filter(|r| r.deferred.is_none());
        let found = planned.filter_map(|r| Some((r.address.clone(), kept.by_resource.get(&r.address)?)));
        let of = |(lookup, body): (&Lookup, &Option<String>)| Found {
            target: lookup.target.clone(),
            api_version: lookup.api_version.clone(),
            kind: lookup.kind.clone(),
            namespace: lookup.namespace.clone(),
            name: lookup.name.clone(),
            body: body.as_ref().and_then(|json| serde_json::from_str(json).ok()),
        };
        plan.found = found.map(|(address, all)| (address, all.iter().map(of).collect())).collect();
    }

    /// What a plan that is carried out was made of, and nothing else: of a deferred resource there was no plan to agree to, and it sees
    /// what there is by then. Secrets that became known since are masked here, too.
    pub(crate) fn see_as_planned(&self, plan: &Plan) {
        let mut kept = Kept::default();
        let deferred: BTreeSet<&Address> =
            plan.resources.iter().filter(|r| r.deferred.is_some()).map(|r| &r.address).collect();
        for (address, all) in plan.found.iter().filter(|(address, _)| !deferred.contains(address)) {
            for found in all {
                let lookup = Lookup {
                    target: found.target.clone(),
                    api_version: found.api_version.clone(),
                    kind: found.kind.clone(),
                    namespace: found.namespace.clone(),
                    name: found.name.clone(),
                };
                let body = found.body.clone().map(|mut body| {
                    self.mask().json(&mut body);
                    body.to_string()
                });
                kept.keep(address, lookup, body);
            }
        }
        *locked(&self.looked.0) = kept;
    }
}
