//! What is to be written down before something outside is touched, for those who have something to do until then.

use tokio::sync::watch;

/// Counts a run's writes to the journal.
#[derive(Debug)]
pub(crate) struct Writes(watch::Sender<u64>);

/// That the journal's next write holds something.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    write: u64,
    done: watch::Receiver<u64>,
}

impl Writes {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// What the next write holds.
    pub(crate) fn promise(&self) -> Promise {
        Promise { write: *self.0.borrow() + 1, done: self.0.subscribe() }
    }

    /// One more is durable.
    pub(crate) fn done(&self) {
        self.0.send_modify(|writes| *writes += 1);
    }
}

impl Promise {
    /// Waits until it is kept. Where there will be no such write, forever: nothing may be done that it was to come before.
    pub(crate) async fn kept(mut self) {
        if self.done.wait_for(|writes| *writes >= self.write).await.is_err() {
            std::future::pending().await
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn a_promise_is_kept_by_the_next_write_and_not_by_an_earlier_one() {
        let writes = Writes::new();
        writes.done();
        let promise = writes.promise();
        assert!(promise.clone().kept().now_or_never().is_none());
        writes.done();
        assert!(promise.clone().kept().now_or_never().is_some());
        writes.done();
        assert!(promise.kept().now_or_never().is_some(), "it stays kept");
    }

    #[test]
    fn a_promise_that_nobody_can_keep_any_more_is_never_kept() {
        let writes = Writes::new();
        let promise = writes.promise();
        drop(writes);
        assert!(promise.kept().now_or_never().is_none());
    }
}
