//! Applying, reading and deleting single objects.

use serde_json::{Value as Json, json};
use sheave_cluster::{ApplyOptions, ClusterError, Deleted, Propagation};
use sheave_manifest::{FIELD_MANAGER, changes_between, desired_digest, diff, owned_digest, prepare};
use sheave_model::ObjectId;
use sheave_testkit::cluster::{kubectl, kubectl_with, unique};

use crate::wait::LONG;
use crate::{apply, as_user, cluster, config_map, deployment, forced, id, uid};

const KEY: &[u8] = b"key";

#[tokio::test]
async fn creates_updates_and_does_nothing() {
    let (cluster, ns) = cluster().await;
    let obj = config_map(&ns, "a", json!({"k": "1"}));
    assert_eq!(cluster.get(&id(&obj)).await.unwrap(), None);
    let first = apply(&cluster, &obj).await.unwrap();
    assert!(first.created);
    let again = apply(&cluster, &obj).await.unwrap();
    assert!(!again.created);
    let version = |o: &Json| o["metadata"]["resourceVersion"].clone();
    assert_eq!(version(&again.object), version(&first.object));
    let changed = apply(&cluster, &config_map(&ns, "a", json!({"other": "2"}))).await.unwrap();
    assert_eq!(changed.object["data"], json!({"other": "2"}));
    let live = cluster.get(&id(&obj)).await.unwrap().unwrap();
    assert_eq!(live, changed.object);
    assert_eq!(owned_digest(&live, FIELD_MANAGER, KEY), owned_digest(&changed.object, FIELD_MANAGER, KEY));
}

