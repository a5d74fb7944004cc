//! Commit keys: rows that show whether a transaction whose answer was lost was committed.
//!
//! If a transaction is sent in one round trip, everything is lost with its answer, including its
//! transaction ID. With a commit key, it inserts a row in the same transaction and the same round
//! trip. If the row exists, the transaction was committed. Each attempt has a separate key, so that
//! an attempt that was given up can be kept from committing late: another transaction inserts the
//! row first, and the attempt's own INSERT then fails.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use diesel::sql_types::Double;

use crate::error::{Error, Outcome};
use crate::random;
use crate::sqlstate::SqlState;
use crate::statement::{Statement, StatementDsl as _};

/// The migration that creates the table of commit keys; [`REVERT`] undoes it.
///
/// `bowline new --commit-keys` writes both into the directory of the migrations. The name of the
/// table begins with `__`, like that of diesel's own, so no code is generated for it.
pub const MIGRATION: &str = "\
CREATE TABLE __bowline_commit_keys (
    key uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    fenced boolean NOT NULL DEFAULT false
);
CREATE INDEX __bowline_commit_keys_at ON __bowline_commit_keys USING brin (at);
COMMENT ON TABLE __bowline_commit_keys IS 'A row for each transaction that was committed with a key.';
COMMENT ON COLUMN __bowline_commit_keys.fenced IS 'Keeps an attempt that was given up from committing late.';
";

/// The SQL that undoes [`MIGRATION`].
pub const REVERT: &str = "DROP TABLE __bowline_commit_keys;\n";

const TABLE: &str = "__bowline_commit_keys";

/// The shortest time for which keys are kept, so that no lost transaction is judged by a row that
/// was pruned.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// Returns a statement that deletes the keys older than this; its output is their number. Run it
/// from time to time.
///
/// A caller's key that was pruned can be used again, so keep keys for as long as a request may be
/// repeated. Keys younger than an hour are kept.
///
/// ```
/// # use std::time::Duration;
/// # use bowline::{commit_keys, Database, Result};
/// # fn nightly(db: &Database) -> Result<usize> {
/// db.run(commit_keys::prune(Duration::from_secs(7 * 24 * 60 * 60)))
/// # }
/// ```
pub fn prune(older_than: Duration) -> impl Statement<Output = usize> {
    diesel::sql_query(
        "DELETE FROM __bowline_commit_keys WHERE at < now() - make_interval(secs => $1)",
    )
    .bind::<Double, _>(older_than.max(KEPT).as_secs_f64())
    .affected()
}

/// A commit key: a UUID.
///
/// It is parsed from its usual text, or created from 16 bytes or a number of 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommitKey(u128);

impl CommitKey {
    /// Returns a new, unique key.
    pub fn new() -> Self {
        // Version 4, variant 1 (RFC 9562).
        let bits = (u128::from(random::bits()) << 64) | u128::from(random::bits());
        Self(bits & !(0xf << 76) & !(0b11 << 62) | (0x4 << 76) | (0b10 << 62))
    }
}

impl Default for CommitKey {
    /// Returns a new key each time.
    fn default() -> Self {
        Self::new()
    }
}

impl From<u128> for CommitKey {
    fn from(number: u128) -> Self {
        Self(number)
    }
}

impl From<[u8; 16]> for CommitKey {
    fn from(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl FromStr for CommitKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        let is_uuid = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u128::from_str_radix(&digits, 16)
            .ok()
            .filter(|_| is_uuid)
            .map(Self)
            .ok_or_else(|| {
                Error::query("a commit key has to be a UUID")
                    .with_hint("32 hexadecimal digits, with or without hyphens")
            })
    }
}

impl fmt::Display for CommitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let (a, b, c, d, e) = (
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..],
        );
        write!(f, "{a}-{b}-{c}-{d}-{e}")
    }
}

impl fmt::Debug for CommitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommitKey({self})")
    }
}

/// The commit keys that a transaction writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum CommitKeys {
    #[default]
    None,
    /// One for each attempt.
    Generated,
    /// One for each attempt, and the caller's.
    Given(CommitKey),
}

impl CommitKeys {
    /// Returns the INSERT for an attempt, and the key of that attempt.
    pub(crate) fn mark(self) -> Option<(Arc<str>, CommitKey)> {
        let attempt = CommitKey::new();
        // The values are literals, because the INSERT is deferred with BEGIN to the first
        // statement, which may be a script.
        let values = match self {
            Self::None => return None,
            Self::Generated => format!("('{attempt}')"),
            Self::Given(own) => format!("('{own}'), ('{attempt}')"),
        };
        let sql = format!("INSERT INTO {TABLE} (key) VALUES {values}");
        Some((sql.into(), attempt))
    }
}

/// Returns the SQL that keeps the attempt from committing from now on, unless it has committed
/// already; its one row says whether the attempt was kept from it.
///
/// The SQL waits for an attempt that is still in progress. It can be repeated.
pub(crate) fn fence(attempt: CommitKey) -> String {
    format!(
        "INSERT INTO {TABLE} AS kept (key, fenced) VALUES ('{attempt}', true) \
         ON CONFLICT (key) DO UPDATE SET fenced = kept.fenced RETURNING fenced"
    )
}

/// Returns the meaning of a failed INSERT of a key.
pub(crate) fn judge(error: Error) -> Error {
    let about_keys = |part: Option<&str>| part.is_some_and(|text| text.contains(TABLE));
    match error.sqlstate() {
        Some(SqlState::UNIQUE_VIOLATION)
            if about_keys(error.server().and_then(|server| server.table.as_deref())) =>
        {
            error
                .with_outcome(Outcome::Committed)
                .with_hint("an earlier call with this commit key did the work; no changes were applied now")
        }
        Some(SqlState::UNDEFINED_TABLE) if about_keys(Some(error.message())) => error
            .with_hint("commit keys need a table: put bowline::commit_keys::MIGRATION into a migration and run it"),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_random_uuid_and_reads_as_it_is_written() {
        let (key, other) = (CommitKey::new(), CommitKey::new());
        assert_ne!(key, other);
        let text = key.to_string();
        assert_eq!((text.len(), &text[14..15]), (36, "4"));
        assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "{text}");
        assert_eq!(text.parse::<CommitKey>().expect("a UUID"), key);
        assert_eq!(
            text.replace('-', "").parse::<CommitKey>().expect("a UUID"),
            key
        );
    }

    #[test]
    fn text_that_is_not_a_uuid_is_refused() {
        for text in ["", "x", "+0000000000000000000000000000000", "123"] {
            text.parse::<CommitKey>().expect_err(text);
        }
    }
}
