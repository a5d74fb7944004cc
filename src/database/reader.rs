//! Readers: a pool of their own on the servers that only read, for statements that are known to.

use std::fmt;
use std::panic::Location;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};

use super::attempts::{Attempt, CallEnd, Failed, Next};
use super::source::Source;
use super::write_mark::WriteMark;
use super::{Database, PooledSession};
use crate::command::Command;
use crate::command::text::Text;
use crate::config::Config;
use crate::deadline::{A_YEAR, after};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::no_session::PoolState;
use crate::pool::Pool;
use crate::session::{Session, Stream, TransactionMode, no_output};
use crate::sql_text::read_only::Reads;
use crate::statement::{Answers, Encoder, ReadStatement, RowStatement, Sealed, Statement};
use crate::wire::executor::{block_on, block_on_pinned};
use crate::wire::interrupt;
use crate::wire::parameters::Parameters;

/// The pool of a database's readers, which is made when it is first asked for.
#[derive(Debug, Default)]
pub(super) struct ReaderPool {
    pool: OnceLock<Pool>,
    is_closed: AtomicBool,
}

impl ReaderPool {
    fn get(&self, settings: &Config) -> Pool {
        let pool = self.pool.get_or_init(|| Pool::new(&settings.for_reader()));
        if self.is_closed.load(Ordering::SeqCst) {
            // Nothing of it is in use.
            pool.close(Duration::ZERO).ok();
        }
        pool.clone()
    }

    pub(super) fn close(&self, limit: Duration) -> Result<()> {
        self.is_closed.store(true, Ordering::SeqCst);
        self.pool.get().map_or(Ok(()), |pool| pool.close(limit))
    }
}

/// A pool on the servers that only read; returned by [`Database::reader`]. Cheap to clone.
///
/// It runs statements that are known to read ([`ReadStatement`]), on standbys where there are any.
/// A standby lags behind: a reader does not see what was just written, unless
/// [`Reader::at_least`] says so. Nothing is sent to a reader by itself.
#[derive(Clone)]
#[must_use = "a reader does nothing until it runs a statement"]
pub struct Reader {
    /// The database with the pool of the readers.
    standbys: Database,
    primary: Database,
    /// The place that a standby has to have reached.
    place: u64,
    /// How long a call waits for a standby before it goes to the primary.
    patience: Option<Duration>,
}

impl Database {
    /// Returns a reader: a pool of its own on the hosts of this database that only read.
    ///
    /// Its sessions are opened as its callers need them, like those of this database, with the same
    /// limits, and apart from them: up to [`Config::max_size`](crate::Config::max_size) more. They
    /// are closed with the database. Calling this connects to nothing.
    ///
    /// Of several hosts it takes a standby, and the primary if there is no standby
    /// (`target_session_attrs=prefer-standby`);
    /// [`Config::reader_parameter`](crate::Config::reader_parameter) sets others. After a fail-over
    /// its sessions stay where they are until they are lost or too old
    /// ([`Config::max_lifetime`](crate::Config::max_lifetime)), also on a standby that has become
    /// the primary.
    ///
    /// A write does not compile on a reader, or is refused before anything is sent, where its type
    /// does not say that it writes. What neither knows, such as a function that writes, the server
    /// refuses: the reader's sessions have `default_transaction_read_only`.
    ///
    /// It has the options, settings and limit of this database. In a test's transaction it uses the
    /// same session, which sees what the test wrote.
    ///
    /// ```
    /// # use bank::Account;
    /// # use bowline::{Database, Page, Result};
    /// # fn page(db: &Database) -> Result<Vec<Account>> {
    /// db.reader().run(Account::list(Page::first(20)))
    /// # }
    /// ```
    ///
    /// ```compile_fail,E0277
    /// # use bank::{Account, AccountId};
    /// # use bowline::{Database, Result};
    /// # fn close(db: &Database, id: AccountId) -> Result<()> {
    /// db.reader().run(Account::delete(id))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn reader(&self) -> Reader {
        let source = match &self.source {
            Source::Pool(_) => Source::Pool(self.readers.get(&self.settings)),
            pinned @ Source::Pinned(_) => pinned.clone(),
        };
        let primary = Self {
            mark: None,
            ..self.clone()
        };
        Reader {
            standbys: Self {
                source,
                ..primary.clone()
            },
            primary,
            place: 0,
            patience: None,
        }
    }
}

