//! Checks what a plugin replies, before anybody relies on it.

use std::collections::{HashMap, HashSet};

use serde::de::IgnoredAny;
use serde_json::Value;
use sheave_model::limits::MAX_OBJECTS_PER_RENDER;
use sheave_model::{address, pointer};

use crate::error::LimitName;
use crate::limits;
use crate::wire::{Change, Doc, Emitted, Lookup, Observation, Planned, Role, Snapshot, Step, TypeInfo};

/// Which rule a reply breaks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// More of something than is allowed.
    Limit(LimitName),
    /// Any other rule.
    Rule(String),
}

pub(crate) type Checked = Result<(), Fault>;

fn rule(what: impl Into<String>) -> Fault {
    Fault::Rule(what.into())
}

/// What a reply can be asked to prove.
pub(crate) trait Reply {
    /// Whether it keeps the interface's rules.
    fn check(&self) -> Checked;
}

impl Reply for Doc {
    fn check(&self) -> Checked {
        json(&self.json)?;
        if self.marks.is_empty() {
            return Ok(());
        }
        let value: Value = serde_json::from_str(&self.json).map_err(|e| rule(format!("not JSON: {e}")))?;
        self.marks.iter().try_for_each(|mark| match value_at(&value, &mark.pointer) {
            Some(Value::Object(_) | Value::Array(_)) => {
                Err(rule(format!("a mark points at `{}`, which is no leaf", mark.pointer)))
            }
            Some(_) => Ok(()),
            None => Err(rule(format!("a mark points at `{}`, where nothing is", mark.pointer))),
        })
    }
}

impl Reply for String {
    fn check(&self) -> Checked {
        json(self)?;
        if self.trim_ascii_start().starts_with('{') {
            Ok(())
        } else {
            Err(rule("a schema must be an object"))
        }
    }
}

impl<T: Reply> Reply for Option<T> {
    fn check(&self) -> Checked {
        self.as_ref().map_or(Ok(()), T::check)
    }
}

impl Reply for Vec<TypeInfo> {
    fn check(&self) -> Checked {
        if self.len() > limits::TYPES {
            return Err(Fault::Limit(LimitName::Types));
        }
        let mut seen = HashSet::new();
        self.iter().try_for_each(|ty| {
            if !address::is_name(&ty.name) {
                return Err(rule(format!("`{}` is no name for a type", ty.name)));
            }
            if seen.insert(ty.name.as_str()) {
                Ok(())
            } else {
                Err(rule(format!("type `{}` twice", ty.name)))
            }
        })
    }
}

/// Whether `describe` gives only roles that the plugin has the functions for.
pub(crate) fn roles(types: &[TypeInfo], emits: bool, provides: bool) -> Checked {
    types.iter().try_for_each(|ty| match ty.role {
        Role::Emits if !emits => {
            Err(rule(format!("type `{}` emits, but the plugin does not export `emit`", ty.name)))
        }
        Role::Provides if !provides => {
            Err(rule(format!("type `{}` provides, but the plugin does not export `provide`", ty.name)))
        }
        _ => Ok(()),
    })
}

impl Reply for Vec<Lookup> {
    fn check(&self) -> Checked {
        if self.len() > limits::LOOKUPS {
            return Err(Fault::Limit(LimitName::Lookups));
        }
        Ok(())
    }
}

impl Reply for Vec<Emitted> {
    fn check(&self) -> Checked {
        if self.len() > MAX_OBJECTS_PER_RENDER {
            return Err(Fault::Limit(LimitName::Objects));
        }
        let mut slots = HashSet::new();
        for object in self {
            if object.slot.is_empty() {
                return Err(rule("an object without a slot"));
            }
            if object.slot.contains(char::is_control) || object.target.contains(char::is_control) {
                return Err(rule(format!("a control character in slot or target `{}`", object.slot)));
            }
            if !slots.insert(object.slot.as_str()) {
                return Err(rule(format!("two objects in slot `{}`", object.slot)));
            }
        }
        for object in self {
            let inside = |what: &str, doc: Checked| match doc {
                Err(Fault::Rule(why)) => Err(rule(format!("{what} of slot `{}`: {why}", object.slot))),
                other => other,
            };
            inside("the manifest", object.manifest.check())?;
            for (field, names) in [("after", &object.after), ("restart-on", &object.restart_on)] {
                if let Some(name) = names.iter().find(|name| !slots.contains(name.as_str())) {
                    return inside(field, Err(rule(format!("there is no slot `{name}`"))));
                }
            }
        }
        match in_a_circle(self) {
            Some(slot) => Err(rule(format!("slot `{slot}` waits for one that waits for it"))),
            None => Ok(()),
        }
    }
}

