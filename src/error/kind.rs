//! The kinds and outcomes of errors, by which a caller decides.

/// The kind of a failure, by what the caller can do next; see [`Error::kind`](crate::Error::kind).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There was no row, or fewer than expected: answer "not found".
    NotFound,
    /// There were more rows than expected: the query selects by something that is not unique.
    TooManyRows,
    /// The row has another version than the one that was read: somebody changed it since. Read it
    /// again, or report the conflict.
    VersionChanged,
    /// The data violated a constraint, and would again:
    /// [`Error::constraint`](crate::Error::constraint) returns which.
    Constraint,
    /// Each attempt conflicted with another transaction: try again later.
    Conflict,
    /// The deadline passed: see [`Error::outcome`](crate::Error::outcome) before trying again.
    Timeout,
    /// No connection could be opened, or it was lost: see
    /// [`Error::outcome`](crate::Error::outcome).
    Unavailable,
    /// The query can never work as it is: fix the query.
    Query,
    /// The answer does not fit the Rust type: fix the type.
    Decode,
    /// A setting is missing or wrong: fix the setting.
    Config,
}

impl ErrorKind {
    /// Returns the name of the kind in metrics and spans.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::TooManyRows => "too_many_rows",
            Self::VersionChanged => "version_changed",
            Self::Constraint => "constraint",
            Self::Conflict => "conflict",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Query => "query",
            Self::Decode => "decode",
            Self::Config => "config",
        }
    }
}

/// The outcome of the work of a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// None of it is in the database.
    NotCommitted,
    /// All of it is in the database; the failure came after the commit.
    Committed,
    /// Either of the two: the connection was lost while the commit was in progress. Or a part is
    /// committed: SQL that commits by itself (COMMIT in a script, CALL, CREATE INDEX CONCURRENTLY)
    /// failed, or a statement after it did.
    Unknown,
}
