//! The reports of a session about its work: spans, metrics, diesel's instrumentation, and its
//! current activity.
//!
//! The span of a statement begins and ends here. Encoding, the pipeline and decoding add their
//! measurements in between.
//! Without a subscriber, nothing is measured.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::{
    DynInstrumentation, Instrumentation, InstrumentationEvent, StrQueryHelper,
};
use tracing::Span;

use super::activity::SessionActivity;
use crate::command::{Command, ExpectedRows};
use crate::config::Config;
use crate::error::{Error, Outcome};
use crate::observe::{ServerAddress, StatementSpan, TransactionSpan, metrics};
use crate::sqlstate::SqlState;
use crate::wire::answer::Answer;
use crate::wire::libpq::Connection;

/// The subscribers to a session's work, and the counts that are reported to them.
pub(super) struct Observer {
    server: ServerAddress,
    /// Statements that take longer are reported as slow.
    slow: Option<Duration>,
    /// Whether a slow statement is reported with its plan.
    explain: bool,
    /// The span of the current statement; `None` between statements, while a stream or COPY has it,
    /// and without a subscriber.
    statement: Option<Box<StatementSpan>>,
    /// How long the holder waited for the session; the first statement reports it and sets it to
    /// zero.
    waited: Duration,
    /// The attempt of the call, counted from 1.
    attempt: u32,
    /// The reason why the session is closed. The first reason other than [`DROPPED`] stays.
    close_reason: &'static str,
    /// Both counts begin when the session is opened, and only grow.
    statements: u64,
    round_trips: u64,
    instrumentation: DynInstrumentation,
    /// Whether the holder of the session has set the instrumentation.
    has_own_instrumentation: bool,
    activity: Arc<SessionActivity>,
}

/// The reason for closing a session without a reason.
const DROPPED: &str = "dropped";

/// A transaction's span, and the counts at its beginning.
pub(super) struct ObservedTransaction {
    span: TransactionSpan,
    statements: u64,
    round_trips: u64,
}

impl Observer {
    pub(super) fn new(config: &Config, connection: &Connection, began: Instant) -> Self {
        let server =
            ServerAddress::new(connection.host(), connection.port(), &connection.database());
        metrics::opened(&server, began.elapsed());
        Self {
            server,
            slow: config.slow_statement,
            explain: config.explain_slow,
            statement: None,
            waited: Duration::ZERO,
            attempt: 1,
            close_reason: DROPPED,
            statements: 0,
            round_trips: 0,
            instrumentation: DynInstrumentation::default_instrumentation(),
            has_own_instrumentation: false,
            activity: Arc::new(SessionActivity::new(connection.backend_pid())),
        }
    }

    pub(super) fn server_name(&self) -> &Arc<str> {
        &self.server.name
    }

    pub(super) fn activity(&self) -> &Arc<SessionActivity> {
        &self.activity
    }

    /// Notes that a holder has waited this long for the session.
    pub(super) fn checked_out(&mut self, waited: Duration) {
        self.waited = waited;
        self.attempt = 1;
    }

    /// Sets the attempt that follows, counted from 1.
    pub(super) fn set_attempt(&mut self, attempt: u32) {
        self.attempt = attempt;
    }

    /// Sets the reason why the session is about to be closed, unless there is a reason already.
    pub(super) fn set_close_reason(&mut self, reason: &'static str) {
        if self.close_reason == DROPPED {
            self.close_reason = reason;
        }
    }

    /// Reports the outcome of a call that was dropped once its commit had been given to libpq.
    pub(super) fn dropped_while_committing(&self, outcome: Outcome) {
        tracing::warn!(
            target: "bowline::outcome",
            ?outcome,
            "a call was dropped while its commit was being sent"
        );
    }

    /// Reports that no statement is prepared behind a pooler any more.
    pub(super) fn stopped_preparing(&self) {
        tracing::warn!(
            target: "bowline",
            "a statement that the pooler has prepared is missing or older than the schema: from now \
             on none is prepared. PgBouncer keeps track of them from 1.21 on with \
             max_prepared_statements above 0, and its command RECONNECT drops old ones"
        );
    }

