//! One connection to the server.
//!
//! A [`Session`] speaks libpq's protocol in pipelines and is a diesel `Connection` for backend `Pg`, so
//! that what a diesel user writes works on it. It adds what diesel's own connection hides: the SQLSTATE,
//! a deadline for every call, an honest COMMIT, and many statements in one round trip.

pub(crate) mod activity;
mod advisory_lock;
mod call;
mod check;
mod checkin;
pub(crate) mod copy;
mod cursor;
mod diesel;
mod exchange;
mod flight;
mod hooks;
mod look_up;
mod notifications;
mod observe;
mod pooler;
mod script;
mod search_path;
mod simple_query;
mod state;
mod stream;
mod transactions;
mod xid;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::diesel::connection::{DynInstrumentation, TransactionManager as _};

use crate::command::prepared::Prepared;
use crate::command::types::TypeCache;
use crate::config::Config;
use crate::connect::{self, Encryption};
use crate::deadline::after;
use crate::error::{Error, Outcome, Result};
use crate::observe::{TransactionSpan, metrics};
use crate::sql_text::read_only;
use crate::statement::{Answers, Statement};
use crate::transaction::{Opening, TransactionOptions};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq;
use activity::Activity;
use flight::Frame;
use observe::Watch;
use search_path::SearchPath;

pub(crate) use call::Tried;
pub(crate) use hooks::Hooks;
use notifications::Inbox;

pub use advisory_lock::{AdvisoryLock, LockKey, advisory_xact_lock, try_advisory_xact_lock};
pub use cursor::Cursor;
pub use notifications::notify;
pub use simple_query::{SimpleColumn, SimpleQueryMessage, SimpleRow};
pub use stream::Stream;
pub use transactions::{SessionTransactions, Transactions};
pub(crate) use xid::Xid;

/// One connection to the server.
///
/// Inside of [`Database::transaction`](crate::Database::transaction) it is the transaction. `Send`, but
/// not `Sync`: one call at a time. Every call ends by its deadline (see [`Session::within`]); a session
/// that was lost says so by [`Session::is_broken`] and fails each further call.
pub struct Session {
    connection: libpq::Connection,
    prepared: Prepared,
    types: Arc<TypeCache>,
    /// By which names without a schema are found.
    search_path: SearchPath,
    transactions: Transactions,
    instrumentation: DynInstrumentation,
    /// Whether the instrumentation was set for this session.
    instrumented: bool,
    watch: Watch,
    /// How long one call may take.
    limit: Duration,
    /// A deadline that holds for several calls, such as that of a transaction with its retries.
    deadline: Option<Instant>,
    /// What `limit` goes back to when that ends: as configured.
    usual_limit: Duration,
    lost: Option<String>,
    /// Whether a statement may have left something behind in the session.
    touched: bool,
    /// What it is doing, for those who wait for it.
    activity: Arc<Activity>,
    /// How many advisory locks guards hold.
    locks: u32,
    inbox: Inbox,
    /// How many cursors there were, which are named by number.
    cursors: u64,
    /// What travels with each transaction behind a pooler; `None` for a session of our own.
    pooler: Option<Arc<str>>,
    /// The call that it was taken in.
    interrupt: Option<Interrupt>,
    /// Whether a query by hand may count as reading, by its words.
    trusts_words: bool,
    known_reads: read_only::Memory,
}

impl Session {
    /// Connects; takes as many round trips as libpq needs, and no more.
    ///
    /// Fails within [`Config::connect_timeout`], the look-up of names included.
    pub fn connect(config: &Config) -> Result<Self> {
        Self::connect_sharing(config, Arc::default(), after(config.connect_timeout))
    }

