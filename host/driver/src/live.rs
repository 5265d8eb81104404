//! Live objects as one run sees them: each list is asked for once, however many resources want it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::Value as Json;
use sheave_cluster::{ClusterError, Listed};
use sheave_engine::RenderedObject;
use sheave_model::event::What;
use sheave_model::plugin::ObjectId;
use sheave_model::stack::StackState;
use sheave_model::{Address, Diagnostic};
use tokio::sync::OnceCell;

use crate::context::{Context, locked};

/// From this many new objects of one kind and namespace on, one metadata-only list is cheaper than asking for each.
const LIST_FROM: usize = 4;
/// From this many instances of one resource on it is asked for lists at once: to ask for the first few of each kind and
/// namespace one by one, until there are enough for a list, is what most of the requests of such a plan would be.
const MANY: usize = 32;

/// From this many namespaces with objects of one kind on, one list of all namespaces is cheaper than one for each: a list of few
/// objects costs the server what a get does.
pub(crate) const WIDE_FROM: usize = 4;
/// Recorded objects of one kind up to which one list of all namespaces is asked for: more come page by page, one after the other,
/// where a list for each namespace comes beside the others.
const WIDE_MOST: usize = sheave_cluster::PAGE;

/// A kind in a target: target, apiVersion, kind.
type KindKey = (String, String, String);
/// A list: target, apiVersion, kind, namespace; without one, of all namespaces.
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
    /// Kinds whose recorded objects stand in many namespaces, few in each.
    spread: OnceLock<HashSet<KindKey>>,
    /// In how many namespaces objects of a kind were asked for that may be there.
    asked_in: Mutex<HashMap<KindKey, HashSet<String>>>,
    /// How many instances of each resource there are to look at.
    instances: Mutex<HashMap<Address, usize>>,
    /// What an apply answered, for the wait that follows it, by resource and slot.
    applied: Mutex<HashMap<(Address, String), Arc<Json>>>,
    /// Targets of which it was said that not all may be listed there.
    unlisted: Mutex<BTreeSet<String>>,
    /// The last state that a wait saw, for the plugin to observe.
    awaited: Mutex<BTreeMap<Address, BySlot>>,
    /// Lists that are begun before anybody waits for them; none: that time is over.
    ahead: Mutex<Option<Ahead>>,
}

#[derive(Debug, Default)]
struct Ahead {
    begun: HashSet<ListKey>,
    /// How many objects of a kind were rendered so far.
    rendered: HashMap<KindKey, usize>,
}

fn key(target: &str, id: &ObjectId, namespace: Option<&str>) -> ListKey {
    (target.to_owned(), id.api_version.clone(), id.kind.clone(), namespace.map(str::to_owned))
}

fn kind_key(target: &str, id: &ObjectId) -> KindKey {
    (target.to_owned(), id.api_version.clone(), id.kind.clone())
}

/// The kinds of which a stack has objects in many namespaces, and no more of them than one page holds.
fn spread(state: &StackState) -> HashSet<KindKey> {
    let mut kinds: HashMap<(&str, &str, &str), (usize, HashSet<&str>)> = HashMap::new();
    for record in state.resources.values().flat_map(|r| &r.objects) {
        let Some(namespace) = &record.id.namespace else { continue };
        let kind = (record.target.as_str(), record.id.api_version.as_str(), record.id.kind.as_str());
        let (count, namespaces) = kinds.entry(kind).or_default();
        *count += 1;
        namespaces.insert(namespace);
    }
    let wide =
        |(count, namespaces): &(usize, HashSet<&str>)| *count <= WIDE_MOST && namespaces.len() >= WIDE_FROM;
    let wide = kinds.into_iter().filter(|(_, spread)| wide(spread));
    wide.map(|((target, version, kind), _)| (target.to_owned(), version.to_owned(), kind.to_owned()))
        .collect()
}

impl LiveObjects {
    /// Counts an instance whose objects will be looked for.
    pub(crate) fn expect(&self, address: &Address) {
        *locked(&self.instances).entry(address.without_key()).or_default() += 1;
    }

    fn are_many(&self, address: &Address) -> bool {
        locked(&self.instances).get(&address.without_key()).is_some_and(|instances| *instances >= MANY)
    }

