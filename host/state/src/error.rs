//! What can go wrong with the state, and what to do about it.

use sheave_model::Diagnostic;

use crate::owner::LockOwner;

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Somebody else holds the stack's lock.
    #[error("the stack `{stack}` is locked by {owner}")]
    Held {
        /// The stack.
        stack: String,
        /// Who.
        owner: Box<LockOwner>,
        /// Whether it is on another machine, so that nobody here can tell if it still lives.
        elsewhere: bool,
    },
    /// The lock was taken away while it was held.
    #[error("the lock of the stack `{stack}` is no longer ours; nothing was written")]
    LockLost {
        /// The stack.
        stack: String,
    },
    /// The file was written by a later version.
    #[error("`{path}` has format {found}, and this version of Sheave knows formats up to {known}")]
    NewerFormat {
        /// The file.
        path: String,
        /// Its format.
        found: i64,
        /// The latest that is known here.
        known: i64,
    },
    /// The file is something else.
    #[error("`{path}` is not a state file: {why}")]
    NotState {
        /// The file.
        path: String,
        /// What it is.
        why: String,
    },
    /// The file is damaged.
    #[error("`{path}` is damaged: {what}")]
    Corrupt {
        /// The file.
        path: String,
        /// What is wrong, and where.
        what: String,
    },
    /// There is no room left.
    #[error("no room left to write `{path}`; nothing of this change was written")]
    DiskFull {
        /// The file.
        path: String,
    },
    /// It cannot be written.
    #[error("`{path}` cannot be written: {why}")]
    ReadOnly {
        /// The file or folder.
        path: String,
        /// The system's words.
        why: String,
    },
    /// It cannot be opened or read.
    #[error("`{path}` cannot be read: {why}")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// The system's words.
        why: String,
    },
    /// Another process has been writing for too long.
    #[error("`{path}` is being written by another process, which does not finish")]
    Busy {
        /// The file.
        path: String,
    },
    /// The location is none that is known.
    #[error("`{url}` is no place for the state: {why}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A stack that still holds something cannot be forgotten.
    #[error("the stack `{stack}` still holds {resources} resources or operations")]
    NotEmpty {
        /// The stack.
        stack: String,
        /// How many.
        resources: usize,
    },
    /// Anything else.
    #[error("the state in `{path}`: {why}")]
    Failed {
        /// The file.
        path: String,
        /// The database's words.
        why: String,
    },
}

impl StateError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Held { .. } => "state.locked",
            Self::LockLost { .. } => "state.lock-lost",
            Self::NewerFormat { .. } => "state.newer-format",
            Self::NotState { .. } => "state.not-a-state-file",
            Self::Corrupt { .. } => "state.corrupt",
            Self::DiskFull { .. } => "state.disk-full",
            Self::ReadOnly { .. } => "state.read-only",
            Self::Unreadable { .. } => "state.unreadable",
            Self::Busy { .. } => "state.busy",
            Self::Url { .. } => "state.url",
            Self::NotEmpty { .. } => "state.not-empty",
            Self::Failed { .. } => "state.failed",
        }
    }

    /// As the CLI shows it.
    pub fn diagnostic(&self) -> Diagnostic {
        let help = match self {
            Self::Held { elsewhere: false, .. } => "wait until it ends, or end it",
            Self::Held { elsewhere: true, .. } => {
                "it is on another machine: when you know that it is over, `sheave state unlock` removes the lock"
            }
            Self::LockLost { .. } => {
                "somebody ran `sheave state unlock`; once no other run works on the stack, run this again: it resumes"
            }
            Self::NewerFormat { .. } => "use the version of Sheave that wrote it, or a later one",
            Self::NotState { .. } => "name another file with `--state sqlite:PATH`",
            Self::Corrupt { .. } => {
                "restore the file from a backup; `sqlite3 FILE .recover` may save what is left of it"
            }
            Self::DiskFull { .. } => "make room and run this again: it resumes",
            Self::ReadOnly { .. } => {
                "the state's folder and file must be writable; `--state sqlite:PATH` names another"
            }
            Self::Unreadable { .. } => {
                "check the path and its permissions; `--state sqlite:PATH` names another"
            }
            Self::Busy { .. } => "run this again; if it stays so, a process holds the file open in mid-write",
            Self::Url { .. } => "write `sqlite:PATH`, such as `sqlite:.sheave/state.db`",
            Self::NotEmpty { .. } => "run `sheave destroy` first",
            Self::Failed { .. } => "run this again; the state is as it was before",
        };
        Diagnostic::error(self.code(), self.to_string()).with_help(help)
    }
}
