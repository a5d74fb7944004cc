//! Compares the migrations that the database has run with those of the generated code: one round
//! trip, when a pool opens.

use std::fmt;
use std::panic::Location;

use crate::database::Database;
use crate::error::{Error, Result};
use crate::migrations::bookkeeping::{Bookkeeping, SCHEMAS, SchemaRow};
use crate::migrations::{Migration, Migrations};
use crate::sqlstate::SqlState;
use crate::statement::StatementDsl as _;
use crate::wire::executor::block_on;

/// Warns of each difference; with `refuse`, a migration that has not run is an error.
///
/// A database that is ahead is not an error: when a new version of a program is rolled out, its
/// migrations run first.
pub(crate) fn check_migrations(
    database: &Database,
    migrations: Migrations,
    refuse: bool,
    location: &'static Location<'static>,
) -> Result<()> {
    let ran = match ran(database, location) {
        Ok(ran) => ran,
        Err(error) => return versions_unknown(refuse, error),
    };
    let unknown: Vec<&str> = ran
        .iter()
        .map(String::as_str)
        .filter(|version| migrations.iter().all(|known| known.version != *version))
        .collect();
    if !unknown.is_empty() {
        tracing::event!(
            target: "bowline::migrations",
            tracing::Level::WARN,
            "the database has run migrations that this program does not know: {}", FirstFive(&unknown)
        );
    }
    let has_run = |migration: &Migration| ran.iter().any(|version| version == migration.version);
    let pending: Vec<&str> = migrations
        .iter()
        .filter(|migration| !has_run(migration))
        .map(|migration| migration.name)
        .collect();
    if pending.is_empty() {
        return Ok(());
    }
    refuse_or_warn(
        refuse,
        format!(
            "the database has not run these migrations: {}",
            FirstFive(&pending)
        ),
        "run `bowline migrate run`",
    )
}

/// Returns the versions that have run, in order; none if no migration ever ran.
fn ran(database: &Database, location: &'static Location<'static>) -> Result<Vec<String>> {
    let query = crate::sql_query(
        "SELECT version::text AS version FROM __diesel_schema_migrations ORDER BY version",
    );
    match block_on(database.run_for(&mut query.all::<String>(), location)) {
        Ok(answer) => answer,
        // The search path may have changed since the table was created.
        Err(error) if error.sqlstate() == Some(SqlState::UNDEFINED_TABLE) => {
            ran_outside_search_path(database, location)
        }
        Err(error) => Err(error),
    }
}

/// Returns the versions recorded in a table that is not on the search path.
fn ran_outside_search_path(
    database: &Database,
    location: &'static Location<'static>,
) -> Result<Vec<String>> {
    let mut found = diesel::sql_query(SCHEMAS).all::<SchemaRow>();
    match Bookkeeping::of(block_on(database.run_for(&mut found, location))??)? {
        Some(table) => {
            let mut versions = crate::sql_query(table.versions()).all::<String>();
            block_on(database.run_for(&mut versions, location))?
        }
        None => Ok(Vec::new()),
    }
}

/// Handles a failed query of the versions: an error with `refuse`, otherwise a warning.
fn versions_unknown(refuse: bool, error: Error) -> Result<()> {
    let (is_denied, hint) = match error.sqlstate() {
        Some(SqlState::INSUFFICIENT_PRIVILEGE) => (
            true,
            "GRANT SELECT ON __diesel_schema_migrations to the role of the program",
        ),
        _ => (false, "check with `bowline migrate status`"),
    };
    if refuse && !is_denied {
        return Err(error);
    }
    let why = error.message();
    refuse_or_warn(
        refuse,
        format!("it is not known which migrations have run: {why}"),
        hint,
    )
}

fn refuse_or_warn(refuse: bool, message: String, hint: &'static str) -> Result<()> {
    if refuse {
        return Err(Error::config(message, hint));
    }
    tracing::event!(
        target: "bowline::migrations",
        tracing::Level::WARN,
        hint,
        "{message}"
    );
    Ok(())
}

/// A list of names of which the first five are shown: a database that was never migrated lacks them
/// all.
struct FirstFive<'a>(&'a [&'a str]);

impl fmt::Display for FirstFive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        let shown = &self.0[..self.0.len().min(SHOWN)];
        f.write_str(&shown.join(", "))?;
        match self.0.len() - shown.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
