//! Statements that lock the rows they read.

use std::sync::Arc;

use super::query::{Affected, Rows};
use super::{Answers, Encoder, Map, Named, Sealed, Statement, Unprepared};
use crate::command::text::Derivation;
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

/// A statement whose rows may be locked: any except a generated one that writes or counts.
#[diagnostic::on_unimplemented(
    message = "the rows of `{Self}` cannot be locked",
    label = "it does not read rows of a table",
    note = "an INSERT, UPDATE or DELETE locks the rows it writes by itself"
)]
pub trait Lockable {}

impl<Q, R, T, N> Lockable for Rows<Q, R, T, N> {}
impl<Q> Lockable for Affected<Q> {}
impl<S: Lockable, F> Lockable for Map<S, F> {}
impl<S: Lockable> Lockable for Named<S> {}
impl<S: Lockable> Lockable for Unprepared<S> {}
impl<S: ?Sized> Lockable for Box<S> {}

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
            let locking = Derivation::Locked(self.strength, self.others);
            let text = encoder.texts.derived(&command.text, locking, || {
                let written = bare(command.sql());
                // On a line of its own, because SQL written by hand may end with a comment.
                begins_with(&written, &["select", "with", "table"])
                    .then(|| format!("{written}\n{}{}", self.strength, self.others))
            });
            let Some(text) = text else {
                return Err(Error::query("only a query that reads can lock its rows")
                    .with_hint("an INSERT, UPDATE or DELETE locks the rows it writes by itself")
                    .with_sql(Arc::clone(command.sql())));
            };
            command.set_text(text);
        }
        encoded
    }

    fn decode(&self, answers: &mut Answers) -> Result<S::Output> {
        self.statement.decode(answers)
    }
}
