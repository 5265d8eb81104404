//! One owner a stack: the living are respected, the dead are not.

use std::process::{Command, Stdio};

use sheave_state::{LockOwner, StateError, Store as _};

use crate::crash::{again, role};
use crate::fixture::*;

#[tokio::test]
async fn a_living_owner_is_refused_with_who_and_since_when() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (open(folder.path()).await, open(folder.path()).await);
    let owner = LockOwner::current("apply");
    let lock = one.lock("blog", owner.clone()).await.unwrap();
    assert_eq!(lock.taken_over(), None);
    let error = two.lock("blog", LockOwner::current("apply")).await.unwrap_err();
    let StateError::Held { owner: found, elsewhere: false, .. } = &error else { panic!("{error}") };
    assert_eq!(**found, owner);
    let text = error.to_string();
    assert!(text.contains(&owner.at) && text.contains(&owner.pid.to_string()), "{text}");
    assert_eq!(two.unlock("blog", false).await.unwrap_err().code(), "state.locked");
    assert_eq!(two.lock_owner("blog").await.unwrap(), Some(owner));
    // Another stack is free, and so is this one afterwards.
    let shop = two.lock("shop", LockOwner::current("apply")).await.unwrap();
    one.release(lock).await.unwrap();
    let lock = two.lock("blog", LockOwner::current("apply")).await.unwrap();
    two.release(lock).await.unwrap();
    two.release(shop).await.unwrap();
    assert_eq!(two.lock_owner("blog").await.unwrap(), None);
}

#[tokio::test]
async fn the_last_write_gives_the_lock_back_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let owner = LockOwner::current("apply");
    let lock = store.lock("blog", owner.clone()).await.unwrap();
    let state = fold("blog", &[begun(0)]);
    assert_eq!(store.end_with(&lock, &[begun(0)], &[], &state).await.unwrap(), 1);
    assert_eq!(store.lock_owner("blog").await.unwrap(), None);
    assert_eq!(store.append(&lock, &[begun(1)], &[]).await.unwrap_err().code(), "state.lock-lost");
    // Whoever has it by now keeps it.
    let next = store.lock("blog", owner.clone()).await.unwrap();
    store.release(lock).await.unwrap();
    assert_eq!(store.lock_owner("blog").await.unwrap(), Some(owner));
    store.append(&next, &[begun(1)], &[]).await.unwrap();
}

#[tokio::test]
async fn a_last_write_under_a_lost_lock_writes_nothing_and_gives_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let owner = LockOwner::current("apply");
    let lost = store.lock("blog", owner.clone()).await.unwrap();
    store.unlock("blog", true).await.unwrap();
    let lock = store.lock("blog", owner.clone()).await.unwrap();
    let ended = store.end_with(&lost, &[begun(0)], &[], &fold("blog", &[begun(0)])).await;
    assert_eq!(ended.unwrap_err().code(), "state.lock-lost");
    assert!(store.load("blog").await.unwrap().is_none());
    assert_eq!(store.lock_owner("blog").await.unwrap(), Some(owner));
    store.append(&lock, &[begun(0)], &[]).await.unwrap();
}

#[tokio::test]
async fn a_dead_owner_is_taken_over_from_at_once_and_can_write_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let me = LockOwner::current("apply");
    let dead = LockOwner { started: me.started.map(|t| t - 1), ..me.clone() };
    let stale = store.lock("blog", dead.clone()).await.unwrap();
    let lock = store.lock("blog", me).await.unwrap();
    assert_eq!(lock.taken_over(), Some(&dead));
    assert_eq!(store.append(&stale, &[begun(0)], &[]).await.unwrap_err().code(), "state.lock-lost");
    // Its guard gives nothing back that is not its own.
    store.release(stale).await.unwrap();
    store.append(&lock, &[begun(0)], &[]).await.unwrap();
}

#[tokio::test]
async fn an_owner_elsewhere_is_refused_until_somebody_unlocks() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let far = LockOwner { host: "elsewhere".into(), ..LockOwner::current("apply") };
    let theirs = store.lock("blog", far.clone()).await.unwrap();
    let error = store.lock("blog", LockOwner::current("apply")).await.unwrap_err();
    assert!(error.diagnostic().help.unwrap().contains("sheave state unlock"));
    assert_eq!(store.unlock("blog", false).await.unwrap_err().code(), "state.locked");
    assert_eq!(store.unlock("blog", true).await.unwrap(), Some(far));
    assert_eq!(store.unlock("blog", true).await.unwrap(), None);
    let ours = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    assert_eq!(store.append(&theirs, &[begun(0)], &[]).await.unwrap_err().code(), "state.lock-lost");
    store.append(&ours, &[begun(0)], &[]).await.unwrap();
}

#[tokio::test]
async fn a_dropped_guard_gives_its_lock_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    drop(store.lock("blog", LockOwner::current("apply")).await.unwrap());
    while store.lock_owner("blog").await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
}

/// Six processes want one lock and write an entry only with it; the file must hold as many entries as locks were had.
#[test]
fn processes_that_race_for_the_lock_get_it_one_after_the_other() {
    const PROCESSES: usize = 6;
    let folder = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            again("locks::races_when_asked", "racer", folder.path()).stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let state = runtime.block_on(async {
        let store = open(folder.path()).await;
        store.load("blog").await.unwrap().unwrap()
    });
    // Each read the serial and wrote two entries in separate steps: any overlap would have shown there.
    assert_eq!(state.serial, 2 * 5 * PROCESSES as u64);
}

#[test]
fn races_when_asked() {
    let Some(folder) = role("racer") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(&folder).await;
        let mut held = 0;
        while held < 5 {
            match store.lock("blog", LockOwner::current("race")).await {
                Ok(lock) => {
                    let before = store.load("blog").await.unwrap().map_or(0, |s| s.serial);
                    assert_eq!(store.append(&lock, &[begun(held)], &[]).await.unwrap(), before + 1);
                    assert_eq!(store.append(&lock, &[ready(held)], &[]).await.unwrap(), before + 2);
                    store.release(lock).await.unwrap();
                    held += 1;
                }
                Err(StateError::Held { elsewhere: false, .. }) => std::thread::yield_now(),
                Err(other) => panic!("{other}"),
            }
        }
    });
}

#[test]
fn a_process_that_ended_without_giving_back_does_not_block_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut child: Command = again("locks::dies_with_the_lock_when_asked", "dying", folder.path());
    assert!(!child.stdout(Stdio::null()).status().unwrap().success());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(folder.path()).await;
        let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
        assert_eq!(lock.taken_over().unwrap().command, "dying");
    });
}

#[test]
fn dies_with_the_lock_when_asked() {
    let Some(folder) = role("dying") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(&folder).await;
        let _lock = store.lock("blog", LockOwner::current("dying")).await.unwrap();
        std::process::abort();
    });
}
