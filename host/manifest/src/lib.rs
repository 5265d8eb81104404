//! What is Kubernetes and pure: order of kinds, diff, readiness, ApplySet.
//!
//! Everything works on objects as `serde_json::Value`, since custom resources have no types. Objects that come in, desired
//! or live, are hostile: walks stop at [`sheave_model::limits::MAX_DEPTH`], nothing here panics on a wrong shape.

pub mod apply_set;
mod crd;
mod diff;
mod digest;
mod equality;
mod facts;
mod fixed;
mod kind;
mod object;
mod order;
mod owned;
mod path;
mod pod;
mod quantity;
mod readiness;
mod rules;
mod sensitive;
pub mod strangers;
mod taints;
mod take_over;
mod topology;
mod wish;

pub use apply_set::{Parent, Scope, ScopeError};
pub use crd::custom_schema;
pub use diff::{Change, Diff, Drift, changes_between, diff, drift};
pub use digest::{desired_digest, owned_digest};
pub use facts::facts;
pub use fixed::{fixed_at, is_beneath};
pub use kind::{
    AUTOSCALER, NativeKind, REPLICAS, is_native_group, is_shared, loses_data, native, native_kinds, scales,
};
pub use object::{MAX_OBJECT_BYTES, ManifestError, encoded_len, identity, leave_out, prepare};
pub use order::{provides, rank, requires};
pub use path::locate;
pub use pod::{Controller, PodReason, controller_of, explain_pod, pods_are_current};
pub use quantity::Quantity;
pub use readiness::{Readiness, held_by, readiness, waits_for_consumer};
pub use sensitive::is_sensitive;
pub use taints::{TAINTS, has_taints, keep_others_taints, without_ours};
pub use take_over::{client_side_managers, take_over};
pub use wish::wish;

/// The field manager under which Sheave applies.
pub const FIELD_MANAGER: &str = "sheave";
