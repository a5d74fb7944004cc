//! Sends commands to the server and receives their answers, up to one Sync.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::Session;
use super::batch::{Batch, BatchResult};
use super::encode::copy_in_a_pipeline;
use super::extras::{does_without, named};
use super::pending_pipeline::PendingPipeline;
use crate::command::control::Control;
use crate::command::failure::{server_error, shift};
use crate::command::prepared::StatementName;
use crate::command::{Command, ReadAs};
use crate::commit_keys;
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::sql_text::read_only::Reads;
use crate::wire::cancel::cancel_and_drain;
use crate::wire::driver::{Completion, DriveError, Wait, drive, drive_unless_given_up, poll_drive};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Field, LibpqError, ResultSet};
use crate::wire::parameters::Parameters;
use crate::wire::protocol::{Message, Pipeline};

/// The place in a pipeline where its work is committed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommitPoint {
    /// At the Sync.
    Sync,
    /// At a COMMIT among the commands.
    Command,
    /// Not in this pipeline, or at a COMMIT with nothing to commit: if the pipeline is lost,
    /// nothing was committed.
    #[default]
    Later,
    /// Nowhere: the pipeline undoes work, so it is sent even if the call was given up.
    Undo,
}

impl CommitPoint {
    /// Returns whether the pipeline contains the commit of the work.
    pub(super) fn commits(self) -> bool {
        matches!(self, Self::Sync | Self::Command)
    }
}

impl Session {
    /// Sends commands up to one Sync and returns the answers to the caller's: one round trip.
    pub(super) async fn exchange(
        &mut self,
        batch: Batch,
        commit: CommitPoint,
        deadline: Instant,
    ) -> Result<BatchResult> {
        self.start_exchange(batch, commit)?;
        let completion = self.drive_exchange(deadline).await;
        self.end_exchange(completion)
    }

    /// Prepares the pipeline of a call that may be dropped while it waits: the session keeps it, to
    /// end it later.
    pub(super) fn start_exchange(&mut self, batch: Batch, commit: CommitPoint) -> Result<()> {
        let mut pipeline = self.in_flight.take_memory();
        let prepared = self.prepare_pipeline(&mut pipeline, batch, commit);
        self.in_flight.begin(pipeline, prepared.is_ok());
        prepared
    }

    /// Drives the pipeline of [`Session::start_exchange`] as [`Session::drive_pipeline`] does.
    pub(super) async fn drive_exchange(&mut self, deadline: Instant) -> Completion {
        let since = self.observer.now();
        let mut wait = Wait::default();
        let driven = poll_fn(|context| self.poll_exchange(context, deadline, &mut wait)).await;
        let completion = match driven {
            Err(DriveError::Deadline) => Box::pin(self.cancel_exchange()).await,
            driven => Completion::in_time(driven),
        };
        self.observer.add_wire_time(since);
        completion
    }

    #[inline]
    fn poll_exchange(
        &mut self,
        context: &mut Context<'_>,
        deadline: Instant,
        wait: &mut Wait,
    ) -> Poll<Result<(), DriveError>> {
        let Some(pending) = self.in_flight.pipeline() else {
            return Poll::Ready(Ok(()));
        };
        if pending.state.is_interrupted() {
            return Poll::Ready(Err(DriveError::Deadline));
        }
        let mut pipeline = self.connection.pipeline(&mut pending.state);
        poll_drive(&mut pipeline, context, deadline, wait)
    }

    async fn cancel_exchange(&mut self) -> Completion {
        let Some(pending) = self.in_flight.pipeline() else {
            return Completion::expired(Ok(()));
        };
        let mut pipeline = self.connection.pipeline(&mut pending.state);
        Completion::expired(cancel(&mut pipeline).await)
    }

    /// Takes the answers of the pipeline of [`Session::start_exchange`].
    pub(super) fn end_exchange(&mut self, completion: Completion) -> Result<BatchResult> {
        let Some(mut pipeline) = self.in_flight.end() else {
            return Ok(BatchResult::empty(Vec::new()));
        };
        let result = self.finish_pipeline(&mut pipeline, completion);
        self.in_flight.keep_memory(pipeline);
        result
    }

