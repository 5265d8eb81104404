//! Finds a toolchain that builds guests, and how to call it. Shared with `xtask` and the build script of `host/builtin`, so it
//! needs only std.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What guests are built for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// How guests can be built on this machine.
#[derive(Debug)]
pub(crate) enum Toolchain {
    /// The target's std is installed beside this compiler.
    Installed { rustc: PathBuf },
    /// The compiler has the sources of std, which cargo builds along.
    BuildStd { rustc: PathBuf, cargo: PathBuf, linker: PathBuf },
}

impl Toolchain {
    /// Looks, and changes nothing.
    pub(crate) fn find() -> Option<Self> {
        let ours = PathBuf::from(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        // Debian's packages put theirs here; rustup's toolchain has no sources unless somebody added them.
        let debians = PathBuf::from("/usr/bin/rustc");
        let sysroot = sysroot(&ours)?;
        if sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir() {
            return Some(Self::Installed { rustc: ours });
        }
        let cargo = |rustc: &Path| rustc.with_file_name("cargo");
        let with_sources = [sysroot.join("bin/rustc"), debians]
            .into_iter()
            .find(|rustc| has_std_sources(rustc) && is_new_enough(rustc) && cargo(rustc).is_file())?;
        let linker = linker(&sysroot)?;
        Some(Self::BuildStd { cargo: cargo(&with_sources), rustc: with_sources, linker })
    }

    /// A cargo call that builds the guests of the workspace at `folder` in release mode, into `target_dir`.
    /// Nothing of a surrounding cargo, its flags or its wrappers reaches it.
    pub(crate) fn build(&self, folder: &Path, target_dir: &Path) -> Command {
        let mut command = match self {
            Self::Installed { rustc } => {
                let mut command = clean(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
                command.env("RUSTC", rustc);
                command
            }
            Self::BuildStd { rustc, cargo, linker } => {
                let mut command = clean(cargo);
                command.env("RUSTC", rustc).env("RUSTC_BOOTSTRAP", "1");
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                command
            }
        };
        command.current_dir(folder).args(["build", "--release", "--target", TARGET]);
        command.arg("--target-dir").arg(target_dir);
        if matches!(self, Self::BuildStd { .. }) {
            command.arg("-Zbuild-std=std,panic_abort");
        }
        command
    }

    /// Which one it is, in a few words.
    #[allow(dead_code, reason = "not everybody who shares this file says it")]
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Installed { .. } => format!("{TARGET} of the installed toolchain"),
            Self::BuildStd { rustc, .. } => {
                format!("{TARGET} with std built from source by {}", rustc.display())
            }
        }
    }
}

/// Where a build for [`TARGET`] leaves its modules.
pub(crate) fn modules(target_dir: &Path) -> PathBuf {
    target_dir.join(TARGET).join("release")
}

/// A command without what a surrounding cargo sets for its own rustc calls, build scripts and `cargo run`.
fn clean(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        let kept = text == "CARGO_HOME" || text.starts_with("CARGO_NET_") || text.starts_with("CARGO_HTTP_");
        let leaks = text.starts_with("CARGO")
            || text.starts_with("RUSTC")
            || text.starts_with("DEP_")
            || ["RUSTFLAGS", "RUSTDOC", "RUSTDOCFLAGS", "CLIPPY_ARGS", "CLIPPY_CONF_DIR", "MAKEFLAGS"]
                .contains(&text)
            || ["TARGET", "HOST", "OUT_DIR", "NUM_JOBS", "PROFILE", "OPT_LEVEL", "DEBUG"].contains(&text);
        if leaks && !kept {
            command.env_remove(&name);
        }
    }
    command
}

fn ask(rustc: &Path, args: &[&str]) -> Option<String> {
    let output = clean(rustc).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn sysroot(rustc: &Path) -> Option<PathBuf> {
    ask(rustc, &["--print", "sysroot"]).map(PathBuf::from)
}

fn has_std_sources(rustc: &Path) -> bool {
    sysroot(rustc).is_some_and(|s| s.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file())
}

/// The guests' edition and dependencies want what the host wants.
fn is_new_enough(rustc: &Path) -> bool {
    const OLDEST: (u32, u32) = (1, 95);
    let version = ask(rustc, &["--version"]).unwrap_or_default();
    let mut numbers = version.split([' ', '.', '-']).skip(1).map_while(|n| n.parse::<u32>().ok());
    numbers.next().zip(numbers.next()).is_some_and(|version| version >= OLDEST)
}

/// Debian's compiler has no linker for WebAssembly; rustup's has, and so has LLVM.
fn linker(sysroot: &Path) -> Option<PathBuf> {
    let targets = std::fs::read_dir(sysroot.join("lib/rustlib")).into_iter().flatten();
    let ours = targets.flatten().map(|t| t.path().join("bin/rust-lld")).find(|lld| lld.is_file());
    ours.or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join("wasm-ld")).find(|lld| lld.is_file())
    })
}
