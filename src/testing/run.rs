//! The functions that the expansion of `#[bowline::test]` calls.

use std::path::Path;

use super::{TestDatabase, sandbox};
use crate::Database;

/// Runs a test in a [`sandbox()`].
///
/// Panics, like a failed test, if no server is available; the message says what to install.
pub fn run_in_sandbox<T>(migrations: &str, test: impl FnOnce(Database) -> T) -> T {
    match sandbox(Path::new(migrations)) {
        Ok(database) => test(database),
        Err(error) => panic!("{error}"),
    }
}

/// Runs a test in a [`TestDatabase`] of its own.
///
/// Panics, like a failed test, if no server is available; the message says what to install.
pub fn run_in_database<T>(migrations: &str, test: impl FnOnce(Database) -> T) -> T {
    let opened = TestDatabase::create(Path::new(migrations))
        .and_then(|database| Ok((database.open()?, database)));
    match opened {
        // The database outlives the pool that the test was given.
        Ok((pool, _database)) => test(pool),
        Err(error) => panic!("{error}"),
    }
}
