//! Executes statements: encodes them, adds their transaction, sends them and checks the answers.

use std::sync::Arc;
use std::time::Instant;

use super::Session;
use super::batch::{Batch, BatchResult};
use super::check::check_known;
use super::commit::check_commit;
use super::encode::{refuse_begin, refuse_end};
use super::exchange::CommitPoint;
use super::position::CommitPosition;
use crate::command::control::Control;
use crate::command::extra::Extra;
use crate::command::row_count::check_count;
use crate::command::text::TextCache;
use crate::command::types::TypeName;
use crate::command::{CheckedBy, Command, ExpectedRows, WrittenRows};
use crate::error::{Error, Outcome, Result};
use crate::retry::is_stale;
use crate::sql_text::read_only::Reads;
use crate::sql_text::search_path::SearchPathKey;
use crate::statement::{Encoded, Statement};
use crate::transaction::TransactionStart;
use crate::wire::answer::Answer;
use crate::wire::driver::Completion;

/// The transaction in which commands run.
#[derive(Debug, Clone)]
pub(crate) enum TransactionMode {
    /// A separate transaction, with the session's defaults.
    Implicit,
    /// A separate transaction that begins with these commands, BEGIN first; they and COMMIT are
    /// sent along.
    Explicit(Arc<[Control]>),
    /// Part of the open transaction.
    Within,
}

impl TransactionMode {
    /// Returns the mode of a statement outside of a transaction, whose own one begins with `start`.
    pub(crate) fn own(start: &TransactionStart) -> Self {
        if start.is_plain() {
            Self::Implicit
        } else {
            Self::Explicit(Arc::clone(&start.sql))
        }
    }
}

/// A statement that was begun: what has to happen next.
#[derive(Debug)]
enum Started {
    /// Its pipeline is to be driven, and ended like this.
    InFlight(Ending),
    /// Types have to be looked up before it can be encoded.
    Misses(Vec<(SearchPathKey, TypeName)>),
    /// Its row counts are checked by the answer, before the commit of the transaction that begins
    /// like this.
    CommitsLater(Vec<Command>, Arc<[Control]>),
    /// It has no commands.
    Empty(Vec<Command>),
}

/// The end of a statement's pipeline.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// The Sync, where an implicit transaction is committed.
    Sync,
    /// A COMMIT that was sent along.
    Commit,
    /// The transaction goes on.
    Within(CheckedBy),
}

/// A statement that was answered, and needs the server once more.
#[derive(Debug)]
enum Unsettled {
    /// It failed, and nothing is left to do.
    Failed(Error),
    /// It failed within a transaction of its own, which is still open.
    Open(Error),
    /// The types of its answer were not compared before.
    Untyped(BatchResult),
}

impl Session {
    /// Executes a statement, and retries it once if the server refused only because its schema had
    /// changed.
    ///
    /// The usual way waits in one place. What is rare waits in a box, so that it does not make the
    /// future larger.
    pub(super) async fn execute<S: Statement + ?Sized>(
        &mut self,
        statement: &mut S,
        mode: TransactionMode,
        mut deadline: Instant,
    ) -> Result<BatchResult> {
        let (mut asked, mut is_again) = (Vec::new(), false);
        let result = loop {
            let done = match self.start(statement, &mode) {
                Ok(Started::InFlight(ending)) => {
                    let completion = self.drive_exchange(deadline).await;
                    match self.end(ending, completion) {
                        Ok(result) => break result,
                        Err(unsettled) => Box::pin(self.settle(unsettled, deadline)).await,
                    }
                }
                Ok(Started::Misses(names)) => {
                    match Box::pin(self.look_up_new(names, &mut asked, deadline)).await {
                        Ok(()) => continue,
                        Err(error) => Err(error),
                    }
                }
                Ok(Started::CommitsLater(commands, start)) => {
                    Box::pin(self.execute_then_commit(commands, &start, deadline)).await
                }
                Ok(Started::Empty(commands)) => Ok(BatchResult::empty(commands)),
                Err(error) => Err(error),
            };
            match done {
                Ok(result) => break result,
                // If it fails for the same reason with newly looked-up types, the types are not the
                // cause.
                Err(error) if is_again => {
                    self.transactions.has_fresh_types();
                    return Err(error.resting_on_types(false));
                }
                // Each of the few things that can be done without is refused once.
                Err(error)
                    if !matches!(mode, TransactionMode::Within)
                        && self.transactions.repeats_without()
                        && self.is_idle()
                        && error.outcome() == Outcome::NotCommitted =>
                {
                    deadline = self.limits.call_deadline();
                }
                Err(error)
                    if !matches!(mode, TransactionMode::Within) && self.handle_stale(&error) =>
                {
                    is_again = true;
                    asked.clear();
                    deadline = self.limits.call_deadline();
                }
                Err(error) => {
                    if is_stale(&error) && !self.is_broken() {
                        self.forget_schema();
                    }
                    return Err(error);
                }
            }
        };
        self.transactions.note_success();
        let rows = result.commands().iter().map(|command| command.rows);
        self.observer.count_answers(rows.zip(result.answers()));
        Ok(result)
    }

