//! What comes before what: the order of kinds, and the keys by which one object makes another possible.

use serde_json::Value as Json;
use sheave_model::ObjectId;
use sheave_model::plugin::group_of;

use crate::kind::is_native_group;

/// Where a kind stands in an apply, lower first; deleting goes the other way. Objects of one rank may go together.
pub fn rank(id: &ObjectId) -> u16 {
    match (id.group(), id.kind.as_str()) {
        ("", "Namespace") => 0,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => 10,
        ("scheduling.k8s.io" | "node.k8s.io" | "storage.k8s.io", _)
        | ("networking.k8s.io", "IngressClass" | "ServiceCIDR" | "IPAddress")
        | ("flowcontrol.apiserver.k8s.io", _) => 20,
        ("", "ServiceAccount") => 30,
        ("rbac.authorization.k8s.io", "ClusterRole" | "Role") => 31,
        ("rbac.authorization.k8s.io", _) => 32,
        ("", "ResourceQuota" | "LimitRange") => 40,
        ("", "PersistentVolume") => 50,
        ("", "PersistentVolumeClaim" | "ConfigMap" | "Secret") => 51,
        ("", "Service" | "Endpoints") | ("discovery.k8s.io", "EndpointSlice") => 60,
        ("networking.k8s.io", "NetworkPolicy") | ("policy", "PodDisruptionBudget") => 61,
        ("apps" | "batch", _) | ("", "Pod" | "ReplicationController" | "PodTemplate") => 70,
        ("networking.k8s.io", "Ingress") | ("autoscaling", _) => 80,
        // Last: what they refuse or route must not stand in the way of the stack that brings them.
        ("apiregistration.k8s.io" | "admissionregistration.k8s.io", _) => 100,
        (group, _) if is_native_group(group) => 75,
        _ => 90,
    }
}

/// What an object makes possible for others: a Namespace `namespace/NAME`, a CustomResourceDefinition `kind/GROUP/KIND`.
pub fn provides(obj: &Json) -> Option<String> {
    let text = |pointer: &str| obj.pointer(pointer).and_then(Json::as_str).filter(|s| !s.is_empty());
    match (text("/apiVersion")?, text("/kind")?) {
        ("v1", "Namespace") => Some(format!("namespace/{}", text("/metadata/name")?)),
        (version, "CustomResourceDefinition") if version.starts_with("apiextensions.k8s.io/") => {
            Some(format!("kind/{}/{}", text("/spec/group")?, text("/spec/names/kind")?))
        }
        _ => None,
    }
}

/// The keys of [`provides`] that must be there first, where somebody in the same apply provides them: the namespace
/// that the object stands in, and the kind of a custom resource.
pub fn requires(obj: &Json) -> Vec<String> {
    let text = |pointer: &str| obj.pointer(pointer).and_then(Json::as_str).filter(|s| !s.is_empty());
    let mut keys = Vec::new();
    if let Some(namespace) = text("/metadata/namespace") {
        keys.push(format!("namespace/{namespace}"));
    }
    if let (Some(version), Some(kind)) = (text("/apiVersion"), text("/kind")) {
        let group = group_of(version);
        if !is_native_group(group) {
            keys.push(format!("kind/{group}/{kind}"));
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(api_version: &str, kind: &str) -> u16 {
        rank(&ObjectId {
            api_version: api_version.into(),
            kind: kind.into(),
            namespace: None,
            name: "x".into(),
        })
    }

    #[test]
    fn kinds_stand_in_order() {
        let order = [
            of("v1", "Namespace"),
            of("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
            of("storage.k8s.io/v1", "StorageClass"),
            of("v1", "ServiceAccount"),
            of("rbac.authorization.k8s.io/v1", "Role"),
            of("rbac.authorization.k8s.io/v1", "RoleBinding"),
            of("v1", "ResourceQuota"),
            of("v1", "PersistentVolume"),
            of("v1", "ConfigMap"),
            of("v1", "Service"),
            of("networking.k8s.io/v1", "NetworkPolicy"),
            of("apps/v1", "Deployment"),
            of("coordination.k8s.io/v1", "Lease"),
            of("autoscaling/v2", "HorizontalPodAutoscaler"),
            of("example.com/v1", "Widget"),
            of("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
        ];
        assert!(order.is_sorted_by(|a, b| a < b), "{order:?}");
        assert_eq!(of("v1", "Secret"), of("v1", "ConfigMap"));
        assert_eq!(of("batch/v1", "Job"), of("apps/v1", "StatefulSet"));
        assert_eq!(of("scheduling.k8s.io/v1", "PriorityClass"), of("storage.k8s.io/v1", "StorageClass"));
    }

    #[test]
    fn what_one_provides_the_other_requires() {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "blog"}});
        let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "spec": {"group": "example.com", "names": {"kind": "Widget"}}});
        let widget = json!({"apiVersion": "example.com/v1", "kind": "Widget",
            "metadata": {"name": "w", "namespace": "blog"}});
        assert_eq!(requires(&widget), [provides(&namespace).unwrap(), provides(&crd).unwrap()]);
        assert_eq!(requires(&namespace), Vec::<String>::new());
        assert_eq!(provides(&widget), None);
    }

    #[test]
    fn wrong_shapes_provide_and_require_nothing() {
        for obj in [json!(null), json!([]), json!({"kind": 1}), json!({"metadata": "x", "apiVersion": {}})] {
            assert_eq!(provides(&obj), None);
            assert_eq!(requires(&obj), Vec::<String>::new());
        }
    }
}