impl Reader {
    /// Runs a statement in one round trip, as [`Database::run`] does. It is run again if its answer
    /// is lost, or if the standby's recovery ended it.
    #[track_caller]
    pub fn run<S: ReadStatement>(&self, statement: S) -> Result<S::Output> {
        let mut statement = statement;
        block_on_pinned(pin!(self.run_for(&mut statement, Location::caller())))
    }

    pub(crate) async fn run_for<S: ReadStatement>(
        &self,
        statement: &mut S,
        holder: &'static Location<'static>,
    ) -> Result<S::Output> {
        let mut output = None;
        if self.place == 0 || self.standbys.source.is_pinned() {
            let mut statement = OnlyReads(statement);
            let run = self.standbys.run_into(&mut statement, holder, &mut output);
            return run.await?.map_or_else(|| output.ok_or_else(no_output), Err);
        }
        Box::pin(self.run_at_least(statement, holder)).await
    }

    /// Runs a query and returns its rows as they arrive, as [`Database::stream`] does.
    #[track_caller]
    pub fn stream<S>(&self, mut rows: S) -> Result<Stream<PooledSession, S::Row>>
    where
        S: ReadStatement + RowStatement,
    {
        let session = block_on(self.session(Location::caller()))?;
        Stream::begin(session, &mut OnlyReads(&mut rows), S::reader())
    }

    /// Returns a session for a stream, on a server that has the writes of the mark.
    pub(crate) async fn session(
        &self,
        holder: &'static Location<'static>,
    ) -> Result<PooledSession> {
        self.standbys.refuse_options()?;
        let (began, limit) = (Instant::now(), self.standbys.limit.min(A_YEAR));
        let deadline = began + limit;
        let source = &self.standbys.source;
        if self.place == WriteMark::UNKNOWN && !source.is_pinned() {
            return match self.patience {
                Some(_) => self.primary.source.get(holder, began, || deadline).await,
                None => Err(self.not_there(None)),
            };
        }
        let mut session = source.get(holder, began, || deadline).await?;
        session.set_timeout(limit);
        session.forget_peek();
        if self.place == 0 || source.is_pinned() {
            return Ok(session);
        }
        session.begin_call(deadline, limit, false);
        let waited = self.wait(&mut session, began, deadline).await;
        session.end_call();
        match waited? {
            true => Ok(session),
            false => {
                drop(session);
                let source = &self.primary.source;
                source.get(holder, began, || deadline).await
            }
        }
    }

