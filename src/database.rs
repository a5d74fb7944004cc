//! `Database`: what an application holds.

mod source;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use diesel::pg::CopyTarget;

use crate::activity::Activity;
use crate::config::Config;
use crate::copy::{CopiedRows, CopyRow, copy_in};
use crate::error::{Error, Result};
use crate::pool::{Pool, PoolState};
use crate::retry::RetryPolicy;
use crate::session::{AdvisoryLock, LockKey, Session, Stream, after};
use crate::sqlstate::SqlState;
use crate::statement::{RowStatement, Statement};
use crate::transaction::TransactionOptions;
use crate::unit_of_work::UnitOfWork;

pub use source::PooledSession;
use source::Source;

/// A database: a pool of sessions, and how work is run on them. Cheap to clone; clones share the pool.
#[derive(Clone)]
pub struct Database {
    source: Source,
    options: TransactionOptions,
    settings: Arc<Config>,
}

impl Database {
    /// Connects to what the environment or a file `.env` says (see [`Config::from_env`]).
    pub fn from_env() -> Result<Self> {
        Config::from_env()?.open()
    }

    /// Connects to what a URL or a key=value string says.
    pub fn connect(url: &str) -> Result<Self> {
        Config::from_url(url)?.open()
    }

    /// A database of this one session, for tests: all work becomes part of a transaction that it has open.
    ///
    /// A second session while the first is held fails at once and names both places. What
    /// `#[bowline::test]` gives is made by this.
    pub fn pinned(session: Session) -> Self {
        Self {
            source: Source::Pinned(Arc::new(source::Pinned::new(session))),
            options: TransactionOptions::default(),
            settings: Arc::new(Config::new()),
        }
    }

    /// A configuration to say more in; [`Config::open`] connects.
    pub fn builder() -> Config {
        Config::new()
    }

    /// Runs a statement, all or nothing, committed when this returns: one round trip.
    ///
    /// Retried as a whole when PostgreSQL asks for it (SQLSTATE 40001 and 40P01), within
    /// [`Config::call_timeout`].
    #[track_caller]
    pub fn run<S: Statement>(&self, statement: S) -> Result<S::Output> {
        self.run_for(statement, Location::caller())
    }

    pub(crate) fn run_for<S: Statement>(
        &self,
        statement: S,
        holder: &'static Location<'static>,
    ) -> Result<S::Output> {
        let work = |session: &mut Session| session.run_as(&statement, &self.options);
        self.retried(holder, work)
            .map_err(|(error, attempts)| error.with_attempts(attempts))
    }

