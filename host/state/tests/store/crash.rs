//! A process that is killed at any moment: what it was told is durable is there, and nothing by halves.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sheave_state::{LockOwner, Store as _};

use crate::fixture::*;

const ROLE: &str = "SHEAVE_STATE_TEST_ROLE";
const FOLDER: &str = "SHEAVE_STATE_TEST_FOLDER";

/// This program once more, to run one test in another role.
pub(crate) fn again(test: &str, role: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(ROLE, role).env(FOLDER, folder);
    command
}

/// The folder to work in, where this process was started for that role.
pub(crate) fn role(wanted: &str) -> Option<PathBuf> {
    (std::env::var(ROLE).ok()? == wanted).then(|| PathBuf::from(std::env::var(FOLDER).unwrap()))
}

const BATCH: usize = 8;

/// Appends for ever, and says after each append how far it is.
#[test]
fn appends_when_asked() {
    let Some(folder) = role("appender") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(&folder).await;
        let lock = store.lock("blog", LockOwner::current("appender")).await.unwrap();
        let mut serial = store.load("blog").await.unwrap().map_or(0, |s| s.serial);
        loop {
            // A run's end now and then: a snapshot is a time to be killed, too.
            let mut batch = whole(usize::try_from(serial).unwrap() / BATCH % 50);
            if serial.is_multiple_of(5 * BATCH as u64) {
                batch[0] = run_finished("r");
            }
            let events: Vec<_> = (0..BATCH).map(event).collect();
            serial = store.append(&lock, &batch, &events).await.unwrap();
            writeln!(std::io::stdout(), "serial {serial}").unwrap();
        }
    });
}

#[test]
fn a_killed_process_loses_nothing_that_it_was_promised() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut promised = 0;
    for round in 0..12_usize {
        let mut child = again("crash::appends_when_asked", "appender", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut serials =
            lines.map_while(Result::ok).filter_map(|l| l.strip_prefix("serial ")?.parse::<u64>().ok());
        // Another number of appends each time; the kill then falls anywhere in the next one.
        promised = serials.nth(3 + 7 * round % 40).unwrap();
        child.kill().unwrap();
        promised = serials.last().unwrap_or(promised);
        child.wait().unwrap();
        runtime.block_on(async {
            let store = open(folder.path()).await;
            let state = store.load("blog").await.unwrap().unwrap();
            assert!(state.serial >= promised, "{} < {promised}", state.serial);
            assert_eq!(state.serial % BATCH as u64, 0, "an append was cut in two");
            let events = store.events("blog", 0, u32::MAX).await.unwrap();
            assert_eq!(events.last().unwrap().0, state.serial, "events and entries are one transaction");
            assert_eq!(store.lock_owner("blog").await.unwrap().unwrap().command, "appender");
        });
    }
    assert!(promised > 12 * BATCH as u64);
}
