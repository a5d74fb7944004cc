//! The open transactions of a session, and the state that their end depends on.
//!
//! BEGIN, SAVEPOINT and RELEASE are deferred: they are kept here and sent with the next statement.
//! So a transaction of n statements takes n + 1 round trips, and one without statements takes none.
//! diesel's `Connection::transaction` and this crate's own use the same state;
//! `transaction_manager.rs` changes it.

use std::num::NonZeroU32;
use std::sync::Arc;

use diesel::connection::{
    TransactionDepthChange, TransactionManagerStatus, ValidTransactionManagerStatus,
};

use super::hooks::Hooks;
use super::xid::{Xid, XidTracker};
use crate::command::Command;
use crate::command::control::Control;
use crate::error::{Error, Result, ServerError};
use crate::retry::{Failure, is_about_types, is_stale};
use crate::sql_text::read_only::Reads;
use crate::sqlstate::SqlState;
use crate::transaction::TransactionStart;
use crate::wire::answer::Answer;

/// The open transactions of a session.
#[derive(Debug, Default)]
pub struct Transactions {
    /// The number of open transactions, including savepoints; broken once it cannot be known.
    status: TransactionManagerStatus,
    /// SQL that is sent with the next statement. Empty while no transaction is open, except for a
    /// RELEASE or CLOSE that came too late to be sent.
    deferred: Vec<Control>,
    failures: Failures,
    xid: XidTracker,
    /// Whether the statements of the outermost transaction only read: the least certain one counts.
    sent: Reads,
    /// Whether a commit without an answer can have written only if a function of the database has
    /// the name of one of PostgreSQL's own, and so shadows it.
    depends_on_shadowing: bool,
    /// Whether a statement of the open transaction may have changed the schema.
    changed_schema: bool,
    /// Whether the server refused something that the session sent by itself, and can do without:
    /// the failure that is noted next is that one.
    repeats_without: bool,
    hooks: Hooks,
}

/// The failures that decide what happens at the end of a transaction.
#[derive(Debug, Clone, Default)]
pub(super) struct Failures {
    /// The error that made the server refuse the rest of the transaction.
    transaction: Option<Arc<ServerError>>,
    /// The latest failure since the outermost transaction began, unless a statement succeeded after
    /// it.
    latest: Option<Failure>,
}

impl Transactions {
    /// Returns the number of open transactions, including savepoints.
    pub(crate) fn depth(&self) -> u32 {
        self.status
            .transaction_depth()
            .ok()
            .flatten()
            .map_or(0, NonZeroU32::get)
    }

    /// Returns the depth as diesel has it; fails if it is unknown.
    pub(super) fn checked_depth(&self) -> Result<Option<NonZeroU32>, diesel::result::Error> {
        self.status.transaction_depth()
    }

    pub(super) fn status_mut(&mut self) -> &mut TransactionManagerStatus {
        &mut self.status
    }

    /// Notes that the connection can no longer be trusted.
    pub(super) fn set_broken(&mut self) {
        self.status.set_in_error();
        self.deferred.clear();
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(self.status, TransactionManagerStatus::InError)
    }

    /// Notes that the server has no transaction open.
    pub(super) fn reset(&mut self) {
        self.status = TransactionManagerStatus::default();
        if !self.deferred.is_empty() {
            self.deferred.clear();
        }
        self.failures.transaction = None;
    }

    /// Enters a transaction that begins with this SQL, or a savepoint within a transaction, which
    /// needs no BEGIN.
    pub(super) fn begin(&mut self, opening: &[Control]) -> Result<(), diesel::result::Error> {
        let depth = self.status.transaction_depth()?;
        self.valid()?
            .change_transaction_depth(TransactionDepthChange::IncreaseDepth)?;
        match depth {
            None => {
                self.failures = Failures::default();
                self.xid.forget();
                self.sent = if opening.iter().any(TransactionStart::writes) {
                    Reads::No
                } else {
                    Reads::Yes
                };
                self.deferred.extend_from_slice(opening);
            }
            Some(depth) => {
                self.deferred
                    .push(format!("SAVEPOINT {}", savepoint(depth)).into());
                self.deferred.extend(opening.iter().skip(1).cloned());
            }
        }
        Ok(())
    }

