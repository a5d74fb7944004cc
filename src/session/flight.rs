//! A statement's way to the server and back.
//!
//! Encodes, chooses how the commands become a transaction, and says what became of the work.

use std::sync::Arc;
use std::time::Instant;

use super::Session;
use super::exchange::{Arrived, Cargo, CommitPoint};
use crate::command::row_count::check_count;
use crate::command::types::TypeLookup;
use crate::command::{Command, Expectation, Verdict};
use crate::deadline::after;
use crate::error::{Error, Outcome, Result};
use crate::retry::made_stale;
use crate::sql_text::keywords::{begins_with, copy_direction};
use crate::sql_text::read_only::Reads;
use crate::statement::{Encoded, Statement};
use crate::transaction::Opening;
use crate::wire::answer::Answer;
use crate::wire::cancel::GRACE;

/// How commands become a transaction.
#[derive(Debug, Clone)]
pub(super) enum Frame {
    /// One of its own, as the session has it.
    Implicit,
    /// They are one with these words, BEGIN first: they and COMMIT travel along.
    Explicit(Vec<Arc<str>>),
    /// They are part of the one that is open.
    Within,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Flown {
    pub(super) commands: Vec<Command>,
    pub(super) answers: Vec<Answer>,
    /// What became of the work, should reading the answers fail.
    pub(super) outcome: Outcome,
}

impl Session {
    /// Sends a statement and takes its answers.
    pub(super) fn fly<S: Statement + ?Sized>(
        &mut self,
        statement: &S,
        frame: Frame,
    ) -> Result<Flown> {
        let first = self.fly_once(statement, frame.clone());
        let flown = match first {
            Err(error) if !matches!(frame, Frame::Within) && self.made_stale(&error) => {
                // What fails for the same reason with types that were looked up just now does not rest on them.
                self.fly_once(statement, frame).map_err(|error| {
                    self.transactions.has_fresh_types();
                    error.resting_on_types(false)
                })
            }
            Err(error) if made_stale(&error) && !self.is_broken() => {
                self.forget_schema();
                Err(error)
            }
            other => other,
        }?;
        self.transactions.latest = None;
        let rows = flown.commands.iter().map(|command| command.rows);
        self.watch.answered(rows.zip(&flown.answers));
        Ok(flown)
    }

    fn fly_once<S: Statement + ?Sized>(&mut self, statement: &S, frame: Frame) -> Result<Flown> {
        let deadline = self.call_deadline();
        let mut commands = self.encode(statement, deadline)?;
        self.watch.asks(&commands);
        if commands.is_empty() {
            return Ok(Flown {
                commands,
                answers: Vec::new(),
                outcome: Outcome::NotCommitted,
            });
        }
        // A transaction that the caller began by hand is the caller's to end.
        let frame = match frame {
            Frame::Implicit
                if self.is_in_transaction() && !commands.iter().any(Command::ends_transaction) =>
            {
                Frame::Within
            }
            frame => frame,
        };
        // A lone BEGIN or COMMIT is allowed: the caller ends that transaction.
        let is_alone = commands.len() == 1 && matches!(frame, Frame::Implicit);
        if !is_alone {
            commands.iter().try_for_each(refuse_end)?;
        }
        if commands.len() > 1 {
            commands.iter().try_for_each(refuse_begin)?;
        }
        // Within a transaction nothing is committed by an answer.
        let judged_here = match frame {
            Frame::Within => Reads::IfBuiltIn,
            _ => Reads::Yes,
        };
        let verdict = hold(&mut commands, judged_here);
        match (frame, verdict) {
            (Frame::Implicit, Verdict::Client) => {
                self.fly_and_judge(commands, Opening::plain().sql, deadline)
            }
            (Frame::Explicit(opening), Verdict::Client) => {
                self.fly_and_judge(commands, opening, deadline)
            }
            (Frame::Implicit, Verdict::Server) if needs_transaction(&commands) => {
                let [_, commit] = commit_commands();
                self.fly_in(Opening::plain().sql, commands, vec![commit], deadline)
            }
            (Frame::Implicit, Verdict::Server) => {
                let arrived = self.exchange(Cargo::of(commands), CommitPoint::Sync, deadline)?;
                self.checked(Flown::committed(arrived), deadline)
            }
            (Frame::Explicit(opening), Verdict::Server) => {
                self.fly_in(opening, commands, commit_commands().into(), deadline)
            }
            (Frame::Within, verdict) => {
                let cargo = Cargo {
                    after: self.transactions.xid.question(&commands),
                    ..Cargo::of(commands)
                };
                let arrived = self.exchange(cargo, CommitPoint::Later, deadline)?;
                self.transactions.xid.note(&arrived.after);
                if verdict == Verdict::Client {
                    judge(&arrived)?;
                }
                self.checked(Flown::new(arrived, Outcome::NotCommitted), deadline)
            }
        }
    }

