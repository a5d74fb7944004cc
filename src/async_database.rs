//! The database for asynchronous applications.
//!
//! It runs the same `async fn`s as [`Database`], which block when a thread polls them and wait for tokio's events when
//! a task does. See `wire/executor.rs`.

mod session;
mod slot;
mod threads;
mod transaction;
mod unit_of_work;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::activity::Activity;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::no_session::PoolState;
use crate::statement::Statement;
use crate::transaction::TransactionOptions;

pub use session::AsyncSession;
pub use transaction::AsyncTransaction;
pub use unit_of_work::AsyncUnitOfWork;

/// A [`Database`] for asynchronous code; returned by [`Database::into_async`]. Cheap to clone;
/// clones share the pool.
///
/// Needs a tokio runtime with IO and time enabled. A call that runs occupies no thread. A pool serves callers of both
/// kinds in one queue. It connects on up to four threads of its own, while callers wait.
///
/// # Dropping a future
///
/// Dropping a future before it is done gives its call up. Its session is cleaned by a task of the runtime: the
/// statement is cancelled on the server, the transaction is rolled back, and the session is returned to the pool. If
/// there is no runtime any more, the session is closed at once.
///
/// Nothing of the call is committed, unless its commit was being sent. The commit counts as being
/// sent once libpq has this message to write to the socket:
///
/// - for statements sent in one round trip, the message that ends it (Sync), or the COMMIT before
///   it;
/// - for a transaction, its COMMIT.
///
/// An event with target `bowline::outcome` then has the outcome.
#[derive(Clone)]
pub struct AsyncDatabase {
    database: Arc<Database>,
    /// The permits for threads, as many as there may be sessions.
    threads: Arc<Semaphore>,
}

impl Database {
    /// Returns the database for asynchronous code.
    pub fn into_async(self) -> AsyncDatabase {
        let threads = Arc::new(Semaphore::new(
            self.pool_state().max.try_into().unwrap_or(1),
        ));
        AsyncDatabase {
            database: Arc::new(self),
            threads,
        }
    }
}

impl AsyncDatabase {
    /// Runs a statement as [`Database::run`] does: all or nothing, in one round trip. The statement may borrow.
    #[track_caller]
    pub fn run<S>(&self, statement: S) -> impl Future<Output = Result<S::Output>> + Send + use<S>
    where
        S: Statement + Send,
        S::Output: Send,
    {
        let location = Location::caller();
        let database = Arc::clone(&self.database);
        async move {
            let mut statement = statement;
            database.run_for(&mut statement, location).await?
        }
    }

    /// Runs `work` in a transaction as [`Database::transaction`] does; after a conflict it is run again from its
    /// beginning.
    ///
    /// `work` is given an owned handle. A closure that borrows what it uses is written `async |tx| ..`. One that owns
    /// it makes a copy for each attempt: `move |tx| { let name = name.clone(); async move { .. } }`.
    ///
    /// ```
    /// # use bank::Account;
    /// # use bowline::{AsyncDatabase, Result};
    /// # async fn others(db: &AsyncDatabase, username: &str) -> Result<i64> {
    /// db.transaction(async |tx| {
    ///     let found = tx.run(Account::find_by_username(username)).await?;
    ///     let all = tx.run(Account::count()).await?;
    ///     Ok(all - i64::from(found.is_some()))
    /// })
    /// .await
    /// # }
    /// ```
    #[track_caller]
    pub fn transaction<T, F, R>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<T>> + Send + use<T, F, R>
    where
        F: Fn(AsyncSession) -> R + Send,
        R: Future<Output = Result<T>> + Send,
        T: Send,
    {
        transaction::run(Arc::clone(&self.database), Location::caller(), work)
    }

    /// Runs `work` in a transaction as [`AsyncDatabase::transaction`] does; `work` chooses its error type.
    #[track_caller]
    pub fn transaction_with_error<T, E, F, R>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F, R>
    where
        F: Fn(AsyncSession) -> R + Send,
        R: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: From<Error> + Send,
    {
        transaction::run(Arc::clone(&self.database), Location::caller(), work)
    }

    /// Begins a transaction: no round trip. It is not retried. Dropping it rolls back.
    #[track_caller]
    pub fn begin(&self) -> impl Future<Output = Result<AsyncTransaction>> + Send + use<> {
        AsyncTransaction::begin(Arc::clone(&self.database), Location::caller())
    }

    /// Collects statements and commits them together: one round trip.
    pub fn unit_of_work(&self) -> AsyncUnitOfWork<'_> {
        AsyncUnitOfWork(self.database.unit_of_work())
    }

    /// Returns what the server reports about the sessions of this database, as [`Database::activity`] does.
    #[track_caller]
    pub fn activity(&self) -> impl Future<Output = Result<Vec<Activity>>> + Send + use<> {
        self.run(Activity::list())
    }

    /// Runs blocking work on a [`Database`], such as diesel's own functions, on one of tokio's blocking threads.
    ///
    /// The wait for a thread counts against the limit of the call. If none is free in time, the call fails with
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), and its work never begins. So does a call that another call
    /// waits for, if that one holds the only thread.
    ///
    /// Dropping the future gives the work up for good: its statement is cancelled on the server, and each later step
    /// fails with [`ErrorKind::Timeout`](crate::ErrorKind::Timeout). Rust code between two steps is not interrupted.
    ///
    /// ```
    /// # use bowline::{AsyncDatabase, Result, StatementDsl as _};
    /// # use bank::schema::accounts;
    /// # use diesel::prelude::*;
    /// # async fn load(db: &AsyncDatabase, names: Vec<String>) -> Result<u64> {
    /// db.blocking(|db| db.copy_in((accounts::username,), names.into_iter().map(|name| (name,))))
    ///     .await
    /// # }
    /// ```
    #[track_caller]
    pub fn blocking<T, E, F>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        F: FnOnce(&Database) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (database, threads) = (Arc::clone(&self.database), Arc::clone(&self.threads));
        threads::call(database, threads, Location::caller(), work)
    }

    /// Returns the database with these options, as [`Database::with_options`] does.
    pub fn with_options(&self, options: TransactionOptions) -> Self {
        self.with(self.database.with_options(options))
    }

    /// Returns the database with a setting that each call has, as [`Database::with_setting`] does.
    pub fn with_setting(&self, name: &str, value: impl ToString) -> Self {
        self.with(self.database.with_setting(name, value))
    }

    /// Returns the database with this limit for each call, as [`Database::with_timeout`] does.
    pub fn with_timeout(&self, limit: Duration) -> Self {
        self.with(self.database.with_timeout(limit))
    }

    fn with(&self, database: Database) -> Self {
        Self {
            database: Arc::new(database),
            threads: Arc::clone(&self.threads),
        }
    }

    /// Returns the pool's counters, as [`Database::pool_state`] does.
    pub fn pool_state(&self) -> PoolState {
        self.database.pool_state()
    }

    /// Closes the database for all its clones, as [`Database::close`] does; waits on a blocking thread of tokio's.
    pub async fn close(&self, limit: Duration) -> Result<()> {
        let database = Arc::clone(&self.database);
        threads::wait(limit, move || database.close(limit)).await
    }

    /// Returns the same database for callers that block.
    pub fn database(&self) -> &Database {
        &self.database
    }
}

impl fmt::Debug for AsyncDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncDatabase")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}
