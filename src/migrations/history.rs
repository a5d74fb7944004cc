//! The table `__bowline_migrations`: what diesel's table does not record of the migrations that
//! ran.
//!
//! diesel's table decides what has run; a row of this table alone says that a migration began and
//! did not finish. So diesel's own command can be used in between.

use diesel::sql_types::{Array, Nullable, Text};

use crate::statement::{Statement, StatementDsl as _};

/// The table `__bowline_migrations` of a database.
#[derive(Debug, Clone)]
pub(super) struct HistoryTable {
    /// The name with its schema, quoted as SQL.
    name: String,
    is_writable: bool,
}

/// What is recorded of a migration when it runs.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The version in diesel's table.
    pub version: &'a str,
    /// The name of its folder.
    pub name: &'a str,
    /// The fingerprint of its up.sql.
    pub fingerprint: u64,
}

/// How a migration came to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It ran.
    Run,
    /// The database had its changes already.
    Baseline,
    /// sqlx has run it.
    Sqlx,
    /// A person has said so, after it had stopped halfway.
    Resolved,
}

/// How far a backfill went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The number of statements that are done.
    pub(super) statement: usize,
    /// The rows that all batches have looked at.
    pub(super) rows: u64,
    /// The last key that the statement after them has reached; empty before its first batch.
    pub(super) position: Vec<String>,
}

impl Progress {
    /// Reads what the table has: the two numbers, and the key.
    pub(super) fn read(recorded: Vec<String>) -> Self {
        let mut parts = recorded.into_iter();
        let mut number = || parts.next().and_then(|text| text.parse().ok()).unwrap_or(0);
        let (statement, rows) = (number(), number());
        Self {
            // No file has more statements.
            statement: usize::try_from(statement).unwrap_or(usize::MAX),
            rows,
            position: parts.collect(),
        }
    }

    /// Returns the key after which the statement goes on.
    pub(super) fn after(&self) -> Option<&[String]> {
        Some(self.position.as_slice()).filter(|position| !position.is_empty())
    }

    fn sql(&self) -> String {
        let numbers = [self.statement.to_string(), self.rows.to_string()];
        let parts = numbers.iter().chain(&self.position);
        let parts: Vec<String> = parts
            .map(|part| bowline_sql::quote::literal(part))
            .collect();
        format!("ARRAY[{}]::pg_catalog.text[]", parts.join(", "))
    }
}

/// The rule by which fingerprints are made. Those of another rule are not compared.
const RULE: &str = "1:";

impl Record<'_> {
    /// Returns the fingerprint as it is recorded.
    pub(super) fn fingerprint(&self) -> String {
        format!("{RULE}{:016x}", self.fingerprint)
    }

    /// Returns whether a recorded fingerprint is of another text.
    pub(super) fn is_other_than(&self, recorded: &str) -> bool {
        recorded.starts_with(RULE) && recorded != self.fingerprint()
    }

    /// Returns whether a recorded fingerprint is of the same text.
    pub fn is_same_as(&self, recorded: &str) -> bool {
        recorded == self.fingerprint()
    }
}

impl Origin {
    fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Baseline => "baseline",
            Self::Sqlx => "sqlx",
            Self::Resolved => "resolved",
        }
    }
}

/// The columns of a new row, and their values beside those of the migration.
const COLUMNS: &str =
    "(version, name, fingerprint, origin, started_at, finished_at, ran_by, program)";

/// Replaces a row that is left from an earlier run.
const REPLACE: &str = "ON CONFLICT (version) DO UPDATE SET
    name = excluded.name, fingerprint = excluded.fingerprint, origin = excluded.origin,
    started_at = excluded.started_at, finished_at = excluded.finished_at,
    ran_by = excluded.ran_by, program = excluded.program";