    /// Connects, sharing what is known of the database's types.
    pub(crate) fn connect_sharing(
        config: &Config,
        types: Arc<TypeCache>,
        deadline: Instant,
    ) -> Result<Self> {
        let began = Instant::now();
        let connection = connect::connect(config, deadline)?;
        let mut search_path = SearchPath::default();
        search_path.report(connection.parameter_status(c"search_path"));
        Ok(Self {
            activity: Arc::new(Activity::new(connection.backend_pid())),
            watch: Watch::new(config, &connection, began),
            connection,
            prepared: Prepared::new(if config.pooler {
                0
            } else {
                config.statement_cache
            }),
            types,
            search_path,
            transactions: Transactions::default(),
            instrumentation: DynInstrumentation::default_instrumentation(),
            instrumented: false,
            limit: config.call_timeout,
            deadline: None,
            usual_limit: config.call_timeout,
            lost: None,
            touched: false,
            locks: 0,
            inbox: Inbox::default(),
            cursors: 0,
            pooler: config.pooler_settings(),
            interrupt: None,
            trusts_words: config.trust_views_and_operators,
            known_reads: read_only::Memory::default(),
        })
    }

    /// Runs a statement, all or nothing: one round trip.
    ///
    /// Outside of a transaction it is committed; inside of one it is committed with it. One more round
    /// trip is taken the first time a type is met that a migration made, and where a row count is expected
    /// of SQL that PostgreSQL cannot check within a query.
    ///
    /// A failure within a transaction fails all of it, as PostgreSQL has it, and so does a row count that does
    /// not hold, unless a lone query that only reads was asked: what may fail goes into a
    /// [`Session::savepoint`].
    pub fn run<S: Statement>(&mut self, statement: S) -> Result<S::Output> {
        let frame = if self.transactions.depth() > 0 {
            Frame::Within
        } else {
            Frame::Implicit
        };
        self.run_in(&statement, frame)
    }

    /// Runs a statement as a transaction of its own that begins so, still in one round trip; within a
    /// transaction as a savepoint, to which the options of the one around it apply.
    pub(crate) fn run_as<S: Statement>(
        &mut self,
        statement: &S,
        opening: &Opening,
    ) -> Result<S::Output> {
        if self.transactions.depth() > 0 {
            let done = self.transact(opening, |session| session.run_in(statement, Frame::Within));
            return done.into_result();
        }
        let frame = if opening.is_plain() {
            Frame::Implicit
        } else {
            Frame::Explicit(opening.sql.clone())
        };
        self.run_in(statement, frame)
    }

    fn run_in<S: Statement + ?Sized>(&mut self, statement: &S, frame: Frame) -> Result<S::Output> {
        let _entered = self.begin_statement();
        let deadline = self.call_deadline();
        let done = self.run_unseen(statement, frame);
        self.end_statement(done.as_ref().err(), |session| {
            session.plan(statement, deadline)
        });
        done
    }

    fn run_unseen<S: Statement + ?Sized>(
        &mut self,
        statement: &S,
        frame: Frame,
    ) -> Result<S::Output> {
        let flown = self.fly(statement, frame)?;
        let since = self.watch.now();
        let mut answers = Answers::new(flown.answers);
        let decoded = statement.decode(&mut answers);
        self.watch.decoded(since);
        decoded.map_err(|error| {
            let place = answers.taken();
            let error = error
                .with_outcome(flown.outcome)
                .with_place(place, flown.commands.len());
            match flown.commands.get(place.saturating_sub(1)) {
                Some(command) => error.with_sql(command.written()),
                None => error,
            }
        })
    }

