//! Streams: rows are read as they arrive, in constant memory.
//!
//! The server sends only as fast as rows are read, since the socket's buffers fill up. A stream
//! that is dropped early is cancelled, and not read to its end.

use std::fmt;
use std::ops::DerefMut;
use std::pin::pin;

use super::Session;
use super::batch::Batch;
use super::exchange::CommitPoint;
use super::pending_pipeline::PendingPipeline;
use super::transaction_manager::{release, rollback_to};
use crate::command::failure::rows_too_late;
use crate::command::{Command, ExpectedRows};
use crate::error::{Error, Outcome, Result};
use crate::observe::{Span, StatementSpan, within};
use crate::statement::{RowReader, Statement};
use crate::wire::driver::Completion;
use crate::wire::executor::block_on;
use crate::wire::row::SessionRow;

/// The rows of one query as they arrive; returned by [`Session::stream`] and
/// [`Database::stream`](crate::Database::stream).
///
/// Each step waits at most as long as one call may take. The first error ends the stream. If the
/// stream is dropped early, it asks the server to stop, and the session can be used again. That
/// holds within a transaction too, which a savepoint protects.
#[must_use = "rows are sent as they are taken"]
pub struct Stream<H: DerefMut<Target = Session>, T> {
    session: H,
    active: Option<ActiveStream>,
    /// The span of the statement, while the session does other work.
    statement: Option<Box<StatementSpan>>,
    chunk: std::vec::IntoIter<SessionRow>,
    read: RowReader<T>,
    /// Whether dropping it may wait for the server; otherwise the session's next user waits.
    may_block: bool,
}

/// A query whose rows arrive.
struct ActiveStream {
    pending: PendingPipeline,
    /// Whether a savepoint protects the transaction around it.
    guarded: bool,
}

/// The savepoint that protects the transaction around a stream, which may be cancelled.
const SAVEPOINT: &str = "bowline_stream";

impl Session {
    /// Runs a query and returns its rows as they arrive: one round trip, however many rows.
    ///
    /// Fails as [`Session::run`] does if the query fails before its first row.
    pub fn stream<S>(&mut self, mut rows: S) -> Result<Stream<&mut Self, S::Row>>
    where
        S: crate::statement::RowStatement,
    {
        Stream::begin(self, &mut rows, S::reader())
    }

    /// Leaves the pipeline of a stream that a task has dropped to [`Session::end_abandoned`].
    fn abandon(&mut self, active: ActiveStream) {
        let ActiveStream {
            mut pending,
            guarded,
        } = active;
        pending.state.stop_streaming();
        self.in_flight.leave_stream(pending, guarded);
    }

    /// Ends the savepoint of a stream that was dropped.
    pub(super) async fn end_stream(&mut self, is_ok: bool) {
        if is_ok {
            release(self, SAVEPOINT);
        } else if rollback_to(self, SAVEPOINT).await.is_err() {
            self.transactions.set_broken();
        }
    }
}

impl<H: DerefMut<Target = Session>, T> Stream<H, T> {
    /// Sends the query, and waits for its first rows; blocks.
    pub(crate) fn begin(
        session: H,
        statement: &mut impl Statement,
        read: RowReader<T>,
    ) -> Result<Self> {
        block_on(Self::begin_with(session, statement, read, true))
    }

    /// As [`Stream::begin`]. A task that drops the stream does not wait for its end.
    #[cfg(feature = "tokio")]
    pub(crate) async fn begin_for_task(
        session: H,
        statement: &mut impl Statement,
        read: RowReader<T>,
    ) -> Result<Self> {
        Self::begin_with(session, statement, read, false).await
    }

    async fn begin_with(
        session: H,
        statement: &mut impl Statement,
        read: RowReader<T>,
        may_block: bool,
    ) -> Result<Self> {
        let mut stream = Self {
            session,
            active: None,
            statement: None,
            chunk: Vec::new().into_iter(),
            read,
            may_block,
        };
        let span = stream.session.observer.begin_statement();
        let sent = {
            let send = pin!(stream.send(statement));
            within(span.as_ref(), send).await
        };
        let _entered = span.as_ref().map(Span::enter);
        stream.pause(sent.as_ref().err());
        sent.map(|()| stream)
    }

    /// Ends the statement's span if the stream has ended; otherwise keeps it until the next step.
    fn pause(&mut self, failure: Option<&Error>) {
        if self.active.is_none() {
            self.session.end_statement(failure);
        }
        self.statement = self.session.observer.pause();
    }

    /// Sends the query; once more if the server refused only because its schema had changed.
    async fn send(&mut self, statement: &mut impl Statement) -> Result<()> {
        match self.send_once(statement).await {
            Err(error)
                if self.session.transaction_depth() == 0 && self.session.handle_stale(&error) =>
            {
                Box::pin(self.send_once(statement)).await
            }
            sent => sent,
        }
    }

