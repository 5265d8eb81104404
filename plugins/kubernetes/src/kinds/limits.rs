//! How many, how much, and who first.

use crate::checks;
use crate::kind::Kind;
use crate::outputs::{NAME, NAMESPACE, Output, UID};
use crate::schemas;

pub(super) static HORIZONTAL_POD_AUTOSCALER: Kind = Kind {
    summary: "as many pods as the load needs",
    outputs: &[
        NAME,
        NAMESPACE,
        UID,
        Output::integer("currentReplicas", "/status/currentReplicas", "How many pods there are."),
        Output::integer("desiredReplicas", "/status/desiredReplicas", "How many it wants."),
        Output::integer("minReplicas", "/spec/minReplicas", "The fewest that it may want."),
        Output::integer("maxReplicas", "/spec/maxReplicas", "The most that it may want."),
    ],
    checks: &[checks::metadata, checks::autoscaler],
    ..Kind::of(schemas::of("HorizontalPodAutoscaler"))
};

pub(super) static LIMIT_RANGE: Kind = Kind {
    summary: "defaults and bounds for what each pod of a namespace may use",
    outputs: &[NAME, NAMESPACE, UID],
    checks: &[checks::metadata],
    ..Kind::of(schemas::of("LimitRange"))
};

pub(super) static POD_DISRUPTION_BUDGET: Kind = Kind {
    summary: "how many pods may be taken away at once",
    outputs: &[
        NAME,
        NAMESPACE,
        UID,
        Output::integer("disruptionsAllowed", "/status/disruptionsAllowed", "How many may go now."),
        Output::integer("currentHealthy", "/status/currentHealthy", "How many are healthy."),
        Output::integer("desiredHealthy", "/status/desiredHealthy", "How many must stay so."),
    ],
    checks: &[checks::metadata, checks::budget],
    ..Kind::of(schemas::of("PodDisruptionBudget"))
};

pub(super) static PRIORITY_CLASS: Kind = Kind {
    summary: "how much pods matter when room is scarce",
    outputs: &[NAME, UID, Output::integer("value", "/value", "The higher, the sooner.").stable()],
    checks: &[checks::metadata],
    ..Kind::of(schemas::of("PriorityClass"))
};

pub(super) static RESOURCE_QUOTA: Kind = Kind {
    summary: "how much a namespace may use altogether",
    outputs: &[
        NAME,
        NAMESPACE,
        UID,
        Output::map("hard", "/status/hard", "How much there may be of each."),
        Output::map("used", "/status/used", "How much there is of each."),
    ],
    checks: &[checks::metadata],
    ..Kind::of(schemas::of("ResourceQuota"))
};
