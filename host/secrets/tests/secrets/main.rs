//! What is promised of secrets, shown with values, plugins and texts of any kind.

#![expect(clippy::unwrap_used, reason = "tests assert by panicking, in what they share as well")]

mod fixture;
mod masking;
mod sealing;
mod tokens;
