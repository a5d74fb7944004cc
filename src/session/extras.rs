//! What sessions send beyond the statements of the program, and what they do on a server that
//! refuses it.
//!
//! Servers that speak PostgreSQL's protocol leave out different parts of PostgreSQL, or have them
//! under other privileges. They say so by a code. What can be done without is not sent again, for
//! the whole pool; the call is repeated without it. What cannot is an error that names it. The page
//! `docs/guide/other-servers.md` lists all of it.

use super::observer::Observer;
use crate::command::Command;
use crate::command::control::{CHECK_CONSTRAINTS, DEFERRABLE_QUERY};
use crate::command::extra::{Extra, Lacking};
use crate::error::Error;
use crate::sqlstate::SqlState;

/// Returns whether a server that refuses a statement by this code lacks a part of it, or keeps it
/// from this role.
pub(crate) fn is_lacking(error: &Error) -> bool {
    error.sqlstate().is_some_and(|state| {
        matches!(
            state,
            SqlState::FEATURE_NOT_SUPPORTED
                | SqlState::UNDEFINED_FUNCTION
                | SqlState::UNDEFINED_OBJECT
                | SqlState::UNDEFINED_TABLE
                | SqlState::UNDEFINED_COLUMN
                | SqlState::INSUFFICIENT_PRIVILEGE
                | SqlState::SYNTAX_ERROR
        )
    })
}

impl Extra {
    /// Returns the part of PostgreSQL that a command needs which the session itself sends.
    fn of(command: &Command) -> Option<Self> {
        let sql = &**command.sql();
        match sql {
            CHECK_CONSTRAINTS => Some(Self::CheckConstraints),
            DEFERRABLE_QUERY => Some(Self::DeferrableQuery),
            _ => sql
                .contains("pg_current_xact_id_if_assigned")
                .then_some(Self::TransactionId),
        }
    }

    /// Returns its name, and what follows from its lack.
    fn facts(self) -> (&'static str, &'static str) {
        match self {
            Self::TransactionId => (
                "pg_current_xact_id_if_assigned",
                "a commit whose answer is lost has an unknown outcome, unless it has a commit key",
            ),
            Self::CheckConstraints => (
                "SET CONSTRAINTS",
                "COMMIT checks deferred constraints, without statement_timeout",
            ),
            Self::DeferrableQuery => (
                "pg_trigger",
                "deferred constraints are checked before each COMMIT",
            ),
        }
    }
}

/// Notes that the server refused a command that the session itself sent, if the work can be done
/// without it. Returns the hint for a caller that does not repeat the work, which can be done then.
pub(super) fn does_without(
    lacking: &Lacking,
    observer: &Observer,
    command: &Command,
    error: &Error,
) -> Option<String> {
    // A deferred trigger can fail with such a code too, in the context of its function.
    let server = error.server();
    let is_within = server.is_some_and(|server| server.context.is_some());
    let extra = Extra::of(command).filter(|_| is_lacking(error) && !is_within)?;
    let (name, effect) = extra.facts();
    if lacking.note(extra) {
        observer.server_lacks(name, effect, error.sqlstate());
    }
    Some(format!(
        "this server has no {name}, or not for this role; it is not asked for again, so repeat the call: {effect}"
    ))
}

/// The beginnings and parts of statements that the program asked for by a function of this crate,
/// and their names.
const ASKED_FOR: [(&str, &str); 9] = [
    ("pg_catalog.pg_advisory", "advisory locks"),
    ("pg_catalog.pg_try_advisory", "advisory locks"),
    ("pg_catalog.hashtextextended", "advisory locks by name"),
    ("LISTEN ", "LISTEN"),
    ("pg_catalog.pg_notify", "NOTIFY"),
    ("SAVEPOINT bowline_", "savepoints"),
    ("DECLARE bowline_", "cursors"),
    ("pg_stat_activity", "pg_stat_activity"),
    ("pg_last_wal_replay_lsn", "pg_last_wal_replay_lsn"),
];

/// Returns the error with the name of what the server lacks, if it refused a statement of this
/// crate's own.
pub(super) fn named(error: Error) -> Error {
    if error.message().contains("statement pooling mode") {
        return error.with_hint(
            "PgBouncer runs each statement by itself, and no transaction: set pool_mode = transaction in its settings",
        );
    }
    if !is_lacking(&error) {
        return error;
    }
    let sql = error.sql().unwrap_or_default();
    let name = ASKED_FOR.iter().find(|(part, _)| sql.contains(part));
    let Some((_, name)) = name.filter(|_| is_own(sql)) else {
        return error;
    };
    error.with_hint(format!(
        "this server has no {name}, or not for this role: docs/guide/other-servers.md says what Bowline needs it for"
    ))
}

/// Returns whether this crate made the text: it writes the schema of each function, and its own
/// names.
fn is_own(sql: &str) -> bool {
    sql.contains("pg_catalog.") || sql.contains("bowline_") || sql.starts_with("LISTEN ")
}