    async fn send_once(&mut self, statement: &mut impl Statement) -> Result<()> {
        let session = &mut *self.session;
        let deadline = session.limits.call_deadline();
        let commands = session.encode(statement, deadline).await?;
        session.observer.set_commands(&commands);
        let guarded = session.transaction_depth() > 0;
        let savepoint = guarded.then(|| Command::plain(format!("SAVEPOINT {SAVEPOINT}")));
        let batch = Batch::of(commands).preceded_by(savepoint).streamed();
        let commit = if guarded {
            CommitPoint::Later
        } else {
            CommitPoint::Sync
        };
        let pending = session.start_pipeline(batch, commit)?;
        self.active = Some(ActiveStream { pending, guarded });
        self.pull().await
    }

    /// Waits for more rows, or for the end.
    async fn pull(&mut self) -> Result<()> {
        let Some(active) = &mut self.active else {
            return Ok(());
        };
        let deadline = self.session.limits.call_deadline();
        let completion = self
            .session
            .drive_pipeline(&mut active.pending, deadline)
            .await;
        match active.pending.state.take_chunk() {
            Some(chunk) if completion.result.is_ok() => {
                if let Some(command) = active.pending.own_command()
                    && let Err(error) = self.session.check_answer(command, &chunk, None).await
                {
                    let error = error.with_sql(command.caller_sql());
                    self.give_up();
                    return Err(error);
                }
                self.session
                    .observer
                    .count_answers([(ExpectedRows::Any, &chunk)]);
                self.chunk = SessionRow::all(chunk).collect::<Vec<_>>().into_iter();
                Ok(())
            }
            _ => self.end(completion),
        }
    }

    /// Returns the next of the rows that have arrived.
    pub(crate) fn next_arrived(&mut self) -> Option<Result<T>> {
        self.chunk.next().map(|row| (self.read)(&row))
    }

    /// Returns whether no more rows follow those that have arrived.
    pub(crate) fn is_over(&self) -> bool {
        self.active.is_none()
    }

    /// Waits for more rows, or for the end, within the statement's span.
    pub(crate) async fn wait_for_rows(&mut self) -> Result<()> {
        let span = self.statement.as_ref().map(|statement| statement.span());
        self.session.observer.resume(self.statement.take());
        let pulled = {
            let pull = pin!(self.pull());
            within(span.as_ref(), pull).await
        };
        let _entered = span.as_ref().map(Span::enter);
        self.pause(pulled.as_ref().err());
        pulled
    }

    /// Takes the answers at the end.
    fn end(&mut self, completion: Completion) -> Result<()> {
        let Some(ActiveStream {
            mut pending,
            guarded,
        }) = self.active.take()
        else {
            return Ok(());
        };
        let (expired, mut dropped) = (completion.expired, pending.state.has_dropped_rows());
        let result = self.session.finish_pipeline(&mut pending, completion)?;
        if guarded {
            release(&mut self.session, SAVEPOINT);
        }
        dropped |= result.answers().iter().any(|answer| answer.row_count() > 0);
        if !(expired && dropped) {
            return Ok(());
        }
        // The server was done before it was asked to cancel. Without an error, the rows so far
        // would pass for all.
        let sql = result.commands().first().map(Command::caller_sql);
        let outcome = if guarded || result.commands().iter().all(Command::only_reads) {
            Outcome::NotCommitted
        } else {
            Outcome::Committed
        };
        Err(rows_too_late()
            .with_outcome(outcome)
            .with_sql(sql.unwrap_or_default()))
    }
}

impl<H: DerefMut<Target = Session>, T> Iterator for Stream<H, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        loop {
            if let Some(row) = self.next_arrived() {
                return Some(row);
            }
            if self.is_over() {
                return None;
            }
            if let Err(error) = block_on(self.wait_for_rows()) {
                return Some(Err(error));
            }
        }
    }
}

impl<H: DerefMut<Target = Session>, T> Drop for Stream<H, T> {
    fn drop(&mut self) {
        if self.active.is_none() {
            return;
        }
        // A task that is dropped while it waits has resumed the statement already.
        if let Some(statement) = self.statement.take() {
            self.session.observer.resume(Some(statement));
        }
        self.give_up();
        self.session.end_statement(None);
    }
}

impl<H: DerefMut<Target = Session>, T> Stream<H, T> {
    /// Ends a query whose rows are no longer wanted.
    fn give_up(&mut self) {
        let Some(mut active) = self.active.take() else {
            return;
        };
        let session = &mut *self.session;
        if !self.may_block {
            return session.abandon(active);
        }
        let completion = block_on(session.stop_pipeline(&mut active.pending));
        let ended = session.finish_pipeline(&mut active.pending, completion);
        if active.guarded && !session.is_broken() {
            block_on(session.end_stream(ended.is_ok()));
        }
    }
}

impl<H: DerefMut<Target = Session>, T> fmt::Debug for Stream<H, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("active", &self.active.is_some())
            .finish_non_exhaustive()
    }
}
