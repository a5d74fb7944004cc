//! Blocking work of asynchronous code, on tokio's blocking threads.
//!
//! diesel's own functions block their thread, and a future must not. There are never more of these
//! threads than the pool has sessions, because a call that has to wait for a thread waits as a
//! future. A call whose future is dropped is given up (`wire/interrupt.rs`): its statement is
//! cancelled on the server and its transaction is rolled back.

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
use crate::wire::interrupt::Interrupt;

/// Runs work on a blocking thread, within the limit of a call of this database.
pub(super) async fn call<T, E, F>(
    database: Arc<Database>,
    threads: Arc<Semaphore>,
    location: &'static Location<'static>,
    work: F,
) -> Result<T, E>
where
    F: FnOnce(&Database) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
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
