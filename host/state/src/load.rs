//! Loading a stack: the snapshot's rows, and the journal's tail folded into them.

use sheave_model::stack::StackState;
use sqlx::SqliteConnection;

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
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("SELECT kind, name, body FROM parts WHERE stack = ?")
            .bind(head.id)
            .fetch_all(&mut *connection)
            .await?;
    for (kind, name, body) in rows {
        parts::put(&mut state, &kind, &name, &body)?;
    }
    for entry in head.tail(connection).await? {
        state.record(&entry);
    }
    Ok(state)
}
