//! `Database`: what an application holds.

mod attempts;
mod look;
mod migrate;
mod source;
mod unanswered;
pub mod unit_of_work;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::pg::CopyTarget;

use crate::activity::Activity;
use crate::config::Config;
use crate::copy::{CopiedRows, CopyRow, copy_in};
use crate::deadline::after;
use crate::error::{Error, Outcome, Result};
use crate::locks::{AdvisoryLock, LockKey};
use crate::no_session::PoolState;
use crate::pool::Pool;
use crate::retry::{Budget, RetryPolicy};
use crate::session::{AttemptResult, Session, Stream};
use crate::statement::{RowStatement, Statement};
use crate::transaction::{TransactionOptions, TransactionStart};

use attempts::CallEnd;
use look::look;

pub use source::PooledSession;
use source::Source;
pub use unit_of_work::UnitOfWork;

/// A database: a pool of sessions, and how work is run on them. Cheap to clone; clones share the pool.
///
/// Its calls block. Asynchronous code uses `Database::into_async`, of the feature `tokio`.
#[derive(Clone)]
pub struct Database {
    source: Source,
    options: TransactionOptions,
    settings: Arc<Config>,
    /// How long one call may take.
    limit: Duration,
    budget: Arc<Budget>,
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
    pub fn pinned(mut session: Session) -> Self {
        let depth = session.transaction_depth();
        session.set_floor(depth);
        Self::new(
            Source::Pinned(Arc::new(source::Pinned::new(session))),
            Config::new(),
        )
    }

    fn new(source: Source, settings: Config) -> Self {
        Self {
            source,
            options: TransactionOptions::default(),
            limit: settings.call_timeout,
            budget: Arc::new(Budget::new(settings.retry.budget)),
            settings: Arc::new(settings),
        }
    }

    /// When a call that begins now has to end.
    fn deadline(&self) -> Instant {
        after(self.limit)
    }

    /// A session, by the deadline of a call that begins now, whose own calls are held to the same limit.
    fn checkout(&self, holder: &'static Location<'static>) -> Result<PooledSession> {
        let mut session = self.source.get(holder, self.deadline())?;
        session.set_timeout(self.limit);
        Ok(session)
    }

    /// The same for what is no transaction with options, and must not pass for one.
    fn checkout_without_options(
        &self,
        holder: &'static Location<'static>,
    ) -> Result<PooledSession> {
        if self.options != TransactionOptions::default() {
            return Err(Error::query(
                "a stream or COPY on the database takes no transaction options",
            )
            .with_hint("use the session of Database::transaction, which has the options"));
        }
        self.checkout(holder)
    }

    /// Runs `work` in a transaction as [`Database::transaction`] does, on behalf of this place.
    #[cfg(feature = "tokio")]
    pub(crate) fn transaction_at<T, E>(
        &self,
        place: &'static Location<'static>,
        work: impl Fn(&mut Session) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.transaction_for(place, self.settings.retry, work)
    }

    /// How long to wait for a session, as far as this call allows.
    #[cfg(feature = "tokio")]
    pub(crate) fn patience(&self) -> Duration {
        self.limit.min(self.settings.checkout_timeout)
    }

    /// The same database, with so much of the limit used up already.
    #[cfg(feature = "tokio")]
    pub(crate) fn less(&self, used: Duration) -> Self {
        self.with_timeout(self.limit.saturating_sub(used))
    }

    /// Why there was no session in time.
    #[cfg(feature = "tokio")]
    pub(crate) fn out_of_time(&self, place: &'static Location<'static>) -> Error {
        match self.source.get(place, Instant::now()) {
            Err(error) => error,
            Ok(_) => Error::timeout("all threads of the database were busy for too long")
                .with_hint("do less in each call, or raise Config::max_size"),
        }
    }