    /// Forgets the reason: the session stays open.
    pub(super) fn unset_close_reason(&mut self) {
        self.close_reason = DROPPED;
    }
}

/// The current statement.
impl Observer {
    /// Begins a statement; its work runs within the span.
    pub(super) fn begin_statement(&mut self) -> Option<Span> {
        self.statements += 1;
        // A panic may have left one behind.
        self.statement = None;
        if self.slow.is_none() && !StatementSpan::is_wanted() {
            return None;
        }
        let waited = std::mem::take(&mut self.waited);
        let statement = StatementSpan::begin(&self.server, waited, self.attempt);
        let span = statement.span();
        self.statement = Some(Box::new(statement));
        Some(span)
    }

    /// Ends the statement. Returns its span and duration if it was slow, for
    /// [`StatementSpan::report_slow`].
    pub(super) fn end_statement(
        &mut self,
        failure: Option<&Error>,
    ) -> Option<(Box<StatementSpan>, Duration)> {
        let statement = self.statement.take()?;
        let duration = statement.elapsed();
        statement.record(failure);
        metrics::statement(&self.server, &statement, failure);
        let is_slow = self.slow.is_some_and(|limit| duration >= limit)
            && tracing::enabled!(target: "bowline::slow", tracing::Level::WARN);
        is_slow.then_some((statement, duration))
    }

    /// Returns whether a slow statement is reported with its plan.
    pub(super) fn explains(&self) -> bool {
        self.explain
    }

    /// Sets the commands of the current statement.
    pub(super) fn set_commands<'c>(&mut self, commands: impl IntoIterator<Item = &'c Command>) {
        if let Some(statement) = &mut self.statement {
            statement.set_commands(commands);
        }
    }

    /// Sets the text of the current simple query or COPY.
    pub(super) fn set_script(&mut self, sql: &str) {
        if let Some(statement) = &mut self.statement {
            statement.set_script(sql);
        }
    }

    /// Counts a round trip with these commands.
    pub(super) fn count_round_trip(&mut self, commands: &[Command]) {
        self.round_trips += 1;
        if let Some(statement) = &mut self.statement {
            statement.round_trips += 1;
            let bytes = |command: &Command| command.sql().len() + command.parameters.size();
            statement.sent_bytes += commands.iter().map(bytes).sum::<usize>();
        }
    }

    /// Counts the bytes of a COPY.
    pub(super) fn count_copied(&mut self, sent: usize, received: usize) {
        if let Some(statement) = &mut self.statement {
            statement.copied(sent, received);
        }
    }

    /// Counts the rows of a COPY that has ended.
    pub(super) fn count_copied_rows(&mut self, rows: usize) {
        if let Some(statement) = &mut self.statement {
            statement.copied_rows(rows);
        }
    }

    /// Counts the answers to the commands of the statement.
    pub(super) fn count_answers<'a>(
        &mut self,
        answers: impl IntoIterator<Item = (ExpectedRows, &'a Answer)>,
    ) {
        if let Some(statement) = &mut self.statement {
            for (rows, answer) in answers {
                statement.answered(rows, answer);
            }
        }
    }

    /// Returns the time, if it is to be measured.
    pub(super) fn now(&self) -> Option<Instant> {
        self.statement.is_some().then(Instant::now)
    }

    /// Adds the time since then to the time on the wire.
    pub(super) fn add_wire_time(&mut self, since: Option<Instant>) {
        if let (Some(statement), Some(since)) = (&mut self.statement, since) {
            statement.wire += since.elapsed();
        }
    }

    /// Adds the time since then to the time of decoding.
    pub(super) fn add_decoding_time(&mut self, since: Option<Instant>) {
        if let (Some(statement), Some(since)) = (&mut self.statement, since) {
            statement.decoding += since.elapsed();
        }
    }

    /// Takes the current statement, because the session does other work before the statement ends.
    pub(super) fn pause(&mut self) -> Option<Box<StatementSpan>> {
        self.statement.take()
    }

    /// Resumes a statement that was taken.
    pub(super) fn resume(&mut self, statement: Option<Box<StatementSpan>>) {
        self.statement = statement;
    }
}

