//! The snapshot: one row a part of a stack's state, brought up to date for what the journal touched since.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sheave_model::Address;
use sheave_model::journal::Entry;
use sheave_model::stack::StackState;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, QueryBuilder, Row as _, Sqlite, SqliteConnection};

use crate::fault::Fault;

pub(crate) const RESOURCE: &str = "resource";
pub(crate) const IN_FLIGHT: &str = "operation";
pub(crate) const PASSWORD: &str = "password";
pub(crate) const TARGET: &str = "target";
pub(crate) const OUTPUT: &str = "output";

/// Rows in one statement.
const ROWS: usize = 128;

/// The snapshot's head.
pub(crate) struct Head {
    pub(crate) id: i64,
    name: String,
    uuid: String,
    serial: i64,
    snapshot: i64,
    last_run: Option<String>,
}

impl FromRow<'_, SqliteRow> for Head {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            uuid: row.try_get("uuid")?,
            serial: row.try_get("serial")?,
            snapshot: row.try_get("snapshot")?,
            last_run: row.try_get("last_run")?,
        })
    }
}

impl Head {
    /// Of every stack, by name.
    pub(crate) async fn all(connection: &mut SqliteConnection) -> Result<Vec<Self>, Fault> {
        Ok(sqlx::query_as("SELECT * FROM stacks ORDER BY name").fetch_all(connection).await?)
    }

    /// Of the stack with this name.
    pub(crate) async fn named(connection: &mut SqliteConnection, name: &str) -> Result<Option<Self>, Fault> {
        Ok(sqlx::query_as("SELECT * FROM stacks WHERE name = ?")
            .bind(name)
            .fetch_optional(connection)
            .await?)
    }

    /// Whether the snapshot is all there is.
    pub(crate) fn is_current(&self) -> bool {
        self.snapshot == self.serial
    }

    /// The snapshot's state without its parts.
    pub(crate) fn state(&self) -> Result<StackState, Fault> {
        let last_run =
            self.last_run.as_deref().map(|text| parse("last run of", &self.name, text)).transpose()?;
        Ok(StackState {
            name: self.name.clone(),
            uuid: self.uuid.clone(),
            serial: u64::try_from(self.snapshot).unwrap_or_default(),
            last_run,
            ..StackState::default()
        })
    }

    /// What the journal holds beyond the snapshot.
    pub(crate) async fn tail(&self, connection: &mut SqliteConnection) -> Result<Vec<Entry>, Fault> {
        let texts: Vec<String> =
            sqlx::query_scalar("SELECT entry FROM journal WHERE stack = ? AND serial > ? ORDER BY serial")
                .bind(self.id)
                .bind(self.snapshot)
                .fetch_all(connection)
                .await?;
        texts.iter().map(|text| parse("journal of", &self.name, text)).collect()
    }
}

pub(crate) fn parse<T: DeserializeOwned>(what: &str, name: &str, text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|e| Fault::unreadable(what, name, &e))
}

/// Puts a row into the state that it belongs to.
pub(crate) fn put(state: &mut StackState, kind: &str, name: &str, body: &str) -> Result<(), Fault> {
    let owned = || name.to_owned();
    match kind {
        RESOURCE => {
            let address = name.parse().map_err(|e| Fault::Corrupt(format!("{e}")))?;
            state.resources.insert(address, parse(kind, name, body)?);
        }
        IN_FLIGHT => drop(state.in_flight.insert(owned(), parse(kind, name, body)?)),
        PASSWORD => drop(state.passwords.insert(owned(), parse(kind, name, body)?)),
        TARGET => drop(state.targets.insert(owned(), parse(kind, name, body)?)),
        OUTPUT => drop(state.outputs.insert(owned(), parse(kind, name, body)?)),
        other => return Err(Fault::Corrupt(format!("a part of kind `{other}`"))),
    }
    Ok(())
}

/// How many resources the snapshot has.
pub(crate) async fn resources(connection: &mut SqliteConnection, stack: i64) -> Result<usize, Fault> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM parts WHERE stack = ? AND kind = ?")
        .bind(stack)
        .bind(RESOURCE)
        .fetch_one(connection)
        .await?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// What entries may have changed.
