//! What was measured, as tables, with what is wanted beside it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::calls::Calls;
use crate::objects::OBJECTS;
use crate::process::Cost;
use crate::rounds::Rounds;
use crate::setting::{Setting, machine};
use crate::tools::{Step, Tool};

/// All results of one run.
pub(crate) struct Report {
    pub(crate) calls: Calls,
    pub(crate) validate: Cost,
    pub(crate) rounds: Rounds,
}

/// What is wanted.
const RENDER: Duration = Duration::from_micros(150);
const CACHED_LOAD: Duration = Duration::from_millis(2);
const VALIDATE: Duration = Duration::from_millis(50);
const CREATE_RATIO: f64 = 1.5;
const UNCHANGED_BASE: Duration = Duration::from_millis(100);
const UNCHANGED_LISTS: u32 = 10;
const UNCHANGED_OF_HELM: f64 = 0.2;
const PEAK_KIB: u64 = 100 * 1024;

impl Report {
    pub(crate) fn for_a_terminal(&self) -> String {
        format!("\n{}\n{}\n{}", self.times(), self.memory(), self.wanted())
    }

    pub(crate) fn page(&self, setting: &Setting) -> String {
        format!(
            "# Benchmarks

Written by `cargo xtask bench`, which measures everything in one run. A run on another machine gives other numbers; what
should hold anywhere are the ratios.

- {}; load {} before the run
- {}

## {OBJECTS} ConfigMaps

One blueprint with `for-each`, one file for kubectl, one chart for Helm; the same objects. Each tool has a namespace of its
own and the settings that it comes with. The median of {} rounds, in which the tools take turns; each time is that of the whole
process, and what it left in the cluster is looked at after each step. *Bare requests* is the limit: a client in Rust that
sends one server-side apply an object, 32 at once, and does nothing else. (*Change* changes one object. There
the limit is one request for somebody who knows which one.)

{}
Listing all objects once, on an open connection, takes {}.

The largest resident set:

{}
## What is wanted

{}
`render` is a call of the built-in plugin in a fresh instance, which turns the properties of a Deployment into the object, with
all limits and checks. wasmtime alone, without limits and checks, takes {} for the same. The built-in plugin itself,
compiled ahead, loads in {}.
",
            machine(),
            setting.load,
            setting.versions(),
            self.rounds.count,
            self.times(),
            time(self.rounds.list()),
            self.memory(),
            self.wanted(),
            time(self.calls.bare),
            time(self.calls.builtin_load),
        )
    }

    fn times(&self) -> String {
        let all = &self.rounds;
        let row = |name: &str, step: Step| {
            let sheave = all.wall(Tool::Sheave, step);
            let cell = |tool: Tool| match all.wall(tool, step) {
                Duration::ZERO => String::new(),
                wall => time(wall),
            };
            let mut row = vec![name.to_owned()];
            row.extend(Tool::ALL.map(cell));
            for tool in [Tool::Bare, Tool::Kubectl, Tool::Helm] {
                let other = all.wall(tool, step);
                row.push(if other.is_zero() {
                    String::new()
                } else {
                    format!("{:.2}", ratio(sheave, other))
                });
            }
            row
        };
        table(&[
            ["time", "bare requests", "Sheave", "kubectl", "Helm", "Sheave / bare", "/ kubectl", "/ Helm"]
                .map(str::to_owned)
                .to_vec(),
            row("create", Step::Create),
            row("`sheave plan`, unchanged", Step::Plan),
            row("apply, unchanged", Step::Unchanged),
            row("change", Step::Change),
        ])
    }