    /// Prepares the messages of a pipeline; nothing is sent before [`Session::drive_pipeline`].
    pub(super) fn start_pipeline(
        &mut self,
        batch: Batch,
        commit: CommitPoint,
    ) -> Result<PendingPipeline> {
        let mut pending = PendingPipeline::default();
        self.prepare_pipeline(&mut pending, batch, commit)?;
        Ok(pending)
    }

    /// Prepares the messages of a pipeline in place of one that has ended, whose memory is used
    /// again.
    #[inline]
    fn prepare_pipeline(
        &mut self,
        pending: &mut PendingPipeline,
        batch: Batch,
        commit: CommitPoint,
    ) -> Result<()> {
        self.connection.refuse_if_lost()?;
        let now = Instant::now();
        let was_peeked = self.connection.take_peek();
        let interrupt = match commit {
            CommitPoint::Undo => None,
            _ => {
                self.limits.refuse_if_late(now)?;
                self.limits.interrupt()
            }
        };
        interrupt.as_ref().map_or(Ok(()), Interrupt::check)?;
        // If the socket is closed, nothing can be sent; otherwise the outcome would be called
        // unknown, unless all commands only read. The pool may have looked at the socket in this
        // moment.
        let was_closed = commit.commits()
            && !was_peeked
            && !batch.commands().iter().all(Command::only_reads)
            && self.connection.was_closed();
        let sql = sql_of(batch.own().first());
        self.observer.query_starts(&sql);
        self.observer.activity_starts(Arc::clone(&sql), now);
        if self.transactions.depth() > 0 {
            let least = batch.own().iter().map(Command::reads).min();
            self.transactions.note_sent(least.unwrap_or(Reads::Yes));
        }
        let deferred = self.transactions.deferred();
        let batch = if deferred.is_empty() {
            batch
        } else {
            batch.preceded_by(deferred.iter().map(Control::command))
        };
        let Batch {
            mut commands,
            own,
            is_streamed,
        } = batch;
        let settings = self.insert_pooler_settings(&mut commands);
        let own = own.start + settings..own.end + settings;
        self.observer.count_round_trip(&commands);
        let mut messages = pending.state.take_messages();
        if let Err(error) = self.messages(&mut commands, &mut messages) {
            // The names that were assigned are not going to be prepared.
            self.connection.prepared_mut().confirm(&[], &[]);
            return Err(self.note_failure(&sql, error));
        }
        let answers = std::mem::take(&mut self.buffers.answers);
        pending.commands = commands;
        pending.commit = commit;
        pending.was_closed = was_closed;
        pending.is_pooled = self.pooler.is_some();
        pending.state.begin(
            self.connection.prepared().to_close(),
            messages,
            answers,
            is_streamed.then_some(own.start),
            interrupt,
        );
        pending.own = own;
        self.connection.note_request();
        if pending.state.needs_pipeline_mode()
            && let Err(error) = self.connection.enter_pipeline()
        {
            let error = self.lose(error, Outcome::NotCommitted);
            return Err(self.note_failure(&sql, error));
        }
        Ok(())
    }

    /// Drives a pipeline to its end, to the next rows of a stream, or to the deadline; past that,
    /// the server is asked to cancel.
    pub(super) async fn drive_pipeline(
        &mut self,
        pending: &mut PendingPipeline,
        deadline: Instant,
    ) -> Completion {
        let since = self.observer.now();
        let mut pipeline = self.connection.pipeline(&mut pending.state);
        let completion = match drive_unless_given_up(&mut pipeline, deadline).await {
            Err(DriveError::Deadline) => Completion::expired(Box::pin(cancel(&mut pipeline)).await),
            driven => Completion::in_time(driven),
        };
        self.observer.add_wire_time(since);
        completion
    }

    /// Ends a pipeline whose rows are no longer wanted: takes what has arrived, else cancels.
    pub(super) async fn stop_pipeline(&mut self, pending: &mut PendingPipeline) -> Completion {
        pending.state.stop_streaming();
        let mut pipeline = self.connection.pipeline(&mut pending.state);
        Completion::in_time(match drive(&mut pipeline, Instant::now()).await {
            Err(DriveError::Deadline) => cancel(&mut pipeline).await,
            result => result,
        })
    }

