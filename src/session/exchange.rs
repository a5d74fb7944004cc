//! Commands to the server and answers back, up to one Sync.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::{InstrumentationEvent, StrQueryHelper};

use super::command::Command;
use super::dialogue::{Cancelling, Heard, Machine, Message, Pipeline, c_string};
use super::driver::{Stopped, drive};
use super::failure::{server_error, shift};
use super::libpq::{Cancel, Field, ResultSet};
use super::prepared::Plan;
use super::state::leaves_something;
use super::{Session, after};
use crate::error::{Error, Outcome, Result};

/// How long a server that was asked to cancel may take to say so.
pub(super) const GRACE: Duration = Duration::from_millis(1500);

/// Where the work becomes lasting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommitPoint {
    /// At the Sync.
    Sync,
    /// At a COMMIT among the commands.
    Command,
    /// Not in this exchange.
    Later,
}

impl Session {
    /// Sends commands up to one Sync and gives the answers to those in the middle.
    pub(super) fn exchange(
        &mut self,
        before: &mut [Command],
        commands: &mut [Command],
        after: &mut [Command],
        commit: CommitPoint,
        deadline: Instant,
    ) -> Result<Vec<ResultSet>> {
        if let Some(lost) = &self.lost {
            return Err(Error::unavailable(format!("the session was lost: {lost}"))
                .with_hint("take a new session from the pool"));
        }
        let sql: Arc<str> = commands
            .first()
            .map_or_else(|| Arc::from(""), |command| Arc::clone(&command.sql));
        self.instrumentation
            .on_connection_event(InstrumentationEvent::start_query(&StrQueryHelper::new(
                &sql,
            )));
        let exchanged = self.exchange_unseen(before, commands, after, commit, deadline);
        let (result, seen) = match exchanged {
            Ok(answers) => (Ok(answers), None),
            Err(error) => {
                self.transactions.note(&error);
                let seen = diesel::result::Error::QueryBuilderError(error.to_string().into());
                (Err(error), Some(seen))
            }
        };
        self.instrumentation
            .on_connection_event(InstrumentationEvent::finish_query(
                &StrQueryHelper::new(&sql),
                seen.as_ref(),
            ));
        result
    }

    fn exchange_unseen(
        &mut self,
        before: &mut [Command],
        commands: &mut [Command],
        after: &mut [Command],
        commit: CommitPoint,
        deadline: Instant,
    ) -> Result<Vec<ResultSet>> {
        let mut waiting: Vec<_> = self
            .transactions
            .waiting()
            .iter()
            .map(|sql| Command::plain(Arc::clone(sql)))
            .collect();
        let (first, count) = (waiting.len() + before.len(), commands.len());
        let mut all: Vec<&mut Command> = waiting
            .iter_mut()
            .chain(before)
            .chain(commands)
            .chain(after)
            .collect();
        let messages = self.messages(&mut all);
        if messages.is_err() {
            // Names that were given out are not going to be prepared.
            self.prepared.settle(&[], &[]);
        }
        let messages = messages?;
        self.connection
            .enter_pipeline()
            .map_err(|said| self.lose(said, Outcome::NotCommitted))?;
        let mut pipeline = Pipeline::new(&mut self.connection, messages, all.len());
        let driven = drive(&mut pipeline, deadline);
        let (driven, expired) = match driven {
            Err(Stopped::Deadline) => (
                settle(&mut pipeline, |pipeline| {
                    Cancel::start(pipeline.connection())
                }),
                true,
            ),
            other => (other, false),
        };
        let heard = std::mem::take(&mut pipeline.heard);
        self.transactions.sent();
        self.prepared.settle(&heard.prepared, &heard.closed);
        if let Err(stopped) = driven {
            let outcome = if heard.sync_sent
                && commit != CommitPoint::Later
                && !all.iter().all(|command| command.only_reads())
            {
                Outcome::Unknown
            } else {
                Outcome::NotCommitted
            };
            return Err(self.lost_error(
                stopped,
                heard.error.map(|(_, error)| error),
                expired,
                outcome,
            ));
        }
        self.connection
            .exit_pipeline()
            .map_err(|said| self.lose(said, Outcome::NotCommitted))?;
        let Heard { answers, error, .. } = heard;
        if let Some((place, error)) = error {
            let error = server_error(&error, expired);
            return Err(
                match place.and_then(|place| all.get(place).map(|command| (place, &**command))) {
                    Some((place, command)) if (first..first + count).contains(&place) => {
                        shift(error, command.shift())
                            .with_sql(command.written())
                            .with_place(place - first + 1, count)
                    }
                    Some((_, command)) => error.with_sql(command.written()),
                    None => error,
                },
            );
        }
        Ok(answers
            .into_iter()
            .skip(first)
            .take(count)
            .flatten()
            .collect())
    }

    /// The messages for commands, with names for those that come back; takes the values out of the commands.
    fn messages(&mut self, commands: &mut [&mut Command]) -> Result<VecDeque<Message>> {
        let mut messages: VecDeque<_> = self
            .prepared
            .to_close()
            .iter()
            .map(|name| Message::Close { name: name.clone() })
            .collect();
        for (number, command) in commands.iter_mut().enumerate() {
            let types = std::mem::take(&mut command.types);
            let values = std::mem::take(&mut command.values);
            let sql = || {
                c_string(&command.sql)
                    .map_err(|said| Error::query(said).with_sql(Arc::clone(&command.sql)))
            };
            if !(command.reusable && self.prepared.is_on()) {
                self.touched |= leaves_something(&command.sql);
                messages.push_back(Message::Unnamed {
                    command: number,
                    sql: sql()?,
                    types,
                    values,
                });
                continue;
            }
            let name = match self.prepared.plan(&command.sql, &types) {
                Plan::Known(name) => name,
                Plan::New(name) => {
                    self.touched |= leaves_something(&command.sql);
                    self.instrumentation
                        .on_connection_event(InstrumentationEvent::cache_query(&command.sql));
                    messages.push_back(Message::Prepare {
                        name: name.clone(),
                        sql: sql()?,
                        types,
                    });
                    name
                }
            };
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
        let error =
            Error::unavailable(format!("the connection was lost: {said}")).with_outcome(outcome);
        self.lost.get_or_insert(said);
        error
    }

    /// The error of a call that lost the connection, or that ran out of time.
    pub(super) fn lost_error(
        &mut self,
        stopped: Stopped,
        last: Option<ResultSet>,
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
            Some(last) => server_error(&last, expired).with_outcome(outcome),
            None if expired => lost.reclassify(Error::Timeout),
            None => lost,
        }
    }
}

/// Asks the server to cancel, and hears it out for a moment.
pub(super) fn settle<M: Machine>(
    machine: &mut M,
    cancel: impl Fn(&M) -> Result<Cancel, String>,
) -> Result<(), Stopped> {
    let patience = after(GRACE);
    if let Ok(cancel) = cancel(machine) {
        // Whether the request got through shows in what the server answers.
        drive(&mut Cancelling::new(cancel), patience).ok();
    }
    drive(machine, patience)
}
