//! One migration on a database, up or down, and what is said of one that fails: where, why, and what was done.

use std::borrow::Cow;

use bowline::migrating::{self, Bookkeeping, Direction, Step, StepError};
use bowline::{Session, SqlState};
use diesel::sql_types::Text;

use crate::error::CliError;
use crate::interrupt;
use crate::migrations::{Migration, SqlFile, runnable};
use crate::sql_error::{Written, explained};
use crate::ui;

/// Which way a migration goes.
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

/// Runs or reverts a migration, and keeps diesel's table in step.
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
    let Err(stopped) = migrating::step(session, table, step) else {
        return Ok(());
    };
    let path = ui::shown_path(&file.path);
    let what = format!("{} {}", way.verb(), migration.name);
    let written = Written {
        path: &path,
        text: &sql,
    };
    let failed = explained(&what, &stopped.error, written, stopped.done);
    let left = left_behind(session, migration, &stopped, &sql, &before);
    if interrupt::happened().is_some() {
        return Err(failed.hint(left));
    }
    let remedy = remedy(&stopped.error, migration, way);
    Err(failed.hint(format!("{left}: {remedy}")))
}

/// The file of that way, which has to be there.
pub(crate) fn file(migration: &Migration, way: Way) -> Result<&SqlFile, CliError> {
    let name = &migration.name;
    let file = match way {
        Way::Up => Some(&migration.up),
        Way::Down => migration.down.as_ref(),
    };
    file.ok_or_else(|| {
        CliError::failed(format!("{name} has no down.sql, so it cannot be reverted"))
            .hint("write a migration that undoes it, or its down.sql")
    })
}

/// What is sent of that file; an error that shows the place if it cannot be run as a migration.
pub(crate) fn sql(migration: &Migration, way: Way) -> Result<Cow<'_, str>, CliError> {
    runnable(file(migration, way)?, migration.run_in_transaction)
}

fn remedy(error: &bowline::Error, migration: &Migration, way: Way) -> String {
    let is_by_statement_timeout = error.sqlstate() == Some(SqlState::QUERY_CANCELED)
        && error.message().contains("statement timeout");
    match error {
        _ if is_by_statement_timeout => format!(
            "the role or the database has a statement_timeout; begin {} with {} and run again",
            way.file(),
            if migration.run_in_transaction {
                "SET LOCAL statement_timeout = 0;"
            } else {
                "SET statement_timeout = 0;"
            }
        ),
        bowline::Error::Timeout(_) | bowline::Error::Conflict(_) => {
            "run again once others are out of the way".to_owned()
        }
        error if error.sqlstate() == Some(SqlState::ACTIVE_SQL_TRANSACTION) => {
            outside_of_transactions(migration).to_owned()
        }
        _ => format!("mend its {} and run again", way.file()),
    }
}

/// What to do with a statement that PostgreSQL takes in no transaction, such as CREATE INDEX CONCURRENTLY.
fn outside_of_transactions(migration: &Migration) -> &'static str {
    if migration.run_in_transaction {
        "move the statement, alone, to a migration with a file metadata.toml that says run_in_transaction = false"
    } else {
        "leave the statement alone in its file, since several of one file are one transaction"
    }
}

/// What of a migration that failed is in the database.
fn left_behind(
    session: &mut Session,
    migration: &Migration,
    stopped: &StepError,
    sql: &str,
    before: &[Index],
) -> String {
    use bowline::Outcome;
    match stopped.error.outcome() {
        Outcome::Committed => return "all of it was done, but not noted as run".to_owned(),
        // What a server answers that goes on, is known: of a file without a transaction, by what it has left.
        Outcome::Unknown if migration.run_in_transaction || session.is_broken() => {
            return "whether it was done is not known, so look first".to_owned();
        }
        Outcome::Unknown | Outcome::NotCommitted => {}
    }
    if migration.run_in_transaction {
        return "nothing of it was done".to_owned();
    }
    // A CREATE INDEX CONCURRENTLY that fails leaves its index behind, which is of no use but costs each write.
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
        return format!("it left what is of no use, so first run {}", drops(&left));
    }
    if !in_the_way.is_empty() {
        return format!(
            "an earlier try left an invalid index, so first run {}",
            drops(&in_the_way)
        );
    }
    if stopped.committed {
        return "what stands before its last COMMIT was done, nothing else".to_owned();
    }
    "it does not run in a transaction, so a part of it may be done".to_owned()
}

/// An index that a failed CREATE INDEX CONCURRENTLY has left.
#[derive(Debug, Clone, PartialEq, Eq, bowline::Row)]
struct Index {
    /// As SQL takes it.
    #[diesel(sql_type = Text)]
    name: String,
    /// Without schema and quotes.
    #[diesel(sql_type = Text)]
    plain: String,
}

fn invalid_indexes(session: &mut Session) -> bowline::Result<Vec<Index>> {
    // The index of a partitioned table is invalid until each partition has its own, which is no failure.
    let query = "SELECT i.indexrelid::pg_catalog.regclass::text AS name, c.relname::text AS plain
                 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
                 WHERE NOT i.indisvalid AND c.relkind = 'i' ORDER BY 1";
    session.run(bowline::sql(query).all::<Index>())
}

/// Whether SQL names an index, or anything else of its name.
fn is_named(index: &Index, sql: &str) -> bool {
    bowline_sql::tokens(sql).any(|token| token.is_name(&index.plain))
}