/// A slot that can never be sent, since what it comes after comes after it.
fn in_a_circle(objects: &[Emitted]) -> Option<&str> {
    let mut waiting: HashMap<&str, usize> =
        objects.iter().map(|o| (o.slot.as_str(), o.after.len())).collect();
    let mut followers: HashMap<&str, Vec<&str>> = HashMap::new();
    for object in objects {
        for before in &object.after {
            followers.entry(before).or_default().push(&object.slot);
        }
    }
    let mut free: Vec<&str> = waiting.iter().filter(|(_, n)| **n == 0).map(|(slot, _)| *slot).collect();
    while let Some(slot) = free.pop() {
        waiting.remove(slot);
        for follower in followers.remove(slot).unwrap_or_default() {
            if let Some(open) = waiting.get_mut(follower) {
                *open = open.saturating_sub(1);
                if *open == 0 {
                    free.push(follower);
                }
            }
        }
    }
    objects.iter().map(|o| o.slot.as_str()).find(|slot| waiting.contains_key(slot))
}

impl Reply for Observation {
    fn check(&self) -> Checked {
        self.outputs.check()
    }
}

impl Reply for Snapshot {
    fn check(&self) -> Checked {
        self.state.check()?;
        self.outputs.check()
    }
}

impl Reply for Planned {
    fn check(&self) -> Checked {
        self.outputs.check()?;
        match self.replace.iter().find(|at| pointer::parts(at).is_none()) {
            Some(at) => Err(rule(format!("`replace` holds `{at}`, which is no pointer"))),
            None => Ok(()),
        }
    }
}

impl Reply for Step {
    fn check(&self) -> Checked {
        match self {
            Self::Done(snapshot) => snapshot.check(),
            Self::Pending { percent: Some(101..), .. } => Err(rule("more than 100 percent are done")),
            Self::Pending { .. } => Ok(()),
            Self::Partial { left, .. } => left.check(),
        }
    }
}

/// Whether a step fits what was asked: a deletion leaves nothing, and nothing else does.
pub(crate) fn step(step: &Step, what: &Change) -> Checked {
    match (step, &what.desired) {
        (Step::Done(None), Some(_)) => Err(rule("a creation or an update is done, but there is no snapshot")),
        (Step::Done(Some(_)), None) => Err(rule("a deletion is done, but there is a snapshot")),
        _ => Ok(()),
    }
}

