//! COPY from and to the program, in the server's own formats.
//!
//! Rows are sent while they are produced, and returned while they arrive, so memory does not limit
//! their number. `src/copy.rs` has typed rows; this file has bytes.

use std::fmt;
use std::io::{Read, Write};
use std::ops::DerefMut;
use std::pin::pin;
use std::time::{Duration, Instant};

use super::Session;
use crate::command::failure::{rows_too_late, server_error, shift};
use crate::deadline::after;
use crate::error::{Error, Outcome, Result};
use crate::observe::{Span, StatementSpan, within};
pub(crate) use crate::sql_text::keywords::CopyDirection;
use crate::sql_text::keywords::{copy_direction, may_write, only_statement};
use crate::sql_text::read_only::Reads;
use crate::wire::answer::Answer;
use crate::wire::cancel::cancel_and_drain;
use crate::wire::driver::{Completion, DriveError, drive, drive_unless_given_up};
use crate::wire::executor::block_on;
use crate::wire::protocol::{CopyMachine, CopyState, c_string};

/// A COPY in progress on a session. If it is dropped before its end, the server fails it.
pub(crate) struct Copy<H: DerefMut<Target = Session>> {
    session: H,
    state: Option<CopyState>,
    /// The span of the statement, while the session does other work.
    statement: Option<Box<StatementSpan>>,
    sql: String,
    /// The number of characters that are sent before the caller's SQL.
    before: usize,
    /// The number of characters before the caller's query in the question about its columns, less
    /// those before it in the caller's SQL.
    before_in_question: usize,
    commits: bool,
    /// Whether it returns the rows of a statement that writes.
    returns_writes: bool,
    /// Whether dropping it may wait for the server; otherwise the session's next user waits.
    may_block: bool,
}

/// What a COPY to the program returns.
pub(crate) enum Taken {
    Data(Vec<u8>),
    /// The number of rows of the whole COPY.
    #[cfg_attr(
        not(feature = "tokio"),
        expect(dead_code, reason = "read by tasks only")
    )]
    End(u64),
}

/// The reason that the server is given for a COPY that ends here.
const GIVEN_UP: &std::ffi::CStr = c"the client gave up";

/// How long a server may take to answer that a COPY was given up, before it is asked to cancel.
const SHORT: Duration = Duration::from_millis(100);

/// This much is collected before it is sent.
pub(crate) const PIECE: usize = 64 * 1024;

impl Session {
    /// Runs a `COPY .. FROM STDIN` with the data of a reader, in the format that the SQL names;
    /// returns the number of rows.
    ///
    /// All rows are inserted or none. Takes two round trips, however many rows. Each step may take
    /// as long as one call. If the reader fails, so does the COPY.
    pub fn copy_in_from(&mut self, sql: &str, reader: impl Read) -> Result<u64> {
        block_on(Copy::begin(self, sql, CopyDirection::In, None, true))?.feed_from(reader)
    }

    /// Writes the data of a `COPY .. TO STDOUT`, in the format that the SQL names; returns the
    /// number of rows.
    ///
    /// Takes one round trip, however many rows. Each step may take as long as one call.
    pub fn copy_out_to(&mut self, sql: &str, writer: impl Write) -> Result<u64> {
        block_on(Copy::begin(self, sql, CopyDirection::Out, None, true))?.drain_to(writer)
    }
}

/// A question about the columns of a COPY, asked in the same round trip.
pub(crate) struct Question {
    pub(crate) sql: String,
    /// The number of characters before the caller's query in it, less those before it in the COPY's
    /// SQL.
    pub(crate) behind: usize,
}

