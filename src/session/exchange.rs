//! Commands to the server and answers back, up to one Sync.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::{InstrumentationEvent, StrQueryHelper};

use super::Session;
use super::flight::copy_in_a_pipeline;
use crate::command::Command;
use crate::command::failure::{server_error, shift};
use crate::commit_keys;
use crate::deadline::after;
use crate::error::{Error, Outcome, Result};
use crate::sql_text::keywords::Direction;
use crate::sql_text::read_only::Reads;
use crate::wire::answer::Answer;
use crate::wire::cancel::settle;
use crate::wire::driver::{Stopped, drive};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Cancel, Field, ResultSet};
use crate::wire::protocol::{Flow, Heard, Message, Pipeline};

/// How far driving came.
#[derive(Debug)]
pub(super) struct Driven {
    pub(super) result: Result<(), Stopped>,
    /// Whether the deadline passed on the way.
    pub(super) expired: bool,
}

/// How long a server that is told to stop may take before it is asked to cancel.
pub(super) const GLANCE: Duration = Duration::from_millis(100);

/// Where the work becomes lasting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommitPoint {
    /// At the Sync.
    Sync,
    /// At a COMMIT among the commands.
    Command,
    /// Not in this exchange.
    Later,
    /// Nowhere: this takes work back, so it goes out even when the call was given up.
    Undo,
}

/// Commands on their way, up to one Sync.
#[derive(Debug)]
pub(super) struct Voyage {
    commands: Vec<Command>,
    /// Which of the commands are the caller's.
    own: Range<usize>,
    commit: CommitPoint,
    /// Whether the server was gone before anything was sent.
    was_closed: bool,
    pub(super) flow: Flow,
}

/// What was asked, and the answers.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) commands: Vec<Command>,
    pub(super) answers: Vec<Answer>,
    /// The answers to what came after the caller's.
    pub(super) after: Vec<Answer>,
}

/// Commands that travel together: what goes before the caller's, the caller's, and what comes after.
#[derive(Debug, Default)]
pub(super) struct Cargo {
    pub(super) before: Vec<Command>,
    pub(super) commands: Vec<Command>,
    pub(super) after: Vec<Command>,
}

impl Cargo {
    /// Only the caller's.
    pub(super) fn of(commands: Vec<Command>) -> Self {
        Self {
            commands,
            ..Self::default()
        }
    }
}

impl Session {
    /// Sends commands up to one Sync and gives the answers to the caller's.
    pub(super) fn exchange(
        &mut self,
        cargo: Cargo,
        commit: CommitPoint,
        deadline: Instant,
    ) -> Result<Arrived> {
        let mut voyage = self.depart(cargo, commit)?;
        let driven = self.drive(&mut voyage, deadline);
        self.arrive(voyage, driven)
    }

    /// Makes the messages; nothing is sent yet.
    pub(super) fn depart(&mut self, cargo: Cargo, commit: CommitPoint) -> Result<Voyage> {
        self.refuse_if_lost()?;
        let interrupt = match commit {
            CommitPoint::Undo => None,
            _ => {
                self.refuse_if_late()?;
                self.interrupt()
            }
        };
        interrupt.as_ref().map_or(Ok(()), Interrupt::check)?;
        // A look at the socket, so that work which never left is not called unknown.
        let was_closed =
            matches!(commit, CommitPoint::Sync | CommitPoint::Command) && self.was_closed();
        let sql: Arc<str> = cargo
            .commands
            .first()
            .map_or_else(|| Arc::from(""), |command| Arc::clone(&command.sql));
        self.instrumentation
            .on_connection_event(InstrumentationEvent::start_query(&StrQueryHelper::new(
                &sql,
            )));
        self.activity.begin(Arc::clone(&sql));
        let mut commands: Vec<_> = self
            .transactions
            .waiting()
            .iter()
            .map(|sql| Command::plain(Arc::clone(sql)))
            .collect();
        commands.extend(cargo.before);
        if self.transactions.depth() > 0 {
            let least = cargo.commands.iter().map(Command::reads).min();
            self.transactions.sent = self.transactions.sent.min(least.unwrap_or(Reads::Yes));
        }
        let (before, count) = (commands.len(), cargo.commands.len());
        if commands.is_empty() {
            commands = cargo.commands;
        } else {
            commands.extend(cargo.commands);
        }
        let first = before + self.settle_in(&mut commands);
        let own = first..first + count;
        commands.extend(cargo.after);
        self.watch.departs(&commands);
        let flow = self
            .messages(&mut commands)
            .map(|messages| Flow::new(messages, commands.len()).heeding(interrupt))
            .inspect_err(|_| {
                // Names that were given out are not going to be prepared.
                self.prepared.settle(&[], &[]);
            });
        let flow = flow.and_then(|flow| {
            self.connection
                .enter_pipeline()
                .map_err(|said| self.lose(said, Outcome::NotCommitted))?;
            Ok(flow)
        });
        match flow {
            Ok(flow) => Ok(Voyage {
                commands,
                own,
                commit,
                was_closed,
                flow,
            }),
            Err(error) => Err(self.note_failure(&sql, error)),
        }
    }

