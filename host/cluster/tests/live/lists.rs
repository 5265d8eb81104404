//! Lists: pages, labels, metadata alone, and who may not list.

use futures::StreamExt as _;
use serde_json::json;
use sheave_cluster::ClusterError;

use crate::{apply, as_user, cluster, config_map, id};

#[tokio::test]
async fn lists_go_over_pages() {
    let (cluster, ns) = cluster().await;
    // More than one page.
    let made = futures::stream::iter(0..1_050)
        .map(|i| {
            let (cluster, mut obj) = (cluster.clone(), config_map(&ns, &format!("c{i}"), json!({})));
            if i % 10 == 0 {
                obj["metadata"]["labels"] = json!({"tenth": "yes"});
            }
            async move { apply(&cluster, &obj).await.unwrap().created }
        })
        .buffer_unordered(64)
        .filter(|created| std::future::ready(*created))
        .count()
        .await;
    assert_eq!(made, 1_050);
    // One of them is Kubernetes' own: kube-root-ca.crt.
    let all = cluster.list("v1", "ConfigMap", Some(&ns.name), None).await.unwrap();
    let ours = all.iter().filter(|o| o["metadata"]["name"] != "kube-root-ca.crt").count();
    assert_eq!(ours, 1_050);
    assert!(all.iter().all(|o| o["kind"] == "ConfigMap" && o["apiVersion"] == "v1"));
    let tenth = cluster.list("v1", "ConfigMap", Some(&ns.name), Some("tenth=yes")).await.unwrap();
    assert_eq!(tenth.len(), 105);
    let named = cluster.list_names("v1", "ConfigMap", Some(&ns.name)).await.unwrap();
    assert!(named.contains(&(Some(ns.name.clone()), "c1049".to_owned())));
    assert_eq!(named.len(), all.len());
    // In all namespaces there are at least as many, which is more than one page; of this kind there are few.
    assert_eq!(cluster.list_all_names("v1", "ConfigMap").await.unwrap(), None);
    let classes = cluster.list_all_names("storage.k8s.io/v1", "StorageClass").await.unwrap();
    assert!(classes.is_some_and(|found| !found.is_empty()));
}

#[tokio::test]
async fn who_may_not_list_may_still_get() {
    let (cluster, ns) = cluster().await;
    let obj = config_map(&ns, "a", json!({}));
    apply(&cluster, &obj).await.unwrap();
    let nolist = as_user("nolist").await;
    let error = nolist.list("v1", "ConfigMap", Some(&ns.name), None).await.unwrap_err();
    assert!(matches!(error, ClusterError::Forbidden { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("not allowed to list ConfigMap in namespace {}", ns.name));
    assert!(nolist.get(&id(&obj)).await.unwrap().is_some());
}
