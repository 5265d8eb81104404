//! The kinds whose schemas are written, and what Kubernetes says of them in prose only.

use k8s_openapi::api::{apps, autoscaling, batch, core, networking, policy, rbac, scheduling, storage};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions;
use k8s_openapi::{ClusterResourceScope, Resource};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

/// A kind and what its schema does not say.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) api_version: &'static str,
    pub(crate) namespaced: bool,
    pub(crate) schema: fn(&mut SchemaGenerator) -> Value,
    /// Properties that cannot change while the object lives, by pointer into the manifest; `*` stands for the items of
    /// a list.
    pub(crate) immutable: &'static [&'static str],
    /// Maps of which nothing can change but the properties that are named, likewise.
    pub(crate) frozen: &'static [(&'static str, &'static [&'static str])],
    /// Maps whose values are secret, likewise.
    pub(crate) sensitive: &'static [&'static str],
    /// Maps of which only the properties that are named are anybody's to write, likewise.
    pub(crate) only: &'static [(&'static str, &'static [&'static str])],
}

/// Every kind: a row each.
pub(crate) fn all() -> Vec<Kind> {
    vec![
        kind::<rbac::v1::ClusterRole>(),
        kind::<rbac::v1::ClusterRoleBinding>().immutable(&["/roleRef"]),
        kind::<core::v1::ConfigMap>(),
        kind::<batch::v1::CronJob>(),
        // Once it serves, its names and its scope are the address of everything stored under it.
        kind::<apiextensions::v1::CustomResourceDefinition>().immutable(&[
            "/spec/group",
            "/spec/names/kind",
            "/spec/names/plural",
            "/spec/scope",
        ]),
        kind::<apps::v1::DaemonSet>().immutable(&["/spec/selector"]),
        kind::<apps::v1::Deployment>().immutable(&["/spec/selector"]),
        kind::<autoscaling::v2::HorizontalPodAutoscaler>(),
        kind::<networking::v1::Ingress>(),
        // `completions` may change where it is indexed and equals `parallelism`: rare enough to begin anew for.
        kind::<batch::v1::Job>().immutable(&[
            "/spec/backoffLimitPerIndex",
            "/spec/completionMode",
            "/spec/completions",
            "/spec/managedBy",
            "/spec/podFailurePolicy",
            "/spec/selector",
            "/spec/successPolicy",
            "/spec/template",
        ]),
        kind::<core::v1::LimitRange>(),
        kind::<core::v1::Namespace>(),
        kind::<networking::v1::NetworkPolicy>(),
        // The rest of a node's spec is its cloud's and its controllers'.
        kind::<core::v1::Node>().only(&[
            ("/metadata", &["annotations", "labels", "name"]),
            ("/spec", &["taints", "unschedulable"]),
        ]),
        kind::<core::v1::PersistentVolume>().frozen(&[(
            "/spec",
            &[
                "accessModes",
                "capacity",
                "claimRef",
                "mountOptions",
                "persistentVolumeReclaimPolicy",
                "storageClassName",
                "volumeAttributesClassName",
            ],
        )]),
        kind::<core::v1::PersistentVolumeClaim>().frozen(&[
            ("/spec", &["resources", "volumeAttributesClassName"]),
            ("/spec/resources", &["requests"]),
        ]),
        kind::<core::v1::Pod>().frozen(&[
            (
                "/spec",
                &["activeDeadlineSeconds", "containers", "initContainers", "schedulingGates", "tolerations"],
            ),
            ("/spec/containers/*", &["image", "name"]),
            ("/spec/initContainers/*", &["image", "name"]),
        ]),
        kind::<policy::v1::PodDisruptionBudget>(),
        kind::<scheduling::v1::PriorityClass>().immutable(&["/preemptionPolicy", "/value"]),
        kind::<apps::v1::ReplicaSet>().immutable(&["/spec/selector"]),
        kind::<core::v1::ResourceQuota>().immutable(&["/spec/scopes"]),
        kind::<rbac::v1::Role>(),
        kind::<rbac::v1::RoleBinding>().immutable(&["/roleRef"]),
        kind::<core::v1::Secret>().immutable(&["/type"]).sensitive(&["/data", "/stringData"]),
        kind::<core::v1::Service>().immutable(&[
            "/spec/clusterIP",
            "/spec/clusterIPs",
            "/spec/healthCheckNodePort",
            "/spec/loadBalancerClass",
        ]),
        kind::<core::v1::ServiceAccount>(),
        kind::<apps::v1::StatefulSet>().frozen(&[(
            "/spec",
            &[
                "minReadySeconds",
                "ordinals",
                "persistentVolumeClaimRetentionPolicy",
                "replicas",
                "revisionHistoryLimit",
                "template",
                "updateStrategy",
            ],
        )]),
        kind::<storage::v1::StorageClass>().immutable(&[
            "/parameters",
            "/provisioner",
            "/reclaimPolicy",
            "/volumeBindingMode",
        ]),
    ]
}

fn kind<K: Resource + JsonSchema>() -> Kind
where
    K::Scope: Scope,
{
    Kind {
        name: K::KIND,
        api_version: K::API_VERSION,
        namespaced: <K::Scope as Scope>::NAMESPACED,
        schema: |generator| K::json_schema(generator).to_value(),
        immutable: &[],
        frozen: &[],
        sensitive: &[],
        only: &[],
    }
}

impl Kind {
    fn immutable(mut self, pointers: &'static [&'static str]) -> Self {
        self.immutable = pointers;
        self
    }

    fn frozen(mut self, but: &'static [(&'static str, &'static [&'static str])]) -> Self {
        self.frozen = but;
        self
    }

    fn sensitive(mut self, pointers: &'static [&'static str]) -> Self {
        self.sensitive = pointers;
        self
    }

    fn only(mut self, those: &'static [(&'static str, &'static [&'static str])]) -> Self {
        self.only = those;
        self
    }
}

/// Whether objects of a kind stand in namespaces.
trait Scope {
    const NAMESPACED: bool;
}

impl Scope for k8s_openapi::NamespaceResourceScope {
    const NAMESPACED: bool = true;
}

impl Scope for ClusterResourceScope {
    const NAMESPACED: bool = false;
}
