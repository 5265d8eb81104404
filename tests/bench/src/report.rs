//! What was measured, as tables, with what is wanted beside it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::calls::Calls;
use crate::crowd::{ALIVE, Crowd};
use crate::languages::Language;
use crate::objects::Load;
use crate::process::Cost;
use crate::rounds::Rounds;
use crate::setting::{Setting, machine};
use crate::tools::{Step, Tool};

/// All results of one run.
pub(crate) struct Report {
    pub(crate) calls: Calls,
    pub(crate) crowd: Crowd,
    pub(crate) languages: Vec<Language>,
    pub(crate) validate: Cost,
    pub(crate) rounds: Vec<Rounds>,
}

/// What is wanted.
const RENDER: Duration = Duration::from_micros(150);
/// A call beside the same one in wasmtime alone.
const CALL_RATIO: f64 = 1.5;
const ALIVE_KIB: u64 = 400 * 1024;
const CACHED_LOAD: Duration = Duration::from_millis(2);
const VALIDATE: Duration = Duration::from_millis(50);
const UNCHANGED_BASE: Duration = Duration::from_millis(100);
const UNCHANGED_OF_HELM: f64 = 0.2;
/// From a thousand mixed objects to ten thousand.
const GROWTH: f64 = 11.0;

/// What is wanted of one load.
struct Wanted {
    create_ratio: f64,
    /// Lists beside [`UNCHANGED_BASE`].
    unchanged_lists: u32,
    unchanged: Option<Duration>,
    /// A change beside an apply without one.
    change_ratio: Option<f64>,
    peak_kib: Option<u64>,
}

impl Wanted {
    fn of(load: Load) -> Self {
        match load {
            Load::Maps(objects) => Self {
                create_ratio: 1.5,
                unchanged_lists: 10,
                unchanged: None,
                change_ratio: None,
                peak_kib: (objects <= 1_000).then_some(100 * 1024),
            },
            Load::Mixed(objects) => Self {
                create_ratio: 1.3,
                unchanged_lists: 5,
                unchanged: (objects <= 10_000).then_some(Duration::from_millis(1_500)),
                change_ratio: Some(1.1),
                peak_kib: (objects <= 10_000).then_some(300 * 1024),
            },
        }
    }
}

impl Report {
    pub(crate) fn for_a_terminal(&self) -> String {
        let mut text = format!("\n{}\n{}", self.wanted(), self.languages());
        for rounds in &self.rounds {
            let _ = write!(
                text,
                "\n{}\n\n{}\n{}\n{}",
                rounds.load.title(),
                rounds.times(),
                rounds.memory(),
                rounds.wanted()
            );
        }
        text
    }

    pub(crate) fn page(&self, setting: &Setting) -> String {
        let mut page = format!(
            "# Benchmarks

Written by `cargo xtask bench`, which measures everything in one run. A run on another machine gives other numbers; what
should hold anywhere are the ratios.

- {}; load {} before the run
- {}

## One call, one process

{}
`render` is a call of the built-in plugin in a fresh instance, which turns the properties of a Deployment into the object, with
all limits and checks; two threads serve {} a second. wasmtime alone, with the same fuel and epochs, takes {} for the same. Live
instances are those of a provider that waits inside the host, each with memory of its own; what is counted is all that their process
has. The component from the cache is the provider `file`; wasmtime alone, which reads its code, deserialises it and links it to nothing,
authenticates nothing and compares no digest, takes {}. The built-in plugin itself, compiled ahead, loads in {}.

Beside that, a process for each plugin: one in Go that does nothing, behind hashicorp's go-plugin, is started and has answered one call
after {}, and holds {} meanwhile.

## Languages

{}
The emitter that `sheave plugin new` makes in each language. It is built after the tools have built one such project before, loaded
from the cache of compiled components, and renders its three objects, the first call of its process; what is counted is
the largest resident set of that process, the host included.

## Objects

One blueprint with `for-each`, one file for kubectl, one chart for Helm; the same objects. Each tool has namespaces of its
own and the settings that it comes with. The tools take turns; each time is that of the whole process, the median of the rounds, and
what it left in the cluster is looked at after each step. A ratio is the median of what each round says, in which Sheave and the limit
come right after each other, either first as often: a machine whose speed changes from minute to minute changes both. Before each step
the API server collects its garbage, so that this falls into no
tool's step by chance. *Bare requests* is the limit: a client in Rust that
sends one server-side apply an object, 32 at once, and does nothing else. (*Change* changes one object. There
the limit is one request for somebody who knows which one.) Helm keeps a release in one Secret, which is too small for thousands of
objects. Memory is the largest resident set.
",
            machine(),
            setting.load,
            setting.versions(),
            self.wanted(),
            self.crowd.per_second,
            time(self.calls.bare),
            time(self.calls.bare_load),
            time(self.calls.builtin_load),
            time(self.crowd.process),
            memory(self.crowd.process_kib),
            self.languages(),
        );
        for rounds in &self.rounds {
            let count = counted(rounds);
            let _ = write!(
                page,
                "
### {}

{}
{}
{count}. The lists that all objects need, on open connections, take {}.

{}",
                rounds.load.title(),
                rounds.times(),
                rounds.memory(),
                time(rounds.list()),
                rounds.wanted(),
            );
        }
        page.push_str(&self.growth());
        page
    }

