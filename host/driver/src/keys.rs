//! Where the master key comes from: `SHEAVE_KEY`, or a file of the user's, made at the first use.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use sheave_model::Diagnostic;
use sheave_secrets::{MasterKey, RandomSource};

/// The operating system's random source.
#[derive(Debug, Default)]
pub(crate) struct SystemRandom;

impl RandomSource for SystemRandom {
    fn fill(&mut self, bytes: &mut [u8]) {
        // Fails only where the system has no random source at all: then nothing may go on.
        if getrandom::fill(bytes).is_err() {
            std::process::abort();
        }
    }
}

/// The longest key file that is read: a key is under a hundred bytes.
const MAX_KEY_FILE: u64 = 4096;

/// The master key. `given` is `SHEAVE_KEY`; the file stands in the user's configuration folder.
pub(crate) fn master_key(given: Option<&str>, config_dir: &Path) -> Result<MasterKey, Diagnostic> {
    if let Some(text) = given {
        return MasterKey::parse(text).map_err(|e| {
            let fault = e.diagnostic();
            Diagnostic { summary: format!("`SHEAVE_KEY`: {}", fault.summary), ..fault }
        });
    }
    let path = config_dir.join("key");
    let fault = |why: &std::io::Error| {
        Diagnostic::error(
            "key.unreadable",
            format!("the key file `{}` cannot be used: {why}", path.display()),
        )
        .with_help("it encrypts secrets in the state: restore it, or set `SHEAVE_KEY`")
    };
    match fs::File::open(&path) {
        Ok(file) => {
            let mode = file.metadata().map_err(|e| fault(&e))?.permissions().mode();
            if mode & 0o077 != 0 {
                let summary =
                    format!("the key file `{}` is open to others (mode {:o})", path.display(), mode & 0o777);
                return Err(Diagnostic::error("key.unreadable", summary)
                    .with_help(format!("run `chmod 600 {}`", path.display())));
            }
            let mut text = String::new();
            file.take(MAX_KEY_FILE).read_to_string(&mut text).map_err(|e| fault(&e))?;
            MasterKey::parse(&text).map_err(|e| {
                let fault = e.diagnostic();
                Diagnostic {
                    summary: format!("the key file `{}`: {}", path.display(), fault.summary),
                    ..fault
                }
            })
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => make(&path).map_err(|e| fault(&e)),
        Err(e) => Err(fault(&e)),
    }
}

/// The key that authenticates compiled plugins in the cache: derived, so that the cache holds nothing of the master key.
pub(crate) fn cache_key(key: &MasterKey) -> [u8; 32] {
    // No stack can have this name, so no stack's digests can be this key.
    let hex = key.stack("\0plugin-cache").digest("cache", b"");
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let digit = |c: u8| char::from(c).to_digit(16).unwrap_or_default();
        *byte = u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).unwrap_or_default();
    }
    out
}

/// Makes the key file. Two that make it at once end with one key: whoever links it first wins, the other reads it.
fn make(path: &Path) -> std::io::Result<MasterKey> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let key = MasterKey::generate(&mut SystemRandom);
    let draft = folder.join(format!(".key.{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(file, "{}", key.encode().expose())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(key),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            let text = fs::read_to_string(path)?;
            MasterKey::parse(&text).map_err(|e| std::io::Error::other(e.to_string()))
        }
        Err(e) => Err(e),
    }
}
