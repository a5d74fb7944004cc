//! The attempts of one call, within the limits of its retry policy.

use std::panic::Location;
use std::time::Instant;

use super::source::Request;
use super::unanswered::Unanswered;
use super::{Database, PooledSession};
use crate::deadline::A_YEAR;
use crate::error::{Error, Outcome, Result};
use crate::observe::metrics;
use crate::pool::Trust;
use crate::retry::{Retries, RetryPolicy};
use crate::session::{AttemptResult, CallRecord};
use crate::transaction::TransactionStart;
use crate::wire::executor::is_blocking;
use crate::wire::interrupt;

/// The result of a call that committed.
#[derive(Debug)]
pub(crate) enum CallEnd<T> {
    Done(T),
    /// The answer was lost, and with it the output of the work.
    AnswerLost(Error),
}

/// A session for one attempt, on which the call has begun.
pub(crate) struct Attempt {
    pub(crate) session: PooledSession,
    pub(crate) opening: TransactionStart,
}

/// The attempts of one call.
pub(crate) struct Attempts<'d> {
    database: &'d Database,
    holder: &'static Location<'static>,
    retries: Retries<'d>,
    deadline: Instant,
    /// When the session for the next attempt is asked for.
    asked: Instant,
}

/// The end of an attempt that did not succeed.
pub(crate) enum Failed<T, E> {
    Refused(E),
    /// The commit was sent, but not answered. The value of the work is here, unless it was lost
    /// with the answer.
    Unanswered(Option<T>, Error),
}

/// What follows an attempt that did not succeed.
pub(crate) enum Next<T, E> {
    End(Result<CallEnd<T>, (E, u32)>),
    /// Another attempt, because of this failure. If no time is left for it, the result is the
    /// failure.
    Again(E),
}

impl Database {
    /// Returns the attempts of a call that begins now.
    pub(crate) fn attempts(
        &self,
        holder: &'static Location<'static>,
        policy: RetryPolicy,
    ) -> Attempts<'_> {
        let began = Instant::now();
        let deadline = began + self.limit.min(A_YEAR);
        Attempts {
            database: self,
            holder,
            retries: Retries::new(policy, &self.budget, deadline),
            deadline,
            asked: began,
        }
    }
}

