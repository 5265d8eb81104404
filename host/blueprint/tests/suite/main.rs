//! The crate's tests from outside: one binary, so that it links once.

mod eval;
mod example;
mod golden;
mod hostile;
#[cfg(test)]
mod support;