    /// Drives to the end, to rows that were asked for as they arrive, or to the deadline; past that, what the server does is cancelled.
    pub(super) fn drive(&mut self, voyage: &mut Voyage, deadline: Instant) -> Driven {
        let since = self.watch.now();
        // Of a stream more may be here, without a wait in which it would be noticed.
        let is_given_up = voyage.flow.is_given_up();
        let mut pipeline = Pipeline::new(&mut self.connection, &mut voyage.flow);
        let driven = if is_given_up {
            Err(Stopped::Deadline)
        } else {
            drive(&mut pipeline, deadline)
        };
        let driven = match driven {
            Err(Stopped::Deadline) => Driven {
                result: cancel(&mut pipeline),
                expired: true,
            },
            result => Driven {
                result,
                expired: false,
            },
        };
        self.watch.arrived(since);
        driven
    }

    /// Ends a voyage whose rows nobody wants any more: takes what is here already, else cancels.
    pub(super) fn stop(&mut self, voyage: &mut Voyage) -> Driven {
        voyage.flow.stop_streaming();
        let mut pipeline = Pipeline::new(&mut self.connection, &mut voyage.flow);
        let result = match drive(&mut pipeline, Instant::now()) {
            Err(Stopped::Deadline) => cancel(&mut pipeline),
            result => result,
        };
        Driven {
            result,
            expired: false,
        }
    }

    /// Takes in what came of a voyage that was driven to its end.
    pub(super) fn arrive(&mut self, voyage: Voyage, driven: Driven) -> Result<Arrived> {
        let sql = voyage.sql();
        let is_within = matches!(voyage.commit, CommitPoint::Later | CommitPoint::Undo)
            && self.transactions.depth() > 0;
        match self.arrive_unseen(voyage, driven) {
            Ok(arrived) => {
                self.activity.end(self.is_in_transaction());
                self.instrumentation
                    .on_connection_event(InstrumentationEvent::finish_query(
                        &StrQueryHelper::new(&sql),
                        None,
                    ));
                Ok(arrived)
            }
            Err(error) => {
                if is_within && self.is_idle_on_server() {
                    // Its BEGIN failed too: what follows would be committed at once.
                    self.transactions.set_broken();
                    self.lost
                        .get_or_insert_with(|| "its transaction could not be begun".to_owned());
                }
                Err(self.note_failure(&sql, error))
            }
        }
    }

