//! Permissions of files in granted folders: what stands behind the interface `files`.
//!
//! A path is taken apart: the folders on the way are opened beneath the grant's own handle, and the file by its last
//! part alone, which is never followed where it is a link.

use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawMode, Stat, fchmod, fstat, openat, statat};
use rustix::io::Errno;

use crate::{limits, text};

/// The bits that a plugin may set. One that could make programs setuid would act beyond its folder.
const SETTABLE: u32 = 0o777;
/// Those that there are: setuid, setgid and sticky as well.
const ALL: u32 = 0o7777;

/// One granted folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    name: String,
    dir: Arc<File>,
    writable: bool,
}

/// The granted folder of that name; otherwise what was not granted.
pub(crate) fn for_reading<'a>(folders: &'a [Folder], name: &str) -> Result<&'a Folder, String> {
    folders.iter().find(|folder| folder.name == name).ok_or_else(|| {
        let name = shown(name);
        format!(
            "the folder `{name}` was not granted to this call: `grants: {{filesystem: [{{path: {name}, access: \
             write}}]}}` grants it to `read`, `apply` and `adopt`"
        )
    })
}

/// The same where it may also be written.
pub(crate) fn for_writing<'a>(folders: &'a [Folder], name: &str) -> Result<&'a Folder, String> {
    for_reading(folders, name)?;
    folders.iter().find(|folder| folder.name == name && folder.writable).ok_or_else(|| {
        format!("the folder `{}` was granted for reading: its grant must say `access: write`", shown(name))
    })
}

impl Folder {
    pub(crate) fn new(name: String, dir: Arc<File>, writable: bool) -> Self {
        Self { name, dir, writable }
    }

    /// Makes an empty file that has this mode from the first.
    pub(crate) fn create(&self, path: &str, mode: u32) -> Result<(), String> {
        let mode = settable(mode)?;
        self.with(path, |parent, name| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            // The umask takes bits away, and never adds one: what it took is given back.
            Ok(fchmod(openat(parent, name, flags, mode)?, mode)?)
        })
    }

    /// The mode of a regular file, all its bits.
    pub(crate) fn mode(&self, path: &str) -> Result<u32, String> {
        self.with(path, |parent, name| {
            let stat = regular(statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?)?;
            Ok(RawMode::from(stat.st_mode) & ALL)
        })
    }

    /// Sets the mode of a regular file.
    pub(crate) fn set_mode(&self, path: &str, mode: u32) -> Result<(), String> {
        let mode = settable(mode)?;
        self.with(path, |parent, name| {
            // Before it is opened, which of a device or a pipe could do something; and again what was opened.
            regular(statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?)?;
            let file = open(parent, name)?;
            regular(fstat(&file)?)?;
            Ok(fchmod(file, mode)?)
        })
    }

    /// Does it with the folder in which the file stands, and the file's name there.
    fn with<T>(&self, path: &str, work: impl FnOnce(&Dir, &OsStr) -> io::Result<T>) -> Result<T, String> {
        let go = || {
            if path.len() > limits::PATH_BYTES {
                return Err(Errno::NAMETOOLONG.into());
            }
            let path = Path::new(path);
            let name = path.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
            let folder = Dir::from_std_file(self.dir.try_clone()?);
            match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                Some(parent) => work(&folder.open_dir(parent)?, name),
                None => work(&folder, name),
            }
        };
        go().map_err(|why| told(&self.name, path, &why))
    }
}

/// A handle through which the mode can be set: any will do, so that which one can be had is tried.
fn open(parent: &Dir, name: &OsStr) -> Result<OwnedFd, Errno> {
    let with = |access| {
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        openat(parent, name, flags, Mode::empty())
    };
    match with(OFlags::RDONLY) {
        Err(Errno::ACCESS) => with(OFlags::WRONLY),
        other => other,
    }
}

fn regular(stat: Stat) -> io::Result<Stat> {
    let other = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => return Ok(stat),
        FileType::Symlink => "a link",
        FileType::Directory => "a folder",
        _ => "a device, a pipe or a socket",
    };
    Err(io::Error::other(format!("it is {other}, not a regular file")))
}

fn settable(mode: u32) -> Result<Mode, String> {
    if mode & !SETTABLE != 0 {
        return Err(format!("the mode {mode:#o} cannot be set: only the bits of {SETTABLE:#o} can"));
    }
    Ok(Mode::from_raw_mode(mode))
}

fn told(folder: &str, path: &str, why: &dyn Display) -> String {
    format!("`{}` in `{folder}`: {why}", shown(path))
}

