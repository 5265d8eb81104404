//! What is dangerous in an object, a row each.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value as Json, json};
use sheave_model::plugin::{Danger, ObjectId};

const RBAC: &[Danger] = &[Danger::Rbac];
const WEBHOOKS: &[Danger] = &[Danger::Webhooks];
const PRIVILEGED: &[Danger] = &[Danger::Privileged];
const HOST_PATH: &[Danger] = &[Danger::HostPath];
const HOST_NETWORK: &[Danger] = &[Danger::HostNetwork];
const KUBE_SYSTEM: &[Danger] = &[Danger::KubeSystem];
const NONE: &[Danger] = &[];

/// `apiVersion Kind namespace/name`.
fn id(text: &str) -> ObjectId {
    let [api_version, kind, name] = text.split(' ').collect::<Vec<_>>()[..] else { panic!("{text}") };
    let (namespace, name) = name.split_once('/').map_or((None, name), |(ns, name)| (Some(ns), name));
    ObjectId {
        api_version: api_version.into(),
        kind: kind.into(),
        namespace: namespace.map(Into::into),
        name: name.into(),
    }
}

fn dangers(of: &str, object: &Json) -> Vec<Danger> {
    sheave_manifest::facts(object, &id(of), "home").dangers.into_keys().collect()
}

#[test]
fn of_an_object_as_a_whole() {
    for (of, object, expected) in [
        ("v1 ConfigMap home/a", json!({"data": {"containers": "x"}}), NONE),
        ("rbac.authorization.k8s.io/v1 Role home/a", json!({}), RBAC),
        ("rbac.authorization.k8s.io/v1 ClusterRoleBinding a", json!({}), RBAC),
        ("admissionregistration.k8s.io/v1 MutatingWebhookConfiguration a", json!({}), WEBHOOKS),
        ("admissionregistration.k8s.io/v1beta1 MutatingAdmissionPolicy a", json!({}), WEBHOOKS),
        ("apiregistration.k8s.io/v1 APIService a", json!({}), WEBHOOKS),
        (
            "apiextensions.k8s.io/v1 CustomResourceDefinition a",
            json!({"spec": {"conversion": {"strategy": "None"}}}),
            NONE,
        ),
        (
            "apiextensions.k8s.io/v1 CustomResourceDefinition a",
            json!({"spec": {"conversion": {"strategy": "Webhook", "webhook": {}}}}),
            WEBHOOKS,
        ),
        ("v1 PersistentVolume a", json!({"spec": {"hostPath": {"path": "/"}}}), HOST_PATH),
        ("v1 PersistentVolume a", json!({"spec": {"local": {"path": "/mnt"}}}), HOST_PATH),
        ("v1 PersistentVolume a", json!({"spec": {"nfs": {}}}), NONE),
        ("v1 Secret kube-system/a", json!({}), KUBE_SYSTEM),
        ("v1 Secret kube-public/a", json!({}), KUBE_SYSTEM),
        ("v1 Secret kube-systems/a", json!({}), NONE),
        ("v1 Namespace kube-system", json!({}), KUBE_SYSTEM),
        ("example.com/v1 Namespace kube-system", json!({}), NONE),
    ] {
        assert_eq!(dangers(of, &object), expected, "{of}: {object}");
    }
    // Whose target it is, at home there.
    assert!(
        sheave_manifest::facts(&json!({}), &id("v1 Secret kube-system/a"), "kube-system").dangers.is_empty()
    );
}

