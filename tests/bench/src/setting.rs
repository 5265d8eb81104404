//! Where measuring is done: the programs, a folder, the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::root;

/// What `cargo xtask bench` provides, by these variables; each names a program.
const SHEAVE: &str = "SHEAVE_BENCH_SHEAVE";
const KUBECTL: &str = "SHEAVE_BENCH_KUBECTL";
const HELM: &str = "SHEAVE_BENCH_HELM";
const GOPLUGIN: &str = "SHEAVE_BENCH_GOPLUGIN";

/// The programs, and the folder that they work in.
pub(crate) struct Setting {
    pub(crate) sheave: PathBuf,
    pub(crate) kubectl: PathBuf,
    pub(crate) helm: PathBuf,
    /// A provider that does nothing, as a process.
    pub(crate) goplugin: PathBuf,
    pub(crate) itself: PathBuf,
    pub(crate) folder: PathBuf,
    /// The machine's load before anything was measured.
    pub(crate) load: String,
}

impl Setting {
    /// Starts with an empty folder.
    pub(crate) fn of_this_machine() -> Result<Self> {
        let given = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .with_context(|| format!("{name} is not set: call `cargo xtask bench`"))
        };
        let folder = root().join("target/bench");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(Self {
            sheave: given(SHEAVE)?,
            kubectl: given(KUBECTL)?,
            helm: given(HELM)?,
            goplugin: given(GOPLUGIN)?,
            itself: std::env::current_exe()?,
            folder,
            load: load(),
        })
    }

    /// A program that finds the cluster, and nothing else of the user's: no settings, no caches.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(&self.folder);
        command.envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "KUBECONFIG"));
        let home = self.folder.join("home");
        command.env("KUBECACHEDIR", home.join("kube-cache")).env("HOME", home);
        command
    }

    fn said(&self, program: &Path, args: &[&str]) -> String {
        let output = self.command(program).args(args).output();
        output.map_or_else(|e| e.to_string(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
    }

    /// The compared programs with their versions.
    pub(crate) fn versions(&self) -> String {
        let kubernetes: Value =
            serde_json::from_str(&self.said(&self.kubectl, &["version", "-o", "json"])).unwrap_or_default();
        let of = |what: &str| kubernetes[what]["gitVersion"].as_str().unwrap_or("?").to_owned();
        format!(
            "{}, kubectl {}, Helm {}, API server {}",
            self.said(&self.sheave, &["--version"]),
            of("clientVersion"),
            self.said(&self.helm, &["version", "--template", "{{.Version}}"]),
            of("serverVersion"),
        )
    }
}

/// Processor, cores, memory and system.
pub(crate) fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        line.and_then(|l| Some(l.split_once(':')?.1.trim().to_owned())).unwrap_or_else(|| "?".to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kib: u64 = field(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
    format!(
        "{}, {cores} cores, {} GiB of memory, Linux {}",
        field(&read("/proc/cpuinfo"), "model name"),
        (kib + (1 << 19)) >> 20,
        read("/proc/sys/kernel/osrelease").trim(),
    )
}

/// How busy the machine is without us: programs that want to run, over the last minute.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().unwrap_or("?").to_owned()
}