/// The server fills in `rollingUpdate`, keeps it since nobody drops it, and refuses it beside another choice.
#[tokio::test]
async fn a_choice_can_be_taken_back() {
    let (cluster, ns) = cluster().await;
    let mut web = deployment(&ns, "web", 0, &json!({}));
    let made = apply(&cluster, &web).await.unwrap();
    assert!(made.object["spec"]["strategy"]["rollingUpdate"].is_object());
    web["spec"]["strategy"] = json!({"type": "Recreate"});
    let changed = apply(&cluster, &web).await.unwrap();
    assert_eq!(changed.object["spec"]["strategy"], json!({"type": "Recreate"}));
    let mut set = deployment(&ns, "set", 0, &json!({}));
    set["kind"] = json!("StatefulSet");
    set["spec"]["serviceName"] = json!("set");
    apply(&cluster, &set).await.unwrap();
    set["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    let changed = apply(&cluster, &set).await.unwrap();
    assert_eq!(changed.object["spec"]["updateStrategy"], json!({"type": "OnDelete"}));
}

#[tokio::test]
async fn a_dry_run_shows_and_changes_nothing() {
    let (cluster, ns) = cluster().await;
    let options = ApplyOptions { dry_run: true, ..ApplyOptions::default() };
    let obj = config_map(&ns, "a", json!({"k": "1"}));
    assert!(cluster.apply(&obj, &options).await.unwrap().created);
    assert_eq!(cluster.get(&id(&obj)).await.unwrap(), None);
    let before = apply(&cluster, &obj).await.unwrap().object;
    let after = cluster.apply(&config_map(&ns, "a", json!({"k": "2"})), &options).await.unwrap().object;
    let changes = changes_between(&before, &after, FIELD_MANAGER);
    assert_eq!(changes.iter().map(|c| c.path.as_str()).collect::<Vec<_>>(), ["data.k"]);
}

/// The objects of the corpus are written by people and rich in what servers normalise.
#[tokio::test]
async fn what_was_applied_has_no_diff() {
    let (cluster, ns) = cluster().await;
    let objects = [
        deployment(&ns, "web", 0, &json!({})),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": ns.name}, "spec": {
            "type": "LoadBalancer", "selector": {"app": "web"}, "ports": [
                {"name": "http", "port": 80, "targetPort": "http"}, {"name": "dns", "port": 53, "protocol": "UDP"}]}}),
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": ns.name}, "spec": {
            "replicas": 0, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
            "template": {"metadata": {"labels": {"app": "db"}, "creationTimestamp": null}, "spec": {
                "securityContext": {}, "hostNetwork": false, "nodeSelector": {"disk": "ssd"},
                "tolerations": [{"key": "a", "operator": "Exists"}],
                "containers": [{"name": "db", "image": "db", "args": [], "ports": [{"containerPort": 5432}, {"containerPort": 5432, "protocol": "UDP"}],
                    "env": [{"name": "A", "value": "1"}, {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                        {"name": "C", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}],
                    "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"cpu": 1, "memory": "1Gi"}},
                    "livenessProbe": {"httpGet": {"path": "/", "port": 80}},
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "token", "mountPath": "/token"}]}],
                "volumes": [{"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}, {"name": "tmp", "emptyDir": {}}]}},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1024Mi"}}}}]}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "n", "namespace": ns.name}, "spec": {
            "podSelector": {"matchLabels": {"a": "b"}}, "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 80}]}]}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "r:b", "namespace": ns.name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "x", "namespace": ns.name}, {"kind": "User", "name": "u"}]}),
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h", "namespace": ns.name}, "spec": {
            "maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "0.5"}}}]}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i", "namespace": ns.name}, "spec": {
            "rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s", "port": {"number": 80}}}}]}}]}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "p", "namespace": ns.name}, "stringData": {"a": "b"}, "data": {"c": "ZA=="}}),
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c", "namespace": ns.name}, "spec": {"schedule": "0 0 1 1 *",
            "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "x", "image": "x"}]}}}}}}),
        json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l", "namespace": ns.name}, "spec": {"limits": [
            {"type": "Container", "max": {"cpu": "2000m"}, "default": {"memory": "1024Mi"}}]}}),
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": ns.name}, "spec": {"hard": {"requests.cpu": "1000m", "pods": 5}}}),
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "d", "namespace": ns.name}, "spec": {
            "minAvailable": "50%", "selector": {"matchLabels": {"a": "b"}}}}),
    ];
    for obj in objects {
        let desired = prepare(obj).unwrap();
        let live =
            apply(&cluster, &desired).await.unwrap_or_else(|e| panic!("{e} {:?}", e.diagnostic())).object;
        let found = diff(&desired, &live, FIELD_MANAGER, &[]);
        assert!(found.changes.is_empty(), "{}: {:#?}", id(&desired), found.changes);
        // What a limit range leaves out is derived from what it says.
        assert_eq!(found.doubt, desired["kind"] == "LimitRange", "{}", id(&desired));
        // A second apply writes nothing, and the digests stay.
        let again = apply(&cluster, &desired).await.unwrap().object;
        assert_eq!(owned_digest(&again, FIELD_MANAGER, KEY), owned_digest(&live, FIELD_MANAGER, KEY));
        assert_eq!(desired_digest(&desired, KEY), desired_digest(&prepare(desired.clone()).unwrap(), KEY));
    }
}

/// What `diff` foretells is what an apply does, in so far as it is sure.
#[tokio::test]
async fn diff_foretells_the_apply() {
    let (cluster, ns) = cluster().await;
    let old = deployment(&ns, "web", 0, &json!({"x": "y"}));
    let live = apply(&cluster, &old).await.unwrap().object;
    let mut new = deployment(&ns, "web", 0, &json!({}));
    new["metadata"]["annotations"] = json!({"note": "n"});
    let container = &mut new["spec"]["template"]["spec"]["containers"][0];
    container["image"] = json!("web:2");
    container["resources"] = json!({});
    container["env"] = json!([{"name": "A", "value": "1"}]);
    new["spec"]["template"]["spec"]["nodeSelector"] = json!({"a": "b"});
    let foretold = diff(&new, &live, FIELD_MANAGER, &[]);
    assert!(!foretold.doubt);
    let after = apply(&cluster, &new).await.unwrap().object;
    let done = changes_between(&live, &after, FIELD_MANAGER);
    let mut paths = [foretold.changes, done].map(|c| c.into_iter().map(|c| c.path).collect::<Vec<_>>());
    // The server writes the empty map where the limits were.
    paths.iter_mut().for_each(|p| p.retain(|p| !p.contains("resources")));
    paths.iter_mut().for_each(|p| p.sort());
    assert_eq!(paths[0], paths[1]);
    assert_eq!(paths[0].len(), 5, "{paths:?}");
}

