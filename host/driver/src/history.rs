//! Past runs: their list, and carrying an earlier one out again.

use sheave_model::event::RunOutcome;
use sheave_model::journal::RunRecord;
use sheave_model::plan::{Counts, Plan, Purpose};
use sheave_model::{Diagnostic, PluginPin};
use sheave_state::{PastRun, SqliteStore, Store as _};

use crate::driver::{Driver, Prepared, explained, state_fault};
use crate::load::Kept;
use crate::plugins::BUILTIN;
use crate::request::{ApplyReport, Cancel, Fault, PlanReport, PlanRequest, Watcher};

/// Letters of a run's id that must be given at least: fewer would mean another run one day.
const MIN_ID: usize = 4;

/// One run of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRow {
    /// Counted from one, the oldest first; it stays the run's number.
    pub number: u64,
    /// Its id.
    pub run: String,
    /// What it was called by, such as `sheave apply`.
    pub command: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// When it ended, RFC 3339; none: it has not, or was cut off.
    pub finished: Option<String>,
    /// How it ended; none: it has not, or was cut off.
    pub outcome: Option<RunOutcome>,
    /// Whether it goes on right now, as far as the lock tells.
    pub running: bool,
    /// What it did; none where it has not ended by itself.
    pub counts: Option<Counts>,
}

/// The runs of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryReport {
    /// The stack's name.
    pub stack: String,
    /// The oldest first.
    pub runs: Vec<HistoryRow>,
}

impl Driver {
    /// All runs of the stack.
    pub async fn history(&self) -> Result<HistoryReport, Fault> {
        let stack = self.recorded().await?.name;
        let store = self.open_store().await?;
        let locked = store.lock_owner(&stack).await.map_err(|e| state_fault(&e))?.is_some();
        let past = store.runs(&stack).await.map_err(|e| state_fault(&e))?;
        let mut runs = rows(past);
        if let Some(last) = runs.last_mut() {
            last.running = locked && last.finished.is_none();
        }
        Ok(HistoryReport { stack, runs })
    }

    /// Plans and applies what an earlier run was given: its blueprint and its inputs. `run` is its number or the
    /// beginning of its id; the rest is as of [`Driver::apply`]. Secret inputs are not kept, and must be given as they were.
    pub async fn rollback(
        &self,
        run: &str,
        approve: impl AsyncFnOnce(&PlanReport) -> bool,
        watcher: &Watcher,
        cancel: &Cancel,
    ) -> Result<ApplyReport, Fault> {
        let stack = self.recorded().await?.name;
        let store = self.open_store().await?;
        let runs = rows(store.runs(&stack).await.map_err(|e| state_fault(&e))?);
        let row = find(&runs, run).map_err(|why| explained(*why))?;
        let kept = store.run(&stack, &row.run).await.map_err(|e| state_fault(&e))?;
        let Some(record) = kept.filter(|r| r.blueprint.is_some()) else {
            let summary = format!("run {} (`{}`) keeps no blueprint to go back to", row.number, row.command);
            return Err(explained(
                Diagnostic::error("history.no-blueprint", summary)
                    .with_help("`sheave history` lists the runs; those that applied something keep theirs"),
            ));
        };
        let mut settings = self.settings.clone();
        settings.stack = Some(stack);
        let driver = Self { settings, again: Some(Box::new(record)) };
        let request = PlanRequest { purpose: Purpose::Apply, only: Vec::new() };
        driver.apply(&request, approve, watcher, cancel).await
    }

    /// What an apply needs, from an earlier run's record.
    pub(crate) async fn prepare_again(
        &self,
        run: &RunRecord,
        store: &SqliteStore,
        watcher: &Watcher,
        cancel: &Cancel,
    ) -> Result<Prepared, Fault> {
        let stack = self.stack_name(Purpose::Apply, store).await?;
        let state = self.load_state(store, &stack).await?;
        let given = Plan {
            blueprint: run.blueprint.clone(),
            inputs: run.inputs.clone(),
            ..Plan::nothing(stack, state.serial)
        };
        let kept = kept_plugins(run, store).await?;
        let mut prepared =
            self.prepare_plan(&given, state, kept, watcher, cancel).await.map_err(about_a_past_run)?;
        prepared.diagnostics.extend(other_plugins(run, &prepared));
        Ok(prepared)
    }
}

/// The plugins of what the run left in the stack.
fn pins(then: &RunRecord) -> impl Iterator<Item = &PluginPin> {
    then.plugins.values().chain(then.plan.pins())
}

