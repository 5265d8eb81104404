//! The table of types: a row each. A kind's schema comes from `schemas/src/kinds.rs`, which has a row for it too.

mod access;
mod config;
mod limits;
mod network;
mod storage;
mod workloads;

use sheave_sdk::EmitterType;

use crate::app::AppType;
use crate::manifests::Manifests;
use crate::object::AnyObject;

/// Every type, in the order in which they are shown.
pub(crate) static TYPES: [&dyn EmitterType; 31] = [
    &AppType,
    &access::CLUSTER_ROLE,
    &access::CLUSTER_ROLE_BINDING,
    &config::CONFIG_MAP,
    &workloads::CRON_JOB,
    &config::CUSTOM_RESOURCE_DEFINITION,
    &workloads::DAEMON_SET,
    &workloads::DEPLOYMENT,
    &limits::HORIZONTAL_POD_AUTOSCALER,
    &network::INGRESS,
    &workloads::JOB,
    &limits::LIMIT_RANGE,
    &Manifests,
    &config::NAMESPACE,
    &network::NETWORK_POLICY,
    &config::NODE,
    &AnyObject,
    &storage::PERSISTENT_VOLUME,
    &storage::PERSISTENT_VOLUME_CLAIM,
    &workloads::POD,
    &limits::POD_DISRUPTION_BUDGET,
    &limits::PRIORITY_CLASS,
    &workloads::REPLICA_SET,
    &limits::RESOURCE_QUOTA,
    &access::ROLE,
    &access::ROLE_BINDING,
    &config::SECRET,
    &network::SERVICE,
    &access::SERVICE_ACCOUNT,
    &workloads::STATEFUL_SET,
    &storage::STORAGE_CLASS,
];
