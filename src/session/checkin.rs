//! Prepares a session for its next holder in the pool, within a separate deadline.
//!
//! A call that runs out of time asks the server to cancel and waits for the answer. Between two
//! holders no work is at stake, so a session that does not answer in time is given up at once.

use std::ffi::CStr;
use std::time::{Duration, Instant};

use super::Session;
use crate::deadline::after;
use crate::wire::driver::drive;
use crate::wire::libpq::TransactionStatus;
use crate::wire::protocol::PipelineState;

/// The time that a server may take to reset a session.
const RESET: Duration = Duration::from_secs(1);

impl Session {
    /// Returns whether the server answers by the deadline; one round trip. If not, the session is
    /// lost.
    pub(crate) async fn ping(&mut self, deadline: Instant) -> bool {
        let answered = self.connection.enter_pipeline().is_ok() && {
            let mut state = PipelineState::ping();
            drive(&mut self.connection.pipeline(&mut state), deadline)
                .await
                .is_ok()
        };
        let answered = answered && self.connection.exit_pipeline().is_ok();
        if !answered {
            self.connection
                .set_lost(|| "the server did not answer a ping".to_owned());
        }
        answered
    }

    /// Prepares the session for another holder without the server; returns whether it may be used
    /// on, or `None` if the server has to be asked.
    ///
    /// Settings that the holder changed on this side are reset. Ending an open transaction takes a
    /// round trip, and so does resetting a session that is [touched](Session::is_touched).
    #[inline]
    pub(crate) fn check_in_at_once(&mut self, call_timeout: Duration) -> Option<bool> {
        if self.in_flight.is_waiting() {
            return None;
        }
        self.limits.check_in(call_timeout);
        self.connection.prepared_mut().set_enabled(true);
        self.observer.reset_instrumentation();
        if self.is_broken() {
            return Some(false);
        }
        match self.connection.transaction_status() {
            TransactionStatus::Idle if self.is_touched() => None,
            TransactionStatus::Idle => {
                self.forget_transaction();
                Some(true)
            }
            TransactionStatus::InTransaction | TransactionStatus::InError => None,
            TransactionStatus::Active | TransactionStatus::Unknown => Some(false),
        }
    }

    /// Prepares the session for another holder; returns false if it has to be closed.
    pub(crate) async fn check_in(&mut self, call_timeout: Duration) -> bool {
        self.check_in_by(call_timeout, c"ROLLBACK").await
    }

    /// As [`Session::check_in`]; this script ends an open transaction.
    pub(super) async fn check_in_by(&mut self, call_timeout: Duration, rollback: &CStr) -> bool {
        self.end_abandoned().await;
        if let Some(may_be_used) = self.check_in_at_once(call_timeout) {
            return may_be_used;
        }
        let deadline = after(RESET);
        if self.connection.is_in_transaction() && !self.run_by(rollback, deadline).await {
            return false;
        }
        self.forget_transaction();
        if self.is_touched() {
            let discarded = self.run_by(c"DISCARD ALL", deadline).await;
            if discarded {
                self.was_discarded();
            }
            return discarded;
        }
        true
    }

    /// Forgets a transaction that was begun, and may not have been sent.
    fn forget_transaction(&mut self) {
        self.transactions.reset();
        self.types.search_path().rolled_back(0);
        if self.pooler.is_some() {
            // The settings apply to the server's session that ran the transaction, which is another
            // one now.
            self.types.search_path().reset();
        }
    }

    /// Runs a simple query; returns whether it succeeded by the deadline.
    async fn run_by(&mut self, sql: &CStr, deadline: Instant) -> bool {
        let mut query = self.connection.simple_query(sql.to_owned(), None);
        drive(&mut query, deadline).await.is_ok() && query.received.error.is_none()
    }
}
