//! The kinds that Kubernetes itself serves: where they are found, so that common work needs no discovery.

use serde_json::Value as Json;
use sheave_model::ObjectId;
use sheave_model::plugin::group_of;

/// A kind of Kubernetes' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NativeKind {
    /// `v1`, `apps/v1`.
    pub api_version: &'static str,
    /// `Deployment`.
    pub kind: &'static str,
    /// The name in the URL: `deployments`.
    pub plural: &'static str,
    /// Whether objects of it stand in a namespace.
    pub namespaced: bool,
}

const NAMESPACED: bool = true;
const CLUSTER: bool = false;

/// Kinds that are served by default since Kubernetes 1.30, and that a person may write. Sorted by group, then kind.
const NATIVE: &[(&str, &str, &str, bool)] = &[
    ("v1", "ConfigMap", "configmaps", NAMESPACED),
    ("v1", "Endpoints", "endpoints", NAMESPACED),
    ("v1", "Event", "events", NAMESPACED),
    ("v1", "LimitRange", "limitranges", NAMESPACED),
    ("v1", "Namespace", "namespaces", CLUSTER),
    ("v1", "Node", "nodes", CLUSTER),
    ("v1", "PersistentVolume", "persistentvolumes", CLUSTER),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", NAMESPACED),
    ("v1", "Pod", "pods", NAMESPACED),
    ("v1", "PodTemplate", "podtemplates", NAMESPACED),
    ("v1", "ReplicationController", "replicationcontrollers", NAMESPACED),
    ("v1", "ResourceQuota", "resourcequotas", NAMESPACED),
    ("v1", "Secret", "secrets", NAMESPACED),
    ("v1", "Service", "services", NAMESPACED),
    ("v1", "ServiceAccount", "serviceaccounts", NAMESPACED),
    (
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        CLUSTER,
    ),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", CLUSTER),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        CLUSTER,
    ),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        CLUSTER,
    ),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", CLUSTER),
    ("apiregistration.k8s.io/v1", "APIService", "apiservices", CLUSTER),
    ("apps/v1", "ControllerRevision", "controllerrevisions", NAMESPACED),
    ("apps/v1", "DaemonSet", "daemonsets", NAMESPACED),
    ("apps/v1", "Deployment", "deployments", NAMESPACED),
    ("apps/v1", "ReplicaSet", "replicasets", NAMESPACED),
    ("apps/v1", "StatefulSet", "statefulsets", NAMESPACED),
    ("autoscaling/v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", NAMESPACED),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", NAMESPACED),
    ("batch/v1", "CronJob", "cronjobs", NAMESPACED),
    ("batch/v1", "Job", "jobs", NAMESPACED),
    ("certificates.k8s.io/v1", "CertificateSigningRequest", "certificatesigningrequests", CLUSTER),
    ("coordination.k8s.io/v1", "Lease", "leases", NAMESPACED),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", NAMESPACED),
    ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", "flowschemas", CLUSTER),
    ("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", "prioritylevelconfigurations", CLUSTER),
    ("networking.k8s.io/v1", "Ingress", "ingresses", NAMESPACED),
    ("networking.k8s.io/v1", "IngressClass", "ingressclasses", CLUSTER),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", NAMESPACED),
    ("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", CLUSTER),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", NAMESPACED),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", CLUSTER),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", CLUSTER),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", NAMESPACED),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", NAMESPACED),
    ("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", CLUSTER),
    ("storage.k8s.io/v1", "CSIDriver", "csidrivers", CLUSTER),
    ("storage.k8s.io/v1", "CSINode", "csinodes", CLUSTER),
    ("storage.k8s.io/v1", "StorageClass", "storageclasses", CLUSTER),
    ("storage.k8s.io/v1", "VolumeAttachment", "volumeattachments", CLUSTER),
];

/// All of them.
pub fn native_kinds() -> impl Iterator<Item = NativeKind> {
    NATIVE.iter().map(|&(api_version, kind, plural, namespaced)| NativeKind {
        api_version,
        kind,
        plural,
        namespaced,
    })
}

/// Looks a kind of Kubernetes' own up; none for custom resources and for versions that not every cluster serves.
pub fn native(api_version: &str, kind: &str) -> Option<NativeKind> {
    native_kinds().find(|n| n.api_version == api_version && n.kind == kind)
}

/// Whether Kubernetes itself defines the kinds of an API group: no CustomResourceDefinition adds to such a group in
/// what people write.
pub fn is_native_group(group: &str) -> bool {
    if !group.contains('.') {
        // The core group, and the four that are older than the rule that groups are domain names.
        return matches!(group, "" | "apps" | "autoscaling" | "batch" | "policy" | "extensions");
    }
    NATIVE.iter().any(|n| n.0.split_once('/').is_some_and(|(g, _)| g == group))
        || matches!(
            group,
            "authentication.k8s.io"
                | "authorization.k8s.io"
                | "events.k8s.io"
                | "internal.apiserver.k8s.io"
                | "resource.k8s.io"
                | "storagemigration.k8s.io"
        )
}

/// Whether objects of a kind are there without us: they are never made or deleted, and only what is set on them comes
/// and goes. Who makes nodes is their kubelet or their cloud.
pub fn is_shared(id: &ObjectId) -> bool {
    id.group().is_empty() && id.kind == "Node"
}

/// Where what an autoscaler scales keeps its number.
pub const REPLICAS: &str = "/spec/replicas";

/// The kind that decides on the replicas of others.
pub const AUTOSCALER: &str = "HorizontalPodAutoscaler";

/// Whether `autoscaler` is one, and decides on the replicas of `id`.
pub fn scales(autoscaler: &Json, id: &ObjectId) -> bool {
    let text = |at: &str| autoscaler.pointer(at).and_then(Json::as_str);
    text("/kind") == Some(AUTOSCALER)
        && text("/apiVersion").map(group_of) == Some("autoscaling")
        && text("/metadata/namespace") == id.namespace.as_deref()
        && text("/spec/scaleTargetRef/name") == Some(id.name.as_str())
        && text("/spec/scaleTargetRef/kind") == Some(id.kind.as_str())
        && text("/spec/scaleTargetRef/apiVersion").is_none_or(|v| group_of(v) == id.group())
}

/// Whether data is lost when an object is deleted and made again: volumes with what is in them, the pods' places in
/// a set, and with a definition all objects of its kind.
pub fn loses_data(id: &ObjectId) -> bool {
    matches!(
        (id.group(), id.kind.as_str()),
        ("", "PersistentVolumeClaim" | "PersistentVolume" | "Namespace")
            | ("apps", "StatefulSet")
            | ("apiextensions.k8s.io", "CustomResourceDefinition")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_native_kinds_by_both_words() {
        let found = native("apps/v1", "Deployment").unwrap();
        assert_eq!((found.plural, found.namespaced), ("deployments", true));
        assert_eq!(native("v1", "Namespace").map(|n| n.namespaced), Some(false));
        assert_eq!(native("v1", "Deployment"), None);
        assert_eq!(native("apps/v1beta1", "Deployment"), None);
    }

    #[test]
    fn tells_groups_apart() {
        for group in ["", "apps", "networking.k8s.io", "resource.k8s.io"] {
            assert!(is_native_group(group), "{group}");
        }
        for group in ["example.com", "gateway.networking.k8s.io", "snapshot.storage.k8s.io"] {
            assert!(!is_native_group(group), "{group}");
        }
    }

    #[test]
    fn lists_each_kind_once() {
        let mut seen = std::collections::BTreeSet::new();
        for n in NATIVE {
            assert!(seen.insert((n.0, n.1)), "{n:?}");
        }
    }
}
