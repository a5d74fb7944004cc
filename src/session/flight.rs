//! A statement's way to the server and back.
//!
//! Encodes, chooses how the commands become a transaction, sends them as one pipeline, and turns what
//! was heard into answers or into an error that says what became of the work.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::{InstrumentationEvent, StrQueryHelper};
use diesel::sql_types::{Array, Nullable, Oid, Text};

use super::command::{Command, Expectation, Verdict, first_keyword, unmet};
use super::dialogue::{Cancelling, Heard, Machine, Message, Pipeline, Script, c_string};
use super::driver::{Stopped, drive};
use super::libpq::{Cancel, Field, ResultSet, TransactionStatus};
use super::prepared::Plan;
use super::row::SessionRow;
use super::types::TypeName;
use super::{Session, after};
use crate::error::{Error, Outcome, Result, ServerError};
use crate::sqlstate::SqlState;
use crate::statement::{Encoded, Encoder, Statement, check_count, render, wrong_count};

/// How commands become a transaction.
#[derive(Debug, Clone)]
pub(super) enum Frame {
    /// They are one by themselves: what stands before a Sync is (PostgreSQL manual, 55.2.4).
    Implicit,
    /// They are one with these words: BEGIN and COMMIT travel along.
    Explicit(String),
    /// They are part of the one that is open.
    Within,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Flown {
    pub(super) commands: Vec<Command>,
    pub(super) answers: Vec<ResultSet>,
    /// What became of the work, should reading the answers fail.
    pub(super) outcome: Outcome,
}

/// How long a server that was asked to cancel may take to say so.
const GRACE: Duration = Duration::from_millis(1500);

impl Session {
    /// Sends a statement and takes its answers.
    pub(super) fn fly<S: Statement + ?Sized>(
        &mut self,
        statement: &S,
        frame: Frame,
    ) -> Result<Flown> {
        let first = self.fly_once(statement, frame.clone());
        match first {
            Err(error) if !matches!(frame, Frame::Within) && self.made_stale(&error) => {
                self.fly_once(statement, frame)
            }
            other => other,
        }
    }

    fn fly_once<S: Statement + ?Sized>(&mut self, statement: &S, frame: Frame) -> Result<Flown> {
        let deadline = self.call_deadline();
        let mut commands = self.encode(statement, deadline)?;
        if commands.is_empty() {
            return Ok(Flown {
                commands,
                answers: Vec::new(),
                outcome: Outcome::NotCommitted,
            });
        }
        let verdict = hold(&mut commands);
        match (frame, verdict) {
            (Frame::Implicit, Verdict::Client) => self.fly_and_judge(commands, "BEGIN", deadline),
            (Frame::Explicit(begin), Verdict::Client) => {
                self.fly_and_judge(commands, &begin, deadline)
            }
            (Frame::Implicit, Verdict::Server) => {
                let answers = self.exchange(&[], &commands, &[], CommitPoint::Sync, deadline)?;
                Ok(Flown {
                    outcome: committed(&commands),
                    commands,
                    answers,
                })
            }
            (Frame::Explicit(begin), Verdict::Server) => {
                let (before, after) = ([Command::plain(begin)], commit_commands());
                let flown =
                    self.exchange(&before, &commands, &after, CommitPoint::Command, deadline);
                if flown.is_err() && !self.is_idle() {
                    self.undo(deadline);
                }
                Ok(Flown {
                    answers: flown?,
                    outcome: committed(&commands),
                    commands,
                })
            }
            (Frame::Within, verdict) => {
                let answers = self.exchange(&[], &commands, &[], CommitPoint::Later, deadline)?;
                if verdict == Verdict::Client {
                    judge(&commands, &answers)?;
                }
                Ok(Flown {
                    commands,
                    answers,
                    outcome: Outcome::NotCommitted,
                })
            }
        }
    }

    /// For row counts that only the answer tells: the commit takes a trip of its own, after the judgement.
    fn fly_and_judge(
        &mut self,
        commands: Vec<Command>,
        begin: &str,
        deadline: Instant,
    ) -> Result<Flown> {
        let flown = self.exchange(
            &[Command::plain(begin)],
            &commands,
            &[],
            CommitPoint::Later,
            deadline,
        );
        let judged = flown.and_then(|answers| {
            judge(&commands, &answers)?;
            self.exchange(&[], &commit_commands(), &[], CommitPoint::Command, deadline)?;
            Ok(answers)
        });
        if judged.is_err() && !self.is_idle() {
            self.undo(deadline);
        }
        Ok(Flown {
            answers: judged?,
            outcome: Outcome::Committed,
            commands,
        })
    }

