//! What a session would carry over to whoever has it next: settings, roles, locks, temporary tables.
//!
//! PostgreSQL does not tell a client what its statements left behind, and to ask or to reset at every
//! check-in would cost a round trip each time. So the SQL is looked at, once for each prepared statement:
//! what can leave something behind, or is not understood, marks the session, and only a marked session is reset.

use super::Session;
use super::exchange::{Cargo, CommitPoint};
use crate::command::Command;
use crate::error::{Error, Result};
use crate::sql_text::session_state::{leaves_something, statement_leaves_something};

impl Session {
    /// Whether a statement may have left something behind: a setting, a role, a temporary table, LISTEN, an
    /// advisory lock, a cursor WITH HOLD.
    ///
    /// Told from the SQL; a kind of statement that is not known counts as one that does. What a function of the
    /// database's own does is not seen, nor what a rule or trigger does: whoever calls one that sets something for the
    /// session says so with [`Session::touch`]. Never told behind a pooler, where the session
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
        self.search_path.reset();
        self.empty_inbox();
        (self.touched, self.locks) = (false, 0);
    }
}

impl Session {
    /// Marks the session if this statement may leave something behind.
    pub(super) fn look_at(&mut self, sql: &str) {
        if !self.touched && self.pooler.is_none() {
            self.touched = statement_leaves_something(sql) || self.is_read_otherwise(sql);
        }
    }

    /// Marks the session if this script may leave something behind.
    pub(super) fn look_at_script(&mut self, sql: &str) {
        if !self.touched && self.pooler.is_none() {
            self.touched = leaves_something(sql) || self.is_read_otherwise(sql);
        }
    }

    /// Whether the server may find other tokens in it: with `standard_conforming_strings` off a backslash escapes in
    /// all strings.
    pub(super) fn is_read_otherwise(&self, sql: &str) -> bool {
        let standard = c"standard_conforming_strings";
        sql.contains('\\') && self.connection.parameter_status(standard).as_deref() == Some("off")
    }
}
