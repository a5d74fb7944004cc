//! Runs migrations that are embedded in a program.

use diesel::migration::{CREATE_MIGRATIONS_TABLE, MigrationSource};
use diesel::pg::Pg;

use super::Database;
use super::source::Source;
use crate::error::{Error, Result};
use crate::migrations::migrate;
use crate::statement::{StatementDsl as _, sql_query};

impl Database {
    /// Runs the migrations that have not run yet, in the order of their versions; returns the names
    /// of those that ran.
    ///
    /// Does what `bowline migrate run` does, under the same lock, so that programs that start
    /// together and the command run one after the other. Each migration runs in a transaction
    /// together with its row in diesel's table. If its `metadata.toml` says so, it runs without a
    /// transaction. A BEGIN and COMMIT around a whole file are left out. Any other transaction
    /// control is refused before anything runs. Settings of a file (`SET search_path`, `SET ROLE`)
    /// end with the file.
    ///
    /// Uses a separate connection, none of the pool's, without a time limit:
    /// [`Config::call_timeout`] does not apply. A limit set by [`Database::with_timeout`] covers
    /// the whole run. With a schema ([`Database::with_schema`]), what the migrations create is
    /// created in it, and so is diesel's table. Progress is reported to `tracing`, target
    /// `bowline::migrations`. Blocks, like every call; asynchronous code uses
    /// `AsyncDatabase::migrate`.
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
        let limit = self.has_own_limit.then_some(self.limit);
        let Some(schema) = self.local_schema() else {
            return migrate(&self.settings, limit, migrations);
        };
        // It has to exist before the migrations run: for a schema that does not, PostgreSQL would
        // create their tables in `public`, and without a table of its own, diesel's one there
        // would be taken for that of the schema.
        self.run(sql_query(CREATE_MIGRATIONS_TABLE).affected())?;
        migrate(
            &self.settings.with_search_path(&schema.path),
            limit,
            migrations,
        )
    }
}