fn value_at<'a>(value: &'a Value, at: &str) -> Option<&'a Value> {
    pointer::parts(at)?.iter().try_fold(value, |v, part| match v {
        Value::Object(map) => map.get(part),
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Whether the text is JSON that the readers after this one can take, without building anything of it.
fn json(text: &str) -> Checked {
    let depth = nesting(text);
    if depth > limits::JSON_DEPTH {
        return Err(Fault::Limit(LimitName::Depth));
    }
    serde_json::from_str::<IgnoredAny>(text).map(|_| ()).map_err(|e| rule(format!("not JSON: {e}")))
}

/// How deep brackets nest in the text, which need not be JSON.
fn nesting(text: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                most = most.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::{Mark, MarkKind};

    fn doc(json: &str, pointers: &[&str]) -> Doc {
        let mark = |p: &&str| Mark { pointer: (*p).to_owned(), kind: MarkKind::Secret };
        Doc { json: json.to_owned(), marks: pointers.iter().map(mark).collect() }
    }

    fn emitted(slot: &str, after: &[&str]) -> Emitted {
        Emitted {
            slot: slot.to_owned(),
            target: "main".to_owned(),
            manifest: doc("{}", &[]),
            after: after.iter().map(|s| (*s).to_owned()).collect(),
            ready_when: None,
            restart_on: Vec::new(),
        }
    }

    fn broken(result: Checked) -> String {
        match result {
            Err(Fault::Rule(what)) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn marks_point_at_leaves() {
        let json = r#"{"a/b": ["t", {"c": "t"}], "n": null}"#;
        doc(json, &["/a~1b/0", "/a~1b/1/c", "/n"]).check().unwrap();
        assert!(broken(doc(json, &["/x"]).check()).contains("`/x`, where nothing is"));
        assert!(broken(doc(json, &["/a~1b"]).check()).contains("no leaf"));
        for nowhere in ["n", "/a~1b/01x", "/a~1b/9", "/n/0", "/"] {
            broken(doc(json, &[nowhere]).check());
        }
        doc(r#""whole""#, &[""]).check().unwrap();
    }

    #[test]
    fn text_that_is_no_json_is_refused() {
        for text in ["", "{", "{}{}", "{'a': 1}", "[1,]", "\u{feff}{}", "NaN", "{\"a\":\u{1}}"] {
            assert!(broken(doc(text, &[]).check()).contains("not JSON"), "{text:?}");
        }
        assert!(broken("[]".to_owned().check()).contains("object"));
    }

    #[test]
    fn nesting_is_bounded_and_readers_take_what_is_let_through() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let most = nested(limits::JSON_DEPTH);
        doc(&most, &[]).check().unwrap();
        serde_json::from_str::<Value>(&most).unwrap();
        let deeper = doc(&nested(limits::JSON_DEPTH + 1), &[]).check();
        assert!(matches!(deeper, Err(Fault::Limit(LimitName::Depth))));
        let endless = doc(&"[".repeat(1_000_000), &[]).check();
        assert!(matches!(endless, Err(Fault::Limit(LimitName::Depth))));
        doc(&format!("{{\"a\": \"{}\\\"{}\"}}", "[".repeat(500), "[".repeat(500)), &[]).check().unwrap();
    }

    #[test]
    fn slots_are_unique_and_references_lead_somewhere() {
        vec![emitted("a", &["b"]), emitted("b", &[])].check().unwrap();
        assert!(
            broken(vec![emitted("a", &[]), emitted("a", &[])].check()).contains("two objects in slot `a`")
        );
        assert!(broken(vec![emitted("a", &["z"])].check()).contains("no slot `z`"));
        vec![emitted("a", &["b", "b", "c"]), emitted("b", &["c"]), emitted("c", &[])].check().unwrap();
        assert!(
            broken(vec![emitted("a", &["a"])].check()).contains("slot `a` waits for one that waits for it")
        );
        let circle =
            vec![emitted("x", &[]), emitted("a", &["b"]), emitted("b", &["c", "x"]), emitted("c", &["a"])];
        assert!(broken(circle.check()).contains("slot `a` waits"));
        assert!(broken(vec![emitted("", &[])].check()).contains("without a slot"));
    }

    #[test]
    fn as_many_as_may_be_and_one_more() {
        let objects = |n| (0..n).map(|n: usize| emitted(&n.to_string(), &[])).collect::<Vec<_>>();
        objects(MAX_OBJECTS_PER_RENDER).check().unwrap();
        let more = objects(MAX_OBJECTS_PER_RENDER + 1).check();
        assert!(matches!(more, Err(Fault::Limit(LimitName::Objects))), "{more:?}");
        let lookup = Lookup {
            target: String::new(),
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            namespace: None,
            name: "web".to_owned(),
        };
        let lookups = |n| vec![lookup.clone(); n];
        lookups(limits::LOOKUPS).check().unwrap();
        let more = lookups(limits::LOOKUPS + 1).check();
        assert!(matches!(more, Err(Fault::Limit(LimitName::Lookups))), "{more:?}");
        let ty = |n: usize| TypeInfo {
            name: format!("T{n}"),
            role: Role::Emits,
            schema_version: 1,
            summary: String::new(),
        };
        let types = |n| (0..n).map(ty).collect::<Vec<_>>();
        types(limits::TYPES).check().unwrap();
        let more = types(limits::TYPES + 1).check();
        assert!(matches!(more, Err(Fault::Limit(LimitName::Types))), "{more:?}");
    }

    #[test]
    fn types_have_names_and_roles_that_the_plugin_can_play() {
        let ty = |name: &str, role| TypeInfo {
            name: name.to_owned(),
            role,
            schema_version: 1,
            summary: String::new(),
        };
        vec![ty("A", Role::Emits), ty("B", Role::Provides)].check().unwrap();
        broken(vec![ty("A", Role::Emits), ty("A", Role::Provides)].check());
        broken(vec![ty("a b", Role::Emits)].check());
        roles(&[ty("A", Role::Emits)], true, false).unwrap();
        broken(roles(&[ty("A", Role::Emits)], false, true));
        broken(roles(&[ty("A", Role::Provides)], true, false));
    }

    #[test]
    fn steps_fit_what_was_asked() {
        let snapshot = Snapshot {
            id: "1".to_owned(),
            state: doc("{}", &[]),
            outputs: doc("{}", &[]),
            private_data: Vec::new(),
        };
        let delete =
            Change { of: crate::wire::Instance::default(), prior: Some(snapshot.clone()), desired: None };
        let create = Change { desired: Some(doc("{}", &[])), prior: None, ..delete.clone() };
        step(&Step::Done(None), &delete).unwrap();
        step(&Step::Done(Some(snapshot.clone())), &create).unwrap();
        broken(step(&Step::Done(None), &create));
        broken(step(&Step::Done(Some(snapshot)), &delete));
        let pending =
            |percent| Step::Pending { resume: Vec::new(), after_ms: 0, message: String::new(), percent };
        pending(Some(100)).check().unwrap();
        broken(pending(Some(101)).check());
    }

    proptest! {
        #[test]
        fn what_is_let_through_is_json_that_a_reader_takes(text in r#"[\[\]{}",:\\ a0]{0,40}"#) {
            if (doc(&text, &[])).check().is_ok() {
                prop_assert!(serde_json::from_str::<Value>(&text).is_ok());
            }
        }
    }
}