    /// Runs `work` in a savepoint: if it fails, only what it did is undone, and the transaction goes on.
    ///
    /// Outside of a transaction it is a transaction. SAVEPOINT and RELEASE travel with the statements;
    /// undoing takes one round trip.
    pub fn savepoint<T, E>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.transact(&Opening::plain(), work).into_result()
    }

    /// The same with options, which hold where it is a transaction; for the command.
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

    /// Runs `work` in a transaction that begins so, or in a savepoint within one.
    pub(crate) fn transact<T, E>(
        &mut self,
        opening: &Opening,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Tried<T, E>
    where
        E: From<Error>,
    {
        if self.transactions.depth() > 0 {
            return self.transact_unseen(opening, work);
        }
        let begin = opening.sql.first().map_or("", |begin| begin);
        let seen = TransactionSpan::begin(&self.watch.server, begin, self.watch.attempt);
        let _entered = seen.span().entered();
        let (statements, round_trips) = (self.watch.statements, self.watch.round_trips);
        let tried = self.transact_unseen(opening, work);
        let outcome = match &tried {
            Tried::Done(_) => Outcome::Committed,
            Tried::Failed(_) => Outcome::NotCommitted,
            Tried::Unanswered(..) => Outcome::Unknown,
        };
        metrics::transaction(&self.watch.server, outcome);
        seen.end(
            outcome,
            self.watch.statements - statements,
            self.watch.round_trips - round_trips,
        );
        tried
    }

    fn transact_unseen<T, E>(
        &mut self,
        opening: &Opening,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Tried<T, E>
    where
        E: From<Error>,
    {
        if let Err(error) = transactions::begin(self, &opening.sql) {
            return Tried::Failed(Error::from(error).into());
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
                    Ok(()) => Tried::Done(value),
                    Err(error) if error.outcome() == Outcome::Unknown => {
                        Tried::Unanswered(Some(value), error)
                    }
                    Err(error) => Tried::Failed(error.into()),
                }
            }
            // The guard rolls back; the caller's error says more than a failure to do so would.
            Err(error) => Tried::Failed(error),
        }
    }

    /// How long each call of this session may take from now on; what exceeds it is cancelled on the server, which is
    /// given up to 1.5 s for that, and as long again for a rollback.
    pub fn within(&mut self, limit: Duration) -> &mut Self {
        self.limit = limit;
        self
    }

    /// Whether the connection was lost, or a transaction left in a state that nobody knows.
    pub fn is_broken(&self) -> bool {
        self.lost.is_some() || self.transactions.is_broken() || !self.connection.is_alive()
    }

    /// How many transactions are open, one in the other.
    pub fn transaction_depth(&self) -> u32 {
        self.transactions.depth()
    }

    /// The process id of the server's side, as in `pg_stat_activity`.
    pub fn backend_pid(&self) -> i32 {
        self.activity.backend_pid()
    }

    /// The server's version as PostgreSQL counts: 15.18 is 150018.
    pub fn server_version(&self) -> i32 {
        self.connection.server_version()
    }

    /// Returns how the connection is encrypted, or `None` if it is not; behind a pooler, the connection to the pooler.
    ///
    /// Whether the server had to prove its identity is a question of `sslmode`: see
    /// [`Config::parameters`](crate::Config::parameters).
    pub fn encryption(&self) -> Option<Encryption> {
        Encryption::of(&self.connection)
    }

    pub(crate) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Whether the session is as it was when it was made, as far as can be told without asking the server.
    pub(crate) fn is_idle(&self) -> bool {
        self.transactions.depth() == 0 && self.is_idle_on_server()
    }

    /// Whether the server has closed the connection while it was idle: looks at the socket, takes no round trip.
    pub(crate) fn was_closed(&self) -> bool {
        let mut byte = [0_u8; 1];
        let Some(socket) = self.connection.socket() else {
            return true;
        };
        match rustix::net::recv(
            socket,
            &mut byte,
            rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT,
        ) {
            Ok((0, _)) => true,
            // What arrives unasked is a notice, a notification, or the server's word that it closes; libpq sorts it out
            // with the next call, except for the last, which a FATAL error announces.
            Ok(_) => matches!(byte, [b'E'] | [TLS_ALERT]),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => false,
            Err(_) => true,
        }
    }

    /// The server waits for a statement, and has no transaction open.
    fn is_idle_on_server(&self) -> bool {
        self.connection.transaction_status() == libpq::TransactionStatus::Idle
    }

    /// The server has a transaction open, failed or not.
    pub(crate) fn is_in_transaction(&self) -> bool {
        matches!(
            self.connection.transaction_status(),
            libpq::TransactionStatus::InTransaction | libpq::TransactionStatus::InError
        )
    }

    /// The server refuses all but the end of the transaction.
    fn is_aborted(&self) -> bool {
        self.connection.transaction_status() == libpq::TransactionStatus::InError
    }
}

/// The first byte of a TLS record that announces the end; no message of PostgreSQL's begins with it.
const TLS_ALERT: u8 = 0x15;

/// Rolls back when the work within a transaction fails or panics; the panic goes on.
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

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("backend_pid", &self.backend_pid())
            .field("transaction_depth", &self.transaction_depth())
            .field("is_broken", &self.is_broken())
            .finish_non_exhaustive()
    }
}
