//! The functions that the expansion of `#[bowline::test]` calls.

use super::TestDatabase;
use super::sandbox::sandbox_of;
use super::template::Template;
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
