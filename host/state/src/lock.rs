//! Locks: one owner a stack, in the same file as what it guards.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use sqlx::SqliteConnection;

use crate::append::Tail;
use crate::error::StateError;
use crate::fault::Fault;
use crate::owner::{Life, LockOwner};

type GiveBack = Box<dyn FnOnce(String, String) + Send + Sync>;

/// A held lock. Give it back with [`Store::release`](crate::Store::release).
pub struct LockGuard {
    stack: String,
    token: String,
    taken_over: Option<LockOwner>,
    give_back: Option<GiveBack>,
    /// What was appended under it and is not in the snapshot yet. Nobody else appends meanwhile.
    tail: Mutex<Option<Tail>>,
    /// Whether it was given back with the last write.
    ended: AtomicBool,
}

impl LockGuard {
    pub(crate) fn new(
        stack: &str,
        token: String,
        taken_over: Option<LockOwner>,
        give_back: GiveBack,
    ) -> Self {
        Self {
            stack: stack.to_owned(),
            token,
            taken_over,
            give_back: Some(give_back),
            tail: Mutex::default(),
            ended: AtomicBool::new(false),
        }
    }

    /// The stack that it is for.
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// The dead owner that it was taken over from: its run was cut off.
    pub fn taken_over(&self) -> Option<&LockOwner> {
        self.taken_over.as_ref()
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// What is wrong where somebody took it away.
    pub(crate) fn lost(&self) -> StateError {
        StateError::LockLost { stack: self.stack.clone() }
    }

    pub(crate) fn take_tail(&self) -> Option<Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn keep_tail(&self, tail: Option<Tail>) {
        *self.tail.lock().unwrap_or_else(PoisonError::into_inner) = tail;
    }

    /// Notes that the last write gave it back.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// The stack and the token, unless it was given back; dropping gives nothing back any more.
    pub(crate) fn disarm(mut self) -> Option<(String, String)> {
        self.give_back = None;
        let held = !*self.ended.get_mut();
        held.then(|| (std::mem::take(&mut self.stack), std::mem::take(&mut self.token)))
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        if let Some(give_back) = self.give_back.take().filter(|_| !*self.ended.get_mut()) {
            give_back(std::mem::take(&mut self.stack), std::mem::take(&mut self.token));
        }
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard").field("stack", &self.stack).finish_non_exhaustive()
    }
}

/// Tells this hold from every other: what makes a process one of its kind, and a count within it.
fn token(owner: &LockOwner) -> String {
    static HOLDS: AtomicU64 = AtomicU64::new(0);
    let hold = HOLDS.fetch_add(1, Ordering::Relaxed);
    format!(
        "{}/{}/{}/{}/{}/{}/{hold}",
        owner.host,
        owner.boot_id.as_deref().unwrap_or_default(),
        owner.pid_namespace.as_deref().unwrap_or_default(),
        std::process::id(),
        owner.started.unwrap_or_default(),
        owner.at,
    )
}

/// Takes the lock: its token, and the dead owner that it was taken over from.
pub(crate) async fn take(
    connection: &mut SqliteConnection,
    stack: &str,
    owner: &LockOwner,
) -> Result<(String, Option<LockOwner>), Fault> {
    let before = self::owner(connection, stack).await?;
    if let Some(before) = &before {
        // The owner that wants the lock says where we are.
        refuse_unless_dead(stack, before, owner)?;
    }
    let token = token(owner);
    let text = serde_json::to_string(owner).map_err(|e| Fault::unreadable("lock of", stack, &e))?;
    sqlx::query("INSERT OR REPLACE INTO locks (stack, token, owner) VALUES (?, ?, ?)")
        .bind(stack)
        .bind(&token)
        .bind(text)
        .execute(connection)
        .await?;
    Ok((token, before))
}

fn refuse_unless_dead(stack: &str, owner: &LockOwner, here: &LockOwner) -> Result<(), StateError> {
    let life = owner.life(here);
    if life == Life::Dead {
        return Ok(());
    }
    let elsewhere = life == Life::Elsewhere;
    Err(StateError::Held { stack: stack.to_owned(), owner: Box::new(owner.clone()), elsewhere })
}

pub(crate) async fn owner(
    connection: &mut SqliteConnection,
    stack: &str,
) -> Result<Option<LockOwner>, Fault> {
    let text: Option<String> = sqlx::query_scalar("SELECT owner FROM locks WHERE stack = ?")
        .bind(stack)
        .fetch_optional(connection)
        .await?;
    text.map(|t| serde_json::from_str(&t).map_err(|e| Fault::unreadable("lock of", stack, &e))).transpose()
}

/// Whether the lock is still ours.
pub(crate) async fn check(connection: &mut SqliteConnection, lock: &LockGuard) -> Result<(), Fault> {
    let held: Option<i64> = sqlx::query_scalar("SELECT 1 FROM locks WHERE stack = ? AND token = ?")
        .bind(&lock.stack)
        .bind(&lock.token)
        .fetch_optional(connection)
        .await?;
    match held {
        Some(_) => Ok(()),
        None => Err(lock.lost().into()),
    }
}

pub(crate) async fn release(
    connection: &mut SqliteConnection,
    stack: &str,
    token: &str,
) -> Result<(), Fault> {
    sqlx::query("DELETE FROM locks WHERE stack = ? AND token = ?")
        .bind(stack)
        .bind(token)
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn remove(
    connection: &mut SqliteConnection,
    stack: &str,
    force: bool,
) -> Result<Option<LockOwner>, Fault> {
    let owner = self::owner(connection, stack).await?;
    if let Some(owner) = owner.as_ref().filter(|_| !force) {
        refuse_unless_dead(stack, owner, &LockOwner::current("unlock"))?;
    }
    sqlx::query("DELETE FROM locks WHERE stack = ?").bind(stack).execute(connection).await?;
    Ok(owner)
}
