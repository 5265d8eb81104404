//! Compiled code in memory that nobody can change any more, and that the engine can map as it is.
//!
//! To copy code into fresh memory costs a fault for each of its pages, which is most of what loading a plugin takes. Linux
//! has files that live in memory alone and can be sealed: what was checked in one is what runs, whatever happens to the file
//! that it came from. Where there are none, or none may be made, this process keeps a copy of its own.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;

/// What is shown at once: small enough to stay in the processor's caches.
const PART: usize = 64 << 10;

/// The bytes of compiled code.
pub(crate) enum Image {
    Sealed(File),
    Copied(Vec<u8>),
}

impl Image {
    /// All that `from` still has.
    pub(crate) fn read(mut from: impl Read) -> io::Result<Self> {
        if let Some(mut file) = sealable() {
            // From one file to another without a way through this process, where the kernel can.
            io::copy(&mut from, &mut file)?;
            seal(&file)?;
            return Ok(Self::Sealed(file));
        }
        Self::copy(from)
    }

    fn copy(mut from: impl Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes)?;
        Ok(Self::Copied(bytes))
    }

    /// Shows its bytes in order, part by part.
    pub(crate) fn each(&self, mut see: impl FnMut(&[u8])) -> io::Result<()> {
        let file = match self {
            Self::Sealed(file) => file,
            Self::Copied(bytes) => {
                see(bytes);
                return Ok(());
            }
        };
        let mut part = vec![0; PART];
        let mut at = 0;
        loop {
            match file.read_at(&mut part, at) {
                Ok(0) => return Ok(()),
                Ok(read) => {
                    see(&part[..read]);
                    at += read as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// A copy of them.
    pub(crate) fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.each(|part| bytes.extend_from_slice(part))?;
        Ok(bytes)
    }

    /// A path by which this process can map it; none: it is no file.
    pub(crate) fn path(&self) -> Option<String> {
        match self {
            Self::Sealed(file) => Some(format!("/proc/self/fd/{}", file.as_raw_fd())),
            Self::Copied(_) => None,
        }
    }
}

/// A file in memory; none: this system has no such files, or lets nobody make one.
#[cfg(target_os = "linux")]
fn sealable() -> Option<File> {
    use rustix::fs::MemfdFlags;
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    rustix::fs::memfd_create("sheave-plugin", flags).ok().map(File::from)
}

#[cfg(target_os = "linux")]
fn seal(file: &File) -> io::Result<()> {
    use rustix::fs::SealFlags;
    let all = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    Ok(rustix::fs::fcntl_add_seals(file, all)?)
}

#[cfg(not(target_os = "linux"))]
fn sealable() -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
fn seal(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_was_taken_in_stays() {
        let bytes: Vec<u8> = (0..3 * PART + 5).map(|i| i as u8).collect();
        let image = Image::read(&bytes[..]).unwrap();
        assert_eq!(image.bytes().unwrap(), bytes);
        let Image::Sealed(file) = &image else { panic!("Linux seals") };
        assert!((&*file).write_all(b"x").is_err());
        assert!(file.set_len(1).is_err() && file.set_len(1 << 20).is_err());
        let again = std::fs::OpenOptions::new().write(true).open(image.path().unwrap());
        assert!(again.and_then(|mut file| file.write_all(b"x")).is_err());
    }

    #[test]
    fn without_such_files_there_is_a_copy() {
        let image = Image::copy(&b"code"[..]).unwrap();
        assert_eq!((image.bytes().unwrap(), image.path()), (b"code".to_vec(), None));
    }
}
