//! The program as a process: exit codes, what goes to which output, and what never does.

#![expect(clippy::unwrap_used, reason = "tests assert by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// `sheave` in `folder`, in an environment of its own: nothing of this machine's user is read or written.
fn sheave(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sheave"));
    command.current_dir(folder).env_clear().env("HOME", folder).stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    sheave(folder).args(arguments).output().unwrap()
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn events(output: &Output) -> Vec<Value> {
    out(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn help_and_version_are_answers() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, word) in [
        (&[][..], "Usage: sheave"),
        (&["--help"], "Exit codes:"),
        (&["help", "plan"], "--detailed-exitcode"),
        (&["state"], "unlock"),
        (&["--version"], concat!("sheave ", env!("CARGO_PKG_VERSION"))),
    ] {
        let done = run(folder.path(), arguments);
        assert_eq!((code(&done), err(&done).as_str()), (Some(0), ""), "{arguments:?}");
        assert!(out(&done).contains(word), "{arguments:?}: {}", out(&done));
    }
}

#[test]
fn wrong_arguments_are_a_fault_of_the_user_and_no_sign_of_changes() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in
        [&["frobnicate"][..], &["plan", "--parallelism", "0"], &["apply", "--frob"], &["outputs", "--reveal"]]
    {
        let done = run(folder.path(), arguments);
        assert_eq!((code(&done), out(&done).as_str()), (Some(1), ""), "{arguments:?}");
        assert!(err(&done).starts_with("error:"), "{arguments:?}: {}", err(&done));
    }
}

#[test]
fn nobody_to_ask_is_told_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["apply"][..], &["destroy"], &["state", "unlock"]] {
        let done = run(folder.path(), arguments);
        assert_eq!((code(&done), out(&done).as_str()), (Some(1), ""), "{arguments:?}");
        assert!(err(&done).contains("cli.needs-yes") && err(&done).contains("--yes"), "{}", err(&done));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn json_tells_a_fault_as_events_and_ends_with_run_finished() {
    let folder = tempfile::tempdir().unwrap();
    let done = run(folder.path(), &["apply", "--json", "--stack", "blog"]);
    assert_eq!((code(&done), err(&done).as_str()), (Some(1), ""));
    let events = events(&done);
    assert_eq!(events.len(), 2);
    assert_eq!(
        (&events[0]["type"], &events[0]["diagnostic"]["code"]),
        (&"diagnostic".into(), &"cli.needs-yes".into())
    );
    assert_eq!((&events[1]["type"], &events[1]["outcome"]), (&"run.finished".into(), &"failed".into()));
    for field in ["create", "update", "delete", "unchanged", "failed", "millis"] {
        assert!(events[1][field].is_u64(), "{field}");
    }
    assert!(events.iter().all(|e| e["stack"] == "blog" && e["at"].as_str().unwrap().ends_with('Z')));
}

#[test]
fn a_file_that_is_no_plan_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p"), "{\"format\": 99}").unwrap();
    for (plan, word) in [("p", "cli.plan-format"), ("q", "cli.plan-unreadable"), (".", "cli.plan-unreadable")]
    {
        let done = run(folder.path(), &["apply", plan]);
        assert_eq!(code(&done), Some(1));
        assert!(err(&done).contains(word), "{plan}: {}", err(&done));
    }
}

#[test]
fn the_value_of_an_input_is_never_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "hunter2";
    let done = sheave(folder.path())
        .args(["validate", "-vvv", "--input", secret, "--input", &format!("1={secret}"), "--json"])
        .env(format!("SHEAVE_INPUT_a.{}", 1), secret)
        .output()
        .unwrap();
    assert_eq!(code(&done), Some(1));
    assert!(!out(&done).contains(secret) && !err(&done).contains(secret), "{}{}", out(&done), err(&done));
    assert_eq!(events(&done).len(), 4);
}

#[test]
fn variables_stand_for_flags_and_flags_win() {
    let folder = tempfile::tempdir().unwrap();
    let json = |arguments: &[&str]| {
        let mut command = sheave(folder.path());
        command.env("SHEAVE_JSON", "1").env("SHEAVE_STACK", "from-env").args(arguments);
        events(&command.output().unwrap())[0]["stack"].clone()
    };
    assert_eq!(json(&["apply"]), "from-env");
    assert_eq!(json(&["--stack", "before", "apply"]), "before");
    assert_eq!(json(&["apply", "--stack", "after"]), "after");
    let done = sheave(folder.path()).env("SHEAVE_PARALLELISM", "none").arg("validate").output().unwrap();
    assert_eq!(code(&done), Some(1));
}

#[test]
fn a_reader_that_went_away_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let mut child =
        sheave(folder.path()).arg("--help").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert_eq!((code(&done), err(&done).as_str()), (Some(0), ""));
}

#[test]
fn a_full_disk_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let done = sheave(folder.path()).args(["apply", "--json"]).stdout(full).output().unwrap();
    assert_eq!(code(&done), Some(1));
    assert!(err(&done).contains("cli.output"), "{}", err(&done));
}

#[test]
fn without_a_home_the_way_out_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let places = |command: &mut Command| code(&command.output().unwrap());
    assert_eq!(places(sheave(folder.path()).env("HOME", "relative").args(["apply", "p"])), Some(1));
    let done = sheave(folder.path()).env("HOME", "relative").args(["apply", "p"]).output().unwrap();
    assert!(err(&done).contains("cli.no-home") && err(&done).contains("XDG_CONFIG_HOME"), "{}", err(&done));
}
