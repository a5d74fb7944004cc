//! COPY from and to the program, in the server's own formats.
//!
//! Rows flow while they are made or taken, so their number is not bounded by memory. What is typed is in
//! `src/copy.rs`; here are bytes.

use std::fmt;
use std::io::{Read, Write};
use std::ops::DerefMut;

use super::Session;
use super::exchange::Driven;
use crate::command::failure::{rows_too_late, server_error, shift};
use crate::deadline::after;
use crate::error::{Error, Outcome, Result};
use crate::observe::Seen;
pub(crate) use crate::sql_text::keywords::Direction;
use crate::sql_text::keywords::{copy_direction, may_write, only_statement};
use crate::sql_text::read_only::Reads;
use crate::wire::answer::Answer;
use crate::wire::cancel::settle;
use crate::wire::driver::{Stopped, drive};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::Cancel;
use crate::wire::protocol::{CopyFlow, Copying, c_string};

/// A COPY under way on a session; dropped before its end, the server fails it.
pub(crate) struct Copy<H: DerefMut<Target = Session>> {
    session: H,
    flow: Option<CopyFlow>,
    /// What those who watch are told when it ends.
    seen: Option<Box<Seen>>,
    sql: String,
    /// Characters of what waited and travels before the caller's SQL.
    before: usize,
    /// By how much more a query is further behind in what is asked about its columns than in the caller's SQL.
    asked: usize,
    commits: bool,
    /// Whether it gives what a statement that writes returns.
    returns_writes: bool,
}

/// What a server is told whose COPY is given up here.
const GIVEN_UP: &std::ffi::CStr = c"the client gave up";

/// So much is collected before it is sent.
pub(crate) const PIECE: usize = 64 * 1024;

impl Session {
    /// Feeds a `COPY .. FROM STDIN` with what the reader gives, in the format that the SQL names; gives the number of rows.
    ///
    /// All rows or none. Two round trips, however many rows. Each step may take as long as one call. If the
    /// reader fails, so does the COPY.
    pub fn copy_in_from(&mut self, sql: &str, reader: impl Read) -> Result<u64> {
        Copy::begin(self, sql, Direction::In, None)?.feed_from(reader)
    }

    /// Writes what a `COPY .. TO STDOUT` gives, in the format that the SQL names; gives the number of rows.
    ///
    /// One round trip, however many rows. Each step may take as long as one call.
    pub fn copy_out_to(&mut self, sql: &str, writer: impl Write) -> Result<u64> {
        Copy::begin(self, sql, Direction::Out, None)?.drain_to(writer)
    }
}

/// A question about the columns of a COPY, asked in the same round trip.
pub(crate) struct Question {
    pub(crate) sql: String,
    /// By how many characters the caller's query is further behind in it than in the COPY's SQL.
    pub(crate) behind: usize,
}

impl<H: DerefMut<Target = Session>> Copy<H> {
    /// Sends the statement; data can flow when this returns.
    ///
    /// A question travels in front of it, and its answer is [`Copy::described`].
    pub(crate) fn begin(
        mut session: H,
        sql: &str,
        direction: Direction,
        question: Option<&Question>,
    ) -> Result<Self> {
        session.refuse_if_lost()?;
        session.refuse_if_given_up()?;
        session.refuse_if_late()?;
        if copy_direction(sql) != Some(direction) {
            let words = match direction {
                Direction::In => "FROM STDIN",
                Direction::Out => "TO STDOUT",
            };
            let error = Error::query(format!("the SQL is no COPY .. {words}"));
            return Err(error.with_sql(sql.into()));
        }
        if only_statement(sql).is_none() {
            return Err(
                Error::query("a COPY is one statement, and the SQL holds more")
                    .with_hint("run the others by themselves")
                    .with_sql(sql.into()),
            );
        }
        let deadline = session.call_deadline();
        session.send_ahead(deadline)?;
        session.look_at_script(sql);
        let before = session.in_front_of_a_query(true);
        let waiting = session.transactions.waiting().to_vec();
        let asked = question.map_or(0, |question| before.chars().count() + question.behind);
        let question = question.map_or_else(String::new, |question| format!("{};\n", question.sql));
        let before = format!("{before}{question}");
        let text = c_string(&format!("{before}{sql}").into()).map_err(Error::query)?;
        let commits = session.transaction_depth() == 0;
        session.transactions.sent();
        session.transactions.sent = Reads::No;
        let mut copy = Self {
            session,
            flow: Some(CopyFlow::new(text)),
            seen: None,
            sql: sql.to_owned(),
            before: before.chars().count(),
            asked,
            commits,
            returns_writes: direction == Direction::Out && may_write(sql),
        };
        let _entered = copy.session.begin_statement();
        copy.session.watch.asks_script(sql);
        copy.session.watch.departs(&[]);
        copy.seen = copy.session.watch.pause();
        if let Err(error) = copy.advance() {
            // What cannot be parsed runs not even in part.
            let session = &mut *copy.session;
            if session.transaction_depth() > 0
                && !session.is_in_transaction()
                && !session.is_broken()
            {
                session.transactions.wait_again(waiting);
            }
            return Err(error);
        }
        match (&copy.flow, direction) {
            (Some(flow), Direction::In) if flow.is_feeding() => Ok(copy),
            (Some(flow), Direction::Out) if flow.is_taking() || flow.is_empty() => Ok(copy),
            _ => Err(Error::query("the server took the SQL for another COPY")
                .with_outcome(copy.outcome())
                .with_sql(copy.sql.as_str().into())),
        }
    }