impl<H: DerefMut<Target = Session>> Copy<H> {
    /// Sends the statement; data can be sent or received when this returns.
    ///
    /// A question is sent before it; [`Copy::described`] returns the answer.
    pub(crate) async fn begin(
        mut session: H,
        sql: &str,
        direction: CopyDirection,
        question: Option<&Question>,
        may_block: bool,
    ) -> Result<Self> {
        session.connection.refuse_if_lost()?;
        session.limits.refuse_if_given_up()?;
        session.limits.refuse_if_late(Instant::now())?;
        if copy_direction(sql) != Some(direction) {
            let words = match direction {
                CopyDirection::In => "FROM STDIN",
                CopyDirection::Out => "TO STDOUT",
            };
            let error = Error::query(format!("the SQL is not COPY .. {words}"));
            return Err(error.with_sql(sql.into()));
        }
        if only_statement(sql).is_none() {
            return Err(
                Error::query("the SQL of a COPY holds more than one statement")
                    .with_hint("run the other statements separately")
                    .with_sql(sql.into()),
            );
        }
        let deadline = session.limits.call_deadline();
        session.send_deferred_savepoints(deadline).await?;
        session.note_script_effects(sql);
        let before = session.prefix_of_simple_query(true);
        let deferred = session.transactions.deferred().to_vec();
        let asked = question.map_or(0, |question| before.chars().count() + question.behind);
        let question = question.map_or_else(String::new, |question| format!("{};\n", question.sql));
        let before = format!("{before}{question}");
        let text = c_string(&format!("{before}{sql}").into()).map_err(Error::query)?;
        let commits = session.transaction_depth() == 0;
        session.transactions.clear_deferred();
        session.transactions.note_sent(Reads::No);
        let mut copy = Self {
            session,
            state: Some(CopyState::new(text)),
            statement: None,
            sql: sql.to_owned(),
            before: before.chars().count(),
            before_in_question: asked,
            commits,
            returns_writes: direction == CopyDirection::Out && may_write(sql),
            may_block,
        };
        copy.session.observer.begin_statement();
        copy.session.observer.set_script(sql);
        copy.session.observer.count_round_trip(&[]);
        copy.statement = copy.session.observer.pause();
        if let Err(error) = copy.advance().await {
            // If the text cannot be parsed, no part of it runs.
            let session = &mut *copy.session;
            if session.transaction_depth() > 0
                && !session.is_in_transaction()
                && !session.is_broken()
            {
                session.transactions.restore_deferred(deferred);
            }
            return Err(error);
        }
        match (&copy.state, direction) {
            (Some(state), CopyDirection::In) if state.is_feeding() => Ok(copy),
            (Some(state), CopyDirection::Out) if state.is_taking() || state.is_empty() => Ok(copy),
            _ => Err(Error::query("the server ran the SQL as another COPY")
                .with_outcome(copy.outcome())
                .with_sql(copy.sql.as_str().into())),
        }
    }

    /// Begins a COPY from a task, which does not wait for its end if it is dropped.
    #[cfg(feature = "tokio")]
    pub(crate) async fn begin_in(session: H, sql: &str) -> Result<Self> {
        Self::begin(session, sql, CopyDirection::In, None, false).await
    }

    /// As [`Copy::begin_in`], for a COPY to the program.
    #[cfg(feature = "tokio")]
    pub(crate) async fn begin_out(session: H, sql: &str) -> Result<Self> {
        Self::begin(session, sql, CopyDirection::Out, None, false).await
    }

    /// Sends a piece of data.
    pub(crate) async fn feed(&mut self, data: &mut Vec<u8>) -> Result<()> {
        if let Some(state) = self.state.as_mut().filter(|state| state.is_feeding()) {
            std::mem::swap(&mut state.data, data);
            self.advance().await?;
            if let Some(state) = &mut self.state {
                std::mem::swap(&mut state.data, data);
            }
        }
        data.clear();
        Ok(())
    }

    /// Returns the answer to the question.
    pub(crate) fn described(&mut self) -> Option<Answer> {
        self.state
            .as_mut()?
            .received
            .described
            .take()
            .map(Answer::Libpq)
    }