    /// Leaves the innermost transaction.
    pub(super) fn leave(&mut self) -> Result<(), diesel::result::Error> {
        self.valid()?
            .change_transaction_depth(TransactionDepthChange::DecreaseDepth)
    }

    fn valid(&mut self) -> Result<&mut ValidTransactionManagerStatus, diesel::result::Error> {
        match &mut self.status {
            TransactionManagerStatus::Valid(valid) => Ok(valid),
            TransactionManagerStatus::InError => {
                Err(diesel::result::Error::BrokenTransactionManager)
            }
        }
    }
}

/// Deferred SQL.
impl Transactions {
    /// Returns the SQL that has to be sent before the next statement.
    pub(super) fn deferred(&self) -> &[Control] {
        &self.deferred
    }

    /// Defers SQL to the next statement of the transaction; the end of the transaction drops it.
    pub(super) fn defer(&mut self, sql: Arc<str>) {
        self.deferred.push(sql.into());
    }

    /// Notes that the deferred SQL was sent, or is no longer needed.
    pub(super) fn clear_deferred(&mut self) {
        self.deferred.clear();
    }

    /// Defers SQL again that was sent and not run.
    pub(super) fn restore_deferred(&mut self, sql: Vec<Control>) {
        self.deferred = sql;
    }

    /// Drops the innermost transaction from the deferred SQL; returns false if the server has it
    /// already.
    pub(super) fn unsend(&mut self, depth: u32) -> bool {
        let begin = if depth == 1 {
            self.deferred
                .iter()
                .position(|sql| sql.starts_with("BEGIN"))
        } else {
            let sql = format!("SAVEPOINT {}", savepoint_of(depth));
            self.deferred.iter().rposition(|deferred| deferred.is(&sql))
        };
        if let Some(index) = begin {
            self.deferred.truncate(index);
        }
        begin.is_some()
    }
}

/// Failures.
impl Transactions {
    /// Records an error of the server or the connection.
    pub(super) fn note_failure(&mut self, error: &Error) {
        // An error that only says that an earlier statement failed is not recorded.
        if self.failures.latest.is_none()
            || error.sqlstate() != Some(SqlState::IN_FAILED_SQL_TRANSACTION)
        {
            self.failures.latest = Some(Failure {
                sqlstate: error.sqlstate(),
                outcome: error.outcome(),
                stale: is_stale(error),
                without: std::mem::take(&mut self.repeats_without),
                ..Failure::default()
            });
        }
        if let Some(server) = error.shared_server()
            && self.depth() > 0
        {
            self.failures
                .transaction
                .get_or_insert_with(|| Arc::clone(server));
        }
    }

    /// Notes that the failure that is noted next will not happen again, since what the server
    /// refused is not sent again.
    pub(super) fn set_repeats_without(&mut self) {
        self.repeats_without = true;
    }

    /// Returns whether the latest failure will not happen again for that reason.
    pub(super) fn repeats_without(&self) -> bool {
        self.failures
            .latest
            .as_ref()
            .is_some_and(|latest| latest.without)
    }

    /// Notes that a statement succeeded.
    pub(super) fn note_success(&mut self) {
        self.failures.latest = None;
    }

    /// Notes that the latest failure does not come from types that were looked up before.
    pub(super) fn has_fresh_types(&mut self) {
        if let Some(latest) = &mut self.failures.latest {
            latest.stale &= !latest.sqlstate.is_some_and(is_about_types);
        }
    }

    /// Returns the error that made the server refuse the rest of the transaction.
    pub(super) fn failure(&self) -> Option<&Arc<ServerError>> {
        self.failures.transaction.as_ref()
    }

