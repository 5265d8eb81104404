//! Waits by watching until objects are ready or gone, and says meanwhile why they are not.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::Value as Json;
use sheave_manifest::{Readiness, held_by};
use sheave_model::ObjectId;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::Cluster;
use crate::one_wait::{Goal, Wait};
use crate::waiting::{AwaitError, AwaitTarget, Progress, Waiting};

impl Cluster {
    /// Waits until all objects are ready, and gives them as they then were, in the same order. One that is
    /// ready as its caller saw it last is not asked for; the others are read once and then watched. Objects of one kind and namespace share a watch, across calls too. `progress` hears each change
    /// of what is waited for. The first object that fails ends the wait.
    pub async fn await_ready(
        &self,
        objects: Vec<AwaitTarget>,
        timeout: Duration,
        mut progress: impl FnMut(Progress<'_>) + Send,
    ) -> Result<Vec<Json>, AwaitError> {
        let mut hear = |object: &ObjectId, waiting: &Waiting| {
            progress(Progress { object, reason: waiting.to_string(), waiting });
        };
        self.wait(Goal::Ready, &objects, timeout, &mut hear).await
    }

    /// Waits until the object with this uid is gone. `progress` hears what holds it.
    pub async fn await_gone(
        &self,
        id: &ObjectId,
        uid: &str,
        timeout: Duration,
        mut progress: impl FnMut(&str) + Send,
    ) -> Result<(), AwaitError> {
        let target =
            AwaitTarget { id: id.clone(), uid: Some(uid.to_owned()), seen: None, judge: Box::new(held_by) };
        let mut hear = |_: &ObjectId, waiting: &Waiting| progress(&waiting.to_string());
        self.wait(Goal::Gone, &[target], timeout, &mut hear).await.map(drop)
    }

    async fn wait(
        &self,
        goal: Goal,
        objects: &[AwaitTarget],
        timeout: Duration,
        progress: &mut (dyn FnMut(&ObjectId, &Waiting) + Send),
    ) -> Result<Vec<Json>, AwaitError> {
        let started = Instant::now();
        let (report, mut reports) = mpsc::unbounded_channel();
        let mut running: FuturesUnordered<_> = objects
            .iter()
            .enumerate()
            .map(|(index, AwaitTarget { id, uid, seen, judge })| {
                let report = report.clone();
                let wait = Wait {
                    cluster: self,
                    goal,
                    id,
                    uid: uid.as_deref(),
                    seen: seen.as_ref(),
                    judge: &**judge,
                    started,
                    report,
                    index,
                };
                async move { wait.run().await.map(|live| (index, live)) }
            })
            .collect();
        drop(report);
        let mut last: Vec<Option<Waiting>> = vec![None; objects.len()];
        let mut done: Vec<Option<Json>> = vec![None; objects.len()];
        let deadline = started.checked_add(timeout);
        let expired = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(expired);
        loop {
            tokio::select! {
                // What was reported belongs before what came of it.
                biased;
                Some((index, waiting)) = reports.recv() => {
                    progress(&objects[index].id, &waiting);
                    last[index] = Some(waiting);
                }
                finished = running.next() => match finished {
                    Some(Ok((index, live))) => done[index] = Some(live),
                    Some(Err(error)) => return Err(error),
                    None => return Ok(done.into_iter().flatten().collect()),
                },
                () = &mut expired => {
                    let late = done.iter().position(Option::is_none).unwrap_or(0);
                    let silent = Waiting {
                        readiness: Readiness::InProgress { reason: "nothing was heard of it".to_owned() },
                        pod: None,
                        event: None,
                    };
                    return Err(AwaitError::Timeout {
                        id: objects.get(late).map_or_else(unnamed, |o| o.id.clone()),
                        wanted: if goal == Goal::Ready { "ready" } else { "gone" },
                        after: timeout,
                        waiting: Box::new(last.get(late).cloned().flatten().unwrap_or(silent)),
                    });
                }
            }
        }
    }
}

fn unnamed() -> ObjectId {
    ObjectId { api_version: String::new(), kind: String::new(), namespace: None, name: String::new() }
}
