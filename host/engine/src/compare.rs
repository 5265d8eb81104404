//! Whether what apply rendered is what was planned: equal at every leaf that was known then.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use sheave_model::plan::{Deferred, PlannedObject};
use sheave_model::{Masked, Value, pointer};

use crate::event::RenderedObject;

/// The pointer of the first leaf that was known in `planned` and is another now.
pub(crate) fn differs(planned: &Json, now: &Json) -> Option<String> {
    fn walk(planned: &Json, now: &Json, at: &str) -> Option<String> {
        if Masked::is_unknown(planned) {
            return None;
        }
        match (planned, now) {
            (Json::Object(a), Json::Object(b)) => {
                let missing = b.keys().find(|k| !a.contains_key(*k)).map(|k| pointer::join(at, k));
                missing.or_else(|| {
                    a.iter().find_map(|(k, v)| {
                        let at = pointer::join(at, k);
                        b.get(k).map_or_else(|| Some(at.clone()), |w| walk(v, w, &at))
                    })
                })
            }
            (Json::Array(a), Json::Array(b)) if a.len() == b.len() => a
                .iter()
                .zip(b)
                .enumerate()
                .find_map(|(i, (v, w))| walk(v, w, &pointer::join(at, &i.to_string()))),
            (a, b) => (a != b).then(|| at.to_owned()),
        }
    }
    walk(planned, now, "")
}

/// Why the objects rendered now are not those that were planned; none: they are.
pub(crate) fn departure(
    planned: &[PlannedObject],
    now: &[RenderedObject],
    mask: &dyn Fn(&Value) -> Masked,
) -> Option<String> {
    let mut wanted: BTreeMap<&str, &PlannedObject> =
        planned.iter().filter(|o| !o.action.is_removal()).map(|o| (o.slot.as_str(), o)).collect();
    for object in now {
        let Some(plan) = wanted.remove(object.slot.as_str()) else {
            return Some(format!("{} (slot `{}`) was not in the plan", object.id, object.slot));
        };
        if plan.target != object.target || plan.object != object.id {
            return Some(format!("{} was planned as {}", object.id, plan.object));
        }
        if plan.manifest.0.is_null() {
            continue;
        }
        if let Some(at) = differs(&plan.manifest.0, &mask(&object.manifest).0) {
            return Some(format!("{}: the value at `{at}` is not the planned one", object.id));
        }
    }
    wanted.values().next().map(|p| format!("{} was planned and is no longer there", p.object))
}

/// Why a deferred resource's objects leave the bounds that its plan recorded; none: they keep them.
pub(crate) fn out_of_bounds(bounds: &Deferred, objects: &[PlannedObject]) -> Option<String> {
    use sheave_model::plan::Action;
    objects.iter().find_map(|o| {
        let why = match o.action {
            Action::Delete | Action::Replace => "it would be deleted or replaced",
            _ if bounds.target.as_ref().is_some_and(|t| *t != o.target) => "it would go to another target",
            _ if !bounds.kinds.is_empty() && !bounds.kinds.contains(&o.object.kind) => {
                "its kind was not planned"
            }
            _ if !bounds.namespaces.is_empty()
                && o.object.namespace.as_ref().is_some_and(|n| !bounds.namespaces.contains(n)) =>
            {
                "its namespace was not planned"
            }
            _ => return None,
        };
        Some(format!("{}: {why}", o.object))
    })
}

#[cfg(test)]
mod tests {
    use super::differs;
    use serde_json::json;

    #[test]
    fn only_leaves_known_then_count() {
        let planned = json!({"a": {"$unknown": "web#/ip"}, "b": [1, {"c": 2}]});
        assert_eq!(differs(&planned, &json!({"a": "10.0.0.1", "b": [1, {"c": 2}]})), None);
        assert_eq!(differs(&planned, &json!({"a": "x", "b": [1, {"c": 3}]})), Some("/b/1/c".into()));
        assert_eq!(differs(&planned, &json!({"a": "x", "b": [1]})), Some("/b".into()));
        assert_eq!(differs(&planned, &json!({"a": "x", "b": [1, {"c": 2}], "d": 1})), Some("/d".into()));
        assert_eq!(differs(&planned, &json!({"b": [1, {"c": 2}]})), Some("/a".into()));
    }
}
