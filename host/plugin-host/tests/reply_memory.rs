//! A reply of 100 MB is refused before it is in the host's memory. A process of its own, to be measured alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

mod support;

use sheave_model::plugin::Grants;
use support::*;

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

#[tokio::test]
async fn a_hundredfold_reply_is_never_held() {
    let plugin = load(&module("hundredfold"), &Grants::default()).await;
    let before = peak();
    let error = plugin.render(&of("Any"), &doc("{}"), &[]).await.unwrap_err();
    assert_eq!(code(&error), "plugin.limit.reply");
    let taken = peak() - before;
    assert!(taken < 20 << 20, "{} MiB for a reply of which 8 MiB are allowed", taken >> 20);
}
