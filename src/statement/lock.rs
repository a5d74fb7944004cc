//! Statements that lock the rows they read.

use std::sync::Arc;

use super::{Answers, Encoder, Sealed, Statement};
use crate::error::{Error, Result};
use crate::sql_text::keywords::begins_with;
use crate::sql_text::single_statement::bare;

/// A statement that locks the rows it reads until the transaction ends.
///
/// Returned by [`Statement::for_update`], [`Statement::for_share`] and the like. By default it
/// waits for rows that other transactions have locked, until the call's deadline or the server's
/// `lock_timeout`.
#[derive(Debug)]
#[must_use = "a statement does nothing until it is run"]
pub struct RowLock<S> {
    statement: S,
    strength: &'static str,
    others: &'static str,
}

impl<S> RowLock<S> {
    pub(super) fn new(statement: S, strength: &'static str) -> Self {
        Self {
            statement,
            strength,
            others: "",
        }
    }

    /// Skips rows that other transactions have locked: for queues, where any row will do.
    pub fn skip_locked(self) -> Self {
        Self {
            others: " SKIP LOCKED",
            ..self
        }
    }

    /// Fails at once with SQLSTATE 55P03 if another transaction has locked a row, instead of
    /// waiting.
    pub fn no_wait(self) -> Self {
        Self {
            others: " NOWAIT",
            ..self
        }
    }
}

impl<S> Sealed for RowLock<S> {}

impl<S: Statement> Statement for RowLock<S> {
    type Output = S::Output;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        let first = encoder.commands.len();
        let encoded = self.statement.encode(encoder);
        for command in &mut encoder.commands[first..] {
            let written = bare(command.sql());
            if !begins_with(&written, &["select", "with", "table"]) {
                return Err(Error::query("only a query that reads can lock its rows")
                    .with_hint("an INSERT, UPDATE or DELETE locks the rows it writes by itself")
                    .with_sql(Arc::clone(command.sql())));
            }
            // On a line of its own, because SQL written by hand may end with a comment.
            let locking = format!("{written}\n{}{}", self.strength, self.others);
            command.set_text(encoder.texts.of_sql(&locking).text);
        }
        encoded
    }

    fn decode(&self, answers: &mut Answers) -> Result<S::Output> {
        self.statement.decode(answers)
    }
}