#[derive(Default)]
pub(crate) struct Touched {
    addresses: BTreeSet<Address>,
    operations: BTreeSet<String>,
    /// Operations that ended, and did not begin here: what they are about stands in the snapshot.
    ended: BTreeSet<String>,
    forgotten: BTreeSet<String>,
    passwords: bool,
    targets: bool,
    outputs: bool,
}

impl Touched {
    pub(crate) fn by(entries: &[Entry]) -> Self {
        let mut touched = Self::default();
        touched.note(entries);
        touched
    }

    /// Adds what these may have changed, which come next in the journal.
    pub(crate) fn note(&mut self, entries: &[Entry]) {
        for entry in entries {
            match entry {
                Entry::ResourceBegun { address, .. }
                | Entry::ResourceReady { address, .. }
                | Entry::ResourceRefreshed { address, .. }
                | Entry::ResourceRendered { address, .. }
                | Entry::ResourceFailed { address, .. } => {
                    self.addresses.insert(address.clone());
                }
                Entry::ResourceForgotten { address } => {
                    self.addresses.insert(address.clone());
                    self.forgotten.insert(address.to_string());
                }
                Entry::Intent(intent) => {
                    self.addresses.insert(intent.address.clone());
                    self.operations.insert(intent.op.clone());
                }
                Entry::Outcome { op, .. } => {
                    if self.operations.insert(op.clone()) {
                        self.ended.insert(op.clone());
                    }
                }
                Entry::ResourceMoved { from, to, requiring } => {
                    self.addresses.extend([from, to].into_iter().chain(requiring).cloned());
                    self.forgotten.insert(from.to_string());
                }
                Entry::OutputsSet { .. } => self.outputs = true,
                Entry::TargetUsed { .. } => self.targets = true,
                Entry::PasswordMade { .. } => self.passwords = true,
                Entry::StackCreated { .. } | Entry::RunStarted { .. } | Entry::RunFinished { .. } => {}
            }
        }
    }
}

/// Brings the snapshot up to the journal's end: reads the parts that the tail touches, folds the tail into them, and
/// writes them back.
pub(crate) async fn catch_up(connection: &mut SqliteConnection, stack: i64) -> Result<(), Fault> {
    let head: Head =
        sqlx::query_as("SELECT * FROM stacks WHERE id = ?").bind(stack).fetch_one(&mut *connection).await?;
    let tail = head.tail(connection).await?;
    let mut touched = Touched::by(&tail);
    let mut state = head.state()?;
    // Operations first: each brings in the resource that it is about.
    let forgotten: Vec<_> = touched.forgotten.iter().collect();
    let operations: Vec<_> = touched.operations.iter().collect();
    read(connection, stack, &mut state, IN_FLIGHT, "name", &operations).await?;
    read(connection, stack, &mut state, IN_FLIGHT, "address", &forgotten).await?;
    for (op, intent) in &state.in_flight {
        touched.operations.insert(op.clone());
        touched.addresses.insert(intent.address.clone());
    }
    let names: Vec<_> = touched.addresses.iter().map(Address::to_string).collect();
    read(connection, stack, &mut state, RESOURCE, "name", &names.iter().collect::<Vec<_>>()).await?;
    for entry in &tail {
        state.record(entry);
    }
    write_back(connection, stack, &state, &touched).await
}

/// As [`catch_up`], from the state that the journal adds up to, where the caller has it, and what the tail touched.
pub(crate) async fn catch_up_with(
    connection: &mut SqliteConnection,
    stack: i64,
    state: &StackState,
    touched: &mut Touched,
) -> Result<(), Fault> {
    // What the snapshot alone knows: what operations are about that began before it and have ended since.
    let mut before = StackState::default();
    let ended: Vec<_> = touched.ended.iter().collect();
    read(connection, stack, &mut before, IN_FLIGHT, "name", &ended).await?;
    let forgotten: Vec<_> = touched.forgotten.iter().collect();
    read(connection, stack, &mut before, IN_FLIGHT, "address", &forgotten).await?;
    for (op, intent) in before.in_flight.iter().chain(&state.in_flight) {
        touched.operations.insert(op.clone());
        touched.addresses.insert(intent.address.clone());
    }
    write_back(connection, stack, state, touched).await
}