    /// Takes the answers of a pipeline that was driven to its end, and updates what is known of the
    /// session.
    pub(super) fn finish_pipeline(
        &mut self,
        pending: &mut PendingPipeline,
        completion: Completion,
    ) -> Result<BatchResult> {
        let sql = sql_of(pending.commands.get(pending.own.start));
        let is_within = !pending.commit.commits() && self.transactions.depth() > 0;
        match self.take_answers(pending, completion) {
            Ok(result) => {
                self.observer
                    .activity_ends(self.connection.is_in_transaction());
                self.observer.query_succeeded(&sql);
                Ok(result)
            }
            Err(error) => {
                if is_within && self.connection.is_idle() {
                    // The BEGIN failed too: the statements that follow would be committed at once.
                    self.transactions.set_broken();
                    self.connection
                        .set_lost(|| "its transaction could not be begun".to_owned());
                }
                Err(self.note_failure(&sql, error))
            }
        }
    }

    #[inline]
    fn take_answers(
        &mut self,
        pending: &mut PendingPipeline,
        Completion { result, expired }: Completion,
    ) -> Result<BatchResult> {
        let outcome = match &result {
            Ok(()) => pending.outcome_if_refused(),
            Err(_) => pending.outcome_if_lost(),
        };
        if pending.commit.commits() {
            self.transactions
                .set_depends_on_shadowing(outcome == Outcome::Unknown && pending.may_only_read());
        }
        let error = pending.state.received.error.take();
        let mut error =
            error.filter(|(index, _)| !index.is_some_and(|index| pending.is_behind_commit(index)));
        let commands = std::mem::take(&mut pending.commands);
        let own = pending.own.clone();
        pending.state.clear_messages();
        let received = &mut pending.state.received;
        let answers = std::mem::take(&mut received.answers);
        self.transactions.clear_deferred();
        self.collect_notifications();
        self.connection
            .prepared_mut()
            .confirm(&received.prepared, &received.closed);
        match result {
            Ok(()) => {
                if pending.state.needs_pipeline_mode()
                    && let Err(error) = self.connection.exit_pipeline()
                {
                    // All commands are answered, so the answers are valid.
                    self.lose(error, outcome);
                }
            }
            Err(stopped) => {
                let error = error.take().map(|(_, error)| error);
                let lost = self.lost_error(stopped, error.as_ref(), expired, outcome);
                if let Some((index, _)) = received.copy {
                    let sql = commands.get(index).map(Command::caller_sql);
                    return Err(copy_in_a_pipeline()
                        .with_outcome(outcome)
                        .with_sql(sql.unwrap_or_default()));
                }
                // The COMMIT was answered before the connection was lost, so only the session is
                // lost.
                if outcome != Outcome::Committed {
                    return Err(lost);
                }
            }
        }
        if let Some((index, error)) = error {
            let error = server_error(&error, expired);
            return Err(
                match index.and_then(|index| commands.get(index).map(|command| (index, command))) {
                    Some((index, command)) if own.contains(&index) => command
                        .explain(shift(error, command.prefix_length()))
                        .with_outcome(outcome)
                        .with_sql(command.caller_sql())
                        .with_statement(index - own.start + 1, own.len())
                        .resting_on_types(commands.iter().any(|command| command.names_types)),
                    Some((_, command)) => {
                        let lacking = self.types.cache().lacking();
                        let observer = &self.observer;
                        let error = match does_without(lacking, observer, command, &error) {
                            Some(hint) => {
                                self.transactions.set_repeats_without();
                                error.with_hint(hint)
                            }
                            None => commit_keys::judge(error),
                        };
                        error.with_sql(command.caller_sql())
                    }
                    None => error.with_outcome(outcome),
                },
            );
        }
        self.follow_search_path(
            commands
                .iter()
                .filter_map(|command| command.sets.as_deref()),
        );
        Ok(BatchResult {
            all: commands,
            answered: answers,
            own,
            outcome: Outcome::NotCommitted,
        })
    }

