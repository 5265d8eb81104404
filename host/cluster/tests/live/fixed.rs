//! The table of what no update can change, held against the API server: each change is tried by a dry run, and is
//! refused exactly where the table says so.

mod workloads;

use std::time::Duration;

use serde_json::{Value as Json, json};
use sheave_cluster::{ApplyOptions, AwaitTarget, Cluster, ClusterError};
use sheave_manifest::{FIELD_MANAGER, diff, fixed_at, prepare, readiness};
use sheave_testkit::cluster::unique;

use crate::{apply, as_user, cluster, id};

/// An object, and changes of it as merge patches: what the table says of each; empty: an update will do.
struct Case {
    object: Json,
    changes: Vec<(Json, &'static str)>,
}

fn case(object: Json, changes: Vec<(Json, &'static str)>) -> Case {
    Case { object, changes }
}

fn merged(object: &Json, patch: &Json) -> Json {
    let (Some(fields), Some(old)) = (patch.as_object(), object.as_object()) else { return patch.clone() };
    let mut new = old.clone();
    for (name, value) in fields {
        if value.is_null() {
            new.remove(name);
        } else {
            new.insert(name.clone(), merged(old.get(name).unwrap_or(&Json::Null), value));
        }
    }
    Json::Object(new)
}

/// The table's word and the server's for each change of a case; those that differ.
async fn judge(cluster: &Cluster, case: Case, wrong: &mut Vec<String>) {
    let live = match apply(cluster, &case.object).await {
        Ok(applied) => applied.object,
        Err(error) => return wrong.push(format!("{}: {error:?}", case.object)),
    };
    let live = match case.object["kind"] == "CustomResourceDefinition" {
        true => {
            let awaited =
                AwaitTarget { id: id(&case.object), uid: None, seen: None, judge: Box::new(readiness) };
            cluster.await_ready(vec![awaited], Duration::from_secs(30), |_| ()).await.unwrap().remove(0)
        }
        false => live,
    };
    for (patch, said) in case.changes {
        let desired = prepare(merged(&case.object, &patch)).unwrap();
        let changes = diff(&desired, &live, FIELD_MANAGER, &[]).changes;
        let fixed = changes.iter().find_map(|c| fixed_at(&desired, &live, c)).unwrap_or("");
        let options = ApplyOptions { dry_run: true, force: true, ..ApplyOptions::default() };
        let tried = cluster.apply(&desired, &options).await;
        let refused = matches!(tried, Err(ClusterError::Invalid { .. } | ClusterError::Forbidden { .. }));
        let kind = &case.object["kind"];
        let answer = tried.err().map(|e| format!("{e}: {:?}", e.diagnostic().detail));
        if fixed != said {
            wrong.push(format!("{kind} {patch}: the table says `{fixed}`, and not `{said}` ({answer:?})"));
        } else if refused == fixed.is_empty() {
            wrong.push(format!("{kind} {patch}: the table says `{fixed}`, and the server {answer:?}"));
        }
    }
}

fn settings(ns: &str) -> Vec<Case> {
    let meta = |name: &str| json!({"name": name, "namespace": ns});
    let map = |name: &str, more: Json| {
        merged(
            &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(name), "data": {"a": "1"}}),
            &more,
        )
    };
    let secret = |name: &str, more: Json| {
        let plain =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta(name), "stringData": {"a": "1"}});
        merged(&plain, &more)
    };
    let sealed = json!({"immutable": true});
    vec![
        case(
            map("open", json!({})),
            vec![
                (json!({"data": {"a": "2"}}), ""),
                (sealed.clone(), ""),
                (json!({"binaryData": {"b": "YQ=="}}), ""),
            ],
        ),
        case(
            map("sealed", sealed.clone()),
            vec![
                (json!({"data": {"a": "2"}}), "/data"),
                (json!({"data": {"b": "2"}}), "/data"),
                (json!({"data": {"a": null}}), "/data"),
                (json!({"binaryData": {"b": "YQ=="}}), "/binaryData"),
                (json!({"immutable": false}), "/immutable"),
                (json!({"immutable": null}), "/immutable"),
                (json!({"metadata": {"labels": {"x": "y"}}}), ""),
            ],
        ),
        case(
            secret("open", json!({"type": "Opaque"})),
            vec![
                (json!({"stringData": {"a": "2"}}), ""),
                (json!({"type": "example.com/other"}), "/type"),
                (json!({"type": null}), ""),
                (sealed.clone(), ""),
            ],
        ),
        case(
            secret("sealed", sealed),
            vec![
                (json!({"stringData": {"a": "2"}}), "/data"),
                (json!({"stringData": {"b": "2"}}), "/data"),
                (json!({"immutable": false}), "/immutable"),
            ],
        ),
        case(
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("account")}),
            vec![(json!({"automountServiceAccountToken": false}), "")],
        ),
        case(
            json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta("quota"), "spec": {"hard": {"pods": "100"}}}),
            vec![
                (json!({"spec": {"hard": {"pods": "200"}}}), ""),
                (json!({"spec": {"scopes": ["BestEffort"]}}), "/spec/scopes"),
            ],
        ),
        case(
            json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": meta("range"), "spec": {"limits": [{"type": "Pod", "max": {"cpu": "4"}}]}}),
            vec![(json!({"spec": {"limits": [{"type": "Pod", "max": {"cpu": "3"}}]}}), "")],
        ),
        case(
            json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta("budget"),
                "spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}}),
            vec![
                (json!({"spec": {"minAvailable": 2}}), ""),
                (json!({"spec": {"selector": {"matchLabels": {"a": "c"}}}}), ""),
            ],
        ),
        case(
            json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta("scaler"),
                "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}}}),
            vec![
                (json!({"spec": {"maxReplicas": 4}}), ""),
                (json!({"spec": {"scaleTargetRef": {"name": "y"}}}), ""),
            ],
        ),
        case(
            json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": meta("revision"), "revision": 1, "data": {"a": 1}}),
            vec![(json!({"revision": 2}), ""), (json!({"data": {"a": 2}}), "/data")],
        ),
        case(
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta("lease"), "spec": {"holderIdentity": "a"}}),
            vec![(json!({"spec": {"holderIdentity": "b"}}), "")],
        ),
    ]
}