    /// Returns the session.
    pub(crate) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Returns whether the server still accepts data; it does not once it has failed the COPY.
    pub(crate) fn is_feeding(&self) -> bool {
        self.state.as_ref().is_some_and(CopyState::is_feeding)
    }

    /// Waits for data, or for the end.
    pub(crate) async fn take(&mut self) -> Result<Taken> {
        if self.state.is_none() {
            return Ok(Taken::End(0));
        }
        self.advance().await?;
        let data = self
            .state
            .as_mut()
            .map(|state| std::mem::take(&mut state.data))
            .filter(|data| !data.is_empty());
        match data {
            Some(data) => Ok(Taken::Data(data)),
            None => self.finish().await.map(Taken::End),
        }
    }

    /// Ends the data, and waits for the server's answer; returns the number of rows.
    pub(crate) async fn finish(&mut self) -> Result<u64> {
        let Some(state) = &mut self.state else {
            return Ok(0);
        };
        if state.is_feeding() {
            self.session.observer.resume(self.statement.take());
            self.session.observer.count_round_trip(&[]);
            self.statement = self.session.observer.pause();
        }
        // The end of the data commits the COPY.
        if self.session.limits.refuse_if_given_up().is_ok() {
            state.end(None);
        }
        self.advance().await?;
        if self.state.as_ref().is_some_and(|state| !state.is_over()) {
            return Err(Error::query("the SQL holds more than one COPY")
                .with_hint("run them one after the other")
                .with_sql(self.sql.as_str().into()));
        }
        let rows = self.state.take().map_or(0, |state| state.received.rows);
        self.session.observer.resume(self.statement.take());
        self.session.observer.count_copied_rows(rows);
        self.session.end_statement(None);
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
            block_on(self.feed(&mut piece))?;
        }
        block_on(self.finish())
    }

    fn drain_to(mut self, mut writer: impl Write) -> Result<u64> {
        let rows = loop {
            block_on(self.advance())?;
            let Some(state) = &mut self.state else {
                break 0;
            };
            writer
                .write_all(&state.data)
                .map_err(|error| Error::io("writing the rows of a COPY failed", error))?;
            state.data.clear();
            if state.is_over() {
                break block_on(self.finish())?;
            }
        };
        writer
            .flush()
            .map_err(|error| Error::io("writing the rows of a COPY failed", error))?;
        Ok(rows)
    }

    /// Goes on until data can be sent or has arrived, or the COPY is over. An error ends it.
    async fn advance(&mut self) -> Result<()> {
        let span = self.statement.as_ref().map(|statement| statement.span());
        let completion = {
            let drive = pin!(self.drive());
            within(span.as_ref(), drive).await
        };
        let _entered = span.as_ref().map(Span::enter);
        match (completion, &self.state) {
            (Some(completion), Some(state))
                if completion.result.is_err()
                    || completion.expired
                    || state.received.error.is_some() =>
            {
                self.fail(completion)
            }
            _ => Ok(()),
        }
    }

    /// Drives the COPY until data can be sent or has arrived, or it is over.
    async fn drive(&mut self) -> Option<Completion> {
        let state = self.state.as_mut()?;
        let session = &mut *self.session;
        session.observer.resume(self.statement.take());
        let deadline = session.limits.call_deadline();
        let since = session.observer.now();
        let sent = if state.is_feeding() {
            state.data.len()
        } else {
            0
        };
        let interrupt = session.limits.interrupt();
        let is_over = state.is_over();
        let mut copying = session.connection.copy(state, interrupt);
        let driven = if is_over {
            drive(&mut copying, deadline).await
        } else {
            drive_unless_given_up(&mut copying, deadline).await
        };
        let completion = match driven {
            Err(DriveError::Deadline) => Completion::expired(Box::pin(give_up(&mut copying)).await),
            driven => Completion::in_time(driven),
        };
        let received = if state.is_taking() {
            state.data.len()
        } else {
            0
        };
        session.observer.add_wire_time(since);
        session.observer.count_copied(sent, received);
        self.statement = session.observer.pause();
        Some(completion)
    }

    /// Returns the outcome of the work, should the answer be lost.
    fn outcome(&self) -> Outcome {
        let end_sent = |state: &CopyState| state.received.end_sent || self.returns_writes;
        if self.commits && self.state.as_ref().is_none_or(end_sent) {
            Outcome::Unknown
        } else {
            Outcome::NotCommitted
        }
    }

    /// Returns the error of a COPY that failed.
    fn fail(&mut self, completion: Completion) -> Result<()> {
        let outcome = self.outcome();
        let Some(state) = self.state.take() else {
            return Ok(());
        };
        let Completion { result, expired } = completion;
        let ended_well = result.is_ok() && state.received.error.is_none();
        if ended_well && expired && !state.received.dropped {
            // It was cancelled too late to fail, and nothing is missing.
            self.state = Some(state);
            return Ok(());
        }
        let (received, sql) = (state.received, self.sql.as_str());
        let session = &mut *self.session;
        let error = match (result, received.error) {
            (Err(stopped), error) => session.lost_error(stopped, error.as_ref(), expired, outcome),
            (Ok(()), Some(error)) => {
                let error = server_error(&error, expired);
                let in_question = error.position().is_some_and(|at| at <= self.before);
                let by = if in_question {
                    self.before_in_question
                } else {
                    self.before
                };
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
            // The server was done before it was asked to cancel. Without an error, the rows so far
            // would pass for all.
            (Ok(()), None) if expired => rows_too_late().with_outcome(match outcome {
                Outcome::Unknown => Outcome::Committed,
                known => known,
            }),
            (Ok(()), None) => {
                session.observer.resume(self.statement.take());
                session.end_statement(None);
                return Ok(());
            }
        };
        let error = error.with_sql(sql.into());
        let error = error.in_local_schema(session.types.local_schema());
        session.transactions.note_failure(&error);
        session.observer.resume(self.statement.take());
        session.end_statement(Some(&error));
        Err(error)
    }
}

