//! The tables in which runs of migrations are recorded: `__diesel_schema_migrations`, and
//! `__bowline_migrations` beside it.
//!
//! They are always named with their schema, since a migration may change the search path.

use std::ops::ControlFlow;

use diesel::QueryableByName;
use diesel::migration::MigrationConnection as _;
use diesel::sql_types::{Array, Bool, Nullable, Text};

use super::history::{HistoryTable, Origin, Progress, Record};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::sqlstate::SqlState;
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
           c.oid IS NOT DISTINCT FROM pg_catalog.to_regclass('__diesel_schema_migrations') AS is_on_path,
           h.oid IS NOT NULL AS has_history,
           coalesce(pg_catalog.has_table_privilege(h.oid, 'SELECT'), false) AS reads_history,
           coalesce(pg_catalog.has_table_privilege(h.oid, 'SELECT')
               AND pg_catalog.has_table_privilege(h.oid, 'INSERT')
               AND pg_catalog.has_table_privilege(h.oid, 'UPDATE')
               AND pg_catalog.has_table_privilege(h.oid, 'DELETE'), false) AS writes_history
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_class h
            ON h.relnamespace = n.oid AND h.relname = '__bowline_migrations' AND h.relkind IN ('r', 'p')
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
    #[diesel(sql_type = Bool)]
    has_history: bool,
    #[diesel(sql_type = Bool)]
    reads_history: bool,
    #[diesel(sql_type = Bool)]
    writes_history: bool,
}

/// The tables of a database in which runs of migrations are recorded.
#[derive(Debug, Clone)]
pub struct Bookkeeping {
    /// The name of diesel's table with its schema, quoted as SQL.
    table: String,
    /// Bowline's table, where it exists and this role may read it.
    history: Option<HistoryTable>,
    /// Whether it exists.
    has_history: bool,
}

/// What is recorded of a migration.
#[derive(Debug, Clone, QueryableByName)]
pub struct Recorded {
    /// The version.
    #[diesel(sql_type = Text)]
    pub version: String,
    /// When it ran (`2026-01-31 12:00:00`), in the time zone of the session that ran it.
    #[diesel(sql_type = Text)]
    pub run_on: String,
    /// Whether it began and did not finish.
    #[diesel(sql_type = Bool)]
    pub is_unfinished: bool,
    /// Its name when it ran.
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    /// The fingerprint of the text that ran; `None` if Bowline did not record the run.
    #[diesel(sql_type = Nullable<Text>)]
    pub fingerprint: Option<String>,
    /// The role that ran it.
    #[diesel(sql_type = Nullable<Text>)]
    pub ran_by: Option<String>,
    /// The program that ran it, with the version of Bowline.
    #[diesel(sql_type = Nullable<Text>)]
    pub program: Option<String>,
    /// How it came to be recorded: see [`Origin`].
    #[diesel(sql_type = Nullable<Text>)]
    pub origin: Option<String>,
    /// The time that it took, in milliseconds.
    #[diesel(sql_type = Nullable<diesel::sql_types::BigInt>)]
    pub milliseconds: Option<i64>,
    /// How far a backfill went: see [`Recorded::backfilled`].
    #[diesel(sql_type = Array<Text>)]
    progress: Vec<String>,
}

impl Recorded {
    /// Returns whether another text ran than this one. It is not known of a run that Bowline did
    /// not record.
    pub fn is_edited(&self, record: &Record<'_>) -> bool {
        let ran = self.fingerprint.as_deref();
        !self.is_unfinished && ran.is_some_and(|ran| record.is_other_than(ran))
    }

    /// Returns whether this migration goes on where it has stopped: a backfill, with the text that
    /// began.
    pub fn goes_on(&self, record: &Record<'_>) -> bool {
        let began = self.fingerprint.as_deref();
        self.is_unfinished
            && self.is_backfill()
            && began.is_some_and(|began| record.is_same_as(began))
    }

    /// Returns whether it ran in batches.
    pub fn is_backfill(&self) -> bool {
        !self.progress.is_empty()
    }

