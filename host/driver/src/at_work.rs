//! The actions that are at work: on other threads, and on this one between its steps.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use sheave_engine::Event;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet};

/// What an action answers; none: nothing.
pub(crate) type Done = Result<Option<Event>, Panicked>;

/// The bug is ours, and what became of the action is not known.
#[derive(Debug)]
pub(crate) struct Panicked;

/// What is at work.
pub(crate) struct AtWork {
    elsewhere: JoinSet<Option<Event>>,
    /// Only while somebody waits for [`AtWork::next`] do these go on.
    here: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Other threads.
    others: usize,
    shared_out: usize,
}

impl AtWork {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            elsewhere: JoinSet::new(),
            here: FuturesUnordered::new(),
            others: Handle::current().metrics().num_workers(),
            shared_out: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.elsewhere.len() + self.here.len()
    }

    /// For what computes, or has long answers to read.
    pub(crate) fn begin_elsewhere(&mut self, work: impl Future<Output = Option<Event>> + Send + 'static) {
        self.elsewhere.spawn(work);
    }

    /// For what mostly waits, or is done at once: to pass it to another thread and back would take longer than it does.
    pub(crate) fn begin_here(&mut self, work: impl Future<Output = Option<Event>> + Send + 'static) {
        let work = AssertUnwindSafe(work).catch_unwind();
        self.here.push(work.map(|done| done.map_err(|_| Panicked)).boxed());
    }

    /// For one of many that compute: this thread takes its share of them.
    pub(crate) fn share_out(&mut self, work: impl Future<Output = Option<Event>> + Send + 'static) {
        self.shared_out += 1;
        if self.shared_out.is_multiple_of(self.others + 1) {
            self.begin_here(work);
        } else {
            self.begin_elsewhere(work);
        }
    }

    /// The next that is done; none: nothing is at work. One that is not waited for to the end is not lost.
    pub(crate) async fn next(&mut self) -> Option<Done> {
        let ended = |joined: Result<_, JoinError>| joined.map_err(|_| Panicked);
        if self.elsewhere.is_empty() {
            return self.here.next().await;
        }
        if self.here.is_empty() {
            return self.elsewhere.join_next().await.map(ended);
        }
        tokio::select! {
            Some(done) = self.here.next() => Some(done),
            Some(joined) = self.elsewhere.join_next() => Some(ended(joined)),
            else => None,
        }
    }

    /// One that is done by now.
    pub(crate) fn next_ready(&mut self) -> Option<Done> {
        self.next().now_or_never().flatten()
    }

    /// Ends all of it where it is.
    pub(crate) fn abort(&mut self) {
        self.elsewhere.abort_all();
        self.here.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(address: &str) -> impl Future<Output = Option<Event>> + Send + use<> {
        let address = sheave_model::Address::new(address);
        async move { Some(Event::Observed { address, result: Ok(sheave_model::Value::empty()) }) }
    }

    async fn all(work: &mut AtWork) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(done) = work.next().await {
            found.push(match done {
                Ok(Some(Event::Observed { address, .. })) => address.to_string(),
                Ok(_) => "nothing".to_owned(),
                Err(Panicked) => "panicked".to_owned(),
            });
        }
        found.sort();
        found
    }

    #[tokio::test]
    async fn each_is_answered_once_wherever_it_was() {
        let mut work = AtWork::new();
        assert!(work.next_ready().is_none());
        work.begin_elsewhere(answer("a"));
        work.begin_here(answer("b"));
        for name in ["c", "d", "e"] {
            work.share_out(answer(name));
        }
        work.begin_here(async { None });
        assert_eq!(
            (work.len(), work.here.len()),
            (6, 3),
            "one worker and this thread share what is shared out"
        );
        assert_eq!(all(&mut work).await, ["a", "b", "c", "d", "e", "nothing"]);
    }

    #[tokio::test]
    async fn one_that_panics_ends_itself_alone() {
        let mut work = AtWork::new();
        let broken = || async { panic!("a bug") };
        work.begin_here(broken());
        work.begin_elsewhere(broken());
        work.begin_here(answer("a"));
        assert_eq!(all(&mut work).await, ["a", "panicked", "panicked"]);
    }

    #[tokio::test]
    async fn what_is_ended_answers_no_more() {
        let mut work = AtWork::new();
        work.begin_here(std::future::pending());
        work.begin_elsewhere(std::future::pending());
        assert!(work.next_ready().is_none());
        work.abort();
        assert!(matches!(work.next().await, Some(Err(Panicked))), "a task that was cut off has no answer");
        assert!(work.next().await.is_none());
    }
}
