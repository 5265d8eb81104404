//! The store in one SQLite file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sheave_model::event::Event;
use sheave_model::journal::{Entry, RunRecord};
use sheave_model::plan::Plan;
use sheave_model::stack::StackState;
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};
use tokio::sync::Mutex;

use crate::error::StateError;
use crate::fault::Fault;
use crate::history::{PastRun, StackSummary};
use crate::lock::LockGuard;
use crate::owner::LockOwner;
use crate::store::Store;
use crate::{append, components, history, load, location, lock, open as opening};

/// Opens the state at `sqlite:PATH`. Makes the folder and the file where they are not there (for their owner alone),
/// and brings an older format up to date.
///
/// # Errors
/// The URL is none that is known, the file is not ours, of a later format, damaged, or cannot be written.
pub async fn open(url: &str) -> Result<SqliteStore, StateError> {
    let path = location::path_of(url)?;
    location::prepare(&path)?;
    let connection = opening::connect(&path).await.map_err(|fault| fault.at(&path))?;
    Ok(SqliteStore(Arc::new(File { path, slot: Mutex::new(Slot::Open(connection)) })))
}

/// A store in one SQLite file, on one connection: what it is asked at the same time it does one after the other.
/// Cheap to clone.
#[derive(Clone)]
pub struct SqliteStore(Arc<File>);

struct File {
    path: PathBuf,
    slot: Mutex<Slot>,
}

/// What becomes of the lock under which something was appended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AndThen {
    Keep,
    GiveBack,
}

enum Slot {
    Open(SqliteConnection),
    /// It could not leave a transaction: the next call opens another.
    Lost,
    Closed,
}

impl Slot {
    /// The connection, outside any transaction.
    async fn ready(&mut self, path: &Path) -> Result<&mut SqliteConnection, Fault> {
        if let Self::Open(connection) = self
            && connection.is_in_transaction()
        {
            // A call was dropped half-way, or SQLite ended the transaction by itself (a full disk does that), which the
            // driver takes badly. The first is over once what was sent before is done.
            let answered = connection.ping().await.is_ok();
            if !answered || connection.is_in_transaction() {
                *self = Self::Lost;
            }
        }
        if matches!(self, Self::Lost) {
            *self = Self::Open(opening::connect(path).await?);
        }
        match self {
            Self::Open(connection) => Ok(connection),
            Self::Lost | Self::Closed => Err(sqlx::Error::PoolClosed.into()),
        }
    }
}

impl SqliteStore {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Closes the file, so that nothing but it is left beside it. Later calls fail.
    ///
    /// # Errors
    /// The last writes to the file itself failed; they are still in its log.
    pub async fn close(&self) -> Result<(), StateError> {
        match std::mem::replace(&mut *self.0.slot.lock().await, Slot::Closed) {
            Slot::Open(connection) => connection.close().await.map_err(|e| Fault::from(e).at(&self.0.path)),
            Slot::Lost | Slot::Closed => Ok(()),
        }
    }

