//! Runs, events and components.

use sheave_model::event::RunOutcome;
use sheave_model::journal::Entry;
use sheave_model::plan::Purpose;
use sheave_state::{EVENTS_KEPT, LockOwner, Store as _};

use crate::fixture::*;

#[tokio::test]
async fn runs_are_kept_with_what_they_were_given() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    assert_eq!(store.last_plan("blog").await.unwrap(), None);
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    store.append(&lock, &[run_started("r1"), begun(0), run_finished("r1")], &[]).await.unwrap();
    store.append(&lock, &[run_started("r2")], &[]).await.unwrap();
    let runs = store.runs("blog").await.unwrap();
    let lines: Vec<_> = runs.iter().map(|r| (r.run.as_str(), r.serial, r.outcome)).collect();
    assert_eq!(lines, [("r2", 4, None), ("r1", 1, Some(RunOutcome::Ok))]);
    assert_eq!(runs[1].counts.unwrap().create, 3);
    assert_eq!(runs[1].purpose, Purpose::Apply);
    assert_eq!(runs[1].command.as_deref(), Some("apply"), "as the lock says");
    assert_eq!(store.run("blog", "r1").await.unwrap(), Some(run_record()));
    assert_eq!(store.run("blog", "r3").await.unwrap(), None);
    assert_eq!(store.run("shop", "r1").await.unwrap(), None);
    assert_eq!(store.last_plan("blog").await.unwrap(), Some(run_record().plan));
}

#[tokio::test]
async fn events_are_read_on_from_where_one_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    for i in 0..3 {
        let events: Vec<_> = (0..200).map(|n| event(200 * i + n)).collect();
        store.append(&lock, &[], &events).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut after = 0;
    loop {
        let page = store.events("blog", after, 71).await.unwrap();
        let Some((last, _)) = page.last() else { break };
        after = *last;
        seen.extend(page.into_iter().map(|(_, event)| event));
    }
    assert_eq!(seen, (0..600).map(event).collect::<Vec<_>>());
    assert_eq!(store.load("blog").await.unwrap().unwrap().serial, 0, "events alone move no serial");
}

#[tokio::test]
async fn a_word_needs_no_lock_and_moves_no_serial() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    let serial = store.append(&lock, &[run_started("1")], &[event(0)]).await.unwrap();
    // Another process, while the first has the lock.
    let other = open(folder.path()).await;
    other.tell("blog", &[event(1), event(2)]).await.unwrap();
    assert_eq!(store.load("blog").await.unwrap().unwrap().serial, serial);
    let told = store.events("blog", 0, 10).await.unwrap();
    assert_eq!(told.len(), 3);
    assert_eq!(told[1].1, event(1));
    assert_eq!(store.append(&lock, &[run_finished("1")], &[event(3)]).await.unwrap(), serial + 1);
    assert_eq!(store.events("blog", 3, 10).await.unwrap(), [(4, event(3))], "numbers go on");
}

#[tokio::test]
async fn old_events_go_when_a_run_ends() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    let events: Vec<_> = (0..EVENTS_KEPT as usize + 50).map(event).collect();
    store.append(&lock, &[], &events).await.unwrap();
    assert_eq!(store.events("blog", 0, 1).await.unwrap()[0].0, 1);
    store.append(&lock, &[run_finished("r")], &[]).await.unwrap();
    assert_eq!(store.events("blog", 0, 1).await.unwrap()[0], (51, event(50)));
}

#[tokio::test]
async fn components_are_kept_until_no_stack_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let used = plugin("").digest;
    assert_eq!(used, "");
    let digest = record(0).plugin.digest;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    for _ in 0..2 {
        store.put_component(&digest, &bytes).await.unwrap();
    }
    store.put_component("feed", b"other").await.unwrap();
    assert_eq!(store.component(&digest).await.unwrap(), Some(bytes));
    assert_eq!(store.component("none").await.unwrap(), None);

    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    store.append(&lock, &[begun(0), intent(0, "a")], &[event(0)]).await.unwrap();
    let error = store.forget_stack(&lock).await.unwrap_err();
    assert_eq!(error.code(), "state.not-empty");
    let gone = [Entry::ResourceForgotten { address: address(0) }, run_started("r1"), run_finished("r1")];
    store.append(&lock, &gone, &[]).await.unwrap();
    assert_eq!(store.stacks().await.unwrap().len(), 1, "an empty stack keeps its history");
    let shop = store.lock("shop", LockOwner::current("apply")).await.unwrap();
    store.append(&shop, &whole(0), &[]).await.unwrap();

    store.forget_stack(&lock).await.unwrap();
    assert_eq!(store.load("blog").await.unwrap(), None);
    assert!(store.runs("blog").await.unwrap().is_empty());
    assert!(store.events("blog", 0, 9).await.unwrap().is_empty());
    assert!(store.component(&digest).await.unwrap().is_some(), "another stack needs it");
    assert_eq!(store.component("feed").await.unwrap(), None);
    let stacks = store.stacks().await.unwrap();
    assert_eq!(stacks.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["shop"]);
    assert_eq!(stacks[0].lock.as_ref().unwrap().command, "apply");
}