    fn memory(&self) -> String {
        let row = |name: &str, step: Step| {
            let cell = |tool: Tool| match self.rounds.peak(tool, step) {
                0 => String::new(),
                kib => memory(kib),
            };
            std::iter::once(name.to_owned()).chain(Tool::ALL.map(cell)).collect()
        };
        table(&[
            std::iter::once("memory".to_owned()).chain(Tool::ALL.map(|t| t.name().to_owned())).collect(),
            row("create", Step::Create),
            row("`sheave plan`, unchanged", Step::Plan),
            row("apply, unchanged", Step::Unchanged),
            row("change", Step::Change),
        ])
    }

    fn wanted(&self) -> String {
        let all = &self.rounds;
        let (create, limit) = (all.wall(Tool::Sheave, Step::Create), all.wall(Tool::Bare, Step::Create));
        let (unchanged, helm) =
            (all.wall(Tool::Sheave, Step::Unchanged), all.wall(Tool::Helm, Step::Unchanged));
        let at_most = UNCHANGED_BASE + all.list() * UNCHANGED_LISTS;
        let peak = all.largest_peak(Tool::Sheave);
        let row = |what: &str, wanted: String, is: String, met: bool| {
            vec![what.to_owned(), wanted, is, if met { "yes" } else { "**no**" }.to_owned()]
        };
        let below = |limit: Duration| format!("below {}", time(limit));
        table(&[
            ["", "wanted", "is", "met"].map(str::to_owned).to_vec(),
            row("`render`", below(RENDER), time(self.calls.render), self.calls.render < RENDER),
            row(
                "a component loaded from the cache",
                below(CACHED_LOAD),
                time(self.calls.cached_load),
                self.calls.cached_load < CACHED_LOAD,
            ),
            row(
                "`sheave validate`, the process",
                below(VALIDATE),
                time(self.validate.wall),
                self.validate.wall < VALIDATE,
            ),
            row(
                &format!("create {OBJECTS}"),
                format!("at most {CREATE_RATIO} x bare requests"),
                format!("{:.2} x", ratio(create, limit)),
                ratio(create, limit) <= CREATE_RATIO,
            ),
            row(
                "apply, unchanged",
                format!("at most {} + {UNCHANGED_LISTS} x a list = {}", time(UNCHANGED_BASE), time(at_most)),
                time(unchanged),
                unchanged <= at_most,
            ),
            row(
                "apply, unchanged",
                format!("below {UNCHANGED_OF_HELM} x Helm"),
                format!("{:.2} x", ratio(unchanged, helm)),
                ratio(unchanged, helm) < UNCHANGED_OF_HELM,
            ),
            row("peak memory", format!("below {}", memory(PEAK_KIB)), memory(peak), peak < PEAK_KIB),
        ])
    }
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

fn time(of: Duration) -> String {
    match of.as_micros() {
        micros @ 0..1_000 => format!("{micros} µs"),
        micros @ 1_000..10_000 => format!("{:.1} ms", micros as f64 / 1e3),
        micros @ 10_000..1_000_000 => format!("{} ms", micros / 1_000),
        micros => format!("{:.2} s", micros as f64 / 1e6),
    }
}

fn memory(kib: u64) -> String {
    format!("{} MiB", kib.div_ceil(1024))
}

/// A table in Markdown, its columns as wide as they must be; the first row is the head.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(|i| width(i).max(3)).collect();
    let mut out = String::new();
    // Writing to a string cannot fail.
    for (n, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(out, "| {cell:width$} ");
        }
        out.push_str("|\n");
        if n == 0 {
            for width in &widths {
                let _ = write!(out, "|{:-<1$}", "", width + 2);
            }
            out.push_str("|\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_the_unit_that_fits() {
        let shown = [42, 1_500, 12_345, 2_345_678].map(|micros| time(Duration::from_micros(micros)));
        assert_eq!(shown, ["42 µs", "1.5 ms", "12 ms", "2.35 s"]);
    }

    #[test]
    fn tables_are_markdown() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let expected = "| a    | b   |\n|------|-----|\n| long | µ   |\n";
        assert_eq!(table(&[row(["a", "b"]), row(["long", "µ"])]), expected);
    }
}
