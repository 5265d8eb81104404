//! Compiled code on disk: private, authenticated, and never more than can be thrown away.
//!
//! A forged entry would be native code in the host, so an entry is used only where its authentication code, made with a
//! key that is not kept in the cache, is right for this component, this engine and these settings. Everything
//! that goes wrong here means only that the component is compiled once more.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::engine::hex;
use crate::image::Image;
use crate::limits;
use crate::native::Trusted;

/// What each entry begins with: a change of the format changes it.
const MAGIC: &[u8; 18] = b"sheave compiled 2\n";
const TAG: usize = 32;

/// The cache of one host.
pub(crate) struct Cache {
    folder: OwnedFd,
    key: Zeroizing<[u8; 32]>,
    engine: [u8; 32],
}

impl Cache {
    /// Opens the folder, making it where it is missing. None where it is not this user's own, or open to others.
    pub(crate) fn open(folder: &Path, key: [u8; 32], engine: [u8; 32]) -> Option<Self> {
        let key = Zeroizing::new(key);
        make_private(folder).ok()?;
        let folder =
            rustix::fs::open(folder, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
                .ok()?;
        let stat = rustix::fs::fstat(&folder).ok()?;
        let private = stat.st_uid == rustix::process::geteuid().as_raw() && stat.st_mode & 0o077 == 0;
        if !private {
            tracing::warn!(target: "plugin", "the cache of compiled plugins is not used: others can open its folder");
            return None;
        }
        Some(Self { folder, key, engine })
    }

    /// The compiled code of the component, where there is an entry and it is authentic.
    pub(crate) fn get(&self, digest: &str) -> Option<Trusted> {
        let name = self.name(digest);
        let file = rustix::fs::openat(
            &self.folder,
            &name,
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .ok()?;
        let stat = rustix::fs::fstat(&file).ok()?;
        let size = u64::try_from(stat.st_size).ok()?;
        if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::RegularFile
            || size > limits::CACHE_ENTRY_BYTES
        {
            return None;
        }
        let file = std::fs::File::from(file);
        let mut magic = [0; MAGIC.len()];
        let mut tag = [0; TAG];
        (&file).read_exact(&mut magic).and_then(|()| (&file).read_exact(&mut tag)).ok()?;
        if magic != *MAGIC {
            return None;
        }
        // What is checked is the copy that nobody can change any more.
        let code = Image::read((&file).take(limits::CACHE_ENTRY_BYTES)).ok()?;
        let mut mac = self.mac(&name);
        code.each(|part| {
            mac.update(part);
        })
        .ok()?;
        // Comparing with a `Hash` takes the same time wherever they differ.
        if mac.finalize() != tag {
            tracing::warn!(target: "plugin", entry = name, "an entry in the cache of compiled plugins is not authentic");
            return None;
        }
        // For the order in which entries are thrown away.
        let _ = file.set_modified(std::time::SystemTime::now());
        Some(Trusted::authenticated(code))
    }

    /// Keeps compiled code; that it could not is no fault.
    pub(crate) fn put(&self, digest: &str, code: &[u8]) {
        if let Err(e) = self.write(&self.name(digest), code) {
            tracing::debug!(target: "plugin", "compiled code was not cached: {e}");
        }
        self.prune();
    }

    fn write(&self, name: &str, code: &[u8]) -> std::io::Result<()> {
        // Whole entries only: two processes that write the same one both write the truth, and the later stays.
        let temporary = format!("{name}.{}.tmp", std::process::id());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let _ = rustix::fs::unlinkat(&self.folder, &temporary, AtFlags::empty());
        let file = rustix::fs::openat(&self.folder, &temporary, flags, Mode::RUSR | Mode::WUSR)?;
        let mut file = std::fs::File::from(file);
        let written = file
            .write_all(MAGIC)
            .and_then(|()| file.write_all(self.mac(name).update(code).finalize().as_bytes()))
            .and_then(|()| file.write_all(code))
            .and_then(|()| Ok(rustix::fs::renameat(&self.folder, &temporary, &self.folder, name)?));
        if written.is_err() {
            let _ = rustix::fs::unlinkat(&self.folder, &temporary, AtFlags::empty());
        }
        written
    }

    /// Throws away what was unused for longest, until the rest fits.
    fn prune(&self) {
        let Ok(folder) = rustix::fs::Dir::read_from(self.folder.as_fd()) else { return };
        let mut entries: Vec<_> = folder
            .flatten()
            .filter_map(|entry| {
                let stat =
                    rustix::fs::statat(&self.folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
                let regular =
                    rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::RegularFile;
                regular.then(|| {
                    (stat.st_mtime, u64::try_from(stat.st_size).unwrap_or(0), entry.file_name().to_owned())
                })
            })
            .collect();
        let mut total: u64 = entries.iter().map(|(_, size, _)| size).sum();
        entries.sort();
        for (_, size, name) in entries {
            if total <= limits::CACHE_BYTES {
                break;
            }
            if rustix::fs::unlinkat(&self.folder, &name, AtFlags::empty()).is_ok() {
                total -= size;
            }
        }
    }

    fn name(&self, digest: &str) -> String {
        hex(&Sha256::new().chain_update(self.engine).chain_update(digest).finalize())
    }

    /// Keyed BLAKE3: an authentication code by its design, and several times as quick as one of SHA-256 over the megabytes that
    /// compiled code has. Names have one length, so that no two entries run together to the same bytes. The code comes next.
    fn mac(&self, name: &str) -> blake3::Hasher {
        let mut mac = blake3::Hasher::new_keyed(&self.key);
        mac.update(name.as_bytes());
        mac
    }
}

fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn cache(folder: &Path) -> Cache {
        Cache::open(folder, KEY, [1; 32]).unwrap()
    }

    fn only_entry(folder: &Path) -> std::path::PathBuf {
        let mut all = std::fs::read_dir(folder).unwrap();
        let one = all.next().unwrap().unwrap().path();
        assert!(all.next().is_none(), "one entry, and no temporary file");
        one
    }

    #[test]
    fn gives_back_what_was_put_to_the_same_engine_and_key_only() {
        let at = tempfile::tempdir().unwrap();
        let folder = at.path().join("a/b");
        cache(&folder).put("d1", b"code");
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(cache(&folder).get("d1").unwrap().bytes(), b"code");
        assert!(cache(&folder).get("d2").is_none());
        assert!(Cache::open(&folder, KEY, [2; 32]).unwrap().get("d1").is_none());
        assert!(Cache::open(&folder, [8; 32], [1; 32]).unwrap().get("d1").is_none());
    }

    #[test]
    fn an_entry_that_was_touched_is_refused() {
        let at = tempfile::tempdir().unwrap();
        let folder = at.path().join("c");
        cache(&folder).put("d1", b"code");
        let entry = only_entry(&folder);
        let good = std::fs::read(&entry).unwrap();
        for i in 0..good.len() {
            let mut bad = good.clone();
            bad[i] ^= 1;
            std::fs::write(&entry, &bad).unwrap();
            assert!(cache(&folder).get("d1").is_none(), "byte {i}");
        }
        std::fs::write(&entry, &good[..good.len() - 1]).unwrap();
        assert!(cache(&folder).get("d1").is_none());
        std::fs::write(&entry, b"").unwrap();
        assert!(cache(&folder).get("d1").is_none());
    }

    #[test]
    fn an_entry_of_another_component_is_refused() {
        let at = tempfile::tempdir().unwrap();
        let folder = at.path().join("c");
        let cache = cache(&folder);
        cache.put("d1", b"code");
        std::fs::rename(folder.join(cache.name("d1")), folder.join(cache.name("d2"))).unwrap();
        assert!(cache.get("d2").is_none());
    }

    #[test]
    fn links_are_not_followed() {
        let at = tempfile::tempdir().unwrap();
        let folder = at.path().join("c");
        cache(&folder).put("d1", b"code");
        let entry = only_entry(&folder);
        let elsewhere = at.path().join("elsewhere");
        std::fs::rename(&entry, &elsewhere).unwrap();
        symlink(&elsewhere, &entry).unwrap();
        assert!(cache(&folder).get("d1").is_none());
        symlink(&folder, at.path().join("link")).unwrap();
        assert!(Cache::open(&at.path().join("link"), KEY, [1; 32]).is_none());
    }

    #[test]
    fn a_folder_that_others_can_open_is_not_used() {
        let at = tempfile::tempdir().unwrap();
        let folder = at.path().join("c");
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Cache::open(&folder, KEY, [1; 32]).is_none());
    }
}
