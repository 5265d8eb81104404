//! A plan for people: object by object, field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use sheave_model::Role;
use sheave_model::plan::{
    Action, Counts, Deferred, FieldChange, Plan, PlannedObject, PlannedResource, Purpose,
};

use super::{change, document, outside};
use crate::look::Paint;

/// Renders the whole of `plan`.
pub(crate) fn plan(plan: &Plan, paint: Paint) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = Renderer { plan, paint, targets: targets(plan) }.all(&mut out);
    out
}

/// A plan that changes nothing but the stack's outputs: what they will be.
pub(crate) fn outputs_only(plan: &Plan, paint: Paint) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = Renderer { plan, paint, targets: BTreeSet::new() }.outputs(&mut out);
    out.push_str("Plan: only the outputs change.\n");
    out
}

/// `Plan: 3 to create, 1 to update, 7 unchanged.`
pub(crate) fn summary(plan: &Plan) -> String {
    if plan.is_empty() {
        return "Nothing to do.".to_owned();
    }
    let Counts { create, update, delete, unchanged, failed } = plan.counts();
    let resources = |action| plan.resources.iter().filter(|r| r.action == action).count() as u64;
    let replace = objects(plan, Action::Replace);
    let parts = [
        (create - replace.min(create), "to create"),
        (update, "to update"),
        (replace, "to replace"),
        (delete, "to delete"),
        (resources(Action::Forget), "to forget"),
        (resources(Action::Await), "to wait for"),
        (unchanged.saturating_sub(objects(plan, Action::Forget) + objects(plan, Action::Await)), "unchanged"),
        (failed, "could not be planned"),
    ];
    let said: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    format!("Plan: {}.", said.join(", "))
}

/// Objects, and resources without any, that `action` stands for: what [`Plan::counts`] counts.
fn objects(plan: &Plan, action: Action) -> u64 {
    let of = |r: &PlannedResource| match r.objects.len() {
        0 => usize::from(r.action == action),
        _ => r.objects.iter().filter(|o| o.action == action).count(),
    };
    plan.resources.iter().map(|r| of(r) as u64).sum()
}

fn targets(plan: &Plan) -> BTreeSet<&str> {
    plan.resources.iter().flat_map(|r| r.objects.iter().map(|o| o.target.as_str())).collect()
}

/// What others changed of one object; `address` and `id` are harmless.
pub(crate) fn drifted(
    out: &mut String,
    address: &str,
    id: &str,
    drift: &[FieldChange],
    paint: Paint,
) -> fmt::Result {
    for (manager, fields) in by_manager(drift) {
        let whose = manager.map_or(String::new(), |m| format!(" by {}", outside::line(m)));
        writeln!(
            out,
            "{}",
            paint.yellow(format_args!("{address}: {id} was changed outside of Sheave{whose}"))
        )?;
        let theirs: Vec<_> = fields.into_iter().map(from_ours_to_theirs).collect();
        change::changes(out, &theirs, 2, paint)?;
    }
    Ok(())
}

/// The sign before what is done, and what it means.
fn sign(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::NoOp => (" ", "no change"),
        Action::Await => ("=", "wait until ready"),
        Action::Create => ("+", "create"),
        Action::Update => ("~", "update"),
        Action::Replace => ("-/+", "delete and create again"),
        Action::Delete => ("-", "delete"),
        Action::Forget => (".", "forget, and leave in place"),
        Action::Release => ("~-", "take off what this stack set"),
    }
}

struct Renderer<'a> {
    plan: &'a Plan,
    paint: Paint,
    targets: BTreeSet<&'a str>,
}