impl Attempts<'_> {
    /// Returns a session for the next attempt. An error comes with the number of attempts.
    pub(crate) async fn begin(&mut self) -> Result<Attempt, (Error, u32)> {
        match self.begin_at_once(is_blocking().await)? {
            Ok(attempt) => Ok(attempt),
            Err(request) => Box::pin(self.begin_later(request)).await,
        }
    }

    /// Returns a session for the next attempt if one is idle, otherwise the request for
    /// [`Attempts::begin_later`].
    pub(crate) fn begin_at_once(
        &mut self,
        is_blocking: bool,
    ) -> Result<Result<Attempt, Box<Request>>, (Error, u32)> {
        let source = &self.database.source;
        let trust = if self.retries.may_reconnect() {
            Trust::JustUsed
        } else {
            Trust::Nothing
        };
        match source.get_at_once(self.holder, self.asked, is_blocking, trust) {
            Ok(Ok(session)) => Ok(Ok(self.attempt(session))),
            Ok(Err(request)) => Ok(Err(request)),
            Err(error) => Err((error, self.retries.attempt())),
        }
    }

    /// Waits for a session for the next attempt.
    pub(crate) async fn begin_later(
        &mut self,
        request: Box<Request>,
    ) -> Result<Attempt, (Error, u32)> {
        // The pool itself retries connecting.
        let source = &self.database.source;
        match source.get_later(request, || self.deadline).await {
            Ok(session) => Ok(self.attempt(session)),
            Err(error) => Err((error, self.retries.attempt())),
        }
    }

    /// Begins an attempt on this session.
    fn attempt(&mut self, mut session: PooledSession) -> Attempt {
        let database = self.database;
        let mut opening = database.options.opening();
        let is_within = session.transaction_depth() > 0;
        opening.set_locally(database.local.controls(is_within));
        if is_within {
            // Rolling back to a savepoint does not resolve a conflict of the transaction around
            // it.
            self.retries.stop();
        }
        session.begin_call(self.deadline, database.limit, opening.attempt.is_none());
        session.want_position(database.mark.is_some());
        session.set_local_schema(database.local.shared_schema());
        session.set_attempt(self.retries.attempt());
        Attempt { session, opening }
    }

    /// Ends an attempt that succeeded: returns its session, and runs its hooks.
    pub(crate) fn succeeded(&self, mut attempt: Attempt) {
        self.database.note_position(&mut attempt.session);
        let (recorded, _) = self.returned(attempt);
        self.database.budget.succeeded();
        recorded.hooks.run();
    }

    /// Ends an attempt that failed or was not answered: returns its session, finds out the outcome
    /// of its commit, and pauses before another attempt. `repeated` is the failure of the attempt
    /// before.
    pub(crate) async fn failed<T, E: From<Error>>(
        &mut self,
        attempt: Attempt,
        failed: Failed<T, E>,
        repeated: Option<E>,
    ) -> Next<T, E> {
        let database = self.database;
        let (recorded, opening) = self.returned(attempt);
        let (mut failure, mut hooks) = (recorded.failure, recorded.hooks);
        let error = match failed {
            Failed::Refused(error) => {
                hooks.run();
                error
            }
            Failed::Unanswered(value, error) => {
                let unanswered = Unanswered {
                    attempt: opening.attempt,
                    xid: recorded.xid,
                    depends_on_shadowing: recorded.depends_on_shadowing,
                    backend_pid: recorded.backend_pid,
                };
                failure.outcome = database
                    .outcome_of(&unanswered, self.holder, self.deadline)
                    .await;
                let error = error.with_outcome(failure.outcome);
                if failure.outcome != Outcome::Unknown {
                    hooks.end(failure.outcome == Outcome::Committed);
                    hooks.run();
                }
                if failure.outcome == Outcome::Committed {
                    database
                        .ask_position_elsewhere(self.holder, self.deadline)
                        .await;
                    return Next::End(Ok(value.map_or(CallEnd::AnswerLost(error), CallEnd::Done)));
                }
                error.into()
            }
        };
        let Some(pause) = self.retries.next(&failure) else {
            let error = repeated.filter(|_| recorded.was_late).unwrap_or(error);
            if failure.outcome == Outcome::Unknown {
                metrics::unknown_outcome();
            }
            return Next::End(Err((error, self.retries.attempt())));
        };
        interrupt::pause(pause).await;
        self.asked = Instant::now();
        Next::Again(error)
    }

    /// Ends the only attempt of a transaction that had no closure.
    pub(crate) async fn ended<E: From<Error>>(
        mut self,
        attempt: Attempt,
        tried: AttemptResult<(), E>,
    ) -> Result<(), E> {
        let failed = match tried {
            AttemptResult::Done(()) => {
                self.succeeded(attempt);
                return Ok(());
            }
            AttemptResult::Failed(error) => Failed::Refused(error),
            AttemptResult::Unanswered(value, error) => Failed::Unanswered(value, error),
        };
        match Box::pin(self.failed(attempt, failed, None)).await {
            Next::End(Ok(CallEnd::Done(()) | CallEnd::AnswerLost(_))) => Ok(()),
            Next::End(Err((error, _))) | Next::Again(error) => Err(error),
        }
    }

    /// Returns the session of an attempt to the pool.
    fn returned(&self, attempt: Attempt) -> (CallRecord, TransactionStart) {
        let Attempt {
            mut session,
            opening,
        } = attempt;
        let recorded = session.end_call();
        if recorded.failure.standby {
            session.mark_outdated();
        }
        (recorded, opening)
    }
}