    /// Returns a reader whose calls see all writes that the mark covers now: each waits until the
    /// standby has replayed them, within the limit of the call, and otherwise fails with
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout).
    ///
    /// The statement and the question whether the standby is there travel together, so a call on a
    /// standby that has the writes takes one round trip. Otherwise the rows are thrown away, the
    /// standby is asked again after pauses of 2 to 50 ms, one round trip each, and the statement is
    /// run again. A stream asks first, which takes one round trip more.
    ///
    /// A mark before all writes, and the transaction of a test, wait for nothing.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bank::{Account, AccountId};
    /// # use bowline::{Database, Result};
    /// # use bowline::reader::WriteMark;
    /// # fn show(db: &Database, id: AccountId, mark: &WriteMark) -> Result<Account> {
    /// let reader = db.reader().at_least(mark).or_primary_after(Duration::from_millis(100));
    /// reader.run(Account::get(id))
    /// # }
    /// ```
    pub fn at_least(&self, mark: &WriteMark) -> Self {
        Self {
            place: mark.position(),
            ..self.clone()
        }
    }

    /// Returns a reader that runs a statement on the primary if the standby has not replayed the
    /// writes of [`Reader::at_least`] after this time.
    ///
    /// It also goes there if the standby cannot say how far it is. With [`Duration::ZERO`] the
    /// standby is asked once.
    pub fn or_primary_after(&self, patience: Duration) -> Self {
        Self {
            patience: Some(patience),
            ..self.clone()
        }
    }

    /// Returns the reader with this limit for each call, as [`Database::with_timeout`] does.
    pub fn with_timeout(&self, limit: Duration) -> Self {
        Self {
            standbys: self.standbys.with_timeout(limit),
            primary: self.primary.with_timeout(limit),
            ..self.clone()
        }
    }

    /// Returns the counters of the reader's pool, as [`Database::pool_state`] does.
    pub fn pool_state(&self) -> PoolState {
        self.standbys.pool_state()
    }

    /// Runs a statement on a session whose server has the writes of the mark.
    async fn run_at_least<S: ReadStatement>(
        &self,
        statement: &mut S,
        holder: &'static Location<'static>,
    ) -> Result<S::Output> {
        let (database, began) = (&self.standbys, Instant::now());
        let deadline = began + database.limit.min(A_YEAR);
        if self.place == WriteMark::UNKNOWN {
            return match self.patience {
                Some(_) => self.run_on_primary(statement, holder, began).await,
                None => Err(self.not_there(None)),
            };
        }
        let mut attempts = database.attempts(holder, database.settings.retry);
        let mut repeated = None;
        loop {
            let attempt = attempts.begin().await;
            let mut attempt = attempt.map_err(|(error, number)| error.with_attempts(number))?;
            let mut output = None;
            let ran = self
                .run_there(&mut attempt, statement, &mut output, (began, deadline))
                .await;
            let error = match ran {
                Ok(has_run) => {
                    attempts.succeeded(attempt);
                    if has_run {
                        return output.ok_or_else(no_output);
                    }
                    break;
                }
                Err(error) => error,
            };
            let failed = if error.outcome() == Outcome::Unknown {
                Failed::Unanswered(None, error)
            } else {
                Failed::Refused(error)
            };
            match attempts.failed(attempt, failed, repeated.take()).await {
                Next::Again(error) => repeated = Some(error),
                Next::End(Ok(CallEnd::Done(()))) => return Err(no_output()),
                Next::End(Ok(CallEnd::AnswerLost(error))) => return Err(error),
                Next::End(Err((error, number))) => return Err(error.with_attempts(number)),
            }
        }
        self.run_on_primary(statement, holder, began).await
    }

    async fn run_on_primary<S: ReadStatement>(
        &self,
        statement: &mut S,
        holder: &'static Location<'static>,
        began: Instant,
    ) -> Result<S::Output> {
        let mut output = None;
        let primary = self.primary.less(began.elapsed());
        let mut statement = OnlyReads(statement);
        let run = primary.run_into(&mut statement, holder, &mut output);
        run.await?.map_or_else(|| output.ok_or_else(no_output), Err)
    }

    /// Runs a statement on this session; returns false if its server does not get the writes of the
    /// mark in time, and the primary is to be asked.
    async fn run_there<S: ReadStatement>(
        &self,
        attempt: &mut Attempt,
        statement: &mut S,
        output: &mut Option<S::Output>,
        (began, deadline): (Instant, Instant),
    ) -> Result<bool> {
        let mode = TransactionMode::own(&attempt.opening);
        let session = &mut *attempt.session;
        let (mut both, mut rows) = (AtLeast(self.place, &mut *statement), None);
        match session.run_in(&mut both, mode.clone(), &mut rows).await {
            Ok(()) => *output = rows.flatten(),
            Err(error) if session.is_broken() || is_refused(&error) => return Err(error),
            Err(error) if Instant::now() >= deadline => return Err(error),
            // The rows that the statement did not find may not be there yet.
            Err(_) => {}
        }
        if output.is_some() {
            return Ok(true);
        }
        if !self.wait(session, began, deadline).await? {
            return Ok(false);
        }
        let mut statement = OnlyReads(statement);
        session.run_in(&mut statement, mode, output).await?;
        Ok(true)
    }

    /// Waits until the server of this session has the writes of the mark; returns false if the
    /// primary is to be asked in its place.
    async fn wait(&self, session: &mut Session, began: Instant, deadline: Instant) -> Result<bool> {
        const FIRST_PAUSE: Duration = Duration::from_millis(2);
        const LONGEST_PAUSE: Duration = Duration::from_millis(50);
        let until = match self.patience {
            Some(patience) => after(patience.saturating_sub(began.elapsed())).min(deadline),
            None => deadline,
        };
        let mut pause = FIRST_PAUSE;
        loop {
            let mut progress = None;
            let asked = session
                .run_in(
                    &mut Ask(self.place),
                    TransactionMode::Implicit,
                    &mut progress,
                )
                .await;
            let progress = match asked {
                Ok(()) => progress.ok_or_else(no_output)?,
                Err(_) if self.patience.is_some() && !session.is_broken() => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Timeout => return Err(error),
                Err(error) => return Err(error.with_hint(CANNOT_SAY)),
            };
            if progress.is_there {
                return Ok(true);
            }
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                interrupt::pause(pause.min(left)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            if Instant::now() >= until {
                return match self.patience {
                    Some(_) => Ok(false),
                    None => Err(self.not_there(progress.place)),
                };
            }
        }
    }

    fn not_there(&self, reached: Option<String>) -> Error {
        let mark = WriteMark::at(self.place);
        let place = reached.as_deref().unwrap_or("an unknown place");
        let message = if mark.is_unknown() {
            "the place of a write is not known, so no standby is known to have it".to_owned()
        } else {
            format!("the standby has not replayed the write at {mark} in time: it is at {place}")
        };
        Error::timeout(message).with_hint(
            "see how far the standby lags (pg_stat_replication on the primary), or let the reader go to the primary: \
             Reader::or_primary_after",
        )
    }
}