/// What a plugin said, short enough to be said back.
fn shown(said: &str) -> &str {
    text::cut(said, 500)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    struct At {
        _all: tempfile::TempDir,
        root: std::path::PathBuf,
        folder: Folder,
    }

    /// A granted folder beside a file that was not granted.
    fn at() -> At {
        let all = tempfile::tempdir().unwrap();
        let root = all.path().join("granted");
        fs::create_dir_all(root.join("sub")).unwrap();
        for file in ["secret", "granted/file", "granted/sub/file"] {
            fs::write(all.path().join(file), "text").unwrap();
            fs::set_permissions(all.path().join(file), Permissions::from_mode(0o640)).unwrap();
        }
        let dir = File::open(&root).unwrap();
        At { folder: Folder::new("out".to_owned(), dir.into(), true), root, _all: all }
    }

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & ALL
    }

    #[test]
    fn modes_are_read_and_set() {
        let At { root, folder, .. } = &at();
        for path in ["file", "sub/file", "sub/../file", "./file"] {
            folder.set_mode(path, 0o640).unwrap();
            assert_eq!(folder.mode(path), Ok(0o640), "{path}");
            folder.set_mode(path, 0o200).unwrap();
            assert_eq!((folder.mode(path), mode_of(&root.join(path))), (Ok(0o200), 0o200), "{path}");
        }
        fs::set_permissions(root.join("file"), Permissions::from_mode(0o4755)).unwrap();
        assert_eq!(folder.mode("file"), Ok(0o4755), "what others set is seen");
        folder.set_mode("file", 0o755).unwrap();
        assert_eq!(mode_of(&root.join("file")), 0o755);
    }

    #[test]
    fn a_new_file_has_its_mode_whatever_the_umask() {
        let At { root, folder, .. } = &at();
        for mode in [0o600, 0o666, 0o777, 0o000] {
            folder.create("new", mode).unwrap();
            assert_eq!(mode_of(&root.join("new")), mode);
            assert!(folder.create("new", mode).unwrap_err().contains("exists"), "it is somebody's");
            fs::remove_file(root.join("new")).unwrap();
        }
        symlink("absent", root.join("link")).unwrap();
        assert!(folder.create("link", 0o600).is_err());
        assert!(!root.join("absent").exists());
    }

    #[test]
    fn no_path_leads_out_and_no_link_is_followed() {
        let At { root, folder, .. } = &at();
        let secret = root.join("../secret");
        symlink(&secret, root.join("link")).unwrap();
        symlink("file", root.join("near")).unwrap();
        symlink("..", root.join("up")).unwrap();
        let absolute = secret.to_str().unwrap();
        for path in
            ["../secret", absolute, "sub/../../secret", "up/secret", "link", "near", "", "..", "/", "."]
        {
            assert!(folder.mode(path).is_err(), "{path}");
            assert!(folder.set_mode(path, 0o777).is_err(), "{path}");
            assert!(folder.create(path, 0o777).is_err(), "{path}");
        }
        for path in ["../new", "up/new", &format!("{absolute}.new")] {
            assert!(folder.create(path, 0o600).is_err(), "{path}");
        }
        assert_eq!((mode_of(&secret), mode_of(&root.join("file"))), (0o640, 0o640));
        assert!(folder.set_mode("near", 0o600).unwrap_err().contains("it is a link, not a regular file"));
        assert!(folder.mode(&"a/".repeat(limits::PATH_BYTES)).unwrap_err().len() < 1_000);
    }

    #[test]
    fn only_regular_files_have_a_mode() {
        let At { root, folder, .. } = &at();
        rustix::fs::mknodat(rustix::fs::CWD, root.join("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let before = mode_of(&root.join("sub"));
        for path in ["sub", "pipe", "absent", "file/below"] {
            assert!(folder.mode(path).is_err(), "{path}");
            assert!(folder.set_mode(path, 0o777).is_err(), "{path}");
        }
        assert_eq!((mode_of(&root.join("sub")), mode_of(&root.join("pipe"))), (before, 0o400));
    }

    #[test]
    fn only_the_nine_bits_can_be_set() {
        let At { root, folder, .. } = &at();
        for mode in [0o4755, 0o2755, 0o1755, 0o10_644, u32::MAX] {
            assert!(folder.set_mode("file", mode).unwrap_err().contains("0o777"), "{mode:o}");
            assert!(folder.create("new", mode).unwrap_err().contains("0o777"), "{mode:o}");
        }
        assert_eq!(mode_of(&root.join("file")), 0o640);
        assert!(!root.join("new").exists());
    }

    #[test]
    fn what_was_not_granted_is_named() {
        let At { root, folder, .. } = at();
        let reading = Folder { writable: false, ..folder.clone() };
        let read_only = std::slice::from_ref(&reading);
        assert!(for_reading(read_only, "out").is_ok());
        assert!(for_writing(read_only, "out").unwrap_err().contains("`access: write`"));
        assert!(for_writing(&[reading.clone(), folder], "out").unwrap().writable);
        for name in ["", "ou", "out/", root.to_str().unwrap()] {
            let why = for_reading(read_only, name).unwrap_err();
            assert!(why.contains(&format!("`{name}` was not granted")), "{why}");
            assert_eq!(for_writing(&[], name).unwrap_err(), why);
        }
    }
}
