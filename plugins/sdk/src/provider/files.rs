//! Permissions of files in the folders that were granted, for which WASI has no words.
//!
//! A folder goes by its preopen's name, and a path is relative to it. Only [`read`](super::Provider::read),
//! [`create`](super::Provider::create), [`update`](super::Provider::update), [`delete`](super::Provider::delete) and
//! [`adopt`](super::Provider::adopt) have folders.

use crate::bindings::provides::sheave::plugin::files as host;

/// Makes an empty file with exactly this mode, of the bits in 0o777; at no time has it a wider one.
///
/// # Errors
/// Why not, for people: something has the name, or what was not granted.
pub fn create(folder: &str, path: &str, mode: u32) -> Result<(), String> {
    in_host()?;
    host::create(folder, path, mode)
}

/// The mode of a regular file: at most 0o7777.
///
/// # Errors
/// Why not, for people: it is no regular file, or what was not granted.
pub fn mode(folder: &str, path: &str) -> Result<u32, String> {
    in_host()?;
    host::mode(folder, path)
}

/// Sets the mode of a regular file, of the bits in 0o777; others are cleared.
///
/// # Errors
/// Why not, for people: it is no regular file, or what was not granted.
pub fn set_mode(folder: &str, path: &str, mode: u32) -> Result<(), String> {
    in_host()?;
    host::set_mode(folder, path, mode)
}

/// Natively, as in tests, there is no host to ask.
fn in_host() -> Result<(), String> {
    if cfg!(target_family = "wasm") { Ok(()) } else { Err("no host runs this".to_owned()) }
}
