//! One connection to the server.
//!
//! A [`Session`] sends statements in pipelines. It is also a diesel `Connection` for backend `Pg`,
//! so diesel code works on it. It adds what diesel's own connection hides: the SQLSTATE, a deadline
//! for every call, the outcome of a COMMIT, and many statements in one round trip.
//!
//! A session consists of parts that own their state: `connection` (with the prepared statements),
//! `limits` (deadlines), `transactions` (with hooks and the transaction ID), `residue` (state
//! left for the next holder), `notifications` (the inbox), `observer` (spans, metrics,
//! instrumentation), `types` (with the search path) and `in_flight` (the pipeline that is not
//! answered yet). The other files hold methods of the session, in the order
//! in which a statement passes them: `execute`, `encode`, `batch`, `exchange`, `commit`.

mod abandoned;
pub(crate) mod activity;
pub(crate) mod advisory_lock;
mod batch;
mod call;
mod check;
mod checkin;
mod commit;
mod connection;
pub(crate) mod copy;
mod cursor;
mod diesel;
mod encode;
mod exchange;
mod execute;
mod extras;
mod hooks;
mod in_flight;
mod limits;
mod look_up;
pub(crate) mod notifications;
mod observe;
mod observer;
mod pending_pipeline;
mod pooler;
mod position;
mod reset;
mod residue;
mod script;
mod search_path;
mod simple_query;
mod stream;
#[cfg(feature = "testing")]
mod test_transaction;
mod transact;
mod transaction_manager;
mod transactions;
mod types;
mod xid;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::command::text::TextCache;
use crate::command::types::TypeCache;
use crate::config::Config;
use crate::connect;
use crate::deadline::after;
use crate::error::{Error, Result};
use crate::observe::{Span, within};
use crate::statement::{Answers, Statement};
use crate::transaction::TransactionStart;
use crate::wire::executor::block_on_pinned;
use activity::SessionActivity;
use batch::{BatchResult, Buffers};
use connection::SessionConnection;
use in_flight::InFlight;
use limits::Limits;
use notifications::Inbox;
use observer::Observer;
use pooler::{prepared_statements, refuse_undeclared};
use position::CommitPosition;
use residue::Residue;
use types::Types;

pub(crate) use call::CallRecord;
pub(crate) use execute::TransactionMode;
pub(crate) use hooks::Hooks;
pub(crate) use position::Committed;
pub(crate) use transact::{AttemptResult, BegunWork};

pub use crate::connect::{Encryption, client_libraries};
pub use cursor::Cursor;
pub use simple_query::{SimpleColumn, SimpleQueryMessage, SimpleRow};
pub use stream::Stream;
pub use transaction_manager::SessionTransactions;
pub use transactions::Transactions;
pub(crate) use xid::Xid;

/// One connection to the server.
///
/// Inside of [`Database::transaction`](crate::Database::transaction) it is the transaction. It is
/// `Send` but not `Sync`: one call at a time. Every call ends by its deadline (see
/// [`Session::set_timeout`]). Once the connection is lost, [`Session::is_broken`] returns true and
/// each further call fails.
pub struct Session {
    // Each part owns its state: its fields are private to its file, and it keeps its own
    // invariants.
    connection: SessionConnection,
    limits: Limits,
    transactions: Transactions,
    residue: Residue,
    inbox: Inbox,
    observer: Observer,
    types: Types,
    in_flight: InFlight,
    /// The place behind the commit of a call, if the call asked for it.
    position: CommitPosition,
    /// The texts of its statements.
    texts: TextCache,
    /// Memory that its pipelines use in turn.
    buffers: Buffers,
    /// Whether handwritten SQL may count as reading because of its text.
    trusts_text: bool,
    /// Whether its server need not take writes.
    is_reader: bool,
    /// The query that sets a transaction up behind a pooler; `None` for a direct connection.
    pooler: Option<Arc<str>>,
    /// Set once the statements that the pooler has prepared are no longer right.
    pooler_is_stale: Arc<AtomicBool>,
}

impl Session {
    /// Connects; takes as many round trips as libpq needs, and no more.
    ///
    /// Fails within [`Config::connect_timeout`], which includes the look-up of names.
    pub fn connect(config: &Config) -> Result<Self> {
        Self::connect_sharing(config, Arc::default(), after(config.connect_timeout))
    }

