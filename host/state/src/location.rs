//! Where the state is: from a URL to a file that only its owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::StateError;

/// The file that `url` names.
pub(crate) fn path_of(url: &str) -> Result<PathBuf, StateError> {
    let fault = |why| StateError::Url { url: url.to_owned(), why };
    let Some(rest) = url.strip_prefix("sqlite:") else {
        return Err(fault("only `sqlite:` is known"));
    };
    // `sqlite:PATH` and `sqlite://PATH` are both usual.
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() {
        return Err(fault("the path is missing"));
    }
    if path == ":memory:" {
        return Err(fault("a state in memory would be lost"));
    }
    if path.contains('?') {
        return Err(fault("it takes no options"));
    }
    Ok(PathBuf::from(path))
}

/// Makes the folder and the empty file, where they are not there: for their owner alone, and durably.
pub(crate) fn prepare(path: &Path) -> Result<(), StateError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        make_folder(folder).map_err(|e| refused(folder, &e))?;
    }
    match create(path) {
        Ok(_) => File::open(folder).and_then(|f| f.sync_all()).map_err(|e| refused(folder, &e)),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(refused(path, &e)),
    }
}

/// The error for what the system said of `path`.
pub(crate) fn refused(path: &Path, error: &Error) -> StateError {
    let (path, why) = (path.display().to_string(), error.to_string());
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StateError::ReadOnly { path, why },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StateError::DiskFull { path },
        _ => StateError::Unreadable { path, why },
    }
}

fn make_folder(folder: &Path) -> Result<(), Error> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn create(path: &Path) -> Result<File, Error> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_files() {
        for (url, path) in [
            ("sqlite:.sheave/state.db", ".sheave/state.db"),
            ("sqlite:/var/lib/x.db", "/var/lib/x.db"),
            ("sqlite:///var/lib/x.db", "/var/lib/x.db"),
            ("sqlite://x.db", "x.db"),
        ] {
            assert_eq!(path_of(url).unwrap(), Path::new(path));
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for url in
            ["", "state.db", "postgres://x", "sqlite:", "sqlite://", "sqlite::memory:", "sqlite:x?mode=ro"]
        {
            assert_eq!(path_of(url).unwrap_err().code(), "state.url", "{url}");
        }
    }
}
