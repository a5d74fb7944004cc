//! `Database`: the handle through which an application uses its database.

pub(crate) mod attempts;
mod check_migrations;
mod checkout;
mod local_settings;
mod migrate;
pub(crate) mod reader;
mod run;
mod source;
mod transaction;
mod unanswered;
pub mod unit_of_work;
pub(crate) mod write_mark;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use diesel::pg::CopyTarget;

use crate::activity::Activity;
use crate::config::Config;
use crate::copy::{CopiedRows, CopyRow, copy_in};
use crate::deadline::after;
use crate::error::{Error, Result};
use crate::locks::{AdvisoryLock, LockKey};
use crate::no_session::PoolState;
use crate::pool::Pool;
use crate::retry::{Budget, RetryPolicy};
use crate::session::{AttemptResult, Session, Stream};
use crate::statement::RowStatement;
use crate::transaction::TransactionOptions;
use crate::wire::executor::block_on;

use attempts::{CallEnd, Failed, Next};
use check_migrations::check_migrations;
use local_settings::LocalSettings;
use reader::ReaderPool;
use write_mark::WriteMark;

pub use source::PooledSession;
use source::Source;
pub use transaction::Transaction;
pub use unit_of_work::UnitOfWork;

/// A database: a pool of sessions, and the methods that run work on them. Cheap to clone; clones
/// share the pool.
///
/// All calls block. Asynchronous code uses `Database::into_async`, of the feature `tokio`.
#[derive(Clone)]
pub struct Database {
    source: Source,
    options: TransactionOptions,
    local: LocalSettings,
    settings: Arc<Config>,
    /// The pool of its readers.
    readers: Arc<ReaderPool>,
    /// The mark that its calls move on.
    mark: Option<WriteMark>,
    /// The time that one call may take.
    limit: Duration,
    /// Whether the limit is not that of the settings, but was set for these calls.
    has_own_limit: bool,
    budget: Arc<Budget>,
}

impl Database {
    /// Connects to the database that the environment or a file `.env` names (see
    /// [`Config::from_env`]).
    pub fn from_env() -> Result<Self> {
        Config::from_env()?.open()
    }

    /// Connects to the database that a URL or a key=value string names.
    pub fn connect(url: &str) -> Result<Self> {
        Config::from_url(url)?.open()
    }

    /// Returns a database of this one session, for tests: all work becomes part of a transaction
    /// that the session has open.
    ///
    /// A request for a second session while the first is held fails at once and names both places.
    /// `#[bowline::test]` uses this function.
    pub fn pinned(session: Session) -> Self {
        Self::pinned_by(session, None)
    }

    /// As [`Database::pinned`]; `on_drop` is called with the session when the last clone of the
    /// database is dropped.
    #[cfg(feature = "testing")]
    pub(crate) fn pinned_until(
        session: Session,
        on_drop: impl FnOnce(Session) + Send + Sync + 'static,
    ) -> Self {
        Self::pinned_by(session, Some(Box::new(on_drop)))
    }

    fn pinned_by(mut session: Session, on_drop: Option<source::OnDrop>) -> Self {
        let depth = session.transaction_depth();
        session.set_floor(depth);
        Self::new(
            Source::Pinned(Arc::new(source::Pinned::new(session, on_drop))),
            Config::new(),
        )
    }

    fn new(source: Source, settings: Config) -> Self {
        Self {
            source,
            options: TransactionOptions::default(),
            local: LocalSettings::default(),
            limit: settings.call_timeout,
            has_own_limit: false,
            budget: Arc::new(Budget::new(settings.retry.budget)),
            settings: Arc::new(settings),
            readers: Arc::default(),
            mark: None,
        }
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn retry_policy(&self) -> RetryPolicy {
        self.settings.retry
    }

    /// Returns how long to wait for a session, within the limit of this call.
    #[cfg(feature = "tokio")]
    pub(crate) fn patience(&self) -> Duration {
        self.limit.min(self.settings.checkout_timeout)
    }

    /// Returns the database with its limit reduced by the time that was used already.
    pub(crate) fn less(&self, used: Duration) -> Self {
        Self {
            limit: self.limit.saturating_sub(used),
            ..self.clone()
        }
    }

    /// Returns the database with these options for its transactions.
    ///
    /// The options apply to statements that are run, to transactions and to units of work. A stream
    /// or a COPY on a database with options is refused: open a transaction around it. A session
    /// that is checked out, and the session of a lock, keep the server's defaults.
    ///
    /// ```
    /// # use bowline::{sql_query, Database, Result, StatementDsl as _, TransactionOptions};
    /// # fn settle(db: &Database) -> Result<()> {
    /// db.with_options(TransactionOptions::serializable()).run(sql_query("UPDATE accounts SET balance = balance + 1").affected())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_options(&self, options: TransactionOptions) -> Self {
        Self {
            options,
            ..self.clone()
        }
    }

