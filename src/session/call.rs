//! One call of a [`Database`](crate::Database) on a session, and the session's record of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Committed, Hooks, Session, Xid};
use crate::retry::Failure;
use crate::sql_text::local_setting::LocalSchema;
use crate::sqlstate::SqlState;

/// A session's record of a call.
#[derive(Debug)]
pub(crate) struct CallRecord {
    /// The failure that decides whether the call is retried.
    pub(crate) failure: Failure,
    /// Whether a command was not sent because the deadline had passed.
    pub(crate) was_late: bool,
    /// The transaction ID, if COMMIT was not answered.
    pub(crate) xid: Option<Arc<Xid>>,
    /// Whether a commit without an answer can have written only if a function of the database has
    /// the name of one of PostgreSQL's own.
    pub(crate) depends_on_shadowing: bool,
    /// The process id of the server's backend.
    pub(crate) backend_pid: i32,
    /// The hooks to run once the session is returned to the pool.
    pub(crate) hooks: Hooks,
}

impl Session {
    /// Notes that a holder has waited this long for the session, which works for the call of this
    /// thread from now on.
    #[inline]
    pub(crate) fn begin_checkout(&mut self, waited: Duration) {
        self.observer.checked_out(waited);
        self.limits.adopt_current_call();
        // A call that panicked did not end its call on the session.
        if self.limits.is_in_call() || self.transactions.is_in_call() {
            self.end_call();
        }
    }

    /// Sets the attempt that follows, counted from 1.
    pub(crate) fn set_attempt(&mut self, attempt: u32) {
        self.observer.set_attempt(attempt);
    }

    /// Sets one deadline and limit for all statements that follow. With `asks_xid`, the call can
    /// find out the outcome of a transaction whose COMMIT was not answered.
    #[inline]
    pub(crate) fn begin_call(&mut self, deadline: Instant, limit: Duration, asks_xid: bool) {
        self.limits.begin_call(deadline, limit);
        self.transactions.begin_call(asks_xid);
        self.types.set_local(None);
        if self.pooler.is_some() {
            self.transactions.forget_server();
        }
    }

    /// Sets whether the call wants to know the place behind its commit in the write-ahead log.
    #[inline]
    pub(crate) fn want_position(&mut self, is_wanted: bool) {
        self.position.begin(is_wanted);
    }

    /// Returns the place behind the commit of the call.
    pub(crate) fn take_position(&mut self) -> Committed {
        self.position.take()
    }

    /// Sets the schema in which the call finds its tables first; its transactions set the path.
    pub(crate) fn set_local_schema(&mut self, schema: Option<Arc<LocalSchema>>) {
        self.types.set_local(schema);
    }

    /// Gives each statement of the call a limit of its own, in place of one deadline for all.
    pub(crate) fn limit_each_call(&mut self) {
        self.limits.limit_each_call();
    }

    /// Ends the call that [`Session::begin_call`] began.
    ///
    /// The session is not used again if its knowledge of the schema is out of date, or if its
    /// server accepts no writes.
    pub(crate) fn end_call(&mut self) -> CallRecord {
        let was_late = self.limits.end_call();
        self.types.set_local(None);
        let latest = self.transactions.take_latest_failure();
        // Without a recorded failure, the database did not fail.
        let failure = latest.map_or_else(Failure::default, |latest| Failure {
            lost: self.is_broken(),
            standby: latest.sqlstate == Some(SqlState::READ_ONLY_SQL_TRANSACTION)
                && !self.is_reader
                && self.connection.is_read_only(),
            ..latest
        });
        if failure.stale && self.transactions.depth() == 0 {
            self.types.cache().clear();
            self.stop_preparing_behind_pooler();
            self.set_close_reason("schema_changed");
            self.connection.set_lost(|| "the schema changed".to_owned());
        }
        if failure.standby && self.transactions.depth() == 0 {
            self.set_close_reason("read_only");
            self.connection
                .set_lost(|| "the server takes no writes".to_owned());
        }
        CallRecord {
            failure,
            was_late,
            xid: self.transactions.take_xid(),
            depends_on_shadowing: self.transactions.take_depends_on_shadowing(),
            backend_pid: self.backend_pid(),
            hooks: self.transactions.hooks().take(),
        }
    }
}
