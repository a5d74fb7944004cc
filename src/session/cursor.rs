//! Cursors: a query of a transaction that is read bit by bit, both ways.
//!
//! A stream is quicker where rows are read once and in order. A cursor leaves the session free between two
//! reads, and can go back.

use std::fmt;
use std::sync::Arc;

use super::Session;
use super::exchange::{Cargo, CommitPoint};
use crate::command::{Command, Expectation, ReadAs};
use crate::error::{Error, Result};
use crate::sql_text::single_statement::bare;
use crate::statement::{RowReader, RowStatement};
use crate::wire::row::SessionRow;

/// A query that is read bit by bit; made by [`Session::cursor`] and [`Session::scroll_cursor`].
///
/// Each read is one round trip; the cursor is declared along with the first and closed along with what
/// follows. [`Cursor::session`] is free for other work between two reads.
#[must_use = "nothing is sent before the first read"]
pub struct Cursor<'s, T> {
    session: &'s mut Session,
    name: String,
    /// The command that declares it, until it is sent.
    declaration: Option<Command>,
    read: RowReader<T>,
    /// What its rows are read as, and what is known of its columns.
    read_as: Option<ReadAs>,
    /// Whether it is a query of diesel's.
    is_dsl: bool,
}

impl Session {
    /// A cursor over the rows of a query, to be read forwards; in a transaction only.
    pub fn cursor<S: RowStatement>(&mut self, rows: S) -> Result<Cursor<'_, S::Row>> {
        self.declare(rows, "NO SCROLL")
    }

    /// A cursor that can go back as well; the server may have to keep the rows for that.
    pub fn scroll_cursor<S: RowStatement>(&mut self, rows: S) -> Result<Cursor<'_, S::Row>> {
        self.declare(rows, "SCROLL")
    }

    fn declare<S: RowStatement>(&mut self, rows: S, kind: &str) -> Result<Cursor<'_, S::Row>> {
        if self.transaction_depth() == 0 {
            return Err(
                Error::query("a cursor lives in a transaction, and none is open").with_hint(
                    "open one with Database::transaction, or read with Database::stream",
                ),
            );
        }
        let deadline = self.call_deadline();
        let command = self.encode(&rows, deadline)?.into_iter().next();
        let command = command.ok_or_else(|| Error::query("a cursor is over one query"))?;
        self.cursors += 1;
        let name = format!("bowline_cursor_{}", self.cursors);
        let mut declaration = Command::query(
            format!("DECLARE {name} {kind} CURSOR FOR\n{}", bare(&command.sql)),
            command.types,
            command.values,
            false,
            Expectation::Any,
        );
        declaration.function = command.function;
        let (read_as, is_dsl) = (command.read_as, command.reusable);
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
    /// The next row; `None` past the last.
    pub fn next_row(&mut self) -> Result<Option<T>> {
        Ok(self.fetch(1)?.pop())
    }

    /// The next rows, up to this many; fewer at the end.
    pub fn fetch(&mut self, rows: u32) -> Result<Vec<T>> {
        self.read(&format!("FORWARD {}", count(rows)))
    }

    /// All rows that are left.
    pub fn fetch_all(&mut self) -> Result<Vec<T>> {
        self.read("ALL")
    }

    /// The rows before the current one, nearest first, up to this many; of a [scroll cursor](Session::scroll_cursor) only.
    pub fn fetch_backward(&mut self, rows: u32) -> Result<Vec<T>> {
        self.read(&format!("BACKWARD {}", count(rows)))
    }

    /// The row of this number, counted from 1, or from the end if negative; of a [scroll cursor](Session::scroll_cursor) only.
    pub fn fetch_absolute(&mut self, row: i32) -> Result<Option<T>> {
        Ok(self.read(&format!("ABSOLUTE {row}"))?.pop())
    }

    /// The session, for other work of the transaction.
    pub fn session(&mut self) -> &mut Session {
        self.session
    }

    fn read(&mut self, which: &str) -> Result<Vec<T>> {
        let fetch = Command::plain(format!("FETCH {which} FROM {}", self.name));
        let deadline = self.session.call_deadline();
        let cargo = Cargo {
            before: self.declaration.clone().into_iter().collect(),
            ..Cargo::of(vec![fetch])
        };
        let arrived = self.session.watched(|session| {
            session
                .watch
                .asks(cargo.before.iter().chain(&cargo.commands));
            let arrived = session.exchange(cargo, CommitPoint::Later, deadline)?;
            let answers = arrived.answers.iter();
            session
                .watch
                .answered(answers.map(|answer| (Expectation::Any, answer)));
            Ok(arrived)
        })?;
        self.declaration = None;
        if let (Some(fetched), Some(answer)) = (arrived.commands.first(), arrived.answers.first()) {
            let mut command = fetched.clone();
            (command.read_as, command.reusable) = (self.read_as.take(), self.is_dsl);
            let session = &mut *self.session;
            let checked = session.check_answer(&mut command, None, answer, Some(deadline));
            self.read_as = command.read_as;
            checked.map_err(|error| error.with_sql(command.sql))?;
        }
        let rows = arrived.answers.into_iter().flat_map(SessionRow::all);
        rows.map(|row| (self.read)(&row)).collect()
    }
}

/// PostgreSQL counts rows of a FETCH in 31 bits.
fn count(rows: u32) -> u32 {
    rows.min(i32::MAX.unsigned_abs())
}

impl<T> Drop for Cursor<'_, T> {
    fn drop(&mut self) {
        // One that was never declared, or whose transaction has failed, has nothing to close.
        if self.declaration.is_none() && !self.session.is_aborted() {
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
