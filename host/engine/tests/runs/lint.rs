//! What an emitter may emit: objects against grants, a row each.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use sheave_engine::{RenderedObject, lint};
use sheave_model::facts::{ObjectFacts, Permit};
use sheave_model::plan::ObjectOrder;
use sheave_model::plugin::Danger;
use sheave_model::{ObjectId, Value};

struct Row {
    /// `group/Kind namespace/name`, without the namespace for what belongs to none.
    object: &'static str,
    target: &'static str,
    dangers: &'static [Danger],
    grant: Json,
    /// A word of each reason; none: it may be emitted.
    refused: &'static [&'static str],
}

const HOME: &str = "home";

fn object(row: &Row) -> RenderedObject {
    let (kind, name) = row.object.split_once(' ').unwrap();
    let (group, kind) = kind.split_once('/').unwrap_or(("", kind));
    let (namespace, name) = name.split_once('/').map_or((None, name), |(ns, name)| (Some(ns), name));
    let api_version = if group.is_empty() { "v1".into() } else { format!("{group}/v1") };
    RenderedObject {
        slot: "main".into(),
        target: row.target.into(),
        id: ObjectId {
            api_version,
            kind: kind.into(),
            namespace: namespace.map(Into::into),
            name: name.into(),
        },
        manifest: Arc::new(Value::Null),
        order: ObjectOrder::default(),
        ready_when: None,
        ignore: vec![],
        facts: ObjectFacts {
            cluster_scoped: namespace.is_none(),
            away: namespace.is_some_and(|n| n != HOME),
            dangers: row.dangers.iter().map(|d| (*d, "/at".to_owned())).collect(),
        },
    }
}

fn permit(grant: &Json) -> Permit {
    Permit { plugin: "p".into(), target: "main".into(), emit: serde_json::from_value(grant.clone()).unwrap() }
}

