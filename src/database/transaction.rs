//! Transactions without a closure.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

use super::Database;
use super::attempts::Attempt;
use crate::error::{Error, Result};
use crate::retry::RetryPolicy;
use crate::session::{BegunWork, Session};
use crate::wire::executor::block_on;

/// A transaction that was begun by [`Database::begin`].
///
/// Dropping it rolls back, in one round trip. It is not retried. It dereferences to [`Session`]:
/// for a parameter of type `&mut Session`, pass `&mut *transaction`.
#[must_use = "dropping it rolls back"]
pub struct Transaction {
    database: Database,
    location: &'static Location<'static>,
    /// `None` once it has ended, which consumes it.
    open: Option<Open>,
}

struct Open {
    attempt: Attempt,
    begun: BegunWork,
}

impl Database {
    /// Begins a transaction without a closure: no round trip.
    ///
    /// It is not retried, and dropping it rolls back. Each statement may take as long as one call.
    /// [`Database::transaction`] retries, and is the better choice where a closure is possible.
    ///
    /// ```
    /// # use bank::Account;
    /// # use bowline::{Database, Result};
    /// # fn others(db: &Database, username: &str) -> Result<i64> {
    /// let mut tx = db.begin()?;
    /// let found = tx.run(Account::find_by_username(username))?;
    /// let all = tx.run(Account::count())?;
    /// tx.commit()?;
    /// # Ok(all - i64::from(found.is_some()))
    /// # }
    /// ```
    #[track_caller]
    pub fn begin(&self) -> Result<Transaction> {
        let location = Location::caller();
        let mut attempts = self.attempts(location, RetryPolicy::never());
        let mut attempt = block_on(attempts.begin()).map_err(|(error, _)| error)?;
        attempt.session.limit_each_call();
        let begun = attempt.session.begin_work(&attempt.opening)?;
        Ok(Transaction {
            database: self.clone(),
            location,
            open: Some(Open { attempt, begun }),
        })
    }
}

impl Transaction {
    /// Commits the transaction: one round trip, none if nothing was sent.
    ///
    /// If COMMIT is not answered, its outcome is looked up as that of [`Database::transaction`]. If
    /// a statement failed before, the transaction is rolled back, and the result is that failure.
    pub fn commit(mut self) -> Result<()> {
        self.end(Ok(()))
    }

    /// Rolls the transaction back: one round trip, none if nothing was sent.
    pub fn rollback(mut self) -> Result<()> {
        self.roll_back()
    }

    fn roll_back(&mut self) -> Result<()> {
        // No error is the reason for the rollback; an error came in its way.
        match self.end(Err::<(), Option<Error>>(None)) {
            Ok(()) | Err(None) => Ok(()),
            Err(Some(error)) => Err(error),
        }
    }

    fn end<E: From<Error>>(&mut self, done: Result<(), E>) -> Result<(), E> {
        let Some(Open { mut attempt, begun }) = self.open.take() else {
            return Ok(());
        };
        let attempts = self.database.attempts(self.location, RetryPolicy::never());
        let tried = block_on(attempt.session.end_work(begun, done));
        block_on(attempts.ended(attempt, tried))
    }
}

impl Deref for Transaction {
    type Target = Session;

    fn deref(&self) -> &Session {
        let open = self.open.as_ref();
        &open
            .expect("taken by what consumes it only")
            .attempt
            .session
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Session {
        let open = self.open.as_mut();
        &mut open
            .expect("taken by what consumes it only")
            .attempt
            .session
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // A session that cannot roll back is closed.
        self.roll_back().ok();
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}
