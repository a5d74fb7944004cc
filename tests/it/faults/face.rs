//! The faces of a database, for tests whose bodies run through both.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bowline::copy::CopyRow;
use bowline::statement::BoxedStatement;
use bowline::{AsyncDatabase, Database, Result, Statement, TransactionOptions};
use diesel::pg::CopyTarget;
use tokio::runtime::{Builder, Runtime};

/// A database, called by a thread that blocks or by a task.
pub(super) enum Face {
    Blocking(Database),
    Async(AsyncDatabase, Arc<Runtime>),
}

/// Makes each face of a database.
pub(super) const FACES: [fn(&Database) -> Face; 2] = [Face::blocking, Face::asynchronous];

impl Face {
    fn blocking(db: &Database) -> Self {
        Self::Blocking(db.clone())
    }

    fn asynchronous(db: &Database) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = Arc::new(runtime.expect("a runtime"));
        Self::Async(db.clone().into_async(), runtime)
    }

    pub(super) fn with_options(&self, options: TransactionOptions) -> Self {
        match self {
            Self::Blocking(db) => Self::Blocking(db.with_options(options)),
            Self::Async(db, runtime) => Self::Async(db.with_options(options), Arc::clone(runtime)),
        }
    }

    pub(super) fn run<S>(&self, statement: S) -> Result<S::Output>
    where
        S: Statement + Send,
        S::Output: Send,
    {
        match self {
            Self::Blocking(db) => db.run(statement),
            Self::Async(db, runtime) => runtime.block_on(db.run(statement)),
        }
    }

    /// Runs the statements one by one in a transaction, each but the first in a savepoint.
    pub(super) fn transaction(
        &self,
        statements: impl Fn() -> Vec<BoxedStatement<'static, usize>> + Sync,
    ) -> Result<()> {
        match self {
            Self::Blocking(db) => db.transaction(|tx| {
                let mut statements = statements().into_iter();
                statements
                    .next()
                    .map_or(Ok(0), |statement| tx.run(statement))?;
                statements.try_for_each(|statement| tx.savepoint(|tx| tx.run(statement)).map(drop))
            }),
            Self::Async(db, runtime) => runtime.block_on(db.transaction(async |tx| {
                let mut statements = statements().into_iter();
                if let Some(statement) = statements.next() {
                    tx.run(statement).await?;
                }
                for statement in statements {
                    tx.savepoint(async |tx| tx.run(statement).await).await?;
                }
                Ok(())
            })),
        }
    }

    pub(super) fn copy_in<C, R>(&self, columns: C, rows: Vec<R>) -> Result<u64>
    where
        C: CopyTarget + Send,
        C::SqlType: Send,
        R: CopyRow<C::SqlType> + Send + Unpin,
    {
        match self {
            Self::Blocking(db) => db.copy_in(columns, rows),
            Self::Async(db, runtime) => {
                runtime.block_on(db.copy_in(columns, Items(rows.into_iter())))
            }
        }
    }
}

/// A stream of the items of a vector.
struct Items<R>(std::vec::IntoIter<R>);

impl<R: Unpin> futures_core::Stream for Items<R> {
    type Item = R;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<R>> {
        Poll::Ready(self.0.next())
    }
}
