//! The file itself: made private, refused when it is not ours, and what happens when it cannot be written.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Stdio;

use sheave_state::{LockOwner, StateError, Store as _};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

use crate::crash::{again, role};
use crate::fixture::*;

async fn sql(folder: &Path, sql: &'static str) {
    let path = folder.join(".sheave/state.db");
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn refusal(folder: &Path) -> StateError {
    sheave_state::open(&url(folder)).await.unwrap_err()
}

#[tokio::test]
async fn folder_and_files_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    store.append(&lock, &whole(0), &[]).await.unwrap();
    let mode = |path: std::path::PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let state = folder.path().join(".sheave");
    assert_eq!(mode(state.clone()), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&state).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(mode(entry.path()), 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["state.db", "state.db-shm", "state.db-wal"]);
    store.release(lock).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(fs::read_dir(&state).unwrap().count(), 1, "closing leaves the file alone");
    assert_eq!(store.load("blog").await.unwrap_err().code(), "state.failed");
}

#[tokio::test]
async fn what_the_first_format_kept_is_carried_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    store.append(&lock, &[run_started("r1"), begun(0), run_finished("r1")], &[]).await.unwrap();
    store.release(lock).await.unwrap();
    store.close().await.unwrap();
    sql(folder.path(), "ALTER TABLE runs DROP COLUMN command; PRAGMA user_version = 1").await;
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("destroy")).await.unwrap();
    store.append(&lock, &[run_started("r2")], &[]).await.unwrap();
    let commands: Vec<_> = store.runs("blog").await.unwrap().into_iter().map(|r| r.command).collect();
    assert_eq!(commands, [Some("destroy".to_owned()), None]);
    assert_eq!(store.run("blog", "r1").await.unwrap(), Some(run_record()));
}

#[tokio::test]
async fn a_newer_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).await.close().await.unwrap();
    sql(folder.path(), "PRAGMA user_version = 99").await;
    let before = fs::read(folder.path().join(".sheave/state.db")).unwrap();
    let error = refusal(folder.path()).await;
    assert!(matches!(error, StateError::NewerFormat { found: 99, .. }), "{error}");
    assert!(error.diagnostic().help.is_some());
    assert_eq!(fs::read(folder.path().join(".sheave/state.db")).unwrap(), before);
}

#[tokio::test]
async fn another_programs_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".sheave")).unwrap();
    let path = folder.path().join(".sheave/state.db");
    let mut connection =
        SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
    sqlx::raw_sql("CREATE TABLE recipes (name TEXT)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(refusal(folder.path()).await.code(), "state.not-a-state-file");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".sheave")).unwrap();
    fs::write(folder.path().join(".sheave/state.db"), "apiVersion: v1\nkind: List\n".repeat(400)).unwrap();
    assert_eq!(refusal(folder.path()).await.code(), "state.not-a-state-file");
}

#[tokio::test]
async fn a_damaged_file_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    let entries: Vec<_> = (0..200).flat_map(whole).chain([run_finished("r")]).collect();
    store.append(&lock, &entries, &[]).await.unwrap();
    store.release(lock).await.unwrap();
    store.close().await.unwrap();
    let path = folder.path().join(".sheave/state.db");
    let mut bytes = fs::read(&path).unwrap();
    let len = bytes.len();
    // The header stays, so that it still looks like one of ours.
    bytes[4096..len].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    let error = match sheave_state::open(&url(folder.path())).await {
        Ok(store) => store.load("blog").await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.code(), "state.corrupt", "{error}");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_back_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    let entries: Vec<_> = whole(3).into_iter().chain([run_finished("r")]).collect();
    store.append(&lock, &entries, &[]).await.unwrap();
    sql(folder.path(), "UPDATE parts SET body = '{' WHERE kind = 'resource'").await;
    let error = store.load("blog").await.unwrap_err();
    assert_eq!(error.code(), "state.corrupt");
    assert!(error.to_string().contains("web[3]"), "{error}");
}

#[tokio::test]
async fn what_stands_in_the_way_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".sheave"), "").unwrap();
    assert_eq!(refusal(folder.path()).await.code(), "state.unreadable");
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join(".sheave/state.db")).unwrap();
    let error = refusal(folder.path()).await;
    assert_eq!(error.code(), "state.unreadable");
    assert!(error.to_string().contains("directory"), "{error}");
}

/// Root may write anywhere, so the one that is refused is a process of nobody's.
fn as_nobody(folder: &Path, expects: &str) {
    let mut child = again("files::is_refused_when_asked", expects, folder);
    if rustix::process::geteuid().is_root() {
        child.uid(65534);
    }
    assert!(child.stdout(Stdio::null()).status().unwrap().success(), "{expects}");
}

#[test]
fn is_refused_when_asked() {
    for code in ["state.read-only", "state.unreadable"] {
        if let Some(folder) = role(code) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let error = runtime.block_on(async {
                match sheave_state::open(&url(&folder)).await {
                    Err(error) => error,
                    // A file that can be read is opened; it can be looked at.
                    Ok(store) => {
                        assert!(store.load("blog").await.unwrap().is_some());
                        store.lock("blog", LockOwner::current("apply")).await.unwrap_err()
                    }
                }
            });
            assert_eq!(error.code(), code, "{error}");
            assert!(error.to_string().contains(".sheave"), "{error}");
        }
    }
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_folder_or_file_that_cannot_be_written_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (state, file) = (folder.path().join(".sheave"), folder.path().join(".sheave/state.db"));
    allow(folder.path(), 0o555);
    as_nobody(folder.path(), "state.read-only");
    allow(folder.path(), 0o755);
    let store = open(folder.path()).await;
    let lock = store.lock("blog", LockOwner::current("apply")).await.unwrap();
    store.append(&lock, &whole(0), &[]).await.unwrap();
    store.release(lock).await.unwrap();
    store.close().await.unwrap();
    // The folder takes no file beside the database, then the database itself is read-only, then it is not readable.
    for (folder_mode, file_mode, code) in [
        (0o555, 0o666, "state.read-only"),
        (0o777, 0o444, "state.read-only"),
        (0o777, 0o000, "state.unreadable"),
    ] {
        allow(&file, file_mode);
        allow(&state, folder_mode);
        as_nobody(folder.path(), code);
    }
    allow(&state, 0o700);
    allow(&file, 0o600);
    let store = open(folder.path()).await;
    assert_eq!(store.load("blog").await.unwrap().unwrap(), fold("blog", &whole(0)));
}

#[tokio::test]
async fn two_that_open_a_new_file_at_once_both_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(folder.path());
    let opens = (0..8).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { sheave_state::open(&url).await.map(|_| ()) })
    });
    for task in opens.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
}