    fn arrive_unseen(&mut self, voyage: Voyage, driven: Driven) -> Result<Arrived> {
        let outcome = match &driven.result {
            Ok(()) => voyage.outcome_if_refused(),
            Err(_) => voyage.outcome_if_lost(),
        };
        let Voyage {
            mut commands,
            own,
            commit,
            flow,
            ..
        } = voyage;
        if commit == CommitPoint::Sync || commit == CommitPoint::Command {
            self.transactions.hinges_on_names = outcome == Outcome::Unknown
                && commands
                    .iter()
                    .all(|command| command.reads() >= Reads::IfBuiltIn);
        }
        let Heard {
            answers,
            mut error,
            copy,
            prepared,
            closed,
            ..
        } = flow.heard;
        self.transactions.sent();
        self.collect_notifications();
        self.prepared.settle(&prepared, &closed);
        let Driven { result, expired } = driven;
        match result {
            Ok(()) => {
                if let Err(said) = self.connection.exit_pipeline() {
                    // All is answered, so the answers stand.
                    self.lose(said, outcome);
                }
            }
            Err(stopped) => {
                let error = error.take().map(|(_, error)| error);
                let lost = self.lost_error(stopped, error.as_ref(), expired, outcome);
                if let Some((place, _)) = copy {
                    let sql = commands.get(place).map(Command::written);
                    return Err(copy_in_a_pipeline()
                        .with_outcome(outcome)
                        .with_sql(sql.unwrap_or_default()));
                }
                // The word that it is committed came before the connection went: nothing is missing but the session.
                if outcome != Outcome::Committed {
                    return Err(lost);
                }
            }
        }
        if let Some((place, error)) = error {
            let error = server_error(&error, expired);
            return Err(
                match place.and_then(|place| commands.get(place).map(|command| (place, command))) {
                    Some((place, command)) if own.contains(&place) => command
                        .explain(shift(error, command.shift()))
                        .with_outcome(outcome)
                        .with_sql(command.written())
                        .with_place(place - own.start + 1, own.len())
                        .resting_on_types(commands.iter().any(|command| command.names_types)),
                    Some((_, command)) => commit_keys::judge(error).with_sql(command.written()),
                    None => error.with_outcome(outcome),
                },
            );
        }
        self.follow_search_path(
            commands
                .iter()
                .filter_map(|command| command.sets.as_deref()),
        );
        // Within their own memory, of which a long pipeline has much.
        let mut answers = answers;
        let after = answers.split_off(own.end);
        answers.drain(..own.start);
        commands.truncate(own.end);
        commands.drain(..own.start);
        #[expect(
            clippy::filter_map_identity,
            reason = "`flatten` does not collect in place"
        )]
        let answers = answers.into_iter().filter_map(|answer| answer).collect();
        Ok(Arrived {
            answers,
            after: after.into_iter().flatten().collect(),
            commands,
        })
    }

    /// Keeps the error of an exchange in the books, and tells diesel's instrumentation.
    fn note_failure(&mut self, sql: &str, error: Error) -> Error {
        self.activity.end(self.is_in_transaction());
        self.transactions.note(&error);
        self.tell_failure(sql, &error);
        error
    }

    /// Tells diesel's instrumentation of a failure.
    pub(super) fn tell_failure(&mut self, sql: &str, error: &Error) {
        let seen = diesel::result::Error::QueryBuilderError(error.to_string().into());
        self.instrumentation
            .on_connection_event(InstrumentationEvent::finish_query(
                &StrQueryHelper::new(sql),
                Some(&seen),
            ));
    }

    /// The messages for commands, with names for those that come back; takes the values out of the commands.
    fn messages(&mut self, commands: &mut [Command]) -> Result<VecDeque<Message>> {
        let mut messages: VecDeque<_> = self
            .prepared
            .to_close()
            .iter()
            .map(|name| Message::Close {
                name: Arc::clone(name),
            })
            .collect();
        messages.reserve(commands.len() + 1);
        for (number, command) in commands.iter_mut().enumerate() {
            command.check()?;
            let types = std::mem::take(&mut command.types);
            let values = std::mem::take(&mut command.values);
            if !(command.reusable && self.prepared.is_on()) {
                self.look_at(&command.sql);
                messages.push_back(Message::Unnamed {
                    command: number,
                    sql: Arc::clone(&command.sql),
                    types,
                    values,
                });
                continue;
            }
            let plan = self.prepared.plan(&command.path, &command.sql, &types);
            if plan.is_new {
                self.look_at(&command.sql);
                self.instrumentation
                    .on_connection_event(InstrumentationEvent::cache_query(&command.sql));
                messages.push_back(Message::Prepare {
                    name: Arc::clone(&plan.name),
                    sql: Arc::clone(&command.sql),
                    types,
                });
            }
            let name = plan.name;
            if let Some(read_as) = &mut command.read_as {
                read_as.prepared(&name, plan.checked);
            }
            messages.push_back(Message::Execute {
                command: number,
                name,
                values,
            });
        }
        messages.push_back(Message::Sync);
        Ok(messages)
    }

    /// When the call that begins now has to end.
    pub(super) fn call_deadline(&self) -> Instant {
        let own = after(self.limit);
        self.deadline.map_or(own, |deadline| deadline.min(own))
    }

    /// Marks the session as lost.
    fn lose(&mut self, said: String, outcome: Outcome) -> Error {
        self.transactions.set_broken();
        self.closes("lost");
        // The first line says what happened; what follows is libpq's guess at why.
        let said = said.lines().next().unwrap_or_default().to_owned();
        let error =
            Error::unavailable(format!("the connection was lost: {said}")).with_outcome(outcome);
        self.lost.get_or_insert(said);
        error
    }

    /// The error of a call that lost the connection, or that ran out of time.
    pub(super) fn lost_error(
        &mut self,
        stopped: Stopped,
        last: Option<&ResultSet>,
        expired: bool,
        outcome: Outcome,
    ) -> Error {
        let said = match stopped {
            Stopped::Deadline => {
                "the server did not answer in time, nor when asked to cancel".to_owned()
            }
            Stopped::Lost(said) => said,
        };
        let lost = self.lose(said, outcome);
        match last.filter(|last| last.error_field(Field::SqlState).is_some()) {
            Some(last) => server_error(last, expired).with_outcome(outcome),
            None if expired => lost.reclassify(Error::Timeout),
            None => lost,
        }
    }
}

