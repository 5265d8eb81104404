//! Watches that many waiters share: one for each kind and namespace, kept as long as somebody waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value as Json;
use tokio::sync::watch as channel;
use tokio::task::AbortHandle;

use crate::error::ClusterError;
use crate::transport::Shared;
use crate::watch::{Seen, Watched, follow};

/// The last that a watch saw of one object. Later news replaces earlier: only the last counts.
#[derive(Clone, Debug, Default)]
pub(crate) enum News {
    /// Nothing yet.
    #[default]
    Quiet,
    Object(Arc<Json>),
    Gone(Arc<Json>),
    /// Changes may have been missed: read it.
    Gap,
    /// The watch has ended.
    Broken(Arc<ClusterError>),
}

type Waiters = HashMap<String, Vec<(u64, channel::Sender<News>)>>;

#[derive(Default)]
struct Topic {
    waiters: Mutex<Waiters>,
    task: Mutex<Option<AbortHandle>>,
}

type Topics = Arc<Mutex<HashMap<Watched, Arc<Topic>>>>;

pub(crate) struct Hub {
    transport: Shared,
    topics: Topics,
    next: Mutex<u64>,
    pub(crate) explainers: crate::explain::Explainers,
}

/// One waiter's ear. The watch ends with its last one.
pub(crate) struct Ear {
    pub(crate) news: channel::Receiver<News>,
    id: u64,
    name: String,
    watched: Watched,
    topic: Arc<Topic>,
    topics: Topics,
}

/// Locks; what a panicking thread left behind is still consistent, since each change is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    pub(crate) fn new(transport: Shared) -> Self {
        let explainers = crate::explain::Explainers::new(Arc::clone(&transport));
        Self { transport, topics: Topics::default(), next: Mutex::new(0), explainers }
    }

    /// Listens for news of the object `name`. Reading the object after that misses nothing.
    pub(crate) fn listen(&self, watched: &Watched, name: &str) -> Ear {
        let id = {
            let mut next = lock(&self.next);
            *next += 1;
            *next
        };
        let (sender, news) = channel::channel(News::Quiet);
        let mut topics = lock(&self.topics);
        let topic = Arc::clone(topics.entry(watched.clone()).or_default());
        lock(&topic.waiters).entry(name.to_owned()).or_default().push((id, sender));
        lock(&topic.task).get_or_insert_with(|| self.start(watched.clone(), Arc::clone(&topic)));
        let topics = Arc::clone(&self.topics);
        Ear { news, id, name: name.to_owned(), watched: watched.clone(), topic, topics }
    }

    fn start(&self, watched: Watched, topic: Arc<Topic>) -> AbortHandle {
        let (transport, topics) = (Arc::clone(&self.transport), Arc::clone(&self.topics));
        let task = async move {
            let wanted = |name: &str| lock(&topic.waiters).contains_key(name);
            let see = |seen: Seen| match seen {
                Seen::Object(obj) => tell(&topic, obj, News::Object),
                Seen::Gone(obj) => tell(&topic, obj, News::Gone),
                Seen::Gap => tell_all(&topic, &News::Gap),
            };
            let error = follow(&transport, &watched, wanted, see).await;
            // Those who come after start another watch.
            {
                let mut topics = lock(&topics);
                if topics.get(&watched).is_some_and(|current| Arc::ptr_eq(current, &topic)) {
                    topics.remove(&watched);
                }
            }
            tell_all(&topic, &News::Broken(Arc::new(error)));
        };
        tokio::spawn(task).abort_handle()
    }
}

fn tell(topic: &Topic, obj: Json, news: impl Fn(Arc<Json>) -> News) {
    let name = obj.pointer("/metadata/name").and_then(Json::as_str).unwrap_or("").to_owned();
    let obj = Arc::new(obj);
    for (_, waiter) in lock(&topic.waiters).get(&name).into_iter().flatten() {
        waiter.send_replace(news(Arc::clone(&obj)));
    }
}

fn tell_all(topic: &Topic, news: &News) {
    for (_, waiter) in lock(&topic.waiters).values().flatten() {
        waiter.send_replace(news.clone());
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let mut topics = lock(&self.topics);
        let empty = {
            let mut waiters = lock(&self.topic.waiters);
            if let Some(ears) = waiters.get_mut(&self.name) {
                ears.retain(|(id, _)| *id != self.id);
                if ears.is_empty() {
                    waiters.remove(&self.name);
                }
            }
            waiters.is_empty()
        };
        if empty {
            if topics.get(&self.watched).is_some_and(|current| Arc::ptr_eq(current, &self.topic)) {
                topics.remove(&self.watched);
            }
            if let Some(task) = lock(&self.topic.task).take() {
                task.abort();
            }
        }
    }
}