    /// Ends a failed transaction that this file began; a session that cannot is lost.
    fn undo(&mut self, deadline: Instant) {
        if self.lost.is_none()
            && self
                .exchange(
                    &[],
                    &[Command::plain("ROLLBACK")],
                    &[],
                    CommitPoint::Later,
                    deadline.max(after(GRACE)),
                )
                .is_err()
        {
            self.lost
                .get_or_insert_with(|| "a failed transaction could not be rolled back".to_owned());
        }
    }

    /// Sends control commands within the open transaction.
    pub(super) fn control(&mut self, sql: &[&str]) -> Result<()> {
        let commands: Vec<_> = sql.iter().map(|sql| Command::plain(*sql)).collect();
        // What ends a transaction is given time even when the call that failed used up its own.
        let deadline = self.call_deadline().max(after(GRACE));
        self.exchange(&[], &commands, &[], CommitPoint::Later, deadline)?;
        Ok(())
    }

    /// Commits the open transaction.
    pub(super) fn commit(&mut self) -> Result<()> {
        let deadline = self.call_deadline();
        let answers =
            self.exchange(&[], &commit_commands(), &[], CommitPoint::Command, deadline)?;
        match answers.last().map(ResultSet::command_tag) {
            Some(tag) if tag == "COMMIT" => Ok(()),
            tag => Err(Error::query(format!(
                "the server answered {} to COMMIT",
                tag.unwrap_or_default()
            ))),
        }
    }

    /// Makes the commands, looking up types that are met for the first time.
    fn encode<S: Statement + ?Sized>(
        &mut self,
        statement: &S,
        deadline: Instant,
    ) -> Result<Vec<Command>> {
        let mut looked_up = false;
        loop {
            let mut encoder = Encoder::new(Arc::clone(&self.types));
            let encoded = statement.encode(&mut encoder);
            match encoder.finish(encoded)? {
                Encoded::Commands(commands) => {
                    commands.iter().try_for_each(refuse_copy)?;
                    return Ok(commands);
                }
                Encoded::Misses(names) if looked_up => {
                    let names: Vec<_> = names.into_iter().map(|name| name.name).collect();
                    return Err(Error::query(format!(
                        "the database has no type {}",
                        names.join(", ")
                    ))
                    .with_hint("run the migrations, or look at the search_path"));
                }
                Encoded::Misses(names) => self.look_up(&names, deadline)?,
            }
            looked_up = true;
        }
    }

    /// Asks the server for the OIDs of types, all in one query.
    pub(super) fn look_up(&mut self, names: &[TypeName], deadline: Instant) -> Result<()> {
        let schemas: Vec<_> = names.iter().map(|name| name.schema.as_deref()).collect();
        let types: Vec<_> = names.iter().map(|name| Some(name.name.as_str())).collect();
        let query = diesel::sql_query(
            "SELECT t.oid, t.typarray, wanted.number::text \
             FROM unnest($1, $2) WITH ORDINALITY AS wanted (schema, name, number) \
             JOIN pg_catalog.pg_type t ON t.oid = pg_catalog.to_regtype(\
             coalesce(pg_catalog.quote_ident(wanted.schema) || '.', '') || pg_catalog.quote_ident(wanted.name))",
        )
        .bind::<Array<Nullable<Text>>, _>(schemas)
        .bind::<Array<Nullable<Text>>, _>(types);
        let mut encoder = Encoder::new(Arc::clone(&self.types));
        let command = render(&query, Expectation::Any, &mut encoder.lookup)?;
        let answers = self.exchange(&[], &[command], &[], CommitPoint::Later, deadline)?;
        let rows = answers.into_iter().flat_map(SessionRow::all);
        let found = rows.map(|row| {
            use diesel::row::Row as _;
            let oid = row.get_value::<Oid, u32, _>(0).map_err(Error::decode)?;
            let array = row.get_value::<Oid, u32, _>(1).map_err(Error::decode)?;
            let number: usize = row
                .get_value::<Text, String, _>(2)
                .map_err(Error::decode)?
                .parse()
                .map_err(|_| wrong_count(1, 0))?;
            Ok(names
                .get(number - 1)
                .map(|name| (name.clone(), (oid, array))))
        });
        let found: Vec<_> = found.collect::<Result<Vec<_>>>()?;
        self.types.extend(found.into_iter().flatten());
        Ok(())
    }

