//! Whether a session has to be reset before its next holder: settings, roles, locks, temporary tables.
//!
//! PostgreSQL does not report what statements leave behind, and to ask or to reset at every check-in would cost a
//! round trip each time. So the text of each statement is examined, once for each prepared statement. A statement
//! that may leave something behind, or that is not understood, marks the session; only a marked session is reset.

use super::Session;
use super::exchange::{Batch, CommitPoint};
use crate::command::Command;
use crate::command::text::Text;
use crate::error::{Error, Result};

impl Session {
    /// Returns whether a statement may have left something behind: a setting, a role, a temporary table, LISTEN, an
    /// advisory lock, a cursor WITH HOLD.
    ///
    /// This is read from the SQL; an unknown kind of statement counts as one that does. Effects of functions of the
    /// database are not seen, nor those of rules and triggers: after a call of one that sets something for the session,
    /// call [`Session::touch`]. Behind a pooler only that call sets it, because the server's session is shared there.
    pub fn is_touched(&self) -> bool {
        self.residue.is_touched()
    }

    /// Marks the session, so that the pool resets it before it is handed out again.
    pub fn touch(&mut self) {
        self.residue.touch();
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
        let deadline = self.limits.call_deadline();
        let discard = Batch::of(vec![Command::plain("DISCARD ALL")]);
        self.as_statement(|session| {
            session.observer.set_commands(&discard.commands);
            session.exchange(discard, CommitPoint::Later, deadline)
        })?;
        self.was_discarded();
        Ok(())
    }

    /// Notes that the server has forgotten everything, prepared statements included.
    pub(super) fn was_discarded(&mut self) {
        self.connection.prepared_mut().clear();
        self.search_path.reset();
        self.empty_inbox();
        self.residue.clear();
    }

    /// Marks the session if this statement may leave something behind.
    pub(super) fn note_effects(&mut self, text: &Text) {
        let connection = &self.connection;
        self.residue
            .note_statement(text, || connection.has_nonstandard_strings(text.sql()));
    }

    /// Marks the session if this text of several statements may leave something behind.
    pub(super) fn note_script_effects(&mut self, sql: &str) {
        self.transactions.set_changed_schema(true);
        let connection = &self.connection;
        self.residue
            .note_script(sql, || connection.has_nonstandard_strings(sql));
    }
}
