//! A database within a transaction that is never committed.

use std::path::Path;

use diesel::Connection as _;

use super::LocalServerError;
use super::template::{Server, Template};
use crate::Database;
use crate::session::Session;

/// A [`Database`] of one session, in a transaction that ends with it, on what these migrations make.
///
/// The code under test uses it as any other: its transactions become savepoints, and each `run` undoes
/// itself when it fails. What needs a real commit, such as a deferred constraint, or two sessions at once,
/// needs a [`TestDatabase`](super::TestDatabase).
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
