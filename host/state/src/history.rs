//! What a stack has been through: runs and events; and the list of stacks.

use sheave_model::event::{Event, RunOutcome};
use sheave_model::journal::RunRecord;
use sheave_model::plan::{Counts, Plan, Purpose};
use sheave_model::stack::RunSummary;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _, SqliteConnection};

use crate::components;
use crate::error::StateError;
use crate::fault::Fault;
use crate::load;
use crate::lock;
use crate::owner::LockOwner;
use crate::parts::{self, Head, parse};

/// A stack in one line.
#[derive(Clone, Debug, PartialEq)]
pub struct StackSummary {
    /// Its name.
    pub name: String,
    /// Names it in clusters.
    pub uuid: String,
    /// The number of its last journal entry.
    pub serial: u64,
    /// How many resources it holds.
    pub resources: usize,
    /// Its last run.
    pub last_run: Option<RunSummary>,
    /// Who holds its lock, alive or not.
    pub lock: Option<LockOwner>,
}

/// A run in one line.
#[derive(Clone, Debug, PartialEq)]
pub struct PastRun {
    /// Its id.
    pub run: String,
    /// What it was for.
    pub purpose: Purpose,
    /// What it was called by, such as `sheave apply`; none: an earlier version did not keep it.
    pub command: Option<String>,
    /// The serial of its first entry.
    pub serial: u64,
    /// When it began, RFC 3339.
    pub started: String,
    /// When it ended; none: it has not, or was cut off.
    pub finished: Option<String>,
    /// How it ended.
    pub outcome: Option<RunOutcome>,
    /// What it did.
    pub counts: Option<Counts>,
}

pub(crate) async fn stacks(connection: &mut SqliteConnection) -> Result<Vec<StackSummary>, Fault> {
    let mut summaries = Vec::new();
    for head in Head::all(connection).await? {
        let (state, resources) = if head.is_current() {
            (head.state()?, parts::resources(connection, head.id).await?)
        } else {
            let state = load::fold(connection, &head).await?;
            let resources = state.resources.len();
            (state, resources)
        };
        summaries.push(StackSummary {
            lock: lock::owner(connection, &state.name).await?,
            name: state.name,
            uuid: state.uuid,
            serial: state.serial,
            resources,
            last_run: state.last_run,
        });
    }
    Ok(summaries)
}

pub(crate) async fn events(
    connection: &mut SqliteConnection,
    stack: &str,
    after: u64,
    limit: u32,
) -> Result<Vec<(u64, Event)>, Fault> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT seq, event FROM events WHERE stack = (SELECT id FROM stacks WHERE name = ?) AND seq > ?
         ORDER BY seq LIMIT ?",
    )
    .bind(stack)
    .bind(i64::try_from(after).unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let event = |(seq, text): (i64, String)| {
        Ok((u64::try_from(seq).unwrap_or_default(), parse("event of", stack, &text)?))
    };
    rows.into_iter().map(event).collect()
}

struct RunRow {
    run: String,
    purpose: String,
    command: Option<String>,
    serial: i64,
    started: String,
    finished: Option<String>,
    outcome: Option<String>,
    counts: Option<String>,
}

impl FromRow<'_, SqliteRow> for RunRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            run: row.try_get("run")?,
            purpose: row.try_get("purpose")?,
            command: row.try_get("command")?,
            serial: row.try_get("serial")?,
            started: row.try_get("started")?,
            finished: row.try_get("finished")?,
            outcome: row.try_get("outcome")?,
            counts: row.try_get("counts")?,
        })
    }
}

pub(crate) async fn runs(connection: &mut SqliteConnection, stack: &str) -> Result<Vec<PastRun>, Fault> {
    let rows: Vec<RunRow> = sqlx::query_as(
        "SELECT run, purpose, command, serial, started, finished, outcome, counts FROM runs
         WHERE stack = (SELECT id FROM stacks WHERE name = ?) ORDER BY serial DESC",
    )
    .bind(stack)
    .fetch_all(connection)
    .await?;
    let past = |row: RunRow| {
        Ok(PastRun {
            purpose: parse("run", &row.run, &row.purpose)?,
            command: row.command,
            serial: u64::try_from(row.serial).unwrap_or_default(),
            outcome: row.outcome.map(|t| parse("run", &row.run, &t)).transpose()?,
            counts: row.counts.map(|t| parse("run", &row.run, &t)).transpose()?,
            run: row.run,
            started: row.started,
            finished: row.finished,
        })
    };
    rows.into_iter().map(past).collect()
}

pub(crate) async fn run(
    connection: &mut SqliteConnection,
    stack: &str,
    run: &str,
) -> Result<Option<RunRecord>, Fault> {
    let text: Option<String> = sqlx::query_scalar(
        "SELECT record FROM runs WHERE stack = (SELECT id FROM stacks WHERE name = ?) AND run = ?",
    )
    .bind(stack)
    .bind(run)
    .fetch_optional(connection)
    .await?;
    text.map(|t| parse("run", run, &t)).transpose()
}

pub(crate) async fn last_plan(connection: &mut SqliteConnection, stack: &str) -> Result<Option<Plan>, Fault> {
    let text: Option<String> = sqlx::query_scalar(
        "SELECT record FROM runs WHERE stack = (SELECT id FROM stacks WHERE name = ?)
         ORDER BY serial DESC LIMIT 1",
    )
    .bind(stack)
    .fetch_optional(connection)
    .await?;
    text.map(|t| parse::<RunRecord>("last run of", stack, &t).map(|record| record.plan)).transpose()
}

/// Removes a stack that holds nothing any more. Its lock stays until it is given back.
pub(crate) async fn forget(connection: &mut SqliteConnection, stack: &str) -> Result<(), Fault> {
    let Some(state) = load::load(connection, stack).await? else { return Ok(()) };
    let left = state.resources.len() + state.in_flight.len();
    if left > 0 {
        return Err(StateError::NotEmpty { stack: stack.to_owned(), resources: left }.into());
    }
    for sql in [
        "DELETE FROM journal WHERE stack = (SELECT id FROM stacks WHERE name = ?)",
        "DELETE FROM parts WHERE stack = (SELECT id FROM stacks WHERE name = ?)",
        "DELETE FROM runs WHERE stack = (SELECT id FROM stacks WHERE name = ?)",
        "DELETE FROM events WHERE stack = (SELECT id FROM stacks WHERE name = ?)",
        "DELETE FROM stacks WHERE name = ?",
    ] {
        sqlx::query(sql).bind(stack).execute(&mut *connection).await?;
    }
    components::collect(connection).await
}
