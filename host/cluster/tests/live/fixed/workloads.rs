//! Changes of what runs pods.

use serde_json::{Value as Json, json};

use super::{Case, case, merged};

fn template(more: Json) -> Json {
    merged(
        &json!({"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}),
        &more,
    )
}

pub(super) fn pods(ns: &str) -> Vec<Case> {
    let meta = |name: &str| json!({"name": name, "namespace": ns});
    let labels = json!({"matchLabels": {"app": "x"}});
    let other = json!({"matchLabels": {"app": "x", "b": "c"}});
    let set = |kind: &str| {
        let spec = json!({"selector": labels, "template": template(json!({}))});
        json!({"apiVersion": "apps/v1", "kind": kind, "metadata": meta("set"), "spec": spec})
    };
    let wider = template(json!({"metadata": {"labels": {"b": "c"}}}));
    let of_all = |more: Vec<(Json, &'static str)>| {
        let mut all = vec![
            (json!({"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "a:2"}]}}}}), ""),
            (json!({"spec": {"selector": other, "template": wider}}), "/spec/selector"),
            (json!({"metadata": {"labels": {"x": "y"}}}), ""),
        ];
        all.extend(more);
        all
    };
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let mut larger = claim.clone();
    larger["spec"]["resources"]["requests"]["storage"] = json!("2Gi");
    let stateful = merged(
        &set("StatefulSet"),
        &json!({"spec": {"serviceName": "s", "podManagementPolicy": "OrderedReady", "volumeClaimTemplates": [claim]}}),
    );
    let spec = |name: &str, value: Json| json!({"spec": {name: value}});
    vec![
        case(
            set("Deployment"),
            of_all(vec![
                (spec("replicas", json!(3)), ""),
                (spec("strategy", json!({"rollingUpdate": {"maxSurge": 2}})), ""),
                (spec("paused", json!(true)), ""),
                (spec("minReadySeconds", json!(3)), ""),
            ]),
        ),
        case(set("ReplicaSet"), of_all(vec![(spec("replicas", json!(3)), "")])),
        case(set("DaemonSet"), of_all(vec![(spec("updateStrategy", json!({"type": "OnDelete"})), "")])),
        case(
            stateful,
            vec![
                (spec("replicas", json!(3)), ""),
                (spec("minReadySeconds", json!(3)), ""),
                (spec("ordinals", json!({"start": 1})), ""),
                (spec("revisionHistoryLimit", json!(3)), ""),
                (spec("updateStrategy", json!({"rollingUpdate": {"partition": 2}})), ""),
                (spec("persistentVolumeClaimRetentionPolicy", json!({"whenDeleted": "Delete"})), ""),
                (
                    spec(
                        "template",
                        template(json!({"spec": {"containers": [{"name": "b", "image": "b"}]}})),
                    ),
                    "",
                ),
                (spec("podManagementPolicy", Json::Null), ""),
                (spec("podManagementPolicy", json!("Parallel")), "/spec/podManagementPolicy"),
                (spec("serviceName", json!("other")), "/spec"),
                (spec("serviceName", Json::Null), "/spec"),
                (spec("volumeClaimTemplates", json!([larger])), "/spec"),
                (spec("volumeClaimTemplates", Json::Null), "/spec"),
                (json!({"spec": {"selector": other, "template": wider}}), "/spec"),
            ],
        ),
        case(
            json!({"apiVersion": "v1", "kind": "ReplicationController", "metadata": meta("rc"),
                "spec": {"replicas": 1, "selector": {"app": "x"}, "template": template(json!({}))}}),
            vec![(json!({"spec": {"selector": {"b": "c"}, "template": wider}}), "")],
        ),
        case(
            json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": meta("pt"), "template": template(json!({}))}),
            vec![(json!({"template": wider}), "")],
        ),
        case(
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta("pod"), "spec": {
                "activeDeadlineSeconds": 1000, "schedulingGates": [{"name": "a.example/b"}],
                "tolerations": [{"key": "a", "operator": "Exists"}],
                "initContainers": [{"name": "i", "image": "i:1"}],
                "containers": [{"name": "a", "image": "a:1", "env": [{"name": "A", "value": "1"}]}]}}),
            vec![
                (
                    spec(
                        "containers",
                        json!([{"name": "a", "image": "a:2", "env": [{"name": "A", "value": "1"}]}]),
                    ),
                    "",
                ),
                (spec("initContainers", json!([{"name": "i", "image": "i:2"}])), ""),
                (
                    spec(
                        "containers",
                        json!([{"name": "a", "image": "a:1", "env": [{"name": "A", "value": "2"}]}]),
                    ),
                    "/spec/containers/*",
                ),
                (
                    spec(
                        "containers",
                        json!([{"name": "a", "image": "a:1", "env": [{"name": "A", "value": "1"}]}, {"name": "b", "image": "b"}]),
                    ),
                    "/spec/containers/*",
                ),
                (
                    spec(
                        "containers",
                        json!([{"name": "a", "image": "a:1", "env": [{"name": "A", "value": "1"}], "resources": {"limits": {"cpu": "1"}}}]),
                    ),
                    "/spec/containers/*",
                ),
                (spec("initContainers", Json::Null), "/spec/initContainers/*"),
                (spec("activeDeadlineSeconds", json!(900)), ""),
                (spec("activeDeadlineSeconds", json!(1100)), "/spec/activeDeadlineSeconds"),
                (spec("activeDeadlineSeconds", Json::Null), "/spec/activeDeadlineSeconds"),
                (spec("schedulingGates", Json::Null), ""),
                (
                    spec("schedulingGates", json!([{"name": "a.example/b"}, {"name": "a.example/c"}])),
                    "/spec/schedulingGates",
                ),
                (
                    spec(
                        "tolerations",
                        json!([{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "Exists"}]),
                    ),
                    "",
                ),
                (spec("tolerations", json!([{"key": "b", "operator": "Exists"}])), "/spec/tolerations"),
                (spec("restartPolicy", json!("Never")), "/spec"),
                (spec("hostNetwork", json!(true)), "/spec"),
                (spec("volumes", json!([{"name": "v", "emptyDir": {}}])), "/spec"),
                (spec("serviceAccountName", json!("other")), "/spec"),
                (json!({"metadata": {"labels": {"x": "y"}, "annotations": {"x": "y"}}}), ""),
            ],
        ),
    ]
}

pub(super) fn jobs(ns: &str) -> Vec<Case> {
    let spec = |name: &str, value: Json| json!({"spec": {name: value}});
    let inner = |more: Json| template(merged(&json!({"spec": {"restartPolicy": "Never"}}), &more));
    let job = |name: &str, more: Json| {
        let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": ns},
            "spec": {"parallelism": 2, "completions": 2, "template": inner(json!({}))}});
        merged(&job, &more)
    };
    let node = inner(json!({"spec": {"nodeSelector": {"a": "b"}}}));
    let image = inner(json!({"spec": {"containers": [{"name": "a", "image": "a:2"}]}}));
    let label = inner(json!({"metadata": {"labels": {"a": "b"}}}));
    let gone = json!([{"action": "Ignore", "onExitCodes": {"operator": "In", "values": [3]}}]);
    vec![
        case(
            job("plain", json!({})),
            vec![
                (spec("parallelism", json!(3)), ""),
                (spec("suspend", json!(true)), ""),
                (spec("backoffLimit", json!(3)), ""),
                (spec("activeDeadlineSeconds", json!(3000)), ""),
                (spec("ttlSecondsAfterFinished", json!(3000)), ""),
                (spec("completions", json!(3)), "/spec/completions"),
                (spec("completions", Json::Null), "/spec/completions"),
                (spec("completionMode", json!("Indexed")), "/spec/completionMode"),
                (spec("completionMode", json!("NonIndexed")), ""),
                (spec("managedBy", json!("example.com/other")), "/spec/managedBy"),
                (spec("podFailurePolicy", json!({"rules": gone})), "/spec/podFailurePolicy"),
                (spec("template", image.clone()), "/spec/template"),
                (spec("template", node.clone()), "/spec/template"),
                (json!({"metadata": {"labels": {"x": "y"}}}), ""),
            ],
        ),
        case(
            job("idle", json!({"spec": {"suspend": true}})),
            vec![
                (spec("suspend", json!(false)), ""),
                (spec("template", node), ""),
                (spec("template", label), ""),
                (
                    spec(
                        "template",
                        inner(json!({"spec": {"tolerations": [{"key": "a", "operator": "Exists"}]}})),
                    ),
                    "",
                ),
                (spec("template", image), "/spec/template"),
            ],
        ),
        case(
            job("indexed", json!({"spec": {"completionMode": "Indexed", "backoffLimitPerIndex": 1}})),
            vec![
                (json!({"spec": {"completions": 3, "parallelism": 3}}), ""),
                (json!({"spec": {"completions": 3}}), "/spec/completions"),
                (spec("backoffLimitPerIndex", json!(2)), "/spec/backoffLimitPerIndex"),
                (spec("successPolicy", json!({"rules": [{"succeededCount": 1}]})), "/spec/successPolicy"),
            ],
        ),
        case(
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "cron", "namespace": ns},
                "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": inner(json!({}))}}}}),
            vec![
                (spec("schedule", json!("1 0 1 1 *")), ""),
                (
                    json!({"spec": {"jobTemplate": {"spec": {"completions": 3, "template": inner(json!({"metadata": {"labels": {"a": "b"}}}))}}}}),
                    "",
                ),
                (spec("concurrencyPolicy", json!("Forbid")), ""),
            ],
        ),
    ]
}