    /// Returns a copy, for [`Transactions::restore_failures`].
    pub(super) fn failures(&self) -> Failures {
        self.failures.clone()
    }

    /// Restores the failures of an earlier moment.
    pub(super) fn restore_failures(&mut self, failures: Failures) {
        self.failures = failures;
    }

    /// Restores the latest failure of an earlier moment: the result of the ROLLBACK after it does
    /// not decide whether to retry.
    pub(super) fn restore_latest_failure(&mut self, before: Failures) {
        self.failures.latest = before.latest;
    }

    /// Records that the failed work was rolled back.
    pub(super) fn failed_work_undone(&mut self, before: Failures) {
        self.restore_latest_failure(before);
        self.failures.transaction = None;
    }
}

/// Changes of the schema.
impl Transactions {
    /// Returns whether a statement of the open transaction may have changed the schema.
    pub(super) fn has_changed_schema(&self) -> bool {
        self.changed_schema
    }

    pub(super) fn set_changed_schema(&mut self, changed: bool) {
        self.changed_schema = changed;
    }
}

/// Knowledge about the outcome.
impl Transactions {
    /// Notes that commands are sent; `least` is the least certain of their properties.
    pub(super) fn note_sent(&mut self, least: Reads) {
        self.sent = self.sent.min(least);
    }

    /// Returns whether the statements of the outermost transaction only read.
    pub(super) fn sent(&self) -> Reads {
        self.sent
    }

    /// Sets whether a commit without an answer can have written only if the name of a function has
    /// another meaning.
    pub(super) fn set_depends_on_shadowing(&mut self, depends: bool) {
        self.depends_on_shadowing = depends;
    }

    pub(super) fn take_depends_on_shadowing(&mut self) -> bool {
        std::mem::take(&mut self.depends_on_shadowing)
    }

    /// Returns the query for the transaction ID, to be sent after these commands if it is needed.
    pub(super) fn xid_query(&self, commands: &[Command]) -> Option<Command> {
        self.xid.query(commands)
    }

    /// Forgets which server the numbers are of.
    pub(super) fn forget_server(&mut self) {
        self.xid.forget_server();
    }

    /// Takes the answer to [`Transactions::xid_query`].
    pub(super) fn note_xid(&mut self, answers: &[Answer]) {
        self.xid.note(answers);
    }

    pub(super) fn take_xid(&mut self) -> Option<Arc<Xid>> {
        self.xid.take()
    }

    pub(super) fn hooks(&mut self) -> &mut Hooks {
        &mut self.hooks
    }

    /// Returns whether a transaction is open that the code that uses the session has begun, or was
    /// open until the connection was lost.
    pub(super) fn is_in_own(&self) -> bool {
        self.is_broken() || self.hooks.is_above_floor(self.depth())
    }

    /// Begins a call of a `Database`, which runs the hooks itself once the session is returned.
    pub(super) fn begin_call(&mut self, asks_xid: bool) {
        self.failures.latest = None;
        self.hooks.defer();
        let is_outermost = self.depth() == 0;
        self.xid.set_wanted(asks_xid && is_outermost);
    }

    /// Returns whether something of a call was not taken by its end.
    pub(super) fn is_in_call(&self) -> bool {
        self.failures.latest.is_some() || self.depends_on_shadowing || !self.hooks.is_unused()
    }

    /// Takes the failure that decides whether the call is retried.
    pub(super) fn take_latest_failure(&mut self) -> Option<Failure> {
        self.failures.latest.take()
    }
}

/// Returns the name of the savepoint that is created when this many transactions are open.
fn savepoint(open: NonZeroU32) -> String {
    format!("bowline_{open}")
}

/// Returns the name of the savepoint of the transaction at this depth, which is 2 or more.
pub(super) fn savepoint_of(depth: u32) -> String {
    format!("bowline_{}", depth - 1)
}
