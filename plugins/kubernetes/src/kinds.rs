//! The table of types: a row each. A kind's schema comes from `schemas/src/kinds.rs`, which has a row for it too.

use sheave_sdk::EmitterType;

use crate::checks;
use crate::kind::Kind;
use crate::object::AnyObject;
use crate::outputs::{NAME, NAMESPACE, Output, UID};
use crate::schemas;

/// Every type, in the order in which they are shown.
pub(crate) static TYPES: [&dyn EmitterType; 5] =
    [&CONFIG_MAP, &DEPLOYMENT, &NAMESPACE_KIND, &SECRET, &AnyObject];

static CONFIG_MAP: Kind = Kind {
    schema: schemas::of("ConfigMap"),
    summary: "texts and files for pods to read",
    outputs: &[NAME, NAMESPACE, UID, Output::map("data", "/data", "The texts by key.")],
    checks: &[checks::metadata, checks::keys_of_data],
};

static DEPLOYMENT: Kind = Kind {
    schema: schemas::of("Deployment"),
    summary: "pods without state, replaced a few at a time",
    outputs: &[
        NAME,
        NAMESPACE,
        UID,
        Output::integer("replicas", "/status/replicas", "How many pods there are."),
        Output::integer("readyReplicas", "/status/readyReplicas", "How many of them are ready."),
        Output::text("image", "/spec/template/spec/containers/0/image", "The first container's image."),
        Output::texts("images", "/spec/template/spec/containers/*/image", "Every container's image."),
    ],
    checks: &[checks::metadata, checks::selector_of_template, checks::pods_of_template],
};

static NAMESPACE_KIND: Kind = Kind {
    schema: schemas::of("Namespace"),
    summary: "a space of names for other objects",
    outputs: &[NAME, UID],
    checks: &[checks::metadata],
};

static SECRET: Kind = Kind {
    schema: schemas::of("Secret"),
    summary: "secret texts and files for pods to read",
    outputs: &[NAME, NAMESPACE, UID],
    checks: &[checks::metadata, checks::keys_of_data],
};