    /// Connects, with a shared cache of the database's types.
    pub(crate) fn connect_sharing(
        config: &Config,
        types: Arc<TypeCache>,
        deadline: Instant,
    ) -> Result<Self> {
        let began = Instant::now();
        let connection = connect::connect(config, deadline)?;
        refuse_undeclared(config, &connection)?;
        let search_path = connection.parameter_status(c"search_path");
        Ok(Self {
            observer: Observer::new(config, &connection, began),
            connection: SessionConnection::new(connection, prepared_statements(config)),
            limits: Limits::new(config.call_timeout),
            transactions: Transactions::default(),
            residue: Residue::new(config.is_pooled()),
            inbox: Inbox::default(),
            types: Types::new(types, search_path),
            in_flight: InFlight::default(),
            texts: TextCache::of_database(config.database.clone()),
            position: CommitPosition::default(),
            is_reader: config.is_reader,
            buffers: Buffers::default(),
            trusts_text: config.trust_views_and_operators,
            pooler: config.pooler_settings(),
            pooler_is_stale: Arc::clone(&config.pooler_is_stale),
        })
    }

    /// Runs a statement, all or nothing: one round trip.
    ///
    /// Outside of a transaction the statement is committed; inside of one it is part of that
    /// transaction. It takes one more round trip the first time a type that is not built in is met.
    /// It also does for an expected row count that the server cannot check within the query.
    ///
    /// A failure within a transaction fails all of it, as in PostgreSQL. So does a wrong row count,
    /// except that of a lone query that only reads, or of a lone generated function that writes by
    /// a whole key: both leave nothing to undo. Run statements that may fail in a
    /// [`Session::savepoint`].
    pub fn run<S: Statement>(&mut self, mut statement: S) -> Result<S::Output> {
        let (mode, mut output) = (self.mode(), None);
        block_on_pinned(pin!(self.run_in(&mut statement, mode, &mut output)))?;
        output.ok_or_else(no_output)
    }

    /// As [`Session::run`]. A task that runs it can be sent to another thread if the statement is
    /// `Send`.
    pub(crate) async fn run_now<S: Statement>(&mut self, statement: &mut S) -> Result<S::Output> {
        let (mode, mut output) = (self.mode(), None);
        self.run_in(statement, mode, &mut output).await?;
        output.ok_or_else(no_output)
    }

    /// Runs a statement as a transaction that begins with `start`, still in one round trip. Within
    /// a transaction it runs as a savepoint, to which the options of the transaction around it
    /// apply.
    pub(crate) async fn run_as<S: Statement>(
        &mut self,
        statement: &mut S,
        start: &TransactionStart,
    ) -> Result<S::Output> {
        let mut output = None;
        if self.transactions.depth() > 0 {
            self.run_in_savepoint(statement, start, &mut output).await?;
        } else {
            let mode = TransactionMode::own(start);
            self.run_in(statement, mode, &mut output).await?;
        }
        output.ok_or_else(no_output)
    }

    /// Runs a statement in a savepoint of the open transaction.
    pub(crate) async fn run_in_savepoint<S: Statement>(
        &mut self,
        statement: &mut S,
        start: &TransactionStart,
        output: &mut Option<S::Output>,
    ) -> Result<()> {
        let begun = self.begin_work(start)?;
        let done = self
            .run_in(statement, TransactionMode::Within, output)
            .await;
        self.end_work(begun, done).await.into_result()
    }

    /// Returns how a statement becomes a transaction now.
    fn mode(&self) -> TransactionMode {
        if self.transactions.depth() > 0 {
            TransactionMode::Within
        } else {
            TransactionMode::Implicit
        }
    }

    /// Runs a statement within its span. Its output is stored, which is not copied from future to
    /// future.
    pub(crate) async fn run_in<S: Statement + ?Sized>(
        &mut self,
        statement: &mut S,
        mode: TransactionMode,
        output: &mut Option<S::Output>,
    ) -> Result<()> {
        let span = self.observer.begin_statement();
        let deadline = self.limits.call_deadline();
        let executed = {
            let execute = pin!(self.execute(statement, mode, deadline));
            within(span.as_ref(), execute).await
        };
        let entered = span.as_ref().map(Span::enter);
        let done = executed.and_then(|result| {
            let since = self.observer.now();
            let decoded = decode(statement, result, &mut self.buffers, output);
            self.observer.add_decoding_time(since);
            decoded
        });
        let slow = self.observer.end_statement(done.as_ref().err());
        drop(entered);
        if let Some(slow) = slow {
            let report = Box::pin(self.report_slow(slow, statement, deadline));
            within(span.as_ref(), pin!(report)).await;
        }
        done
    }

