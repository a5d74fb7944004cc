//! Runs work in a transaction or savepoint: it is committed if the work returns `Ok`, and rolled
//! back otherwise.

use ::diesel::connection::TransactionManager as _;

use super::Session;
use super::transaction_manager::{SessionTransactions, begin};
use crate::error::{Error, Outcome, Result};
use crate::transaction::{TransactionOptions, TransactionStart};

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

    /// Runs `work` in a transaction that begins with `start`, or in a savepoint within a
    /// transaction.
    pub(crate) fn transact<T, E>(
        &mut self,
        start: &TransactionStart,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> AttemptResult<T, E>
    where
        E: From<Error>,
    {
        if self.transactions.depth() > 0 {
            return self.transact_inner(start, work);
        }
        let begin = start.sql.first().map_or("", |begin| begin);
        let observed = self.observer.begin_transaction(begin);
        let _entered = observed.enter();
        let attempt = self.transact_inner(start, work);
        let outcome = match &attempt {
            AttemptResult::Done(_) => Outcome::Committed,
            AttemptResult::Failed(_) => Outcome::NotCommitted,
            AttemptResult::Unanswered(..) => Outcome::Unknown,
        };
        self.observer.end_transaction(observed, outcome);
        attempt
    }

    fn transact_inner<T, E>(
        &mut self,
        start: &TransactionStart,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> AttemptResult<T, E>
    where
        E: From<Error>,
    {
        if let Err(error) = begin(self, &start.sql) {
            return AttemptResult::Failed(Error::from(error).into());
        }
        let mut guard = RollbackOnPanic {
            session: self,
            armed: true,
        };
        let done = work(guard.session);
        match done {
            Ok(value) => {
                guard.armed = false;
                match SessionTransactions::commit_transaction(guard.session).map_err(Error::from) {
                    Ok(()) => AttemptResult::Done(value),
                    Err(error) if error.outcome() == Outcome::Unknown => {
                        AttemptResult::Unanswered(Some(value), error)
                    }
                    Err(error) => AttemptResult::Failed(error.into()),
                }
            }
            // The guard rolls back; the caller's error is more useful than that of a failed rollback.
            Err(error) => AttemptResult::Failed(error),
        }
    }
}

/// A guard that rolls back if the work within a transaction fails or panics; the panic continues.
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