    /// Whether an object that may be there is one of a kind that was asked for in many namespaces by now.
    fn are_asked_in_many(&self, target: &str, id: &ObjectId) -> bool {
        let Some(namespace) = &id.namespace else { return false };
        let mut asked = locked(&self.asked_in);
        let namespaces = asked.entry(kind_key(target, id)).or_default();
        if !namespaces.contains(namespace) {
            namespaces.insert(namespace.clone());
        }
        namespaces.len() >= WIDE_FROM
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

    /// From now on lists may be begun before anybody waits for them.
    pub(crate) fn look_ahead(&self) {
        locked(&self.ahead).get_or_insert_default();
    }

    /// Whether a list is to be begun now, which it is once.
    fn begins(&self, list: &ListKey) -> bool {
        let mut ahead = locked(&self.ahead);
        ahead.as_mut().is_some_and(|ahead| !ahead.begun.contains(list) && ahead.begun.insert(list.clone()))
    }

    /// Counts a rendered object, and says whether there were enough of its kind to tell whether they stand in many namespaces.
    fn shows_where_its_kind_stands(&self, target: &str, id: &ObjectId) -> bool {
        locked(&self.ahead).as_mut().is_some_and(|ahead| {
            let rendered = ahead.rendered.entry(kind_key(target, id)).or_default();
            *rendered += 1;
            *rendered >= WIDE_FROM
        })
    }

    /// Forgets what was listed, and gives it to be freed: a later look must see what has happened since, and is for one object.
    pub(crate) fn forget(&self) -> impl Send + use<> {
        *locked(&self.ahead) = None;
        (std::mem::take(&mut *locked(&self.members)), std::mem::take(&mut *locked(&self.names)))
    }
}

impl Context {
    /// Begins the lists that comparing rendered objects is going to ask for, while other resources are still being rendered. What
    /// becomes of them is told to whoever asks.
    pub(crate) fn list_ahead(self: &Arc<Self>, address: &Address, objects: &[RenderedObject]) {
        if locked(&self.live.ahead).is_none() {
            return;
        }
        // What is recorded is looked for among the members.
        let recorded = self.state.resources.get(address).into_iter().flat_map(|r| &r.objects);
        let recorded: HashSet<(&str, &ObjectId)> = recorded.map(|r| (r.target.as_str(), &r.id)).collect();
        for RenderedObject { target, id, .. } in objects {
            if self.targets.reached(target).is_none() || recorded.contains(&(target.as_str(), id)) {
                continue;
            }
            let wide = self.live.are_asked_in_many(target, id);
            let shown = self.live.shows_where_its_kind_stands(target, id);
            let needed = wide || shown && self.live.are_many(address);
            if !needed {
                continue;
            }
            let namespace = id.namespace.clone().filter(|_| !wide);
            let list = key(target, id, namespace.as_deref());
            if self.live.begins(&list) {
                let cell = locked(&self.live.names).entry(list).or_default().1.clone();
                let (context, target, id) = (Arc::clone(self), target.clone(), id.clone());
                tokio::spawn(async move {
                    let _ = context.names(&target, &id, namespace.as_deref(), &cell).await;
                });
            }
        }
    }

