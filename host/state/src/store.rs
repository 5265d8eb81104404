//! What a store of stacks does.

use std::future::Future;

use sheave_model::event::Event;
use sheave_model::journal::{Entry, RunRecord};
use sheave_model::plan::Plan;
use sheave_model::stack::StackState;

use crate::error::StateError;
use crate::history::{PastRun, StackSummary};
use crate::lock::LockGuard;
use crate::owner::LockOwner;

/// A store of stacks. Every method fails with a [`StateError`] that names the place and what to do.
pub trait Store: Send + Sync {
    /// All stacks, by name.
    fn stacks(&self) -> impl Future<Output = Result<Vec<StackSummary>, StateError>> + Send;

    /// What the stack's journal adds up to; none: there is no such stack.
    fn load(&self, stack: &str) -> impl Future<Output = Result<Option<StackState>, StateError>> + Send;

    /// Takes the stack's lock (the stack need not exist yet). An owner that is dead on this machine is taken over from.
    fn lock(
        &self,
        stack: &str,
        owner: LockOwner,
    ) -> impl Future<Output = Result<LockGuard, StateError>> + Send;

    /// Gives the lock back. Nothing happens where it is no longer ours, or was given back with the last write. A guard that is dropped gives it back soon after,
    /// where a tokio runtime still runs.
    fn release(&self, lock: LockGuard) -> impl Future<Output = Result<(), StateError>> + Send;

    /// Removes the stack's lock, and says whose it was. Without `force` only an owner's that is known to be dead.
    fn unlock(
        &self,
        stack: &str,
        force: bool,
    ) -> impl Future<Output = Result<Option<LockOwner>, StateError>> + Send;

    /// Who holds the stack's lock, alive or not.
    fn lock_owner(&self, stack: &str) -> impl Future<Output = Result<Option<LockOwner>, StateError>> + Send;

    /// Appends to the journal and to the events, all or nothing, and gives the new serial. Durable when it returns.
    /// Refused when the lock is no longer ours. The first append makes the stack.
    fn append(
        &self,
        lock: &LockGuard,
        entries: &[Entry],
        events: &[Event],
    ) -> impl Future<Output = Result<u64, StateError>> + Send;

    /// As [`Self::append`], by a caller who has the stack's state with these entries in it. A snapshot that falls due is
    /// then written from it, instead of from what is read back. A state whose serial is another than the new one is not
    /// used.
    fn append_with(
        &self,
        lock: &LockGuard,
        entries: &[Entry],
        events: &[Event],
        state: &StackState,
    ) -> impl Future<Output = Result<u64, StateError>> + Send;

    /// As [`Self::append_with`], and gives the lock back with it, all or nothing: the last write under a lock.
    fn end_with(
        &self,
        lock: &LockGuard,
        entries: &[Entry],
        events: &[Event],
        state: &StackState,
    ) -> impl Future<Output = Result<u64, StateError>> + Send;

    /// Appends to the events alone. Durable when it returns. Nothing of the state hangs on them, so it takes no lock: also a
    /// plan, which has none, can say what it did.
    fn tell(&self, stack: &str, events: &[Event]) -> impl Future<Output = Result<(), StateError>> + Send;

    /// Events after number `after` (0: from the first that is kept), at most `limit`, with their numbers.
    fn events(
        &self,
        stack: &str,
        after: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<(u64, Event)>, StateError>> + Send;

    /// The stack's runs, the latest first.
    fn runs(&self, stack: &str) -> impl Future<Output = Result<Vec<PastRun>, StateError>> + Send;

    /// What a run was given.
    fn run(
        &self,
        stack: &str,
        run: &str,
    ) -> impl Future<Output = Result<Option<RunRecord>, StateError>> + Send;

    /// The plan of the stack's latest run.
    fn last_plan(&self, stack: &str) -> impl Future<Output = Result<Option<Plan>, StateError>> + Send;

    /// Keeps a copy of a plugin's component. `digest` is trusted: the caller computed it, and checks what it gets back.
    fn put_component(
        &self,
        digest: &str,
        bytes: &[u8],
    ) -> impl Future<Output = Result<(), StateError>> + Send;

    /// A plugin's component.
    fn component(&self, digest: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StateError>> + Send;

    /// Removes a stack that holds nothing any more, with its history, and the components that only it used.
    fn forget_stack(&self, lock: &LockGuard) -> impl Future<Output = Result<(), StateError>> + Send;
}
