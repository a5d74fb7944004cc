//! The number of rows that an answer must have, checked by the server: the commit may be sent in
//! the same round trip, so the check cannot wait for the answer.

use std::cmp::Ordering;

use super::text::{Derivation, TextCache};
use super::{CheckedBy, Command, ExpectedRows};
use crate::error::{Error, ErrorKind, NO_ROW, Result};
use crate::sql_text::single_statement::WithQuery;
use crate::sqlstate::SqlState;
use crate::wire::answer::Answer;

/// Stands before the caller's SQL when the server checks its row count.
const PREFIX: &str = "WITH s AS (\n";

/// Begins the text that a failed check casts to a number; the server quotes it in its message, in
/// any language.
const MARK: &str = "bowline: expected";

impl Command {
    /// Makes the server check the number of rows, by wrapping the SQL in a query that fails if it
    /// is another; returns which side has to check it.
    pub(crate) fn check_rows_on_server(&mut self, texts: &mut TextCache) -> CheckedBy {
        if self.rows == ExpectedRows::Any {
            return CheckedBy::Server;
        }
        let rows = self.rows;
        let known = self.text.checking(rows).cloned();
        let checking = known.unwrap_or_else(|| {
            let made = texts.derived(&self.text, Derivation::Checked(rows), || {
                checking(self.text.sql(), rows)
            });
            self.text.keep_checking(rows, made.clone());
            made
        });
        let Some(checking) = checking else {
            return CheckedBy::Client;
        };
        self.wrapped = Some(std::mem::replace(&mut self.text, checking));
        CheckedBy::Server
    }

    /// Returns whether the server checks the number of rows.
    pub(crate) fn is_checked_by_server(&self) -> bool {
        self.wrapped.is_some()
    }

    /// Returns the number of rows that it affects, if the server fails it otherwise.
    pub(crate) fn rows_checked_by_server(&self) -> Option<usize> {
        match self.rows {
            ExpectedRows::Exactly(rows) if self.is_checked_by_server() => rows.try_into().ok(),
            _ => None,
        }
    }

    /// Returns the number of characters before the caller's SQL in what the server is sent.
    pub(crate) fn prefix_length(&self) -> usize {
        if self.is_checked_by_server() {
            PREFIX.len()
        } else {
            0
        }
    }

    /// Adds a hint to an error, if the server refused the wrapping query and not the caller's SQL.
    pub(crate) fn explain(&self, error: Error) -> Error {
        // A query in WITH must return rows, and a table with rules, or a view, may not be written
        // to there (PostgreSQL manual, 7.8.4).
        let is_refused = error.sqlstate() == Some(SqlState::FEATURE_NOT_SUPPORTED);
        let Some(written) = self.wrapped.as_ref().filter(|_| is_refused) else {
            return error;
        };
        let gives_rows = WithQuery::read(written.sql()).is_none_or(|wrappable| wrappable.counts);
        if gives_rows || matches!(self.rows, ExpectedRows::Exactly(_)) {
            error.with_hint(
                "the number of rows is held by a WITH query, which takes no table with rules: run it with affected() in \
                 a transaction, and compare the number there",
            )
        } else {
            error.with_hint(
                "without RETURNING there is no row to read: add it, or use affected() or exactly()",
            )
        }
    }
}

/// Returns the SQL that runs this one and fails if it gives another number of rows; `None` if it
/// cannot stand in WITH.
fn checking(sql: &str, rows: ExpectedRows) -> Option<String> {
    let WithQuery { sql, counts } = WithQuery::read(sql)?;
    match rows {
        ExpectedRows::Any => None,
        // The outer join keeps the planner from skipping the count when there is no row.
        ExpectedRows::One => Some(format!(
            "{PREFIX}{sql}\n) SELECT s.* FROM (SELECT CASE WHEN count(*) = 1 THEN 1 \
             ELSE ('{MARK} one row, got ' || count(*))::int END AS ok FROM s) g LEFT JOIN s ON g.ok = 1"
        )),
        ExpectedRows::AtMostOne => Some(format!(
            "{PREFIX}{sql}\n) SELECT s.* FROM (SELECT CASE WHEN count(*) <= 1 THEN 1 \
             ELSE ('{MARK} one row, got ' || count(*))::int END AS ok FROM s) g JOIN s ON g.ok = 1"
        )),
        ExpectedRows::Exactly(rows) => {
            // On a line of its own, because the SQL may end with a comment.
            let returning = if counts { "" } else { "\nRETURNING 1" };
            Some(format!(
                "{PREFIX}{sql}{returning}\n) SELECT CASE WHEN count(*) = {rows} THEN count(*) \
                 ELSE ('{MARK} {rows} rows, got ' || count(*))::int END FROM s"
            ))
        }
    }
}