    /// An object that this stack is recorded to have, by one list of the stack's members of its kind: in its namespace, or, where
    /// they stand in many, in all.
    pub(crate) async fn member(&self, target: &str, id: &ObjectId) -> Result<Option<Arc<Json>>, Diagnostic> {
        let spread = self.live.spread.get_or_init(|| spread(&self.state));
        let mut listed = Arc::new(None);
        if spread.contains(&kind_key(target, id)) {
            listed = self.members(target, id, None).await?;
        }
        if listed.is_none() {
            listed = self.members(target, id, id.namespace.as_deref()).await?;
        }
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

    /// The stack's members of the object's kind in a namespace, or in all; none: they may not be listed.
    async fn members(
        &self,
        target: &str,
        id: &ObjectId,
        namespace: Option<&str>,
    ) -> Result<Arc<Option<ByName<Listed>>>, Diagnostic> {
        let cell = locked(&self.live.members).entry(key(target, id, namespace)).or_default().clone();
        cell.get_or_init(|| async {
            let cluster = self.targets.cluster(target).await?;
            let Some(parent) = self.parent(cluster) else { return Ok(Arc::new(None)) };
            let _permit = self.permits.acquire().await;
            let found =
                cluster.list_unread(&id.api_version, &id.kind, namespace, Some(&parent.selector())).await;
            self.listed(target, id, namespace, found.map(|objects| Some(by_name(objects))))
        })
        .await
        .clone()
    }

    /// An object of a resource that may be there although this stack does not know it.
    pub(crate) async fn stranger(
        &self,
        address: &Address,
        target: &str,
        id: &ObjectId,
    ) -> Result<Option<Arc<Json>>, Diagnostic> {
        let mut listed = Arc::new(None);
        if self.live.are_asked_in_many(target, id) {
            listed = self.names(target, id, None, &self.names_of(target, id, None).1).await?;
        }
        if listed.is_none() {
            let (asked, cell) = self.names_of(target, id, id.namespace.as_deref());
            if asked >= LIST_FROM || self.live.are_many(address) {
                listed = self.names(target, id, id.namespace.as_deref(), &cell).await?;
            }
        }
        if let Some(names) = listed.as_ref()
            && !names.contains_key(&(id.namespace.clone(), id.name.clone()))
        {
            return Ok(None);
        }
        self.live_object(target, id).await
    }

    /// The place of a list of names, and how often it was asked for.
    fn names_of(&self, target: &str, id: &ObjectId, namespace: Option<&str>) -> (usize, Names) {
        let mut names = locked(&self.live.names);
        let (asked, cell) = names.entry(key(target, id, namespace)).or_default();
        *asked += 1;
        (*asked, cell.clone())
    }

    /// The names of the object's kind in a namespace, or in all; none: they may not be listed, or are too many in all.
    async fn names(
        &self,
        target: &str,
        id: &ObjectId,
        namespace: Option<&str>,
        cell: &Names,
    ) -> Result<Arc<Option<ByName<()>>>, Diagnostic> {
        cell.get_or_init(|| async {
            let cluster = self.targets.cluster(target).await?;
            let _permit = self.permits.acquire().await;
            let found = if id.namespace.is_some() && namespace.is_none() {
                cluster.list_all_names(&id.api_version, &id.kind).await
            } else {
                cluster.list_names(&id.api_version, &id.kind, namespace).await.map(Some)
            };
            let named = |names: Vec<_>| names.into_iter().map(|n| (n, ())).collect();
            self.listed(target, id, namespace, found.map(|names| names.map(named)))
        })
        .await
        .clone()
    }

    /// What a list of a run is, where it may be listed. That all namespaces may not be listed is nothing to tell: then each is.
    fn listed<T>(
        &self,
        target: &str,
        id: &ObjectId,
        namespace: Option<&str>,
        found: Result<Option<ByName<T>>, ClusterError>,
    ) -> Result<Arc<Option<ByName<T>>>, Diagnostic> {
        match found {
            Ok(found) => Ok(Arc::new(found)),
            Err(error @ ClusterError::Forbidden { .. }) => {
                if namespace == id.namespace.as_deref() {
                    self.tell_of_unlisted(target, &error);
                }
                Ok(Arc::new(None))
            }
            Err(ClusterError::NoSuchKind { .. }) => Ok(Arc::new(Some(ByName::new()))),
            Err(e) => Err(self.clean(e.diagnostic())),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_begun_ahead_once_while_there_is_something_to_be_ahead_of() {
        let live = LiveObjects::default();
        let list = |kind: &str| ("main".to_owned(), "v1".to_owned(), kind.to_owned(), None);
        assert!(!live.begins(&list("Secret")), "nobody plans yet");
        live.look_ahead();
        assert!(live.begins(&list("Secret")));
        assert!(!live.begins(&list("Secret")));
        assert!(live.begins(&list("ConfigMap")));
        drop(live.forget());
        assert!(!live.begins(&list("Role")), "what is asked for now is asked for one by one");
    }

    #[test]
    fn the_fourth_object_of_a_kind_shows_where_it_stands() {
        let live = LiveObjects::default();
        let id = |kind: &str| ObjectId {
            api_version: "v1".to_owned(),
            kind: kind.to_owned(),
            namespace: Some("a".to_owned()),
            name: "x".to_owned(),
        };
        let shows = |kind: &str| live.shows_where_its_kind_stands("main", &id(kind));
        assert!(!shows("Secret"), "nobody plans yet");
        live.look_ahead();
        let seen: Vec<bool> = std::iter::repeat_with(|| shows("Secret")).take(5).collect();
        assert_eq!(seen, [false, false, false, true, true]);
        assert!(!shows("ConfigMap"), "each kind by itself");
    }
}