    /// Returns the rows that the batches of a backfill have looked at.
    pub fn backfilled(&self) -> u64 {
        Progress::read(self.progress.clone()).rows
    }
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
        let schema = |row: &SchemaRow| bowline_sql::quote::identifier(&row.schema);
        if found.len() > 1 {
            let tables: Vec<String> = found
                .iter()
                .map(|row| format!("{}.__diesel_schema_migrations", schema(row)))
                .collect();
            return Err(Error::query(format!(
                "the search path has no __diesel_schema_migrations, and there are several elsewhere: {}",
                tables.join(", ")
            ))
            .with_hint("set search_path to the schema of the one that records these migrations"));
        }
        Ok(found.pop().map(|row| Self {
            table: format!("{}.__diesel_schema_migrations", schema(&row)),
            history: row
                .reads_history
                .then(|| HistoryTable::new(&schema(&row), row.writes_history)),
            has_history: row.has_history,
        }))
    }

    /// Returns the query for the versions that have run, in order.
    pub(crate) fn versions(&self) -> String {
        format!(
            "SELECT version::pg_catalog.text AS version FROM {} ORDER BY version",
            self.table
        )
    }

    /// Finds the tables, and creates those that do not exist.
    ///
    /// A role that may not create `__bowline_migrations` runs migrations without it:
    /// [`Bookkeeping::lacks_history`].
    pub fn prepare(session: &mut Session) -> Result<Self> {
        let found = match Self::find(session)? {
            Some(found) => found,
            None => {
                session.setup().map_err(|error| {
                    Error::from(error)
                        .with_context("failed to create the table of migrations that have run")
                })?;
                Self::find(session)?.ok_or_else(|| {
                    Error::query(
                        "the table __diesel_schema_migrations was created, but is not found",
                    )
                    .with_hint("check the search_path of the role and of the database")
                })?
            }
        };
        if found.has_history {
            return Ok(found);
        }
        let schema = found.table.trim_end_matches(".__diesel_schema_migrations");
        let table = HistoryTable::new(schema, true);
        match session.simple_query(&table.create(), |_| ControlFlow::Continue(())) {
            Ok(()) => Ok(Self {
                history: Some(table),
                has_history: true,
                ..found
            }),
            Err(error) if is_forbidden(&error) => Ok(found),
            Err(error) => {
                Err(error
                    .with_context("failed to create the table of Bowline's history of migrations"))
            }
        }
    }

    /// Returns whether runs are recorded in diesel's table only, because this role may not create
    /// `__bowline_migrations`, or not write to it.
    pub fn lacks_history(&self) -> bool {
        self.written().is_none()
    }

    /// Returns Bowline's table, if this role may write to it.
    fn written(&self) -> Option<&HistoryTable> {
        self.history.as_ref().filter(|table| table.is_writable())
    }

    /// Returns what is recorded of the migrations that have run, and of those that began and did
    /// not finish, in the order of their versions.
    pub fn recorded(&self, session: &mut Session) -> Result<Vec<Recorded>> {
        let query = match &self.history {
            Some(history) => history.recorded(&self.table),
            None => format!(
                "SELECT version::pg_catalog.text AS version,
                        pg_catalog.to_char(run_on, 'YYYY-MM-DD HH24:MI:SS') AS run_on,
                        false AS is_unfinished, NULL::pg_catalog.text AS name,
                        NULL::pg_catalog.text AS fingerprint, NULL::pg_catalog.text AS ran_by,
                        NULL::pg_catalog.text AS program, NULL::pg_catalog.text AS origin,
                        NULL::pg_catalog.int8 AS milliseconds, '{{}}'::pg_catalog.text[] AS progress
                 FROM {} ORDER BY 1",
                self.table
            ),
        };
        session.run(diesel::sql_query(query).all::<Recorded>())
    }

    /// Records migrations that were not run here. Each may have the time at which it ran, as
    /// [`Recorded::run_on`] has it. Those that are recorded already stay as they are. Returns the
    /// number of the others.
    pub fn record(
        &self,
        session: &mut Session,
        records: &[(Record<'_>, Option<String>)],
        origin: Origin,
    ) -> Result<usize> {
        let versions: Vec<&str> = records.iter().map(|(record, _)| record.version).collect();
        let times: Vec<Option<&str>> = records.iter().map(|(_, time)| time.as_deref()).collect();
        let insert = format!(
            "INSERT INTO {} (version, run_on)
             SELECT r.version, coalesce(r.run_on::pg_catalog.timestamp, CURRENT_TIMESTAMP)
             FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) r (version, run_on)
             ON CONFLICT DO NOTHING",
            self.table
        );
        let insert = diesel::sql_query(insert)
            .bind::<Array<Text>, _>(versions)
            .bind::<Array<Nullable<Text>>, _>(times)
            .affected();
        match self.written() {
            None => session.run(insert),
            Some(history) => {
                let (count, _) = session.run((insert, history.insert(records, origin)))?;
                Ok(count)
            }
        }
    }

    /// Records that the migration that began and did not finish has not run.
    pub fn forget(&self, session: &mut Session, version: &str) -> Result<()> {
        match self.abandoned(version) {
            Some(sql) => session.simple_query(&sql, |_| ControlFlow::Continue(())),
            None => Ok(()),
        }
    }

    /// Removes all that is recorded of a version.
    pub fn remove(&self, session: &mut Session, version: &str) -> Result<()> {
        let record = Record {
            version,
            name: version,
            fingerprint: 0,
        };
        let sql = format!("BEGIN; {}; COMMIT", self.note(&record, Direction::Down));
        session.simple_query(&sql, |_| ControlFlow::Continue(()))
    }

    /// Records the present text of a migration as the one that ran.
    pub fn accept(&self, session: &mut Session, record: &Record<'_>) -> Result<()> {
        match self.written() {
            Some(history) => {
                session.simple_query(&history.accepted(record), |_| ControlFlow::Continue(()))
            }
            None => Ok(()),
        }
    }

    /// Returns the SQL that records that a migration begins, without a transaction of its own.
    pub(crate) fn begun(&self, record: &Record<'_>) -> Option<String> {
        self.written().map(|history| history.begun(record))
    }

    /// Returns the SQL that removes that record.
    pub(crate) fn abandoned(&self, version: &str) -> Option<String> {
        self.written().map(|history| history.removed(version))
    }

    /// Returns the SQL that records that a backfill begins.
    pub(super) fn backfill_begun(&self, record: &Record<'_>) -> Option<String> {
        self.written().map(|history| history.backfill_begun(record))
    }

    /// Returns how far a backfill went that has begun with this text; `None` if it has not.
    pub(super) fn progress(
        &self,
        session: &mut Session,
        record: &Record<'_>,
    ) -> Result<Option<Progress>> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Array<Text>)]
            progress: Vec<String>,
        }
        let Some(history) = self.written() else {
            return Ok(None);
        };
        let found = session.run(diesel::sql_query(history.progress(record)).optional::<Row>())?;
        Ok(found.map(|row| Progress::read(row.progress)))
    }

    /// Returns the SQL that records how far a backfill went.
    pub(super) fn advanced(&self, version: &str, progress: &Progress) -> String {
        self.written()
            .map_or_else(String::new, |history| history.advanced(version, progress))
    }

    /// Returns the SQL that records a migration as run, or removes the record.
    pub(crate) fn note(&self, record: &Record<'_>, direction: Direction) -> String {
        let (table, version) = (&self.table, bowline_sql::quote::literal(record.version));
        let history = self.written();
        match direction {
            Direction::Up => format!(
                "INSERT INTO {table} (version) VALUES ({version}); {}",
                history.map_or_else(String::new, |history| history.finished(record))
            ),
            Direction::Down => format!(
                "DELETE FROM {table} WHERE version = {version}; {}",
                history.map_or_else(String::new, |history| history.removed(record.version))
            ),
        }
    }
}

/// Returns whether the server refuses to create a table for a reason that does not concern the
/// migrations: a missing privilege, or a server that only reads.
fn is_forbidden(error: &Error) -> bool {
    matches!(
        error.sqlstate(),
        Some(SqlState::INSUFFICIENT_PRIVILEGE | SqlState::READ_ONLY_SQL_TRANSACTION)
    )
}
