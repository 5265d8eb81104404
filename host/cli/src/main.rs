//! The command line of Sheave.

fn main() {}
