//! The log on standard error: off unless asked for.

use std::io;

use tracing_subscriber::EnvFilter;

/// Starts the log where `-v` or `SHEAVE_LOG` asks for one; gives whether it did.
///
/// More `-v` say more of Sheave's own work only: what libraries below say of requests can hold what no log may.
pub(crate) fn start(verbose: u8, color: bool) -> bool {
    let asked = std::env::var("SHEAVE_LOG").ok().filter(|f| !f.is_empty());
    let filter = match (asked, verbose) {
        (Some(filter), _) => filter,
        (None, 0) => return false,
        (None, 1) => "warn,sheave=info".to_owned(),
        (None, 2) => "info,sheave=debug".to_owned(),
        (None, _) => "info,sheave=trace".to_owned(),
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().parse_lossy(filter))
        .with_writer(io::stderr)
        .with_ansi(color)
        .try_init()
        .is_ok()
}
