//! A stack's runs for people and for scripts.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use sheave_driver::{HistoryReport, HistoryRow};
use sheave_model::event::RunOutcome;
use sheave_model::plan::Counts;

use super::{line, outside, table};
use crate::look::Paint;

/// Letters of an id that are shown: enough to tell runs apart, and to name one.
const ID: usize = 8;

/// One line a run, the oldest first.
pub(crate) fn text(history: &HistoryReport, paint: Paint) -> String {
    let stack = outside::line(&history.stack);
    if history.runs.is_empty() {
        return format!("Stack {stack} has no runs.\n");
    }
    let row = |run: &HistoryRow| {
        vec![
            run.number.to_string(),
            run.run.chars().take(ID).collect(),
            when(&run.started),
            took(run).unwrap_or_default(),
            word(run).to_owned(),
            run.counts.map(|c| done(&c)).unwrap_or_default(),
            outside::line(&run.command).into_owned(),
        ]
    };
    let rows: Vec<_> = history.runs.iter().map(row).collect();
    let heads = ["RUN", "ID", "STARTED", "TOOK", "OUTCOME", "OBJECTS", "COMMAND"];
    let last = "`sheave rollback RUN` goes back to what a run was given.";
    format!("Stack {stack}\n\n{}\n{}\n", table::table(&heads, &rows), paint.dim(last))
}

/// The same as one document.
pub(crate) fn json(history: &HistoryReport) -> Json {
    let run = |run: &HistoryRow| {
        json!({
            "number": run.number, "run": run.run, "command": run.command, "started": run.started,
            "finished": run.finished, "outcome": run.outcome, "running": run.running, "counts": run.counts,
        })
    };
    json!({"stack": history.stack, "runs": history.runs.iter().map(run).collect::<Vec<_>>()})
}

/// A time of the operator's own clock; as it is where it cannot be read.
fn when(at: &str) -> String {
    match at.parse::<Timestamp>() {
        Ok(at) => at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => outside::line(at).into_owned(),
    }
}

fn took(run: &HistoryRow) -> Option<String> {
    line::between(&run.started, run.finished.as_deref()?).map(line::span)
}

fn word(run: &HistoryRow) -> &'static str {
    match run.outcome {
        Some(RunOutcome::Ok) => "ok",
        Some(RunOutcome::Failed) => "failed",
        Some(RunOutcome::Cancelled) => "stopped",
        None if run.running => "running",
        None => "cut off",
    }
}

/// `3 created, 1 unchanged`.
fn done(counts: &Counts) -> String {
    let parts = [
        (counts.create, "created"),
        (counts.update, "updated"),
        (counts.delete, "deleted"),
        (counts.unchanged, "unchanged"),
        (counts.failed, "failed"),
    ];
    let said: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_at_a_glance() {
        let run = |number, command: &str, outcome, finished: Option<&str>| HistoryRow {
            number,
            run: format!("{number}f31c2aa-0000"),
            command: command.to_owned(),
            started: "2026-01-02T03:04:05.000Z".to_owned(),
            finished: finished.map(str::to_owned),
            outcome,
            running: number == 4,
            counts: outcome.map(|_| Counts { create: 3, failed: number - 1, ..Counts::default() }),
        };
        let runs = vec![
            run(1, "sheave apply", Some(RunOutcome::Ok), Some("2026-01-02T03:04:17.000Z")),
            run(2, "sheave apply", Some(RunOutcome::Failed), Some("2026-01-02T03:07:10.000Z")),
            run(3, "sheave \u{1b}destroy", None, None),
            run(4, "sheave rollback 1", None, None),
        ];
        let history = HistoryReport { stack: "blog".into(), runs };
        let shown = text(&history, Paint(false)).replace(&when("2026-01-02T03:04:05.000Z"), "(when)");
        insta::assert_snapshot!(format!("{shown}\n{:#}\n", json(&history)));
    }
}
