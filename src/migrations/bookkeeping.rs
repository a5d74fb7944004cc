//! diesel's table of the migrations that have run, by its schema: a migration may set another search path.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::migration::MigrationConnection as _;
use diesel::sql_types::Text;

use crate::error::{Error, Result};
use crate::session::Session;
use crate::statement::StatementDsl as _;

/// Which way a migration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Its `up.sql`.
    Up,
    /// Its `down.sql`.
    Down,
}

/// The table `__diesel_schema_migrations` of a database.
#[derive(Debug, Clone)]
pub struct Bookkeeping {
    /// With its schema, as SQL.
    table: String,
}

impl Bookkeeping {
    /// Finds the table that diesel's own command would; `None` where no migration was ever run.
    pub fn find(session: &mut Session) -> Result<Option<Self>> {
        #[derive(QueryableByName)]
        struct SchemaRow {
            #[diesel(sql_type = Text)]
            schema: String,
        }
        let query = diesel::sql_query(
            "SELECT n.nspname::pg_catalog.text AS schema
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE c.oid = pg_catalog.to_regclass('__diesel_schema_migrations')",
        );
        let place = session.run(query.optional::<SchemaRow>())?;
        Ok(place.map(|place| Self {
            table: format!(
                "{}.__diesel_schema_migrations",
                bowline_sql::quote::identifier(&place.schema)
            ),
        }))
    }

    /// Finds the table, and makes it where it is not there.
    pub fn prepare(session: &mut Session) -> Result<Self> {
        if let Some(found) = Self::find(session)? {
            return Ok(found);
        }
        session.setup().map_err(|error| {
            Error::from(error).with_context("failed to make the table of migrations that have run")
        })?;
        Self::find(session)?.ok_or_else(|| {
            Error::query("the table __diesel_schema_migrations was made, and is not found")
                .with_hint("look at the search_path of the role and of the database")
        })
    }

    /// Returns the versions that have run, each with when it ran: `2026-01-31 12:00:00`, in the time zone of who ran it.
    pub fn ran(&self, session: &mut Session) -> Result<BTreeMap<String, String>> {
        #[derive(QueryableByName)]
        struct Ran {
            #[diesel(sql_type = Text)]
            version: String,
            #[diesel(sql_type = Text)]
            run_on: String,
        }
        let query = diesel::sql_query(format!(
            "SELECT version::pg_catalog.text AS version, pg_catalog.to_char(run_on, 'YYYY-MM-DD HH24:MI:SS') AS run_on
             FROM {}",
            self.table
        ));
        let ran = session.run(query.all::<Ran>())?;
        Ok(ran
            .into_iter()
            .map(|ran| (ran.version, ran.run_on))
            .collect())
    }

    /// The SQL that notes a migration as run, or as not run any more.
    pub(super) fn note(&self, version: &str, direction: Direction) -> String {
        let (table, version) = (&self.table, bowline_sql::quote::literal(version));
        match direction {
            Direction::Up => format!("INSERT INTO {table} (version) VALUES ({version})"),
            Direction::Down => format!("DELETE FROM {table} WHERE version = {version}"),
        }
    }
}
