//! The tools by which plugins in other languages are built, each from its own registry, in the versions that the examples
//! name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::{must, root};

/// The examples whose files name the tools and their versions.
const PYTHON: [&str; 2] = ["examples/plugins/python/emitter", "examples/plugins/c/emitter"];
const JS: &str = "examples/plugins/js/emitter";

/// The variables with which a shell finds every tool, `programs` among them, and shares what it has built.
pub fn variables(programs: &Path) -> Vec<(String, String)> {
    static TOOLS: OnceLock<[PathBuf; 2]> = OnceLock::new();
    let tools = TOOLS.get_or_init(|| [python(), js()]);
    let inherited = std::env::var("PATH").unwrap_or_default();
    let mut path = tools.to_vec();
    path.push(programs.to_owned());
    path.extend(std::env::split_paths(&inherited));
    let path = must(std::env::join_paths(path), "PATH");
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let of = |name: &str, otherwise: PathBuf| {
        (name.to_owned(), std::env::var(name).unwrap_or_else(|_| otherwise.display().to_string()))
    };
    let shared = |name: &str| root().join("target/tools").join(name);
    vec![
        ("PATH".to_owned(), path.to_string_lossy().into_owned()),
        // A test's own home has none of these, and downloads and compiles nothing twice.
        of("CARGO_HOME", home.join(".cargo")),
        of("RUSTUP_HOME", home.join(".rustup")),
        of("GOCACHE", shared("go-cache")),
        of("ZIG_GLOBAL_CACHE_DIR", shared("zig-cache")),
        // The guests' own, where std for their target is built already.
        ("CARGO_TARGET_DIR".to_owned(), root().join("plugins/target").display().to_string()),
    ]
}

/// The folder of Python's tools: componentize-py, and zig for C.
fn python() -> PathBuf {
    let folder = root().join("target/tools/authors-python");
    let wanted: String = PYTHON.iter().map(|e| read(&root().join(e).join("requirements.txt"))).collect();
    let (programs, note) = (folder.join("bin"), folder.join("installed.txt"));
    if fs::read_to_string(&note).is_ok_and(|there| there == wanted) {
        return programs;
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder), "python3 (Debian: python3-venv)");
    let mut pip = Command::new(programs.join("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(wanted.lines());
    run(&mut pip, "pip");
    must(fs::write(&note, wanted), note.display());
    programs
}

/// The folder of JavaScript's tool.
fn js() -> PathBuf {
    let folder = root().join("target/tools/authors-js");
    let wanted = read(&root().join(JS).join("package.json"));
    let (programs, note) = (folder.join("node_modules/.bin"), folder.join("installed.txt"));
    if fs::read_to_string(&note).is_ok_and(|there| there == wanted) {
        return programs;
    }
    must(fs::create_dir_all(&folder), folder.display());
    must(fs::write(folder.join("package.json"), &wanted), folder.display());
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder);
    run(&mut npm, "npm (Debian: `apt-get install nodejs npm`)");
    must(fs::write(&note, wanted), note.display());
    programs
}

fn read(path: &Path) -> String {
    must(fs::read_to_string(path), path.display())
}

fn run(command: &mut Command, what: &str) {
    let done = must(command.output(), what);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{what}: {said}");
}
