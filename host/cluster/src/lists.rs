//! Lists of objects, page by page, each object left as the server sent it until somebody looks.

use std::sync::Arc;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::error::{ClusterError, Words};
use crate::transport::{Ask, JSON};
use crate::url::{object_path, with_query};
use crate::{Cluster, Resource};

/// Objects on one page of a list. Large, since each page costs a round trip; an API server's own limit on a reply is
/// time, not number.
pub const PAGE: usize = 1_000;
/// Pages of one list: a list that goes on beyond is a server that lies.
const MAX_PAGES: usize = 1_000;

pub(crate) const METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// An object of a list, as the server sent it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its namespace; none: it is in none.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    text: Box<RawValue>,
    kind: Arc<(String, String)>,
}

impl Listed {
    /// None for what is no object with a name.
    fn new(text: &RawValue, kind: &Arc<(String, String)>) -> Option<Self> {
        let head: Head = serde_json::from_str(text.get()).ok()?;
        let Named { namespace, name } = head.metadata;
        Some(Self { namespace, name, text: text.to_owned(), kind: kind.clone() })
    }

    pub(crate) fn text(&self) -> &str {
        self.text.get()
    }

    /// The object.
    ///
    /// # Errors
    /// Its text goes deeper than anything that a server should send.
    pub fn object(&self) -> Result<Json, ClusterError> {
        let mut object: Json = serde_json::from_str(self.text.get()).map_err(|_| ClusterError::Server {
            what: format!("list {}", self.kind.1),
            status: 200,
            words: Words::new("an object of the list cannot be read"),
        })?;
        // Items of a list do not say what they are.
        if let Some(fields) = object.as_object_mut() {
            fields.insert("apiVersion".into(), self.kind.0.as_str().into());
            fields.insert("kind".into(), self.kind.1.as_str().into());
        }
        Ok(object)
    }
}

/// What is listed, and how.
struct List<'a> {
    what: String,
    path: String,
    kind: Arc<(String, String)>,
    label_selector: Option<&'a str>,
    accept: &'static str,
}

impl<'a> List<'a> {
    fn new(
        api_version: &str,
        kind: &str,
        resource: &Resource,
        namespace: Option<&str>,
        label_selector: Option<&'a str>,
        accept: &'static str,
    ) -> Self {
        let what = match namespace.filter(|_| resource.namespaced) {
            Some(namespace) => format!("list {kind} in namespace {namespace}"),
            None => format!("list {kind}"),
        };
        Self {
            what,
            path: object_path(api_version, resource, namespace, None),
            kind: Arc::new((api_version.to_owned(), kind.to_owned())),
            label_selector,
            accept,
        }
    }
}

/// What came of one page; `next` is empty on the last.
struct ListedPage {
    items: Vec<Listed>,
    next: String,
}

/// A page of a list, as it is sent.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default)]
    metadata: PageMetadata,
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
struct PageMetadata {
    r#continue: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    metadata: Named,
}

#[derive(Deserialize)]
struct Named {
    namespace: Option<String>,
    name: String,
}

impl Cluster {
    /// All objects of a kind, in one namespace or in all, that carry the labels.
    pub async fn list(
        &self,
        api_version: &str,
        kind: &str,
        namespace: Option<&str>,
        label_selector: Option<&str>,
    ) -> Result<Vec<Json>, ClusterError> {
        let listed = self.list_unread(api_version, kind, namespace, label_selector).await?;
        listed.iter().map(Listed::object).collect()
    }

    /// The same, each object left as the server sent it until somebody looks: most of a large list is never looked at
    /// all at once, and a parsed object takes ten times its text.
    pub async fn list_unread(
        &self,
        api_version: &str,
        kind: &str,
        namespace: Option<&str>,
        label_selector: Option<&str>,
    ) -> Result<Vec<Listed>, ClusterError> {
        self.pages(api_version, kind, namespace, label_selector, JSON).await
    }

    /// Namespace and name of each object of a kind.
    pub async fn list_names(
        &self,
        api_version: &str,
        kind: &str,
        namespace: Option<&str>,
    ) -> Result<Vec<(Option<String>, String)>, ClusterError> {
        let listed = self.pages(api_version, kind, namespace, None, METADATA_LIST).await?;
        Ok(listed.into_iter().map(|o| (o.namespace, o.name)).collect())
    }

    /// Namespace and name of each object of a kind, in all namespaces; none where there are more than fit on one page: most
    /// of them would be nobody's who asks.
    pub async fn list_all_names(
        &self,
        api_version: &str,
        kind: &str,
    ) -> Result<Option<Vec<(Option<String>, String)>>, ClusterError> {
        let resource = self.scope_of(api_version, kind).await?;
        let list = List::new(api_version, kind, &resource, None, None, METADATA_LIST);
        let page = self.page_of(&list, "").await?;
        let whole = page.filter(|p| p.next.is_empty());
        Ok(whole.map(|p| p.items.into_iter().map(|o| (o.namespace, o.name)).collect()))
    }

    async fn pages(
        &self,
        api_version: &str,
        kind: &str,
        namespace: Option<&str>,
        label_selector: Option<&str>,
        accept: &'static str,
    ) -> Result<Vec<Listed>, ClusterError> {
        let resource = self.scope_of(api_version, kind).await?;
        self.pages_of(api_version, kind, &resource, namespace, label_selector, accept).await
    }

    /// The same, of a kind whose place is known.
    pub(crate) async fn pages_of(
        &self,
        api_version: &str,
        kind: &str,
        resource: &Resource,
        namespace: Option<&str>,
        label_selector: Option<&str>,
        accept: &'static str,
    ) -> Result<Vec<Listed>, ClusterError> {
        let list = List::new(api_version, kind, resource, namespace, label_selector, accept);
        let mut items: Vec<Listed> = Vec::new();
        let mut next = String::new();
        for _ in 0..MAX_PAGES {
            let Some(page) = self.page_of(&list, &next).await? else {
                // The list changed for too long while we read it: from the start.
                items.clear();
                next.clear();
                continue;
            };
            items.extend(page.items);
            next = page.next;
            if next.is_empty() {
                return Ok(items);
            }
        }
        Err(ClusterError::Server { what: list.what, status: 200, words: Words::new("the list does not end") })
    }

    /// One page of a list, the first or the one after `next`; none where it cannot be gone on with.
    async fn page_of(&self, list: &List<'_>, next: &str) -> Result<Option<ListedPage>, ClusterError> {
        let limit = PAGE.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(list.label_selector.map(|s| ("labelSelector", s)));
        if !next.is_empty() {
            query.push(("continue", next));
        }
        let mut ask = Ask::get(list.what.as_str(), with_query(&list.path, &query));
        ask.accept = list.accept;
        let reply = self.inner.transport.send(&ask).await?;
        if reply.status == StatusCode::GONE && !next.is_empty() {
            return Ok(None);
        }
        let (api_version, kind) = (&list.kind.0, &list.kind.1);
        if reply.status == StatusCode::NOT_FOUND
            && let Some(gone) = self.kind_is_gone(api_version, kind, &reply.body).await
        {
            return Err(gone);
        }
        let page: Page<'_> = self.inner.transport.read(&ask, &reply)?;
        let items = page.items.unwrap_or_default();
        Ok(Some(ListedPage {
            items: items.into_iter().filter_map(|text| Listed::new(text, &list.kind)).collect(),
            next: page.metadata.r#continue.unwrap_or_default(),
        }))
    }
}
