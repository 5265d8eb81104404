//! The files that are in the program.

use std::fs;
use std::path::Path;

use crate::fault::{self, Result};

/// Names and contents; written by the build script.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The files beneath `folder`, named relative to it.
pub(crate) fn beneath(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    let folder = format!("{folder}/");
    FILES.iter().filter_map(move |(name, bytes)| Some((name.strip_prefix(&folder)?, *bytes)))
}

/// One file.
pub(crate) fn file(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(n, _)| *n == name).map(|(_, bytes)| *bytes)
}

/// Writes a file and the folders on the way.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, bytes));
    written.map_err(|e| fault::files(path, &e))
}
