//! Cursors: a query of a transaction that is read in portions, forwards and backwards.
//!
//! A stream is faster where rows are read once and in order. A cursor leaves the session free
//! between two reads, and can go back.

use std::fmt;
use std::sync::Arc;

use super::Session;
use super::batch::Batch;
use super::exchange::CommitPoint;
use crate::command::{Command, ExpectedRows, ReadAs};
use crate::error::{Error, Result};
use crate::sql_text::single_statement::bare;
use crate::statement::{RowReader, RowStatement};
use crate::wire::executor::block_on;
use crate::wire::row::SessionRow;

/// A query that is read in portions; returned by [`Session::cursor`] and
/// [`Session::scroll_cursor`].
///
/// Each read is one round trip. The cursor is declared together with the first read, and closed
/// together with the next statement. [`Cursor::session`] is free for other work between two reads.
#[must_use = "nothing is sent before the first read"]
pub struct Cursor<'s, T> {
    session: &'s mut Session,
    name: String,
    /// The command that declares the cursor, until it is sent.
    declaration: Option<Command>,
    read: RowReader<T>,
    /// The columns that its rows are read as, and what is known of them.
    read_as: Option<ReadAs>,
    /// Whether it is a diesel query.
    is_dsl: bool,
}

impl Session {
    /// Returns a cursor that reads the rows of a query forwards. Fails outside of a transaction.
    pub fn cursor<S: RowStatement>(&mut self, rows: S) -> Result<Cursor<'_, S::Row>> {
        self.declare(rows, "NO SCROLL")
    }

    /// Returns a cursor that can also read backwards; the server may have to keep the rows for
    /// that.
    pub fn scroll_cursor<S: RowStatement>(&mut self, rows: S) -> Result<Cursor<'_, S::Row>> {
        self.declare(rows, "SCROLL")
    }

    fn declare<S: RowStatement>(&mut self, mut rows: S, kind: &str) -> Result<Cursor<'_, S::Row>> {
        if self.transaction_depth() == 0 {
            return Err(
                Error::query("a cursor lives in a transaction, and none is open").with_hint(
                    "open one with Database::transaction, or read with Database::stream",
                ),
            );
        }
        let deadline = self.limits.call_deadline();
        let command = block_on(self.encode(&mut rows, deadline))?
            .into_iter()
            .next();
        let command = command.ok_or_else(|| Error::query("a cursor is over one query"))?;
        let name = self.residue.next_cursor();
        let mut declaration = Command::plain(format!(
            "DECLARE {name} {kind} CURSOR FOR\n{}",
            bare(command.sql())
        ));
        declaration.parameters = command.parameters;
        declaration.function = command.function;
        let (read_as, is_dsl) = (command.read_as, command.is_diesels);
        Ok(Cursor {
            session: self,
            name,
            declaration: Some(declaration),
            read: S::reader(),
            read_as,
            is_dsl,
        })
    }
}

impl<T> Cursor<'_, T> {
    /// Returns the next row; `None` past the last.
    pub fn next_row(&mut self) -> Result<Option<T>> {
        Ok(self.fetch(1)?.pop())
    }

    /// Returns the next rows, up to this many; fewer at the end.
    pub fn fetch(&mut self, rows: u32) -> Result<Vec<T>> {
        self.read(&format!("FORWARD {}", count(rows)))
    }

    /// Returns all rows that are left.
    pub fn fetch_all(&mut self) -> Result<Vec<T>> {
        self.read("ALL")
    }

    /// Returns the rows before the current one, nearest first, up to this many; of a [scroll
    /// cursor](Session::scroll_cursor) only.
    pub fn fetch_backward(&mut self, rows: u32) -> Result<Vec<T>> {
        self.read(&format!("BACKWARD {}", count(rows)))
    }

    /// Returns the row of this number, counted from 1; needs a [scroll
    /// cursor](Session::scroll_cursor).
    pub fn fetch_absolute(&mut self, row: u32) -> Result<Option<T>> {
        Ok(self.read(&format!("ABSOLUTE {}", count(row)))?.pop())
    }

    /// Returns the row of this number, counted from the end: 1 is the last. Needs a
    /// [scroll cursor](Session::scroll_cursor).
    pub fn fetch_from_end(&mut self, row: u32) -> Result<Option<T>> {
        Ok(self.read(&format!("ABSOLUTE -{}", count(row)))?.pop())
    }

    /// Returns the session, for other work of the transaction.
    pub fn session(&mut self) -> &mut Session {
        self.session
    }

    fn read(&mut self, which: &str) -> Result<Vec<T>> {
        let fetch = Command::plain(format!("FETCH {which} FROM {}", self.name));
        let deadline = self.session.limits.call_deadline();
        let batch = Batch::of(vec![fetch]).preceded_by(self.declaration.clone());
        let mut result = self.session.as_statement(|session| {
            session.observer.set_commands(batch.commands());
            let result = block_on(session.exchange(batch, CommitPoint::Later, deadline))?;
            let answers = result.answers().iter();
            session
                .observer
                .count_answers(answers.map(|answer| (ExpectedRows::Any, answer)));
            Ok(result)
        })?;
        self.declaration = None;
        if let (Some(fetched), Some(answer)) = (result.commands().first(), result.answers().first())
        {
            let mut command = fetched.clone();
            (command.read_as, command.is_diesels) = (self.read_as.take(), self.is_dsl);
            let session = &mut *self.session;
            let checked = block_on(session.check_answer(&mut command, answer, Some(deadline)));
            self.read_as = command.read_as.take();
            checked.map_err(|error| error.with_sql(Arc::clone(command.sql())))?;
        }
        let rows = result.take_answers().flat_map(SessionRow::all);
        rows.map(|row| (self.read)(&row)).collect()
    }
}

/// Returns the number of rows for a FETCH, which PostgreSQL limits to 31 bits.
fn count(rows: u32) -> u32 {
    rows.min(i32::MAX.unsigned_abs())
}

impl<T> Drop for Cursor<'_, T> {
    fn drop(&mut self) {
        // There is nothing to close if the cursor was never declared, or if its transaction has
        // failed.
        if self.declaration.is_none() && !self.session.connection.is_aborted() {
            let close: Arc<str> = format!("CLOSE {}", self.name).into();
            self.session.transactions.defer(close);
        }
    }
}

impl<T> fmt::Debug for Cursor<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
