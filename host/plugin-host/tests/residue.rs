//! What one call leaves in memory is not there for the next, of whatever plugin.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

mod support;

use sheave_model::plugin::Grants;
use sheave_plugin_host::HostConfig;
use support::behaviours::all;
use support::*;

#[tokio::test]
async fn what_a_call_left_in_memory_no_other_sees() {
    // One instance at a time: each call has the slot of the one before it.
    let config = HostConfig { max_instances: 1, ..HostConfig::default() };
    let (host, _) = host_with(config);
    let of_name = |name: &str| all().into_iter().find(|b| b.name == name).unwrap();
    let fills = host.load("guest", &of_name("memory-fills").wasm, &Grants::default()).await.unwrap();
    let looks = host.load("guest", &of_name("memory-residue").wasm, &Grants::default()).await.unwrap();
    for _ in 0..8 {
        fills.render(&of("Any"), &doc("{}"), &[]).await.unwrap();
        looks.render(&of("Any"), &doc("{}"), &[]).await.unwrap();
    }
}
