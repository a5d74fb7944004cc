//! The table `__diesel_schema_migrations`. It is always named with its schema, since a migration may
//! change the search path.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::migration::MigrationConnection as _;
use diesel::sql_types::{Array, Bool, Text};

use crate::error::{Error, Result};
use crate::session::Session;
use crate::statement::StatementDsl as _;

/// The direction in which a migration is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Runs `up.sql`.
    Up,
    /// Runs `down.sql`.
    Down,
}

/// The query for the schemas with a table `__diesel_schema_migrations` that this session may use.
///
/// `source` is where the search path was set: `client` is the connection string, and `session` is
/// SET, as behind a pooler.
pub(crate) const SCHEMAS: &str = "\
    SELECT n.nspname::pg_catalog.text AS schema,
           c.oid IS NOT DISTINCT FROM pg_catalog.to_regclass('__diesel_schema_migrations') AS is_on_path
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = '__diesel_schema_migrations' AND c.relkind IN ('r', 'p')
      AND (c.oid = pg_catalog.to_regclass('__diesel_schema_migrations')
           OR c.relpersistence <> 't' AND CASE
               (SELECT s.source FROM pg_catalog.pg_settings s WHERE s.name = 'search_path')
               WHEN 'client' THEN false
               WHEN 'session' THEN false
               WHEN 'user' THEN c.relowner IN (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname IN (CURRENT_USER, SESSION_USER))
               WHEN 'database user' THEN c.relowner IN (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname IN (CURRENT_USER, SESSION_USER))
               ELSE true END)
    ORDER BY 1";

/// A row of [`SCHEMAS`].
#[derive(QueryableByName)]
pub(crate) struct SchemaRow {
    #[diesel(sql_type = Text)]
    schema: String,
    #[diesel(sql_type = Bool)]
    is_on_path: bool,
}

/// The table `__diesel_schema_migrations` of a database.
#[derive(Debug, Clone)]
pub struct Bookkeeping {
    /// The name of the table with its schema, quoted as SQL.
    table: String,
}

impl Bookkeeping {
    /// Finds the table; returns `None` if no migration was ever run.
    ///
    /// diesel's own command finds the table by the search path. If the search path has no such
    /// table, it may have been changed since, so the table of another schema is used. That is not
    /// done if the connection itself set the search path. It is not done either if the search path
    /// is a setting of the role and the table belongs to another role. In both cases, several
    /// programs may keep their migrations in separate schemas.
    pub fn find(session: &mut Session) -> Result<Option<Self>> {
        Self::of(session.run(diesel::sql_query(SCHEMAS).all::<SchemaRow>())?)
    }

    /// Chooses between the tables that [`SCHEMAS`] finds.
    pub(crate) fn of(found: Vec<SchemaRow>) -> Result<Option<Self>> {
        let mut found = found;
        if let Some(on_path) = found.iter().position(|row| row.is_on_path) {
            found.swap(0, on_path);
            found.truncate(1);
        }
        let tables = found.iter().map(|row| {
            let schema = bowline_sql::quote::identifier(&row.schema);
            format!("{schema}.__diesel_schema_migrations")
        });
        let mut tables: Vec<String> = tables.collect();
        if tables.len() > 1 {
            return Err(Error::query(format!(
                "the search path has no __diesel_schema_migrations, and there are several elsewhere: {}",
                tables.join(", ")
            ))
            .with_hint("set search_path to the schema of the one that records these migrations"));
        }
        Ok(tables.pop().map(|table| Self { table }))
    }

    /// Returns the query for the versions that have run, in order.
    pub(crate) fn versions(&self) -> String {
        format!(
            "SELECT version::pg_catalog.text AS version FROM {} ORDER BY version",
            self.table
        )
    }

    /// Finds the table, and creates it if it does not exist.
    pub fn prepare(session: &mut Session) -> Result<Self> {
        if let Some(found) = Self::find(session)? {
            return Ok(found);
        }
        session.setup().map_err(|error| {
            Error::from(error)
                .with_context("failed to create the table of migrations that have run")
        })?;
        Self::find(session)?.ok_or_else(|| {
            Error::query("the table __diesel_schema_migrations was created, but is not found")
                .with_hint("check the search_path of the role and of the database")
        })
    }

    /// Returns the versions that have run, each with its time (`2026-01-31 12:00:00`) in the time
    /// zone of the session that ran it.
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

    /// Records migrations that another tool has run: each version with its time, as
    /// [`Bookkeeping::ran`] returns them. Those that are recorded already stay as they are. Returns
    /// the number of the others.
    pub fn record(&self, session: &mut Session, ran: &[(String, String)]) -> Result<usize> {
        let (versions, times): (Vec<&str>, Vec<&str>) = ran
            .iter()
            .map(|(version, time)| (&**version, &**time))
            .unzip();
        let insert = format!(
            "INSERT INTO {} (version, run_on)
             SELECT r.version, r.run_on::pg_catalog.timestamp 
             FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) r (version, run_on)
             ON CONFLICT DO NOTHING",
            self.table
        );
        let insert = diesel::sql_query(insert)
            .bind::<Array<Text>, _>(versions)
            .bind::<Array<Text>, _>(times);
        session.run(insert.affected())
    }

    /// Returns the SQL that records a migration as run, or removes the record.
    pub(crate) fn note(&self, version: &str, direction: Direction) -> String {
        let (table, version) = (&self.table, bowline_sql::quote::literal(version));
        match direction {
            Direction::Up => format!("INSERT INTO {table} (version) VALUES ({version})"),
            Direction::Down => format!("DELETE FROM {table} WHERE version = {version}"),
        }
    }
}
