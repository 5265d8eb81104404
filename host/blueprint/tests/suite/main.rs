//! The crate's tests from outside: one binary, so that it links once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

#[cfg(test)]
mod editor;
#[cfg(test)]
mod eval;
#[cfg(test)]
mod example;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod marks;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod parsing;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod support;