    /// Sends a piece of data.
    pub(crate) fn feed(&mut self, data: &mut Vec<u8>) -> Result<()> {
        if let Some(flow) = self.flow.as_mut().filter(|flow| flow.is_feeding()) {
            std::mem::swap(&mut flow.data, data);
            self.advance()?;
            if let Some(flow) = &mut self.flow {
                std::mem::swap(&mut flow.data, data);
            }
        }
        data.clear();
        Ok(())
    }

    /// The answer to the question.
    pub(crate) fn described(&mut self) -> Option<Answer> {
        self.flow
            .as_mut()?
            .heard
            .described
            .take()
            .map(Answer::Libpq)
    }

    /// The session.
    pub(crate) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Whether the server still wants data: it stops to, once it has failed the COPY.
    pub(crate) fn is_feeding(&self) -> bool {
        self.flow.as_ref().is_some_and(CopyFlow::is_feeding)
    }

    /// Waits for data; `None` at the end.
    pub(crate) fn take(&mut self) -> Result<Option<Vec<u8>>> {
        if self.flow.is_none() {
            return Ok(None);
        }
        self.advance()?;
        let data = self
            .flow
            .as_mut()
            .map(|flow| std::mem::take(&mut flow.data))
            .filter(|data| !data.is_empty());
        match data {
            Some(data) => Ok(Some(data)),
            None => self.finish().map(|_| None),
        }
    }

    /// Ends the data, and waits for the server's word; gives the number of rows.
    pub(crate) fn finish(&mut self) -> Result<u64> {
        let Some(flow) = &mut self.flow else {
            return Ok(0);
        };
        if flow.is_feeding() {
            self.session.watch.resume(self.seen.take());
            self.session.watch.departs(&[]);
            self.seen = self.session.watch.pause();
        }
        // The end of the data is what commits it.
        if self.session.refuse_if_given_up().is_ok() {
            flow.end(None);
        }
        self.advance()?;
        if self.flow.as_ref().is_some_and(|flow| !flow.is_over()) {
            return Err(Error::query("the SQL holds more than one COPY")
                .with_hint("run them one after the other")
                .with_sql(self.sql.as_str().into()));
        }
        let rows = self.flow.take().map_or(0, |flow| flow.heard.rows);
        self.session.watch.resume(self.seen.take());
        self.session.watch.copied_rows(rows);
        self.session.end_statement(None, |_| None);
        Ok(u64::try_from(rows).unwrap_or(u64::MAX))
    }

    fn feed_from(mut self, mut reader: impl Read) -> Result<u64> {
        let mut piece = Vec::with_capacity(PIECE);
        while self.is_feeding() {
            let read = reader
                .by_ref()
                .take(PIECE as u64)
                .read_to_end(&mut piece)
                .map_err(|error| Error::io("reading the rows for a COPY failed", error))?;
            if read == 0 {
                break;
            }
            self.feed(&mut piece)?;
        }
        self.finish()
    }

    fn drain_to(mut self, mut writer: impl Write) -> Result<u64> {
        let rows = loop {
            self.advance()?;
            let Some(flow) = &mut self.flow else {
                break 0;
            };
            writer
                .write_all(&flow.data)
                .map_err(|error| Error::io("writing the rows of a COPY failed", error))?;
            flow.data.clear();
            if flow.is_over() {
                break self.finish()?;
            }
        };
        writer
            .flush()
            .map_err(|error| Error::io("writing the rows of a COPY failed", error))?;
        Ok(rows)
    }