    /// Encodes a statement, and prepares its pipeline.
    fn start<S: Statement + ?Sized>(
        &mut self,
        statement: &S,
        mode: &TransactionMode,
    ) -> Result<Started> {
        let opening = match mode {
            TransactionMode::Explicit(opening) => opening,
            _ => &[][..],
        };
        match self.encode_at_once(statement, opening)? {
            Encoded::Commands(commands) => self.start_commands(commands, mode),
            Encoded::Misses(names) => Ok(Started::Misses(names)),
        }
    }

    fn start_commands(
        &mut self,
        mut commands: Vec<Command>,
        mode: &TransactionMode,
    ) -> Result<Started> {
        self.observer.set_commands(&commands);
        if commands.is_empty() {
            return Ok(Started::Empty(commands));
        }
        // The caller ends a transaction that the caller began with SQL.
        let mode = match mode {
            TransactionMode::Implicit
                if self.connection.is_in_transaction()
                    && !commands.iter().any(Command::ends_transaction) =>
            {
                &TransactionMode::Within
            }
            mode => mode,
        };
        // A lone BEGIN or COMMIT is allowed: the caller ends that transaction.
        // While the session has a transaction open, `encode` refuses it.
        let is_alone = commands.len() == 1 && matches!(mode, TransactionMode::Implicit);
        if !is_alone && self.transactions.depth() == 0 {
            commands.iter().try_for_each(refuse_end)?;
        }
        if commands.len() > 1 {
            commands.iter().try_for_each(refuse_begin)?;
        }
        // Within a transaction, the server commits nothing before the answer is checked.
        let checked_here = match mode {
            TransactionMode::Within => Reads::IfBuiltIn,
            _ => Reads::Yes,
        };
        let asks_position = self.asks_position(&commands);
        // The place behind a commit is known only if the COMMIT is a command.
        let plain;
        let mode = match mode {
            TransactionMode::Implicit if asks_position => {
                plain = TransactionMode::Explicit(TransactionStart::plain().sql);
                &plain
            }
            mode => mode,
        };
        let checked_by = check_rows(&mut commands, checked_here, mode, &mut self.texts);
        let ending = match (mode, checked_by) {
            (TransactionMode::Implicit, CheckedBy::Client) => {
                let start = TransactionStart::plain().sql;
                return Ok(Started::CommitsLater(commands, start));
            }
            (TransactionMode::Explicit(start), CheckedBy::Client) => {
                return Ok(Started::CommitsLater(commands, Arc::clone(start)));
            }
            (TransactionMode::Implicit, CheckedBy::Server) if needs_transaction(&commands) => {
                let batch = with_commit(&TransactionStart::plain().sql, commands, Vec::new());
                self.start_exchange(batch, CommitPoint::Command)?;
                Ending::Commit
            }
            (TransactionMode::Implicit, CheckedBy::Server) => {
                self.start_exchange(Batch::of(commands), CommitPoint::Sync)?;
                Ending::Sync
            }
            (TransactionMode::Explicit(start), CheckedBy::Server) => {
                let batch = with_commit(start, commands, self.before_commit());
                let batch = batch.followed_by(asks_position.then(CommitPosition::query));
                self.start_exchange(batch, CommitPoint::Command)?;
                Ending::Commit
            }
            (TransactionMode::Within, checked_by) => {
                let xid = self.xid_query(&commands);
                let batch = Batch::of(commands).followed_by(xid);
                self.start_exchange(batch, CommitPoint::Later)?;
                Ending::Within(checked_by)
            }
        };
        Ok(Started::InFlight(ending))
    }

