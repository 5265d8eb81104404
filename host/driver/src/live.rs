//! Live objects as one run sees them: each list is asked for once, however many resources want it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use serde_json::Value as Json;
use sheave_cluster::{ClusterError, Listed};
use sheave_model::event::What;
use sheave_model::plugin::ObjectId;
use sheave_model::{Address, Diagnostic};
use tokio::sync::OnceCell;

use crate::context::{Context, locked};

/// From this many new objects of one kind and namespace on, one metadata-only list is cheaper than asking for each.
const LIST_FROM: usize = 4;
/// From this many instances of one resource on it is asked for lists at once: to ask for the first few of each kind and
/// namespace one by one, until there are enough for a list, is what most of the requests of such a plan would be.
const MANY: usize = 32;

/// A list: target, apiVersion, kind, namespace.
type ListKey = (String, String, String, Option<String>);
type Cell<T> = Arc<OnceCell<Result<Arc<T>, Diagnostic>>>;
/// Objects by namespace and name.
type ByName<T> = HashMap<(Option<String>, String), T>;

/// Whole objects of one list; none: it may not be listed.
type Members = Cell<Option<ByName<Listed>>>;
/// The names of one list; none: it may not be listed.
type Names = Cell<Option<ByName<()>>>;
/// Objects by slot.
type BySlot = Vec<(String, Arc<Json>)>;

/// The lists of one run.
#[derive(Debug, Default)]
pub(crate) struct LiveObjects {
    members: Mutex<HashMap<ListKey, Members>>,
    /// And how many were asked for one by one before.
    names: Mutex<HashMap<ListKey, (usize, Names)>>,
    /// How many instances of each resource there are to look at.
    instances: Mutex<HashMap<Address, usize>>,
    /// What an apply answered, for the wait that follows it, by resource and slot.
    applied: Mutex<HashMap<(Address, String), Arc<Json>>>,
    /// Targets of which it was said that not all may be listed there.
    unlisted: Mutex<BTreeSet<String>>,
    /// The last state that a wait saw, for the plugin to observe.
    awaited: Mutex<BTreeMap<Address, BySlot>>,
}

fn key(target: &str, id: &ObjectId) -> ListKey {
    (target.to_owned(), id.api_version.clone(), id.kind.clone(), id.namespace.clone())
}

impl LiveObjects {
    /// Counts an instance whose objects will be looked for.
    pub(crate) fn expect(&self, address: &Address) {
        *locked(&self.instances).entry(address.without_key()).or_default() += 1;
    }

    fn are_many(&self, address: &Address) -> bool {
        locked(&self.instances).get(&address.without_key()).is_some_and(|instances| *instances >= MANY)
    }

    /// Keeps what an apply answered.
    pub(crate) fn keep_applied(&self, address: &Address, slot: &str, object: Arc<Json>) {
        locked(&self.applied).insert((address.clone(), slot.to_owned()), object);
    }

    /// What an apply of this run answered.
    pub(crate) fn take_applied(&self, address: &Address, slot: &str) -> Option<Arc<Json>> {
        locked(&self.applied).remove(&(address.clone(), slot.to_owned()))
    }

    /// Keeps what a wait saw last.
    pub(crate) fn keep_awaited(&self, address: &Address, objects: Vec<(String, Arc<Json>)>) {
        locked(&self.awaited).insert(address.clone(), objects);
    }

    /// What a wait saw last.
    pub(crate) fn take_awaited(&self, address: &Address) -> Option<Vec<(String, Arc<Json>)>> {
        locked(&self.awaited).remove(address)
    }

    /// Forgets what was listed: a later look must see what has happened since.
    pub(crate) fn forget(&self) {
        locked(&self.members).clear();
        locked(&self.names).clear();
    }
}