async fn read(
    connection: &mut SqliteConnection,
    stack: i64,
    state: &mut StackState,
    kind: &str,
    column: &str,
    names: &[&String],
) -> Result<(), Fault> {
    for chunk in names.chunks(ROWS) {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT name, body FROM parts WHERE stack = ");
        sql.push_bind(stack).push(" AND kind = ").push_bind(kind);
        sql.push(format_args!(" AND {column} IN "));
        sql.push_tuples(chunk, |mut row, name| {
            row.push_bind(name.as_str());
        });
        let rows: Vec<(String, String)> = sql.build_query_as().fetch_all(&mut *connection).await?;
        for (name, body) in rows {
            put(state, kind, &name, &body)?;
        }
    }
    Ok(())
}

/// A row to write: kind, name, address, body.
type Part<'a> = (&'a str, String, Option<String>, String);

async fn write_back(
    connection: &mut SqliteConnection,
    stack: i64,
    state: &StackState,
    touched: &Touched,
) -> Result<(), Fault> {
    let mut rows: Vec<Part<'_>> = Vec::new();
    let mut gone = Vec::new();
    for address in &touched.addresses {
        match state.resources.get(address) {
            Some(record) => rows.push((RESOURCE, address.to_string(), None, body(record)?)),
            None => gone.push(address.to_string()),
        }
    }
    for op in &touched.operations {
        if let Some(intent) = state.in_flight.get(op) {
            rows.push((IN_FLIGHT, op.clone(), Some(intent.address.to_string()), body(intent)?));
        }
    }
    for (name, password) in state.passwords.iter().filter(|_| touched.passwords) {
        rows.push((PASSWORD, name.clone(), None, body(password)?));
    }
    for (name, target) in state.targets.iter().filter(|_| touched.targets) {
        rows.push((TARGET, name.clone(), None, body(target)?));
    }
    for (name, output) in state.outputs.iter().filter(|_| touched.outputs) {
        rows.push((OUTPUT, name.clone(), None, body(output)?));
    }
    delete(connection, stack, RESOURCE, &gone.iter().collect::<Vec<_>>()).await?;
    let gone: Vec<_> = touched.operations.iter().filter(|op| !state.in_flight.contains_key(*op)).collect();
    delete(connection, stack, IN_FLIGHT, &gone).await?;
    if touched.outputs {
        sqlx::query("DELETE FROM parts WHERE stack = ? AND kind = ?")
            .bind(stack)
            .bind(OUTPUT)
            .execute(&mut *connection)
            .await?;
    }
    for chunk in rows.chunks(ROWS) {
        let mut sql = QueryBuilder::<Sqlite>::new("INSERT INTO parts (stack, kind, name, address, body) ");
        sql.push_values(chunk, |mut row, (kind, name, address, body)| {
            row.push_bind(stack).push_bind(*kind).push_bind(name.as_str());
            row.push_bind(address.as_deref()).push_bind(body.as_str());
        });
        sql.push(
            " ON CONFLICT (stack, kind, name) DO UPDATE SET address = excluded.address, body = excluded.body",
        );
        sql.build().execute(&mut *connection).await?;
    }
    let last_run = state.last_run.as_ref().map(body).transpose()?;
    sqlx::query("UPDATE stacks SET uuid = ?, snapshot = ?, last_run = ? WHERE id = ?")
        .bind(&state.uuid)
        .bind(i64::try_from(state.serial).unwrap_or(i64::MAX))
        .bind(last_run)
        .bind(stack)
        .execute(connection)
        .await?;
    Ok(())
}

async fn delete(
    connection: &mut SqliteConnection,
    stack: i64,
    kind: &str,
    names: &[&String],
) -> Result<(), Fault> {
    for chunk in names.chunks(ROWS) {
        let mut sql = QueryBuilder::<Sqlite>::new("DELETE FROM parts WHERE stack = ");
        sql.push_bind(stack).push(" AND kind = ").push_bind(kind).push(" AND name IN ");
        sql.push_tuples(chunk, |mut row, name| {
            row.push_bind(name.as_str());
        });
        sql.build().execute(&mut *connection).await?;
    }
    Ok(())
}

fn body<T: Serialize>(part: &T) -> Result<String, Fault> {
    serde_json::to_string(part).map_err(|e| Fault::Corrupt(format!("a part cannot be written: {e}")))
}