    /// Runs a statement, all or nothing, committed when this returns: one round trip.
    ///
    /// Retried as a whole when PostgreSQL asks for it, and when the connection was lost before the commit was sent:
    /// see [`RetryPolicy`]. All within [`Config::call_timeout`].
    ///
    /// What PostgreSQL commits by itself is not undone by a failure after it: a procedure (`CALL`) that holds a COMMIT, or
    /// `CREATE INDEX CONCURRENTLY` in front of other statements. Then the outcome is
    /// [`Unknown`](Outcome::Unknown), and nothing is tried again. With other statements behind it, and in a
    /// [`Database::transaction`], a procedure cannot commit. COMMIT and ROLLBACK are refused among several statements.
    #[track_caller]
    pub fn run<S: Statement>(&self, statement: S) -> Result<S::Output> {
        self.run_for(statement, Location::caller())?
    }

    /// Runs a statement; the inner error is that of an answer which was lost, the work being committed.
    pub(crate) fn run_for<S: Statement>(
        &self,
        statement: S,
        holder: &'static Location<'static>,
    ) -> Result<Result<S::Output>> {
        let work = |session: &mut Session, opening: &TransactionStart| match session
            .run_as(&statement, opening)
        {
            Ok(output) => AttemptResult::Done(output),
            Err(error) if error.outcome() == Outcome::Unknown => {
                AttemptResult::Unanswered(None, error)
            }
            Err(error) => AttemptResult::Failed(error),
        };
        match self.attempt(holder, self.settings.retry, work) {
            Ok(CallEnd::Done(output)) => Ok(Ok(output)),
            Ok(CallEnd::AnswerLost(error)) => Ok(Err(error)),
            Err((error, attempts)) => Err(error.with_attempts(attempts)),
        }
    }

    /// The same database, with these options for its transactions.
    ///
    /// They hold for statements that are run, for transactions and for units of work. A stream or a COPY with options
    /// is refused: open a transaction around it. A session that is checked out, and a lock, are as the server has them.
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