/// Returns the row that the server's context names: `COPY accounts, line 3, column balance`, in
/// whatever language.
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

/// Fails a COPY whose data is no longer wanted, and waits for the server's answer.
async fn give_up(copying: &mut CopyMachine<'_>) -> Result<(), DriveError> {
    copying.give_up(GIVEN_UP);
    cancel_and_drain(copying).await
}

/// Fails a COPY that was dropped. The server answers at once, unless it does not read.
async fn end_dropped(copying: &mut CopyMachine<'_>) -> Result<(), DriveError> {
    copying.give_up(GIVEN_UP);
    match drive(copying, after(SHORT)).await {
        Err(DriveError::Deadline) => give_up(copying).await,
        driven => driven,
    }
}

impl Session {
    /// Ends a COPY that a task has dropped. If the server does not answer, the session is lost.
    pub(super) async fn end_abandoned_copy(&mut self, mut state: Box<CopyState>) {
        let mut copying = self.connection.copy(&mut state, None);
        if end_dropped(&mut copying).await.is_err() {
            self.connection
                .set_lost(|| "a COPY that was dropped could not be ended".to_owned());
        }
    }
}

impl<H: DerefMut<Target = Session>> Drop for Copy<H> {
    fn drop(&mut self) {
        let Some(mut state) = self.state.take().filter(|state| !state.is_over()) else {
            return;
        };
        let session = &mut *self.session;
        if !self.may_block {
            session.in_flight.leave_copy(state);
            // A task that is dropped while it waits has resumed the statement already.
            if let Some(statement) = self.statement.take() {
                session.observer.resume(Some(statement));
            }
            session.end_statement(None);
            return;
        }
        let mut copying = session.connection.copy(&mut state, None);
        let result = block_on(end_dropped(&mut copying));
        self.state = Some(state);
        // A caller that drops the COPY has another error, or ignores this one.
        self.fail(Completion::in_time(result)).ok();
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
