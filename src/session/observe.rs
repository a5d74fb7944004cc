//! The one place where a session tells those who watch what it does.
//!
//! A statement is begun and ended here; on its way, encoding, the exchange and decoding add what they know.
//! Where nobody watches, there is nothing to add to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::span::EnteredSpan;

use super::Session;
use super::exchange::{Cargo, CommitPoint};
use super::transactions::rollback_to;
use crate::command::{Command, Expectation};
use crate::config::Config;
use crate::deadline::after;
use crate::error::{Error, Result};
use crate::observe::{Seen, Server, metrics};
use crate::sql_text::single_statement::bare;
use crate::sql_text::statement_kinds::query_kind;
use crate::statement::{Encoded, Statement};
use crate::wire::answer::Answer;
use crate::wire::libpq::Connection;

/// What a session knows of those who watch it.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(super) server: Server,
    slow: Option<Duration>,
    explain: bool,
    /// The statement under way; `None` if nobody watches.
    seen: Option<Box<Seen>>,
    /// How long was waited for the session; the first statement or transaction tells it.
    waited: Duration,
    pub(super) attempt: u32,
    /// Why the session is closed, once it is.
    closes: &'static str,
    /// Counted since the session was made.
    pub(super) statements: u64,
    pub(super) round_trips: u64,
}

/// How long a plan may take, and of how many commands it is asked.
const PLAN: Duration = Duration::from_secs(1);
const PLANS: usize = 16;

/// Why a session is closed of which nothing else is said.
const DROPPED: &str = "dropped";

/// Guards a transaction against a plan that cannot be had.
const SAVEPOINT: &str = "bowline_explain";

impl Watch {
    pub(super) fn new(config: &Config, connection: &Connection, began: Instant) -> Self {
        let server = Server::new(connection.host(), connection.port(), &connection.database());
        metrics::opened(&server, began.elapsed());
        Self {
            server,
            slow: config.slow_statement,
            explain: config.explain_slow,
            seen: None,
            waited: Duration::ZERO,
            attempt: 1,
            closes: DROPPED,
            statements: 0,
            round_trips: 0,
        }
    }

    /// These commands are what the statement asks.
    pub(super) fn asks<'c>(&mut self, commands: impl IntoIterator<Item = &'c Command>) {
        if let Some(seen) = &mut self.seen {
            seen.asks(commands);
        }
    }

    /// This script is what is asked.
    pub(super) fn asks_script(&mut self, sql: &str) {
        if let Some(seen) = &mut self.seen {
            seen.asks_script(sql);
        }
    }

    /// A pipeline with these commands is about to leave.
    pub(super) fn departs(&mut self, commands: &[Command]) {
        self.round_trips += 1;
        if let Some(seen) = &mut self.seen {
            seen.round_trips += 1;
            let bytes = |command: &Command| {
                let values = command.values.iter().flatten();
                command.sql.len() + values.map(Vec::len).sum::<usize>()
            };
            seen.sent_bytes += commands.iter().map(bytes).sum::<usize>();
        }
    }

    /// Data of a COPY went over the connection.
    pub(super) fn copied(&mut self, sent: usize, received: usize) {
        if let Some(seen) = &mut self.seen {
            seen.copied(sent, received);
        }
    }

    /// A COPY has come to its end with so many rows.
    pub(super) fn copied_rows(&mut self, rows: usize) {
        if let Some(seen) = &mut self.seen {
            seen.copied_rows(rows);
        }
    }

    /// When the wait for the server began, if anybody wants to know.
    pub(super) fn now(&self) -> Option<Instant> {
        self.seen.is_some().then(Instant::now)
    }

    /// The wait for the server is over for now.
    pub(super) fn arrived(&mut self, since: Option<Instant>) {
        if let (Some(seen), Some(since)) = (&mut self.seen, since) {
            seen.wire += since.elapsed();
        }
    }

    /// These are the answers to the statement's commands.
    pub(super) fn answered<'a>(
        &mut self,
        answers: impl IntoIterator<Item = (Expectation, &'a Answer)>,
    ) {
        if let Some(seen) = &mut self.seen {
            for (rows, answer) in answers {
                seen.answered(rows, answer);
            }
        }
    }

    /// The answers have been read.
    pub(super) fn decoded(&mut self, since: Option<Instant>) {
        if let (Some(seen), Some(since)) = (&mut self.seen, since) {
            seen.decoding += since.elapsed();
        }
    }

    /// Takes the statement under way aside, because the session does other things before it ends.
    pub(super) fn pause(&mut self) -> Option<Box<Seen>> {
        self.seen.take()
    }

    /// Goes on with what was taken aside.
    pub(super) fn resume(&mut self, seen: Option<Box<Seen>>) {
        self.seen = seen;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        metrics::closed(&self.server, self.closes);
    }
}

