//! Whether a live object has become what was asked for: kstatus' rules, tightened where they are content too early.

use serde_json::Value as Json;

use crate::rules;

/// How far a live object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It is what was asked for.
    Ready,
    /// Not yet.
    InProgress {
        /// What it waits for, for people: one line.
        reason: String,
    },
    /// It will not become ready by itself.
    Failed {
        /// The rule that says so, stable: `deployment.progress-deadline`.
        rule: &'static str,
        /// Why, in the cluster's own words where it gave some.
        reason: String,
    },
    /// It is being deleted.
    Terminating,
    /// It does not exist.
    Absent,
}

impl Readiness {
    pub(crate) fn waiting(reason: impl Into<String>) -> Self {
        Self::InProgress { reason: reason.into() }
    }

    pub(crate) fn failed(rule: &'static str, reason: impl Into<String>) -> Self {
        Self::Failed { rule, reason: reason.into() }
    }

    /// Whether waiting longer is of no use.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Ready | Self::Failed { .. })
    }
}

/// A message of the cluster, cut to what a line can hold.
pub(crate) fn brief(text: &str) -> String {
    const SHOWN: usize = 500;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// A live object, read leniently: what is missing or ill-typed is as if it were not there.
#[derive(Clone, Copy)]
pub(crate) struct Live<'a>(pub(crate) &'a Json);

impl<'a> Live<'a> {
    pub(crate) fn at(self, pointer: &str) -> Option<&'a Json> {
        self.0.pointer(pointer).filter(|v| !v.is_null())
    }

    pub(crate) fn text(self, pointer: &str) -> &'a str {
        self.at(pointer).and_then(Json::as_str).unwrap_or("")
    }

    pub(crate) fn int(self, pointer: &str) -> Option<i64> {
        self.at(pointer).and_then(Json::as_i64)
    }

    /// A count in the status; one that is left out is zero.
    pub(crate) fn count(self, pointer: &str) -> i64 {
        self.int(pointer).unwrap_or(0)
    }

    pub(crate) fn condition(self, kind: &str) -> Option<Condition<'a>> {
        let all = self.at("/status/conditions")?.as_array()?;
        all.iter().find(|c| Live(c).text("/type") == kind).map(|c| Condition {
            status: Live(c).text("/status"),
            reason: Live(c).text("/reason"),
            message: Live(c).text("/message"),
        })
    }

    pub(crate) fn has(self, condition: &str, status: &str) -> Option<Condition<'a>> {
        self.condition(condition).filter(|c| c.status == status)
    }
}

/// One of `status.conditions`.
pub(crate) struct Condition<'a> {
    pub(crate) status: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
}

impl Condition<'_> {
    /// `Reason: message`, or what there is of it, or `otherwise`.
    pub(crate) fn words(&self, otherwise: &str) -> String {
        match (self.reason, self.message) {
            ("", "") => otherwise.to_owned(),
            ("", message) => brief(message),
            (reason, "") => brief(reason),
            (reason, message) => brief(&format!("{reason}: {message}")),
        }
    }
}

/// Judges a live object by the rules of its kind, or by the general ones where it has none.
pub fn readiness(live: &Json) -> Readiness {
    let obj = Live(live);
    if !live.is_object() {
        return Readiness::Absent;
    }
    if obj.at("/metadata/deletionTimestamp").is_some() {
        return Readiness::Terminating;
    }
    let observed = obj.int("/status/observedGeneration");
    if let (Some(wanted), Some(seen)) = (obj.int("/metadata/generation"), observed)
        && wanted != seen
    {
        return Readiness::waiting("its controller has not seen the change yet");
    }
    if let Some(condition) = obj.has("Reconciling", "True") {
        return Readiness::InProgress { reason: condition.words("reconciling") };
    }
    if let Some(condition) = obj.has("Stalled", "True") {
        return Readiness::failed("condition.stalled", condition.words("stalled"));
    }
    if let Some(judged) = rules::of_kind(obj) {
        return judged;
    }
    match obj.condition("Ready") {
        Some(condition) if condition.status != "True" => {
            Readiness::InProgress { reason: condition.words("the condition Ready is not met") }
        }
        _ => Readiness::Ready,
    }
}

