//! One call of a [`Database`](crate::Database)'s on a session, and what the session recorded of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Hooks, Session, Xid};
use crate::error::{Error, Result};
use crate::retry::Failure;
use crate::sqlstate::SqlState;
use crate::wire::interrupt::{self, Interrupt};
use crate::wire::libpq::TransactionStatus;

/// What became of one attempt.
#[derive(Debug)]
pub(crate) enum Tried<T, E> {
    Done(T),
    Failed(E),
    /// The commit was sent and not answered. What the work gave is here, unless it is lost with the answer.
    Unanswered(Option<T>, Error),
}

impl<T, E: From<Error>> Tried<T, E> {
    /// For those who cannot find out more.
    pub(crate) fn into_result(self) -> Result<T, E> {
        match self {
            Self::Done(value) => Ok(value),
            Self::Failed(error) => Err(error),
            Self::Unanswered(_, error) => Err(error.into()),
        }
    }
}

/// What a session recorded of a call.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) failure: Failure,
    /// The transaction's number, where COMMIT was not answered.
    pub(crate) xid: Option<Arc<Xid>>,
    /// Whether a commit that was not answered can have written only if a function of the database's own has the name of
    /// one of PostgreSQL's.
    pub(crate) hinges_on_names: bool,
    /// The process at the other end.
    pub(crate) backend_pid: i32,
    /// To be run when the session has gone back.
    pub(crate) hooks: Hooks,
}

impl Session {
    /// A session that was lost refuses each further call, and so does one whose answers another call still waits for.
    pub(super) fn refuse_if_lost(&self) -> Result<()> {
        match &self.lost {
            None if self.connection.transaction_status() == TransactionStatus::Active => {
                Err(Error::query(
                    "the session is still busy with a stream or a COPY that was forgotten",
                )
                .with_hint("drop it, which ends it: std::mem::forget does not"))
            }
            None => Ok(()),
            Some(lost) => Err(Error::unavailable(format!("the session was lost: {lost}"))
                .with_hint("take a new session from the pool")),
        }
    }

    /// The call that the session works for, if it may be given up: that of this thread, else the one it was taken in.
    pub(super) fn interrupt(&self) -> Option<Interrupt> {
        interrupt::current().or_else(|| self.interrupt.clone())
    }

    /// Whoever has the session works for the call of this thread from now on.
    pub(crate) fn belongs_to_this_call(&mut self) {
        self.interrupt = interrupt::current();
    }

    /// A call that was given up starts nothing any more.
    pub(super) fn refuse_if_given_up(&self) -> Result<()> {
        self.interrupt()
            .map_or(Ok(()), |interrupt| interrupt.check())
    }

    /// Fails once the time of the call is over: then nothing new is begun.
    pub(super) fn refuse_if_late(&self) -> Result<()> {
        if self
            .deadline
            .is_none_or(|deadline| Instant::now() < deadline)
        {
            return Ok(());
        }
        Err(
            Error::timeout("the time of the call was over before this was sent")
                .with_hint("see Database::within and Config::call_timeout"),
        )
    }

    /// Holds what follows to one deadline and limit, however many statements it is; `asks_xid` if somebody would want
    /// to know what became of a transaction whose COMMIT was not answered.
    pub(crate) fn begin_call(&mut self, deadline: Instant, limit: Duration, asks_xid: bool) {
        self.deadline = Some(deadline);
        self.limit = limit;
        self.transactions.latest = None;
        self.transactions.hooks.defer();
        self.transactions.xid.is_wanted = asks_xid && self.transactions.depth() == 0;
    }

    /// Ends what [`Session::begin_call`] began; gives what decides whether to try again.
    ///
    /// A session that knows an old schema, or that leads to a server that takes no writes, is not used again.
    pub(crate) fn end_call(&mut self) -> Recorded {
        self.deadline = None;
        self.limit = self.usual_limit;
        let latest = self.transactions.latest.take();
        // Without one it was not the database that failed.
        let failure = latest.map_or_else(Failure::default, |latest| Failure {
            lost: self.is_broken(),
            standby: latest.sqlstate == Some(SqlState::READ_ONLY_SQL_TRANSACTION)
                && self.is_read_only(),
            ..latest
        });
        if failure.stale && self.transactions.depth() == 0 {
            self.types.clear();
            self.closes("schema_changed");
            self.lost
                .get_or_insert_with(|| "the schema changed".to_owned());
        }
        if failure.standby && self.transactions.depth() == 0 {
            self.closes("read_only");
            self.lost
                .get_or_insert_with(|| "the server takes no writes".to_owned());
        }
        Recorded {
            failure,
            xid: self.transactions.xid.take(),
            hinges_on_names: std::mem::take(&mut self.transactions.hinges_on_names),
            backend_pid: self.backend_pid(),
            hooks: self.transactions.hooks.take(),
        }
    }

    /// Whether the server takes no writes unless a transaction asks for that: it is a standby, or set up so.
    fn is_read_only(&self) -> bool {
        [c"in_hot_standby", c"default_transaction_read_only"]
            .into_iter()
            .any(|name| self.connection.parameter_status(name).as_deref() == Some("on"))
    }
}