    /// Goes on until data can flow, or it is over; an error ends it.
    fn advance(&mut self) -> Result<()> {
        let Some(flow) = &mut self.flow else {
            return Ok(());
        };
        let _entered = self.seen.as_ref().map(|seen| seen.span().entered());
        let session = &mut *self.session;
        session.watch.resume(self.seen.take());
        let deadline = session.call_deadline();
        let since = session.watch.now();
        let sent = if flow.is_feeding() {
            flow.data.len()
        } else {
            0
        };
        let interrupt = session.interrupt();
        let is_given_up = interrupt.as_ref().is_some_and(Interrupt::is_given_up) && !flow.is_over();
        let mut copying = Copying::new(&mut session.connection, flow).heeding(interrupt);
        let driven = if is_given_up {
            Err(Stopped::Deadline)
        } else {
            drive(&mut copying, deadline)
        };
        let driven = match driven {
            Err(Stopped::Deadline) => Driven {
                result: give_up(&mut copying),
                expired: true,
            },
            result => Driven {
                result,
                expired: false,
            },
        };
        let received = if flow.is_taking() { flow.data.len() } else { 0 };
        session.watch.arrived(since);
        session.watch.copied(sent, received);
        self.seen = session.watch.pause();
        let failed = driven.result.is_err() || flow.heard.error.is_some();
        if !failed && !driven.expired {
            return Ok(());
        }
        self.fail(driven)
    }

    /// What became of the work, should the answer be lost.
    fn outcome(&self) -> Outcome {
        let end_sent = |flow: &CopyFlow| flow.heard.end_sent || self.returns_writes;
        if self.commits && self.flow.as_ref().is_none_or(end_sent) {
            Outcome::Unknown
        } else {
            Outcome::NotCommitted
        }
    }

    /// The error of a COPY that did not come to a good end.
    fn fail(&mut self, driven: Driven) -> Result<()> {
        let outcome = self.outcome();
        let Some(flow) = self.flow.take() else {
            return Ok(());
        };
        let Driven { result, expired } = driven;
        let ended_well = result.is_ok() && flow.heard.error.is_none();
        if ended_well && expired && !flow.heard.dropped {
            // It was cancelled too late to fail, and nothing is missing.
            self.flow = Some(flow);
            return Ok(());
        }
        let (heard, sql) = (flow.heard, self.sql.as_str());
        let session = &mut *self.session;
        let error = match (result, heard.error) {
            (Err(stopped), error) => session.lost_error(stopped, error.as_ref(), expired, outcome),
            (Ok(()), Some(error)) => {
                let error = server_error(&error, expired);
                let in_question = error.position().is_some_and(|at| at <= self.before);
                let by = if in_question { self.asked } else { self.before };
                let error = shift(error, by);
                let row = error
                    .server()
                    .and_then(|server| server.context.as_deref())
                    .and_then(row_in);
                match row {
                    Some(row) => error.with_row(row),
                    None => error,
                }
            }
            // The server was done before it was asked to cancel. An end without these rows would pass for all of them.
            (Ok(()), None) if expired => rows_too_late().with_outcome(match outcome {
                Outcome::Unknown => Outcome::Committed,
                known => known,
            }),
            (Ok(()), None) => {
                session.watch.resume(self.seen.take());
                session.end_statement(None, |_| None);
                return Ok(());
            }
        };
        let error = error.with_sql(sql.into());
        session.transactions.note(&error);
        session.watch.resume(self.seen.take());
        session.end_statement(Some(&error), |_| None);
        Err(error)
    }
}

/// The row that the server's context names: `COPY accounts, line 3, column balance`, in whatever language.
fn row_in(context: &str) -> Option<u64> {
    let rest = context.lines().next()?.strip_prefix("COPY ")?;
    rest.split(", ").skip(1).find_map(|part| {
        let digits = part.trim_start_matches(|c: char| !c.is_ascii_digit());
        let end = digits
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(digits.len());
        digits[..end].parse().ok()
    })
}

/// Fails a COPY that nobody feeds or takes any more, and hears the server out for a moment.
fn give_up(copying: &mut Copying<'_>) -> Result<(), Stopped> {
    copying.give_up(GIVEN_UP);
    settle(copying, |copying| Cancel::start(copying.connection()))
}

impl<H: DerefMut<Target = Session>> Drop for Copy<H> {
    fn drop(&mut self) {
        let Some(flow) = self.flow.as_mut().filter(|flow| !flow.is_over()) else {
            return;
        };
        let session = &mut *self.session;
        let mut copying = Copying::new(&mut session.connection, flow);
        copying.give_up(GIVEN_UP);
        let result = match drive(&mut copying, after(super::exchange::GLANCE)) {
            Err(Stopped::Deadline) => give_up(&mut copying),
            result => result,
        };
        // Whoever dropped it has an error of their own, or wants none.
        self.fail(Driven {
            result,
            expired: false,
        })
        .ok();
    }
}

impl<H: DerefMut<Target = Session>> fmt::Debug for Copy<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Copy")
            .field("sql", &self.sql)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_at_fault_is_read_in_any_language() {
        assert_eq!(row_in("COPY accounts, line 3, column balance"), Some(3));
        assert_eq!(row_in("COPY accounts, Zeile 12"), Some(12));
        assert_eq!(row_in("COPY accounts, line 7: \"x, 9\""), Some(7));
        assert_eq!(row_in("SQL statement \"SELECT 1\""), None);
    }
}