fn network(ns: &str, name: &str) -> Vec<Case> {
    let meta = |name: &str| json!({"name": name, "namespace": ns});
    let service = |name: &str, more: Json| {
        let plain = json!({"apiVersion": "v1", "kind": "Service", "metadata": meta(name), "spec": {"ports": [{"port": 80}]}});
        merged(&plain, &json!({"spec": more}))
    };
    let spec = |name: &str, value: Json| json!({"spec": {name: value}});
    vec![
        case(
            service("plain", json!({"selector": {"a": "b"}})),
            vec![
                (spec("ports", json!([{"port": 81}])), ""),
                (spec("selector", json!({"a": "c"})), ""),
                (spec("type", json!("NodePort")), ""),
                (spec("type", json!("LoadBalancer")), ""),
                (spec("sessionAffinity", json!("ClientIP")), ""),
                (spec("clusterIP", json!("None")), "/spec/clusterIP"),
                (
                    json!({"spec": {"type": "ExternalName", "externalName": "a.example.com", "ports": [{"port": 80}]}}),
                    "",
                ),
            ],
        ),
        case(
            service("headless", json!({"clusterIP": "None"})),
            vec![(spec("clusterIP", Json::Null), ""), (spec("publishNotReadyAddresses", json!(true)), "")],
        ),
        case(
            merged(
                &service("external", json!({"type": "ExternalName", "externalName": "a.example.com"})),
                &json!({"spec": {"ports": null}}),
            ),
            vec![
                (spec("externalName", json!("b.example.com")), ""),
                (
                    json!({"spec": {"type": "ClusterIP", "externalName": null, "clusterIP": "None", "ports": [{"port": 80}]}}),
                    "",
                ),
            ],
        ),
        case(
            service("balanced", json!({"type": "LoadBalancer", "loadBalancerClass": "example.com/a"})),
            vec![
                (spec("loadBalancerClass", json!("example.com/b")), "/spec/loadBalancerClass"),
                (spec("loadBalancerClass", Json::Null), "/spec/loadBalancerClass"),
                (json!({"spec": {"type": "ClusterIP", "loadBalancerClass": null}}), ""),
                (spec("externalTrafficPolicy", json!("Local")), ""),
            ],
        ),
        case(
            service("classless", json!({"type": "LoadBalancer"})),
            vec![(spec("loadBalancerClass", json!("example.com/b")), "/spec/loadBalancerClass")],
        ),
        case(
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta("ingress"),
                "spec": {"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}}}),
            vec![
                (json!({"spec": {"ingressClassName": "x"}}), ""),
                (json!({"spec": {"defaultBackend": {"service": {"name": "b", "port": {"number": 80}}}}}), ""),
            ],
        ),
        case(
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta("policy"),
                "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}),
            vec![(
                json!({"spec": {"podSelector": {"matchLabels": {"a": "b"}}, "policyTypes": ["Egress"]}}),
                "",
            )],
        ),
        case(
            json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta("slice"),
                "addressType": "IPv4", "endpoints": [], "ports": []}),
            vec![
                (json!({"addressType": "IPv6"}), "/addressType"),
                (json!({"ports": [{"port": 80, "name": "a"}]}), ""),
            ],
        ),
        case(
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name}, "spec": {"controller": "example.com/a"}}),
            vec![
                (json!({"spec": {"controller": "example.com/b"}}), "/spec/controller"),
                (json!({"metadata": {"labels": {"a": "b"}}}), ""),
            ],
        ),
    ]
}

