//! Copies of plugins' components.

use sqlx::SqliteConnection;

use crate::fault::Fault;

pub(crate) async fn put(connection: &mut SqliteConnection, digest: &str, bytes: &[u8]) -> Result<(), Fault> {
    sqlx::query("INSERT INTO components (digest, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(digest)
        .bind(bytes)
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn get(connection: &mut SqliteConnection, digest: &str) -> Result<Option<Vec<u8>>, Fault> {
    Ok(sqlx::query_scalar("SELECT bytes FROM components WHERE digest = ?")
        .bind(digest)
        .fetch_optional(connection)
        .await?)
}

/// Removes the components that no stack's state or history names.
pub(crate) async fn collect(connection: &mut SqliteConnection) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM components WHERE
           NOT EXISTS (SELECT 1 FROM parts WHERE instr(body, components.digest)) AND
           NOT EXISTS (SELECT 1 FROM journal WHERE instr(entry, components.digest)) AND
           NOT EXISTS (SELECT 1 FROM runs WHERE instr(record, components.digest))",
    )
    .execute(connection)
    .await?;
    Ok(())
}
