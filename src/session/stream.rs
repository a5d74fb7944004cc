//! Rows as they arrive, in constant memory.
//!
//! The server sends as fast as rows are taken, and no faster: what is not taken waits on its side of the
//! socket. A stream that is dropped early is cancelled instead of read to its end.

use std::fmt;
use std::ops::DerefMut;

use super::Session;
use super::exchange::{Cargo, CommitPoint, Driven, Voyage};
use super::transactions::{release, rollback_to};
use crate::command::failure::rows_too_late;
use crate::command::{Command, Expectation};
use crate::error::{Error, Outcome, Result};
use crate::observe::Seen;
use crate::statement::{RowReader, Statement};
use crate::wire::row::SessionRow;

/// Rows of one query as they arrive; made by [`Session::stream`] and [`Database::stream`](crate::Database::stream).
///
/// Each step waits as long as one call may take, not longer. The first error ends the stream. Dropped
/// early, it asks the server to stop, and the session goes on; within a transaction too, which a savepoint
/// protects.
#[must_use = "rows are sent as they are taken"]
pub struct Stream<H: DerefMut<Target = Session>, T> {
    session: H,
    under_way: Option<UnderWay>,
    /// What those who watch are told when it ends.
    seen: Option<Box<Seen>>,
    chunk: std::vec::IntoIter<SessionRow>,
    read: RowReader<T>,
}

/// A query whose rows arrive.
struct UnderWay {
    voyage: Voyage,
    /// Whether a savepoint guards the transaction around it.
    guarded: bool,
}

/// Guards the transaction around a stream, which may be cancelled.
const SAVEPOINT: &str = "bowline_stream";

impl Session {
    /// Runs a query and gives its rows as they arrive: one round trip, however many rows.
    ///
    /// Fails as [`Session::run`] does if the query fails before its first row.
    pub fn stream<S>(&mut self, rows: S) -> Result<Stream<&mut Self, S::Row>>
    where
        S: crate::statement::RowStatement,
    {
        Stream::begin(self, &rows, S::reader())
    }
}

impl<H: DerefMut<Target = Session>, T> Stream<H, T> {
    /// Sends the query, and waits for its first rows.
    pub(crate) fn begin(
        session: H,
        statement: &impl Statement,
        read: RowReader<T>,
    ) -> Result<Self> {
        let mut stream = Self {
            session,
            under_way: None,
            seen: None,
            chunk: Vec::new().into_iter(),
            read,
        };
        let _entered = stream.session.begin_statement();
        let mut sent = stream.send(statement);
        if let Err(error) = &sent
            && stream.session.transaction_depth() == 0
            && stream.session.made_stale(error)
        {
            sent = stream.send(statement);
        }
        stream.tell(sent.as_ref().err());
        sent.map(|()| stream)
    }

    /// Tells those who watch, if this was the end; else keeps what they are to be told then.
    fn tell(&mut self, failure: Option<&Error>) {
        if self.under_way.is_none() {
            self.session.end_statement(failure, |_| None);
        }
        self.seen = self.session.watch.pause();
    }

    fn send(&mut self, statement: &impl Statement) -> Result<()> {
        let session = &mut *self.session;
        let deadline = session.call_deadline();
        let commands = session.encode(statement, deadline)?;
        session.watch.asks(&commands);
        let guarded = session.transaction_depth() > 0;
        let cargo = Cargo {
            before: guarded
                .then(|| Command::plain(format!("SAVEPOINT {SAVEPOINT}")))
                .into_iter()
                .collect(),
            ..Cargo::of(commands)
        };
        let commit = if guarded {
            CommitPoint::Later
        } else {
            CommitPoint::Sync
        };
        let voyage = session.depart(cargo, commit)?.streamed();
        self.under_way = Some(UnderWay { voyage, guarded });
        self.pull()
    }

    /// Waits for more rows, or for the end.
    fn pull(&mut self) -> Result<()> {
        let Some(under_way) = &mut self.under_way else {
            return Ok(());
        };
        let deadline = self.session.call_deadline();
        let driven = self.session.drive(&mut under_way.voyage, deadline);
        match under_way.voyage.flow.take_chunk() {
            Some(chunk) if driven.result.is_ok() => {
                if let Some(command) = under_way.voyage.own_command()
                    && let Err(error) = self.session.check_answer(command, None, &chunk, None)
                {
                    let error = error.with_sql(command.written());
                    self.give_up();
                    return Err(error);
                }
                self.session.watch.answered([(Expectation::Any, &chunk)]);
                self.chunk = SessionRow::all(chunk).collect::<Vec<_>>().into_iter();
                Ok(())
            }
            _ => self.end(driven),
        }
    }

    /// Takes in how it ended.
    fn end(&mut self, driven: Driven) -> Result<()> {
        let Some(UnderWay { voyage, guarded }) = self.under_way.take() else {
            return Ok(());
        };
        let (expired, mut dropped) = (driven.expired, voyage.flow.has_dropped_rows());
        let arrived = self.session.arrive(voyage, driven)?;
        if guarded {
            release(&mut self.session, SAVEPOINT);
        }
        dropped |= arrived.answers.iter().any(|answer| answer.row_count() > 0);
        if !(expired && dropped) {
            return Ok(());
        }
        // The server was done before it was asked to cancel. An end without these rows would pass for all of them.
        let sql = arrived.commands.first().map(Command::written);
        let outcome = if guarded || arrived.commands.iter().all(Command::only_reads) {
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
            self.under_way.as_ref()?;
            let _entered = self.seen.as_ref().map(|seen| seen.span().entered());
            self.session.watch.resume(self.seen.take());
            let pulled = self.pull();
            self.tell(pulled.as_ref().err());
            if let Err(error) = pulled {
                return Some(Err(error));
            }
        }
    }
}

impl<H: DerefMut<Target = Session>, T> Drop for Stream<H, T> {
    fn drop(&mut self) {
        if self.under_way.is_none() {
            return;
        }
        self.session.watch.resume(self.seen.take());
        self.give_up();
        self.session.end_statement(None, |_| None);
    }
}

impl<H: DerefMut<Target = Session>, T> Stream<H, T> {
    /// Ends a query whose rows nobody wants any more.
    fn give_up(&mut self) {
        let Some(mut under_way) = self.under_way.take() else {
            return;
        };
        let session = &mut *self.session;
        let driven = session.stop(&mut under_way.voyage);
        let ended = session.arrive(under_way.voyage, driven);
        if !under_way.guarded || session.is_broken() {
            return;
        }
        if ended.is_ok() {
            release(session, SAVEPOINT);
        } else if rollback_to(session, SAVEPOINT).is_err() {
            session.transactions.set_broken();
        }
    }
}

impl<H: DerefMut<Target = Session>, T> fmt::Debug for Stream<H, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("under_way", &self.under_way.is_some())
            .finish_non_exhaustive()
    }
}