/// Transactions.
impl Observer {
    /// Begins an interactive transaction.
    pub(super) fn begin_transaction(&self, begin: &str) -> ObservedTransaction {
        ObservedTransaction {
            span: TransactionSpan::begin(&self.server, begin, self.attempt),
            statements: self.statements,
            round_trips: self.round_trips,
        }
    }

    /// Ends an interactive transaction.
    pub(super) fn end_transaction(&self, transaction: ObservedTransaction, outcome: Outcome) {
        metrics::transaction(&self.server, outcome);
        transaction.span.end(
            outcome,
            self.statements - transaction.statements,
            self.round_trips - transaction.round_trips,
        );
    }

    /// Reports the beginning of a transaction or savepoint to diesel's instrumentation.
    pub(super) fn transaction_begins(&mut self, depth: NonZeroU32) {
        self.instrument(InstrumentationEvent::begin_transaction(depth));
    }

    /// Reports a transaction or savepoint that is about to be committed to diesel's
    /// instrumentation.
    pub(super) fn transaction_commits(&mut self, depth: NonZeroU32) {
        self.instrument(InstrumentationEvent::commit_transaction(depth));
    }

    /// Reports a transaction or savepoint that is about to be rolled back to diesel's
    /// instrumentation.
    pub(super) fn transaction_rolls_back(&mut self, depth: NonZeroU32) {
        self.instrument(InstrumentationEvent::rollback_transaction(depth));
    }
}

impl ObservedTransaction {
    /// Enters the span, until the guard is dropped.
    pub(super) fn span(&self) -> Span {
        self.span.span()
    }
}

/// diesel's instrumentation, and the activity that other threads read.
impl Observer {
    pub(super) fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut *self.instrumentation
    }

    pub(super) fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = instrumentation.into();
        self.has_own_instrumentation = true;
    }

    /// Resets the instrumentation to diesel's default.
    pub(super) fn reset_instrumentation(&mut self) {
        if std::mem::take(&mut self.has_own_instrumentation) {
            self.instrumentation = DynInstrumentation::default_instrumentation();
        }
    }

    /// Reports that the server refused something that is done without from now on.
    pub(super) fn server_lacks(&self, name: &str, effect: &str, sqlstate: Option<SqlState>) {
        tracing::warn!(
            target: "bowline::server",
            sqlstate = sqlstate.as_ref().map(|state| state.code()),
            "the server refuses {name}, which is not sent again: {effect}"
        );
    }

    /// Reports a query that is about to be sent to diesel's instrumentation.
    pub(super) fn query_starts(&mut self, sql: &str) {
        self.instrument(InstrumentationEvent::start_query(&StrQueryHelper::new(sql)));
    }

    /// Reports a statement that is prepared to diesel's instrumentation.
    pub(super) fn statement_prepared(&mut self, sql: &str) {
        self.instrument(InstrumentationEvent::cache_query(sql));
    }

    /// Reports a query that succeeded to diesel's instrumentation.
    pub(super) fn query_succeeded(&mut self, sql: &str) {
        self.instrument(InstrumentationEvent::finish_query(
            &StrQueryHelper::new(sql),
            None,
        ));
    }

    /// Reports a query that failed to diesel's instrumentation.
    pub(super) fn query_failed(&mut self, sql: &str, error: &Error) {
        let error = diesel::result::Error::QueryBuilderError(error.to_string().into());
        self.instrument(InstrumentationEvent::finish_query(
            &StrQueryHelper::new(sql),
            Some(&error),
        ));
    }

    fn instrument(&mut self, event: InstrumentationEvent<'_>) {
        self.instrumentation.on_connection_event(event);
    }

    /// Publishes the SQL that is sent, for callers that wait for the session.
    pub(super) fn activity_starts(&self, sql: Arc<str>, now: Instant) {
        self.activity.begin(sql, now);
    }

    /// Publishes that the session is idle.
    pub(super) fn activity_ends(&self, is_in_transaction: bool) {
        self.activity.end(is_in_transaction);
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        metrics::closed(&self.server, self.close_reason);
    }
}