#[test]
fn of_pods_wherever_they_stand() {
    let container = |fields: Json| {
        let mut all = json!({"name": "c", "image": "x"});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({"containers": [all]})
    };
    let security = |context: Json| container(json!({"securityContext": context}));
    let of_pod = |context: Json| json!({"containers": [], "securityContext": context});
    for (pod, expected) in [
        (container(json!({})), NONE),
        (json!({"containers": [], "hostNetwork": false, "hostPID": null}), NONE),
        (json!({"containers": [], "hostNetwork": true}), HOST_NETWORK),
        (json!({"containers": [], "hostPID": true}), HOST_NETWORK),
        (json!({"containers": [], "hostIPC": true}), HOST_NETWORK),
        (json!({"containers": [], "hostNetwork": "true"}), HOST_NETWORK),
        (json!({"containers": [], "shareProcessNamespace": true}), NONE),
        (container(json!({"ports": [{"containerPort": 80}]})), NONE),
        (container(json!({"ports": [{"containerPort": 80, "hostPort": 0}]})), NONE),
        (container(json!({"ports": [{"containerPort": 80}, {"hostPort": 80}]})), HOST_NETWORK),
        (json!({"containers": [], "volumes": [{"emptyDir": {}}, {"hostPath": {"path": "/"}}]}), HOST_PATH),
        (json!({"containers": [], "volumes": [{"configMap": {"name": "hostPath"}}]}), NONE),
        (security(json!({"privileged": true})), PRIVILEGED),
        (security(json!({"privileged": false, "runAsUser": 0})), NONE),
        (security(json!({"allowPrivilegeEscalation": true})), NONE),
        (security(json!({"capabilities": {"add": ["NET_BIND_SERVICE", "CHOWN"], "drop": ["ALL"]}})), NONE),
        (security(json!({"capabilities": {"add": ["CHOWN", "SYS_ADMIN"]}})), PRIVILEGED),
        (security(json!({"capabilities": {"add": ["ALL"]}})), PRIVILEGED),
        (security(json!({"procMount": "Default"})), NONE),
        (security(json!({"procMount": "Unmasked"})), PRIVILEGED),
        (security(json!({"seccompProfile": {"type": "RuntimeDefault"}})), NONE),
        (security(json!({"seccompProfile": {"type": "Unconfined"}})), PRIVILEGED),
        (of_pod(json!({"appArmorProfile": {"type": "Unconfined"}})), PRIVILEGED),
        (of_pod(json!({"windowsOptions": {"hostProcess": true}})), PRIVILEGED),
        (of_pod(json!({"seLinuxOptions": {"type": "container_t", "level": "s0"}})), NONE),
        (of_pod(json!({"seLinuxOptions": {"type": "spc_t"}})), PRIVILEGED),
        (of_pod(json!({"seLinuxOptions": {"user": "root"}})), PRIVILEGED),
        (of_pod(json!({"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]})), NONE),
        (of_pod(json!({"sysctls": [{"name": "kernel.msgmax", "value": "1"}]})), PRIVILEGED),
        (json!({"initContainers": [{"securityContext": {"privileged": true}}]}), PRIVILEGED),
        (
            json!({"containers": [], "ephemeralContainers": [{"securityContext": {"privileged": true}}]}),
            PRIVILEGED,
        ),
    ] {
        for (of, object) in [
            ("v1 Pod home/a", json!({"spec": pod})),
            ("apps/v1 DaemonSet home/a", json!({"spec": {"template": {"spec": pod}}})),
            (
                "batch/v1 CronJob home/a",
                json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}),
            ),
            ("example.com/v1 Job home/a", json!({"spec": {"deep": [{"er": {"podSpec": pod}}]}})),
        ] {
            assert_eq!(dangers(of, &object), expected, "{of}: {object}");
        }
    }
}

#[test]
fn the_place_is_told_and_depth_is_bounded() {
    let pod = json!({"spec": {"containers": [{}, {"securityContext": {"privileged": true}}]}});
    let facts = sheave_manifest::facts(&pod, &id("v1 Pod other/a"), "home");
    assert_eq!(facts.dangers[&Danger::Privileged], "/spec/containers/1/securityContext/privileged");
    assert!(facts.away && !facts.cluster_scoped);
    let mut deep = json!({"containers": []});
    for _ in 0..5_000 {
        deep = Json::Array(vec![deep]);
    }
    let facts = sheave_manifest::facts(&deep, &id("v1 Node a"), "home");
    assert!(facts.cluster_scoped && !facts.away);
    // A value of that depth cannot be dropped without recursion either.
    std::mem::forget(deep);
}