fn storage(ns: &str, name: &str) -> Vec<Case> {
    let spec = |name: &str, value: Json| json!({"spec": {name: value}});
    let claim = |name: &str, more: Json| {
        let plain = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": ns},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}});
        merged(&plain, &json!({"spec": more}))
    };
    let size = |s: &str| json!({"spec": {"resources": {"requests": {"storage": s}}}});
    let affinity = |key: &str| json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": key, "operator": "Exists"}]}]}});
    vec![
        case(
            claim("claim", json!({"storageClassName": name, "volumeMode": "Filesystem"})),
            vec![
                (size("1Gi"), "/spec/resources/requests/storage"),
                (size("2048Mi"), ""),
                (spec("accessModes", json!(["ReadWriteMany"])), "/spec"),
                (spec("storageClassName", json!("other")), "/spec/storageClassName"),
                (spec("volumeMode", json!("Block")), "/spec/volumeMode"),
                (spec("volumeMode", Json::Null), ""),
                (spec("volumeName", json!("some")), ""),
                (spec("selector", json!({"matchLabels": {"a": "b"}})), "/spec"),
                (json!({"spec": {"resources": {"limits": {"storage": "3Gi"}}}}), "/spec/resources"),
                (json!({"metadata": {"labels": {"a": "b"}}}), ""),
            ],
        ),
        case(
            claim("named", json!({"storageClassName": "", "volumeName": format!("{name}-none")})),
            vec![
                (spec("volumeName", json!("another")), "/spec/volumeName"),
                (spec("volumeName", Json::Null), "/spec/volumeName"),
            ],
        ),
        case(
            json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {
                "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": name,
                "nfs": {"server": "a.example.com", "path": "/a"}}}),
            vec![
                (json!({"spec": {"capacity": {"storage": "2Gi"}}}), ""),
                (spec("accessModes", json!(["ReadWriteMany"])), ""),
                (spec("persistentVolumeReclaimPolicy", json!("Delete")), ""),
                (spec("mountOptions", json!(["ro"])), ""),
                (spec("storageClassName", json!("other")), ""),
                (spec("nodeAffinity", affinity("a")), ""),
                (spec("nfs", json!({"server": "b.example.com"})), "/spec"),
                (json!({"spec": {"nfs": null, "hostPath": {"path": "/a"}}}), "/spec"),
                (spec("volumeMode", json!("Block")), "/spec/volumeMode"),
            ],
        ),
        case(
            json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": format!("{name}-here")}, "spec": {
                "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": name,
                "nodeAffinity": affinity("a"), "local": {"path": "/a"}}}),
            vec![(spec("nodeAffinity", affinity("b")), "/spec/nodeAffinity")],
        ),
        case(
            json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}, "provisioner": "example.com/a",
                "parameters": {"a": "b"}, "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer"}),
            vec![
                (json!({"provisioner": "example.com/b"}), "/provisioner"),
                (json!({"parameters": {"a": "c"}}), "/parameters"),
                (json!({"parameters": null}), "/parameters"),
                (json!({"reclaimPolicy": "Retain"}), "/reclaimPolicy"),
                (json!({"reclaimPolicy": null}), ""),
                (json!({"volumeBindingMode": "Immediate"}), "/volumeBindingMode"),
                (json!({"volumeBindingMode": null}), "/volumeBindingMode"),
                (json!({"allowVolumeExpansion": true}), ""),
                (json!({"mountOptions": ["ro"]}), ""),
                (
                    json!({"allowedTopologies": [{"matchLabelExpressions": [{"key": "a", "values": ["b"]}]}]}),
                    "",
                ),
                (json!({"metadata": {"annotations": {"a": "b"}}}), ""),
            ],
        ),
        case(
            json!({"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": name}, "spec": {"attachRequired": true}}),
            vec![
                (spec("attachRequired", json!(false)), "/spec/attachRequired"),
                (spec("attachRequired", Json::Null), ""),
                (spec("volumeLifecycleModes", json!(["Ephemeral"])), "/spec/volumeLifecycleModes"),
                (spec("podInfoOnMount", json!(true)), ""),
                (spec("fsGroupPolicy", json!("File")), ""),
                (spec("storageCapacity", json!(true)), ""),
                (spec("requiresRepublish", json!(true)), ""),
            ],
        ),
        case(
            json!({"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": name},
                "spec": {"attacher": "example.com", "nodeName": "a", "source": {"persistentVolumeName": "b"}}}),
            vec![(spec("nodeName", json!("b")), "/spec"), (json!({"metadata": {"labels": {"a": "b"}}}), "")],
        ),
    ]
}