    /// Sets how long each later call of this session may take.
    ///
    /// A call that exceeds the limit is cancelled on the server. The server has up to 1.5 s for
    /// that, and as long again for a rollback.
    pub fn set_timeout(&mut self, limit: Duration) {
        self.limits.set_call(limit);
    }

    /// Returns whether the connection was lost, or the state of a transaction is unknown.
    pub fn is_broken(&self) -> bool {
        self.connection.is_broken() || self.transactions.is_broken()
    }

    /// Returns the number of open transactions, including savepoints.
    pub fn transaction_depth(&self) -> u32 {
        self.transactions.depth()
    }

    /// Returns the process id of the server's backend, as in `pg_stat_activity`.
    pub fn backend_pid(&self) -> i32 {
        self.activity().backend_pid()
    }

    /// Returns the server's version as a number: 15.18 is 150018.
    pub fn server_version(&self) -> i32 {
        self.connection.server_version()
    }

    /// Returns how the connection is encrypted, or `None` if it is not; behind a pooler, the
    /// connection to the pooler.
    ///
    /// Whether the server's identity was verified depends on `sslmode`: see
    /// [`Config::parameters`](crate::Config::parameters).
    pub fn encryption(&self) -> Option<Encryption> {
        self.connection.encryption()
    }

    pub(crate) fn activity(&self) -> &Arc<SessionActivity> {
        self.observer.activity()
    }

    /// Returns the server and database that it is connected to, as one name.
    pub(crate) fn server_name(&self) -> &Arc<str> {
        self.observer.server_name()
    }

    /// Sets the reason why the session is about to be closed; the first reason is kept.
    pub(crate) fn set_close_reason(&mut self, reason: &'static str) {
        self.observer.set_close_reason(reason);
    }

    /// Returns whether no transaction is open, neither here nor on the server.
    pub(crate) fn is_idle(&self) -> bool {
        self.transactions.depth() == 0 && self.connection.is_idle()
    }

    /// Returns whether the server has closed the connection while it was idle; no round trip.
    pub(crate) fn was_closed(&self) -> bool {
        self.connection.was_closed()
    }

    /// Notes that the pool has just found the connection open.
    pub(crate) fn note_peek(&mut self) {
        self.connection.note_peek();
    }

    /// Forgets that the pool found the connection open, since the session may be used much later.
    pub(crate) fn forget_peek(&mut self) {
        self.connection.take_peek();
    }

    /// Returns whether a transaction is open: one of this session, whose BEGIN may not be sent yet,
    /// or one that the caller began with SQL.
    fn is_within_transaction(&self) -> bool {
        self.transactions.depth() > 0 || self.connection.is_in_transaction()
    }

    /// Returns whether the server has a transaction open, failed or not.
    pub(crate) fn is_in_transaction(&self) -> bool {
        self.connection.is_in_transaction()
    }
}

/// Returns the error for a statement that ran and stored no output, which no statement does.
pub(crate) fn no_output() -> Error {
    Error::query("the statement has no output")
}

/// Decodes the answers of a statement; an error names the command that it was read from.
fn decode<S: Statement + ?Sized>(
    statement: &S,
    mut result: BatchResult,
    buffers: &mut Buffers,
    output: &mut Option<S::Output>,
) -> Result<()> {
    let (all, first) = result.take_all_answers();
    let mut answers = Answers::new(all, first);
    let decoded = statement.decode(&mut answers);
    let decoded = decoded.map(|decoded| *output = Some(decoded));
    let decoded = decoded.map_err(|error| {
        let number = answers.taken();
        let error = error
            .with_outcome(result.outcome)
            .with_statement(number, result.commands().len());
        match result.commands().get(number.saturating_sub(1)) {
            Some(command) => error.with_sql(command.caller_sql()),
            None => error,
        }
    });
    buffers.keep(result, answers.into_memory());
    decoded
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
