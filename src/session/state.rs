//! What a session would carry over to whoever has it next: settings, roles, locks, temporary tables.
//!
//! PostgreSQL does not tell a client what its statements left behind, and to ask or to reset at every
//! check-in would cost a round trip each time. So the SQL is looked at, once for each prepared statement:
//! what can leave something behind marks the session, and only a marked session is reset.

use super::Session;
use super::command::{Command, first_keyword, past_comments};
use super::exchange::{Cargo, CommitPoint};
use crate::error::{Error, Result};

impl Session {
    /// Whether a statement may have left something behind: a setting, a role, a temporary table, LISTEN, an
    /// advisory lock, a cursor WITH HOLD.
    ///
    /// Told from the SQL. What a function of the database's own does is not seen: whoever calls one that sets
    /// something for the session says so with [`Session::touch`]. Never told behind a pooler, where the session
    /// is not ours.
    pub fn is_touched(&self) -> bool {
        self.touched || self.locks > 0
    }

    /// Marks the session, so that the pool resets it before anybody else has it.
    pub fn touch(&mut self) {
        self.touched = true;
    }

    /// Makes the session as it was when it was new (`DISCARD ALL`); one round trip.
    ///
    /// Fails within a transaction. The pool calls it for sessions that are [touched](Session::is_touched).
    pub fn reset(&mut self) -> Result<()> {
        if self.transactions.depth() > 0 {
            return Err(Error::query(
                "a session cannot be reset within a transaction",
            ));
        }
        let deadline = self.call_deadline();
        let discard = Cargo::of(vec![Command::plain("DISCARD ALL")]);
        self.watched(|session| {
            session.watch.asks(&discard.commands);
            session.exchange(discard, CommitPoint::Later, deadline)
        })?;
        self.was_discarded();
        Ok(())
    }

    /// The server has forgotten all, prepared statements included.
    pub(super) fn was_discarded(&mut self) {
        self.prepared.vanished();
        self.empty_inbox();
        (self.touched, self.locks) = (false, 0);
    }
}

impl Session {
    /// Marks the session if this statement may leave something behind.
    pub(super) fn look_at(&mut self, sql: &str) {
        self.touched = self.touched || (self.pooler.is_none() && leaves_something(sql));
    }

    /// Marks the session if this script may leave something behind.
    pub(super) fn look_at_script(&mut self, sql: &str) {
        self.touched = self.touched || (self.pooler.is_none() && script_leaves_something(sql));
    }
}

/// Whether one statement may leave something behind in the session.
fn leaves_something(sql: &str) -> bool {
    match first_keyword(sql).as_str() {
        "SET" => !matches!(
            words(past_comments(sql)).nth(1).as_deref(),
            Some("LOCAL" | "TRANSACTION" | "CONSTRAINTS")
        ),
        "LISTEN" | "LOAD" | "PREPARE" | "DO" | "CALL" => true,
        "CREATE" | "SELECT" | "WITH" | "TABLE" | "EXPLAIN" | "INSERT" | "UPDATE" | "DELETE"
        | "MERGE" | "VALUES" => words(sql).any(|word| is_telling(&word)),
        "DECLARE" => words(sql).any(|word| word == "HOLD"),
        _ => false,
    }
}

/// The same of a script of several statements, whose borders are not looked for.
fn script_leaves_something(sql: &str) -> bool {
    words(sql).any(|word| {
        is_telling(&word)
            || matches!(
                word.as_str(),
                "SET" | "LISTEN" | "LOAD" | "PREPARE" | "DO" | "CALL" | "HOLD"
            )
    })
}

/// A word that says so wherever it stands.
fn is_telling(word: &str) -> bool {
    matches!(word, "TEMP" | "TEMPORARY" | "SET_CONFIG")
        || word.starts_with("PG_TEMP")
        || (word.contains("ADVISORY") && !word.contains("_XACT_"))
}

/// The words of some SQL in upper case.
fn words(sql: &str) -> impl Iterator<Item = String> + '_ {
    sql.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_outlives_its_transaction_is_seen() {
        for sql in [
            "SET search_path TO x",
            "set session authorization ann",
            "SET ROLE ann",
            "LISTEN jobs",
            "CREATE TEMP TABLE t ()",
            "create temporary view v as select 1",
            "SELECT pg_catalog.set_config('a.b', 'c', false)",
            "SELECT pg_try_advisory_lock(1)",
            "SELECT * INTO TEMP t FROM s",
            "DO $$ BEGIN END $$",
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            "/* why */ LOAD 'x'",
            "/* my local */ SET ROLE ann",
            "-- in transaction\nSET ROLE ann",
        ] {
            assert!(leaves_something(sql), "{sql}");
        }
    }

    #[test]
    fn what_ends_with_its_transaction_or_changes_data_only_is_not_taken_for_it() {
        for sql in [
            "SET LOCAL search_path TO x",
            "SET TRANSACTION READ ONLY",
            "UPDATE accounts SET balance = 0",
            "SELECT pg_advisory_xact_lock(1)",
            "CREATE TABLE t ()",
            "DECLARE c CURSOR FOR SELECT 1",
            "SELECT templates.id FROM templates",
        ] {
            assert!(!leaves_something(sql), "{sql}");
        }
    }

    #[test]
    fn a_script_is_judged_by_all_its_words() {
        assert!(script_leaves_something("BEGIN; SET ROLE ann; COMMIT"));
        assert!(!script_leaves_something("CREATE TABLE t (); DROP TABLE t"));
    }
}
