//! The database for asynchronous applications.
//!
//! It runs the same `async fn`s as [`Database`], which block when a thread polls them and wait for
//! tokio's events when a task does. See `wire/executor.rs`.

mod listener;
mod locks;
mod plain_diesel;
mod reader;
mod session;
mod slot;
mod stream;
mod threads;
mod transaction;
mod unit_of_work;

use std::fmt;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::time::{Duration, Instant};

use diesel::migration::MigrationSource;
use diesel::pg::{CopyTarget, Pg};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::activity::Activity;
use crate::copy::{CopyRow, copy_in};
use crate::database::Database;
use crate::deadline::after;
use crate::error::{Error, Result};
use crate::locks::LockKey;
use crate::no_session::PoolState;
use crate::statement::{RowStatement, Statement};
use crate::transaction::TransactionOptions;

pub use listener::{Gap, Listened, Listener};
pub use locks::AsyncAdvisoryLock;
pub use reader::AsyncReader;
pub use session::AsyncSession;
pub use stream::AsyncStream;
pub use transaction::AsyncTransaction;
pub use unit_of_work::AsyncUnitOfWork;

/// A [`Database`] for asynchronous code; returned by [`Database::into_async`]. Cheap to clone;
/// clones share the pool.
///
/// Needs a tokio runtime with IO and time enabled. A call that runs occupies no thread. A pool
/// serves callers of both kinds in one queue. It connects on up to four threads of its own, while
/// callers wait.
///
/// # Dropping a future
///
/// Dropping a future before it is done gives its call up. Its session is cleaned by a task of the
/// runtime: the statement is cancelled on the server, the transaction is rolled back, and the
/// session is returned to the pool. If there is no runtime any more, the session is closed at once.
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
    /// Runs a statement as [`Database::run`] does: all or nothing, in one round trip. The statement
    /// may borrow.
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

    /// Runs `work` in a transaction as [`Database::transaction`] does; after a conflict it is run
    /// again from its beginning.
    ///
    /// `work` is given an owned handle. A closure that borrows what it uses is written `async |tx|
    /// ..`. One that owns it makes a copy for each attempt: `move |tx| { let name = name.clone();
    /// async move { .. } }`.
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

    /// Runs `work` in a transaction as [`AsyncDatabase::transaction`] does; `work` chooses its
    /// error type.
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

    /// Runs a query and returns its rows as they arrive, in constant memory: one round trip,
    /// however many rows.
    ///
    /// The stream holds a session until it has ended or is dropped. It is not retried once rows
    /// have arrived.
    ///
    /// ```
    /// # use bowline::{AsyncDatabase, Result, StatementDsl as _};
    /// # use bank::schema::accounts;
    /// # use diesel::prelude::*;
    /// # async fn total(db: &AsyncDatabase) -> Result<i64> {
    /// let mut total = 0;
    /// let mut balances = db.stream(accounts::table.select(accounts::balance).all::<i64>()).await?;
    /// while let Some(balance) = balances.next().await {
    ///     total += balance?;
    /// }
    /// # Ok(total)
    /// # }
    /// ```
    #[track_caller]
    pub fn stream<S>(
        &self,
        rows: S,
    ) -> impl Future<Output = Result<AsyncStream<S::Row>>> + Send + use<S>
    where
        S: RowStatement + Send,
        S::Row: 'static,
    {
        let (database, location) = (Arc::clone(&self.database), Location::caller());
        async move {
            database.refuse_options()?;
            let session = database.checkout_for_task(location).await?;
            let mut rows = rows;
            AsyncStream::begin(session, &mut rows, S::reader()).await
        }
    }

    /// Loads the rows of a stream into these columns by binary COPY, all or none, as
    /// [`Database::copy_in`] does; returns the number of rows.
    ///
    /// Rows are sent while the stream makes them. The call may wait for the stream without a limit.
    /// Dropping the future fails the COPY.
    ///
    /// ```
    /// # use bowline::{AsyncDatabase, Result};
    /// # use bank::schema::accounts;
    /// # async fn load<S>(db: &AsyncDatabase, names: S) -> Result<u64>
    /// # where S: futures_core::Stream<Item = (String,)> + Send {
    /// db.copy_in((accounts::username,), names).await
    /// # }
    /// ```
    #[track_caller]
    pub fn copy_in<C, R, S>(
        &self,
        columns: C,
        rows: S,
    ) -> impl Future<Output = Result<u64>> + Send + use<C, R, S>
    where
        C: CopyTarget + Send,
        C::SqlType: Send,
        R: CopyRow<C::SqlType> + Send,
        S: futures_core::Stream<Item = R> + Send,
    {
        let (database, location) = (Arc::clone(&self.database), Location::caller());
        async move {
            database.refuse_options()?;
            let session = database.checkout_for_task(location).await?;
            let mut rows = pin!(rows);
            let source = |context: &mut Context<'_>| rows.as_mut().poll_next(context);
            copy_in(session, columns, source, false).await
        }
    }

    /// Returns the rows of a query by binary COPY, as they arrive: see
    /// [`Session::copy_out`](crate::Session::copy_out).
    #[track_caller]
    pub fn copy_out<S>(
        &self,
        rows: S,
    ) -> impl Future<Output = Result<AsyncStream<S::Row>>> + Send + use<S>
    where
        S: RowStatement + Send,
        S::Row: 'static,
    {
        let (database, location) = (Arc::clone(&self.database), Location::caller());
        async move {
            database.refuse_options()?;
            let session = database.checkout_for_task(location).await?;
            let mut rows = rows;
            AsyncStream::begin_copy(session, &mut rows, S::reader(), S::describe).await
        }
    }

    /// Returns a session of the pool, for work that needs one connection, such as temporary tables.
    ///
    /// Each statement that it runs is committed by itself; [`AsyncSession::savepoint`] runs a
    /// transaction. The session is returned to the pool when its last handle is dropped. Fails
    /// within [`Config::checkout_timeout`].
    ///
    /// [`Config::checkout_timeout`]: crate::Config::checkout_timeout
    ///
    /// ```
    /// # use bowline::{AsyncDatabase, Result, StatementDsl as _, sql_query};
    /// # async fn sort(db: &AsyncDatabase) -> Result<usize> {
    /// let session = db.session().await?;
    /// session.run(sql_query("SET work_mem = '256MB'").affected()).await?;
    /// session.run(sql_query("SELECT FROM accounts ORDER BY balance").affected()).await
    /// # }
    /// ```
    #[track_caller]
    pub fn session(&self) -> impl Future<Output = Result<AsyncSession>> + Send + use<> {
        let (database, location) = (Arc::clone(&self.database), Location::caller());
        async move {
            database.refuse_schema("a session")?;
            let session = database.checkout_for_task(location).await?;
            Ok(AsyncSession::of_pool(session))
        }
    }

    /// Receives the notifications of channels, also after a lost connection: one round trip.
    ///
    /// The listener holds a session of the pool. If its connection is lost, it listens again on
    /// another one, as soon as there is one, and an item says that notifications may be missing.
    /// The names of channels are case-sensitive.
    ///
    /// ```
    /// # use bowline::{AsyncDatabase, Result, asynchronous::Listened};
    /// # async fn watch(db: &AsyncDatabase) -> Result<()> {
    /// let mut transfers = db.listen(["transfers"]).await?;
    /// loop {
    ///     match transfers.next().await? {
    ///         Listened::Notification(notification) => println!("{}", notification.payload),
    ///         Listened::Gap(_) => println!("read the table again"),
    /// #       _ => {}
    ///     }
    /// }
    /// # }
    /// ```
    #[track_caller]
    pub fn listen<C: Into<String>, I: IntoIterator<Item = C>>(
        &self,
        channels: I,
    ) -> impl Future<Output = Result<Listener>> + Send + use<C, I> {
        let channels = channels.into_iter().map(Into::into).collect();
        Listener::begin(Arc::clone(&self.database), Location::caller(), channels)
    }

    /// Locks this key until the lock is released or dropped, in one round trip; waits as long as
    /// one call may take.
    ///
    /// Waits in the server: see [`Session::advisory_lock`](crate::Session::advisory_lock) on what
    /// the holder cannot do meanwhile. The lock holds a session, on which the work under the lock
    /// can be done.
    #[track_caller]
    pub fn advisory_lock<K: Into<LockKey>>(
        &self,
        key: K,
    ) -> impl Future<Output = Result<AsyncAdvisoryLock>> + Send + use<K> {
        let (database, location) = (Arc::clone(&self.database), Location::caller());
        let key = key.into();
        async move {
            database.refuse_schema("a lock")?;
            let session = database.checkout_for_task(location).await?;
            AsyncAdvisoryLock::wait(session, key).await
        }
    }

    /// Locks this key as [`AsyncDatabase::advisory_lock`] does; returns `None` if another session
    /// holds the lock.
    #[track_caller]
    pub fn try_advisory_lock<K: Into<LockKey>>(
        &self,
        key: K,
    ) -> impl Future<Output = Result<Option<AsyncAdvisoryLock>>> + Send + use<K> {
        let (database, location) = (Arc::clone(&self.database), Location::caller());
        let key = key.into();
        async move {
            database.refuse_schema("a lock")?;
            let session = database.checkout_for_task(location).await?;
            AsyncAdvisoryLock::attempt(session, key).await
        }
    }

    /// Collects statements and commits them together: one round trip.
    pub fn unit_of_work(&self) -> AsyncUnitOfWork<'_> {
        AsyncUnitOfWork(self.database.unit_of_work())
    }

    /// Returns what the server reports about the sessions of this database, as
    /// [`Database::activity`] does.
    #[track_caller]
    pub fn activity(&self) -> impl Future<Output = Result<Vec<Activity>>> + Send + use<> {
        self.run(Activity::list())
    }

    /// Runs the migrations that have not run yet, as [`Database::migrate`] does.
    ///
    /// Runs on one of tokio's blocking threads: a program migrates once, when it starts, and
    /// [`MigrationSource`] reads files. Takes a connection of its own, without a time limit unless
    /// [`AsyncDatabase::with_timeout`] sets one. Dropping the future cancels the statement that
    /// runs; migrations that have run stay.
    ///
    /// ```
    /// use diesel_migrations::{EmbeddedMigrations, embed_migrations};
    ///
    /// const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");
    /// # async fn start(db: &bowline::AsyncDatabase) -> bowline::Result<()> {
    /// db.migrate(MIGRATIONS).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn migrate<M>(
        &self,
        migrations: M,
    ) -> impl Future<Output = Result<Vec<String>>> + Send + use<M>
    where
        M: MigrationSource<Pg> + Send + 'static,
    {
        self.blocking(|db| db.migrate(migrations))
    }

    /// Runs blocking work on a [`Database`], such as diesel's own functions, on one of tokio's
    /// blocking threads.
    ///
    /// The wait for a thread counts against the limit of the call. If none is free in time, the
    /// call fails with [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), and its work never
    /// begins. So does a call that another call waits for, if that one holds the only thread.
    ///
    /// Dropping the future gives the work up for good: its statement is cancelled on the server,
    /// and each later step fails with [`ErrorKind::Timeout`](crate::ErrorKind::Timeout). Rust code
    /// between two steps is not interrupted.
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

    /// Returns the database with a schema in which each call finds its tables, as
    /// [`Database::with_schema`] does.
    pub fn with_schema(&self, name: &str) -> Self {
        self.with(self.database.with_schema(name))
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

    /// Closes the database for all its clones, as [`Database::close`] does. Dropping the future
    /// leaves it closed.
    pub async fn close(&self, limit: Duration) -> Result<()> {
        /// How often it is checked whether the last session was returned.
        const INTERVAL: Duration = Duration::from_millis(10);
        let until = after(limit);
        loop {
            let closed = self.database.close(Duration::ZERO);
            let left = until.saturating_duration_since(Instant::now());
            if closed.is_ok() || left.is_zero() {
                return closed;
            }
            sleep(left.min(INTERVAL)).await;
        }
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
