//! The control plane that tests share, and a namespace of its own for each test.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::{must, root};

/// Names the kubeconfig of a cluster that runs already.
const VARIABLE: &str = "SHEAVE_TEST_KUBECONFIG";

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    kubeconfig: PathBuf,
}

impl Cluster {
    /// The cluster of this test run.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self { kubeconfig: kubeconfig() })
    }

    /// Its kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig.clone()
    }

    /// The API server's audit log.
    pub fn audit_log(&self) -> PathBuf {
        self.kubeconfig.with_file_name("audit.log")
    }

    /// The kubectl that goes with it: the one that was built beside the control plane, or the one on the PATH.
    pub fn kubectl(&self) -> PathBuf {
        kubectl_program()
    }
}

fn kubectl_program() -> PathBuf {
    let own = folder().join("kubectl");
    if own.is_file() { own } else { PathBuf::from("kubectl") }
}

/// The kubeconfig of the cluster of this test run: the one that `SHEAVE_TEST_KUBECONFIG` names, or that of the test
/// control plane, which is started unless it runs. Contexts of the latter: `admin` (current), `reader`, `nolist`, `nobody`.
pub fn kubeconfig() -> PathBuf {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    let found = FOUND.get_or_init(|| match std::env::var_os(VARIABLE).filter(|v| !v.is_empty()) {
        Some(given) => given.into(),
        None => up(),
    });
    found.clone()
}

fn up() -> PathBuf {
    let (program, dir) = (folder().join("sheave-cluster"), folder().join("default"));
    assert!(program.exists(), "there is no {}: run `cargo xtask cluster up`", program.display());
    // A cluster that runs already is left as it is.
    let up = Command::new(&program).arg("up").arg("--dir").arg(&dir).stdin(Stdio::null()).output();
    let _ = succeeded(up, &format!("{} up", program.display()));
    dir.join("kubeconfig")
}

fn folder() -> PathBuf {
    root().join("target/cluster")
}

fn succeeded(output: std::io::Result<Output>, what: &str) -> String {
    let output = must(output, what);
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A name that no other test uses, in any process: `WORD-...`, valid as a namespace.
pub fn unique(word: &str) -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!("{word}-{}", &id[..12])
}

/// A namespace that goes when the test ends.
#[derive(Debug)]
pub struct Namespace {
    /// Its name.
    pub name: String,
}

impl Namespace {
    /// Makes one; `word` is part of its name.
    pub fn new(word: &str) -> Self {
        let name = unique(&format!("test-{word}"));
        let _ = kubectl(&["create", "namespace", &name]);
        Self { name }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Not waited for: names are not used twice. A test that fails must not fail twice.
        let _ = command(&["delete", "namespace", &self.name, "--wait=false"]).output();
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(kubectl_program());
    command.arg("--kubeconfig").arg(kubeconfig()).args(args).stdin(Stdio::null());
    command
}

/// Runs kubectl as the cluster's administrator, and gives what it printed.
pub fn kubectl(args: &[&str]) -> String {
    succeeded(command(args).output(), &format!("kubectl {args:?}"))
}

/// Runs kubectl as [`kubectl`] does, with a text on its standard input.
pub fn kubectl_with(args: &[&str], input: &str) -> String {
    let what = format!("kubectl {args:?}");
    let piped = command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = must(piped, &what);
    if let Some(mut stdin) = child.stdin.take() {
        must(stdin.write_all(input.as_bytes()), &what);
    }
    succeeded(child.wait_with_output(), &what)
}
