//! One call of a [`Database`](crate::Database) on a session, and what the session recorded of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Hooks, Session, Xid};
use crate::retry::Failure;
use crate::sqlstate::SqlState;

/// What a session recorded of a call.
#[derive(Debug)]
pub(crate) struct CallRecord {
    /// What decides whether the call is tried again.
    pub(crate) failure: Failure,
    /// Whether something was not sent, because the deadline had passed.
    pub(crate) was_late: bool,
    /// The transaction's number, where COMMIT was not answered.
    pub(crate) xid: Option<Arc<Xid>>,
    /// Whether a commit without an answer can have written only if a function of the database has the name of one of
    /// PostgreSQL's own.
    pub(crate) hinges_on_names: bool,
    /// The server's process.
    pub(crate) backend_pid: i32,
    /// To be run when the session has gone back.
    pub(crate) hooks: Hooks,
}

impl Session {
    /// Notes that a holder has waited this long for the session.
    pub(crate) fn checked_out(&mut self, waited: Duration) {
        self.observer.checked_out(waited);
    }

    /// Makes the session work for the call of this thread from now on.
    pub(crate) fn adopt_current_call(&mut self) {
        self.limits.adopt_current_call();
    }

    /// Sets the attempt that follows, counted from 1.
    pub(crate) fn set_attempt(&mut self, attempt: u32) {
        self.observer.set_attempt(attempt);
    }

    /// Holds what follows to one deadline and limit, however many statements it is. With `asks_xid` the call can
    /// find out the outcome of a transaction whose COMMIT was not answered.
    pub(crate) fn begin_call(&mut self, deadline: Instant, limit: Duration, asks_xid: bool) {
        self.limits.begin_call(deadline, limit);
        self.transactions.begin_call(asks_xid);
        if self.pooler.is_some() {
            self.transactions.forget_server();
        }
    }

    /// Ends what [`Session::begin_call`] began.
    ///
    /// A session that knows an old schema is not used again, nor one whose server takes no writes.
    pub(crate) fn end_call(&mut self) -> CallRecord {
        let was_late = self.limits.end_call();
        let latest = self.transactions.take_latest_failure();
        // Without one it was not the database that failed.
        let failure = latest.map_or_else(Failure::default, |latest| Failure {
            lost: self.is_broken(),
            standby: latest.sqlstate == Some(SqlState::READ_ONLY_SQL_TRANSACTION)
                && self.connection.is_read_only(),
            ..latest
        });
        if failure.stale && self.transactions.depth() == 0 {
            self.types.clear();
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
            hinges_on_names: self.transactions.take_hinges_on_names(),
            backend_pid: self.backend_pid(),
            hooks: self.transactions.hooks().take(),
        }
    }
}
