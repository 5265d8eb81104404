//! Whatever the journal adds up to is what is loaded, however snapshots fell.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use sheave_model::Sealed;
use sheave_model::journal::{Change, Entry, Intent, Outcome};
use sheave_model::stack::{ObjectRecord, TargetRecord};
use sheave_state::{LockOwner, SNAPSHOT_EVERY, Store as _};

use crate::fixture::*;

#[tokio::test]
async fn what_was_appended_is_loaded_by_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    assert_eq!(store.load("blog").await.unwrap(), None);
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    let mut all = vec![Entry::StackCreated { uuid: "3f2a".into() }, run_started("r1")];
    all.extend(whole(0));
    assert_eq!(store.append(&lock, &all, &[]).await.unwrap(), 10);
    // Not closed: what is committed is there.
    let other = open(folder.path()).await;
    let state = other.load("blog").await.unwrap().unwrap();
    assert_eq!(state, fold("blog", &all));
    assert_eq!(state.last_run.unwrap().outcome, None);
    let more = vec![run_finished("r1")];
    assert_eq!(store.append(&lock, &more, &[]).await.unwrap(), 11);
    all.extend(more);
    assert_eq!(other.load("blog").await.unwrap().unwrap(), fold("blog", &all));
}

#[tokio::test]
async fn outputs_that_were_read_again_are_in_the_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("refresh")).await.unwrap();
    let mut all = whole(0);
    all.push(run_finished("r1"));
    store.append(&lock, &all, &[]).await.unwrap();
    // Nothing else of the run speaks of that resource.
    let outputs = Sealed(json!({"host": "another"}));
    let more = vec![
        run_started("r2"),
        Entry::ResourceRefreshed { address: address(0), outputs: outputs.clone() },
        Entry::ResourceRendered { address: address(0), render_key: "key".to_owned() },
        run_finished("r2"),
    ];
    store.append(&lock, &more, &[]).await.unwrap();
    all.extend(more);
    let state = store.load("blog").await.unwrap().unwrap();
    assert_eq!(state.resources[&address(0)].outputs, Some(outputs));
    assert_eq!(state, fold("blog", &all));
}

#[tokio::test]
async fn stacks_do_not_touch_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    for stack in ["blog", "shop"] {
        let lock = store.lock(stack, LockOwner::current("apply")).await.unwrap();
        store.append(&lock, &whole(0), &[event(0)]).await.unwrap();
        store.append(&lock, &[run_finished("r")], &[]).await.unwrap();
    }
    let lock = store.lock("shop", LockOwner::current("destroy")).await;
    assert_eq!(lock.unwrap_err().code(), "state.locked", "a dropped guard gives back later, not at once");
    tokio::task::yield_now().await;
    let shop = open(folder.path()).await;
    shop.unlock("shop", true).await.unwrap();
    let lock = shop.lock("shop", LockOwner::current("destroy")).await.unwrap();
    let forgotten = [Entry::ResourceForgotten { address: address(0) }, run_finished("r2")];
    shop.append(&lock, &forgotten, &[]).await.unwrap();
    assert_eq!(store.load("shop").await.unwrap().unwrap().resources.len(), 0);
    assert_eq!(store.load("blog").await.unwrap().unwrap().resources.len(), 1);
    let summaries = store.stacks().await.unwrap();
    let lines: Vec<_> = summaries.iter().map(|s| (s.name.as_str(), s.serial, s.resources)).collect();
    assert_eq!(lines, [("blog", 9, 1), ("shop", 11, 0)]);
}

#[tokio::test]
async fn a_long_run_is_snapshotted_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    let all: Vec<Entry> = (0..(SNAPSHOT_EVERY as usize / 4)).flat_map(whole).collect();
    for batch in all.chunks(37) {
        store.append(&lock, batch, &[]).await.unwrap();
    }
    assert_eq!(store.load("blog").await.unwrap().unwrap(), fold("blog", &all));
    // And in one piece.
    let lock = store.lock("shop", LockOwner::current("apply")).await.unwrap();
    store.append(&lock, &all, &[]).await.unwrap();
    assert_eq!(store.load("shop").await.unwrap().unwrap(), fold("shop", &all));
}

#[tokio::test]
async fn a_state_that_its_writer_has_is_the_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    let all: Vec<Entry> = whole(0).into_iter().chain([run_finished("r1")]).collect();
    // One that differs from the journal shows which of the two was taken.
    let mut state = fold("blog", &all);
    let record = std::sync::Arc::make_mut(state.resources.get_mut(&address(0)).unwrap());
    record.outputs = Some(Sealed(json!("its own")));
    store.append_with(&lock, &all, &[], &state).await.unwrap();
    assert_eq!(store.load("blog").await.unwrap().unwrap(), state);
    // One of another moment is not looked at.
    let more = [ready(0), run_finished("r2")];
    let serial = store.append_with(&lock, &more, &[], &state).await.unwrap();
    let now = store.load("blog").await.unwrap().unwrap();
    assert_eq!(now.serial, serial);
    assert_ne!(now.resources[&address(0)].outputs, state.resources[&address(0)].outputs);
}