/// The plugins of the run, from the state's own copies. One without a copy is loaded from where the blueprint says.
async fn kept_plugins(then: &RunRecord, store: &SqliteStore) -> Result<Kept, Fault> {
    let mut kept = Kept::new();
    for pin in pins(then) {
        if pin.source == BUILTIN || kept.contains_key(&pin.name) {
            continue;
        }
        if let Some(bytes) = store.component(&pin.digest).await.map_err(|e| state_fault(&e))? {
            kept.insert(pin.name.clone(), (pin.clone(), Some(bytes)));
        }
    }
    Ok(kept)
}

/// Plugins that are not those of the run any more: what they make may differ.
fn other_plugins(then: &RunRecord, now: &Prepared) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    for pin in pins(then) {
        let changed = now.context.plugins.bound.get(&pin.name).is_some_and(|b| b.pin.digest != pin.digest);
        let summary = format!("plugin `{}` is not the one of that run: what it makes may differ", pin.name);
        if changed && !said.iter().any(|d: &Diagnostic| d.summary == summary) {
            said.push(Diagnostic::warning("history.other-plugin", summary));
        }
    }
    said
}

/// The same refusal, said of a past run instead of a saved plan.
fn about_a_past_run(fault: Fault) -> Fault {
    let Fault::Explained(mut report) = fault else { return fault };
    for diagnostic in report.diagnostics.iter_mut().filter(|d| d.code == "plan.input-changed") {
        diagnostic.code = "history.input-changed".to_owned();
        diagnostic.summary = diagnostic.summary.replace("the plan was made with", "that run was given");
        diagnostic.help =
            Some("secrets are not kept: give the one of that run, by `SHEAVE_INPUT_name`".to_owned());
    }
    Fault::Explained(report)
}

fn rows(latest_first: Vec<PastRun>) -> Vec<HistoryRow> {
    let row = |(i, past): (usize, PastRun)| HistoryRow {
        number: i as u64 + 1,
        run: past.run,
        command: past.command.unwrap_or_else(|| match past.purpose {
            Purpose::Apply => "sheave apply".to_owned(),
            Purpose::Destroy => "sheave destroy".to_owned(),
        }),
        started: past.started,
        finished: past.finished,
        outcome: past.outcome,
        running: false,
        counts: past.counts,
    };
    latest_first.into_iter().rev().enumerate().map(row).collect()
}

/// The run with this number, or whose id begins so.
fn find<'a>(runs: &'a [HistoryRow], which: &str) -> Result<&'a HistoryRow, Box<Diagnostic>> {
    let number = which.trim_start_matches('#').parse::<u64>().ok();
    if let Some(found) = runs.iter().find(|r| Some(r.number) == number || r.run == which) {
        return Ok(found);
    }
    let mut alike = runs.iter().filter(|r| which.len() >= MIN_ID && r.run.starts_with(which));
    if let (Some(found), None) = (alike.next(), alike.next()) {
        return Ok(found);
    }
    let fault = Diagnostic::error("history.no-run", format!("the stack has no run `{which}`"));
    let help = match runs.last() {
        Some(last) => format!("`sheave history` lists them, 1 to {}", last.number),
        None => "nothing was applied yet".to_owned(),
    };
    Err(Box::new(fault.with_help(help)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(run: &str, command: Option<&str>) -> PastRun {
        PastRun {
            run: run.to_owned(),
            purpose: Purpose::Destroy,
            command: command.map(str::to_owned),
            serial: 0,
            started: "2026-01-02T03:04:05.000Z".to_owned(),
            finished: None,
            outcome: None,
            counts: None,
        }
    }

    #[test]
    fn runs_are_numbered_from_the_oldest() {
        let runs = rows(vec![past("c", Some("sheave rollback 1")), past("b", None), past("a", None)]);
        let said: Vec<_> = runs.iter().map(|r| (r.number, r.run.as_str(), r.command.as_str())).collect();
        assert_eq!(
            said,
            [(1, "a", "sheave destroy"), (2, "b", "sheave destroy"), (3, "c", "sheave rollback 1")]
        );
    }

    #[test]
    fn a_run_is_found_by_number_and_by_the_beginning_of_its_id() {
        let runs = rows(vec![past("3f2a-9", None), past("3f2a-1", None), past("77aa-0", None)]);
        let number = |which: &str| find(&runs, which).map(|r| r.number).ok();
        assert_eq!(
            ["1", "#3", "3f2a-1", "77aa", "3f2a", "77", "0", "4", ""].map(number),
            [Some(1), Some(3), Some(2), Some(1), None, None, None, None, None]
        );
    }
}
