//! Runs a program, and tells how long it took and how much memory it held.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a program's memory is looked at. The kernel remembers the peak: only what is allocated in the last moment
/// before the end can be missed.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What a run cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// The largest resident set, in KiB.
    pub(crate) peak: u64,
}

/// Runs it to its end; gives its cost and what it printed. A program that fails is an error, with what it said.
pub(crate) fn run(command: &mut Command) -> Result<(Cost, String)> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let child = command.spawn().with_context(|| format!("cannot start {program}"))?;
    let status_file = format!("/proc/{}/status", child.id());
    let ended = AtomicBool::new(false);
    let (output, wall, peak) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut peak = 0;
            while !ended.load(Ordering::Relaxed) {
                peak = peak.max(fs::read_to_string(&status_file).map_or(0, |text| high_water(&text)));
                std::thread::sleep(LOOK_EVERY);
            }
            peak
        });
        let output = child.wait_with_output();
        let wall = started.elapsed();
        ended.store(true, Ordering::Relaxed);
        (output, wall, watcher.join().unwrap_or_default())
    });
    let output = output?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} ended with {}: {said}", output.status);
    }
    Ok((Cost { wall, peak }, String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// `VmHWM` of a status file, in KiB.
fn high_water(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_a_status_file() {
        assert_eq!(high_water("Name:\tx\nVmHWM:\t    5120 kB\nVmRSS:\t 4 kB\n"), 5120);
        assert_eq!(high_water("Name:\tx\nState:\tZ (zombie)\n"), 0);
    }
}
