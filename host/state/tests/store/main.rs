//! The store on real files: what it keeps, who may write, and what it survives.

#![expect(clippy::unwrap_used, reason = "tests assert by panicking, in what they share as well")]

mod crash;
mod files;
mod fixture;
mod history;
mod journal;
mod locks;
