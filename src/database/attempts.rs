//! The attempts of one call, within the limits of its retry policy.

use std::panic::Location;
use std::time::Instant;

use super::Database;
use super::unanswered::Unanswered;
use crate::deadline::A_YEAR;
use crate::error::{Error, Outcome, Result};
use crate::observe::metrics;
use crate::retry::{Retries, RetryPolicy};
use crate::session::{AttemptResult, Session};
use crate::transaction::TransactionStart;
use crate::wire::interrupt;

/// The result of a call that committed.
#[derive(Debug)]
pub(super) enum CallEnd<T> {
    Done(T),
    /// The answer was lost, and with it the output of the work.
    AnswerLost(Error),
}

impl Database {
    /// Runs `work` on a session until it succeeds, fails for good, or has no attempts left; counts
    /// the attempts.
    ///
    /// If no time is left for a retry, the result is the failure that led to the retry.
    pub(super) fn attempt<T, E>(
        &self,
        holder: &'static Location<'static>,
        policy: RetryPolicy,
        mut work: impl FnMut(&mut Session, &TransactionStart) -> AttemptResult<T, E>,
    ) -> Result<CallEnd<T>, (E, u32)>
    where
        E: From<Error>,
    {
        let began = Instant::now();
        let deadline = began + self.limit.min(A_YEAR);
        let mut retries = Retries::new(policy, &self.budget, deadline);
        let mut repeated = None;
        let mut asked = began;
        loop {
            let opening = self.options.opening();
            // The pool itself retries connecting.
            let mut session = self
                .source
                .get(holder, asked, || deadline)
                .map_err(|error| (error.into(), retries.attempt()))?;
            if session.transaction_depth() > 0 {
                // Rolling back to a savepoint does not resolve a conflict of the transaction around
                // it.
                retries.stop();
            }
            session.begin_call(deadline, self.limit, opening.attempt.is_none());
            session.set_attempt(retries.attempt());
            let tried = work(&mut session, &opening);
            let recorded = session.end_call();
            if recorded.failure.standby {
                session.mark_outdated();
            }
            drop(session);
            let (mut failure, mut hooks) = (recorded.failure, recorded.hooks);
            let error = match tried {
                AttemptResult::Done(value) => {
                    self.budget.succeeded();
                    hooks.run();
                    return Ok(CallEnd::Done(value));
                }
                AttemptResult::Failed(error) => {
                    hooks.run();
                    error
                }
                AttemptResult::Unanswered(value, error) => {
                    let unanswered = Unanswered {
                        attempt: opening.attempt,
                        xid: recorded.xid,
                        depends_on_shadowing: recorded.depends_on_shadowing,
                        backend_pid: recorded.backend_pid,
                    };
                    failure.outcome = self.outcome_of(&unanswered, holder, deadline);
                    let error = error.with_outcome(failure.outcome);
                    if failure.outcome != Outcome::Unknown {
                        hooks.end(failure.outcome == Outcome::Committed);
                        hooks.run();
                    }
                    if failure.outcome == Outcome::Committed {
                        return Ok(value.map_or(CallEnd::AnswerLost(error), CallEnd::Done));
                    }
                    error.into()
                }
            };
            let Some(pause) = retries.next(&failure) else {
                let error = repeated.filter(|_| recorded.was_late).unwrap_or(error);
                if failure.outcome == Outcome::Unknown {
                    metrics::unknown_outcome();
                }
                return Err((error, retries.attempt()));
            };
            repeated = Some(error);
            interrupt::pause(pause);
            asked = Instant::now();
        }
    }
}