    fn languages(&self) -> String {
        let mut rows = vec![
            ["", "component", "build", "load from the cache", "first call", "memory"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(self.languages.iter().map(|l| {
            let size = match l.component {
                bytes @ 0..1_000_000 => format!("{} kB", bytes / 1_000),
                bytes => format!("{:.1} MB", bytes as f64 / 1e6),
            };
            vec![l.name.to_owned(), size, time(l.build), time(l.load), time(l.call), memory(l.peak)]
        }));
        table(&rows)
    }

    /// How times grow with the number of objects.
    fn growth(&self) -> String {
        let of = |objects: usize| self.rounds.iter().find(|r| r.load == Load::Mixed(objects));
        let (Some(less), Some(more)) = (of(1_000), of(10_000)) else { return String::new() };
        let row = |what: &str, step: Step| {
            let ratio = ratio(more.wall(Tool::Sheave, step), less.wall(Tool::Sheave, step));
            row(what, format!("at most {GROWTH} x"), format!("{ratio:.1} x"), ratio <= GROWTH)
        };
        let rows = [
            head(),
            row("create", Step::Create),
            row("apply, unchanged", Step::Unchanged),
            row("change", Step::Change),
        ];
        format!("\n### From 1,000 to 10,000 objects\n\n{}", table(&rows))
    }

    fn wanted(&self) -> String {
        let below = |limit: Duration| format!("below {}", time(limit));
        table(&[
            head(),
            row("`render`", below(RENDER), time(self.calls.render), self.calls.render < RENDER),
            row(
                "`render`",
                format!("at most {CALL_RATIO} x wasmtime alone"),
                format!("{:.2} x", ratio(self.calls.render, self.calls.bare)),
                ratio(self.calls.render, self.calls.bare) <= CALL_RATIO,
            ),
            row(
                &format!("{ALIVE} live instances"),
                format!("below {}", memory(ALIVE_KIB)),
                memory(self.crowd.alive_kib),
                self.crowd.alive_kib < ALIVE_KIB,
            ),
            row(
                "a component loaded from the cache",
                below(CACHED_LOAD),
                time(self.calls.cached_load),
                self.calls.cached_load < CACHED_LOAD,
            ),
            row(
                "a component loaded from the cache",
                format!("at most {CALL_RATIO} x wasmtime alone"),
                format!("{:.2} x", ratio(self.calls.cached_load, self.calls.bare_load)),
                ratio(self.calls.cached_load, self.calls.bare_load) <= CALL_RATIO,
            ),
            row(
                "`sheave validate`, the process",
                below(VALIDATE),
                time(self.validate.wall),
                self.validate.wall < VALIDATE,
            ),
        ])
    }
}

fn counted(rounds: &Rounds) -> String {
    let times = |count: usize| match count {
        1 => "One round".to_owned(),
        several => format!("{several} rounds"),
    };
    if rounds.pairs == rounds.count {
        times(rounds.count)
    } else {
        format!("{} of Sheave and bare requests, {} of all", times(rounds.pairs), rounds.count)
    }
}

impl Rounds {
    pub(crate) fn times(&self) -> String {
        let row = |name: &str, step: Step| {
            let cell = |tool: Tool| match self.wall(tool, step) {
                Duration::ZERO => String::new(),
                wall => time(wall),
            };
            let mut row = vec![name.to_owned()];
            row.extend(Tool::ALL.map(cell));
            for tool in [Tool::Bare, Tool::Kubectl, Tool::Helm] {
                let ratio = self.ratio((Tool::Sheave, step), (tool, step));
                row.push(ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")));
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
            let cell = |tool: Tool| match self.peak(tool, step) {
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
        let wanted = Wanted::of(self.load);
        let unchanged = self.wall(Tool::Sheave, Step::Unchanged);
        let lists = wanted.unchanged_lists;
        let at_most = UNCHANGED_BASE + self.list() * lists;
        let beside = |name: &str, step, most: f64, what: &str, other| {
            let ratio = self.ratio((Tool::Sheave, step), other)?;
            Some(row(name, format!("at most {most} x {what}"), format!("{ratio:.2} x"), ratio <= most))
        };
        let mut rows = vec![head()];
        rows.extend(beside(
            "create",
            Step::Create,
            wanted.create_ratio,
            "bare requests",
            (Tool::Bare, Step::Create),
        ));
        rows.push(row(
            "apply, unchanged",
            format!("at most {} + {lists} x the lists = {}", time(UNCHANGED_BASE), time(at_most)),
            time(unchanged),
            unchanged <= at_most,
        ));
        if let Some(most) = wanted.unchanged {
            rows.push(row(
                "apply, unchanged",
                format!("below {}", time(most)),
                time(unchanged),
                unchanged < most,
            ));
        }
        if let Some(helm) = self.ratio((Tool::Sheave, Step::Unchanged), (Tool::Helm, Step::Unchanged)) {
            rows.push(row(
                "apply, unchanged",
                format!("below {UNCHANGED_OF_HELM} x Helm"),
                format!("{helm:.2} x"),
                helm < UNCHANGED_OF_HELM,
            ));
        }
        if let Some(most) = wanted.change_ratio {
            rows.extend(beside("change", Step::Change, most, "unchanged", (Tool::Sheave, Step::Unchanged)));
        }
        if let Some(most) = wanted.peak_kib {
            let peak = self.largest_peak(Tool::Sheave);
            rows.push(row("peak memory", format!("below {}", memory(most)), memory(peak), peak < most));
        }
        table(&rows)
    }
}

fn head() -> Vec<String> {
    ["", "wanted", "is", "met"].map(str::to_owned).to_vec()
}

fn row(what: &str, wanted: String, is: String, met: bool) -> Vec<String> {
    vec![what.to_owned(), wanted, is, if met { "yes" } else { "**no**" }.to_owned()]
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
