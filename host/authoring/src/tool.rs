//! Other programs, as far as building needs them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::fault::{self, Result};

/// Runs to the end; what it said is in the fault where it fails.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<()> {
    let done = command.stdin(Stdio::null()).output();
    let done = done.map_err(|e| fault::build_failed(what, &e.to_string()))?;
    if done.status.success() {
        return Ok(());
    }
    let mut said = String::from_utf8_lossy(&done.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&done.stderr));
    if said.trim().is_empty() {
        said = format!("{what} ended with {}", done.status);
    }
    Err(fault::build_failed(what, &said))
}

/// The first of these places that holds the program, then PATH.
pub(crate) fn find(program: &str, places: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.iter().chain(&on_path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Whether it ends well, whatever it says.
pub(crate) fn works<S: AsRef<OsStr>>(program: &Path, args: &[S]) -> bool {
    let status = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|s| s.success())
}