/// Returns whether a statement was refused before anything of it was sent.
fn is_refused(error: &Error) -> bool {
    error.kind() == ErrorKind::Query && error.sqlstate().is_none()
}

const CANNOT_SAY: &str = "this server does not say how far its recovery is, so a reader cannot wait for a write: let \
                          it go to the primary, by Reader::or_primary_after, or read on the database itself";

/// A statement that a reader may run.
pub(crate) struct OnlyReads<'s, S>(pub(crate) &'s mut S);

impl<S> Sealed for OnlyReads<'_, S> {}

impl<S: ReadStatement> Statement for OnlyReads<'_, S> {
    type Output = S::Output;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.0.encode_read(encoder)
    }

    fn decode(&self, answers: &mut Answers) -> Result<S::Output> {
        self.0.decode(answers)
    }
}

/// Asks whether a server has all up to a place: it is the primary, or has replayed it.
struct Ask(u64);

/// How far a server is.
struct Progress {
    is_there: bool,
    place: Option<String>,
}

/// In another isolation level the statement behind this one would see the rows of the time before
/// it.
static ASK: LazyLock<Arc<Text>> = LazyLock::new(|| {
    Arc::new(Text::new(
        "SELECT (NOT pg_catalog.pg_is_in_recovery() OR pg_catalog.pg_last_wal_replay_lsn() \
         OPERATOR(pg_catalog.>=) $1::pg_catalog.pg_lsn) IS TRUE, \
         pg_catalog.pg_last_wal_replay_lsn()::pg_catalog.text, \
         pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.=) 'read committed'",
    ))
});

impl Sealed for Ask {}

impl Statement for Ask {
    type Output = Progress;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        let place = WriteMark::at(self.0).to_string();
        let command = Command {
            parameters: Parameters::texts(&[&place]),
            is_named: true,
            ..Command::of(Arc::clone(&ASK))
        };
        encoder.commands.push(command.with_reads(Reads::Yes));
        Ok(())
    }

    fn decode(&self, answers: &mut Answers) -> Result<Progress> {
        let answer = answers.next()?;
        let place = answer
            .value(0, 1)
            .map(|place| String::from_utf8_lossy(place).into_owned());
        Ok(Progress {
            is_there: answer.value(0, 0) == Some(&[1]),
            place,
        })
    }
}

/// A statement with the question whether its server has all up to a place, in one round trip. There
/// is no output if it does not.
struct AtLeast<'s, S>(u64, &'s mut S);

impl<S> Sealed for AtLeast<'_, S> {}

impl<S: ReadStatement> Statement for AtLeast<'_, S> {
    type Output = Option<S::Output>;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        Ask(self.0).encode(encoder)?;
        self.1.encode_read(encoder)
    }

    fn decode(&self, answers: &mut Answers) -> Result<Option<S::Output>> {
        let asked = answers.next()?;
        let is_there = asked.value(0, 0) == Some(&[1]) && asked.value(0, 2) == Some(&[1]);
        if !is_there {
            return Ok(None);
        }
        self.1.decode(answers).map(Some)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("pool", &self.standbys.source)
            .finish_non_exhaustive()
    }
}
