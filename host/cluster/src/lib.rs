//! Talks to Kubernetes: discovery, server-side apply, list, watch, delete. The only user of kube.
//!
//! kube gives the connection (kubeconfig, TLS, credential plugins, proxies); requests and replies are JSON as
//! `serde_json::Value`, since custom resources have no types. No body is ever logged, and what a server says is kept
//! apart ([`Words`]), because it may echo a secret.

mod connect;
mod contents;
mod discovery;
mod error;
mod explain;
mod hub;
mod kubeconfig;
mod lists;
mod objects;
mod one_wait;
mod proxy;
mod retry;
mod status;
mod transport;
mod unions;
mod url;
mod wait;
mod waiting;
mod watch;

use std::sync::Arc;

use serde_json::Value as Json;

pub use contents::Contents;
pub use discovery::Resource;
pub use error::{Cause, ClusterError, FieldConflict, KubeconfigFault, Words};
pub use explain::{EventNote, PodNote};
pub use kubeconfig::TargetSettings;
pub use lists::{Listed, PAGE};
pub use objects::{Applied, ApplyOptions, Deleted, Propagation};
pub use waiting::{AwaitError, AwaitTarget, Progress, Waiting};

use discovery::Discovery;
use hub::Hub;
use transport::{Ask, Transport};

/// A connection to one cluster. Cheap to clone; all clones share connections, watches and what was discovered.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    namespace: String,
    context: Option<String>,
    server: String,
    uid: Option<String>,
    transport: Arc<Transport>,
    discovery: Discovery,
    hub: Hub,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("server", &self.inner.server).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Connects to the target `name`, and asks the server who it is: so wrong settings, expired credentials and an
    /// unreachable server are known at once. One round trip, after whatever a credential plugin takes.
    pub async fn connect(name: &str, settings: &TargetSettings) -> Result<Self, ClusterError> {
        let (config, context) = kubeconfig::load(name, settings).await?;
        let namespace = settings.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let transport = Arc::new(Transport::new(name, config).await?);
        let ask = Ask::get("get Namespace kube-system", "/api/v1/namespaces/kube-system");
        let uid = match transport.json(&ask).await {
            Ok(live) => live.pointer("/metadata/uid").and_then(Json::as_str).map(str::to_owned),
            Err(ClusterError::Forbidden { .. } | ClusterError::NamespaceMissing { .. }) => None,
            Err(other) => return Err(other),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                namespace,
                context,
                server,
                uid,
                discovery: Discovery::default(),
                hub: Hub::new(Arc::clone(&transport)),
                transport,
            }),
        })
    }

    /// The namespace of objects that name none: the settings', or the context's, or `default`.
    pub fn namespace(&self) -> &str {
        &self.inner.namespace
    }

    /// Which cluster it is, for the records of a stack: the uid of its namespace kube-system, which stays when its
    /// address changes. None where we may not read that.
    pub async fn identity(&self) -> Result<Option<String>, ClusterError> {
        Ok(self.inner.uid.clone())
    }

    /// The context of the kubeconfig; none in a pod of the cluster.
    pub fn context(&self) -> Option<&str> {
        self.inner.context.as_deref()
    }

    /// The API server's URL.
    pub fn server(&self) -> &str {
        &self.inner.server
    }

    /// Sends a bare request, with the connection's credentials, limits and retries: the status and the body.
    pub async fn raw(
        &self,
        method: http::Method,
        path: &str,
        content_type: Option<&'static str>,
        body: Vec<u8>,
    ) -> Result<(u16, bytes::Bytes), ClusterError> {
        let mut ask = Ask::get(format!("{method} {path}"), path);
        // A POST that was cut off may have been carried out.
        ask.repeatable = method != http::Method::POST;
        ask.method = method;
        ask.content_type = content_type;
        ask = ask.with_secret_body(body);
        let reply = self.inner.transport.send(&ask).await?;
        Ok((reply.status.as_u16(), reply.body))
    }
}