    /// Returns the database with this limit for each call instead of [`Config::call_timeout`].
    ///
    /// The limit covers a call as a whole: waiting for a session, all round trips, all attempts,
    /// and finding out the outcome of a commit that was not answered. A statement that exceeds the
    /// limit is cancelled on the server. For a stream, a COPY, a lock or a session that is checked
    /// out, the limit applies to each call or step.
    ///
    /// At the limit nothing new is begun, and a running statement is ended. The server has up to
    /// 1.5 s to cancel the statement, as long again for a rollback, and 1 s to reset a session that
    /// is [touched](Session::is_touched). A server that answers takes milliseconds for all three.
    /// If it does not answer the first, the session is closed. The time that the closure itself
    /// takes between two steps is not limited.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bowline::{sql_query, Database, Result, StatementDsl as _};
    /// # fn report(db: &Database) -> Result<usize> {
    /// db.with_timeout(Duration::from_secs(300)).run(sql_query("SELECT monthly_report()").affected())
    /// # }
    /// ```
    pub fn with_timeout(&self, limit: Duration) -> Self {
        Self {
            limit,
            has_own_limit: true,
            ..self.clone()
        }
    }

    /// Runs `work` in a transaction: n statements take n + 1 round trips.
    ///
    /// The transaction is committed if `work` returns `Ok`, and rolled back if it returns `Err` or
    /// panics. `work` is run again from its beginning when PostgreSQL asks for it or the connection
    /// was lost (see [`RetryPolicy`]), whatever error `work` returned. So it may run several times,
    /// and its effects outside of the database should wait until this returns. If a statement
    /// failed and `work` returned `Ok` nevertheless, the result is that failure.
    ///
    /// If a COMMIT was not answered, its outcome is looked up on another session. The server knows
    /// the outcome unless it crashed or was replaced in between. So
    /// [`Outcome::Unknown`](crate::Outcome::Unknown) is rare here, and rarer still with [a commit
    /// key](TransactionOptions::with_generated_commit_key).
    #[track_caller]
    pub fn transaction<T>(&self, work: impl Fn(&mut Session) -> Result<T>) -> Result<T> {
        self.transaction_for(Location::caller(), self.settings.retry, work)
    }

    /// Runs `work` in a transaction as [`Database::transaction`] does; `work` chooses its error
    /// type.
    #[track_caller]
    pub fn transaction_with_error<T, E>(
        &self,
        work: impl Fn(&mut Session) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.transaction_for(Location::caller(), self.settings.retry, work)
    }

    /// Runs `work` in a transaction once, without a retry.
    #[track_caller]
    pub fn transaction_once<T>(&self, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        self.transaction_once_for(Location::caller(), work)
    }

