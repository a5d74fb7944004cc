//! Collects statements of any kind, then commits them together in one round trip.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::database::Database;
use crate::error::{Error, Result};
use crate::statement::{BoxedStatement, Statement};
use crate::wire::executor::block_on;

/// A collection of statements that will run in one transaction.
///
/// For code that finds out step by step what to write. Where all statements are known at once, a
/// tuple of statements does the same. Nothing is sent before [`UnitOfWork::commit`]. Dropping the
/// unit of work without committing discards it.
///
/// ```
/// # use bowline::{sql_query, Database, Result, StatementDsl as _};
/// # fn rename(db: &Database) -> Result<()> {
/// let mut work = db.unit_of_work();
/// let renamed = work.add(sql_query("UPDATE accounts SET username = 'ann' WHERE id = 1").affected());
/// work.add(sql_query("INSERT INTO audit (what) VALUES ('renamed')").exactly(1));
/// let mut outputs = work.commit()?;
/// assert_eq!(outputs.take(renamed)?, 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before `commit`"]
pub struct UnitOfWork<'a> {
    database: &'a Database,
    statements: Vec<BoxedStatement<'a, Box<dyn Any + Send>>>,
    number: u64,
}

/// Identifies a statement's output in [`Outputs`].
#[derive(Debug)]
pub struct OutputHandle<T> {
    unit: u64,
    index: usize,
    output: PhantomData<fn() -> T>,
}

/// The outputs of a committed unit of work.
#[must_use = "holds the outputs of the statements"]
pub struct Outputs {
    unit: u64,
    /// The outputs, or an error if the work is committed but its answer was lost.
    outputs: Result<Vec<Option<Box<dyn Any + Send>>>>,
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

    /// Adds a statement, which runs after those added before. The handle takes its output from
    /// [`Outputs`].
    pub fn add<S>(&mut self, statement: S) -> OutputHandle<S::Output>
    where
        S: Statement + Send + 'a,
        S::Output: Send + 'static,
    {
        let index = self.statements.len();
        self.statements.push(
            statement
                .map(|output| Box::new(output) as Box<dyn Any + Send>)
                .boxed(),
        );
        OutputHandle {
            unit: self.number,
            index,
            output: PhantomData,
        }
    }

    /// Runs and commits all statements, or none: one round trip, retried as a whole as
    /// [`Database::run`] is.
    ///
    /// With [a commit key](crate::TransactionOptions::with_generated_commit_key), it also succeeds
    /// if the connection was lost and the work turns out to be committed. Then there are no outputs
    /// to take.
    #[track_caller]
    pub fn commit(self) -> Result<Outputs> {
        block_on(self.commit_at(Location::caller()))
    }

    pub(crate) async fn commit_at(
        mut self,
        location: &'static Location<'static>,
    ) -> Result<Outputs> {
        let answered = self
            .database
            .run_for(&mut self.statements, location)
            .await?;
        Ok(Outputs {
            unit: self.number,
            outputs: answered.map(|outputs| outputs.into_iter().map(Some).collect()),
        })
    }
}

impl Outputs {
    /// Returns the output of a statement. Fails for a handle of another unit of work, and if the
    /// answer was lost.
    pub fn take<T: 'static>(&mut self, handle: OutputHandle<T>) -> Result<T> {
        let outputs = self.outputs.as_mut().map_err(|lost| {
            Error::unavailable(lost.message().to_owned())
                .with_outcome(lost.outcome())
                .with_hint(
                    "the work is committed and only the answer was lost: read the rows again",
                )
        })?;
        let output = outputs
            .get_mut(handle.index)
            .filter(|_| handle.unit == self.unit)
            .and_then(Option::take);
        match output.map(Box::<dyn Any + Send>::downcast) {
            Some(Ok(output)) => Ok(*output),
            _ => Err(Error::query("the handle belongs to another unit of work")
                .with_hint("use each handle with the outputs of its own unit of work")),
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

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outputs")
            .field("outputs", &self.outputs.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}
