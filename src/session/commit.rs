//! How a transaction ends: the commands that commit it, and those that take it back.

use super::Session;
use super::exchange::{Batch, CommitPoint};
use crate::command::Command;
use crate::deadline::after;
use crate::error::{Error, Outcome, Result};
use crate::sql_text::read_only::Reads;
use crate::wire::answer::Answer;
use crate::wire::cancel::CANCEL_GRACE;
use std::time::Instant;

impl Session {
    /// Commits the open transaction: one round trip.
    pub(super) fn commit(&mut self) -> Result<()> {
        let deadline = self.limits.call_deadline();
        let [constraints, commit] = commit_commands();
        let batch = Batch {
            before: vec![constraints],
            ..Batch::of(vec![commit])
        };
        // Where nothing was written, the outcome is never unknown.
        let sent = self.transactions.sent();
        let point = if sent == Reads::Yes {
            CommitPoint::Later
        } else {
            CommitPoint::Command
        };
        let result = self.as_statement(|session| {
            session.observer.set_commands(&batch.commands);
            session.exchange(batch, point, deadline)
        });
        if let Err(error) = &result {
            self.transactions.set_hinges_on_names(
                sent == Reads::IfBuiltIn && error.outcome() == Outcome::Unknown,
            );
        }
        check_commit(result?.answers.last())
    }

    /// Sends commands that take back work of the open transaction: one round trip.
    pub(super) fn roll_back_with(&mut self, sql: &[&str]) -> Result<()> {
        let commands: Vec<_> = sql.iter().map(|sql| Command::plain(*sql)).collect();
        // The end of a transaction gets time even when the call that failed used up its own.
        let deadline = self.limits.call_deadline().max(after(CANCEL_GRACE));
        self.as_statement(|session| {
            session.observer.set_commands(&commands);
            session.exchange(Batch::of(commands), CommitPoint::Undo, deadline)
        })?;
        Ok(())
    }

    /// Rolls back the failed transaction of a statement; a session that cannot do that is lost.
    pub(super) fn roll_back_failed(&mut self, deadline: Instant) {
        if self.connection.is_lost() {
            return;
        }
        let rollback = Batch::of(vec![Command::plain("ROLLBACK")]);
        let deadline = deadline.max(after(CANCEL_GRACE));
        if self
            .exchange(rollback, CommitPoint::Undo, deadline)
            .is_err()
        {
            self.connection
                .set_lost(|| "a failed transaction could not be rolled back".to_owned());
        }
    }
}

/// Returns the commands that commit a transaction.
///
/// SET CONSTRAINTS comes first so that deferred checks fail as an ordinary statement does, with all their
/// fields and within `statement_timeout`, which does not bound COMMIT.
pub(super) fn commit_commands() -> [Command; 2] {
    [
        Command::plain("SET CONSTRAINTS ALL IMMEDIATE"),
        Command::plain("COMMIT"),
    ]
}

/// Fails unless the server answered COMMIT: to the COMMIT of a failed transaction it answers ROLLBACK.
pub(super) fn check_commit(answer: Option<&Answer>) -> Result<()> {
    match answer.and_then(Answer::command_tag) {
        Some(tag) if tag == "COMMIT" => Ok(()),
        tag => Err(Error::query(format!(
            "the server answered {} to COMMIT",
            tag.unwrap_or_default()
        ))),
    }
}
