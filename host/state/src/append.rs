//! Appending to the journal, and keeping the snapshot near it.

use sheave_model::event::Event;
use sheave_model::journal::{Entry, RunRecord};
use sheave_model::plan::Plan;
use sheave_model::stack::StackState;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _, SqliteConnection};

use crate::fault::Fault;
use crate::lock::LockGuard;
use crate::parts::{self, Touched};

/// Entries after which the snapshot is brought up to date in the middle of a run. Bounds what a load reads besides the
/// snapshot (some MB, in some tens of milliseconds), and spreads the cost of a resource with thousands of objects, whose row
/// is written whole. A resource that is made takes four entries: most runs write each row once, at their end.
pub const SNAPSHOT_EVERY: u64 = 4096;

/// Events of a stack that are kept: some tens of runs. Older ones go when a run ends.
pub const EVENTS_KEPT: u64 = 20_000;

/// Rows in one statement: some hundred kB of them.
const ROWS: usize = 512;

/// A stack's counters.
struct Counters {
    id: i64,
    serial: i64,
    snapshot: i64,
    events: i64,
    /// Whether the lock is held with the token that was asked about.
    held: bool,
}

impl Counters {
    /// None: the stack has no row yet.
    async fn of(
        connection: &mut SqliteConnection,
        stack: &str,
        token: Option<&str>,
    ) -> Result<Option<Self>, Fault> {
        let found = sqlx::query_as(
            "SELECT id, serial, snapshot, events,
                    EXISTS (SELECT 1 FROM locks WHERE locks.stack = stacks.name AND token = ?) AS held
             FROM stacks WHERE name = ?",
        );
        Ok(found.bind(token).bind(stack).fetch_optional(connection).await?)
    }
}

impl FromRow<'_, SqliteRow> for Counters {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            serial: row.try_get("serial")?,
            snapshot: row.try_get("snapshot")?,
            events: row.try_get("events")?,
            held: row.try_get("held")?,
        })
    }
}

/// What the journal's entries beyond the snapshot touched, as their writer remembers it.
#[derive(Default)]
pub(crate) struct Tail {
    /// The last entry that the snapshot holds.
    snapshot: i64,
    /// The last entry.
    serial: i64,
    touched: Touched,
}

impl Tail {
    /// That of a stack with these counters: what was remembered, where nothing was missed since.
    fn of(stack: &Counters, remembered: Option<Self>) -> Option<Self> {
        let nothing = (stack.snapshot == stack.serial).then(|| Self {
            snapshot: stack.snapshot,
            serial: stack.serial,
            ..Self::default()
        });
        remembered.filter(|t| t.snapshot == stack.snapshot && t.serial == stack.serial).or(nothing)
    }
}

/// Appends, inside the caller's transaction, and gives the new serial, and the tail to be remembered once that is done. The
/// `holder` of the lock must still hold it. `state` is what the journal adds up to with these entries, where the caller has it.
pub(crate) async fn append(
    connection: &mut SqliteConnection,
    stack: &str,
    holder: Option<&LockGuard>,
    entries: &[Entry],
    events: &[Event],
    state: Option<&StackState>,
    remembered: Option<Tail>,
) -> Result<(u64, Option<Tail>), Fault> {
    let token = holder.map(LockGuard::token);
    let mut stack = match Counters::of(connection, stack, token).await? {
        Some(counters) => counters,
        None => {
            let new = sqlx::query("INSERT INTO stacks (name) VALUES (?)").bind(stack);
            new.execute(&mut *connection).await?;
            Counters::of(connection, stack, token).await?.ok_or(sqlx::Error::RowNotFound)?
        }
    };
    if let Some(holder) = holder.filter(|_| !stack.held) {
        return Err(holder.lost().into());
    }
    let mut tail = Tail::of(&stack, remembered);
    insert_entries(connection, &stack, entries).await?;
    stack.serial += count(entries);
    if let Some(tail) = &mut tail {
        tail.touched.note(entries);
        tail.serial = stack.serial;
    }
    insert_events(connection, &stack, events).await?;
    stack.events += count(events);
    let mut ended = false;
    for (i, entry) in entries.iter().enumerate() {
        match entry {
            Entry::RunStarted { run, at, record } => {
                let serial = stack.serial - count(&entries[i + 1..]);
                insert_run(connection, stack.id, serial, run, at, record).await?;
            }
            Entry::RunFinished { run, at, outcome, counts } => {
                ended = true;
                sqlx::query(
                    "UPDATE runs SET finished = ?, outcome = ?, counts = ? WHERE stack = ? AND run = ?",
                )
                .bind(at)
                .bind(json(outcome)?)
                .bind(json(counts)?)
                .bind(stack.id)
                .bind(run)
                .execute(&mut *connection)
                .await?;
            }
            _ => {}
        }
    }
    sqlx::query("UPDATE stacks SET serial = ?, events = ? WHERE id = ?")
        .bind(stack.serial)
        .bind(stack.events)
        .bind(stack.id)
        .execute(&mut *connection)
        .await?;
    let serial = u64::try_from(stack.serial).unwrap_or_default();
    if ended || serial.saturating_sub(u64::try_from(stack.snapshot).unwrap_or_default()) >= SNAPSHOT_EVERY {
        match (&mut tail, state.filter(|s| s.serial == serial)) {
            (Some(tail), Some(state)) => {
                parts::catch_up_with(connection, stack.id, state, &mut tail.touched).await?;
            }
            _ => parts::catch_up(connection, stack.id).await?,
        }
        tail = Some(Tail { snapshot: stack.serial, serial: stack.serial, touched: Touched::default() });
    }
    if ended {
        let kept = i64::try_from(EVENTS_KEPT).unwrap_or(i64::MAX);
        sqlx::query("DELETE FROM events WHERE stack = ? AND seq <= ?")
            .bind(stack.id)
            .bind(stack.events - kept)
            .execute(connection)
            .await?;
    }
    Ok((serial, tail))
}

