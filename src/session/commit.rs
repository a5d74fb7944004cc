//! The end of a transaction: the commands that commit it or roll it back.

use super::Session;
use super::batch::Batch;
use super::exchange::CommitPoint;
use super::position::{CommitPosition, Committed};
use crate::command::Command;
use crate::command::extra::Extra;
use crate::deadline::after;
use crate::error::{Error, Outcome, Result};
use crate::sql_text::read_only::Reads;
use crate::wire::answer::Answer;
use crate::wire::cancel::CANCEL_GRACE;
use std::time::Instant;

impl Session {
    /// Commits the open transaction: one round trip.
    pub(super) async fn commit(&mut self) -> Result<()> {
        let deadline = self.limits.call_deadline();
        let batch = Batch::of(vec![Command::commit()]).preceded_by(self.before_commit());
        // If nothing was written, a lost COMMIT has nothing to commit: the outcome is never
        // unknown.
        let sent = self.transactions.sent();
        let point = if sent == Reads::Yes {
            CommitPoint::Later
        } else {
            CommitPoint::Command
        };
        let asks = self.position.is_wanted() && sent != Reads::Yes;
        if asks {
            self.position.note_write();
        }
        let batch = batch.followed_by(asks.then(CommitPosition::query));
        let result = self.exchange_as_statement(batch, point, deadline).await;
        if let Err(error) = &result {
            self.transactions.set_depends_on_shadowing(
                sent == Reads::IfBuiltIn && error.outcome() == Outcome::Unknown,
            );
        }
        let result = result?;
        self.record_has_deferrable(result.before());
        check_commit(result.answers().last())?;
        self.position.note(result.after().first());
        Ok(())
    }

    /// Asks for the place in the write-ahead log behind all that was committed so far: one round
    /// trip.
    pub(crate) async fn ask_position(&mut self) -> Committed {
        self.position.begin(true);
        self.position.note_write();
        let batch = Batch::of(vec![CommitPosition::query()]);
        let deadline = self.limits.call_deadline();
        let asked = self.exchange_as_statement(batch, CommitPoint::Later, deadline);
        if let Ok(result) = asked.await {
            self.position.note(result.answers().first());
        }
        self.position.take()
    }

    /// Returns the commands sent before a COMMIT: SET CONSTRAINTS, so that `statement_timeout`
    /// bounds deferred checks; nothing if the database has no deferrable constraint.
    ///
    /// The first commit of a pool asks the server for that. A constraint that is added later is
    /// checked by COMMIT itself.
    pub(super) fn before_commit(&self) -> Vec<Command> {
        let lacking = self.types.cache().lacking();
        if lacking.has(Extra::CheckConstraints) {
            return Vec::new();
        }
        match self.types.cache().has_deferrable() {
            None if lacking.has(Extra::DeferrableQuery) => vec![Command::check_constraints()],
            Some(false) => Vec::new(),
            Some(true) => vec![Command::check_constraints()],
            None => vec![
                Command::check_constraints(),
                Command::deferrable_query().with_reads(Reads::Yes),
            ],
        }
    }

    /// Reads the answers to [`Session::before_commit`], which are the last of these answers.
    pub(super) fn record_has_deferrable(&self, answers: &[Answer]) {
        if self.types.cache().has_deferrable().is_none()
            && let Some(answer) = answers.last()
            && let Some([has @ (0 | 1)]) = answer.value(0, 0)
        {
            self.types.cache().set_has_deferrable(*has == 1);
        }
    }

    /// Sends commands that undo work of the open transaction: one round trip.
    pub(super) async fn roll_back_with(&mut self, sql: &[&str]) -> Result<()> {
        let commands: Vec<_> = sql.iter().map(|sql| Command::plain(*sql)).collect();
        // Ending a transaction gets time even if the failed call has used up its limit.
        let deadline = self.limits.call_deadline().max(after(CANCEL_GRACE));
        self.exchange_as_statement(Batch::of(commands), CommitPoint::Undo, deadline)
            .await?;
        Ok(())
    }

    /// Rolls back the failed transaction of a statement; a session that cannot do that is lost.
    pub(super) async fn roll_back_failed(&mut self, deadline: Instant) {
        if self.connection.is_lost() {
            return;
        }
        let rollback = Batch::of(vec![Command::control("ROLLBACK")]);
        let deadline = deadline.max(after(CANCEL_GRACE));
        if self
            .exchange(rollback, CommitPoint::Undo, deadline)
            .await
            .is_err()
        {
            self.connection
                .set_lost(|| "a failed transaction could not be rolled back".to_owned());
        }
    }
}

/// Fails unless the server answered COMMIT: to the COMMIT of a failed transaction it answers
/// ROLLBACK.
pub(super) fn check_commit(answer: Option<&Answer>) -> Result<()> {
    if answer.is_some_and(Answer::is_commit) {
        return Ok(());
    }
    let message = match answer.and_then(Answer::command_tag).as_deref() {
        Some("ROLLBACK") => {
            "the transaction was rolled back at COMMIT: an earlier statement had failed".to_owned()
        }
        Some(tag) => format!("the server answered {tag} to COMMIT"),
        None => "the server did not answer COMMIT with a command tag".to_owned(),
    };
    Err(Error::query(message))
}
