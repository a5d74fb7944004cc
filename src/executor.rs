//! The trait for code that runs statements on a database, a session or a transaction alike.

use crate::database::{Database, PooledSession};
use crate::error::Result;
use crate::session::Session;
use crate::statement::Statement;

/// A type that runs statements: a database, a session or a transaction.
///
/// A function takes an executor by value, and is called with `&db`, `&mut session` or the `tx` of a
/// transaction. To use a session again afterwards, pass `&mut *tx` or `&mut tx`. The trait is
/// sealed.
///
/// ```
/// use bowline::{Database, Executor, Result, StatementDsl as _, sql_query};
///
/// fn close(mut db: impl Executor, username: &str) -> Result<()> {
///     let update = sql_query("UPDATE accounts SET status = 'closed' WHERE username = $1");
///     db.run(update.bind::<diesel::sql_types::Text, _>(username).exactly(1))?;
///     Ok(())
/// }
///
/// fn close_both(db: &Database) -> Result<()> {
///     close(db, "ann")?;
///     db.transaction(|tx| close(tx, "bob"))
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not run statements",
    label = "not an executor",
    note = "pass `&db`, `&mut session`, or the `tx` of a transaction"
)]
pub trait Executor: Sealed {
    /// Runs a statement, all or nothing: one round trip.
    fn run<S: Statement>(&mut self, statement: S) -> Result<S::Output>;
}

/// A supertrait that keeps the trait closed, so that methods can be added to it.
pub trait Sealed {}

impl Sealed for &Database {}

impl Executor for &Database {
    #[track_caller]
    fn run<S: Statement>(&mut self, statement: S) -> Result<S::Output> {
        Database::run(self, statement)
    }
}

impl Sealed for Session {}

impl Executor for Session {
    fn run<S: Statement>(&mut self, statement: S) -> Result<S::Output> {
        Self::run(self, statement)
    }
}

impl Sealed for PooledSession {}

impl Executor for PooledSession {
    fn run<S: Statement>(&mut self, statement: S) -> Result<S::Output> {
        Session::run(self, statement)
    }
}

impl<E: Executor + ?Sized> Sealed for &mut E {}

impl<E: Executor + ?Sized> Executor for &mut E {
    #[track_caller]
    fn run<S: Statement>(&mut self, statement: S) -> Result<S::Output> {
        E::run(self, statement)
    }
}