    /// Runs `work` in a transaction that writes: all of it is kept, or nothing.
    async fn write<T>(
        &self,
        work: impl AsyncFnOnce(&mut Transaction<'_, Sqlite>) -> Result<T, Fault>,
    ) -> Result<T, StateError> {
        self.transact("BEGIN IMMEDIATE", work).await
    }

    /// Runs `work` in a transaction that sees one state throughout.
    async fn read<T>(
        &self,
        work: impl AsyncFnOnce(&mut Transaction<'_, Sqlite>) -> Result<T, Fault>,
    ) -> Result<T, StateError> {
        self.transact("BEGIN", work).await
    }

    async fn extend(
        &self,
        lock: &LockGuard,
        entries: &[Entry],
        events: &[Event],
        state: Option<&StackState>,
        and_then: AndThen,
    ) -> Result<u64, StateError> {
        let remembered = lock.take_tail();
        let write = self.write(async |t| {
            let done =
                append::append(t, lock.stack(), Some(lock), entries, events, state, remembered).await?;
            if and_then == AndThen::GiveBack {
                lock::release(t, lock.stack(), lock.token()).await?;
            }
            Ok(done)
        });
        let (serial, tail) = write.await?;
        lock.keep_tail(tail);
        if and_then == AndThen::GiveBack {
            lock.end();
        }
        Ok(serial)
    }

    async fn transact<T>(
        &self,
        begin: &'static str,
        work: impl AsyncFnOnce(&mut Transaction<'_, Sqlite>) -> Result<T, Fault>,
    ) -> Result<T, StateError> {
        let result = async {
            let mut slot = self.0.slot.lock().await;
            let connection = slot.ready(&self.0.path).await?;
            // Where this future is dropped half-way, so is the transaction: it is rolled back before the next begins.
            let mut transaction = connection.begin_with(begin).await?;
            let done = work(&mut transaction).await?;
            transaction.commit().await?;
            Ok(done)
        };
        result.await.map_err(|fault: Fault| fault.at(&self.0.path))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteStore({})", self.0.path.display())
    }
}

impl Store for SqliteStore {
    async fn stacks(&self) -> Result<Vec<StackSummary>, StateError> {
        self.read(async |t| history::stacks(t).await).await
    }

    async fn load(&self, stack: &str) -> Result<Option<StackState>, StateError> {
        self.read(async |t| load::load(t, stack).await).await
    }

    async fn lock(&self, stack: &str, owner: LockOwner) -> Result<LockGuard, StateError> {
        let (token, taken_over) = self.write(async |t| lock::take(t, stack, &owner).await).await?;
        let store = self.clone();
        let give_back = move |stack: String, token: String| {
            // No runtime: the process is about to end, and a dead owner is taken over from.
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move {
                    if let Err(error) = store.write(async |t| lock::release(t, &stack, &token).await).await {
                        tracing::warn!(%error, stack, "the lock could not be given back");
                    }
                });
            }
        };
        Ok(LockGuard::new(stack, token, taken_over, Box::new(give_back)))
    }

    async fn release(&self, lock: LockGuard) -> Result<(), StateError> {
        let Some((stack, token)) = lock.disarm() else { return Ok(()) };
        self.write(async |t| lock::release(t, &stack, &token).await).await
    }

    async fn unlock(&self, stack: &str, force: bool) -> Result<Option<LockOwner>, StateError> {
        self.write(async |t| lock::remove(t, stack, force).await).await
    }

    async fn lock_owner(&self, stack: &str) -> Result<Option<LockOwner>, StateError> {
        self.read(async |t| lock::owner(t, stack).await).await
    }

    async fn append(&self, lock: &LockGuard, entries: &[Entry], events: &[Event]) -> Result<u64, StateError> {
        self.extend(lock, entries, events, None, AndThen::Keep).await
    }

    async fn append_with(
        &self,
        lock: &LockGuard,
        entries: &[Entry],
        events: &[Event],
        state: &StackState,
    ) -> Result<u64, StateError> {
        self.extend(lock, entries, events, Some(state), AndThen::Keep).await
    }

    async fn end_with(
        &self,
        lock: &LockGuard,
        entries: &[Entry],
        events: &[Event],
        state: &StackState,
    ) -> Result<u64, StateError> {
        self.extend(lock, entries, events, Some(state), AndThen::GiveBack).await
    }

    async fn tell(&self, stack: &str, events: &[Event]) -> Result<(), StateError> {
        self.write(async |t| append::append(t, stack, None, &[], events, None, None).await.map(drop)).await
    }

    async fn events(&self, stack: &str, after: u64, limit: u32) -> Result<Vec<(u64, Event)>, StateError> {
        self.read(async |t| history::events(t, stack, after, limit).await).await
    }

    async fn runs(&self, stack: &str) -> Result<Vec<PastRun>, StateError> {
        self.read(async |t| history::runs(t, stack).await).await
    }

    async fn run(&self, stack: &str, run: &str) -> Result<Option<RunRecord>, StateError> {
        self.read(async |t| history::run(t, stack, run).await).await
    }

    async fn last_plan(&self, stack: &str) -> Result<Option<Plan>, StateError> {
        self.read(async |t| history::last_plan(t, stack).await).await
    }

    async fn put_component(&self, digest: &str, bytes: &[u8]) -> Result<(), StateError> {
        self.write(async |t| components::put(t, digest, bytes).await).await
    }

    async fn component(&self, digest: &str) -> Result<Option<Vec<u8>>, StateError> {
        self.read(async |t| components::get(t, digest).await).await
    }

    async fn forget_stack(&self, lock: &LockGuard) -> Result<(), StateError> {
        self.write(async |t| {
            lock::check(t, lock).await?;
            history::forget(t, lock.stack()).await
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use sheave_model::journal::Entry;

    use super::*;

    fn entry(size: usize) -> [Entry; 1] {
        [Entry::StackCreated { uuid: "u".repeat(size) }]
    }

    #[tokio::test]
    async fn entries_come_back_as_they_were_and_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&format!("sqlite:{}/state.db", folder.path().display())).await.unwrap();
        let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
        let odd = "\0\u{1f}\"\\\n\u{7f}\u{2028}\u{fffe}\u{10ffff}é";
        // More than go into one statement.
        let uuid = |n: usize| format!("{n}{odd}");
        let entries: Vec<Entry> = (1..=1300).map(|n| Entry::StackCreated { uuid: uuid(n) }).collect();
        assert_eq!(store.append(&lock, &entries, &[]).await.unwrap(), 1300);
        let state = store.load("blog").await.unwrap().unwrap();
        assert_eq!((state.serial, state.uuid), (1300, uuid(1300)));
    }

    #[tokio::test]
    async fn who_lost_the_lock_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&format!("sqlite:{}/state.db", folder.path().display())).await.unwrap();
        let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
        store.unlock("blog", true).await.unwrap();
        let lost = store.append(&lock, &entry(10), &[]).await.unwrap_err();
        assert_eq!(lost.code(), "state.lock-lost", "{lost}");
        assert!(store.load("blog").await.unwrap().is_none(), "not even a stack");
    }