#[tokio::test]
async fn floats_come_back_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    let numbers = json!([0.1 + 0.2, 5e-324, 1.7976931348623157e308, 122.416_294_033_786_58, -0.0]);
    let entries = [Entry::OutputsSet { outputs: BTreeMap::from([("n".into(), Sealed(numbers))]) }];
    store.append(&lock, &entries, &[]).await.unwrap();
    assert_eq!(store.load("blog").await.unwrap().unwrap(), fold("blog", &entries));
}

#[tokio::test]
async fn an_append_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    store.append(&lock, &whole(0), &[event(0)]).await.unwrap();
    store.unlock("blog", true).await.unwrap();
    let error = store.append(&lock, &whole(1), &[event(1)]).await.unwrap_err();
    assert_eq!(error.code(), "state.lock-lost");
    assert_eq!(store.load("blog").await.unwrap().unwrap(), fold("blog", &whole(0)));
    assert_eq!(store.events("blog", 0, 10).await.unwrap().len(), 1);
}

fn entries() -> impl Strategy<Value = Vec<Vec<Entry>>> {
    let i = 0..4_usize;
    let slot = prop::sample::select(vec!["a", "b"]);
    let name = prop::sample::select(vec!["x", "y", "z"]);
    let sealed = (0..5_u8).prop_map(|n| Sealed(json!(n)));
    let op = (i.clone(), slot.clone()).prop_map(|(i, slot)| op(i, slot));
    let change = prop_oneof![
        (i.clone(), slot.clone()).prop_map(|(i, slot)| Change::ApplyObject { object: object(i, slot) }),
        (i.clone(), slot.clone()).prop_map(|(i, slot)| Change::DeleteObject {
            target: "main".into(),
            id: object(i, slot).id,
            uid: None
        }),
        sealed.clone().prop_map(|s| Change::Provide {
            prior: None,
            desired: Some(s.clone()),
            agreed: s,
            resume: None
        }),
    ];
    let outcome = prop_oneof![
        (i.clone(), slot.clone()).prop_map(|(i, slot)| Outcome::Applied {
            object: ObjectRecord { uid: Some("u".into()), ..object(i, slot) }
        }),
        Just(Outcome::Deleted),
        any::<bool>().prop_map(|there| Outcome::Provided { snapshot: there.then(|| snapshot("vm-1")) }),
        sealed.clone().prop_map(|resume| Outcome::Pending { resume }),
        Just(Outcome::Partial { left: snapshot("vm-2"), why: "half".into() }),
        Just(Outcome::Failed { why: "no".into() }),
        Just(Outcome::InDoubt { why: "cut off".into() }),
    ];
    let entry = prop_oneof![
        1 => Just(Entry::StackCreated { uuid: "3f2a".into() }),
        2 => Just(run_started("r")),
        3 => Just(run_finished("r")),
        1 => name.clone().prop_map(|n| Entry::TargetUsed {
            name: n.into(),
            target: TargetRecord { namespace: n.into(), ..TargetRecord::default() }
        }),
        1 => (name.clone(), sealed.clone())
            .prop_map(|(n, password)| Entry::PasswordMade { name: n.into(), password }),
        4 => i.clone().prop_map(begun),
        6 => (op.clone(), i.clone(), change).prop_map(|(op, i, change)| {
            Entry::Intent(Intent { op, address: address(i), change })
        }),
        6 => (op, outcome).prop_map(|(op, outcome)| Entry::Outcome { op, outcome }),
        2 => i.clone().prop_map(ready),
        2 => i.clone().prop_map(|i| Entry::ResourceFailed { address: address(i), why: "no".into() }),
        1 => (i.clone(), sealed.clone())
            .prop_map(|(i, outputs)| Entry::ResourceRefreshed { address: address(i), outputs }),
        1 => (i.clone(), i.clone()).prop_map(|(from, to)| Entry::ResourceMoved {
            from: address(from),
            to: address(to),
            requiring: Vec::new(),
        }),
        2 => i.prop_map(|i| Entry::ResourceForgotten { address: address(i) }),
        1 => prop::collection::btree_map(name.prop_map(String::from), sealed, 0..3)
            .prop_map(|outputs| Entry::OutputsSet { outputs }),
    ];
    prop::collection::vec(prop::collection::vec(entry, 0..8), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// A run's end makes a snapshot, so these histories have several, at any place. Some batches come with the state that
    /// they make, some without, and now and then somebody else holds the lock in between.
    #[test]
    fn any_history_loads_as_it_folds(batches in entries(), how in prop::collection::vec(0..4_u8, 12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let store = open(folder.path()).await;
            let mut lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
            let mut all = Vec::new();
            for (batch, how) in batches.iter().zip(how.into_iter().cycle()) {
                all.extend(batch.iter().cloned());
                if how == 0 {
                    store.release(lock).await.unwrap();
                    lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
                }
                let serial = match how {
                    0 | 1 => store.append(&lock, batch, &[]).await,
                    _ => store.append_with(&lock, batch, &[], &fold("blog", &all)).await,
                };
                assert_eq!(serial.unwrap(), all.len() as u64);
                assert_eq!(store.load("blog").await.unwrap().unwrap(), fold("blog", &all));
            }
        });
    }
}
