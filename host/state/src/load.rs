//! Loading a stack: the snapshot's rows, and the journal's tail folded into them.

use futures::TryStreamExt as _;
use sheave_model::stack::StackState;
use sqlx::{Row as _, SqliteConnection};

use crate::fault::Fault;
use crate::parts::{self, Head};

pub(crate) async fn load(
    connection: &mut SqliteConnection,
    stack: &str,
) -> Result<Option<StackState>, Fault> {
    match Head::named(connection, stack).await? {
        Some(head) => fold(connection, &head).await.map(Some),
        None => Ok(None),
    }
}

pub(crate) async fn fold(connection: &mut SqliteConnection, head: &Head) -> Result<StackState, Fault> {
    let mut state = head.state()?;
    // Row by row: the database's thread reads ahead while this one parses, and no text is copied.
    let mut rows = sqlx::query("SELECT kind, name, body FROM parts WHERE stack = ?")
        .bind(head.id)
        .fetch(&mut *connection);
    while let Some(row) = rows.try_next().await? {
        parts::put(&mut state, row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)?;
    }
    drop(rows);
    for entry in head.tail(connection).await? {
        state.record(&entry);
    }
    Ok(state)
}
