//! Sends commands to the server and receives their answers, up to one Sync.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::Session;
use super::encode::copy_in_a_pipeline;
use super::pending_pipeline::PendingPipeline;
use crate::command::Command;
use crate::command::failure::{server_error, shift};
use crate::commit_keys;
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::sql_text::read_only::Reads;
use crate::wire::answer::Answer;
use crate::wire::cancel::cancel_and_drain;
use crate::wire::driver::{Completion, DriveError, drive, drive_unless_given_up};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Field, LibpqError, ResultSet};
use crate::wire::protocol::{Message, Pipeline, PipelineState, Received};

/// The place in a pipeline where its work is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommitPoint {
    /// At the Sync.
    Sync,
    /// At a COMMIT among the commands.
    Command,
    /// Not in this pipeline.
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

/// Commands that are sent together: the caller's, with those of the session before and after them.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) before: Vec<Command>,
    pub(super) commands: Vec<Command>,
    pub(super) after: Vec<Command>,
}

/// The answers to a batch.
#[derive(Debug)]
pub(super) struct BatchResult {
    /// The caller's commands.
    pub(super) commands: Vec<Command>,
    /// The answers to the commands before the caller's.
    pub(super) before: Vec<Answer>,
    /// The answers to the caller's commands.
    pub(super) answers: Vec<Answer>,
    /// The answers to the commands after the caller's.
    pub(super) after: Vec<Answer>,
    /// The outcome of the work, should reading the answers fail.
    pub(super) outcome: Outcome,
}

impl Batch {
    /// Returns a batch of the caller's commands only.
    pub(super) fn of(commands: Vec<Command>) -> Self {
        Self {
            commands,
            ..Self::default()
        }
    }
}

impl Session {
    /// Sends commands up to one Sync and returns the answers to the caller's: one round trip.
    pub(super) fn exchange(
        &mut self,
        batch: Batch,
        commit: CommitPoint,
        deadline: Instant,
    ) -> Result<BatchResult> {
        let mut pending = self.start_pipeline(batch, commit)?;
        let completion = self.drive_pipeline(&mut pending, deadline);
        self.finish_pipeline(pending, completion)
    }

    /// Prepares the messages of a pipeline; nothing is sent before [`Session::drive_pipeline`].
    pub(super) fn start_pipeline(
        &mut self,
        batch: Batch,
        commit: CommitPoint,
    ) -> Result<PendingPipeline> {
        self.connection.refuse_if_lost()?;
        let interrupt = match commit {
            CommitPoint::Undo => None,
            _ => {
                self.limits.refuse_if_late()?;
                self.limits.interrupt()
            }
        };
        interrupt.as_ref().map_or(Ok(()), Interrupt::check)?;
        // If the socket is closed, nothing can be sent; otherwise the outcome would be called
        // unknown.
        let was_closed = commit.commits() && self.connection.was_closed();
        let sql: Arc<str> = batch
            .commands
            .first()
            .map_or_else(|| Arc::from(""), |command| Arc::clone(command.sql()));
        self.observer.query_starts(&sql);
        self.observer.activity_starts(Arc::clone(&sql));
        let mut commands: Vec<_> = self
            .transactions
            .deferred()
            .iter()
            .map(|sql| Command::control(sql))
            .collect();
        commands.extend(batch.before);
        if self.transactions.depth() > 0 {
            let least = batch.commands.iter().map(Command::reads).min();
            self.transactions.note_sent(least.unwrap_or(Reads::Yes));
        }
        let (before, count) = (commands.len(), batch.commands.len());
        if commands.is_empty() {
            commands = batch.commands;
        } else {
            commands.extend(batch.commands);
        }
        let first = before + self.insert_pooler_settings(&mut commands);
        let own = first..first + count;
        commands.extend(batch.after);
        self.observer.count_round_trip(&commands);
        let state = self
            .messages(&mut commands)
            .map(|messages| PipelineState::new(messages, commands.len()).with_interrupt(interrupt))
            .inspect_err(|_| {
                // The names that were assigned are not going to be prepared.
                self.connection.prepared_mut().confirm(&[], &[]);
            });
        let state = state.and_then(|state| {
            self.connection
                .enter_pipeline()
                .map_err(|error| self.lose(error, Outcome::NotCommitted))?;
            Ok(state)
        });
        match state {
            Ok(state) => Ok(PendingPipeline {
                commands,
                own,
                commit,
                was_closed,
                state,
            }),
            Err(error) => Err(self.note_failure(&sql, error)),
        }
    }

    /// Drives a pipeline to its end, to the next rows of a stream, or to the deadline; past that, the server is
    /// asked to cancel.
    pub(super) fn drive_pipeline(
        &mut self,
        pending: &mut PendingPipeline,
        deadline: Instant,
    ) -> Completion {
        let since = self.observer.now();
        let mut pipeline = self.connection.pipeline(&mut pending.state);
        let driven = drive_unless_given_up(&mut pipeline, deadline);
        let completion = Completion::of(driven, || cancel(&mut pipeline));
        self.observer.add_wire_time(since);
        completion
    }