    /// Sends commands with the words that begin and commit their transaction: one round trip, one more if it fails.
    fn fly_in(
        &mut self,
        opening: Vec<Arc<str>>,
        commands: Vec<Command>,
        commit: Vec<Command>,
        deadline: Instant,
    ) -> Result<Flown> {
        let mut opening = opening.into_iter().map(Command::plain);
        // The words around a transaction are no work of it; the row of a commit key is.
        let is_no_work = |command: Command| command.with_reads(Reads::Yes);
        let begin = opening.next().map(is_no_work);
        let cargo = Cargo {
            before: begin.into_iter().chain(opening).collect(),
            commands,
            after: commit.into_iter().map(is_no_work).collect(),
        };
        let arrived = self.exchange(cargo, CommitPoint::Command, deadline);
        if arrived.is_err() && !self.is_idle() {
            self.undo(deadline);
        }
        let arrived = arrived?;
        check_commit(arrived.after.last())?;
        self.checked(Flown::committed(arrived), deadline)
    }

    /// Checks the types of what came back; an error has the outcome of what was done.
    fn checked(&mut self, mut flown: Flown, deadline: Instant) -> Result<Flown> {
        self.check_answers(&mut flown.commands, &flown.answers, deadline)
            .map_err(|error| error.with_outcome(flown.outcome))?;
        Ok(flown)
    }

    /// For row counts that only the answer tells: the commit takes a trip of its own, after the judgement.
    fn fly_and_judge(
        &mut self,
        commands: Vec<Command>,
        opening: Vec<Arc<str>>,
        deadline: Instant,
    ) -> Result<Flown> {
        let cargo = Cargo {
            before: opening.into_iter().map(Command::plain).collect(),
            after: self.transactions.xid.question(&commands),
            ..Cargo::of(commands)
        };
        let flown = self.exchange(cargo, CommitPoint::Later, deadline);
        let judged = flown.and_then(|mut arrived| {
            self.transactions.xid.note(&arrived.after);
            judge(&arrived)?;
            self.check_answers(&mut arrived.commands, &arrived.answers, deadline)?;
            let commit = Cargo::of(commit_commands().into());
            let committed = self.exchange(commit, CommitPoint::Command, deadline)?;
            check_commit(committed.answers.last())?;
            Ok(arrived)
        });
        if judged.is_err() && !self.is_idle() {
            self.undo(deadline);
        }
        Ok(Flown::new(judged?, Outcome::Committed))
    }

    /// Ends a failed transaction that this file began; a session that cannot is lost.
    fn undo(&mut self, deadline: Instant) {
        let rollback = || Cargo::of(vec![Command::plain("ROLLBACK")]);
        if self.lost.is_none()
            && self
                .exchange(rollback(), CommitPoint::Undo, deadline.max(after(GRACE)))
                .is_err()
        {
            self.lost
                .get_or_insert_with(|| "a failed transaction could not be rolled back".to_owned());
        }
    }

    /// Sends commands that take back work of the open transaction.
    pub(super) fn take_back(&mut self, sql: &[&str]) -> Result<()> {
        let commands: Vec<_> = sql.iter().map(|sql| Command::plain(*sql)).collect();
        // What ends a transaction is given time even when the call that failed used up its own.
        let deadline = self.call_deadline().max(after(GRACE));
        self.watched(|session| {
            session.watch.asks(&commands);
            session.exchange(Cargo::of(commands), CommitPoint::Undo, deadline)
        })?;
        Ok(())
    }