impl Session {
    /// A holder has waited this long for the session.
    pub(crate) fn checked_out(&mut self, waited: Duration) {
        self.watch.waited = waited;
        self.watch.attempt = 1;
    }

    /// What follows is this attempt, counted from 1.
    pub(crate) fn attempts(&mut self, attempt: u32) {
        self.watch.attempt = attempt;
    }

    /// Where it is connected to.
    pub(crate) fn server_name(&self) -> &Arc<str> {
        &self.watch.server.name
    }

    /// It is about to be closed, for this reason; the first one counts.
    pub(crate) fn closes(&mut self, reason: &'static str) {
        if self.watch.closes == DROPPED {
            self.watch.closes = reason;
        }
    }

    /// A statement begins; the span is to be held until it has ended.
    pub(super) fn begin_statement(&mut self) -> Option<EnteredSpan> {
        let watch = &mut self.watch;
        watch.statements += 1;
        // What a panic left behind.
        watch.seen = None;
        if watch.slow.is_none() && !Seen::is_wanted() {
            return None;
        }
        let waited = std::mem::take(&mut watch.waited);
        let seen = Seen::begin(&watch.server, waited, watch.attempt);
        let entered = seen.span().entered();
        watch.seen = Some(Box::new(seen));
        Some(entered)
    }

    /// Runs what is one statement to those who watch.
    pub(super) fn watched<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let _entered = self.begin_statement();
        let done = work(self);
        self.end_statement(done.as_ref().err(), |_| None);
        done
    }

    /// The statement has ended: tells the span, and if it was slow, the event with its plan.
    pub(super) fn end_statement(
        &mut self,
        failure: Option<&Error>,
        plan: impl FnOnce(&mut Self) -> Option<String>,
    ) {
        let Some(seen) = self.watch.seen.take() else {
            return;
        };
        let duration = seen.elapsed();
        seen.record(failure);
        metrics::statement(&self.watch.server, &seen, failure);
        let is_slow = self.watch.slow.is_some_and(|limit| duration >= limit);
        if is_slow && tracing::enabled!(target: "bowline::slow", tracing::Level::WARN) {
            let plan = if self.watch.explain { plan(self) } else { None };
            seen.tell_slow(duration, plan.as_deref());
        }
    }

    /// The plan that the server has for a statement with these values: one round trip.
    ///
    /// Within a transaction a savepoint guards it. Fails silently: whoever asks has an answer already.
    pub(super) fn plan<S: Statement + ?Sized>(
        &mut self,
        statement: &S,
        deadline: Instant,
    ) -> Option<String> {
        let deadline = deadline.min(after(PLAN));
        if self.is_broken() || self.is_aborted() || deadline <= Instant::now() {
            return None;
        }
        let mut encoder = self.encoder();
        let encoded = statement.encode(&mut encoder);
        let Encoded::Commands(mut commands) = encoder.finish(encoded).ok()? else {
            return None;
        };
        commands.retain(|command| query_kind(&command.sql).is_some());
        commands.truncate(PLANS);
        if commands.is_empty() {
            return None;
        }
        for command in &mut commands {
            command.sql = format!("EXPLAIN {}", bare(&command.sql)).into();
            command.reusable = false;
        }
        let (failure, latest) = (
            self.transactions.failure.clone(),
            self.transactions.latest.clone(),
        );
        let guarded = !self.is_idle();
        let cargo = Cargo {
            before: guarded
                .then(|| Command::plain(format!("SAVEPOINT {SAVEPOINT}")))
                .into_iter()
                .collect(),
            commands,
            after: guarded
                .then(|| Command::plain(format!("RELEASE SAVEPOINT {SAVEPOINT}")))
                .into_iter()
                .collect(),
        };
        let explained = self.exchange(cargo, CommitPoint::Later, deadline);
        if explained.is_err()
            && guarded
            && !self.is_broken()
            && rollback_to(self, SAVEPOINT).is_err()
        {
            self.transactions.set_broken();
        }
        self.transactions.failure = failure;
        self.transactions.latest = latest;
        let answers = explained.ok()?.answers;
        let lines = answers.iter().flat_map(|answer| {
            (0..answer.row_count())
                .filter_map(|row| std::str::from_utf8(answer.value(row, 0)?).ok())
        });
        Some(lines.collect::<Vec<_>>().join("\n"))
    }
}
