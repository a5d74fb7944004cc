//! Units of work of asynchronous code.

use std::panic::Location;

use crate::database::unit_of_work::{OutputHandle, Outputs, UnitOfWork};
use crate::error::Result;
use crate::statement::Statement;

/// A collection of statements that will run in one transaction, as [`UnitOfWork`] is; returned by
/// [`AsyncDatabase::unit_of_work`](super::AsyncDatabase::unit_of_work).
#[derive(Debug)]
#[must_use = "nothing is sent before `commit`"]
pub struct AsyncUnitOfWork<'a>(pub(super) UnitOfWork<'a>);

impl<'a> AsyncUnitOfWork<'a> {
    /// Adds a statement, as [`UnitOfWork::add`] does.
    pub fn add<S>(&mut self, statement: S) -> OutputHandle<S::Output>
    where
        S: Statement + Send + 'a,
        S::Output: Send + 'static,
    {
        self.0.add(statement)
    }

    /// Runs and commits all statements, or none, as [`UnitOfWork::commit`] does: one round trip.
    #[track_caller]
    pub fn commit(self) -> impl Future<Output = Result<Outputs>> + Send + use<'a> {
        self.0.commit_at(Location::caller())
    }
}