    /// Returns whether the place behind the commit of these commands is wanted, and can be asked
    /// for in the same round trip.
    fn asks_position(&mut self, commands: &[Command]) -> bool {
        if !self.position.is_wanted() || commands.iter().all(Command::only_reads) {
            return false;
        }
        self.position.note_write();
        self.transactions.depth() == 0 && !commands.iter().any(Command::ends_its_transaction)
    }

    /// Returns the query for the transaction ID, if it is needed and the server has it.
    fn xid_query(&self, commands: &[Command]) -> Option<Command> {
        let query = self.transactions.xid_query(commands)?;
        let lacking = self.types.cache().lacking();
        (!lacking.has(Extra::TransactionId)).then_some(query)
    }

    /// Takes the answers of a statement whose pipeline was driven, and checks them.
    fn end(
        &mut self,
        ending: Ending,
        completion: Completion,
    ) -> std::result::Result<BatchResult, Unsettled> {
        let result = self.end_exchange(completion);
        if let (Ending::Commit, Err(_)) = (ending, &result)
            && !self.is_idle()
        {
            return result.map_err(Unsettled::Open);
        }
        let checked = result.and_then(|result| match ending {
            Ending::Sync => Ok(result.committed()),
            Ending::Commit => {
                let (committed, behind) = result.around_commit();
                if let Some((_, before)) = committed.split_last() {
                    self.record_has_deferrable(before);
                }
                check_commit(committed.last())?;
                self.position.note(behind.first());
                Ok(result.committed())
            }
            Ending::Within(checked_by) => {
                self.transactions.note_xid(result.after());
                if checked_by == CheckedBy::Client {
                    check_counts(&result)?;
                }
                Ok(result)
            }
        });
        let result = checked.map_err(Unsettled::Failed)?;
        match check_known(result.commands(), result.answers()) {
            Some(Ok(())) => Ok(result),
            Some(Err(error)) => Err(Unsettled::Failed(error.with_outcome(result.outcome))),
            None => Err(Unsettled::Untyped(result)),
        }
    }

    /// Does what an answered statement needs the server for.
    async fn settle(&mut self, unsettled: Unsettled, deadline: Instant) -> Result<BatchResult> {
        match unsettled {
            Unsettled::Failed(error) => Err(error),
            Unsettled::Open(error) => {
                self.roll_back_failed(deadline).await;
                Err(error)
            }
            Unsettled::Untyped(mut result) => {
                let outcome = result.outcome;
                let (commands, answers) = result.parts();
                let checked = self.check_answers(commands, answers, deadline).await;
                checked.map_err(|error| error.with_outcome(outcome))?;
                Ok(result)
            }
        }
    }

    /// Sends commands whose row counts are known only from the answer; the commit takes another
    /// round trip, after the check.
    async fn execute_then_commit(
        &mut self,
        commands: Vec<Command>,
        start: &[Control],
        deadline: Instant,
    ) -> Result<BatchResult> {
        let xid = self.xid_query(&commands);
        let batch = Batch::of(commands)
            .preceded_by(start.iter().map(Control::command))
            .followed_by(xid);
        let committed = self.check_then_commit(batch, deadline).await;
        if committed.is_err() && !self.is_idle() {
            Box::pin(self.roll_back_failed(deadline)).await;
        }
        let mut result = committed?;
        result.outcome = Outcome::Committed;
        Ok(result)
    }

