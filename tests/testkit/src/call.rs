//! One call of a program: started, watched, bounded in time, and told in full where it does not do what it should.

use std::fmt;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::must;

/// How long a call may take where the test does not say: many times what it takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(240);

/// A program about to be called.
#[derive(Debug)]
pub struct Call {
    command: Command,
    limit: Duration,
}

impl Call {
    /// Of a program with nothing in its environment.
    pub fn new(program: &Path) -> Self {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, limit: LIMIT }
    }

    /// With more arguments.
    #[must_use]
    pub fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(args);
        self
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// In this folder.
    #[must_use]
    pub fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Ended, and the test failed, where it takes longer.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Output {
        self.start().finish()
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let shown = words.map(|w| w.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let mut child = must(self.command.spawn(), &shown);
        let (send, said) = channel();
        if let Some(stdout) = child.stdout.take() {
            listen(stdout, send.clone(), Said::Out);
        }
        if let Some(stderr) = child.stderr.take() {
            listen(stderr, send, Said::Err);
        }
        let began = Instant::now();
        let output = Output { shown, ..Output::default() };
        Running { child, said, began, limit: self.limit, heard: [Vec::new(), Vec::new()], output }
    }
}

enum Said {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

fn listen(mut from: impl Read + Send + 'static, to: Sender<Said>, wrap: fn(Vec<u8>) -> Said) {
    thread::spawn(move || {
        let mut piece = vec![0; 64 << 10];
        while let Ok(n @ 1..) = from.read(&mut piece) {
            if to.send(wrap(piece[..n].to_vec())).is_err() {
                return;
            }
        }
    });
}

/// A program that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    said: Receiver<Said>,
    began: Instant,
    limit: Duration,
    /// A character can come in two pieces.
    heard: [Vec<u8>; 2],
    output: Output,
}

impl Running {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until its output so far is as `enough` wants it.
    pub fn until(&mut self, what: &str, enough: impl Fn(&Output) -> bool) {
        while !enough(&self.output) {
            assert!(self.hear(), "it ended before {what}:\n{}", self.output);
        }
    }

    /// Ends it at once: SIGKILL.
    pub fn kill(&mut self) {
        must(self.child.kill(), "kill");
    }

    /// Asks it to stop, as ^C does.
    pub fn interrupt(&self) {
        let pid = self.pid().to_string();
        let status = Command::new("/bin/kill").args(["-INT", &pid]).status();
        assert!(must(status, "kill -INT").success());
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Output {
        while self.hear() {}
        self.output.took = self.began.elapsed();
        self.output.status = must(self.child.wait(), &self.output.shown);
        std::mem::take(&mut self.output)
    }

    /// The most memory that it has held so far, in bytes; none once it has ended.
    fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        Some(peak?.parse::<u64>().ok()? << 10)
    }

    /// Takes in what comes next; false: nothing more will.
    fn hear(&mut self) -> bool {
        self.output.peak_memory = self.peak_memory().unwrap_or(self.output.peak_memory);
        let left = self.limit.saturating_sub(self.began.elapsed());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self.said.recv_timeout(left) {
            Ok(Said::Out(piece)) => {
                self.heard[0].extend(piece);
                self.output.stdout = text(&self.heard[0]);
            }
            Ok(Said::Err(piece)) => {
                self.heard[1].extend(piece);
                self.output.stderr = text(&self.heard[1]);
            }
            Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => {
                let _ = self.child.kill();
                panic!("not done after {} s:\n{}", self.limit.as_secs(), self.output);
            }
        }
        true
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program said, and how it ended.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// The command line.
    pub shown: String,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// How it ended.
    pub status: ExitStatus,
    /// How long it took.
    pub took: Duration,
    /// The most memory that it had held when it last said something before its end, in bytes.
    pub peak_memory: u64,
}

impl Output {
    /// Its exit code; none where a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Whether SIGKILL ended it.
    pub fn was_killed(&self) -> bool {
        const SIGKILL: i32 = 9;
        self.status.signal() == Some(SIGKILL)
    }

    /// Sees to it that it ended with this code.
    #[must_use]
    pub fn exits(self, code: i32) -> Self {
        assert!(self.code() == Some(code), "exit {code} was expected:\n{self}");
        self
    }

    /// Sees to it that it said this, on standard output or error.
    #[must_use]
    pub fn says(self, what: &str) -> Self {
        assert!(self.stdout.contains(what) || self.stderr.contains(what), "`{what}` was expected:\n{self}");
        self
    }

    /// What it said on standard error as one line, whatever was wrapped how.
    pub fn explained(&self) -> String {
        let words = self.stderr.split_whitespace().filter(|w| *w != "│");
        words.collect::<Vec<_>>().join(" ")
    }

    /// Standard output as one JSON document.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|why| panic!("no JSON document, {why}:\n{self}"))
    }

    /// Standard output as JSON, one document a line.
    pub fn events(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|why| panic!("`{line}`: {why}\n{self}"));
        self.stdout.lines().map(parse).collect()
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shown, stdout, stderr, status, took, .. } = self;
        let took = took.as_secs_f64();
        write!(f, "$ {shown}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n--- {status} after {took:.1} s\n")
    }
}
