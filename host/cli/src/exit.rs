//! Exit codes: a contract with scripts.

use std::process::ExitCode;

/// How a call of the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// A fault of the user's input or of the world, explained.
    Fault,
    /// There are changes, and the caller asked to be told so.
    Changes,
    /// Somebody holds the lock.
    Locked,
    /// Stopped by the operator.
    Interrupted,
}

impl Exit {
    /// The process's exit status.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Fault => 1,
            Self::Changes => 2,
            Self::Locked => 3,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_contract() {
        let all = [Exit::Done, Exit::Fault, Exit::Changes, Exit::Locked, Exit::Interrupted];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 130]);
    }
}