    #[tokio::test]
    async fn a_full_disk_says_so_and_what_was_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&format!("sqlite:{}/state.db", folder.path().display())).await.unwrap();
        let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
        store.append(&lock, &entry(10), &[]).await.unwrap();
        // SQLite gives the same error for its own limit as for a disk without room.
        let limit = async |sql: &'static str| {
            let mut slot = store.0.slot.lock().await;
            sqlx::raw_sql(sql).execute(slot.ready(store.path()).await.unwrap()).await.unwrap();
        };
        limit("PRAGMA max_page_count = 40").await;
        let error = store.append(&lock, &entry(1_000_000), &[]).await.unwrap_err();
        assert_eq!(error.code(), "state.disk-full", "{error}");
        assert_eq!(store.load("blog").await.unwrap().unwrap().uuid, "u".repeat(10));
        limit("PRAGMA max_page_count = 100000").await;
        assert_eq!(store.append(&lock, &entry(20), &[]).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_half_way_leaves_the_store_usable() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&format!("sqlite:{}/state.db", folder.path().display())).await.unwrap();
        let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
        for polls in 0..40 {
            let entries = entry(10);
            let mut append = Box::pin(store.append(&lock, &entries, &[]));
            for _ in 0..polls {
                let once = std::future::poll_fn(|cx| std::task::Poll::Ready(append.as_mut().poll(cx)));
                if once.await.is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(append);
            let before = store.load("blog").await.unwrap().map_or(0, |s| s.serial);
            assert_eq!(store.append(&lock, &entries, &[]).await.unwrap(), before + 1);
        }
    }
}
