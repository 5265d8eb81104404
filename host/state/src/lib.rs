//! The store of stacks: an append-only journal with snapshots, on SQLite.
//!
//! Owns the on-disk format and its migrations. What is stored is sealed or masked before it comes here.
//!
//! - A stack's journal takes [`Entry`](sheave_model::journal::Entry)s; what they add up to is a [`StackState`].
//! - The snapshot has one row a resource. It is brought up to date every [`SNAPSHOT_EVERY`] entries and when a run
//!   ends, for the rows that changed: loading costs what lives, and appending what changed.
//! - Only who holds the stack's lock appends, which is checked in the same transaction.
//! - A stack that was destroyed stays, empty, with its history; [`Store::forget_stack`] removes that, too.

mod append;
mod components;
mod error;
mod fault;
mod history;
mod load;
mod location;
mod lock;
mod open;
mod owner;
mod parts;
mod sqlite;
mod store;

pub use append::{EVENTS_KEPT, SNAPSHOT_EVERY};
pub use error::StateError;
pub use history::{PastRun, StackSummary};
pub use lock::LockGuard;
pub use open::FORMAT;
pub use owner::LockOwner;
pub use sheave_model::stack::StackState;
pub use sqlite::{SqliteStore, open};
pub use store::Store;
