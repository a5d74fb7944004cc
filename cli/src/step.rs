//! Runs or reverts one migration. The error contains the location, the reason and the changes that
//! were applied.

use std::borrow::Cow;

use bowline::__generated::migrating::{self, Bookkeeping, Direction, Step, StepError};
use bowline::{ErrorKind, Session, SqlState};
use diesel::sql_types::Text;

use crate::error::{CliError, read_only_hint};
use crate::interrupt;
use crate::migrations::{Migration, SqlFile, runnable};
use crate::sql_error::{SqlSource, explained};
use bowline_plan::paths::shown_path;

/// The direction in which a migration runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

impl Way {
    fn verb(self) -> &'static str {
        match self {
            Self::Up => "run",
            Self::Down => "revert",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Up => "up.sql",
            Self::Down => "down.sql",
        }
    }

    fn direction(self) -> Direction {
        match self {
            Self::Up => Direction::Up,
            Self::Down => Direction::Down,
        }
    }
}

/// Runs or reverts a migration, and updates diesel's table.
pub(crate) fn step(
    session: &mut Session,
    table: &Bookkeeping,
    migration: &Migration,
    way: Way,
) -> Result<(), CliError> {
    let file = file(migration, way)?;
    let sql = sql(migration, way)?;
    let before = if migration.run_in_transaction {
        Vec::new()
    } else {
        invalid_indexes(session)?
    };
    let step = Step {
        version: &migration.version,
        sql: &sql,
        in_transaction: migration.run_in_transaction,
        direction: way.direction(),
    };
    let Err(failure) = migrating::step(session, table, step) else {
        return Ok(());
    };
    let path = shown_path(&file.path);
    let what = format!("{} {}", way.verb(), migration.name);
    let source = SqlSource {
        path: &path,
        text: &sql,
    };
    let failed = explained(&what, &failure.error, source, failure.done);
    let applied = applied(session, migration, &failure, &sql, &before);
    if interrupt::signal().is_some() {
        return Err(failed.hint(applied));
    }
    let remedy = remedy(&failure.error, migration, way);
    Err(failed.hint(format!("{applied}; {remedy}")))
}

/// Returns the file for a direction; fails if there is no `down.sql`.
pub(crate) fn file(migration: &Migration, way: Way) -> Result<&SqlFile, CliError> {
    let name = &migration.name;
    let file = match way {
        Way::Up => Some(&migration.up),
        Way::Down => migration.down.as_ref(),
    };
    file.ok_or_else(|| {
        CliError::failed(format!("{name} has no down.sql, so it cannot be reverted"))
            .hint("write its down.sql, or another migration that reverts it")
    })
}

/// Returns the SQL to send for a direction; fails with the line if it cannot run as a migration.
pub(crate) fn sql(migration: &Migration, way: Way) -> Result<Cow<'_, str>, CliError> {
    runnable(file(migration, way)?, migration.run_in_transaction)
}

fn remedy(error: &bowline::Error, migration: &Migration, way: Way) -> String {
    let is_by_statement_timeout = error.sqlstate() == Some(SqlState::QUERY_CANCELED)
        && error.message().contains("statement timeout");
    match error.kind() {
        _ if is_by_statement_timeout => format!(
            "the role or the database has a statement_timeout: begin {} with {} and run `bowline migrate` again",
            way.file(),
            if migration.run_in_transaction {
                "SET LOCAL statement_timeout = 0;"
            } else {
                "SET statement_timeout = 0;"
            }
        ),
        ErrorKind::Timeout | ErrorKind::Conflict => {
            "run `bowline migrate` again when other sessions have ended their transactions"
                .to_owned()
        }
        _ if error.sqlstate() == Some(SqlState::ACTIVE_SQL_TRANSACTION) => {
            outside_of_transactions(migration).to_owned()
        }
        _ => read_only_hint(error)
            .map(str::to_owned)
            .or_else(|| missing_role(error, way))
            .unwrap_or_else(|| format!("fix {} and run `bowline migrate` again", way.file())),
    }
}

