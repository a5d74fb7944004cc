//! Simple queries: a text of any number of statements.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use bowline_sql::statements;

use super::Session;
use super::batch::Batch;
use super::encode::cannot_end;
use super::exchange::CommitPoint;
use crate::command::failure::{rows_too_late, server_error, shift};
use crate::error::{Error, Outcome, Result};
use crate::sql_text::keywords::{
    begins_with, cannot_run_in_transaction, ends_transaction, may_commit_and_fail,
};
use crate::sql_text::read_only::Reads;
use crate::sql_text::search_path::SearchPathChange;
use crate::wire::cancel::cancel_and_drain;
use crate::wire::driver::{DriveError, drive, drive_unless_given_up};
use crate::wire::executor::block_on;
use crate::wire::libpq::Field;
use crate::wire::protocol::{NO_COPY_MESSAGE, SimpleQuery, SimpleQueryPart, c_string};

/// A receiver of the parts of a script's results, in order; it breaks to end the script.
pub(super) type PartSink<'h> = &'h mut dyn FnMut(SimpleQueryPart) -> ControlFlow<()>;

impl Session {
    /// Runs a script of any number of statements as one simple query; returns the tags of its
    /// commands.
    pub(super) fn run_script(&mut self, sql: &str) -> Result<Vec<String>> {
        self.run_script_with(sql, None)
    }

    /// As [`Session::run_script`]; the sink receives the results as they arrive.
    pub(super) fn run_script_with(
        &mut self,
        sql: &str,
        sink: Option<PartSink<'_>>,
    ) -> Result<Vec<String>> {
        self.as_statement(|session| {
            session.observer.set_script(sql);
            session.observer.query_starts(sql);
            let done = session.run_script_inner(sql, sink);
            match &done {
                Ok(_) => session.observer.query_succeeded(sql),
                Err(error) => session.observer.query_failed(sql, error),
            }
            done
        })
    }

    fn run_script_inner(&mut self, sql: &str, sink: Option<PartSink<'_>>) -> Result<Vec<String>> {
        self.connection.refuse_if_lost()?;
        self.limits.refuse_if_given_up()?;
        let now = Instant::now();
        self.limits.refuse_if_late(now)?;
        self.refuse_end_in_script(sql)?;
        self.note_script_effects(sql);
        let deadline = self.limits.call_deadline();
        block_on(self.send_deferred_savepoints(deadline))?;
        let before = self.prefix_of_simple_query(false);
        let statements_before = self.prefix_statements(false).len();
        let within = self.is_within_transaction();
        // A COMMIT or ROLLBACK was refused, and PostgreSQL refuses anything else that would commit
        // within a transaction.
        let may_commit = self.transactions.depth() == 0;
        self.transactions.note_sent(Reads::No);
        let text: Arc<str> = format!("{before}{sql}").into();
        let c_text = c_string(&text).map_err(Error::query)?;
        self.observer.count_round_trip(&[]);
        let since = self.observer.now();
        self.observer.activity_starts(text, now);
        let interrupt = self.limits.interrupt();
        let mut query = self.connection.simple_query(c_text, interrupt);
        let has_sink = sink.is_some();
        let driven = match sink {
            None => block_on(drive(&mut query, deadline)).map_err(EarlyEnd::of),
            Some(sink) => {
                query = query.with_parts();
                hand_out(&mut query, deadline, statements_before, sink)
            }
        };
        let (driven, expired) = match driven {
            Err(EarlyEnd::Unwanted { expired }) => {
                query.discard_rest();
                (block_on(cancel_and_drain(&mut query)), expired)
            }
            Err(EarlyEnd::Lost(stopped)) => (Err(stopped), false),
            Ok(()) => (Ok(()), false),
        };
        let received = std::mem::take(&mut query.received);
        self.observer.add_wire_time(since);
        self.observer
            .activity_ends(self.connection.is_in_transaction());
        // If the text cannot be parsed, no part of it runs: the deferred SQL still has to be sent.
        let refused_whole =
            received.tags.is_empty() && received.error.is_some() && !before.is_empty();
        if !refused_whole {
            self.transactions.clear_deferred();
        }
        let result = match (driven, received.error) {
            (Err(stopped), error) => {
                let outcome =
                    if received.sent && (!within || may_commit && commits(sql, usize::MAX)) {
                        Outcome::Unknown
                    } else {
                        Outcome::NotCommitted
                    };
                Err(self.lost_error(stopped, error.as_ref(), expired, outcome))
            }
            (Ok(()), Some(error))
                if error
                    .error_field(Field::Message)
                    .is_some_and(|message| message.contains(NO_COPY_MESSAGE)) =>
            {
                Err(Error::query(NO_COPY_MESSAGE)
                    .with_outcome(outcome_if_refused(may_commit, sql, &received.tags))
                    .with_hint("insert the rows, or let the server read a file")
                    .with_sql(sql.into()))
            }
            (Ok(()), Some(error)) => {
                let outcome = outcome_if_refused(may_commit, sql, &received.tags);
                Err(shift(server_error(&error, expired), before.chars().count())
                    .with_outcome(outcome)
                    .with_sql(sql.into()))
            }
            (Ok(()), None) if expired && has_sink && received.dropped => {
                let outcome = if within && !(may_commit && commits(sql, usize::MAX)) {
                    Outcome::NotCommitted
                } else {
                    Outcome::Committed
                };
                Err(rows_too_late().with_outcome(outcome).with_sql(sql.into()))
            }
            (Ok(()), None) => Ok(received.tags),
        };
        let schema = self.types.local_schema();
        let result = result.map_err(|error| error.in_local_schema(schema));
        if let Err(error) = &result {
            self.transactions.note_failure(error);
        } else {
            self.follow_search_path(SearchPathChange::of_script(sql).iter());
        }
        result
    }

