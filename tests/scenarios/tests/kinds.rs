//! Every native kind as a type of its own: made, changed, seen to be as wanted, deleted.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use sheave_testkit::{Stack, cluster};

/// A type, its properties, and a change of them as a merge patch that is made in place.
struct Row(&'static str, Value, Value);

/// Pods of one owner each: they would take each other's.
fn template(of: &str, image: &str) -> Value {
    json!({"metadata": {"labels": {"app": of}}, "spec": {"containers": [{"name": "a", "image": image}]}})
}

fn rows(id: &str, node: &str) -> Vec<Row> {
    let named = |more: Value| merged(&json!({"metadata": {"name": id}}), &more);
    let set = |of: &str, more: Value| {
        let selector = json!({"matchLabels": {"app": of}});
        merged(&json!({"spec": {"selector": selector, "template": template(of, "a:1")}}), &more)
    };
    let rules = |verb: &str| json!({"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": [verb]}]});
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"});
    let subject = |name: &str| json!([{"kind": "ServiceAccount", "name": name, "namespace": "default"}]);
    let once = json!({"spec": merged(&template("bare", "a:1")["spec"], &json!({"restartPolicy": "Never"}))});
    let group = format!("{id}.example.com");
    vec![
        Row("ClusterRole", named(rules("get")), rules("list")),
        Row(
            "ClusterRoleBinding",
            named(json!({"roleRef": role, "subjects": subject("a")})),
            json!({"subjects": subject("b")}),
        ),
        Row("ConfigMap", json!({"data": {"a": "1"}}), json!({"data": {"a": null, "b": "2"}})),
        Row(
            "CronJob",
            json!({"spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": once}}}}),
            json!({"spec": {"schedule": "1 0 1 1 *"}}),
        ),
        Row(
            "CustomResourceDefinition",
            json!({"spec": {"group": group, "scope": "Namespaced",
            "names": {"kind": "Fixture", "listKind": "FixtureList", "plural": "fixtures", "singular": "fixture"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]}}),
            json!({"spec": {"names": {"shortNames": ["fx"]}}}),
        ),
        Row("DaemonSet", set("daemon", json!({})), json!({"spec": {"template": template("daemon", "a:2")}})),
        Row(
            "Deployment",
            set("deployed", json!({"spec": {"replicas": 1}})),
            json!({"spec": {"replicas": 2}}),
        ),
        Row(
            "HorizontalPodAutoscaler",
            json!({"spec": {"maxReplicas": 2, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "none"}}}),
            json!({"spec": {"maxReplicas": 3}}),
        ),
        Row(
            "Ingress",
            json!({"spec": {"rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s", "port": {"number": 80}}}}]}}]}}),
            json!({"spec": {"ingressClassName": "some"}}),
        ),
        Row("Job", json!({"spec": {"suspend": true, "template": once}}), json!({"spec": {"parallelism": 2}})),
        Row(
            "LimitRange",
            json!({"spec": {"limits": [{"type": "Container", "max": {"cpu": "4000m"}}]}}),
            json!({"spec": {"limits": [{"type": "Container", "max": {"cpu": "3"}}]}}),
        ),
        Row(
            "Namespace",
            json!({"metadata": {"name": format!("{id}-space")}}),
            json!({"metadata": {"labels": {"a": "b"}}}),
        ),
        Row(
            "NetworkPolicy",
            json!({"spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}),
            json!({"spec": {"podSelector": {"matchLabels": {"a": "b"}}}}),
        ),
        Row(
            "Node",
            json!({"metadata": {"name": node, "labels": {"tier": "web"}}}),
            json!({"metadata": {"labels": {"tier": "data"}, "annotations": {"example.com/a": "b"}}}),
        ),
        Row(
            "PersistentVolume",
            named(
                json!({"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": id, "nfs": {"server": "a.example.com", "path": "/"}}}),
            ),
            json!({"spec": {"capacity": {"storage": "2Gi"}}}),
        ),
        Row(
            "PersistentVolumeClaim",
            json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
            json!({"metadata": {"labels": {"a": "b"}}}),
        ),
        Row("Pod", template("bare", "a:1"), json!({"spec": template("bare", "a:2")["spec"]})),
        Row(
            "PodDisruptionBudget",
            json!({"spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}}),
            json!({"spec": {"minAvailable": 2}}),
        ),
        Row("PriorityClass", named(json!({"value": 7})), json!({"description": "first"})),
        Row("ReplicaSet", set("replicated", json!({})), json!({"spec": {"replicas": 2}})),
        Row(
            "ResourceQuota",
            json!({"spec": {"hard": {"pods": "100", "requests.cpu": "50000m"}}}),
            json!({"spec": {"hard": {"pods": "200"}}}),
        ),
        Row("Role", rules("get"), rules("list")),
        Row(
            "RoleBinding",
            json!({"roleRef": role, "subjects": subject("a")}),
            json!({"subjects": subject("b")}),
        ),
        Row(
            "Secret",
            json!({"type": "Opaque", "stringData": {"a": "one"}}),
            json!({"stringData": {"a": "two"}}),
        ),
        Row(
            "Service",
            json!({"spec": {"selector": {"app": "x"}, "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]}}),
            json!({"spec": {"ports": [{"name": "b", "port": 82}]}}),
        ),
        Row("ServiceAccount", json!({}), json!({"automountServiceAccountToken": false})),
        Row(
            "StatefulSet",
            set("stateful", json!({"spec": {"serviceName": "s"}})),
            json!({"spec": {"replicas": 2}}),
        ),
        Row(
            "StorageClass",
            named(json!({"provisioner": "example.com/none"})),
            json!({"allowVolumeExpansion": true}),
        ),
    ]
}

fn merged(object: &Value, patch: &Value) -> Value {
    let Some(fields) = patch.as_object() else { return patch.clone() };
    let mut new = object.as_object().cloned().unwrap_or_default();
    for (name, value) in fields {
        match value {
            Value::Null => _ = new.remove(name),
            value => {
                let old = new.get(name).cloned().unwrap_or_default();
                new.insert(name.clone(), merged(&old, value));
            }
        }
    }
    Value::Object(new)
}

/// The blueprint's text: JSON is YAML, too.
fn blueprint(rows: &[Row], changed: bool) -> String {
    let mut resources = Map::new();
    for Row(kind, props, patch) in rows {
        let props = if changed { merged(props, patch) } else { props.clone() };
        let mut resource = json!({"type": format!("kubernetes:{kind}"), "properties": props});
        // A quota that stands already would want its pods to say what they ask for.
        if *kind == "ResourceQuota" {
            resource["properties"]["spec"]["hard"].as_object_mut().unwrap().remove("requests.cpu");
        }
        resources.insert(kind.to_lowercase(), resource);
    }
    let text = json!({"blueprint": "kinds", "plugins": {"kubernetes": {}}, "resources": resources,
        "targets": {"main": {"kubernetes": {"context": "admin", "namespace": "@namespace@"}}}});
    text.to_string()
}

/// The types that the reference has a page of, but for those that are no kind.
fn documented() -> BTreeSet<String> {
    let folder = sheave_testkit::root().join("docs/types");
    let files = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
    let name = |file: String| Some(file.strip_prefix("kubernetes.")?.strip_suffix(".md")?.to_owned());
    files.filter_map(name).filter(|kind| !["App", "Manifests", "Object"].contains(&kind.as_str())).collect()
}

#[test]
fn every_kind_is_made_changed_and_deleted() {
    let stack = Stack::new("kinds");
    let node = cluster::unique("test-node");
    let body = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node},
        "spec": {"taints": [{"key": "example.com/theirs", "effect": "NoSchedule"}], "unschedulable": true}});
    let _ = cluster::kubectl_with(&["create", "-f", "-"], &body.to_string());
    let rows = rows(stack.namespace(), &node);
    let kinds: BTreeSet<String> = rows.iter().map(|Row(kind, ..)| (*kind).to_owned()).collect();
    assert_eq!(kinds, documented());

    stack.blueprint(&blueprint(&rows, false));
    let _ = stack.apply();
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    let set = stack.set_id().unwrap();
    let uids = |stack: &Stack| {
        let all = stack.kubectl(&[
            "get",
            "pods,jobs,services,statefulsets",
            "-l",
            &format!("applyset.kubernetes.io/part-of={set}"),
            "-o",
            "json",
        ]);
        all.json()["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| o["metadata"]["uid"].clone())
            .collect::<Vec<_>>()
    };
    // What Kubernetes makes for a Service takes its labels over.
    let members = |stack: &Stack| {
        let all = stack.members(&set).into_iter();
        all.filter(|o| !o.starts_with("endpoint")).collect::<Vec<_>>()
    };
    assert_eq!(members(&stack).len(), rows.len(), "{:?}", members(&stack));
    let before = uids(&stack);

    stack.blueprint(&blueprint(&rows, true));
    let plan = stack.plan();
    let of =
        |r: &Value| (r["address"].as_str().unwrap().to_owned(), r["action"].as_str().unwrap().to_owned());
    let odd: Vec<_> =
        plan["resources"].as_array().unwrap().iter().map(of).filter(|(_, a)| a != "update").collect();
    assert_eq!(odd, [], "each is changed in place");
    let _ = stack.apply();
    assert_eq!(uids(&stack), before);
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);

    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert_eq!(members(&stack), Vec::<String>::new());
    let left =
        cluster::kubectl(&["get", "node", &node, "-o", "jsonpath={.metadata.name} {.spec.taints[*].key}"]);
    assert!(left.starts_with(&node) && left.contains("example.com/theirs"), "{left}");
    let _ = cluster::kubectl(&["delete", "node", &node, "--wait=false"]);
}