/// Returns the hint for a role that the server does not have, as in a dump of another server.
fn missing_role(error: &bowline::Error, way: Way) -> Option<String> {
    let server = error.server()?;
    let is_missing = server.sqlstate == SqlState::UNDEFINED_OBJECT;
    let name = server.message.strip_prefix("role \"")?.split('"').next()?;
    is_missing.then(|| {
        format!(
            "roles belong to the server: create the role {name} there first, or remove it from {} \
             (pg_dump --no-owner --no-privileges writes no roles)",
            way.file()
        )
    })
}

/// Returns the hint for a statement that cannot run in a transaction, such as CREATE INDEX
/// CONCURRENTLY.
fn outside_of_transactions(migration: &Migration) -> &'static str {
    if migration.run_in_transaction {
        "move the statement to a migration of its own, with a metadata.toml that contains run_in_transaction = false"
    } else {
        "the statement must be the only one in its file, since PostgreSQL runs several of one file in one transaction"
    }
}

/// Returns the changes that a failed migration has made to the database, in words.
fn applied(
    session: &mut Session,
    migration: &Migration,
    failure: &StepError,
    sql: &str,
    before: &[Index],
) -> String {
    use bowline::Outcome;
    match failure.error.outcome() {
        Outcome::Committed => {
            return "all its changes were applied, but it was not recorded as run".to_owned();
        }
        // If the session still works, the effects of a file without a transaction can be queried.
        Outcome::Unknown if migration.run_in_transaction || session.is_broken() => {
            return "it is not known whether its changes were applied, so check first".to_owned();
        }
        Outcome::Unknown | Outcome::NotCommitted => {}
    }
    if migration.run_in_transaction {
        return "no changes were applied".to_owned();
    }
    // A failed CREATE INDEX CONCURRENTLY leaves an invalid index, which slows down writes.
    let (earlier, left): (Vec<Index>, Vec<Index>) = invalid_indexes(session)
        .unwrap_or_default()
        .into_iter()
        .partition(|index| before.contains(index));
    let in_the_way: Vec<Index> = earlier
        .into_iter()
        .filter(|index| is_named(index, sql))
        .collect();
    let drops = |indexes: &[Index]| -> String {
        let drops: Vec<String> = indexes
            .iter()
            .map(|index| format!("DROP INDEX {}", index.name))
            .collect();
        drops.join("; ")
    };
    if !left.is_empty() {
        return format!("it left an invalid index, so first run {}", drops(&left));
    }
    if !in_the_way.is_empty() {
        return format!(
            "an earlier attempt left an invalid index, so first run {}",
            drops(&in_the_way)
        );
    }
    if failure.committed {
        return "only the changes before its last COMMIT were applied".to_owned();
    }
    "it does not run in a transaction, so a part of its changes may be applied".to_owned()
}

/// An invalid index that a failed CREATE INDEX CONCURRENTLY has left.
#[derive(Debug, Clone, PartialEq, Eq, bowline::Row)]
struct Index {
    /// With schema and quotes where SQL needs them.
    #[diesel(sql_type = Text)]
    name: String,
    /// Without schema and quotes.
    #[diesel(sql_type = Text)]
    plain: String,
}

fn invalid_indexes(session: &mut Session) -> bowline::Result<Vec<Index>> {
    // The index of a partitioned table is invalid until each partition has one. That is not a
    // failure.
    let query = "SELECT i.indexrelid::pg_catalog.regclass::text AS name, c.relname::text AS plain
                 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
                 WHERE NOT i.indisvalid AND c.relkind = 'i' ORDER BY 1";
    session.run(bowline::sql_query(query).all::<Index>())
}

/// Returns true if the SQL contains the name of an index.
fn is_named(index: &Index, sql: &str) -> bool {
    bowline_sql::tokens(sql).any(|token| token.is_name(&index.plain))
}
