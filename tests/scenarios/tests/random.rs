//! Random stacks through random lives: edited, meddled with, killed anywhere. At the end the cluster is what the blueprint
//! says, and after destroy there is nothing.
//!
//! Each run follows from one number, its seed. `SHEAVE_RANDOM_SEED=N` repeats one run, `SHEAVE_RANDOM_RUNS=N` says how many.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says its seeds"
)]

mod random {
    pub(crate) mod blueprint;
    pub(crate) mod choice;
    pub(crate) mod life;
}

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};

use random::choice::Choice;
use random::life::Life;

/// Runs where nothing is said; a soak makes more.
const RUNS: u64 = 25;

/// How many go at once: there is more waiting than computing.
const AT_ONCE: usize = 3;

/// Says how to repeat the run that fails.
struct Said(u64);

impl Drop for Said {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed: repeat it with SHEAVE_RANDOM_SEED={}", self.0);
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|why| panic!("{variable}={text}: {why}")))
}

fn live(seed: u64) {
    eprintln!("SHEAVE_RANDOM_SEED={seed}");
    let _said = Said(seed);
    Life::begin(Choice::new(seed)).live_on();
}

#[test]
fn whatever_happens_the_last_apply_makes_what_the_blueprint_says() {
    if let Some(seed) = number("SHEAVE_RANDOM_SEED") {
        return live(seed);
    }
    // A change is not judged by luck: the ordinary runs are the same each time. A soak goes where nobody has been.
    let (first, runs) = match number("SHEAVE_RANDOM_RUNS") {
        Some(runs) => (RandomState::new().hash_one("seed") >> 16, runs),
        None => (1, RUNS),
    };
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let n = next.fetch_add(1, Ordering::SeqCst)
                    && n < runs
                {
                    live(first.wrapping_add(n));
                }
            });
        }
    });
}