    /// Runs `work` in a transaction once, without a retry; `work` chooses its error type.
    #[track_caller]
    pub fn transaction_once_with_error<T, E>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.transaction_once_for(Location::caller(), work)
    }

    fn transaction_once_for<T, E>(
        &self,
        holder: &'static Location<'static>,
        work: impl FnOnce(&mut Session) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        let mut work = Some(work);
        self.transaction_for(holder, RetryPolicy::never(), |session| match work.take() {
            Some(work) => work(session),
            None => Err(Error::query("the work was done already").into()),
        })
    }

    fn transaction_for<T, E>(
        &self,
        holder: &'static Location<'static>,
        policy: RetryPolicy,
        mut work: impl FnMut(&mut Session) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        let mut attempts = self.attempts(holder, policy);
        let mut repeated = None;
        loop {
            let mut attempt = block_on(attempts.begin()).map_err(|(error, _)| error)?;
            let failed = match attempt.session.transact(&attempt.opening, &mut work) {
                AttemptResult::Done(value) => {
                    attempts.succeeded(attempt);
                    return Ok(value);
                }
                AttemptResult::Failed(error) => Failed::Refused(error),
                AttemptResult::Unanswered(value, error) => Failed::Unanswered(value, error),
            };
            match block_on(attempts.failed(attempt, failed, repeated.take())) {
                Next::Again(error) => repeated = Some(error),
                Next::End(Ok(CallEnd::Done(value))) => return Ok(value),
                Next::End(Ok(CallEnd::AnswerLost(error))) => return Err(error.into()),
                Next::End(Err((error, _))) => return Err(error),
            }
        }
    }

    /// Runs a query and returns its rows as they arrive, in constant memory: one round trip,
    /// however many rows.
    ///
    /// The stream holds a session until it is dropped. It is not retried once rows have arrived.
    ///
    /// ```
    /// # use bowline::{sql_query, Database, Result, StatementDsl as _};
    /// # use bank::{Account, schema::accounts};
    /// # use diesel::prelude::*;
    /// # fn total(db: &Database) -> Result<i64> {
    /// let balances = accounts::table.select(accounts::balance);
    /// db.stream(balances.all::<i64>())?.sum()
    /// # }
    /// ```
    #[track_caller]
    pub fn stream<S: RowStatement>(&self, mut rows: S) -> Result<Stream<PooledSession, S::Row>> {
        Stream::begin(
            self.checkout_without_options(Location::caller())?,
            &mut rows,
            S::reader(),
        )
    }

    /// Locks this key until the guard is dropped, in one round trip. Waits for the lock as long as
    /// one call may take.
    ///
    /// Waits in the server: see [`Session::advisory_lock`] on what the holder cannot do meanwhile.
    ///
    /// The guard holds a session, on which the work under the lock can be done.
    #[track_caller]
    pub fn advisory_lock(&self, key: impl Into<LockKey>) -> Result<AdvisoryLock<PooledSession>> {
        self.refuse_schema("a lock")?;
        AdvisoryLock::wait(self.checkout(Location::caller())?, key.into())
    }

    /// Locks this key until the guard is dropped, in one round trip; returns `None` if another
    /// session holds the lock.
    #[track_caller]
    pub fn try_advisory_lock(
        &self,
        key: impl Into<LockKey>,
    ) -> Result<Option<AdvisoryLock<PooledSession>>> {
        self.refuse_schema("a lock")?;
        AdvisoryLock::attempt(self.checkout(Location::caller())?, key.into())
    }

    /// Loads rows into these columns by binary COPY, all or none: see [`Session::copy_in`].
    #[track_caller]
    pub fn copy_in<C, R>(&self, columns: C, rows: impl IntoIterator<Item = R>) -> Result<u64>
    where
        C: CopyTarget,
        R: CopyRow<C::SqlType>,
    {
        let session = self.checkout_without_options(Location::caller())?;
        let mut rows = rows.into_iter();
        let source = move |_: &mut Context<'_>| Poll::Ready(rows.next());
        block_on(copy_in(session, columns, source, true))
    }

    /// Returns the rows of a query by binary COPY, as they arrive: see [`Session::copy_out`].
    #[track_caller]
    pub fn copy_out<S: RowStatement>(
        &self,
        mut rows: S,
    ) -> Result<CopiedRows<PooledSession, S::Row>> {
        let session = self.checkout_without_options(Location::caller())?;
        let begin = CopiedRows::begin(session, &mut rows, S::reader(), S::describe, true);
        block_on(begin)
    }

    /// Returns what the server reports about the sessions of this database, and which block others:
    /// one round trip.
    ///
    /// Runs [`Activity::list`], which can also be combined with other statements in a tuple.
    #[track_caller]
    pub fn activity(&self) -> Result<Vec<Activity>> {
        block_on(self.run_for(&mut Activity::list(), Location::caller()))?
    }

    /// Collects statements and commits them together: one round trip.
    pub fn unit_of_work(&self) -> UnitOfWork<'_> {
        UnitOfWork::new(self)
    }

    /// Returns a session of the pool, for diesel's own functions and for work that needs one
    /// connection.
    ///
    /// The session is returned to the pool when dropped. Fails within [`Config::checkout_timeout`];
    /// [`Error::no_session`] says why.
    #[track_caller]
    pub fn session(&self) -> Result<PooledSession> {
        self.refuse_schema("a session")?;
        self.checkout(Location::caller())
    }

    /// Returns the pool's counters; takes no lock and no round trip.
    pub fn pool_state(&self) -> PoolState {
        self.source.state()
    }

    /// Closes the database, with its readers, for all its clones. Later requests for a session fail
    /// at once.
    ///
    /// Work in progress may finish within `limit`. Returns once all sessions are closed and all
    /// threads of the pool have ended. Otherwise it fails and names the places that still hold a
    /// session; such a session is closed when it is returned.
    pub fn close(&self, limit: Duration) -> Result<()> {
        let until = after(limit);
        let closed = self.source.close(limit);
        let left = until.saturating_duration_since(Instant::now());
        closed.and(self.readers.close(left))
    }
}

impl Config {
    /// Connects and returns a database with a pool. A first session is opened at once, so that a
    /// wrong setting is found here.
    ///
    /// Connecting is tried once, and fails within [`Config::connect_timeout`]. With
    /// [`Config::migrations`], one more round trip asks whether they have run. It has the same
    /// limit again.
    #[track_caller]
    pub fn open(self) -> Result<Database> {
        let (migrations, refuse) = (self.migrations, self.refuse_pending);
        let limit = self.connect_timeout.min(self.call_timeout);
        let pool = Pool::new(&self);
        pool.connect()?;
        let database = Database::new(Source::Pool(pool), self);
        if let Some(migrations) = migrations {
            check_migrations(
                &database.with_timeout(limit),
                migrations,
                refuse,
                Location::caller(),
            )?;
        }
        Ok(database)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("source", &self.source)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