    /// Sends commands up to one Sync and gives the answers to those in the middle.
    fn exchange(
        &mut self,
        before: &[Command],
        commands: &[Command],
        after: &[Command],
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
        before: &[Command],
        commands: &[Command],
        after: &[Command],
        commit: CommitPoint,
        deadline: Instant,
    ) -> Result<Vec<ResultSet>> {
        let waiting: Vec<_> = self
            .transactions
            .waiting()
            .iter()
            .map(|sql| Command::plain(Arc::clone(sql)))
            .collect();
        let all: Vec<&Command> = waiting
            .iter()
            .chain(before)
            .chain(commands)
            .chain(after)
            .collect();
        let first = waiting.len() + before.len();
        let messages = self.messages(&all)?;
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
                match place.and_then(|place| all.get(place).map(|command| (place, *command))) {
                    Some((place, command)) if (first..first + commands.len()).contains(&place) => {
                        error
                            .with_sql(Arc::clone(&command.sql))
                            .with_place(place - first + 1, commands.len())
                    }
                    Some((_, command)) => error.with_sql(Arc::clone(&command.sql)),
                    None => error,
                },
            );
        }
        Ok(answers
            .into_iter()
            .skip(first)
            .take(commands.len())
            .flatten()
            .collect())
    }

    /// The messages for commands, with names for those that come back.
    fn messages(&mut self, commands: &[&Command]) -> Result<VecDeque<Message>> {
        let mut messages: VecDeque<_> = self
            .prepared
            .to_close()
            .iter()
            .map(|name| Message::Close { name: name.clone() })
            .collect();
        for (number, command) in commands.iter().enumerate() {
            let (types, values) = (command.types.clone(), command.values.clone());
            let sql = || {
                c_string(&command.sql)
                    .map_err(|said| Error::query(said).with_sql(Arc::clone(&command.sql)))
            };
            if !(command.reusable && self.prepared.is_on()) {
                messages.push_back(Message::Unnamed {
                    command: number,
                    sql: sql()?,
                    types,
                    values,
                });
                continue;
            }
            let name = match self.prepared.plan(&command.sql, &command.types) {
                Plan::Known(name) => name,
                Plan::New(name) => {
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

    /// Runs a script of any number of statements, as one simple query; gives the tags of its commands.
    pub(super) fn script(&mut self, sql: &str) -> Result<Vec<String>> {
        if let Some(lost) = &self.lost {
            return Err(Error::unavailable(format!("the session was lost: {lost}"))
                .with_hint("take a new session from the pool"));
        }
        let deadline = self.call_deadline();
        let before: String = self
            .transactions
            .waiting()
            .iter()
            .map(|sql| format!("{sql};"))
            .collect();
        let within = self.transactions.depth() > 0;
        let text: Arc<str> = format!("{before}{sql}").into();
        let c_text = c_string(&text).map_err(Error::query)?;
        let mut script = Script::new(&mut self.connection, c_text);
        let driven = drive(&mut script, deadline);
        let (driven, expired) = match driven {
            Err(Stopped::Deadline) => (
                settle(&mut script, |script| Cancel::start(script.connection())),
                true,
            ),
            other => (other, false),
        };
        let heard = std::mem::take(&mut script.heard);
        self.transactions.sent();
        let result = match (driven, heard.error) {
            (Err(stopped), error) => {
                let outcome = if heard.sent && !within {
                    Outcome::Unknown
                } else {
                    Outcome::NotCommitted
                };
                Err(self.lost_error(stopped, error, expired, outcome))
            }
            (Ok(()), Some(error)) => {
                Err(shift(server_error(&error, expired), before.chars().count())
                    .with_sql(sql.into()))
            }
            (Ok(()), None) => Ok(heard.tags),
        };
        if let Err(error) = &result {
            self.transactions.note(error);
        }
        // A script may hold its own BEGIN or COMMIT.
        if self.connection.transaction_status() == TransactionStatus::Idle
            && self.transactions.depth() > 0
        {
            self.transactions.reset();
        }
        result
    }

    fn call_deadline(&self) -> Instant {
        let own = after(self.limit);
        self.deadline.map_or(own, |deadline| deadline.min(own))
    }

    /// Whether the server refused only because its schema changed under what this session remembered;
    /// then that is forgotten, and the statement, of which nothing happened, can be sent again.
    fn made_stale(&mut self, error: &Error) -> bool {
        let stale = match error.sqlstate() {
            Some(SqlState::INVALID_SQL_STATEMENT_NAME) => true,
            Some(SqlState::FEATURE_NOT_SUPPORTED) => error.message().contains("cached plan"),
            Some(SqlState::INTERNAL_ERROR | SqlState::UNDEFINED_OBJECT) => {
                error.message().contains("type")
            }
            _ => false,
        };
        if stale && self.is_idle() && error.outcome() == Outcome::NotCommitted {
            self.prepared.forget_all();
            self.types.clear();
            return true;
        }
        false
    }

    /// Marks the session as lost.
    fn lose(&mut self, said: String, outcome: Outcome) -> Error {
        self.transactions.set_broken();
        let error =
            Error::unavailable(format!("the connection was lost: {said}")).with_outcome(outcome);
        self.lost.get_or_insert(said);
        error
    }

    fn lost_error(
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

/// Where the work becomes lasting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommitPoint {
    /// At the Sync.
    Sync,
    /// At a COMMIT among the commands.
    Command,
    /// Not in this exchange.
    Later,
}

/// SET CONSTRAINTS comes first so that deferred checks fail as an ordinary statement does, with all their
/// fields and within `statement_timeout`, which does not bound COMMIT.
fn commit_commands() -> Vec<Command> {
    vec![
        Command::plain("SET CONSTRAINTS ALL IMMEDIATE"),
        Command::plain("COMMIT"),
    ]
}

/// Asks the server to cancel, and hears it out for a moment.
fn settle<M: Machine>(
    machine: &mut M,
    cancel: impl Fn(&M) -> Result<Cancel, String>,
) -> Result<(), Stopped> {
    let patience = after(GRACE);
    if let Ok(cancel) = cancel(machine) {
        // Whether the request got through shows in what the server answers.
        drive(&mut Cancelling(cancel), patience).ok();
    }
    drive(machine, patience)
}

/// Lets the server hold the row counts; one lone query that only reads is judged by its answer, which costs the server less.
fn hold(commands: &mut [Command]) -> Verdict {
    if let [command] = commands {
        if command.only_reads() {
            return Verdict::Server;
        }
    }
    let verdicts: Vec<_> = commands.iter_mut().map(Command::hold).collect();
    if verdicts.contains(&Verdict::Client) {
        Verdict::Client
    } else {
        Verdict::Server
    }
}

fn judge(commands: &[Command], answers: &[ResultSet]) -> Result<()> {
    for (number, (command, answer)) in commands.iter().zip(answers).enumerate() {
        let place = |error: Error| {
            error
                .with_sql(Arc::clone(&command.sql))
                .with_place(number + 1, commands.len())
        };
        // What the server held has an answer of another shape.
        if matches!(command.rows, Expectation::Exactly(_)) && answer.column_count() > 0 {
            continue;
        }
        check_count(command, answer).map_err(place)?;
    }
    Ok(())
}

/// What became of commands whose Sync was answered: reading leaves nothing to commit.
fn committed(commands: &[Command]) -> Outcome {
    if commands.iter().all(Command::only_reads) {
        Outcome::NotCommitted
    } else {
        Outcome::Committed
    }
}

/// COPY needs somebody to feed or to read it, which a pipeline cannot do.
fn refuse_copy(command: &Command) -> Result<()> {
    if first_keyword(&command.sql) != "COPY" {
        return Ok(());
    }
    let sql = command.sql.to_ascii_uppercase();
    let words: Vec<_> = sql.split_whitespace().collect();
    let streams = words.windows(2).any(|pair| {
        matches!(
            pair,
            ["FROM", "STDIN" | "STDIN;"] | ["TO", "STDOUT" | "STDOUT;"]
        )
    });
    if !streams {
        return Ok(());
    }
    Err(
        Error::query("COPY from or to the client cannot run as a statement")
            .with_hint("insert the rows in chunks with insert_many, or let the server read a file")
            .with_sql(Arc::clone(&command.sql)),
    )
}

/// The error of an answer.
fn server_error(result: &ResultSet, expired: bool) -> Error {
    let text = |field| result.error_field(field);
    let Some(sqlstate) = text(Field::SqlState).and_then(|code| SqlState::new(&code)) else {
        return Error::query(result.error_message());
    };
    let message = text(Field::Message).unwrap_or_default();
    if let Some((expected, found)) =
        unmet(&message).filter(|_| sqlstate == SqlState::INVALID_TEXT_REPRESENTATION)
    {
        return wrong_count(expected, usize::try_from(found).unwrap_or(usize::MAX));
    }
    let error = Error::from_server(ServerError {
        severity: text(Field::Severity).unwrap_or_default(),
        sqlstate,
        message,
        detail: text(Field::Detail),
        hint: text(Field::Hint),
        position: text(Field::Position).and_then(|position| position.parse().ok()),
        context: text(Field::Context),
        schema: text(Field::Schema),
        table: text(Field::Table),
        column: text(Field::Column),
        data_type: text(Field::DataType),
        constraint: text(Field::Constraint),
    });
    if expired {
        error.with_hint(
            "the call's deadline passed and the statement was cancelled: see Session::within and Config::call_timeout",
        )
    } else {
        error
    }
}

/// The same error with its position counted from behind what was put in front of the SQL.
fn shift(error: Error, by: usize) -> Error {
    let Some(server) = error
        .server()
        .filter(|server| by > 0 && server.position.is_some())
    else {
        return error;
    };
    let server = ServerError {
        position: server
            .position
            .and_then(|position| position.checked_sub(by)),
        ..server.clone()
    };
    Error::from_server(server)
}

/// A text of libpq's without the password, which it may quote.
pub(super) fn without_secret(said: &str, secret: Option<&str>) -> String {
    match secret.filter(|secret| secret.len() >= 4) {
        Some(secret) => said.replace(secret, "***"),
        None => said.to_owned(),
    }
}
