//! The store of stacks: an append-only journal with snapshots, on SQLite.