    /// Commits the open transaction.
    pub(super) fn commit(&mut self) -> Result<()> {
        let deadline = self.call_deadline();
        let [constraints, commit] = commit_commands();
        let cargo = Cargo {
            before: vec![constraints],
            ..Cargo::of(vec![commit])
        };
        // Where nothing was written, nothing is at stake.
        let sent = self.transactions.sent;
        let point = if sent == Reads::Yes {
            CommitPoint::Later
        } else {
            CommitPoint::Command
        };
        let arrived = self.watched(|session| {
            session.watch.asks(&cargo.commands);
            session.exchange(cargo, point, deadline)
        });
        if let Err(error) = &arrived {
            self.transactions.hinges_on_names =
                sent == Reads::IfBuiltIn && error.outcome() == Outcome::Unknown;
        }
        check_commit(arrived?.answers.last())
    }

    /// Makes the commands, looking up types that are met for the first time.
    pub(super) fn encode<S: Statement + ?Sized>(
        &mut self,
        statement: &S,
        deadline: Instant,
    ) -> Result<Vec<Command>> {
        let mut looked_up = false;
        loop {
            let mut encoder = self.encoder();
            let encoded = statement.encode(&mut encoder);
            match encoder.finish(encoded)? {
                Encoded::Commands(commands) => {
                    commands.iter().try_for_each(refuse_copy)?;
                    if self.transactions.depth() > 0 {
                        commands.iter().try_for_each(refuse_end)?;
                    }
                    self.look_whether_they_read(&commands);
                    return Ok(commands);
                }
                Encoded::Misses(names) if looked_up => {
                    let names: Vec<_> = names.into_iter().map(|(_, name)| name.name).collect();
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

    /// Tells of commands by hand whether they only read, where that is about to be asked and where words do not count.
    fn look_whether_they_read(&mut self, commands: &[Command]) {
        let is_asked = |command: &Command| {
            commands.len() > 1 || command.rows != Expectation::Any || self.transactions.depth() > 0
        };
        for command in commands {
            if !self.trusts_words || self.is_read_otherwise(&command.sql) {
                let is_show = begins_with(&command.sql, &["show"]);
                command.tell_reads(|_| if is_show { Reads::Yes } else { Reads::No });
            } else if is_asked(command) {
                command.tell_reads(|sql| self.known_reads.reads(sql));
            }
        }
    }

    /// The types that encoding will ask for, looked up.
    pub(crate) fn known_types(&mut self, ask: impl Fn(&mut TypeLookup)) -> Result<TypeLookup> {
        let mut lookup =
            TypeLookup::new(Arc::clone(&self.types), self.search_path.setting().clone());
        ask(&mut lookup);
        let misses = lookup.take_misses();
        if !misses.is_empty() {
            self.look_up(&misses, self.call_deadline())?;
        }
        Ok(lookup)
    }

    /// The SQL of a statement that binds no values, and whether diesel made it.
    pub(crate) fn text_of(&mut self, statement: &impl Statement) -> Result<(Arc<str>, bool)> {
        let deadline = self.call_deadline();
        let commands = self.encode(statement, deadline)?;
        match commands.as_slice() {
            [command] if command.values.is_empty() => {
                Ok((Arc::clone(&command.sql), command.reusable))
            }
            [command] => Err(Error::query("COPY takes no parameters, and the query has some")
                .with_hint("read its rows with Session::stream, or write the values into the query with sql_query")
                .with_sql(Arc::clone(&command.sql))),
            _ => Err(Error::query("COPY takes one query")),
        }
    }

    /// Whether the server refused only because its schema changed under what this session remembered;
    /// then that is forgotten, and the statement, of which nothing happened, can be sent again.
    pub(super) fn made_stale(&mut self, error: &Error) -> bool {
        if made_stale(error) && self.is_idle() && error.outcome() == Outcome::NotCommitted {
            self.forget_schema();
            return true;
        }
        false
    }

    /// Forgets what is remembered of the database's schema.
    pub(crate) fn forget_schema(&mut self) {
        self.prepared.forget_all();
        self.types.clear();
    }
}

/// SET CONSTRAINTS comes first so that deferred checks fail as an ordinary statement does, with all their
/// fields and within `statement_timeout`, which does not bound COMMIT.
fn commit_commands() -> [Command; 2] {
    [
        Command::plain("SET CONSTRAINTS ALL IMMEDIATE"),
        Command::plain("COMMIT"),
    ]
}

/// Whether commands have to be made a transaction by BEGIN and COMMIT.
///
/// To PostgreSQL what stands before one Sync is a transaction by itself (manual, 55.2.4), but not to all that speak its
/// protocol: Citus commits each command. So it is said wherever something can fail behind a command that writes. What
/// PostgreSQL runs outside of transactions only (VACUUM, CREATE INDEX CONCURRENTLY) goes without.
fn needs_transaction(commands: &[Command]) -> bool {
    let Some((_, before)) = commands.split_last() else {
        return false;
    };
    !before.iter().all(Command::only_reads) && !commands.iter().any(Command::stands_alone)
}

/// PostgreSQL answers ROLLBACK to the COMMIT of a transaction that has failed.
fn check_commit(answer: Option<&Answer>) -> Result<()> {
    match answer.and_then(Answer::command_tag) {
        Some(tag) if tag == "COMMIT" => Ok(()),
        tag => Err(Error::query(format!(
            "the server answered {} to COMMIT",
            tag.unwrap_or_default()
        ))),
    }
}

/// Lets the server hold the row counts; one lone query that reads, with this certainty, is judged by its answer, which
/// costs the server less.
fn hold(commands: &mut [Command], judged_here: Reads) -> Verdict {
    if let [command] = commands
        && command.rows != Expectation::Any
        && command.reads() >= judged_here
        && !matches!(command.rows, Expectation::Exactly(_))
    {
        return Verdict::Server;
    }
    let mut verdict = Verdict::Server;
    for number in 0..commands.len() {
        let (before, rest) = commands.split_at_mut(number);
        if let Some(command) = rest.first_mut()
            && command.hold(before.last()) == Verdict::Client
        {
            verdict = Verdict::Client;
        }
    }
    verdict
}

fn judge(
    Arrived {
        commands, answers, ..
    }: &Arrived,
) -> Result<()> {
    for (number, (command, answer)) in commands.iter().zip(answers).enumerate() {
        let place = |error: Error| {
            error
                .with_sql(Arc::clone(&command.sql))
                .with_place(number + 1, commands.len())
        };
        // The server has judged, and its answer has another shape.
        if command.is_held() {
            continue;
        }
        check_count(command, answer).map_err(place)?;
    }
    Ok(())
}

impl Flown {
    fn new(
        Arrived {
            commands, answers, ..
        }: Arrived,
        outcome: Outcome,
    ) -> Self {
        Self {
            commands,
            answers,
            outcome,
        }
    }

    /// What became of commands whose Sync was answered: reading leaves nothing to commit.
    fn committed(arrived: Arrived) -> Self {
        let outcome = if arrived.commands.iter().all(Command::only_reads) {
            Outcome::NotCommitted
        } else {
            Outcome::Committed
        };
        Self::new(arrived, outcome)
    }
}

/// A transaction that a statement began would be open when the answer says that the statement's work is committed.
fn refuse_begin(command: &Command) -> Result<()> {
    if !command.begins_transaction() {
        return Ok(());
    }
    Err(
        Error::query("a statement cannot begin a transaction: nothing would end it")
            .with_hint("run the statements as one tuple, or in Database::transaction")
            .with_sql(Arc::clone(&command.sql)),
    )
}

/// A transaction that ended under its closure would commit what follows one by one, and be tried again from its beginning.
fn refuse_end(command: &Command) -> Result<()> {
    if !command.ends_transaction() {
        return Ok(());
    }
    Err(cannot_end(&command.sql))
}

/// The refusal of a statement that would end a transaction.
pub(super) fn cannot_end(sql: &str) -> Error {
    Error::query("a statement cannot end the transaction that it runs in")
        .with_hint("return from the closure: Ok commits, an error rolls back")
        .with_sql(sql.into())
}

/// COPY needs somebody to feed or to read it, which a pipeline cannot do.
fn refuse_copy(command: &Command) -> Result<()> {
    match copy_direction(&command.sql) {
        None => Ok(()),
        Some(_) => Err(copy_in_a_pipeline().with_sql(Arc::clone(&command.sql))),
    }
}

/// The refusal of a COPY from or to the client.
pub(super) fn copy_in_a_pipeline() -> Error {
    Error::query("COPY from or to the client cannot run as a statement").with_hint(
        "see Session::copy_in and Session::copy_out, and copy_in_from and copy_out_to for bytes",
    )
}
