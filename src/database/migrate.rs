//! Migrations that a program brings along.

use diesel::migration::MigrationSource;
use diesel::pg::Pg;

use super::Database;
use super::source::Source;
use crate::error::{Error, Result};
use crate::migrations::migrate;

impl Database {
    /// Runs the migrations that have not run yet, in the order of their versions; returns the names of those that ran.
    ///
    /// Does what `bowline migrate run` does, under the same lock, so that programs that start together and the command
    /// follow one another: each migration with its row in diesel's table in a transaction of its own, or without one
    /// where its `metadata.toml` says so; a BEGIN and COMMIT around all of a file are left out, and any other control of
    /// transactions is refused before anything runs; what a file sets (`SET search_path`, `SET ROLE`) ends with it.
    ///
    /// Takes a connection of its own, none of the pool's, and as long as it needs: [`Config::call_timeout`] does not
    /// count, a limit set by [`Database::with_timeout`] bounds all of it. What is done is told to `tracing`, target
    /// `bowline::migrations`. Blocks, like every call; from asynchronous code, `AsyncDatabase::call`.
    ///
    /// [`Config::call_timeout`]: crate::Config::call_timeout
    ///
    /// ```
    /// use diesel_migrations::{EmbeddedMigrations, embed_migrations};
    ///
    /// const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");
    ///
    /// fn start(db: &bowline::Database) -> bowline::Result<()> {
    ///     for name in db.migrate(MIGRATIONS)? {
    ///         println!("ran {name}");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn migrate(&self, migrations: impl MigrationSource<Pg>) -> Result<Vec<String>> {
        if let Source::Pinned(_) = self.source {
            return Err(Error::query("a test's only session cannot run migrations")
                .with_hint("give the test a database of its own with #[bowline::test(database)]"));
        }
        let limit = (self.limit != self.settings.call_timeout).then_some(self.limit);
        migrate(&self.settings, limit, migrations)
    }
}
