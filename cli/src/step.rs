//! Runs or reverts one migration. The error contains the location, the reason and the changes that
//! were applied.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use bowline::__generated::migrating::{
    Bookkeeping, Direction, LockWait, Observer, Step, StepError, finishing, run_step,
};
use bowline::{Config, ErrorKind, Session, SqlState};
use diesel::sql_types::Text;

use crate::error::{CliError, read_only_hint};
use crate::interrupt;
use crate::migrations::{Migration, SqlFile, runnable};
use crate::sql_error::{SqlSource, explained};
use crate::ui;
use bowline_migrations::Backfill;
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

/// How long and how often a migration waits for a lock, and the observer of its progress.
pub(crate) struct Attempts<'a> {
    pub wait: LockWait,
    /// The database, to find the sessions that hold a lock.
    pub config: Option<&'a Config>,
    pub observer: &'a dyn Observer,
}

/// The time limit for a migration. DDL on large tables can take hours.
pub(crate) const LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

impl Attempts<'_> {
    /// Returns one attempt, which waits as long as the server lets it.
    pub(crate) fn once() -> Self {
        Self {
            wait: LockWait {
                timeout: None,
                attempts: 1,
            },
            config: None,
            observer: &(),
        }
    }
}

/// Runs or reverts a migration, and records it.
pub(crate) fn step(
    session: &mut Session,
    table: &Bookkeeping,
    migration: &Migration,
    way: Way,
    attempts: Attempts<'_>,
) -> Result<(), CliError> {
    let file = file(migration, way)?;
    let sql = sql(migration, way)?;
    let is_backfill = way == Way::Up && !backfills(&sql, migration).is_empty();
    let before = if migration.run_in_transaction || is_backfill {
        Vec::new()
    } else {
        invalid_indexes(session)?
    };
    let step = Step {
        record: migration.record(),
        sql: &sql,
        in_transaction: migration.run_in_transaction,
        direction: way.direction(),
        lock_timeout: None,
    };
    let Attempts {
        wait,
        config,
        observer,
    } = attempts;
    let deadline = Instant::now() + LIMIT;
    let Err(failure) = run_step(session, table, step, wait, deadline, config, observer) else {
        return Ok(());
    };
    let path = shown_path(&file.path);
    let what = format!("{} {}", way.verb(), migration.name);
    let source = SqlSource {
        path: &path,
        text: &sql,
    };
    let failed = explained(&what, &failure.error, source, failure.done);
    let applied = match failure.backfilled {
        Some(rows) => backfilled(rows, &failure),
        None => finishing(session, |session| {
            applied(session, migration, &failure, &sql, &before)
        }),
    };
    if interrupt::signal().is_some() && failure.changed_nothing {
        return Err(failed.hint(format!("{applied} by {}", migration.name)));
    }
    if interrupt::signal().is_some() && (is_backfill || migration.run_in_transaction) {
        return Err(failed.hint(applied));
    }
    let remedy = match is_backfill && !failure.changed_nothing {
        // An edited file does not go on.
        true => {
            "remove the cause, leave up.sql as it is, and run `bowline migrate` again".to_owned()
        }
        false => remedy(&failure.error, migration, way),
    };
    let is_recorded_as_begun = !failure.changed_nothing
        && !is_backfill
        && !migration.run_in_transaction
        && way == Way::Up
        && !table.lacks_history();
    if is_recorded_as_begun {
        let name = &migration.name;
        let resolve = if applied.starts_with(LEFT_INDEX) {
            format!("then `bowline migrate resolve {name} --rolled-back`")
        } else {
            format!(
                "then `bowline migrate resolve {name}` with --rolled-back if nothing of it is \
                 left, or with --applied if all of it is there"
            )
        };
        return Err(failed.hint(format!("{applied}; {resolve}; {remedy}")));
    }
    Err(failed.hint(format!("{applied}; {remedy}")))
}

/// Returns the statements that run in batches.
pub(crate) fn backfills<'s>(sql: &'s str, migration: &Migration) -> Vec<Backfill<'s>> {
    // A file is refused before it is run if they cannot be read.
    bowline_migrations::backfills(sql, migration.run_in_transaction).unwrap_or_default()
}

/// Returns what a backfill has changed, in words.
fn backfilled(rows: u64, failure: &StepError) -> String {
    match (failure.changed_nothing, failure.error.outcome()) {
        (true, _) => "no changes were applied".to_owned(),
        (_, bowline::Outcome::Unknown) => {
            format!("its batches are done for {rows} rows, or for one batch more")
        }
        _ => format!("its batches are done for {rows} rows, and the next run goes on after them"),
    }
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
    let file = file(migration, way)?;
    let sql = runnable(file, migration.run_in_transaction)?;
    if let (Way::Down, Some(backfill)) = (way, backfills(&sql, migration).first()) {
        let path = shown_path(&file.path);
        let span = backfill.start..backfill.start + backfill.sql.len();
        let message = "a down.sql cannot run in batches";
        return Err(
            CliError::failed(format!("{path} cannot run as a migration"))
                .report(ui::underlined(message, &path, &file.text, span))
                .hint("remove `-- bowline: backfill`: it runs as one statement"),
        );
    }
    Ok(sql)
}

fn remedy(error: &bowline::Error, migration: &Migration, way: Way) -> String {
    let is_by_statement_timeout = error.sqlstate() == Some(SqlState::QUERY_CANCELED)
        && error.message().contains("statement timeout");
    match error.kind() {
        _ if is_by_statement_timeout => format!(
            "{0} sets a statement_timeout, or a pooler keeps that of the role: begin {0} with SET {1}statement_timeout = 0; and run `bowline migrate` again",
            way.file(),
            if migration.run_in_transaction {
                "LOCAL "
            } else {
                ""
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

const LEFT_INDEX: &str = "it left an invalid index";

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
    if !left.is_empty() {
        return format!("{LEFT_INDEX}, so first run {}", drops(&left));
    }
    if !in_the_way.is_empty() {
        return format!(
            "an earlier attempt left an invalid index, so first run {}",
            drops(&in_the_way)
        );
    }
    if failure.changed_nothing {
        return "no changes were applied".to_owned();
    }
    if failure.committed {
        return "only the changes before its last COMMIT were applied".to_owned();
    }
    "it does not run in a transaction, so a part of its changes may be applied".to_owned()
}

/// Returns the statements that drop the invalid indexes that a file names.
pub(crate) fn drops_of_invalid_indexes(
    session: &mut Session,
    sql: &str,
) -> bowline::Result<String> {
    let mut indexes = invalid_indexes(session)?;
    indexes.retain(|index| is_named(index, sql));
    Ok(drops(&indexes))
}

fn drops(indexes: &[Index]) -> String {
    let drops: Vec<String> = indexes
        .iter()
        .map(|index| format!("DROP INDEX {}", index.name))
        .collect();
    drops.join("; ")
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