    /// The same database, its transactions with these options.
    ///
    /// ```
    /// # use bowline::{serializable, sql, Database, Result, StatementDsl as _};
    /// # fn settle(db: &Database) -> Result<()> {
    /// db.with(serializable()).run(sql("UPDATE accounts SET balance = balance + 1").affected())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with(&self, options: TransactionOptions) -> Self {
        Self {
            options,
            ..self.clone()
        }
    }

    /// Runs `work` in a transaction: n statements take n + 1 round trips.
    ///
    /// Committed if `work` returns `Ok`, rolled back if it returns `Err` or panics. It is run again from
    /// its beginning when PostgreSQL asks for it (SQLSTATE 40001 and 40P01), whatever error it made of
    /// that, so it may run several times and its effects outside of the database should wait until this
    /// returns. If a statement failed and `work` returned `Ok` all the same, the result is that failure.
    #[track_caller]
    pub fn transaction<T, E>(&self, work: impl Fn(&mut Session) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        let holder = Location::caller();
        let begin = self.options.begin();
        self.retried(holder, |session| session.transact(&begin, &work))
            .map_err(|(error, _)| error)
    }

    /// Runs `work` in a transaction once, whatever happens.
    #[track_caller]
    pub fn transaction_once<T, E>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        let mut session = self.source.get(Location::caller())?;
        session.transact(&self.options.begin(), work)
    }

    /// Runs a query and gives its rows as they arrive, in constant memory: one round trip, however many rows.
    ///
    /// The stream holds a session until it is dropped. It is not retried once rows have come.
    ///
    /// ```
    /// # use bowline::{sql, Database, Result, StatementDsl as _};
    /// # use bowline::bank::{Account, schema::accounts};
    /// # use diesel::prelude::*;
    /// # fn total(db: &Database) -> Result<i64> {
    /// let balances = accounts::table.select(accounts::balance);
    /// db.stream(balances.all::<i64>())?.sum()
    /// # }
    /// ```
    #[track_caller]
    pub fn stream<S: RowStatement>(&self, rows: S) -> Result<Stream<PooledSession, S::Row>> {
        Stream::begin(self.source.get(Location::caller())?, &rows, S::reader())
    }

    /// Locks this key for as long as the guard lives; waits as long as one call may take. One round trip.
    ///
    /// The guard holds a session, on which the work under the lock can be done.
    #[track_caller]
    pub fn advisory_lock(&self, key: impl Into<LockKey>) -> Result<AdvisoryLock<PooledSession>> {
        AdvisoryLock::wait(self.source.get(Location::caller())?, key.into())
    }

    /// Locks this key for as long as the guard lives, if that can be had at once. One round trip.
    #[track_caller]
    pub fn try_advisory_lock(
        &self,
        key: impl Into<LockKey>,
    ) -> Result<Option<AdvisoryLock<PooledSession>>> {
        AdvisoryLock::attempt(self.source.get(Location::caller())?, key.into())
    }

    /// Loads rows into these columns by binary COPY, all or none: see [`Session::copy_in`].
    #[track_caller]
    pub fn copy_in<C, R>(&self, columns: C, rows: impl IntoIterator<Item = R>) -> Result<u64>
    where
        C: CopyTarget,
        R: CopyRow<C::SqlType>,
    {
        copy_in(self.source.get(Location::caller())?, columns, rows)
    }

    /// The rows of a query by binary COPY, as they arrive: see [`Session::copy_out`].
    #[track_caller]
    pub fn copy_out<S: RowStatement>(&self, rows: S) -> Result<CopiedRows<PooledSession, S::Row>> {
        CopiedRows::begin(self.source.get(Location::caller())?, &rows, S::reader())
    }

    /// What the server says that the sessions of this database do, and who blocks whom: one round trip.
    ///
    /// Runs [`Activity::list`], which goes into a tuple with other statements as well.
    #[track_caller]
    pub fn activity(&self) -> Result<Vec<Activity>> {
        self.run_for(Activity::list(), Location::caller())
    }

    /// Collects statements and commits them together: one round trip.
    pub fn unit_of_work(&self) -> UnitOfWork<'_> {
        UnitOfWork::new(self)
    }

    /// A session of the pool, for diesel's own functions and for what must be on one connection.
    ///
    /// It goes back when dropped. Fails within [`Config::checkout_timeout`].
    #[track_caller]
    pub fn session(&self) -> Result<PooledSession> {
        self.source.get(Location::caller())
    }

    /// The pool in numbers; takes no lock and no round trip.
    pub fn pool(&self) -> PoolState {
        self.source.state()
    }

    /// Closes the database, for all its clones: who asks for a session from now on fails at once.
    ///
    /// Work under way may finish within `limit`. Then this returns, all sessions closed and all threads of the
    /// pool ended; or it fails and names the places that still have a session, which is closed when it comes back.
    pub fn close(&self, limit: Duration) -> Result<()> {
        self.source.close(limit)
    }

    /// Runs `work` on a session until it succeeds, fails for good, or was tried often enough; counts the attempts.
    fn retried<T, E>(
        &self,
        holder: &'static Location<'static>,
        mut work: impl FnMut(&mut Session) -> Result<T, E>,
    ) -> Result<T, (E, u32)>
    where
        E: From<Error>,
    {
        let deadline = after(self.settings.call_timeout);
        let mut attempt = 1;
        loop {
            let mut session = self
                .source
                .get(holder)
                .map_err(|error| (error.into(), attempt))?;
            session.begin_call(deadline);
            session.attempts(attempt);
            // A savepoint cannot mend a conflict of the transaction around it.
            let policy = if session.transaction_depth() > 0 {
                RetryPolicy::never()
            } else {
                self.settings.retry
            };
            let done = work(&mut session);
            let failure = session.end_call();
            if failure == Some(SqlState::READ_ONLY_SQL_TRANSACTION) && !self.options.is_read_only()
            {
                session.outdate();
            }
            drop(session);
            let error = match done {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let Some(pause) = policy.pause(attempt, failure, deadline) else {
                return Err((error, attempt));
            };
            tracing::debug!(attempt, ?failure, ?pause, "trying again after a conflict");
            thread::sleep(pause);
            attempt += 1;
        }
    }
}

impl Config {
    /// Connects: makes a first session, so that a mistake shows here, and a pool for the rest.
    ///
    /// Tried once, and fails within [`Config::connect_timeout`].
    pub fn open(self) -> Result<Database> {
        let pool = Pool::new(&self);
        pool.connect()?;
        Ok(Database {
            source: Source::Pool(pool),
            options: TransactionOptions::default(),
            settings: Arc::new(self),
        })
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
