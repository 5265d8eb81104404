//! The granted folder through WASI: whole files in, whole files out.

use sha2::{Digest, Sha256};
use sheave_sdk::provider::files;
use sheave_sdk::{Diagnostic, Failure};

use crate::file::hex;
use crate::mode::Mode;
use crate::path;

mod wasi_files {
    #![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated from WASI's interfaces")]
    wit_bindgen::generate!({ path: "../../wit", world: "wasi:filesystem/imports@0.2.0", generate_all });
}

use wasi_files::wasi::filesystem::preopens::get_directories;
use wasi_files::wasi::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

/// How much is read or written at once: the host buffers it.
const CHUNK: usize = 1 << 20;

/// The mode of an unfinished file.
const OWNERS: u32 = 0o600;

/// Links are never followed: what they lead to is not the file that was asked for.
const NO_LINKS: PathFlags = PathFlags::empty();

/// The one granted folder, and its name.
pub(crate) struct Folder(Descriptor, String);

/// What stands at a path.
pub(crate) enum Entry {
    Nothing,
    File,
    /// A folder, a link, a device.
    Other,
}

/// A regular file, without its content.
#[derive(PartialEq, Eq)]
pub(crate) struct Seen {
    /// Empty where the file may not be read.
    pub(crate) sha256: String,
    pub(crate) size: u64,
    pub(crate) mode: Mode,
}

impl Folder {
    /// The granted folder; a failure that says what to grant where there is none.
    pub(crate) fn granted() -> Result<Self, Failure> {
        let mut folders = get_directories();
        match (folders.pop(), folders.len()) {
            (Some((folder, name)), 0) => Ok(Self(folder, name)),
            (None, _) => Err(Failure::denied(
                "file.no-folder",
                "no folder was granted to this plugin",
                "grant it one in the blueprint, under the plugin: `grants: {filesystem: [{path: ./out, access: write}]}`",
            )),
            (Some(_), _) => Err(Failure::denied(
                "file.many-folders",
                "more than one folder was granted to this plugin",
                "paths are relative to the granted folder, so there can be one: name the plugin twice, a folder each",
            )),
        }
    }

    pub(crate) fn entry(&self, path: &str) -> Result<Entry, Failure> {
        match self.0.stat_at(NO_LINKS, path) {
            Ok(stat) if stat.type_ == DescriptorType::RegularFile => Ok(Entry::File),
            Ok(_) => Ok(Entry::Other),
            // A part of the path that is a file: nothing can stand beneath it.
            Err(ErrorCode::NoEntry | ErrorCode::NotDirectory) => Ok(Entry::Nothing),
            Err(code) => Err(fault("look at", path, code)),
        }
    }

    /// Reads a file through, to its digest and size.
    pub(crate) fn see(&self, path: &str) -> Result<Seen, Failure> {
        let faulty = |code| fault("read", path, code);
        let mode = files::mode(&self.1, path).map_err(|why| untouched("look at", path, why))?;
        let mode = Mode::of(mode);
        let file = match self.0.open_at(NO_LINKS, path, OpenFlags::empty(), DescriptorFlags::READ) {
            Ok(file) => file,
            // Somebody took that right away: another mode than it had, which can be put right.
            Err(ErrorCode::Access) => {
                let size = self.0.stat_at(NO_LINKS, path).map_err(faulty)?.size;
                return Ok(Seen { sha256: String::new(), size, mode });
            }
            Err(code) => return Err(faulty(code)),
        };
        let (mut hash, mut size) = (Sha256::new(), 0);
        loop {
            let (bytes, end) = file.read(CHUNK as u64, size).map_err(faulty)?;
            hash.update(&bytes);
            size += bytes.len() as u64;
            if end || bytes.is_empty() {
                return Ok(Seen { sha256: hex(&hash.finalize()), size, mode });
            }
        }
    }

    /// Makes the folders that lead to `path`.
    pub(crate) fn make_parents(&self, path: &str) -> Result<(), Failure> {
        for folder in path::parents(path) {
            match self.0.create_directory_at(folder) {
                Ok(()) | Err(ErrorCode::Exist) => {}
                Err(code) => return Err(fault("make the folder", folder, code)),
            }
        }
        Ok(())
    }

    /// Writes a file that nobody else has under its name, and sees it onto the disk. Until it is whole it is its
    /// owner's alone: whoever opens a file while it may, goes on reading when it no longer may.
    pub(crate) fn write(&self, path: &str, content: &[u8], mode: Mode) -> Result<(), Failure> {
        let faulty = |code| fault("write", path, code);
        // Whatever an earlier try left there.
        self.remove(path)?;
        files::create(&self.1, path, OWNERS).map_err(|why| untouched("write", path, why))?;
        let file =
            self.0.open_at(NO_LINKS, path, OpenFlags::empty(), DescriptorFlags::WRITE).map_err(faulty)?;
        let mut at = 0;
        while at < content.len() {
            let chunk = &content[at..content.len().min(at + CHUNK)];
            match file.write(chunk, at as u64).map_err(faulty)? {
                0 => return Err(fault("write", path, ErrorCode::InsufficientSpace)),
                written => at += written as usize,
            }
        }
        files::set_mode(&self.1, path, mode.bits()).map_err(|why| untouched("write", path, why))?;
        file.sync().map_err(faulty)
    }

    /// Gives a finished file its name, in place of what had it.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<(), Failure> {
        self.0.rename_at(from, &self.0, to).map_err(|code| fault("write", to, code))
    }

    /// Deletes a file; that there is none is no fault.
    pub(crate) fn remove(&self, path: &str) -> Result<(), Failure> {
        match self.0.unlink_file_at(path) {
            Ok(()) | Err(ErrorCode::NoEntry | ErrorCode::NotDirectory) => Ok(()),
            Err(code) => Err(fault("delete", path, code)),
        }
    }
}

/// What the host's own interface refused.
fn untouched(what: &str, path: &str, why: String) -> Failure {
    Failure::other("file.not-possible", format!("cannot {what} `{path}`"), why)
}

fn fault(what: &str, path: &str, code: ErrorCode) -> Failure {
    let why = Diagnostic::error("file.not-possible", format!("cannot {what} `{path}`"));
    match code {
        ErrorCode::Access | ErrorCode::NotPermitted | ErrorCode::ReadOnly => {
            Failure::Denied(why.detail(format!(
                "{}; the grant must say `access: write`, and the user must be allowed to",
                code.message()
            )))
        }
        ErrorCode::Busy | ErrorCode::Interrupted | ErrorCode::WouldBlock | ErrorCode::TextFileBusy => {
            Failure::retry(1000, why.detail(code.message()))
        }
        _ => Failure::Other(why.detail(code.message())),
    }
}