fn row(object: &'static str, grant: Json, refused: &'static [&'static str]) -> Row {
    Row { object, target: "main", dangers: &[], grant, refused }
}

const RBAC: &str = "rbac.authorization.k8s.io/ClusterRole admin";

#[test]
fn each_object_by_itself() {
    let danger = |object, dangers, grant, refused| Row { object, target: "main", dangers, grant, refused };
    let to =
        |target, grant, refused| Row { object: "ConfigMap home/a", target, dangers: &[], grant, refused };
    let rows = [
        // The default.
        row("ConfigMap home/a", json!({}), &[]),
        row("apps/Deployment home/a", json!({}), &[]),
        row("example.com/Widget home/a", json!({}), &[]),
        row("ConfigMap other/a", json!({}), &["namespace `other`"]),
        row("Namespace other", json!({}), &["whole cluster"]),
        row("example.com/Planet a", json!({}), &["whole cluster"]),
        to("other", json!({}), &["target `other`"]),
        // Kinds.
        row("ConfigMap home/a", json!({"kinds": ["ConfigMap"]}), &[]),
        row("Secret home/a", json!({"kinds": ["ConfigMap"]}), &["kinds"]),
        row("Secret home/a", json!({"kinds": []}), &["kinds"]),
        row("apps/Deployment home/a", json!({"kinds": ["Deployment"]}), &[]),
        row("evil.example/Deployment home/a", json!({"kinds": ["Deployment"]}), &["kinds"]),
        row("example.com/Widget home/a", json!({"kinds": ["example.com/*"]}), &[]),
        row("other.com/Widget home/a", json!({"kinds": ["example.com/*"]}), &["kinds"]),
        // Namespaces.
        row("ConfigMap other/a", json!({"namespaces": ["other"]}), &[]),
        row("ConfigMap other-2/a", json!({"namespaces": ["other"]}), &["namespace `other-2`"]),
        row("ConfigMap team-a/a", json!({"namespaces": ["team-*"]}), &[]),
        row("ConfigMap team/a", json!({"namespaces": ["team-*"]}), &["namespace `team`"]),
        row("ConfigMap x/a", json!({"namespaces": ["*"]}), &[]),
        row("ConfigMap home/a", json!({"namespaces": ["other"]}), &[]),
        row("Secret other/a", json!({"kinds": ["ConfigMap"], "namespaces": ["b"]}), &["kinds", "namespace"]),
        // Targets.
        to("edge", json!({"targets": ["edge"]}), &[]),
        to("edge", json!({"targets": ["e*"]}), &[]),
        to("far", json!({"targets": ["edge"]}), &["target `far`"]),
        to("main", json!({"targets": ["edge"]}), &[]),
        // What belongs to no namespace.
        row("Namespace other", json!({"cluster-scoped": ["Namespace"]}), &[]),
        row("Namespace other", json!({"kinds": ["Namespace"]}), &["whole cluster"]),
        row("Namespace other", json!({"kinds": ["Secret"], "cluster-scoped": ["Namespace"]}), &[]),
        row("Namespace other", json!({"namespaces": ["*"]}), &["whole cluster"]),
        row("ConfigMap home/a", json!({"cluster-scoped": ["Namespace"]}), &[]),
        row("evil.example/Namespace x", json!({"cluster-scoped": ["Namespace"]}), &["whole cluster"]),
        // What is dangerous.
        danger(RBAC, &[Danger::Rbac], json!({}), &["whole cluster", "rbac"]),
        danger(RBAC, &[Danger::Rbac], json!({"cluster-scoped": ["ClusterRole"]}), &["rbac"]),
        danger(RBAC, &[Danger::Rbac], json!({"allow": ["rbac"]}), &["whole cluster"]),
        danger(RBAC, &[Danger::Rbac], json!({"cluster-scoped": ["ClusterRole"], "allow": ["rbac"]}), &[]),
        danger("Pod home/a", &[Danger::Privileged], json!({}), &["privileged, at `/at`"]),
        danger("Pod home/a", &[Danger::Privileged], json!({"allow": ["host-path"]}), &["privileged"]),
        danger("Pod home/a", &[Danger::Privileged], json!({"allow": ["privileged"]}), &[]),
        danger("Pod home/a", &[Danger::Privileged], json!({"kinds": ["Pod"]}), &["privileged"]),
        danger(
            "Pod home/a",
            &[Danger::HostPath, Danger::HostNetwork],
            json!({}),
            &["host-path", "host-network"],
        ),
        danger(
            "Pod home/a",
            &[Danger::HostPath, Danger::HostNetwork],
            json!({"allow": ["host-path"]}),
            &["host-network"],
        ),
        danger(
            "Secret kube-system/a",
            &[Danger::KubeSystem],
            json!({"namespaces": ["*"]}),
            &["kube-system, at"],
        ),
        danger(
            "Secret kube-system/a",
            &[Danger::KubeSystem],
            json!({"allow": ["kube-system"]}),
            &["namespace `kube-system`"],
        ),
        danger(
            "Secret kube-system/a",
            &[Danger::KubeSystem],
            json!({"namespaces": ["kube-*"], "allow": ["kube-system"]}),
            &[],
        ),
        danger(
            "admissionregistration.k8s.io/ValidatingWebhookConfiguration a",
            &[Danger::Webhooks],
            json!({"cluster-scoped": ["ValidatingWebhookConfiguration"]}),
            &["webhooks"],
        ),
    ];
    for row in &rows {
        let found = lint(&permit(&row.grant), &[object(row)]);
        let case = format!("{} to {} with {}: {found:?}", row.object, row.target, row.grant);
        assert_eq!(found.len(), usize::from(!row.refused.is_empty()), "{case}");
        for fault in &found {
            assert_eq!(fault.code, "plugin.emit-refused", "{case}");
            let why = fault.detail.clone().unwrap_or_default();
            assert_eq!(why.lines().count(), row.refused.len(), "{case}");
            assert!(row.refused.iter().zip(why.lines()).all(|(word, line)| line.contains(word)), "{case}");
        }
        // The grant that the help proposes is enough.
        if let Some(fault) = found.first() {
            let help = fault.help.clone().unwrap();
            let (_, proposed) = help.split_once("`grants: {emit: ").unwrap();
            let mut grant = row.grant.as_object().unwrap().clone();
            for part in proposed.trim_end_matches("}}`").trim_matches(['{', '}']).split("], ") {
                let (key, values) = part.split_once(": [").unwrap();
                let values = values.trim_end_matches(']').split(", ").map(Json::from);
                let all = grant.entry(key).or_insert_with(|| json!([])).as_array_mut().unwrap();
                all.extend(values);
            }
            assert!(lint(&permit(&grant.into()), &[object(row)]).is_empty(), "{case}");
        }
    }
    assert!(rows.len() >= 40, "{}", rows.len());
}

#[test]
fn a_flood_of_them_is_told_in_a_few_words() {
    let row = row("Namespace x", json!({}), &[]);
    let all: Vec<RenderedObject> = (0..1_000).map(|_| object(&row)).collect();
    let found = lint(&permit(&row.grant), &all);
    assert_eq!(found.len(), 11);
    assert!(found[10].summary.contains("990 more"), "{:?}", found[10]);
}
