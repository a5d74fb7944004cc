//! A real PostgreSQL for tests, without manual setup.
//!
//! [`LocalServer`] starts a throwaway server from installed binaries; [`TestDatabase`] is a
//! migrated database on it; [`sandbox`] is a [`Database`](crate::Database) within a transaction
//! that is rolled back. `#[bowline::test]` puts them together.

mod account;
mod binaries;
mod cluster;
mod kept_sessions;
mod local_server;
mod run;
mod runtime_folder;
mod sandbox;
mod server;
mod source;
mod spares;
mod template;
mod test_database;
mod watcher;

use std::fmt;
use std::path::Path;

pub use cluster::Shutdown;
pub use local_server::LocalServer;
#[cfg(feature = "tokio")]
pub use run::{run_async_in_database, run_async_in_sandbox};
pub use run::{run_in_database, run_in_sandbox};
pub use sandbox::sandbox;
pub use source::migrations_of;
pub use test_database::TestDatabase;

/// The reason why no server for tests is available.
#[derive(Debug)]
pub struct LocalServerError {
    message: String,
    hint: String,
}

impl LocalServerError {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }

    fn io(what: &str, path: &Path, error: &dyn fmt::Display) -> Self {
        Self::new(
            format!("{what} {}: {error}", path.display()),
            "check the folder's owner and the free space on its disk",
        )
    }

    /// Returns the message of the error.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the hint, which says what to do.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for LocalServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (hint: {})", self.message, self.hint)
    }
}

impl std::error::Error for LocalServerError {}

impl From<crate::Error> for LocalServerError {
    fn from(error: crate::Error) -> Self {
        let hint = error.hint().unwrap_or("check the server's log").to_owned();
        Self::new(format!("failed to {error}"), hint)
    }
}
