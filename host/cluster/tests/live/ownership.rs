//! Fields that several managers own: conflicts, force, drift, taking over from client-side apply.

use serde_json::json;
use sheave_cluster::ClusterError;
use sheave_manifest::{FIELD_MANAGER, client_side_managers, diff, drift, take_over};
use sheave_testkit::cluster::{kubectl, kubectl_with};

use crate::{apply, cluster, config_map, deployment, forced, id};

#[tokio::test]
async fn a_conflict_names_manager_field_and_both_values() {
    let (cluster, ns) = cluster().await;
    let obj = deployment(&ns, "web", 0, &json!({}));
    apply(&cluster, &obj).await.unwrap();
    let patch =
        r#"{"spec":{"replicas":1,"template":{"spec":{"containers":[{"name":"app","image":"web:9"}]}}}}"#;
    kubectl(&["patch", "deployment", "web", "-n", &ns.name, "--field-manager=hand", "-p", patch]);

    let live = cluster.get(&id(&obj)).await.unwrap().unwrap();
    let taken = drift(&obj, &live, FIELD_MANAGER);
    assert_eq!(
        taken.iter().map(|d| (d.path.as_str(), d.managers.as_slice())).collect::<Vec<_>>(),
        [
            ("spec.replicas", &["hand".to_owned()][..]),
            ("spec.template.spec.containers[app].image", &["hand".to_owned()])
        ]
    );

    let ClusterError::Conflict { conflicts, .. } = apply(&cluster, &obj).await.err().unwrap() else {
        panic!("no conflict")
    };
    let mut said: Vec<_> = conflicts
        .iter()
        .map(|c| {
            let words = |w: &Option<sheave_cluster::Words>| w.as_ref().unwrap().unmasked().to_owned();
            (c.manager.as_str(), c.pointer.as_deref().unwrap(), words(&c.ours), words(&c.theirs))
        })
        .collect();
    said.sort();
    assert_eq!(
        said,
        [
            ("hand", "/spec/replicas", "0".to_owned(), "1".to_owned()),
            (
                "hand",
                "/spec/template/spec/containers/0/image",
                "\"web:1\"".to_owned(),
                "\"web:9\"".to_owned()
            ),
        ]
    );

    let live = forced(&cluster, &obj).await.unwrap().object;
    assert_eq!(live["spec"]["replicas"], 0);
    assert_eq!(drift(&obj, &live, FIELD_MANAGER), []);
}

#[tokio::test]
async fn a_conflict_over_a_secret_shows_no_values() {
    let (cluster, ns) = cluster().await;
    let secret = |value: &str| {
        json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "s", "namespace": ns.name}, "data": {"k": value}})
    };
    kubectl_with(
        &["apply", "--server-side", "--field-manager=hand", "-f", "-"],
        &secret("dGhlaXJz").to_string(),
    );
    let error = apply(&cluster, &secret("b3Vycw==")).await.err().unwrap();
    let said = format!("{error:?} {:?}", error.diagnostic());
    assert!(said.contains(".data.k") && said.contains("hand"), "{said}");
    assert!(!said.contains("dGhlaXJz") && !said.contains("b3Vycw"), "{said}");
}

#[tokio::test]
async fn what_client_side_apply_set_goes_after_taking_over() {
    let (cluster, ns) = cluster().await;
    let old = config_map(&ns, "a", json!({"keep": "1", "drop": "2"}));
    kubectl_with(&["apply", "-f", "-"], &old.to_string());
    let live = cluster.get(&id(&old)).await.unwrap().unwrap();
    let managed = take_over(&live, &client_side_managers(&live), FIELD_MANAGER).unwrap();
    let version = live["metadata"]["resourceVersion"].as_str().unwrap();
    cluster.patch_managed_fields(&id(&old), version, &managed).await.unwrap();

    // Who read it before would write over what came since.
    let stale = cluster.patch_managed_fields(&id(&old), version, &managed).await.unwrap_err();
    assert!(matches!(stale, ClusterError::Stale { .. }), "{stale:?}");

    let new = config_map(&ns, "a", json!({"keep": "1"}));
    let live = cluster.get(&id(&old)).await.unwrap().unwrap();
    let paths: Vec<_> = diff(&new, &live, FIELD_MANAGER, &[]).changes.into_iter().map(|c| c.path).collect();
    assert_eq!(paths, ["data.drop", "metadata.annotations"]);
    let live = apply(&cluster, &new).await.unwrap().object;
    assert_eq!(live["data"], json!({"keep": "1"}));
    assert_eq!(live["metadata"].get("annotations"), None, "the old copy of the whole object is gone, too");
}
