//! Streams: rows are read as they arrive, in constant memory.
//!
//! The server sends only as fast as rows are read, since the socket's buffers fill up. A stream
//! that is dropped early is cancelled, and not read to its end.

use std::fmt;
use std::ops::DerefMut;

use super::Session;
use super::batch::Batch;
use super::exchange::CommitPoint;
use super::pending_pipeline::PendingPipeline;
use super::transaction_manager::{release, rollback_to};
use crate::command::failure::rows_too_late;
use crate::command::{Command, ExpectedRows};
use crate::error::{Error, Outcome, Result};
use crate::observe::{Span, StatementSpan};
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
}

impl<H: DerefMut<Target = Session>, T> Stream<H, T> {
    /// Sends the query, and waits for its first rows.
    pub(crate) fn begin(
        session: H,
        statement: &mut impl Statement,
        read: RowReader<T>,
    ) -> Result<Self> {
        let mut stream = Self {
            session,
            active: None,
            statement: None,
            chunk: Vec::new().into_iter(),
            read,
        };
        let span = stream.session.observer.begin_statement();
        let _entered = span.as_ref().map(Span::enter);
        let mut sent = stream.send(statement);
        if let Err(error) = &sent
            && stream.session.transaction_depth() == 0
            && stream.session.handle_stale(error)
        {
            sent = stream.send(statement);
        }
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

    fn send(&mut self, statement: &mut impl Statement) -> Result<()> {
        let session = &mut *self.session;
        let deadline = session.limits.call_deadline();
        let commands = block_on(session.encode(statement, deadline))?;
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
        self.pull()
    }

    /// Waits for more rows, or for the end.
    fn pull(&mut self) -> Result<()> {
        let Some(active) = &mut self.active else {
            return Ok(());
        };
        let deadline = self.session.limits.call_deadline();
        let completion = block_on(self.session.drive_pipeline(&mut active.pending, deadline));
        match active.pending.state.take_chunk() {
            Some(chunk) if completion.result.is_ok() => {
                if let Some(command) = active.pending.own_command()
                    && let Err(error) = block_on(self.session.check_answer(command, &chunk, None))
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
        // The server was done before it was asked to cancel. Without an error, the rows so far would pass for all.
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
            if let Some(row) = self.chunk.next() {
                return Some((self.read)(&row));
            }
            self.active.as_ref()?;
            let _entered = self
                .statement
                .as_ref()
                .map(|statement| statement.span().entered());
            self.session.observer.resume(self.statement.take());
            let pulled = self.pull();
            self.pause(pulled.as_ref().err());
            if let Err(error) = pulled {
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
        self.session.observer.resume(self.statement.take());
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
        let completion = block_on(session.stop_pipeline(&mut active.pending));
        let ended = session.finish_pipeline(&mut active.pending, completion);
        if !active.guarded || session.is_broken() {
            return;
        }
        if ended.is_ok() {
            release(session, SAVEPOINT);
        } else if block_on(rollback_to(session, SAVEPOINT)).is_err() {
            session.transactions.set_broken();
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
