//! The granted folder, with the few words that the counter needs.

use crate::files::wasi::filesystem::preopens::get_directories;
use crate::files::wasi::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use crate::sheave::plugin::types::{Diagnostic, Failure, Severity};

pub(crate) struct Folder(Descriptor);

impl Folder {
    /// The first that was granted.
    pub(crate) fn granted() -> Result<Self, Failure> {
        match get_directories().into_iter().next() {
            Some((folder, _)) => Ok(Self(folder)),
            None => Err(Failure::Denied(fault("counter.no-folder", "no folder was granted".to_owned()))),
        }
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.0.stat_at(PathFlags::SYMLINK_FOLLOW, path).is_ok()
    }

    /// Makes the file say `text`.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<(), Failure> {
        if let Some((folder, _)) = path.split_once('/') {
            match self.0.create_directory_at(folder) {
                Ok(()) | Err(ErrorCode::Exist) => {}
                Err(why) => return Err(broken(path, why)),
            }
        }
        let file = self.open(path, OpenFlags::CREATE | OpenFlags::TRUNCATE)?;
        put(&file, text.as_bytes(), 0).map_err(|why| broken(path, why))
    }

    /// Adds a line to the file.
    pub(crate) fn append(&self, path: &str, line: &str) -> Result<(), Failure> {
        let file = self.open(path, OpenFlags::CREATE)?;
        let end = file.stat().map_err(|why| broken(path, why))?.size;
        put(&file, format!("{line}\n").as_bytes(), end).map_err(|why| broken(path, why))
    }

    /// Removes the file; that it is gone already is no fault.
    pub(crate) fn remove(&self, path: &str) -> Result<(), Failure> {
        match self.0.unlink_file_at(path) {
            Ok(()) | Err(ErrorCode::NoEntry) => Ok(()),
            Err(why) => Err(broken(path, why)),
        }
    }

    fn open(&self, path: &str, how: OpenFlags) -> Result<Descriptor, Failure> {
        let flags = DescriptorFlags::WRITE;
        self.0.open_at(PathFlags::SYMLINK_FOLLOW, path, how, flags).map_err(|why| broken(path, why))
    }
}

fn put(file: &Descriptor, mut bytes: &[u8], mut at: u64) -> Result<(), ErrorCode> {
    while !bytes.is_empty() {
        let written = file.write(bytes, at)?;
        at += written;
        bytes = &bytes[written as usize..];
    }
    Ok(())
}

fn broken(path: &str, why: ErrorCode) -> Failure {
    Failure::Other(fault("counter.file", format!("{path}: {why:?}")))
}

fn fault(code: &str, summary: String) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: code.to_owned(),
        summary,
        detail: String::new(),
        pointer: None,
    }
}