impl Context {
    /// An object that this stack is recorded to have, by one list of the stack's members of its kind and namespace.
    pub(crate) async fn member(&self, target: &str, id: &ObjectId) -> Result<Option<Arc<Json>>, Diagnostic> {
        let cell = locked(&self.live.members).entry(key(target, id)).or_default().clone();
        let listed = cell
            .get_or_init(|| async {
                let cluster = self.targets.cluster(target).await?;
                let Some(parent) = self.parent(cluster) else { return Ok(Arc::new(None)) };
                let _permit = self.permits.acquire().await;
                let found = cluster
                    .list_unread(&id.api_version, &id.kind, id.namespace.as_deref(), Some(&parent.selector()))
                    .await;
                match found {
                    Ok(objects) => Ok(Arc::new(Some(by_name(objects)))),
                    Err(error @ ClusterError::Forbidden { .. }) => {
                        self.tell_of_unlisted(target, &error);
                        Ok(Arc::new(None))
                    }
                    Err(ClusterError::NoSuchKind { .. }) => Ok(Arc::new(Some(ByName::new()))),
                    Err(e) => Err(self.clean(e.diagnostic())),
                }
            })
            .await
            .clone()?;
        match listed.as_ref() {
            Some(objects) => match objects.get(&(id.namespace.clone(), id.name.clone())) {
                Some(object) => match object.object() {
                    Ok(object) => Ok(Some(Arc::new(object))),
                    Err(e) => Err(self.clean(e.diagnostic())),
                },
                // Somebody may have taken the label off.
                None => self.live_object(target, id).await,
            },
            None => self.live_object(target, id).await,
        }
    }

    /// An object of a resource that may be there although this stack does not know it.
    pub(crate) async fn stranger(
        &self,
        address: &Address,
        target: &str,
        id: &ObjectId,
    ) -> Result<Option<Arc<Json>>, Diagnostic> {
        let cell = {
            let mut names = locked(&self.live.names);
            let (asked, cell) = names.entry(key(target, id)).or_default();
            *asked += 1;
            (*asked >= LIST_FROM || self.live.are_many(address)).then(|| cell.clone())
        };
        if let Some(cell) = cell {
            let listed = cell
                .get_or_init(|| async {
                    let cluster = self.targets.cluster(target).await?;
                    let _permit = self.permits.acquire().await;
                    let found = cluster.list_names(&id.api_version, &id.kind, id.namespace.as_deref()).await;
                    match found {
                        Ok(names) => Ok(Arc::new(Some(names.into_iter().map(|n| (n, ())).collect()))),
                        Err(error @ ClusterError::Forbidden { .. }) => {
                            self.tell_of_unlisted(target, &error);
                            Ok(Arc::new(None))
                        }
                        Err(ClusterError::NoSuchKind { .. }) => Ok(Arc::new(Some(ByName::new()))),
                        Err(e) => Err(self.clean(e.diagnostic())),
                    }
                })
                .await
                .clone()?;
            if let Some(names) = listed.as_ref()
                && !names.contains_key(&(id.namespace.clone(), id.name.clone()))
            {
                return Ok(None);
            }
        }
        self.live_object(target, id).await
    }

    /// Without the right to list, each object is asked for by itself, which is said once of a target.
    fn tell_of_unlisted(&self, target: &str, error: &ClusterError) {
        if !locked(&self.live.unlisted).insert(target.to_owned()) {
            return;
        }
        let summary = format!("target `{target}`: {error}; each object is asked for by itself");
        let note = Diagnostic::warning("cluster.list-forbidden", summary).with_help(
            "it works, and takes longer: the verb `list` on the blueprint's kinds spares requests",
        );
        self.tell(What::Diagnostic { diagnostic: self.clean(note) });
    }

    /// An object, asked for by itself.
    pub(crate) async fn live_object(
        &self,
        target: &str,
        id: &ObjectId,
    ) -> Result<Option<Arc<Json>>, Diagnostic> {
        let cluster = self.targets.cluster(target).await?;
        let _permit = self.permits.acquire().await;
        match cluster.get(id).await {
            Ok(found) => Ok(found.map(Arc::new)),
            Err(ClusterError::NoSuchKind { .. }) => Ok(None),
            Err(e) => Err(self.clean(e.diagnostic())),
        }
    }
}

fn by_name(objects: Vec<Listed>) -> ByName<Listed> {
    objects.into_iter().map(|object| ((object.namespace.clone(), object.name.clone()), object)).collect()
}
