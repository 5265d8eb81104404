//! Bounds that must not cross.

use sheave_sdk::Diagnostic;

use super::Props;

/// An autoscaler's bounds.
pub(crate) fn autoscaler(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    const DEFAULT_LEAST: i64 = 1;
    let (least, most) = (props.integer("/spec/minReplicas"), props.integer("/spec/maxReplicas"));
    if let Some(most) = most
        && least.unwrap_or(DEFAULT_LEAST) > most
    {
        let why =
            format!("at least {} replicas and at most {most} cannot be", least.unwrap_or(DEFAULT_LEAST));
        found.push(Diagnostic::error("kubernetes.bad-bounds", why).at("/spec/maxReplicas"));
    }
}

/// A budget's one bound.
pub(crate) fn budget(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    if props.has("/spec/minAvailable") && props.has("/spec/maxUnavailable") {
        let why = Diagnostic::error(
            "kubernetes.two-bounds",
            "a budget has `minAvailable` or `maxUnavailable`, not both",
        );
        found.push(why.at("/spec/maxUnavailable"));
    }
}