/// Returns the error for an answer with the wrong number of rows.
pub(crate) fn wrong_count(expected: u64, found: usize) -> Error {
    let rows = if expected == 1 {
        "one row".to_owned()
    } else {
        format!("{expected} rows")
    };
    let message = format!("expected {rows}, got {found}");
    match (found as u64).cmp(&expected) {
        Ordering::Less if expected == 1 => Error::new(ErrorKind::NotFound, NO_ROW),
        Ordering::Less => Error::new(ErrorKind::NotFound, message),
        _ => Error::new(ErrorKind::TooManyRows, message),
    }
}

/// Checks that an answer has as many rows as its command expects, where the server could not check
/// that.
pub(crate) fn check_count(command: &Command, answer: &Answer) -> Result<()> {
    let (expected, found) = match command.rows {
        ExpectedRows::Any => return Ok(()),
        ExpectedRows::One => (1, answer.row_count()),
        ExpectedRows::AtMostOne if answer.row_count() == 0 => return Ok(()),
        ExpectedRows::AtMostOne => (1, answer.row_count()),
        ExpectedRows::Exactly(rows) => (rows, answer.rows_affected()),
    };
    if found as u64 == expected {
        Ok(())
    } else {
        Err(wrong_count(expected, found))
    }
}

/// Reads how many rows were expected and found from the message of a failed check.
pub(crate) fn unmet_expectation(message: &str) -> Option<(u64, u64)> {
    let rest = &message[message.find(MARK)? + MARK.len()..];
    let (expected, found) = rest.split_once(", got ")?;
    let expected = match expected.trim() {
        "one row" => 1,
        rows => rows.strip_suffix(" rows")?.parse().ok()?,
    };
    let digits = found.bytes().take_while(u8::is_ascii_digit).count();
    Some((expected, found[..digits].parse().ok()?))
}

/// Begins the text that the update of a row with another version casts to a number. Generated code
/// contains it.
const VERSION_MARK: &str = "bowline: version ";

/// Reads the version of the row from the message of an update that was given another one.
pub(crate) fn changed_version(message: &str) -> Option<Error> {
    let version = &message[message.find(VERSION_MARK)? + VERSION_MARK.len()..];
    let digits = version.find(|c: char| !c.is_ascii_digit() && c != '-');
    let version = &version[..digits.unwrap_or(version.len())];
    (!version.is_empty()).then(|| {
        Error::new(
            ErrorKind::VersionChanged,
            format!("the row was changed since it was read: it has version {version} now"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_changed_row_is_read_from_the_message() {
        let error = changed_version("invalid input syntax for type bigint: \"bowline: version 7\"");
        let error = error.expect("an error");
        assert_eq!(error.kind(), ErrorKind::VersionChanged);
        assert_eq!(
            error.message(),
            "the row was changed since it was read: it has version 7 now"
        );
        assert!(changed_version("invalid input syntax for type bigint: \"x\"").is_none());
    }

    #[test]
    fn the_message_contains_the_expected_and_actual_count() {
        let message = "invalid input syntax for type integer: \"bowline: expected one row, got 0\"";
        assert_eq!(unmet_expectation(message), Some((1, 0)));
        assert_eq!(
            unmet_expectation("ungültig: »bowline: expected 3 rows, got 12«"),
            Some((3, 12))
        );
        assert_eq!(
            unmet_expectation("invalid input syntax for type integer: \"x\""),
            None
        );
    }

    #[test]
    fn the_server_checks_only_what_with_allows() {
        let verdict = |sql: &str| {
            let mut command = Command {
                rows: ExpectedRows::One,
                ..Command::plain(sql)
            };
            command.check_rows_on_server(&mut TextCache::default())
        };
        for sql in [
            "SELECT 1; -- x",
            ";VALUES (1)",
            "/* a */ TABLE t",
            "(SELECT 1)",
        ] {
            assert_eq!(verdict(sql), CheckedBy::Server, "{sql}");
        }
        for sql in [
            "WITH x AS (DELETE FROM t RETURNING 1) SELECT 1",
            "SELECT 1 INTO t",
            "SELECT 1; SELECT 2",
            "SHOW work_mem",
            "-- nothing",
        ] {
            assert_eq!(verdict(sql), CheckedBy::Client, "{sql}");
        }
    }
}
