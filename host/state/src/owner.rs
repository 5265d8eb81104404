//! Who holds a lock, and whether that process still lives.

use std::fmt;
use std::fs;

use serde::{Deserialize, Serialize};

/// A process that holds a lock: enough to tell on its own machine whether it still lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LockOwner {
    /// The machine's name.
    pub host: String,
    /// The machine's own id, where it has one: two machines can have one name.
    #[serde(default)]
    pub machine: Option<String>,
    /// Which start of the machine; none where the system does not say.
    #[serde(default)]
    pub boot_id: Option<String>,
    /// The namespace of `pid`: a container's processes cannot be seen from another.
    #[serde(default)]
    pub pid_namespace: Option<String>,
    /// The process.
    pub pid: u32,
    /// When the process started, in the kernel's ticks since the machine did: tells it from a later one of the same id.
    #[serde(default)]
    pub started: Option<u64>,
    /// What it does, such as `apply`. No arguments: they may hold secrets.
    pub command: String,
    /// Since when, RFC 3339.
    pub at: String,
}

/// What can be told of an owner from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Alive,
    Dead,
    /// On another machine, or in another container.
    Elsewhere,
}

impl LockOwner {
    /// This process, doing `command`, from now on.
    pub fn current(command: impl Into<String>) -> Self {
        let pid = std::process::id();
        Self {
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            machine: line("/etc/machine-id"),
            boot_id: line("/proc/sys/kernel/random/boot_id"),
            pid_namespace: fs::read_link("/proc/self/ns/pid").ok().map(|p| p.to_string_lossy().into_owned()),
            pid,
            started: process(pid).map(|p| p.started),
            command: command.into(),
            at: format!("{:.3}", jiff::Timestamp::now()),
        }
    }

    /// Whether this owner still lives, as seen from the process that `here` describes.
    pub(crate) fn life(&self, here: &Self) -> Life {
        if self.host != here.host || self.machine != here.machine {
            return Life::Elsewhere;
        }
        if self.boot_id != here.boot_id {
            return Life::Dead;
        }
        if self.pid_namespace != here.pid_namespace {
            return Life::Elsewhere;
        }
        if !exists(self.pid) {
            return Life::Dead;
        }
        // Where the process cannot be looked at, it is there: that is all that can be said.
        let Some(process) = process(self.pid) else { return Life::Alive };
        let same = self.started.is_none_or(|started| started == process.started);
        if same && !process.ended { Life::Alive } else { Life::Dead }
    }
}

impl fmt::Display for LockOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` (process {} on {}) since {}", self.command, self.pid, self.host, self.at)
    }
}

fn line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|t| !t.is_empty())
}

/// Whether there is such a process, be it somebody else's.
fn exists(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else { return false };
    !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

struct Process {
    started: u64,
    /// It is over, and its parent has not asked for its end yet.
    ended: bool,
}

fn process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets, which may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    Some(Process { started: fields.nth(18)?.parse().ok()?, ended })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives() {
        let me = LockOwner::current("test");
        assert_eq!(me.life(&me), Life::Alive);
        if cfg!(target_os = "linux") {
            assert!(me.started.is_some() && me.boot_id.is_some(), "{me:?}");
        }
    }

    #[test]
    fn another_start_of_process_or_machine_is_death() {
        let me = LockOwner::current("test");
        let later = LockOwner { started: me.started.map(|t| t + 1), ..me.clone() };
        let rebooted = LockOwner { boot_id: Some("another".into()), ..me.clone() };
        let gone = LockOwner { pid: i32::MAX as u32, ..me.clone() };
        for dead in [later, rebooted, gone] {
            assert_eq!(dead.life(&me), Life::Dead, "{dead:?}");
        }
    }

    #[test]
    fn another_machine_or_container_cannot_be_judged() {
        let me = LockOwner::current("test");
        let host = LockOwner { host: "elsewhere".into(), boot_id: None, ..me.clone() };
        let twin = LockOwner { machine: Some("another".into()), boot_id: None, ..me.clone() };
        let container =
            LockOwner { pid_namespace: Some("pid:[1]".into()), pid: i32::MAX as u32, ..me.clone() };
        for other in [host, twin, container] {
            assert_eq!(other.life(&me), Life::Elsewhere, "{other:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_ended_child_that_nobody_waited_for_is_dead() {
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        let me = LockOwner::current("test");
        let owner =
            LockOwner { pid: child.id(), started: process(child.id()).map(|p| p.started), ..me.clone() };
        // Nothing tells of an end that nobody waits for: ask until it shows.
        while !process(child.id()).unwrap().ended {
            std::thread::yield_now();
        }
        assert_eq!(owner.life(&me), Life::Dead);
        child.wait().unwrap();
    }
}