    /// The same database, with this limit for each call instead of [`Config::call_timeout`].
    ///
    /// It bounds a call as a whole: waiting for a session, all round trips, all attempts, and finding out what
    /// became of a commit that was not answered. What exceeds it is cancelled on the server. For a stream, a COPY, a
    /// lock or a session that is taken, it bounds each call or step.
    ///
    /// At the limit nothing new is begun. What is under way is brought to an end: the server is given up to 1.5 s to
    /// cancel the statement, as long again for a rollback, and 1 s to reset a session that is [touched](Session::is_touched).
    /// A server that answers takes milliseconds for all three; one that does not costs the session after the first.
    /// Time that the closure itself takes between two steps is not bounded.
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
            ..self.clone()
        }
    }

    /// Runs `work` in a transaction: n statements take n + 1 round trips.
    ///
    /// Committed if `work` returns `Ok`, rolled back if it returns `Err` or panics. It is run again from
    /// its beginning when PostgreSQL asks for it or the connection was lost (see [`RetryPolicy`]), whatever error
    /// it made of that, so it may run several times and its effects outside of the database should wait until this
    /// returns. If a statement failed and `work` returned `Ok` all the same, the result is that failure.
    ///
    /// A COMMIT that was not answered is looked into on another session: the server knows what became of the
    /// transaction, unless it crashed or was replaced in between. So [`Outcome::Unknown`] is rare here, and
    /// rarer still with [a commit key](TransactionOptions::with_generated_commit_key).
    #[track_caller]
    pub fn transaction<T>(&self, work: impl Fn(&mut Session) -> Result<T>) -> Result<T> {
        self.transaction_for(Location::caller(), self.settings.retry, work)
    }

    /// Runs `work` in a transaction as [`Database::transaction`] does; `work` has an error type of its own.
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

    /// Runs `work` in a transaction once, without a retry; `work` has an error type of its own.
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
        let ended = self.attempt(holder, policy, |session, opening| {
            session.transact(opening, &mut work)
        });
        match ended {
            Ok(CallEnd::Done(value)) => Ok(value),
            Ok(CallEnd::AnswerLost(error)) => Err(error.into()),
            Err((error, _)) => Err(error),
        }
    }

    /// Runs a query and gives its rows as they arrive, in constant memory: one round trip, however many rows.
    ///
    /// The stream holds a session until it is dropped. It is not retried once rows have come.
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
    pub fn stream<S: RowStatement>(&self, rows: S) -> Result<Stream<PooledSession, S::Row>> {
        Stream::begin(
            self.checkout_without_options(Location::caller())?,
            &rows,
            S::reader(),
        )
    }

    /// Locks this key for as long as the guard lives; waits as long as one call may take. One round trip.
    ///
    /// Waits in the server: see [`Session::advisory_lock`] on what the holder cannot do meanwhile.
    ///
    /// The guard holds a session, on which the work under the lock can be done.
    #[track_caller]
    pub fn advisory_lock(&self, key: impl Into<LockKey>) -> Result<AdvisoryLock<PooledSession>> {
        AdvisoryLock::wait(self.checkout(Location::caller())?, key.into())
    }

    /// Locks this key for as long as the guard lives, if that can be had at once. One round trip.
    #[track_caller]
    pub fn try_advisory_lock(
        &self,
        key: impl Into<LockKey>,
    ) -> Result<Option<AdvisoryLock<PooledSession>>> {
        AdvisoryLock::attempt(self.checkout(Location::caller())?, key.into())
    }

    /// Loads rows into these columns by binary COPY, all or none: see [`Session::copy_in`].
    #[track_caller]
    pub fn copy_in<C, R>(&self, columns: C, rows: impl IntoIterator<Item = R>) -> Result<u64>
    where
        C: CopyTarget,
        R: CopyRow<C::SqlType>,
    {
        copy_in(
            self.checkout_without_options(Location::caller())?,
            columns,
            rows,
        )
    }

    /// The rows of a query by binary COPY, as they arrive: see [`Session::copy_out`].
    #[track_caller]
    pub fn copy_out<S: RowStatement>(&self, rows: S) -> Result<CopiedRows<PooledSession, S::Row>> {
        CopiedRows::begin(
            self.checkout_without_options(Location::caller())?,
            &rows,
            S::reader(),
            S::describe,
        )
    }

    /// What the server says that the sessions of this database do, and who blocks whom: one round trip.
    ///
    /// Runs [`Activity::list`], which goes into a tuple with other statements as well.
    #[track_caller]
    pub fn activity(&self) -> Result<Vec<Activity>> {
        self.run_for(Activity::list(), Location::caller())?
    }

    /// Collects statements and commits them together: one round trip.
    pub fn unit_of_work(&self) -> UnitOfWork<'_> {
        UnitOfWork::new(self)
    }

    /// A session of the pool, for diesel's own functions and for what must be on one connection.
    ///
    /// It goes back when dropped. Fails within [`Config::checkout_timeout`]; [`Error::no_session`] says why.
    #[track_caller]
    pub fn session(&self) -> Result<PooledSession> {
        self.checkout(Location::caller())
    }

    /// The pool in numbers; takes no lock and no round trip.
    pub fn pool_state(&self) -> PoolState {
        self.source.state()
    }

    /// Closes the database, for all its clones: who asks for a session from now on fails at once.
    ///
    /// Work under way may finish within `limit`. Then this returns, all sessions closed and all threads of the
    /// pool ended; or it fails and names the places that still have a session, which is closed when it comes back.
    pub fn close(&self, limit: Duration) -> Result<()> {
        self.source.close(limit)
    }
}

impl Config {
    /// Connects: makes a first session, so that a mistake shows here, and a pool for the rest.
    ///
    /// Tried once, and fails within [`Config::connect_timeout`]. With [`Config::migrations`] one more round trip
    /// asks whether they have run, within as long again.
    #[track_caller]
    pub fn open(self) -> Result<Database> {
        let (migrations, refuse) = (self.migrations, self.refuse_pending);
        let limit = self.connect_timeout.min(self.call_timeout);
        let pool = Pool::new(&self);
        pool.connect()?;
        let database = Database::new(Source::Pool(pool), self);
        if let Some(migrations) = migrations {
            look(
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
