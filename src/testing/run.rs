//! The functions that the expansion of `#[bowline::test]` calls.

use super::TestDatabase;
use super::sandbox::sandbox_of;
use super::template::Template;
#[cfg(feature = "tokio")]
use crate::AsyncDatabase;
use crate::Database;

/// Runs a test in a [`sandbox()`](super::sandbox()). A process reads the folder once.
///
/// Panics, like a failed test, if no server is available; the message says what to install.
pub fn run_in_sandbox<T>(migrations: &str, test: impl FnOnce(Database) -> T) -> T {
    match Template::remembered(migrations).and_then(|template| sandbox_of(&template)) {
        Ok(database) => test(database),
        Err(error) => panic!("{error}"),
    }
}

/// Runs a test in a [`TestDatabase`] of its own. A process reads the folder once.
///
/// Panics, like a failed test, if no server is available; the message says what to install.
pub fn run_in_database<T>(migrations: &str, test: impl FnOnce(Database) -> T) -> T {
    let opened = Template::remembered(migrations)
        .and_then(|template| TestDatabase::of_template(&template))
        .and_then(|database| Ok((database.open()?, database)));
    match opened {
        // The database outlives the pool that the test was given.
        Ok((pool, _database)) => test(pool),
        Err(error) => panic!("{error}"),
    }
}

/// As [`run_in_sandbox`], for a test of asynchronous code: it runs on a tokio runtime of this
/// thread.
#[cfg(feature = "tokio")]
pub fn run_async_in_sandbox<T>(migrations: &str, test: impl AsyncFnOnce(AsyncDatabase) -> T) -> T {
    run_in_sandbox(migrations, |db| on_a_runtime(test(db.into_async())))
}

/// As [`run_in_database`], for a test of asynchronous code: it runs on a tokio runtime of this
/// thread.
#[cfg(feature = "tokio")]
pub fn run_async_in_database<T>(migrations: &str, test: impl AsyncFnOnce(AsyncDatabase) -> T) -> T {
    run_in_database(migrations, |db| on_a_runtime(test(db.into_async())))
}

#[cfg(feature = "tokio")]
fn on_a_runtime<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(test),
        Err(error) => panic!("could not start a tokio runtime: {error}"),
    }
}