impl Voyage {
    /// The rows of the caller's command are handed out as they arrive.
    pub(super) fn streamed(self) -> Self {
        Self {
            flow: self.flow.stream(self.own.start),
            ..self
        }
    }

    /// The caller's first command.
    pub(super) fn own_command(&mut self) -> Option<&mut Command> {
        self.commands.get_mut(self.own.start)
    }

    /// What becomes of the work if the connection is lost now, by what was sent and what was heard.
    ///
    /// Unknown only if the server may have all that makes it commit, and has not said what came of it.
    fn outcome_if_lost(&self) -> Outcome {
        let heard = &self.flow.heard;
        let last = self.commands.len().wrapping_sub(1);
        if let Some((place, Direction::In)) = heard.copy
            && !self.commands[..place]
                .iter()
                .any(Command::ends_its_transaction)
        {
            // The server waits for data that never comes, and rolls back.
            return Outcome::NotCommitted;
        }
        let commit_sent = match self.commit {
            CommitPoint::Later | CommitPoint::Undo => false,
            CommitPoint::Sync => heard.sync_sent,
            CommitPoint::Command => heard.commands_sent > last,
        };
        if !self.was_closed && self.may_have_committed_before(heard.commands_sent) {
            return Outcome::Unknown;
        }
        if !commit_sent || self.was_closed || self.commands.iter().all(Command::only_reads) {
            return Outcome::NotCommitted;
        }
        let at_end = heard.answers.last().and_then(Option::as_ref);
        if self.commit == CommitPoint::Command
            && at_end.and_then(Answer::command_tag).as_deref() == Some("COMMIT")
        {
            return Outcome::Committed;
        }
        let said = heard
            .error
            .as_ref()
            .filter(|(_, error)| error.error_field(Field::SqlState).is_some());
        match said {
            // The server answers in order: it did not come to the commit.
            Some((Some(place), _)) if self.commit == CommitPoint::Sync || *place < last => {
                Outcome::NotCommitted
            }
            // A commit that fails rolls back; only the end of the server's process says nothing of it.
            Some((_, error))
                if error
                    .error_field(Field::Severity)
                    .is_some_and(|severity| severity == "ERROR") =>
            {
                Outcome::NotCommitted
            }
            _ => Outcome::Unknown,
        }
    }

    /// What became of the work if the server refused one of the commands.
    ///
    /// Nothing of it is left, unless some of it was committed before the Sync, which a procedure may do.
    fn outcome_if_refused(&self) -> Outcome {
        let Some((place, _)) = self.flow.heard.error else {
            return Outcome::NotCommitted;
        };
        let place = place.unwrap_or(self.commands.len());
        let itself = self.commands.get(place);
        if self.may_have_committed_before(place)
            || (self.commit == CommitPoint::Sync
                && itself.is_some_and(Command::may_commit_and_fail))
        {
            return Outcome::Unknown;
        }
        Outcome::NotCommitted
    }

    /// Whether some of the first commands may be committed though the Sync was not answered: by its own words, or since
    /// not all servers take what stands before one Sync for one transaction.
    fn may_have_committed_before(&self, place: usize) -> bool {
        if self.commit != CommitPoint::Sync {
            return false;
        }
        let first = || self.commands.iter().take(place);
        let is_one_of_several = self.own.len() > 1;
        // The last of several is not committed before its Sync, unless it commits by itself.
        let mut with_more_behind = first().take(self.commands.len().saturating_sub(1));
        first().any(Command::ends_its_transaction)
            || (is_one_of_several && !with_more_behind.all(Command::only_reads))
    }

    /// The SQL that stands for all, in what is told to those who watch.
    fn sql(&self) -> Arc<str> {
        self.commands
            .get(self.own.start)
            .map_or_else(|| Arc::from(""), |command| Arc::clone(&command.sql))
    }
}

/// Cancels a pipeline, whose rows nobody wants any more.
fn cancel(pipeline: &mut Pipeline<'_>) -> Result<(), Stopped> {
    pipeline.stop_streaming();
    settle(pipeline, |pipeline| Cancel::start(pipeline.connection()))
}