    /// Ends a pipeline whose rows are no longer wanted: takes what has arrived, else cancels.
    pub(super) fn stop_pipeline(&mut self, pending: &mut PendingPipeline) -> Completion {
        pending.state.stop_streaming();
        let mut pipeline = self.connection.pipeline(&mut pending.state);
        let result = match drive(&mut pipeline, Instant::now()) {
            Err(DriveError::Deadline) => cancel(&mut pipeline),
            result => result,
        };
        Completion {
            result,
            expired: false,
        }
    }

    /// Takes the answers of a pipeline that was driven to its end, and updates what is known of the session.
    pub(super) fn finish_pipeline(
        &mut self,
        pending: PendingPipeline,
        completion: Completion,
    ) -> Result<BatchResult> {
        let sql = pending.sql();
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

    fn take_answers(
        &mut self,
        pending: PendingPipeline,
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
        let PendingPipeline {
            mut commands,
            own,
            state,
            ..
        } = pending;
        let Received {
            mut answers,
            mut error,
            copy,
            prepared,
            closed,
            ..
        } = state.received;
        self.transactions.clear_deferred();
        self.collect_notifications();
        self.connection.prepared_mut().confirm(&prepared, &closed);
        match result {
            Ok(()) => {
                if let Err(error) = self.connection.exit_pipeline() {
                    // All commands are answered, so the answers are valid.
                    self.lose(error, outcome);
                }
            }
            Err(stopped) => {
                let error = error.take().map(|(_, error)| error);
                let lost = self.lost_error(stopped, error.as_ref(), expired, outcome);
                if let Some((index, _)) = copy {
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
                    Some((_, command)) => commit_keys::judge(error).with_sql(command.caller_sql()),
                    None => error.with_outcome(outcome),
                },
            );
        }
        self.follow_search_path(
            commands
                .iter()
                .filter_map(|command| command.sets.as_deref()),
        );
        // In place: a long pipeline has many answers.
        let after = answers.split_off(own.end);
        let before = answers.drain(..own.start).flatten().collect();
        commands.truncate(own.end);
        commands.drain(..own.start);
        #[expect(
            clippy::filter_map_identity,
            reason = "`flatten` does not collect in place"
        )]
        let answers = answers.into_iter().filter_map(|answer| answer).collect();
        Ok(BatchResult {
            before,
            answers,
            after: after.into_iter().flatten().collect(),
            commands,
            outcome: Outcome::NotCommitted,
        })
    }

    /// Returns the messages for commands, with names for statements that are to be prepared; moves
    /// the parameters out of the commands.
    fn messages(&mut self, commands: &mut [Command]) -> Result<VecDeque<Message>> {
        let mut messages: VecDeque<_> = self
            .connection
            .prepared()
            .to_close()
            .iter()
            .map(|name| Message::Close {
                name: Arc::clone(name),
            })
            .collect();
        messages.reserve(commands.len() + 1);
        let is_within = self.transactions.depth() > 0 || self.connection.is_in_transaction();
        let mut changed_schema = is_within && self.transactions.has_changed_schema();
        for (number, command) in commands.iter_mut().enumerate() {
            command.check()?;
            let parameters = std::mem::take(&mut command.parameters);
            changed_schema |= command.text.may_change_schema();
            // In a transaction that changed the schema, a plan from before would fail all of it. What diesel makes names
            // its columns.
            let is_named = command.is_named
                && self.connection.prepared().is_enabled()
                && (command.is_diesels || !changed_schema);
            if !is_named {
                self.note_effects(&command.text);
                messages.push_back(Message::Unnamed {
                    command: number,
                    sql: Arc::clone(command.sql()),
                    parameters,
                });
                continue;
            }
            let statement =
                self.connection
                    .prepared_mut()
                    .name_for(&command.path, &command.text, &parameters);
            if statement.is_new {
                self.note_effects(&command.text);
                self.observer.statement_prepared(command.sql());
                messages.push_back(Message::Prepare {
                    name: Arc::clone(&statement.name),
                    sql: Arc::clone(command.sql()),
                    parameters: parameters.clone(),
                });
            }
            let name = statement.name;
            if let Some(read_as) = &mut command.read_as {
                read_as.prepared(&name, statement.checked);
            }
            messages.push_back(Message::Execute {
                command: number,
                name,
                parameters,
            });
        }
        self.transactions.set_changed_schema(changed_schema);
        messages.push_back(Message::Sync);
        Ok(messages)
    }

    /// Keeps the error of a pipeline, and reports it.
    fn note_failure(&mut self, sql: &str, error: Error) -> Error {
        self.observer
            .activity_ends(self.connection.is_in_transaction());
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

    /// Marks the session as lost, and returns the error of the call: the server's last error, if there is one.
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

/// Cancels a pipeline whose rows are no longer wanted.
fn cancel(pipeline: &mut Pipeline<'_>) -> Result<(), DriveError> {
    pipeline.stop_streaming();
    cancel_and_drain(pipeline)
}
