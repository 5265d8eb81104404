//! Where a kind is found: from a table for Kubernetes' own kinds, else asked once for each group and version.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use sheave_manifest::{native, native_kinds};
use tokio::sync::Mutex;

use crate::error::{ClusterError, Words};
use crate::kubeconfig::nearest;
use crate::transport::{Ask, Transport};
use crate::url::group_path;
use crate::{Cluster, status};

/// How a kind's objects are addressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The name in the URL: `deployments`.
    pub plural: String,
    /// Whether objects of it stand in a namespace.
    pub namespaced: bool,
}

type Kinds = HashMap<String, Resource>;

#[derive(Default)]
pub(crate) struct Discovery {
    /// By `apiVersion`. Held while asking, so that many who miss ask once.
    known: Mutex<HashMap<String, Arc<Kinds>>>,
}

#[derive(Deserialize)]
struct ResourceList {
    #[serde(default)]
    resources: Vec<ResourceEntry>,
}

#[derive(Deserialize)]
struct ResourceEntry {
    name: String,
    kind: String,
    #[serde(default)]
    namespaced: bool,
}

impl Discovery {
    async fn scope(
        &self,
        transport: &Transport,
        api_version: &str,
        kind: &str,
    ) -> Result<Resource, ClusterError> {
        if let Some(n) = native(api_version, kind) {
            return Ok(Resource { plural: n.plural.to_owned(), namespaced: n.namespaced });
        }
        let mut known = self.known.lock().await;
        if let Some(found) = known.get(api_version).and_then(|kinds| kinds.get(kind)) {
            return Ok(found.clone());
        }
        // Not there, or not there yet: a definition may have come meanwhile.
        let kinds = Arc::new(ask(transport, api_version).await?);
        known.insert(api_version.to_owned(), Arc::clone(&kinds));
        kinds.get(kind).cloned().ok_or_else(|| unknown(api_version, kind, &kinds))
    }

    /// Forgets a group and version, so that it is asked for again.
    async fn forget(&self, api_version: &str) {
        self.known.lock().await.remove(api_version);
    }
}

async fn ask(transport: &Transport, api_version: &str) -> Result<Kinds, ClusterError> {
    let ask = Ask::get(format!("discover the kinds of {api_version}"), group_path(api_version));
    let reply = transport.send(&ask).await?;
    if reply.status == http::StatusCode::NOT_FOUND {
        return Ok(Kinds::new());
    }
    if !reply.status.is_success() {
        return Err(transport.fault(&ask, &reply, std::time::Duration::ZERO));
    }
    let list: ResourceList = serde_json::from_slice(&reply.body).map_err(|_| ClusterError::Server {
        what: ask.what.clone(),
        status: reply.status.as_u16(),
        words: Words::new("the answer is no list of resources"),
    })?;
    // `deployments/scale` is a part of another resource.
    let whole = list.resources.into_iter().filter(|r| !r.name.contains('/'));
    Ok(whole.map(|r| (r.kind, Resource { plural: r.name, namespaced: r.namespaced })).collect())
}

fn unknown(api_version: &str, kind: &str, served: &Kinds) -> ClusterError {
    let in_group: Vec<String> = served.keys().cloned().collect();
    let nearest =
        nearest(kind, &in_group).map(|k| (api_version.to_owned(), k)).or_else(|| meant(api_version, kind));
    let nearest = nearest.filter(|(v, k)| v != api_version || k != kind);
    ClusterError::NoSuchKind { api_version: api_version.to_owned(), kind: kind.to_owned(), nearest }
}

/// The native kind that was probably meant: the same kind elsewhere, or one nearly alike.
fn meant(api_version: &str, kind: &str) -> Option<(String, String)> {
    let same = native_kinds().filter(|n| n.kind == kind).last();
    if let Some(n) = same {
        return Some((n.api_version.to_owned(), n.kind.to_owned()));
    }
    let here = native_kinds().filter(|n| n.api_version == api_version);
    let names: Vec<String> = here.map(|n| n.kind.to_owned()).collect();
    nearest(kind, &names).map(|k| (api_version.to_owned(), k))
}

impl Cluster {
    /// How a kind's objects are addressed. Kubernetes' own kinds cost no request; others one for each group and
    /// version, and one more whenever a kind is not known yet.
    pub async fn scope_of(&self, api_version: &str, kind: &str) -> Result<Resource, ClusterError> {
        self.inner.discovery.scope(&self.inner.transport, api_version, kind).await
    }

    /// What a reply says to a path that is not served: the kind is unknown, although the table or an earlier answer
    /// had it.
    pub(crate) async fn kind_is_gone(
        &self,
        api_version: &str,
        kind: &str,
        body: &[u8],
    ) -> Option<ClusterError> {
        if !status::Status::of(body).is_unknown_path() {
            return None;
        }
        self.inner.discovery.forget(api_version).await;
        Some(unknown(api_version, kind, &Kinds::new()))
    }
}