fn count<T>(items: &[T]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|e| Fault::Corrupt(format!("an entry cannot be written: {e}")))
}

/// An entry as the journal holds it: a run's record stands in the table of runs, once.
fn written(entry: &Entry) -> Result<String, Fault> {
    match entry {
        Entry::RunStarted { run, at, .. } => {
            json(&Entry::RunStarted { run: run.clone(), at: at.clone(), record: Box::new(hollow()) })
        }
        other => json(other),
    }
}

/// Stands in the journal for a run's record.
fn hollow() -> RunRecord {
    RunRecord::of(Plan::nothing("", 0))
}

async fn insert_entries(
    connection: &mut SqliteConnection,
    stack: &Counters,
    entries: &[Entry],
) -> Result<(), Fault> {
    let sql = "INSERT INTO journal (stack, serial, entry) SELECT ?, ? + key, value FROM json_each(?)";
    insert(connection, sql, stack.id, stack.serial + 1, entries, written).await
}

async fn insert_events(
    connection: &mut SqliteConnection,
    stack: &Counters,
    events: &[Event],
) -> Result<(), Fault> {
    let sql = "INSERT INTO events (stack, seq, event) SELECT ?, ? + key, value FROM json_each(?)";
    insert(connection, sql, stack.id, stack.events + 1, events, json).await
}

/// Inserts each as one text, numbered from `first` on. As one list: a statement for each number of rows would have to be
/// prepared anew.
async fn insert<T>(
    connection: &mut SqliteConnection,
    sql: &'static str,
    stack: i64,
    mut first: i64,
    all: &[T],
    text: fn(&T) -> Result<String, Fault>,
) -> Result<(), Fault> {
    for some in all.chunks(ROWS) {
        let texts = some.iter().map(text).collect::<Result<Vec<_>, _>>()?;
        sqlx::query(sql).bind(stack).bind(first).bind(json(&texts)?).execute(&mut *connection).await?;
        first += count(some);
    }
    Ok(())
}

async fn insert_run(
    connection: &mut SqliteConnection,
    stack: i64,
    serial: i64,
    run: &str,
    at: &str,
    record: &RunRecord,
) -> Result<(), Fault> {
    sqlx::query(
        // Whoever appends holds the lock, and the lock says what its owner was called by.
        "INSERT INTO runs (stack, serial, run, purpose, started, record, command)
         VALUES (?, ?, ?, ?, ?, ?, (SELECT locks.owner ->> '$.command' FROM locks
                                    JOIN stacks ON stacks.name = locks.stack WHERE stacks.id = ?))
         ON CONFLICT DO NOTHING",
    )
    .bind(stack)
    .bind(serial)
    .bind(run)
    .bind(json(&record.plan.purpose)?)
    .bind(at)
    .bind(json(record)?)
    .bind(stack)
    .execute(connection)
    .await?;
    Ok(())
}