/// The program: its `application_name`, and the version of Bowline.
const PROGRAM: &str = concat!(
    "pg_catalog.concat_ws(' ', nullif(pg_catalog.current_setting('application_name'), ''), '(bowline ",
    env!("CARGO_PKG_VERSION"),
    ")')"
);

/// The progress of a row `h`; empty if it has none. A table that was created by an earlier version
/// has no such column.
const PROGRESS: &str = "ARRAY(SELECT p.part FROM pg_catalog.jsonb_array_elements_text(
    CASE pg_catalog.jsonb_typeof(pg_catalog.to_jsonb(h) -> 'progress')
        WHEN 'array' THEN pg_catalog.to_jsonb(h) -> 'progress' ELSE '[]' END)
    WITH ORDINALITY p (part, place) ORDER BY p.place)";

/// A column that exists is no news.
const QUIET: &str = "SET LOCAL client_min_messages = warning;";

impl HistoryTable {
    /// Returns the table of a schema, whose name is quoted as SQL.
    pub(super) fn new(schema: &str, is_writable: bool) -> Self {
        Self {
            name: format!("{schema}.__bowline_migrations"),
            is_writable,
        }
    }

    pub(super) fn is_writable(&self) -> bool {
        self.is_writable
    }

    /// Returns the SQL that creates it.
    pub(super) fn create(&self) -> String {
        let Self { name, .. } = self;
        format!(
            "CREATE TABLE IF NOT EXISTS {name} (
                version pg_catalog.text PRIMARY KEY,
                name pg_catalog.text NOT NULL,
                fingerprint pg_catalog.text NOT NULL,
                origin pg_catalog.text NOT NULL,
                started_at pg_catalog.timestamptz NOT NULL,
                finished_at pg_catalog.timestamptz,
                ran_by pg_catalog.text NOT NULL,
                program pg_catalog.text NOT NULL,
                progress pg_catalog.text[]
            );
            COMMENT ON TABLE {name} IS
                'Migrations that Bowline has run. Without finished_at, one has begun and not finished.';"
        )
    }

    /// Returns the query for what is recorded, with diesel's table.
    ///
    /// A finished row without one of diesel's is of a migration that diesel's command has reverted.
    pub(super) fn recorded(&self, diesel: &str) -> String {
        format!(
            "SELECT coalesce(d.version::pg_catalog.text, h.version) AS version,
                    pg_catalog.to_char(coalesce(d.run_on, h.started_at::pg_catalog.timestamp), 'YYYY-MM-DD HH24:MI:SS') AS run_on,
                    d.version IS NULL AS is_unfinished,
                    h.name, h.fingerprint, h.ran_by, h.program, h.origin,
                    (1000 * EXTRACT(epoch FROM h.finished_at - h.started_at))::pg_catalog.int8 AS milliseconds,
                    {PROGRESS} AS progress
             FROM {diesel} d FULL JOIN {} h ON h.version = d.version::pg_catalog.text
             WHERE d.version IS NOT NULL OR h.finished_at IS NULL
             ORDER BY 1",
            self.name
        )
    }

    /// Returns the statement that adds rows for migrations that were not run here.
    pub(super) fn insert<'a>(
        &self,
        records: &'a [(Record<'a>, Option<String>)],
        origin: Origin,
    ) -> impl Statement<Output = usize> + use<'a> {
        let (mut versions, mut names, mut fingerprints) = (Vec::new(), Vec::new(), Vec::new());
        let mut times = Vec::new();
        for (record, time) in records {
            versions.push(record.version);
            names.push(record.name);
            fingerprints.push(record.fingerprint());
            times.push(time.as_deref());
        }
        let insert = format!(
            "INSERT INTO {} AS h {COLUMNS}
             SELECT r.version, r.name, r.fingerprint, '{}', r.at, r.at, SESSION_USER, {PROGRAM}
             FROM (SELECT u.version, u.name, u.fingerprint, coalesce(u.time::pg_catalog.timestamptz, pg_catalog.now()) AS at
                   FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4))
                        u (version, name, fingerprint, time)) r
             {REPLACE} WHERE h.finished_at IS NULL",
            self.name,
            origin.as_str()
        );
        diesel::sql_query(insert)
            .bind::<Array<Text>, _>(versions)
            .bind::<Array<Text>, _>(names)
            .bind::<Array<Text>, _>(fingerprints)
            .bind::<Array<Nullable<Text>>, _>(times)
            .affected()
    }

    /// Returns the SQL that records that a migration begins.
    pub(super) fn begun(&self, record: &Record<'_>) -> String {
        self.row(record, "pg_catalog.clock_timestamp()", "NULL", REPLACE)
    }

    /// Returns the SQL that records that a backfill begins.
    pub(super) fn backfill_begun(&self, record: &Record<'_>) -> String {
        let version = bowline_sql::quote::literal(record.version);
        format!(
            "BEGIN; {} ALTER TABLE {} ADD COLUMN IF NOT EXISTS progress pg_catalog.text[];
             {} UPDATE {} SET progress = {} WHERE version = {version}; COMMIT;",
            QUIET,
            self.name,
            self.begun(record) + ";",
            self.name,
            Progress::default().sql(),
        )
    }

    /// Returns the query for how far a backfill went that began with this text.
    pub(super) fn progress(&self, record: &Record<'_>) -> String {
        let [version, fingerprint] =
            [record.version, &record.fingerprint()].map(bowline_sql::quote::literal);
        format!(
            "SELECT {PROGRESS} AS progress FROM {} h
             WHERE h.version = {version} AND h.finished_at IS NULL AND h.fingerprint = {fingerprint}
               AND pg_catalog.cardinality({PROGRESS}) > 0",
            self.name
        )
    }

    /// Returns the SQL that records how far a backfill went.
    pub(super) fn advanced(&self, version: &str, progress: &Progress) -> String {
        format!(
            "UPDATE {} SET progress = {} WHERE version = {};",
            self.name,
            progress.sql(),
            bowline_sql::quote::literal(version)
        )
    }

    /// Returns the SQL that records that a migration has finished.
    pub(super) fn finished(&self, record: &Record<'_>) -> String {
        // One that ran without a transaction has a row with the time at which it began.
        const FINISH: &str = "ON CONFLICT (version) DO UPDATE SET
            name = excluded.name, fingerprint = excluded.fingerprint, origin = excluded.origin,
            started_at = CASE WHEN h.finished_at IS NULL THEN h.started_at ELSE excluded.started_at END,
            finished_at = excluded.finished_at, ran_by = excluded.ran_by, program = excluded.program";
        let now = "pg_catalog.clock_timestamp()";
        self.row(record, "pg_catalog.now()", now, FINISH)
    }

    /// Returns the SQL that records the present text of a migration as the one that ran.
    pub(super) fn accepted(&self, record: &Record<'_>) -> String {
        let [version, name, fingerprint] =
            [record.version, record.name, &record.fingerprint()].map(bowline_sql::quote::literal);
        format!(
            "UPDATE {} SET name = {name}, fingerprint = {fingerprint} WHERE version = {version}",
            self.name
        )
    }

    /// Returns the SQL that removes the row of a migration.
    pub(super) fn removed(&self, version: &str) -> String {
        let version = bowline_sql::quote::literal(version);
        format!("DELETE FROM {} WHERE version = {version}", self.name)
    }

    fn row(&self, record: &Record<'_>, started: &str, finished: &str, conflict: &str) -> String {
        let [version, name, fingerprint] =
            [record.version, record.name, &record.fingerprint()].map(bowline_sql::quote::literal);
        format!(
            "INSERT INTO {} AS h {COLUMNS}
             VALUES ({version}, {name}, {fingerprint}, '{}', {started}, {finished}, SESSION_USER, {PROGRAM})
             {conflict}",
            self.name,
            Origin::Run.as_str()
        )
    }
}
