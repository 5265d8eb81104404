//! What runs pods.

use crate::checks;
use crate::kind::Kind;
use crate::outputs::{NAME, NAMESPACE, Output, UID};
use crate::schemas;

const POD_IMAGE: Output = Output::text("image", "/spec/containers/0/image", "The first container's image.");
const POD_IMAGES: Output = Output::texts("images", "/spec/containers/*/image", "Every container's image.");
const IMAGE: Output =
    Output::text("image", "/spec/template/spec/containers/0/image", "The first container's image.");
const IMAGES: Output =
    Output::texts("images", "/spec/template/spec/containers/*/image", "Every container's image.");
const REPLICAS: Output = Output::integer("replicas", "/status/replicas", "How many pods there are.");
const READY: Output =
    Output::integer("readyReplicas", "/status/readyReplicas", "How many of them are ready.");

pub(super) static CRON_JOB: Kind = Kind {
    summary: "jobs at set times",
    outputs: &[
        NAME,
        NAMESPACE,
        UID,
        Output::text("schedule", "/spec/schedule", "When it runs."),
        Output::text("lastScheduleTime", "/status/lastScheduleTime", "When it last started a job."),
        Output::text("lastSuccessfulTime", "/status/lastSuccessfulTime", "When a job of it last succeeded."),
        Output::text(
            "image",
            "/spec/jobTemplate/spec/template/spec/containers/0/image",
            "The first container's image.",
        ),
    ],
    checks: &[checks::metadata, checks::schedule, checks::pods_of_job_template],
    ..Kind::of(schemas::of("CronJob"))
};

pub(super) static DAEMON_SET: Kind = Kind {
    summary: "a pod on each node",
    outputs: &[
        NAME,
        NAMESPACE,
        UID,
        Output::integer("desired", "/status/desiredNumberScheduled", "How many nodes should have a pod."),
        Output::integer("ready", "/status/numberReady", "How many of them have one that is ready."),
        IMAGE,
        IMAGES,
    ],
    checks: &[checks::metadata, checks::selector_of_template, checks::pods_of_template],
    ..Kind::of(schemas::of("DaemonSet"))
};

pub(super) static DEPLOYMENT: Kind = Kind {
    summary: "pods without state, replaced a few at a time",
    outputs: &[NAME, NAMESPACE, UID, REPLICAS, READY, IMAGE, IMAGES],
    checks: &[checks::metadata, checks::selector_of_template, checks::pods_of_template],
    ..Kind::of(schemas::of("Deployment"))
};

pub(super) static JOB: Kind = Kind {
    summary: "pods that run to their end",
    outputs: &[
        NAME,
        NAMESPACE,
        UID,
        Output::integer("active", "/status/active", "How many pods run."),
        Output::integer("succeeded", "/status/succeeded", "How many pods succeeded."),
        Output::integer("failed", "/status/failed", "How many pods failed."),
        Output::text("startTime", "/status/startTime", "When it began."),
        Output::text("completionTime", "/status/completionTime", "When it was complete; empty before."),
        IMAGE,
    ],
    checks: &[checks::metadata, checks::pods_of_job],
    ..Kind::of(schemas::of("Job"))
};

pub(super) static POD: Kind = Kind {
    summary: "one pod, that nothing replaces",
    outputs: &[
        NAME,
        NAMESPACE,
        UID,
        Output::text("phase", "/status/phase", "How far it is: `Running`, `Succeeded`, ..."),
        Output::text("podIP", "/status/podIP", "Its address within the cluster."),
        Output::text("hostIP", "/status/hostIP", "Its node's address."),
        Output::text("nodeName", "/spec/nodeName", "The node that it runs on."),
        POD_IMAGE,
        POD_IMAGES,
    ],
    checks: &[checks::metadata, checks::pod],
    ..Kind::of(schemas::of("Pod"))
};

pub(super) static REPLICA_SET: Kind = Kind {
    summary: "a number of equal pods; a Deployment does more",
    outputs: &[NAME, NAMESPACE, UID, REPLICAS, READY, IMAGE, IMAGES],
    checks: &[checks::metadata, checks::selector_of_template, checks::pods_of_template],
    ..Kind::of(schemas::of("ReplicaSet"))
};

pub(super) static STATEFUL_SET: Kind = Kind {
    summary: "numbered pods, each with a name and volumes of its own",
    outputs: &[
        NAME,
        NAMESPACE,
        UID,
        REPLICAS,
        READY,
        Output::text("serviceName", "/spec/serviceName", "The Service that names its pods.").stable(),
        Output::written(
            "host",
            &["${/spec/serviceName}.${/metadata/namespace}.svc"],
            "The DNS name of that Service within the cluster.",
        )
        .stable(),
        IMAGE,
        IMAGES,
    ],
    checks: &[checks::metadata, checks::selector_of_template, checks::pods_of_template, checks::claims],
    ..Kind::of(schemas::of("StatefulSet"))
};
