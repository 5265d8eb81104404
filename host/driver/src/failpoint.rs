//! Places where a test may kill this process: after intents are durable, after an inventory or another request was sent, after
//! outcomes are durable, before a plugin sees a secret.
//! Compiled in only with the feature `failpoints`; a release has none.

/// The variable that says where: `intent:3` kills at the third batch of intents, `sent:1` after the first request.
#[cfg(feature = "failpoints")]
const VARIABLE: &str = "SHEAVE_FAILPOINT";

/// Passes a place by, or ends the process there by SIGKILL.
#[cfg(not(feature = "failpoints"))]
pub(crate) fn pass(_place: &str) {}

/// Passes a place by, or ends the process there by SIGKILL.
#[cfg(feature = "failpoints")]
pub(crate) fn pass(place: &str) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static PASSED: [(&str, AtomicU64); 5] = [
        ("inventory", AtomicU64::new(0)),
        ("intent", AtomicU64::new(0)),
        ("sent", AtomicU64::new(0)),
        ("outcome", AtomicU64::new(0)),
        ("revealed", AtomicU64::new(0)),
    ];
    let Ok(wanted) = std::env::var(VARIABLE) else { return };
    let Some((name, count)) = wanted.split_once(':') else { return };
    let Some((_, passed)) = PASSED.iter().find(|(n, _)| *n == place && *n == name) else { return };
    if passed.fetch_add(1, Ordering::SeqCst) + 1 == count.parse().unwrap_or(0) {
        let me = rustix::process::getpid();
        let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
    }
}
