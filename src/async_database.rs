//! From an asynchronous application: the database on threads of its own.
//!
//! libpq and diesel wait where they stand, and a future must not. So each call runs on one of tokio's
//! blocking threads; there are never more of them than the pool has sessions, because who has to wait for a
//! session waits as a future. A call whose future is dropped is given up (`session/interrupt.rs`): what the
//! server does for it is cancelled, its transaction rolled back, and its session comes back clean or not at all.

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

/// A [`Database`] for asynchronous code; made by [`Database::into_async`]. Cheap to clone; clones share the pool.
///
/// Needs a tokio runtime. Each call takes one of its blocking threads while it runs.
///
/// # Dropping a future
///
/// A future that is dropped before it is done gives its call up for good. What the call runs on the server is
/// cancelled, each later step of its closure fails with [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), waiting and pauses end, and its
/// transaction is rolled back. Rust code between two steps is not interrupted.
///
/// Nothing of the call is committed, unless its commit was on its way. It is on its way from the moment in which it
/// was handed to libpq to be written to the socket:
///
/// - for what travels in one round trip, the message that ends it (Sync), or the COMMIT in front of that;
/// - for a transaction, its COMMIT;
/// - for a COPY into the database, the end of its data;
/// - for a script outside of a transaction, the script.
#[derive(Clone)]
pub struct AsyncDatabase {
    database: Database,
    /// As many as there may be sessions.
    threads: Arc<Semaphore>,
}

impl Database {
    /// The same database for asynchronous code.
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
    /// As [`Database::run`]: a statement, all or nothing, in one round trip.
    #[track_caller]
    pub fn run<S>(&self, statement: S) -> impl Future<Output = Result<S::Output>> + Send + use<S>
    where
        S: Statement + Send + 'static,
        S::Output: Send + 'static,
    {
        let place = Location::caller();
        self.call(move |database| database.run_for(statement, place)?)
    }

    /// As [`Database::transaction`]: `work` runs on a blocking thread, again from its beginning after a conflict.
    #[track_caller]
    pub fn transaction<T, F>(&self, work: F) -> impl Future<Output = Result<T>> + Send + use<T, F>
    where
        F: Fn(&mut Session) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let place = Location::caller();
        self.call(move |database| database.transaction_at(place, work))
    }

    /// As [`Database::transaction_with_error`].
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
        let place = Location::caller();
        self.call(move |database| database.transaction_at(place, work))
    }

    /// Anything else that a [`Database`] does, on a blocking thread.
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
        let place = Location::caller();
        let (database, threads) = (self.database.clone(), Arc::clone(&self.threads));
        async move {
            let began = Instant::now();
            let patience = database.patience();
            let turn = timeout(patience, threads.acquire_owned()).await;
            let Ok(Ok(turn)) = turn else {
                return Err(database.out_of_time(place).into());
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

    /// As [`Database::with_options`].
    pub fn with_options(&self, options: TransactionOptions) -> Self {
        Self {
            database: self.database.with_options(options),
            threads: Arc::clone(&self.threads),
        }
    }

    /// As [`Database::with_timeout`]; the wait for one of tokio's blocking threads counts as well.
    ///
    /// A call that gets no thread in time fails with [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), and its work never begins. So does a call that
    /// is waited for within another, if that has the only thread.
    pub fn with_timeout(&self, limit: Duration) -> Self {
        Self {
            database: self.database.with_timeout(limit),
            threads: Arc::clone(&self.threads),
        }
    }

    /// The database itself, whose calls block.
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

/// Does work on a blocking thread, within the span that is current here; a panic there goes on here.
///
/// Work that got no thread in this time is never begun: `None`.
async fn on_a_thread<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (told, span) = (get_default(Clone::clone), Span::current());
    // Whoever is first, the thread or the deadline.
    let is_decided = Arc::new(AtomicBool::new(false));
    let begins = Arc::clone(&is_decided);
    let mut task = spawn_blocking(move || {
        (!begins.swap(true, Ordering::AcqRel)).then(|| with_default(&told, || span.in_scope(work)))
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
            // A runtime that shuts down drops its tasks, this one too, and polls none again.
            Err(_) => std::future::pending().await,
        },
    }
}

/// The error of a call for which tokio had no thread.
fn no_thread(patience: Duration) -> Error {
    Error::timeout(format!(
        "none of tokio's blocking threads was free within {patience:?}"
    ))
    .with_hint(
        "raise the runtime's max_blocking_threads; within the closure of a call use the database that it is given, \
         and wait for no other call",
    )
}