    async fn check_then_commit(&mut self, batch: Batch, deadline: Instant) -> Result<BatchResult> {
        let mut result = self.exchange(batch, CommitPoint::Later, deadline).await?;
        self.transactions.note_xid(result.after());
        check_counts(&result)?;
        let (commands, answers) = result.parts();
        self.check_answers(commands, answers, deadline).await?;
        let commit = Batch::of(vec![Command::commit()]).preceded_by(self.before_commit());
        let asks = self.position.is_wanted().then(CommitPosition::query);
        let committed = self
            .exchange(commit.followed_by(asks), CommitPoint::Command, deadline)
            .await?;
        self.record_has_deferrable(committed.before());
        check_commit(committed.answers().last())?;
        self.position.note(committed.after().first());
        Ok(result)
    }
}

/// Returns commands together with those that begin and commit their transaction: one round trip,
/// one more if it fails.
fn with_commit(start: &[Control], commands: Vec<Command>, before_commit: Vec<Command>) -> Batch {
    // BEGIN and COMMIT do not count as work of the transaction; the row of a commit key does.
    let is_no_work = |command: Command| command.with_reads(Reads::Yes);
    let start = start.iter().map(|control| {
        let command = control.command();
        if TransactionStart::writes(control) {
            command
        } else {
            is_no_work(command)
        }
    });
    Batch::of(commands)
        .preceded_by(start)
        .followed_by(before_commit.into_iter().map(is_no_work))
        .followed_by([is_no_work(Command::commit())])
}

impl BatchResult {
    /// Sets the outcome of commands whose Sync was answered: reading leaves nothing to commit.
    fn committed(mut self) -> Self {
        let wrote_nothing = |(command, answer): (&Command, &Answer)| {
            command.only_reads()
                || (command.written == WrittenRows::AtMostOne && answer.rows_affected() == 0)
        };
        let mut all = self.commands().iter().zip(self.answers());
        self.outcome = if all.all(wrote_nothing) {
            Outcome::NotCommitted
        } else {
            Outcome::Committed
        };
        self
    }
}

/// Returns whether commands need BEGIN and COMMIT.
///
/// PostgreSQL runs the commands before one Sync in one transaction (manual, 55.2.4). Some servers
/// that use its protocol do not: Citus commits each command. So BEGIN and COMMIT are sent if a
/// command that can fail follows one that writes. Commands that PostgreSQL runs only outside of
/// transactions (VACUUM, CREATE INDEX CONCURRENTLY) are sent without them.
fn needs_transaction(commands: &[Command]) -> bool {
    let Some((_, before)) = commands.split_last() else {
        return false;
    };
    !before.iter().all(Command::only_reads)
        && !commands.iter().any(Command::cannot_run_in_transaction)
}

/// Lets the server check the row counts.
///
/// A lone query that reads, with this certainty, is checked by its answer, which costs the server
/// less. So is a lone write that changes one row or nothing, unless more is committed with it.
fn check_rows(
    commands: &mut [Command],
    checked_here: Reads,
    mode: &TransactionMode,
    texts: &mut TextCache,
) -> CheckedBy {
    if let [command] = commands
        && command.rows != ExpectedRows::Any
        && command.reads() >= checked_here
        && !matches!(command.rows, ExpectedRows::Exactly(_))
    {
        return CheckedBy::Server;
    }
    let is_alone = commands.len() == 1 && !matches!(mode, TransactionMode::Explicit(_));
    let mut checked_by = CheckedBy::Server;
    for command in commands {
        match command.written {
            WrittenRows::One => continue,
            WrittenRows::AtMostOne if is_alone => continue,
            _ => {}
        }
        if command.check_rows_on_server(texts) == CheckedBy::Client {
            checked_by = CheckedBy::Client;
        }
    }
    checked_by
}

/// Checks the row counts that the server could not check.
fn check_counts(result: &BatchResult) -> Result<()> {
    let (commands, answers) = (result.commands(), result.answers());
    for (index, (command, answer)) in commands.iter().zip(answers).enumerate() {
        let with_command = |error: Error| {
            error
                .with_sql(Arc::clone(command.sql()))
                .with_statement(index + 1, commands.len())
        };
        // If the server has checked it, the answer has another shape.
        if command.is_checked_by_server() {
            continue;
        }
        check_count(command, answer).map_err(with_command)?;
    }
    Ok(())
}
