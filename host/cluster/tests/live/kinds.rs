//! Kinds that come and go: definitions and their custom resources.

use std::time::Duration;

use serde_json::{Value as Json, json};
use sheave_cluster::{AwaitTarget, ClusterError};
use sheave_manifest::{FIELD_MANAGER, diff, readiness};
use sheave_testkit::cluster::unique;

use crate::{apply, as_user, cluster, id};

fn definition(group: &str) -> Json {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("widgets.{group}")},
    "spec": {"group": group, "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"}, "versions": [
        {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {
            "spec": {"type": "object", "properties": {
                "size": {"type": "integer", "default": 3},
                "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
                    "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "n": {"type": "integer"}}}},
                "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            }}}}}}]}})
}

#[tokio::test]
async fn a_definition_and_its_resources_in_one_go() {
    let (cluster, ns) = cluster().await;
    let group = format!("{}.example.com", unique("g"));
    let version = format!("{group}/v1");
    let widget = json!({"apiVersion": version, "kind": "Widget", "metadata": {"name": "w", "namespace": ns.name},
        "spec": {"parts": [{"id": "a", "n": 1}, {"id": "b"}], "tags": ["x", "y"]}});

    let error = apply(&cluster, &widget).await.err().unwrap();
    assert!(matches!(error, ClusterError::NoSuchKind { .. }), "{error:?}");
    assert!(matches!(cluster.get(&id(&widget)).await, Err(ClusterError::NoSuchKind { .. })));
    assert!(matches!(
        cluster.list(&version, "Widget", None, None).await,
        Err(ClusterError::NoSuchKind { .. })
    ));

    let crd = definition(&group);
    let live = apply(&cluster, &crd).await.unwrap().object;
    assert_eq!(diff(&crd, &live, FIELD_MANAGER, &[]).changes, []);
    let awaited = AwaitTarget { id: id(&crd), uid: None, seen: None, judge: Box::new(readiness) };
    cluster.await_ready(vec![awaited], Duration::from_secs(30), |_| ()).await.unwrap();
    let resource = cluster.scope_of(&version, "Widget").await.unwrap();
    assert_eq!((resource.plural.as_str(), resource.namespaced), ("widgets", true));

    let live = apply(&cluster, &widget).await.unwrap().object;
    assert_eq!(live["spec"]["size"], 3);
    assert_eq!(diff(&widget, &live, FIELD_MANAGER, &[]).changes, []);
    let mut changed = widget.clone();
    changed["spec"] = json!({"parts": [{"id": "b", "n": 2}], "tags": ["y", "z"]});
    let paths: Vec<_> =
        diff(&changed, &live, FIELD_MANAGER, &[]).changes.into_iter().map(|c| c.path).collect();
    assert_eq!(paths, ["spec.parts[b].n", "spec.parts[a]", "spec.tags[1]", "spec.tags[0]"]);
    let live = apply(&cluster, &changed).await.unwrap().object;
    assert_eq!(live["spec"]["parts"], json!([{"id": "b", "n": 2}]));

    let near = cluster.scope_of(&version, "Wigdet").await.unwrap_err();
    assert_eq!(
        near.diagnostic().help.unwrap(),
        format!("did you mean `apiVersion: {version}`, `kind: Widget`?")
    );

    cluster.delete(&id(&crd), None).await.unwrap();
    let live = cluster.get(&id(&crd)).await.unwrap();
    if let Some(live) = live {
        cluster.await_gone(&id(&crd), &crate::uid(&live), Duration::from_secs(60), |_| ()).await.unwrap();
    }
}

#[tokio::test]
async fn kinds_that_moved_are_found_where_they_are_now() {
    let cluster = as_user("admin").await;
    let error = cluster.scope_of("extensions/v1beta1", "Ingress").await.unwrap_err();
    assert_eq!(
        error.diagnostic().help.as_deref(),
        Some("did you mean `apiVersion: networking.k8s.io/v1`, `kind: Ingress`?")
    );
    let error = cluster.scope_of("apps/v1", "Deploymnet").await.unwrap_err();
    assert!(error.diagnostic().help.unwrap().contains("`kind: Deployment`"));
}

/// The table of native kinds says what the server says.
#[tokio::test]
async fn the_table_of_native_kinds_is_true() {
    let cluster = as_user("admin").await;
    for native in sheave_manifest::native_kinds() {
        let path = match native.api_version.contains('/') {
            true => format!("/apis/{}", native.api_version),
            false => format!("/api/{}", native.api_version),
        };
        let (status, body) = cluster.raw(http::Method::GET, &path, None, Vec::new()).await.unwrap();
        assert_eq!(status, 200, "{path}");
        let list: Json = serde_json::from_slice(&body).unwrap();
        let resources = list["resources"].as_array().unwrap();
        let found =
            resources.iter().find(|r| r["kind"] == native.kind && !r["name"].as_str().unwrap().contains('/'));
        let found = found.unwrap_or_else(|| panic!("{native:?} is not served"));
        assert_eq!(
            (&found["name"], &found["namespaced"]),
            (&json!(native.plural), &json!(native.namespaced))
        );
    }
}
