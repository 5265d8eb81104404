//! From the database's errors to the state's: the one place that knows SQLite's result codes.

use std::fs::{File, OpenOptions};
use std::path::Path;

use crate::error::StateError;
use crate::location;

/// What functions on a connection return: they do not know the file's name.
#[derive(Debug)]
pub(crate) enum Fault {
    Sql(sqlx::Error),
    Corrupt(String),
    State(StateError),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StateError> for Fault {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl Fault {
    /// A stored text that cannot be read back.
    pub(crate) fn unreadable(what: &str, name: &str, error: &serde_json::Error) -> Self {
        Self::Corrupt(format!("the {what} `{name}` cannot be read back: {error}"))
    }

    /// The error for the file at `path`.
    pub(crate) fn at(self, path: &Path) -> StateError {
        match self {
            Self::State(error) => error,
            Self::Corrupt(what) => StateError::Corrupt { path: path.display().to_string(), what },
            Self::Sql(error) => sql(path, &error),
        }
    }
}

fn sql(file: &Path, error: &sqlx::Error) -> StateError {
    let path = file.display().to_string();
    let why = match error {
        sqlx::Error::Database(database) => database.message().to_owned(),
        other => other.to_string(),
    };
    let code = error.as_database_error().and_then(|e| e.code()).and_then(|c| c.parse::<u32>().ok());
    // The low byte is the kind; the rest tells its variants apart.
    match code.map(|c| c & 0xff) {
        Some(5 | 6) => StateError::Busy { path },
        Some(8) => StateError::ReadOnly { path, why },
        // Of the input and output errors, two come from reading.
        Some(10) if !matches!(code, Some(266 | 522)) => StateError::ReadOnly { path, why },
        // It does not say what it could not open: the file, or one of those that it needs beside it.
        Some(14) => match OpenOptions::new().read(true).write(true).open(file) {
            Ok(_) => StateError::ReadOnly { path, why: "its folder takes no new files".to_owned() },
            Err(refusal) if File::open(file).is_ok() => location::refused(file, &refusal),
            Err(refusal) => StateError::Unreadable { path, why: refusal.to_string() },
        },
        Some(3 | 10 | 23) => StateError::Unreadable { path, why },
        Some(11) => StateError::Corrupt { path, what: why },
        Some(13) => StateError::DiskFull { path },
        Some(26) => StateError::NotState { path, why },
        _ => match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                StateError::Corrupt { path, what: why }
            }
            _ => StateError::Failed { path, why },
        },
    }
}
