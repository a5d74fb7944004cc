//! Code that runs statements and need not know on what.

use crate::database::{Database, PooledSession};
use crate::error::Result;
use crate::session::Session;
use crate::statement::Statement;

/// What a statement can be run on: a database, a session, a transaction.
///
/// ```
/// use bowline::{sql, Executor, Result, StatementDsl as _};
///
/// fn close(db: &mut impl Executor, username: &str) -> Result<()> {
///     let update = sql("UPDATE accounts SET status = 'closed' WHERE username = $1");
///     db.run(update.bind::<diesel::sql_types::Text, _>(username).exactly(1))?;
///     Ok(())
/// }
/// ```
pub trait Executor {
    /// Runs a statement, all or nothing: one round trip.
    fn run<S: Statement>(&mut self, statement: S) -> Result<S::Output>;
}

impl Executor for Database {
    #[track_caller]
    fn run<S: Statement>(&mut self, statement: S) -> Result<S::Output> {
        Self::run(self, statement)
    }
}

impl Executor for &Database {
    #[track_caller]
    fn run<S: Statement>(&mut self, statement: S) -> Result<S::Output> {
        Database::run(self, statement)
    }
}

impl Executor for Session {
    fn run<S: Statement>(&mut self, statement: S) -> Result<S::Output> {
        Self::run(self, statement)
    }
}

impl Executor for PooledSession {
    fn run<S: Statement>(&mut self, statement: S) -> Result<S::Output> {
        Session::run(self, statement)
    }
}
