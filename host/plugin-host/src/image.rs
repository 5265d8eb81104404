//! Compiled code in memory that nobody can change any more, and that the engine can map as it is.
//!
//! To copy code into fresh memory costs a fault for each of its pages, which is most of what loading a plugin takes. Linux
//! has files that live in memory alone and can be sealed: what was checked in one is what runs, whatever happens to the file
//! that it came from.

use std::io;

/// The bytes of compiled code.
pub(crate) struct Image(kind::Image);

impl Image {
    /// All that `from` still has.
    pub(crate) fn read(from: impl io::Read) -> io::Result<Self> {
        kind::Image::read(from).map(Self)
    }

    /// Shows its bytes in order, part by part.
    pub(crate) fn each(&self, see: impl FnMut(&[u8])) -> io::Result<()> {
        self.0.each(see)
    }

    /// A copy of them.
    pub(crate) fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.each(|part| bytes.extend_from_slice(part))?;
        Ok(bytes)
    }

    /// A path by which this process can map it; none: on this system there is no such thing.
    pub(crate) fn path(&self) -> Option<String> {
        self.0.path()
    }
}

#[cfg(target_os = "linux")]
mod kind {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::FileExt as _;

    use rustix::fs::{MemfdFlags, SealFlags};

    /// What is shown at once: small enough to stay in the processor's caches.
    const PART: usize = 64 << 10;

    pub(super) struct Image(File);

    impl Image {
        pub(super) fn read(mut from: impl io::Read) -> io::Result<Self> {
            let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
            let mut file = File::from(rustix::fs::memfd_create("sheave-plugin", flags)?);
            // From one file to another without a way through this process, where the kernel can.
            io::copy(&mut from, &mut file)?;
            let all = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
            rustix::fs::fcntl_add_seals(&file, all)?;
            Ok(Self(file))
        }

        pub(super) fn each(&self, mut see: impl FnMut(&[u8])) -> io::Result<()> {
            let mut part = vec![0; PART];
            let mut at = 0;
            loop {
                match self.0.read_at(&mut part, at) {
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

        pub(super) fn path(&self) -> Option<String> {
            Some(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
        }
    }

    #[cfg(test)]
    mod tests {
        use std::io::Write as _;

        use super::*;

        #[test]
        fn what_was_taken_in_stays() {
            let bytes: Vec<u8> = (0..3 * PART + 5).map(|i| i as u8).collect();
            let image = Image::read(&bytes[..]).unwrap();
            let mut seen = Vec::new();
            image.each(|part| seen.extend_from_slice(part)).unwrap();
            assert_eq!(seen, bytes);
            assert!((&image.0).write_all(b"x").is_err());
            assert!(image.0.set_len(1).is_err() && image.0.set_len(1 << 20).is_err());
            let again = std::fs::OpenOptions::new().write(true).open(image.path().unwrap());
            assert!(again.and_then(|mut file| file.write_all(b"x")).is_err());
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod kind {
    use std::io;

    pub(super) struct Image(Vec<u8>);

    impl Image {
        pub(super) fn read(mut from: impl io::Read) -> io::Result<Self> {
            let mut bytes = Vec::new();
            from.read_to_end(&mut bytes)?;
            Ok(Self(bytes))
        }

        pub(super) fn each(&self, mut see: impl FnMut(&[u8])) -> io::Result<()> {
            see(&self.0);
            Ok(())
        }

        pub(super) fn path(&self) -> Option<String> {
            None
        }
    }
}