    /// Fails if a script would end the transaction that the session has open.
    fn refuse_end_in_script(&self, sql: &str) -> Result<()> {
        if self.transactions.depth() == 0 {
            return Ok(());
        }
        let end = statements(sql).find(|statement| ends_transaction(statement.text()));
        // If backslashes are escapes, a string may end elsewhere than it seems to.
        let unsure = self.connection.has_nonstandard_strings(sql)
            && sql
                .split(|c: char| !c.is_ascii_alphabetic())
                .any(|word| ends_transaction(word) || word.eq_ignore_ascii_case("prepare"));
        match end {
            None if unsure => Err(cannot_end(sql)),
            None => Ok(()),
            Some(end) => Err(cannot_end(end.text())),
        }
    }

    /// Sends deferred savepoints before a simple query, in a separate round trip.
    ///
    /// PostgreSQL runs nothing of a text that it cannot parse, so a savepoint in the same text
    /// would not exist when it is needed.
    pub(super) async fn send_deferred_savepoints(&mut self, deadline: Instant) -> Result<()> {
        if self.connection.is_in_transaction() && !self.transactions.deferred().is_empty() {
            self.exchange(Batch::default(), CommitPoint::Later, deadline)
                .await?;
        }
        Ok(())
    }
}

/// The reason why a script ended before its results were complete.
enum EarlyEnd {
    /// The deadline passed, or the sink broke off: the server has to be asked to stop.
    Unwanted {
        expired: bool,
    },
    Lost(DriveError),
}

impl EarlyEnd {
    fn of(stopped: DriveError) -> Self {
        match stopped {
            DriveError::Deadline => Self::Unwanted { expired: true },
            lost @ DriveError::Lost(_) => Self::Lost(lost),
        }
    }
}

/// Drives a simple query to its end. Passes its parts to the sink, except those of the statements
/// that are sent before it. The time that the sink takes does not count.
fn hand_out(
    query: &mut SimpleQuery<'_>,
    mut deadline: Instant,
    mut statements_before: usize,
    sink: PartSink<'_>,
) -> Result<(), EarlyEnd> {
    loop {
        block_on(drive_unless_given_up(query, deadline)).map_err(EarlyEnd::of)?;
        let Some(part) = query.take_part() else {
            return Ok(());
        };
        if statements_before > 0 {
            statements_before -= usize::from(part.ends_a_statement());
            continue;
        }
        let since = Instant::now();
        if sink(part).is_break() {
            return Err(EarlyEnd::Unwanted { expired: false });
        }
        deadline += since.elapsed();
    }
}

/// Returns the outcome of a script in which the server refused a statement: the one after those
/// that have a tag.
fn outcome_if_refused(may_commit: bool, sql: &str, tags: &[String]) -> Outcome {
    if may_commit && commits(sql, tags.len() + 1) {
        Outcome::Unknown
    } else {
        Outcome::NotCommitted
    }
}

/// Returns whether one of a script's first statements commits work by itself, so that a later
/// failure does not undo it.
fn commits(sql: &str, first: usize) -> bool {
    statements(sql).take(first).any(|statement| {
        let sql = statement.text();
        let rolls_back = begins_with(sql, &["rollback", "abort"]);
        (ends_transaction(sql) && !rolls_back)
            || cannot_run_in_transaction(sql)
            || may_commit_and_fail(sql)
    })
}
