//! Files of others', read within a bound.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// A file's bytes, at most `limit` of them; none where there is no file. A larger one is a fault of its own kind.
pub(crate) fn read_at_most(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(e) => return Err(e),
    };
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let why = format!("it has more than the {limit} bytes that are allowed");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_holds_to_the_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(
            read_at_most(&path, 9).unwrap().is_none() && read_at_most(&path.join("x"), 9).unwrap().is_none()
        );
        std::fs::write(&path, "bytes").unwrap();
        assert_eq!(read_at_most(&path, 5).unwrap().unwrap(), b"bytes");
        assert_eq!(read_at_most(&path, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