impl Renderer<'_> {
    fn all(&self, out: &mut String) -> fmt::Result {
        self.drift(out)?;
        if self.plan.purpose == Purpose::Destroy && !self.plan.is_empty() {
            let stack = outside::line(&self.plan.stack);
            writeln!(
                out,
                "{}\n",
                self.paint.red(format_args!("Everything in stack {stack} will be deleted."))
            )?;
        }
        self.legend(out)?;
        for resource in self.plan.resources.iter().filter(|r| shown(r)) {
            self.resource(out, resource)?;
        }
        for (address, code) in &self.plan.failed {
            let (address, code) = (address.to_string(), outside::line(code));
            let mark = self.paint.red('!');
            writeln!(out, "{mark} {}  could not be planned: {code}\n", outside::line(&address))?;
        }
        self.moved(out)?;
        self.passwords(out)?;
        if !self.plan.is_empty() {
            self.outputs(out)?;
        }
        writeln!(out, "{}", self.paint.bold(summary(self.plan)))
    }

    /// The signs that this plan uses, where it uses any.
    fn legend(&self, out: &mut String) -> fmt::Result {
        let of_objects = self.plan.resources.iter().flat_map(|r| r.objects.iter().map(|o| o.action));
        let used: BTreeSet<_> = self.plan.resources.iter().map(|r| r.action).chain(of_objects).collect();
        let used: Vec<_> = used.into_iter().filter(|a| *a != Action::NoOp).collect();
        if used.is_empty() {
            return Ok(());
        }
        let said: Vec<_> =
            used.iter().map(|a| format!("{} {}", self.painted(*a, sign(*a).0), sign(*a).1)).collect();
        writeln!(out, "{}\n", said.join("   "))
    }

    fn painted(&self, action: Action, text: &str) -> String {
        match action {
            Action::NoOp | Action::Await | Action::Forget => self.paint.cyan(text).to_string(),
            Action::Create => self.paint.green(text).to_string(),
            Action::Update | Action::Release => self.paint.yellow(text).to_string(),
            Action::Replace | Action::Delete => self.paint.red(text).to_string(),
        }
    }

    fn resource(&self, out: &mut String, resource: &PlannedResource) -> fmt::Result {
        let address = resource.address.to_string();
        let head = format!("{} {}", sign(resource.action).0, outside::line(&address));
        write!(out, "{}", self.paint.bold(self.painted(resource.action, &head)))?;
        write!(out, "  {}", self.paint.dim(outside::line(&resource.type_name.to_string())))?;
        match &resource.why {
            Some(why) => writeln!(out, "  ({})", outside::line(why))?,
            None => writeln!(out)?,
        }
        if let Some(deferred) = &resource.deferred {
            self.deferred(out, deferred)?;
        }
        self.notes(out, &resource.notes, 4)?;
        if resource.role == Role::Provides {
            self.provided(out, resource)?;
        }
        let (same, differ): (Vec<_>, Vec<_>) = resource.objects.iter().partition(|o| quiet(o));
        for object in differ {
            self.object(out, object)?;
        }
        if !same.is_empty() {
            writeln!(
                out,
                "    {}",
                self.paint.dim(format_args!("{} unchanged", count(same.len(), "object")))
            )?;
        }
        writeln!(out)
    }

    fn provided(&self, out: &mut String, resource: &PlannedResource) -> fmt::Result {
        match resource.action {
            Action::Create if !resource.properties.0.is_null() => {
                document::yaml(out, &resource.properties.0, 4, self.paint)
            }
            Action::Create | Action::Update | Action::Replace => {
                change::changes(out, &resource.changes, 4, self.paint)
            }
            _ => Ok(()),
        }
    }

    fn object(&self, out: &mut String, object: &PlannedObject) -> fmt::Result {
        let sign = sign(object.action).0;
        let id = object.object.to_string();
        write!(out, "  {}", self.painted(object.action, &format!("{sign} {}", outside::line(&id))))?;
        if self.targets.len() > 1 {
            write!(out, " on {}", outside::line(&object.target))?;
        }
        writeln!(out, "{}", if object.force { "  (takes fields from other managers)" } else { "" })?;
        self.notes(out, &object.notes, 6)?;
        match object.action {
            Action::Create if !object.manifest.0.is_null() => {
                document::yaml(out, &object.manifest.0, 6, self.paint)
            }
            Action::Create | Action::Update | Action::Replace => {
                change::changes(out, &object.changes, 6, self.paint)
            }
            Action::NoOp | Action::Await | Action::Delete | Action::Forget | Action::Release => Ok(()),
        }
    }

    fn deferred(&self, out: &mut String, deferred: &Deferred) -> fmt::Result {
        let why = outside::line(&deferred.why);
        writeln!(out, "    {}", self.paint.cyan(format_args!("deferred until apply, not known: {why}")))?;
        let joined = |list: &[String]| outside::line(&list.join(", ")).into_owned();
        let mut bounds = Vec::new();
        if !deferred.kinds.is_empty() {
            bounds.push(format!("kinds {}", joined(&deferred.kinds)));
        }
        if !deferred.namespaces.is_empty() {
            bounds.push(format!("namespaces {}", joined(&deferred.namespaces)));
        }
        bounds.extend(deferred.target.iter().map(|t| format!("target {}", outside::line(t))));
        if bounds.is_empty() {
            return Ok(());
        }
        writeln!(out, "    may create and update within: {}", bounds.join("; "))
    }

    fn notes(&self, out: &mut String, notes: &[String], indent: usize) -> fmt::Result {
        for note in notes {
            writeln!(out, "{:indent$}{} {}", "", self.paint.yellow("note:"), outside::line(note))?;
        }
        Ok(())
    }

    /// What others changed since the last apply, apart from what this plan does about it.
    fn drift(&self, out: &mut String) -> fmt::Result {
        let drifted: Vec<_> = self
            .plan
            .resources
            .iter()
            .flat_map(|r| r.objects.iter().filter(|o| !o.drift.is_empty()).map(move |o| (r, o)))
            .collect();
        for (resource, object) in &drifted {
            let address = resource.address.to_string();
            let id = object.object.to_string();
            self::drifted(out, &outside::line(&address), &outside::line(&id), &object.drift, self.paint)?;
        }
        if drifted.is_empty() { Ok(()) } else { writeln!(out) }
    }

    fn moved(&self, out: &mut String) -> fmt::Result {
        if self.plan.moved.is_empty() {
            return Ok(());
        }
        writeln!(out, "Moved in the state, nothing else:")?;
        for (from, to) in &self.plan.moved {
            let (from, to) = (from.to_string(), to.to_string());
            writeln!(out, "  {} -> {}", outside::line(&from), outside::line(&to))?;
        }
        writeln!(out)
    }

    fn passwords(&self, out: &mut String) -> fmt::Result {
        if self.plan.passwords.is_empty() {
            return Ok(());
        }
        writeln!(out, "Passwords to be made:")?;
        for (name, length) in &self.plan.passwords {
            writeln!(out, "  {} ({length} characters)", outside::line(name))?;
        }
        writeln!(out)
    }

    fn outputs(&self, out: &mut String) -> fmt::Result {
        if self.plan.outputs.is_empty() {
            return Ok(());
        }
        writeln!(out, "Outputs:")?;
        let named: serde_json::Map<_, _> = self
            .plan
            .outputs
            .iter()
            .map(|(name, value)| (name.clone(), serde_json::Value::clone(&value.0)))
            .collect();
        document::yaml(out, &named.into(), 2, self.paint)?;
        writeln!(out)
    }
}

/// Whether there is something to say of a resource.
fn shown(resource: &PlannedResource) -> bool {
    resource.action != Action::NoOp
        || resource.deferred.is_some()
        || !resource.notes.is_empty()
        || resource.objects.iter().any(|o| !quiet(o))
}

fn quiet(object: &PlannedObject) -> bool {
    object.action == Action::NoOp && object.notes.is_empty()
}

/// A plan tells of drift as of any change: from what stands there to what will. What happened went the other way.
fn from_ours_to_theirs(field: &FieldChange) -> FieldChange {
    let FieldChange { pointer, before, after, manager } = field.clone();
    FieldChange { pointer, before: after, after: before, manager }
}

fn by_manager(fields: &[FieldChange]) -> BTreeMap<Option<&str>, Vec<&FieldChange>> {
    let mut out: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for field in fields {
        out.entry(field.manager.as_deref()).or_default().push(field);
    }
    out
}

/// `1 object`, `3 objects`.
pub(crate) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
