//! The transaction of a test: it is never committed, and the next test gets the session as new.

use std::ffi::CStr;
use std::time::Duration;

use ::diesel::Connection as _;

use super::Session;
use crate::error::Result;
use crate::wire::executor::block_on;

/// Undoes a test, and what does not end with its transaction: locks and `currval` of sequences.
const UNDO: &CStr = c"ROLLBACK; SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD SEQUENCES";

impl Session {
    /// Returns whether the connection is open and nothing has arrived on it, such as the warning of
    /// a server that shuts down; no round trip.
    pub(crate) fn is_quiet(&self) -> bool {
        !self.is_broken() && self.connection.is_quiet()
    }

    /// Begins the transaction of a test, which is never committed; it is sent with the first
    /// statement.
    pub(crate) fn begin_test(&mut self) -> Result<()> {
        self.residue.watch_lasting();
        self.begin_test_transaction()?;
        Ok(())
    }

    /// Undoes a test, and prepares the session for the next one; returns false if it has to be
    /// closed.
    ///
    /// Takes one round trip if the test has sent anything. Takes another one if it left state
    /// behind in the session, or changed the schema. Effects of the database's functions that do
    /// not end with the transaction are not seen, except for locks and the values of sequences.
    pub(crate) fn end_test(&mut self, call_timeout: Duration) -> bool {
        let deferred = self.transactions.deferred().first();
        let is_unsent = deferred.is_some_and(|sql| sql.starts_with("BEGIN"));
        let is_rolled_back =
            self.transactions.depth() > 0 && (is_unsent || self.is_in_transaction());
        // Behind a pooler, the server's session is another one after the transaction.
        if !is_rolled_back || self.residue.may_be_lasting() || self.pooler.is_some() {
            return false;
        }
        // Hooks of transactions that did not end are dropped, as the session's end would do.
        self.transactions.hooks().take();
        self.set_floor(0);
        if self.transactions.has_changed_schema() {
            // What was found out about the test's own types and tables is of no use.
            self.types.begin_anew();
            self.transactions.set_changed_schema(false);
            self.touch();
        }
        block_on(self.check_in_by(call_timeout, UNDO))
    }
}
