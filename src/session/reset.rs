//! Decides whether a session has to be reset before its next holder: settings, roles, locks,
//! temporary tables.
//!
//! PostgreSQL does not report the state that statements leave behind. A query or a reset at each
//! check-in would cost a round trip. So the text of each statement is examined, once for each
//! prepared statement. A statement that may leave state behind, or that is not understood, marks
//! the session. Only a marked session is reset.

use super::Session;
use super::batch::Batch;
use super::exchange::CommitPoint;
use crate::command::Command;
use crate::command::text::Text;
use crate::error::{Error, Result};
use crate::wire::executor::block_on;

impl Session {
    /// Returns whether a statement may have left state behind: a setting, a role, a temporary
    /// table, LISTEN, an advisory lock, a cursor WITH HOLD.
    ///
    /// This is read from the SQL; an unknown kind of statement counts as one that does. Effects of
    /// the database's functions, rules and triggers are not seen. After a call of a function that
    /// changes a setting of the session, call [`Session::touch`]. Behind a pooler only `touch`
    /// marks the session, because the server's session is shared.
    pub fn is_touched(&self) -> bool {
        self.residue.is_touched()
    }

    /// Marks the session, so that the pool resets it before it is handed out again.
    pub fn touch(&mut self) {
        self.residue.touch();
    }

    /// Resets the session to its initial state (`DISCARD ALL`); one round trip.
    ///
    /// Fails within a transaction. The pool calls it for sessions that are
    /// [touched](Session::is_touched).
    pub fn reset(&mut self) -> Result<()> {
        if self.transactions.depth() > 0 {
            return Err(Error::query(
                "a session cannot be reset within a transaction",
            ));
        }
        let deadline = self.limits.call_deadline();
        let discard = Batch::of(vec![Command::plain("DISCARD ALL")]);
        block_on(self.exchange_as_statement(discard, CommitPoint::Later, deadline))?;
        self.was_discarded();
        Ok(())
    }

    /// Notes that the server has discarded everything, prepared statements included.
    pub(super) fn was_discarded(&mut self) {
        self.connection.prepared_mut().clear();
        self.types.search_path().reset();
        self.empty_inbox();
        self.residue.clear();
    }

    /// Marks the session if this statement may leave state behind.
    pub(super) fn note_effects(&mut self, text: &Text) {
        let connection = &self.connection;
        self.residue
            .note_statement(text, || connection.may_misread(text));
    }

    /// Marks the session if this text of several statements may leave state behind.
    pub(super) fn note_script_effects(&mut self, sql: &str) {
        self.transactions.set_changed_schema(true);
        let connection = &self.connection;
        self.residue
            .note_script(sql, || connection.has_nonstandard_strings(sql));
    }
}
