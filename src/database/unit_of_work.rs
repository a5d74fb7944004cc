//! Collect statements of any kind, then commit them together in one round trip.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::database::Database;
use crate::error::{Error, Result};
use crate::statement::{BoxedStatement, Statement};

/// Statements that will be one transaction.
///
/// For code that finds out step by step what is to be written; where all is known at one place, a tuple
/// of statements does the same. Nothing is sent before [`UnitOfWork::commit`]; dropped without it, the
/// unit was never there.
///
/// ```
/// # use bowline::{sql, Database, Result, StatementDsl as _};
/// # fn rename(db: &Database) -> Result<()> {
/// let mut work = db.unit_of_work();
/// let renamed = work.add(sql("UPDATE accounts SET username = 'ann' WHERE id = 1").affected());
/// work.add(sql("INSERT INTO audit (what) VALUES ('renamed')").exactly(1));
/// let mut done = work.commit()?;
/// assert_eq!(done.take(renamed)?, 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before `commit`"]
pub struct UnitOfWork<'a> {
    database: &'a Database,
    statements: Vec<BoxedStatement<'a, Box<dyn Any>>>,
    number: u64,
}

/// The place of a statement's output in [`Done`].
#[derive(Debug)]
pub struct Ticket<T> {
    unit: u64,
    place: usize,
    output: PhantomData<fn() -> T>,
}

/// What a committed unit of work gave.
#[must_use = "holds the outputs of the statements"]
pub struct Done {
    unit: u64,
    /// Lost where only the answer was, the work being committed.
    outputs: Result<Vec<Option<Box<dyn Any>>>>,
}

impl<'a> UnitOfWork<'a> {
    pub(crate) fn new(database: &'a Database) -> Self {
        static UNITS: AtomicU64 = AtomicU64::new(0);
        Self {
            database,
            statements: Vec::new(),
            number: UNITS.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Adds a statement, to run after those added before; the ticket gives its output once committed.
    pub fn add<S>(&mut self, statement: S) -> Ticket<S::Output>
    where
        S: Statement + 'a,
        S::Output: 'static,
    {
        let place = self.statements.len();
        self.statements.push(
            statement
                .map(|output| Box::new(output) as Box<dyn Any>)
                .boxed(),
        );
        Ticket {
            unit: self.number,
            place,
            output: PhantomData,
        }
    }

    /// Runs and commits all of them, or none: one round trip, retried as a whole as [`Database::run`] is.
    ///
    /// With a [`keyed`](crate::keyed) database it also succeeds where the connection was lost and the work turned out
    /// to be committed; then there are no outputs to take.
    #[track_caller]
    pub fn commit(self) -> Result<Done> {
        let answered = self.database.run_for(self.statements, Location::caller())?;
        Ok(Done {
            unit: self.number,
            outputs: answered.map(|outputs| outputs.into_iter().map(Some).collect()),
        })
    }
}

impl Done {
    /// The output of a statement; fails for a ticket of another unit of work, and where the answer was lost.
    pub fn take<T: 'static>(&mut self, ticket: Ticket<T>) -> Result<T> {
        let outputs = self.outputs.as_mut().map_err(|lost| {
            Error::unavailable(lost.message().to_owned())
                .with_outcome(lost.outcome())
                .with_hint("only the answer was lost: read what is needed of it")
        })?;
        let output = outputs
            .get_mut(ticket.place)
            .filter(|_| ticket.unit == self.unit)
            .and_then(Option::take);
        match output.map(Box::<dyn Any>::downcast) {
            Some(Ok(output)) => Ok(*output),
            _ => Err(Error::query("the ticket belongs to another unit of work")
                .with_hint("give each ticket to what its own unit's commit returned")),
        }
    }
}

impl fmt::Debug for UnitOfWork<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnitOfWork")
            .field("statements", &self.statements.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Done")
            .field("outputs", &self.outputs.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}
