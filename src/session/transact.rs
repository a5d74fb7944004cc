//! Runs work in a transaction or savepoint: it is committed if the work returns `Ok`, and rolled
//! back otherwise.

use std::pin::pin;

use super::Session;
use super::observer::ObservedTransaction;
use super::transaction_manager::{
    SessionTransactions, begin, commit_innermost, roll_back_innermost,
};
use crate::command::control::Control;
use crate::error::{Error, Outcome, Result};
use crate::observe::{Span, within};
use crate::transaction::{TransactionOptions, TransactionStart};
use crate::wire::executor::block_on;
use ::diesel::connection::TransactionManager as _;

/// The result of one attempt at a piece of work.
#[derive(Debug)]
pub(crate) enum AttemptResult<T, E> {
    Done(T),
    Failed(E),
    /// The commit was sent, but not answered. The value of the work is here, unless it was lost
    /// with the answer.
    Unanswered(Option<T>, Error),
}

impl<T, E: From<Error>> AttemptResult<T, E> {
    /// Returns the result for a caller that cannot find out the outcome.
    pub(crate) fn into_result(self) -> Result<T, E> {
        match self {
            Self::Done(value) => Ok(value),
            Self::Failed(error) => Err(error),
            Self::Unanswered(_, error) => Err(error.into()),
        }
    }
}

impl Session {
    /// Runs `work` in a savepoint: if it fails, only its own changes are undone, and the
    /// transaction continues.
    ///
    /// Outside of a transaction it runs as a transaction. SAVEPOINT and RELEASE are sent together
    /// with other statements. Undoing takes one round trip.
    pub fn savepoint<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.savepoint_with_error(work)
    }

    /// Runs `work` in a savepoint as [`Session::savepoint`] does; `work` chooses its error type.
    pub fn savepoint_with_error<T, E>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.transact(&TransactionStart::plain(), work)
            .into_result()
    }

    /// As [`Session::savepoint`], with options that apply outside of a transaction; for the
    /// command.
    #[doc(hidden)]
    pub fn savepoint_with<T, E>(
        &mut self,
        options: &TransactionOptions,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.transact(&options.opening(), work).into_result()
    }

    /// Runs `work`, which blocks, in a transaction that begins with `start`, or in a savepoint
    /// within a transaction.
    pub(crate) fn transact<T, E>(
        &mut self,
        start: &TransactionStart,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> AttemptResult<T, E>
    where
        E: From<Error>,
    {
        let begun = match self.begin_work(start) {
            Ok(begun) => begun,
            Err(error) => return AttemptResult::Failed(error.into()),
        };
        let span = begun.span();
        let _entered = span.as_ref().map(Span::enter);
        let mut guard = RollbackOnPanic {
            session: self,
            armed: true,
        };
        let done = work(guard.session);
        guard.armed = false;
        drop(guard);
        block_on(self.end_work(begun, done))
    }

    /// Begins the transaction of some work, or a savepoint within a transaction. Nothing is sent.
    pub(crate) fn begin_work(&mut self, start: &TransactionStart) -> Result<BegunWork> {
        let observed = (self.transactions.depth() == 0).then(|| {
            let begin = start.sql.first().map(Control::sql).unwrap_or_default();
            self.observer.begin_transaction(&begin)
        });
        match begin(self, &start.sql) {
            Ok(()) => Ok(BegunWork { observed }),
            Err(error) => {
                if let Some(observed) = observed {
                    self.observer
                        .end_transaction(observed, Outcome::NotCommitted);
                }
                Err(error.into())
            }
        }
    }

    /// Commits the transaction of work that succeeded, and rolls back that of work that failed; a
    /// savepoint likewise.
    pub(crate) async fn end_work<T, E: From<Error>>(
        &mut self,
        begun: BegunWork,
        done: Result<T, E>,
    ) -> AttemptResult<T, E> {
        let span = begun.span();
        let attempt = {
            let end = pin!(self.commit_or_roll_back(done));
            within(span.as_ref(), end).await
        };
        let outcome = match &attempt {
            AttemptResult::Done(_) => Outcome::Committed,
            AttemptResult::Failed(_) => Outcome::NotCommitted,
            AttemptResult::Unanswered(..) => Outcome::Unknown,
        };
        if let Some(observed) = begun.observed {
            self.observer.end_transaction(observed, outcome);
        }
        attempt
    }

    async fn commit_or_roll_back<T, E: From<Error>>(
        &mut self,
        done: Result<T, E>,
    ) -> AttemptResult<T, E> {
        match done {
            Ok(value) => match commit_innermost(self).await.map_err(Error::from) {
                Ok(()) => AttemptResult::Done(value),
                Err(error) if error.outcome() == Outcome::Unknown => {
                    AttemptResult::Unanswered(Some(value), error)
                }
                Err(error) => AttemptResult::Failed(error.into()),
            },
            Err(error) => {
                // The caller's error is more useful than that of a failed rollback.
                if Box::pin(roll_back_innermost(self)).await.is_err() {
                    self.transactions.set_broken();
                }
                AttemptResult::Failed(error)
            }
        }
    }
}

/// A transaction or savepoint that was begun for some work.
#[derive(Default)]
#[must_use = "ends by `Session::end_work`"]
pub(crate) struct BegunWork {
    /// The span and counts of the transaction; `None` for a savepoint.
    observed: Option<ObservedTransaction>,
}

impl BegunWork {
    /// Returns the span in which the work runs.
    pub(crate) fn span(&self) -> Option<Span> {
        self.observed.as_ref().map(ObservedTransaction::span)
    }
}

/// A guard that rolls back if the work within a transaction panics; the panic continues.
struct RollbackOnPanic<'s> {
    session: &'s mut Session,
    armed: bool,
}

impl Drop for RollbackOnPanic<'_> {
    fn drop(&mut self) {
        if self.armed && SessionTransactions::rollback_transaction(self.session).is_err() {
            self.session.transactions.set_broken();
        }
    }
}