#[tokio::test]
async fn deletes_only_the_one_that_is_meant() {
    let (cluster, ns) = cluster().await;
    let obj = config_map(&ns, "a", json!({}));
    let live = apply(&cluster, &obj).await.unwrap().object;
    let other = "00000000-0000-0000-0000-000000000000";
    assert_eq!(cluster.delete(&id(&obj), Some(other)).await.unwrap(), Deleted::OtherUid);
    assert!(cluster.get(&id(&obj)).await.unwrap().is_some());
    assert_eq!(cluster.delete(&id(&obj), Some(&uid(&live))).await.unwrap(), Deleted::Gone);
    assert_eq!(cluster.delete(&id(&obj), Some(&uid(&live))).await.unwrap(), Deleted::NotFound);
}

#[tokio::test]
async fn a_finalizer_holds_what_is_deleted() {
    let (cluster, ns) = cluster().await;
    let mut obj = config_map(&ns, "a", json!({}));
    obj["metadata"]["finalizers"] = json!(["example.com/hold"]);
    apply(&cluster, &obj).await.unwrap();
    let deleted = cluster.delete_with(&id(&obj), None, Propagation::Foreground).await.unwrap();
    assert_eq!(deleted, Deleted::Terminating);
    assert_eq!(cluster.delete(&id(&obj), None).await.unwrap(), Deleted::Terminating);
    kubectl(&[
        "patch",
        "configmap",
        "a",
        "-n",
        &ns.name,
        "--type=json",
        "-p",
        r#"[{"op":"remove","path":"/metadata/finalizers"}]"#,
    ]);
    assert_eq!(cluster.delete(&id(&obj), None).await.unwrap(), Deleted::NotFound);
}

#[tokio::test]
async fn invalid_objects_name_their_fields() {
    let (cluster, ns) = cluster().await;
    let mut negative = deployment(&ns, "web", 0, &json!({}));
    negative["spec"]["replicas"] = json!(-1);
    let mut unknown = deployment(&ns, "web", 0, &json!({}));
    unknown["spec"]["replcias"] = json!(1);
    let mut ill_typed = deployment(&ns, "web", 0, &json!({}));
    ill_typed["spec"]["replicas"] = json!("three");
    for (obj, word) in [(negative, "spec.replicas"), (unknown, "replcias"), (ill_typed, "replicas")] {
        let error = apply(&cluster, &obj).await.err().unwrap();
        assert!(matches!(error, ClusterError::Invalid { .. }), "{word}: {error:?} {:?}", error.words());
        assert!(error.diagnostic().detail.unwrap().contains(word), "{word}");
    }
}

