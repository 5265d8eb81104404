//! What stands in a namespace, of every kind that the cluster serves; and all objects of one kind. Metadata only.

use std::collections::HashSet;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use http::StatusCode;
use serde::Deserialize;
use sheave_manifest::strangers::Found;
use sheave_model::ObjectId;
use sheave_model::plugin::group_of;

use crate::discovery::Resource;
use crate::error::{ClusterError, Words};
use crate::lists::METADATA_LIST;
use crate::transport::Ask;
use crate::{Cluster, Listed};

/// The whole discovery in one answer, as Kubernetes 1.27 and later give it.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                          application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
/// Kinds that are looked through: a cluster with more of them than this is no cluster that we were told of.
const MAX_KINDS: usize = 5_000;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The objects.
    pub objects: Vec<Found>,
    /// Kinds that could not be listed, each with why.
    pub unseen: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Groups {
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: GroupName,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GroupName {
    name: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    #[serde(default)]
    resources: Vec<Served>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Served {
    resource: String,
    response_kind: Option<Kind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct Kind {
    kind: String,
}

/// A kind to be listed.
struct Lister {
    api_version: String,
    kind: String,
    resource: Resource,
}

impl Cluster {
    /// All objects in a namespace, but for those that the label selector leaves out.
    pub async fn contents(&self, namespace: &str, selector: Option<&str>) -> Result<Contents, ClusterError> {
        let (core, groups) = tokio::try_join!(self.listers("/api"), self.listers("/apis"))?;
        let listers: Vec<Lister> = core.into_iter().chain(groups).take(MAX_KINDS).collect();
        let beside: HashSet<(String, String)> =
            listers.iter().map(|l| (group_of(&l.api_version).to_owned(), l.kind.clone())).collect();
        let beside =
            |owner: &Owner| beside.contains(&(group_of(&owner.api_version).to_owned(), owner.kind.clone()));
        let mut lists: FuturesUnordered<_> = listers
            .into_iter()
            .map(async |lister| {
                let Lister { api_version, kind, resource } = &lister;
                let listed = self
                    .pages_of(api_version, kind, resource, Some(namespace), selector, METADATA_LIST)
                    .await;
                (lister, listed)
            })
            .collect();
        let mut contents = Contents::default();
        while let Some((Lister { api_version, kind, .. }, listed)) = lists.next().await {
            match listed {
                Ok(objects) => contents
                    .objects
                    .extend(objects.iter().filter_map(|o| o.found(&api_version, &kind, &beside))),
                // It went since the discovery.
                Err(ClusterError::NoSuchKind { .. } | ClusterError::NotFound { .. }) => {}
                // Served, and yet never to be listed.
                Err(ClusterError::Server { status, .. })
                    if status == StatusCode::METHOD_NOT_ALLOWED.as_u16() => {}
                Err(error) if error.is_target_lost() => return Err(error),
                Err(error) => contents.unseen.push((kind, error.to_string())),
            }
        }
        contents.objects.sort_by(|a, b| a.id.cmp(&b.id));
        contents.unseen.sort();
        Ok(contents)
    }

    /// All objects of a kind, wherever they stand, but for those that the label selector leaves out.
    pub async fn all_of(
        &self,
        api_version: &str,
        kind: &str,
        selector: Option<&str>,
    ) -> Result<Vec<Found>, ClusterError> {
        let resource = self.scope_of(api_version, kind).await?;
        let listed = self.pages_of(api_version, kind, &resource, None, selector, METADATA_LIST).await?;
        Ok(listed.iter().filter_map(|o| o.found(api_version, kind, &|_| false)).collect())
    }

    /// The namespaced kinds that can be listed, each in the version that the server prefers.
    async fn listers(&self, path: &str) -> Result<Vec<Lister>, ClusterError> {
        let mut ask = Ask::get("discover all kinds of the cluster", path);
        ask.accept = AGGREGATED;
        let reply = self.inner.transport.send(&ask).await?;
        if !reply.status.is_success() {
            return Err(self.inner.transport.fault(&ask, &reply, std::time::Duration::ZERO));
        }
        let groups: Groups = serde_json::from_slice(&reply.body).map_err(|_| ClusterError::Server {
            what: ask.what.clone(),
            status: reply.status.as_u16(),
            words: Words::new("the answer is no list of all groups, as Kubernetes 1.27 and later give it"),
        })?;
        let mut found: Vec<Lister> = Vec::new();
        for Group { metadata: GroupName { name: group }, versions } in groups.items {
            let before = found.len();
            for Version { version, resources } in versions {
                let api_version = if group.is_empty() { version } else { format!("{group}/{version}") };
                for served in resources {
                    let lists = served.scope == "Namespaced" && served.verbs.iter().any(|v| v == "list");
                    let known = found[before..].iter().any(|l| l.resource.plural == served.resource);
                    let Some(Kind { kind }) = served.response_kind.filter(|_| lists && !known) else {
                        continue;
                    };
                    let resource = Resource { plural: served.resource, namespaced: true };
                    found.push(Lister { api_version: api_version.clone(), kind, resource });
                }
            }
        }
        Ok(found)
    }
}

#[derive(Deserialize)]
struct Whose {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    uid: String,
    #[serde(default)]
    owner_references: Vec<Owner>,
    deletion_timestamp: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Owner {
    api_version: String,
    kind: String,
    uid: String,
}

impl Listed {
    /// Whose it is; none for what cannot be read. What belongs to an object `beside` it goes with that, or, where that
    /// is gone, soon.
    fn found(&self, api_version: &str, kind: &str, beside: &dyn Fn(&Owner) -> bool) -> Option<Found> {
        let Whose { metadata } = serde_json::from_str(self.text()).ok()?;
        Some(Found {
            id: ObjectId {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
                namespace: self.namespace.clone(),
                name: self.name.clone(),
            },
            uid: metadata.uid,
            goes: metadata.deletion_timestamp.is_some() || metadata.owner_references.iter().any(beside),
            owners: metadata.owner_references.into_iter().map(|o| o.uid).collect(),
        })
    }
}