    /// Adds the messages for commands, with names for statements that are to be prepared; moves the
    /// parameters out of the commands.
    fn messages(&mut self, commands: &mut [Command], messages: &mut Vec<Message>) -> Result<()> {
        messages.reserve(commands.len());
        let is_within = self.transactions.depth() > 0 || self.connection.is_in_transaction();
        let mut changed_schema = is_within && self.transactions.has_changed_schema();
        for number in 0..commands.len() {
            let (before, rest) = commands.split_at_mut(number);
            let command = &mut rest[0];
            let bytes = command.parameters.size();
            command.check(bytes)?;
            let parameters = std::mem::take(&mut command.parameters);
            changed_schema |= command.text.may_change_schema();
            // In a transaction that changed the schema, a plan from before would fail all of it.
            // What diesel makes names its columns.
            let is_named = command.is_named
                && self.connection.prepared().is_enabled()
                && (command.is_diesels || !changed_schema);
            if !is_named {
                self.note_effects(&command.text);
                messages.push(Message {
                    name: None,
                    sql: Some(command.text.c_sql()),
                    parameters,
                    bytes,
                    affects: command.rows_checked_by_server(),
                });
                continue;
            }
            let repeated = before.last().zip(messages.last());
            let repeated = repeated
                .and_then(|(before, sent)| repeated_name(before, sent, command, &parameters));
            let statement = repeated.unwrap_or_else(|| {
                let prepared = self.connection.prepared_mut();
                prepared.name_for(&command.path, &command.text, &parameters)
            });
            let sql = statement.is_new.then(|| {
                self.note_effects(&command.text);
                self.observer.statement_prepared(command.sql());
                command.text.to_c_sql()
            });
            if let Some(read_as) = &mut command.read_as {
                read_as.prepared(&statement.name, statement.checked);
            }
            messages.push(Message {
                name: Some(statement.name),
                sql,
                parameters,
                bytes,
                affects: command.rows_checked_by_server(),
            });
        }
        self.transactions.set_changed_schema(changed_schema);
        Ok(())
    }

    /// Keeps the error of a pipeline, and reports it.
    fn note_failure(&mut self, sql: &str, error: Error) -> Error {
        self.observer
            .activity_ends(self.connection.is_in_transaction());
        let error = named(error.in_local_schema(self.types.local_schema()));
        self.transactions.note_failure(&error);
        self.observer.query_failed(sql, &error);
        error
    }

    /// Marks the session as lost, and returns the error.
    fn lose(&mut self, error: LibpqError, outcome: Outcome) -> Error {
        self.transactions.set_broken();
        self.observer.set_close_reason("lost");
        // The first line says what happened; libpq's guess at why follows.
        let reason = error.lines().next().unwrap_or_default().to_owned();
        let error = Error::unavailable(format!("connection lost: {reason}")).with_outcome(outcome);
        self.connection.set_lost(|| reason);
        error
    }

    /// Marks the session as lost, and returns the error of the call: the server's last error, if
    /// there is one.
    pub(super) fn lost_error(
        &mut self,
        stopped: DriveError,
        last: Option<&ResultSet>,
        expired: bool,
        outcome: Outcome,
    ) -> Error {
        let error = match stopped {
            DriveError::Deadline => {
                "the server did not answer in time, nor when asked to cancel".to_owned()
            }
            DriveError::Lost(error) => error,
        };
        let lost = self.lose(error, outcome);
        match last.filter(|last| last.error_field(Field::SqlState).is_some()) {
            Some(last) => server_error(last, expired).with_outcome(outcome),
            None if expired => lost.with_kind(ErrorKind::Timeout),
            None => lost,
        }
    }
}

/// Returns the name of the statement before, if the command is the same one with other values: a
/// list often has many of these.
#[inline]
fn repeated_name(
    before: &Command,
    sent: &Message,
    command: &Command,
    parameters: &Parameters,
) -> Option<StatementName> {
    let name = sent.name.as_ref()?;
    let is_same = Arc::ptr_eq(&before.text, &command.text)
        && Arc::ptr_eq(&before.path, &command.path)
        && sent.parameters.types() == parameters.types();
    let checked = |read_as: &ReadAs| Some((read_as.describe, read_as.checks.clone()?));
    is_same.then(|| StatementName {
        name: Arc::clone(name),
        is_new: false,
        checked: before.read_as.as_ref().and_then(checked),
    })
}

/// Returns the SQL of the caller's first command, for instrumentation.
fn sql_of(first: Option<&Command>) -> Arc<str> {
    first.map_or_else(Arc::default, |command| Arc::clone(command.sql()))
}

/// Cancels a pipeline whose rows are no longer wanted.
pub(super) async fn cancel(pipeline: &mut Pipeline<'_>) -> Result<(), DriveError> {
    pipeline.stop_streaming();
    cancel_and_drain(pipeline).await
}
