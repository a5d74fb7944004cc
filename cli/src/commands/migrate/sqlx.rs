//! sqlx's record of the migrations that have run: its table `_sqlx_migrations`.

use std::fs;

use bowline::{Session, StatementDsl as _};
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Text};

use super::history::{History, Ran};
use crate::error::CliError;
use crate::migrations::Migration;

/// The table `_sqlx_migrations` of a database, found by the search path.
pub(super) struct SqlxTable {
    /// The name of the table with its schema, quoted as SQL.
    name: String,
}

impl SqlxTable {
    /// Finds the table; returns `None` if sqlx has run no migration.
    pub(super) fn find(session: &mut Session) -> bowline::Result<Option<Self>> {
        #[derive(bowline::Row)]
        struct Schema {
            #[diesel(sql_type = Text)]
            schema: String,
        }
        let query = "SELECT n.nspname::pg_catalog.text AS schema
                     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                     WHERE c.oid = pg_catalog.to_regclass('_sqlx_migrations')";
        let found = session.run(bowline::sql_query(query).optional::<Schema>())?;
        Ok(found.map(|found| Self {
            name: format!(
                "{}._sqlx_migrations",
                bowline_sql::quote::identifier(&found.schema)
            ),
        }))
    }

    /// Reads the history. sqlx stores a number for each migration; the version is that of the
    /// migration with this number.
    pub(super) fn history(
        &self,
        session: &mut Session,
        migrations: &[Migration],
    ) -> Result<History, CliError> {
        #[derive(bowline::Row)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            version: i64,
            #[diesel(sql_type = Text)]
            run_on: String,
            #[diesel(sql_type = Bool)]
            has_failed: bool,
            #[diesel(sql_type = Bool)]
            is_edited: bool,
        }
        let files = migrations
            .iter()
            .filter_map(|migration| Some((number(migration)?, migration)));
        let (mut numbers, mut contents) = (Vec::new(), Vec::new());
        for (number, migration) in files {
            numbers.push(number);
            contents.push(bytes(migration)?);
        }
        // sqlx's checksum is the SHA-384 of the file.
        let query = format!(
            "SELECT r.version,
                    pg_catalog.to_char(r.installed_on, 'YYYY-MM-DD HH24:MI:SS') AS run_on,
                    NOT r.success AS has_failed,
                    f.content IS NOT NULL AND r.checksum <> pg_catalog.sha384(f.content) AS is_edited
             FROM {} r LEFT JOIN ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) f (version, content) ON f.version = r.version",
            self.name
        );
        let query = bowline::sql_query(query)
            .bind::<Array<BigInt>, _>(numbers)
            .bind::<Array<Bytea>, _>(contents);
        let rows = session.run(query.all::<Row>())?;
        let version = |of: i64| {
            let found = migrations
                .iter()
                .find(|migration| number(migration) == Some(of));
            found.map_or_else(|| of.to_string(), |found| found.version.clone())
        };
        Ok(rows
            .into_iter()
            .map(|row| {
                let ran = Ran {
                    run_on: row.run_on,
                    has_failed: row.has_failed,
                    goes_on: false,
                    is_edited: row.is_edited,
                    recorded: None,
                };
                (version(row.version), ran)
            })
            .collect())
    }
}

/// Returns true if sqlx has run a migration.
pub(super) fn has_run(session: &mut Session) -> bowline::Result<bool> {
    let Some(table) = SqlxTable::find(session)? else {
        return Ok(false);
    };
    let query = format!("SELECT 1 FROM {} LIMIT 1", table.name);
    Ok(session.run(bowline::sql_query(query).affected())? > 0)
}

/// Returns the version as sqlx reads it; `None` if it is too large.
fn number(migration: &Migration) -> Option<i64> {
    migration.version.parse().ok()
}

/// Reads the file again: sqlx's checksum is of its bytes, with a byte order mark.
fn bytes(migration: &Migration) -> Result<Vec<u8>, CliError> {
    let path = &migration.up.path;
    fs::read(path)
        .map_err(|error| CliError::failed(format!("cannot read {}: {error}", path.display())))
}
