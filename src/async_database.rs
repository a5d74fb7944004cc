//! The database for asynchronous applications, on separate threads.
//!
//! libpq and diesel block their thread, and a future must not. So each call runs on one of tokio's
//! blocking threads. There are never more of them than the pool has sessions, because a call that
//! has to wait for a session waits as a future. A call whose future is dropped is given up
//! (`session/interrupt.rs`): its statement is cancelled on the server and its transaction is rolled
//! back. Its session is returned clean, or is closed.

use std::fmt;
use std::panic::{Location, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::Span;
use tracing::dispatcher::{get_default, with_default};

use crate::database::Database;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::statement::Statement;
use crate::transaction::TransactionOptions;
use crate::wire::interrupt::Interrupt;

/// A [`Database`] for asynchronous code; returned by [`Database::into_async`]. Cheap to clone;
/// clones share the pool.
///
/// Needs a tokio runtime. Each call occupies one of its blocking threads while it runs.
///
/// # Dropping a future
///
/// Dropping a future before it is done gives its call up for good. The call's statement is
/// cancelled on the server, and each later step of its closure fails with
/// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout). Waits and pauses end, and the transaction is
/// rolled back. Rust code between two steps is not interrupted.
///
/// Nothing of the call is committed, unless its commit was being sent. The commit counts as being
/// sent once libpq has this message to write to the socket:
///
/// - for statements sent in one round trip, the message that ends it (Sync), or the COMMIT before
///   it;
/// - for a transaction, its COMMIT;
/// - for a COPY into the database, the end of its data;
/// - for a script outside of a transaction, the script.
#[derive(Clone)]
pub struct AsyncDatabase {
    database: Database,
    /// The permits for threads, as many as there may be sessions.
    threads: Arc<Semaphore>,
}

impl Database {
    /// Returns the database for asynchronous code.
    pub fn into_async(self) -> AsyncDatabase {
        let threads = Arc::new(Semaphore::new(
            self.pool_state().max.try_into().unwrap_or(1),
        ));
        AsyncDatabase {
            database: self,
            threads,
        }
    }
}

impl AsyncDatabase {
    /// Runs a statement as [`Database::run`] does: all or nothing, in one round trip.
    #[track_caller]
    pub fn run<S>(&self, statement: S) -> impl Future<Output = Result<S::Output>> + Send + use<S>
    where
        S: Statement + Send + 'static,
        S::Output: Send + 'static,
    {
        let location = Location::caller();
        self.call(move |database| database.run_for(statement, location)?)
    }

    /// Runs `work` as [`Database::transaction`] does, on a blocking thread; after a conflict it is
    /// run again from its beginning.
    #[track_caller]
    pub fn transaction<T, F>(&self, work: F) -> impl Future<Output = Result<T>> + Send + use<T, F>
    where
        F: Fn(&mut Session) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let location = Location::caller();
        self.call(move |database| database.transaction_at(location, work))
    }

    /// Runs `work` as [`Database::transaction_with_error`] does, on a blocking thread.
    #[track_caller]
    pub fn transaction_with_error<T, E, F>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        F: Fn(&mut Session) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let location = Location::caller();
        self.call(move |database| database.transaction_at(location, work))
    }

    /// Runs any other work on a [`Database`], on a blocking thread.
    ///
    /// ```
    /// # use bowline::{AsyncDatabase, Result, StatementDsl as _};
    /// # use bank::schema::accounts;
    /// # use diesel::prelude::*;
    /// # async fn load(db: &AsyncDatabase, names: Vec<String>) -> Result<u64> {
    /// db.call(|db| db.copy_in((accounts::username,), names.into_iter().map(|name| (name,))))
    ///     .await
    /// # }
    /// ```
    #[track_caller]
    pub fn call<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        F: FnOnce(&Database) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let location = Location::caller();
        let (database, threads) = (self.database.clone(), Arc::clone(&self.threads));
        async move {
            let began = Instant::now();
            let patience = database.patience();
            let turn = timeout(patience, threads.acquire_owned()).await;
            let Ok(Ok(turn)) = turn else {
                return Err(database.out_of_time(location).into());
            };
            let (_gives_up_on_drop, interrupt) = Interrupt::new();
            let left = patience.saturating_sub(began.elapsed());
            let done = on_a_thread(left, move || {
                let _turn = turn;
                let database = database.less(began.elapsed());
                interrupt.run(|| work(&database))
            });
            done.await
                .unwrap_or_else(|| Err(no_thread(patience).into()))
        }
    }

    /// Returns the database with these options, as [`Database::with_options`] does.
    pub fn with_options(&self, options: TransactionOptions) -> Self {
        Self {
            database: self.database.with_options(options),
            threads: Arc::clone(&self.threads),
        }
    }

    /// Returns the database with this limit, as [`Database::with_timeout`] does; the wait for one
    /// of tokio's blocking threads counts too.
    ///
    /// A call that gets no thread in time fails with
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), and its work never begins. So does a call
    /// that another call waits for, if that one holds the only thread.
    pub fn with_timeout(&self, limit: Duration) -> Self {
        Self {
            database: self.database.with_timeout(limit),
            threads: Arc::clone(&self.threads),
        }
    }

    /// Returns the database itself, whose calls block.
    pub fn blocking(&self) -> &Database {
        &self.database
    }
}

impl fmt::Debug for AsyncDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncDatabase")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// Runs work on a blocking thread, within the current span; a panic continues in the caller.
///
/// Returns `None` if no thread was free in this time; then the work is never begun.
async fn on_a_thread<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (dispatch, span) = (get_default(Clone::clone), Span::current());
    // Either the thread or the deadline comes first, and decides.
    let is_decided = Arc::new(AtomicBool::new(false));
    let begins = Arc::clone(&is_decided);
    let mut task = spawn_blocking(move || {
        (!begins.swap(true, Ordering::AcqRel))
            .then(|| with_default(&dispatch, || span.in_scope(work)))
    });
    let done = match timeout(patience, &mut task).await {
        Ok(done) => done,
        Err(_) if is_decided.swap(true, Ordering::AcqRel) => task.await,
        Err(_) => return None,
    };
    match done {
        Ok(done) => done,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // A runtime that shuts down drops its tasks, including this one, and polls them no
            // more.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Returns the error of a call for which tokio had no thread.
fn no_thread(patience: Duration) -> Error {
    Error::timeout(format!(
        "none of tokio's blocking threads was free within {patience:?}"
    ))
    .with_hint(
        "raise the runtime's max_blocking_threads; within the closure of a call use the database that it is given, \
         and wait for no other call",
    )
}