fn rights_and_rest(ns: &str, name: &str) -> Vec<Case> {
    let role =
        |kind: &str, name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    let subjects = json!([{"kind": "ServiceAccount", "name": "a", "namespace": ns}]);
    let binding = |kind: &str, meta: Json| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": meta,
            "roleRef": role("ClusterRole", "view"), "subjects": subjects})
    };
    let bound = || {
        vec![
            (json!({"roleRef": role("ClusterRole", "edit")}), "/roleRef"),
            (json!({"subjects": [{"kind": "ServiceAccount", "name": "b", "namespace": ns}]}), ""),
            (json!({"subjects": null}), ""),
        ]
    };
    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]);
    let rules2 = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]);
    let group = format!("{name}.example.com");
    vec![
        case(binding("RoleBinding", json!({"name": "b", "namespace": ns})), bound()),
        case(binding("ClusterRoleBinding", json!({"name": name})), bound()),
        case(
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r", "namespace": ns}, "rules": rules}),
            vec![(json!({"rules": rules2}), "")],
        ),
        case(
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}),
            vec![(json!({"rules": rules2}), "")],
        ),
        case(
            json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": 7, "preemptionPolicy": "PreemptLowerPriority"}),
            vec![
                (json!({"value": 8}), "/value"),
                (json!({"preemptionPolicy": "Never"}), "/preemptionPolicy"),
                (json!({"preemptionPolicy": null}), ""),
                (json!({"description": "x"}), ""),
            ],
        ),
        case(
            json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": "a"}),
            vec![
                (json!({"handler": "b"}), "/handler"),
                (json!({"overhead": {"podFixed": {"cpu": "1m"}}}), ""),
            ],
        ),
        case(
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("fixtures.{group}")},
                "spec": {"group": group, "scope": "Namespaced", "names": {"kind": "Fixture", "plural": "fixtures"}, "versions": [
                    {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]}}),
            vec![
                (json!({"spec": {"names": {"shortNames": ["fx"]}}}), ""),
                (json!({"spec": {"scope": "Cluster"}}), "/spec/scope"),
                (json!({"spec": {"names": {"kind": "Other"}}}), "/spec/names/kind"),
                (json!({"spec": {"names": {"plural": "others"}}}), "/spec/names/plural"),
                (json!({"spec": {"group": "other.example.com"}}), "/spec/group"),
            ],
        ),
        case(
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": format!("test-{name}")}}),
            vec![(json!({"metadata": {"labels": {"a": "b"}}}), "")],
        ),
    ]
}

#[tokio::test]
async fn the_table_says_what_the_server_refuses() {
    let (cluster, ns) = cluster().await;
    let name = unique("fixed");
    let all = [
        workloads::pods(&ns.name),
        workloads::jobs(&ns.name),
        settings(&ns.name),
        network(&ns.name, &name),
        storage(&ns.name, &name),
        rights_and_rest(&ns.name, &name),
    ];
    let (mut wrong, mut of_no_namespace) = (Vec::new(), Vec::new());
    for case in all.into_iter().flatten() {
        if case.object["metadata"].get("namespace").is_none() {
            of_no_namespace.push(id(&case.object));
        }
        judge(&cluster, case, &mut wrong).await;
    }
    let admin = as_user("admin").await;
    for id in &of_no_namespace {
        let _ = admin.delete(id, None).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
