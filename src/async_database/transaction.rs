//! Transactions of asynchronous code.

use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;

use super::session::AsyncSession;
use super::slot::{Ended, Slot, dropped};
use crate::database::Database;
use crate::database::attempts::{Attempt, CallEnd, Failed, Next};
use crate::error::{Error, Result};
use crate::observe::within;
use crate::retry::RetryPolicy;
use crate::session::{AttemptResult, BegunWork};
use crate::transaction::TransactionStart;

/// Runs `work` in a transaction; after a conflict it is run again from its beginning.
pub(super) async fn run<T, E, F, R>(
    database: Arc<Database>,
    location: &'static Location<'static>,
    work: F,
) -> Result<T, E>
where
    F: Fn(AsyncSession) -> R,
    R: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    let mut attempts = database.attempts(location, database.retry_policy());
    let mut repeated = None;
    loop {
        let attempt = attempts.begin().await.map_err(|(error, _)| error)?;
        let (attempt, tried) = match Open::begin(attempt) {
            Ok(open) => {
                let done = {
                    let work = pin!(work(open.handle()));
                    within(open.begun.span().as_ref(), work).await
                };
                open.end(done).await
            }
            Err(failed) => {
                let (attempt, error) = *failed;
                (Some(attempt), AttemptResult::Failed(error.into()))
            }
        };
        let Some(attempt) = attempt else {
            return tried.into_result();
        };
        let failed = match tried {
            AttemptResult::Done(value) => {
                attempts.succeeded(attempt);
                return Ok(value);
            }
            AttemptResult::Failed(error) => Failed::Refused(error),
            AttemptResult::Unanswered(value, error) => Failed::Unanswered(value, error),
        };
        match Box::pin(attempts.failed(attempt, failed, repeated.take())).await {
            Next::Again(error) => repeated = Some(error),
            Next::End(Ok(CallEnd::Done(value))) => return Ok(value),
            Next::End(Ok(CallEnd::AnswerLost(error))) => return Err(error.into()),
            Next::End(Err((error, _))) => return Err(error),
        }
    }
}

/// An open transaction, and the only owner of its session. If it is dropped, the transaction is
/// rolled back.
struct Open {
    slot: Arc<Slot>,
    level: u64,
    begun: BegunWork,
    opening: TransactionStart,
    /// The number of transactions that are open within this one's work; savepoints of the work are
    /// on top.
    depth: u32,
}

impl Open {
    fn begin(attempt: Attempt) -> Result<Self, Box<(Attempt, Error)>> {
        let Attempt {
            mut session,
            opening,
        } = attempt;
        match session.begin_work(&opening) {
            Ok(begun) => {
                let depth = session.transaction_depth();
                let (slot, level) = Slot::new(session);
                Ok(Self {
                    slot: Arc::new(slot),
                    level,
                    begun,
                    opening,
                    depth,
                })
            }
            Err(error) => Err(Box::new((Attempt { session, opening }, error))),
        }
    }

    fn handle(&self) -> AsyncSession {
        AsyncSession {
            slot: Arc::clone(&self.slot),
            level: self.level,
        }
    }

    /// Commits, or rolls back if the work failed.
    async fn end<T, E: From<Error>>(
        mut self,
        done: Result<T, E>,
    ) -> (Option<Attempt>, AttemptResult<T, E>) {
        let Ended {
            mut session,
            was_dropped,
            has_leftover,
        } = match self.slot.end().await {
            Ok(ended) => ended,
            Err(error) => {
                let error = done.err().unwrap_or_else(|| error.into());
                return (None, AttemptResult::Failed(error));
            }
        };
        let done = if was_dropped {
            session.undo_abandoned(self.depth).await;
            done.and_then(|_| Err(dropped().into()))
        } else {
            if has_leftover {
                session.end_abandoned().await;
            }
            done
        };
        let begun = std::mem::take(&mut self.begun);
        let tried = session.end_work(begun, done).await;
        let opening = self.opening.clone();
        (Some(Attempt { session, opening }), tried)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.slot.abandon();
    }
}

/// A transaction that was begun by [`AsyncDatabase::begin`](super::AsyncDatabase::begin).
///
/// Dropping it rolls back. It is not retried. It dereferences to [`AsyncSession`].
#[must_use = "dropping it rolls back"]
pub struct AsyncTransaction {
    database: Arc<Database>,
    location: &'static Location<'static>,
    open: Open,
    handle: AsyncSession,
}

impl AsyncTransaction {
    pub(super) async fn begin(
        database: Arc<Database>,
        location: &'static Location<'static>,
    ) -> Result<Self> {
        let mut attempts = database.attempts(location, RetryPolicy::never());
        let mut attempt = attempts.begin().await.map_err(|(error, _)| error)?;
        attempt.session.limit_each_call();
        let open = Open::begin(attempt).map_err(|failed| failed.1)?;
        Ok(Self {
            handle: open.handle(),
            database,
            location,
            open,
        })
    }

    /// Commits the transaction: one round trip.
    ///
    /// If COMMIT is not answered, its outcome is looked up as that of
    /// [`Database::transaction`](crate::Database::transaction).
    pub async fn commit(self) -> Result<()> {
        self.end(Ok(())).await
    }

    /// Rolls the transaction back: one round trip.
    pub async fn rollback(self) -> Result<()> {
        // No error is the reason for the rollback; an error came in its way.
        match self.end(Err::<(), Option<Error>>(None)).await {
            Ok(()) | Err(None) => Ok(()),
            Err(Some(error)) => Err(error),
        }
    }

    async fn end<E: From<Error>>(self, done: Result<(), E>) -> Result<(), E> {
        let Self {
            database,
            location,
            open,
            ..
        } = self;
        let attempts = database.attempts(location, RetryPolicy::never());
        let (attempt, tried) = open.end(done).await;
        match attempt {
            Some(attempt) => attempts.ended(attempt, tried).await,
            None => tried.into_result(),
        }
    }
}

impl Deref for AsyncTransaction {
    type Target = AsyncSession;

    fn deref(&self) -> &AsyncSession {
        &self.handle
    }
}

impl fmt::Debug for AsyncTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncTransaction").finish_non_exhaustive()
    }
}
