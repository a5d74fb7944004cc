//! Runs a statement on a session of the database, as often as its retries allow.

use std::panic::Location;
use std::pin::pin;

use super::Database;
use super::attempts::{CallEnd, Failed, Next};
use crate::error::{Error, Outcome, Result};
use crate::session::{TransactionMode, no_output};
use crate::statement::Statement;
use crate::wire::executor::{block_on_pinned, is_blocking};

impl Database {
    /// Runs a statement, all or nothing, in one round trip; it is committed when this returns.
    ///
    /// The statement is retried as a whole when PostgreSQL asks for it, and when the connection was
    /// lost before the commit was sent: see [`RetryPolicy`](crate::retry::RetryPolicy). All
    /// attempts end within [`Config::call_timeout`](crate::Config::call_timeout).
    ///
    /// A later failure does not undo what PostgreSQL commits by itself: a procedure (`CALL`) that
    /// runs COMMIT, or `CREATE INDEX CONCURRENTLY` before other statements. Then the outcome is
    /// [`Unknown`](Outcome::Unknown), and nothing is retried. A procedure cannot commit if other
    /// statements follow it, or in a [`Database::transaction`]. COMMIT and ROLLBACK are refused
    /// among several statements.
    #[track_caller]
    pub fn run<S: Statement>(&self, statement: S) -> Result<S::Output> {
        let (mut statement, mut output) = (statement, None);
        let holder = Location::caller();
        let lost = block_on_pinned(pin!(self.run_into(&mut statement, holder, &mut output)))?;
        answered(lost, output)
    }

    /// Runs a statement. The inner error says that the work is committed but its answer was lost.
    pub(crate) async fn run_for<S: Statement>(
        &self,
        statement: &mut S,
        holder: &'static Location<'static>,
    ) -> Result<Result<S::Output>> {
        let mut output = None;
        let lost = self.run_into(statement, holder, &mut output).await?;
        Ok(answered(lost, output))
    }

    /// Runs a statement, and stores its output, which is not copied from future to future. Returns
    /// an error if the work is committed but its answer was lost.
    pub(crate) async fn run_into<S: Statement>(
        &self,
        statement: &mut S,
        holder: &'static Location<'static>,
        output: &mut Option<S::Output>,
    ) -> Result<Option<Error>> {
        let mut attempts = self.attempts(holder, self.settings.retry);
        let mut repeated = None;
        let is_blocking = is_blocking().await;
        loop {
            let attempt = match attempts.begin_at_once(is_blocking) {
                Ok(Err(request)) => Box::pin(attempts.begin_later(request)).await,
                Ok(Ok(attempt)) => Ok(attempt),
                Err(error) => Err(error),
            };
            let mut attempt = attempt.map_err(|(error, number)| error.with_attempts(number))?;
            let (session, opening) = (&mut *attempt.session, &attempt.opening);
            let ran = if session.transaction_depth() > 0 {
                Box::pin(session.run_in_savepoint(statement, opening, output)).await
            } else {
                let mode = TransactionMode::own(opening);
                session.run_in(statement, mode, output).await
            };
            let failed = match ran {
                Ok(()) => {
                    if self.mark.is_some() {
                        Box::pin(self.ask_position(&mut attempt.session)).await;
                    }
                    attempts.succeeded(attempt);
                    return Ok(None);
                }
                Err(error) if error.outcome() == Outcome::Unknown => {
                    Failed::Unanswered(None, error)
                }
                Err(error) => Failed::Refused(error),
            };
            match Box::pin(attempts.failed(attempt, failed, repeated.take())).await {
                Next::Again(error) => repeated = Some(error),
                Next::End(Ok(CallEnd::Done(()))) => return Ok(None),
                Next::End(Ok(CallEnd::AnswerLost(error))) => return Ok(Some(error)),
                Next::End(Err((error, number))) => return Err(error.with_attempts(number)),
            }
        }
    }
}

/// Returns the output of a statement that ran, or the error if its answer was lost.
fn answered<T>(lost: Option<Error>, output: Option<T>) -> Result<T> {
    match lost {
        None => output.ok_or_else(no_output),
        Some(error) => Err(error),
    }
}
