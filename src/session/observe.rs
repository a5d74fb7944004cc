//! Reports a statement to subscribers: its span, and its plan if it was slow.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::Span;

use super::Session;
use super::batch::{Batch, BatchResult};
use super::exchange::CommitPoint;
use super::transaction_manager::rollback_to;
use crate::command::Command;
use crate::command::text::Text;
use crate::deadline::after;
use crate::error::{Error, Result};
use crate::observe::{StatementSpan, within};
use crate::sql_text::single_statement::bare;
use crate::sql_text::statement_kinds::query_kind;
use crate::statement::{Encoded, Statement};

/// The time that an EXPLAIN may take, and the number of commands that are explained.
const PLAN: Duration = Duration::from_secs(1);
const PLANS: usize = 16;

/// The savepoint that protects a transaction from an EXPLAIN that fails.
const SAVEPOINT: &str = "bowline_explain";

impl Session {
    /// Runs `work`, which blocks, as one statement.
    pub(super) fn as_statement<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let span = self.observer.begin_statement();
        let _entered = span.as_ref().map(Span::enter);
        let done = work(self);
        self.end_statement(done.as_ref().err());
        done
    }

    /// Sends commands of the session's own as one statement: one round trip.
    pub(super) async fn exchange_as_statement(
        &mut self,
        batch: Batch,
        commit: CommitPoint,
        deadline: Instant,
    ) -> Result<BatchResult> {
        let span = self.observer.begin_statement();
        self.observer.set_commands(batch.own());
        let started = {
            let _entered = span.as_ref().map(Span::enter);
            self.start_exchange(batch, commit)
        };
        let completion = match started {
            Ok(()) => {
                let drive = pin!(self.drive_exchange(deadline));
                Ok(within(span.as_ref(), drive).await)
            }
            Err(error) => Err(error),
        };
        let _entered = span.as_ref().map(Span::enter);
        let done = completion.and_then(|completion| self.end_exchange(completion));
        self.end_statement(done.as_ref().err());
        done
    }

    /// Ends the statement; reports it if it was slow.
    pub(super) fn end_statement(&mut self, failure: Option<&Error>) {
        if let Some((statement, duration)) = self.observer.end_statement(failure) {
            statement.report_slow(duration, None);
        }
    }

    /// Reports a statement that was slow, with its plan if that is wanted.
    pub(super) async fn report_slow<S: Statement + ?Sized>(
        &mut self,
        (span, duration): (Box<StatementSpan>, Duration),
        statement: &mut S,
        deadline: Instant,
    ) {
        let plan = if self.observer.explains() {
            self.explain(statement, deadline).await
        } else {
            None
        };
        span.report_slow(duration, plan.as_deref());
    }

    /// Returns the server's plan for a statement with these values: one round trip.
    ///
    /// Within a transaction, a savepoint protects it. A failure is not reported: the statement
    /// itself has ended.
    async fn explain<S: Statement + ?Sized>(
        &mut self,
        statement: &mut S,
        deadline: Instant,
    ) -> Option<String> {
        let deadline = deadline.min(after(PLAN));
        if self.is_broken() || self.connection.is_aborted() || deadline <= Instant::now() {
            return None;
        }
        // The path of the call's schema has ended with its transaction.
        let (path, change) = self.types.path_of_call();
        let mut encoder = self.encoder();
        if let Some(change) = &change {
            encoder.lookup.change(change);
        }
        let encoded = statement.encode(&mut encoder);
        let Encoded::Commands(mut commands) = encoder.finish(encoded).ok()? else {
            return None;
        };
        commands.retain(|command| query_kind(command.sql()).is_some());
        commands.truncate(PLANS);
        if commands.is_empty() {
            return None;
        }
        for command in &mut commands {
            command.set_text(Arc::new(Text::new(format!(
                "EXPLAIN {}",
                bare(command.sql())
            ))));
            command.is_named = false;
        }
        let failures = self.transactions.failures();
        let guarded = !self.is_idle();
        let guard = |sql: &str| guarded.then(|| Command::plain(format!("{sql} {SAVEPOINT}")));
        let set = self.types.search_path().set_local(&path);
        let batch = Batch::of(commands)
            .preceded_by(
                guard("SAVEPOINT")
                    .into_iter()
                    .chain(set.into_iter().map(Command::plain)),
            )
            .followed_by(guard("RELEASE SAVEPOINT"));
        let explained = self.exchange(batch, CommitPoint::Later, deadline).await;
        if explained.is_err()
            && guarded
            && !self.is_broken()
            && rollback_to(self, SAVEPOINT).await.is_err()
        {
            self.transactions.set_broken();
        }
        self.transactions.restore_failures(failures);
        let explained = explained.ok()?;
        let lines = explained.answers().iter().flat_map(|answer| {
            (0..answer.row_count())
                .filter_map(|row| std::str::from_utf8(answer.value(row, 0)?).ok())
        });
        Some(lines.collect::<Vec<_>>().join("\n"))
    }
}
