//! A database within a transaction that is never committed.

use std::path::Path;

use diesel::Connection as _;

use super::LocalServerError;
use super::template::{Server, Template};
use crate::Database;
use crate::session::Session;

/// Returns a [`Database`] of one session, in a transaction that ends with it. The database has the
/// schema that these migrations create.
///
/// The code under test uses it like any other: its transactions become savepoints, and each failed
/// `run` is rolled back. Use a [`TestDatabase`](super::TestDatabase) for a test that needs a real
/// commit, such as of a deferred constraint, or two sessions at once.
pub fn sandbox(migrations: &Path) -> Result<Database, LocalServerError> {
    let server = Server::find()?;
    let name = Template::of(migrations)?.shared_copy(&server)?;
    let config = server.config(&name);
    let mut session = Session::connect(&config)?;
    session
        .begin_test_transaction()
        .map_err(crate::Error::from)?;
    Ok(Database::pinned(session))
}