#[tokio::test]
async fn immutable_fields_are_told_from_others() {
    let (cluster, ns) = cluster().await;
    let mut obj = deployment(&ns, "web", 0, &json!({}));
    apply(&cluster, &obj).await.unwrap();
    obj["spec"]["selector"]["matchLabels"] = json!({"app": "other"});
    obj["spec"]["template"]["metadata"]["labels"]["app"] = json!("other");
    let error = apply(&cluster, &obj).await.err().unwrap();
    assert_eq!(error.immutable_fields(), ["spec.selector"]);
    let claim = |size: &str| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "c", "namespace": ns.name},
        "spec": {"accessModes": [size], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}}})
    };
    apply(&cluster, &claim("ReadWriteOnce")).await.unwrap();
    let error = apply(&cluster, &claim("ReadWriteMany")).await.err().unwrap();
    assert_eq!(error.immutable_fields(), ["spec"], "{:?}", error.diagnostic());
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let (cluster, ns) = cluster().await;
    let mut stray = config_map(&ns, "a", json!({}));
    stray["metadata"]["namespace"] = json!(unique("nowhere"));
    let error = apply(&cluster, &stray).await.err().unwrap();
    assert!(
        matches!(&error, ClusterError::NamespaceMissing { namespace, .. } if *namespace == stray["metadata"]["namespace"]),
        "{error:?}"
    );

    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": ns.name},
        "spec": {"hard": {"configmaps": "0"}}});
    apply(&cluster, &quota).await.unwrap();
    // The quota counts once its controller has seen it.
    kubectl(&[
        "wait",
        "-n",
        &ns.name,
        "resourcequota/q",
        "--for=jsonpath={.status.hard.configmaps}=0",
        "--timeout=30s",
    ]);
    let error = apply(&cluster, &config_map(&ns, "a", json!({}))).await.err().unwrap();
    assert!(matches!(error, ClusterError::QuotaExceeded { .. }), "{error:?}");

    let reader = as_user("reader").await;
    let error = apply(&reader, &config_map(&ns, "a", json!({}))).await.err().unwrap();
    assert!(matches!(error, ClusterError::Forbidden { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("not allowed to apply ConfigMap {}/a", ns.name));
}

#[tokio::test]
async fn a_namespace_that_goes_takes_nothing_new() {
    let (cluster, ns) = cluster().await;
    let mut held = config_map(&ns, "held", json!({}));
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    apply(&cluster, &held).await.unwrap();
    kubectl(&["delete", "namespace", &ns.name, "--wait=false"]);
    let error = apply(&cluster, &config_map(&ns, "a", json!({}))).await.err().unwrap();
    assert!(
        matches!(&error, ClusterError::NamespaceTerminating { namespace, .. } if *namespace == ns.name),
        "{error:?}"
    );
    kubectl(&[
        "patch",
        "configmap",
        "held",
        "-n",
        &ns.name,
        "--type=json",
        "-p",
        r#"[{"op":"remove","path":"/metadata/finalizers"}]"#,
    ]);
}

#[tokio::test]
async fn a_policy_that_refuses_is_named() {
    let (cluster, ns) = cluster().await;
    let name = unique("policy");
    let policy = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": {
            "matchConstraints": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": ns.name}}, "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}]},
            "validations": [{"expression": "object.metadata.name != 'bad'", "message": "no bad names"}]}},
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]}},
    ]});
    kubectl_with(&["apply", "-f", "-"], &policy.to_string());
    let bad = config_map(&ns, "bad", json!({}));
    // Policies take a moment to reach the server's admission.
    let began = std::time::Instant::now();
    let error = loop {
        match apply(&cluster, &bad).await {
            Err(refused) => break Some(refused),
            Ok(_) if began.elapsed() > LONG => break None,
            Ok(_) => {}
        }
    };
    kubectl(&["delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", &name]);
    let error = error.unwrap();
    assert!(
        matches!(&error, ClusterError::Refused { by, .. } if *by == format!("policy {name}")),
        "{error:?} {:?}",
        error.words()
    );
}

#[tokio::test]
async fn deprecated_fields_are_warned_of() {
    let (cluster, ns) = cluster().await;
    let mut obj = deployment(&ns, "web", 0, &json!({}));
    obj["spec"]["template"]["metadata"]["annotations"] =
        json!({"container.apparmor.security.beta.kubernetes.io/app": "unconfined"});
    let warnings = forced(&cluster, &obj).await.unwrap().warnings;
    assert!(warnings.iter().any(|w| w.unmasked().contains("apparmor")), "{warnings:?}");
}

#[tokio::test]
async fn an_object_without_a_namespace_stands_in_the_targets() {
    let (_, ns) = cluster().await;
    let mut settings = crate::settings("admin");
    settings.namespace = Some(ns.name.clone());
    let cluster = sheave_cluster::Cluster::connect("main", &settings).await.unwrap();
    let obj = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    let live = apply(&cluster, &obj).await.unwrap().object;
    assert_eq!(live["metadata"]["namespace"], json!(ns.name));
    let cluster_wide = ObjectId {
        api_version: "v1".into(),
        kind: "Namespace".into(),
        namespace: None,
        name: ns.name.clone(),
    };
    assert!(cluster.get(&cluster_wide).await.unwrap().is_some());
}