/// Whether a claim is not bound because its storage class binds only when a pod uses it: nothing to wait for.
pub fn waits_for_consumer(claim: &Json, storage_class: &Json) -> bool {
    let claim = Live(claim);
    matches!(claim.text("/status/phase"), "" | "Pending")
        && claim.text("/spec/volumeName").is_empty()
        && Live(storage_class).text("/volumeBindingMode") == "WaitForFirstConsumer"
}

/// What holds an object that is to go: never ready, since a gone object is not there to be judged.
pub fn held_by(live: &Json) -> Readiness {
    /// Finalizers that are named; more help nobody.
    const NAMED: usize = 10;
    let obj = Live(live);
    if obj.at("/metadata/deletionTimestamp").is_none() {
        return Readiness::waiting("it is not being deleted yet");
    }
    let lists = ["/metadata/finalizers", "/spec/finalizers"];
    let finalizers = lists.iter().filter_map(|list| obj.at(list)?.as_array()).flatten();
    let held: Vec<&str> = finalizers.filter_map(Json::as_str).take(NAMED).collect();
    let reason = match held.as_slice() {
        [] => "it is being deleted".to_owned(),
        [one] => format!("it waits for the finalizer {one}"),
        many => format!("it waits for the finalizers {}", many.join(", ")),
    };
    let left = ["NamespaceContentRemaining", "NamespaceFinalizersRemaining"];
    let left: Vec<&str> = left.iter().filter_map(|kind| Some(obj.has(kind, "True")?.message)).collect();
    Readiness::waiting(match left.as_slice() {
        [] => reason,
        left => brief(&format!("{reason}: {}", left.join(" "))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reason(live: Json) -> String {
        match held_by(&live) {
            Readiness::InProgress { reason } => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_holds_is_named() {
        let going =
            |finalizers: Json| json!({"metadata": {"deletionTimestamp": "t", "finalizers": finalizers}});
        assert_eq!(reason(json!({})), "it is not being deleted yet");
        assert_eq!(reason(going(json!(null))), "it is being deleted");
        assert_eq!(reason(going(json!(["a/b"]))), "it waits for the finalizer a/b");
        assert_eq!(reason(going(json!(["a/b", 7, "c/d"]))), "it waits for the finalizers a/b, c/d");
    }

    #[test]
    fn a_namespace_says_what_is_left_in_it() {
        let namespace = json!({"metadata": {"deletionTimestamp": "t"}, "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Terminating", "conditions": [
                {"type": "NamespaceContentRemaining", "status": "True", "message": "configmaps. has 1 resource instances"},
                {"type": "NamespaceFinalizersRemaining", "status": "False", "message": "none"}]}});
        assert_eq!(
            reason(namespace),
            "it waits for the finalizer kubernetes: configmaps. has 1 resource instances"
        );
    }

    #[test]
    fn a_claim_may_wait_for_its_consumer() {
        let claim = |spec: Json, phase: &str| json!({"spec": spec, "status": {"phase": phase}});
        let class = |mode: &str| json!({"volumeBindingMode": mode});
        assert!(waits_for_consumer(&claim(json!({}), "Pending"), &class("WaitForFirstConsumer")));
        assert!(!waits_for_consumer(&claim(json!({}), "Pending"), &class("Immediate")));
        assert!(!waits_for_consumer(&claim(json!({}), "Lost"), &class("WaitForFirstConsumer")));
        assert!(!waits_for_consumer(
            &claim(json!({"volumeName": "v"}), "Pending"),
            &class("WaitForFirstConsumer")
        ));
        assert!(!waits_for_consumer(&json!(null), &json!(null)));
    }
}
