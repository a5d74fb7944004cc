//! Reports a statement to subscribers: its span, and its plan if it was slow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Session;
use super::batch::Batch;
use super::exchange::CommitPoint;
use super::transaction_manager::rollback_to;
use crate::command::Command;
use crate::command::text::Text;
use crate::deadline::after;
use crate::error::{Error, Result};
use crate::sql_text::single_statement::bare;
use crate::sql_text::statement_kinds::query_kind;
use crate::statement::{Encoded, Statement};

/// The time that an EXPLAIN may take, and the number of commands that are explained.
const PLAN: Duration = Duration::from_secs(1);
const PLANS: usize = 16;

/// The savepoint that protects a transaction from an EXPLAIN that fails.
const SAVEPOINT: &str = "bowline_explain";

impl Session {
    /// Runs `work` as one statement.
    pub(super) fn as_statement<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let _entered = self.observer.begin_statement();
        let done = work(self);
        self.end_statement(done.as_ref().err(), |_| None);
        done
    }

    /// Ends the statement; if it was slow, reports it with the plan that `explain` returns.
    pub(super) fn end_statement(
        &mut self,
        failure: Option<&Error>,
        explain: impl FnOnce(&mut Self) -> Option<String>,
    ) {
        let Some((statement, duration)) = self.observer.end_statement(failure) else {
            return;
        };
        let plan = if self.observer.explains() {
            explain(self)
        } else {
            None
        };
        statement.report_slow(duration, plan.as_deref());
    }

    /// Returns the server's plan for a statement with these values: one round trip.
    ///
    /// Within a transaction, a savepoint protects it. A failure is not reported: the statement
    /// itself has ended.
    pub(super) fn explain<S: Statement + ?Sized>(
        &mut self,
        statement: &S,
        deadline: Instant,
    ) -> Option<String> {
        let deadline = deadline.min(after(PLAN));
        if self.is_broken() || self.connection.is_aborted() || deadline <= Instant::now() {
            return None;
        }
        let mut encoder = self.encoder();
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
        let batch = Batch::of(commands)
            .preceded_by(guard("SAVEPOINT"))
            .followed_by(guard("RELEASE SAVEPOINT"));
        let explained = self.exchange(batch, CommitPoint::Later, deadline);
        if explained.is_err()
            && guarded
            && !self.is_broken()
            && rollback_to(self, SAVEPOINT).is_err()
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
