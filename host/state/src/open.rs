//! Opening the file: is it ours, which format has it, and bringing it to the current one.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite, SqliteConnection, Transaction};

use crate::error::StateError;
use crate::fault::Fault;

/// The format that this version writes.
pub const FORMAT: i64 = 2;

/// What takes a file from each format to the next, and says so in it; the first makes an empty file ours.
const MIGRATIONS: [&str; FORMAT as usize] = [include_str!("schema_1.sql"), include_str!("schema_2.sql")];

/// Marks the file as ours (`SHVE`), for us and for `file`. The first migration writes it.
const APPLICATION_ID: i64 = 0x5348_5645;

/// The mark, the format, and how many tables and indices there are.
const WHOSE: &str = "SELECT (SELECT application_id FROM pragma_application_id), \
                     (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)";

/// How long to wait for another process's write. Writes take milliseconds; a snapshot of ten thousand resources under
/// a second.
const BUSY: Duration = Duration::from_secs(10);

/// Size that the log beside the file is cut back to, in bytes.
const WAL_SIZE: &str = "16777216";

/// Pages of the log from which on they are brought into the file in the middle of a run: as many as that size holds. A run of
/// a thousand resources writes half as many, and then brings each page over once, at its end.
const WAL_PAGES: &str = "4096";

/// Rows that may wait between the database's thread and ours: enough that a load does not switch threads at each row.
const ROWS_IN_FLIGHT: usize = 1024;

/// Opens the file, which is there, and migrates it.
pub(crate) async fn connect(path: &Path) -> Result<SqliteConnection, Fault> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY)
        .row_buffer_size(ROWS_IN_FLIGHT)
        .foreign_keys(true)
        // A commit is on the disk when it returns: what the intents before anything outside rest on.
        .synchronous(SqliteSynchronous::Full)
        .pragma("fullfsync", "1")
        .pragma("journal_size_limit", WAL_SIZE)
        .pragma("wal_autocheckpoint", WAL_PAGES)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    // Before the file is changed in any way: it may be somebody else's.
    let mut transaction = connection.begin().await?;
    let format = check(&mut transaction, path).await?;
    drop(transaction);
    // Readers do not stop the writer, and a commit is one sync.
    sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&mut connection).await?;
    if format != FORMAT {
        migrate(&mut connection, path).await?;
    }
    Ok(connection)
}

/// The file's format; zero: it is empty. In a transaction: another process may be making it ours right now.
async fn check(transaction: &mut Transaction<'_, Sqlite>, path: &Path) -> Result<i64, Fault> {
    let path = || path.display().to_string();
    let (id, format, tables): (i64, i64, i64) = sqlx::query_as(WHOSE).fetch_one(&mut **transaction).await?;
    if id == APPLICATION_ID {
        if format > FORMAT {
            return Err(StateError::NewerFormat { path: path(), found: format, known: FORMAT }.into());
        }
        return Ok(format);
    }
    if id != 0 || format != 0 || tables != 0 {
        let why = "it is another program's database".to_owned();
        return Err(StateError::NotState { path: path(), why }.into());
    }
    Ok(0)
}

async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), Fault> {
    // Look again once nobody else writes.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let format = check(&mut transaction, path).await?;
    for sql in MIGRATIONS.iter().skip(usize::try_from(format).unwrap_or(0)) {
        sqlx::raw_sql(*sql).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}
