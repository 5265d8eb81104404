//! Objects against what the plugin that emitted them may emit, before anything is sent. Pure: what an object is was found
//! out by who knows the kinds.

use std::collections::BTreeSet;

use sheave_model::Diagnostic;
use sheave_model::facts::Permit;
use sheave_model::plugin::EmitGrant;

use crate::event::{Event, Failure, Rendered, RenderedObject};

/// Objects that are complained of one by one: the first few say what the plugin is up to.
const MOST_TOLD: usize = 10;

/// Why one object may not be emitted: in words, and the grant that would allow it.
struct Trespass {
    why: String,
    grant: (&'static str, String),
}

/// What of these objects goes beyond what may be emitted. Empty: nothing.
pub fn lint(permit: &Permit, objects: &[RenderedObject]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut more = 0_usize;
    for object in objects {
        let trespasses = of_object(permit, object);
        if trespasses.is_empty() {
            continue;
        }
        if found.len() == MOST_TOLD {
            more += 1;
            continue;
        }
        let summary = format!("the plugin `{}` emits {}, which it is not granted", permit.plugin, object.id);
        let why: Vec<&str> = trespasses.iter().map(|t| t.why.as_str()).collect();
        let diagnostic = Diagnostic::error("plugin.emit-refused", summary).with_detail(why.join("\n"));
        found.push(diagnostic.with_help(help(&trespasses)));
    }
    if more > 0 {
        let summary = format!("and {more} more objects of the plugin `{}`", permit.plugin);
        found.push(Diagnostic::error("plugin.emit-refused", summary));
    }
    found
}

/// The event, or where objects in it may not be, the failure that it becomes.
pub(crate) fn checked(event: Event) -> Event {
    match event {
        Event::Rendered { address, result: Ok(Rendered::Objects { properties, key, objects, permit }) } => {
            let faults = lint(&permit, &objects);
            let result = if faults.is_empty() {
                Ok(Rendered::Objects { properties, key, objects, permit })
            } else {
                // Nothing is applied of a plan in which a plugin takes more than it was given.
                Err(Failure::blueprint(faults))
            };
            Event::Rendered { address, result }
        }
        other => other,
    }
}

fn of_object(permit: &Permit, object: &RenderedObject) -> Vec<Trespass> {
    let EmitGrant { kinds, namespaces, targets, cluster_scoped, allow, .. } = &permit.emit;
    let (group, kind) = (object.id.group(), object.id.kind.as_str());
    let named = if group.is_empty() { kind.to_owned() } else { format!("{group}/{kind}") };
    let mut found = Vec::new();
    let mut trespass = |why: String, key, value: String| found.push(Trespass { why, grant: (key, value) });
    if object.target != permit.target && !targets.iter().any(|t| t.matches(&object.target)) {
        let why =
            format!("it goes to the target `{}`, and the resource's is `{}`", object.target, permit.target);
        trespass(why, "targets", object.target.clone());
    }
    if object.facts.cluster_scoped {
        if !cluster_scoped.iter().any(|k| k.matches(group, kind)) {
            trespass(
                format!("`{named}` belongs to no namespace but to the whole cluster"),
                "cluster-scoped",
                named,
            );
        }
    } else {
        if kinds.as_ref().is_some_and(|kinds| !kinds.iter().any(|k| k.matches(group, kind))) {
            trespass(format!("`{named}` is none of the kinds that it may emit"), "kinds", named);
        }
        let namespace = object.id.namespace.as_deref().unwrap_or_default();
        if object.facts.away && !namespaces.iter().any(|n| n.matches(namespace)) {
            let why = format!("it stands in the namespace `{namespace}`, which is not the target's own");
            trespass(why, "namespaces", namespace.to_owned());
        }
    }
    for (danger, at) in &object.facts.dangers {
        if !allow.contains(danger) {
            let place = if at.is_empty() { String::new() } else { format!(", at `{at}`") };
            trespass(format!("it is dangerous: {danger}{place}"), "allow", danger.word().to_owned());
        }
    }
    found
}

/// The grant that would allow all of it.
fn help(trespasses: &[Trespass]) -> String {
    let mut grants = Vec::new();
    for key in ["targets", "kinds", "namespaces", "cluster-scoped", "allow"] {
        let values: BTreeSet<&str> =
            trespasses.iter().filter(|t| t.grant.0 == key).map(|t| t.grant.1.as_str()).collect();
        if !values.is_empty() {
            grants.push(format!("{key}: [{}]", values.into_iter().collect::<Vec<_>>().join(", ")));
        }
    }
    format!("where that is meant, and the plugin asks for it: `grants: {{emit: {{{}}}}}`", grants.join(", "))
}
