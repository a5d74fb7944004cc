//! `Database::migrate`: runs migrations that are embedded in the program.

use std::time::{Duration, Instant};

use bowline_migrations::script;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;

use super::attempts::run_step;
use super::blockers::Blocker;
use super::bookkeeping::{Bookkeeping, Direction, Recorded};
use super::history::Record;
use super::lock::{LockHolder, NotLocked, is_behind_pooler, locked};
use super::lock_wait::LockWait;
use super::observer::Observer;
use super::recorder::sql_of;
use super::step::{Step, StepError};
use crate::config::Config;
use crate::deadline::A_YEAR;
use crate::error::{Error, Outcome, Result};
use crate::session::Session;

/// A migration that is embedded in the program.
struct Embedded {
    version: String,
    name: String,
    sql: String,
    in_transaction: bool,
}

/// Runs the migrations that have not run yet, on a separate connection; returns the names of those
/// that ran.
pub(crate) fn migrate(
    config: &Config,
    limit: Option<Duration>,
    source: impl MigrationSource<Pg>,
) -> Result<Vec<String>> {
    let sql = |migration: &dyn Migration<Pg>| sql_of(migration);
    run_all(config, limit, &read(source, sql)?)
}

/// Runs migrations as `migrate` does, with the files of a directory, which are read as the command
/// reads them.
#[cfg(feature = "testing")]
pub(crate) fn migrate_folder(config: &Config, folder: &std::path::Path) -> Result<Vec<String>> {
    let unreadable = |error: bowline_migrations::FolderError| {
        let hint = error.hint().to_owned();
        Error::query(error.to_string())
            .with_context(READING)
            .with_hint(hint)
    };
    let found = bowline_migrations::read_folder(folder).map_err(unreadable)?;
    if found.iter().any(bowline_migrations::Migration::is_catalog) {
        return Err(Error::query(
            "a catalog in JSON has no SQL from which tests could create a database",
        )
        .with_context(READING)
        .with_hint("use the output of `pg_dump --schema-only` as the source of the schema"));
    }
    if found
        .iter()
        .any(|found| found.tool != bowline_migrations::Tool::Diesel)
    {
        // diesel does not read these.
        let embedded = found.into_iter().map(|migration| Embedded {
            in_transaction: migration.runs_in_transaction(),
            version: migration.version,
            name: migration.name,
            sql: migration.up.text,
        });
        return run_all(config, None, &embedded.collect::<Vec<_>>());
    }
    // diesel knows which migrations run in a transaction.
    let source = diesel_migrations::FileBasedMigrations::from_path(folder)
        .map_err(|error| Error::query(error.to_string()).with_context(READING))?;
    let migrations = read(source, |migration| {
        let name = migration.name().to_string();
        let read = found.iter().find(|found| found.name == name);
        Ok(read.map(|read| read.up.text.clone()))
    })?;
    run_all(config, None, &migrations)
}

const READING: &str = "failed to read the migrations";

fn run_all(
    config: &Config,
    limit: Option<Duration>,
    migrations: &[Embedded],
) -> Result<Vec<String>> {
    let deadline = Instant::now() + limit.unwrap_or(A_YEAR);
    // Named statements are of no use here, and a pooler that is not detected would keep them.
    let mut session = Session::connect(&config.clone().statement_cache(0))?;
    session.set_timeout(left(deadline));
    if config.is_pooled() || is_behind_pooler(&mut session)? {
        return Err(Error::config(
            "migrations need a lock of the session, which a pooler does not support",
            "connect to the server itself for migrations",
        )
        .with_context(CONTEXT));
    }
    let ran = locked(&mut session, left(deadline), report_holder, |session| {
        run_pending(config, session, migrations, deadline)
    });
    match ran {
        Ok(ran) => ran,
        Err(NotLocked::Failed(error)) => Err(error),
        Err(NotLocked::Busy(holder)) => {
            let holder =
                holder.map_or_else(|| "another session".to_owned(), |holder| described(&holder));
            Err(Error::timeout(format!(
                "{holder} runs migrations, and did not finish in time"
            ))
            .with_context(CONTEXT)
            .with_hint("raise the limit that Database::with_timeout sets, or remove it"))
        }
    }
}

const CONTEXT: &str = "failed to run migrations";

/// Returns the migrations with their SQL, in the order of their versions.
fn read(
    source: impl MigrationSource<Pg>,
    sql_of: impl Fn(&dyn Migration<Pg>) -> diesel::migration::Result<Option<String>>,
) -> Result<Vec<Embedded>> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::query(error.to_string())
            .with_context(READING)
            .with_source(error)
    };
    let mut migrations = Vec::new();
    for migration in source.migrations().map_err(failed)? {
        let name = migration.name().to_string();
        let sql = sql_of(&*migration).map_err(failed)?.ok_or_else(|| {
            Error::query(format!("{name} does more than run its SQL"))
                .with_context(READING)
                .with_hint("diesel_migrations runs it: MigrationHarness::run_pending_migrations on a Session")
        })?;
        migrations.push(Embedded {
            version: migration.name().version().to_string(),
            name,
            sql,
            in_transaction: migration.metadata().run_in_transaction(),
        });
    }
    migrations.sort_by(|a, b| a.version.cmp(&b.version));
    if let Some(pair) = migrations
        .windows(2)
        .find(|pair| pair[0].version == pair[1].version)
    {
        return Err(Error::query(format!(
            "{} and {} have one version, {}",
            pair[0].name, pair[1].name, pair[0].version
        ))
        .with_context(READING)
        .with_hint("rename one of them"));
    }
    Ok(migrations)
}

impl Embedded {
    fn record(&self) -> Record<'_> {
        // A byte order mark is not a part of the text.
        let text = self.sql.trim_start_matches('\u{feff}');
        Record {
            version: &self.version,
            name: &self.name,
            fingerprint: bowline_migrations::fingerprint(text),
        }
    }
}

fn run_pending(
    config: &Config,
    session: &mut Session,
    migrations: &[Embedded],
    deadline: Instant,
) -> Result<Vec<String>> {
    let table = Bookkeeping::prepare(session)?;
    if table.lacks_history() {
        tracing::event!(
            target: "bowline::migrations", tracing::Level::WARN,
            "this role may not write to __bowline_migrations, so the runs of migrations are recorded in diesel's table only"
        );
    }
    let recorded = table.recorded(session)?;
    check(migrations, &recorded)?;
    let is_recorded = |migration: &&Embedded| {
        let mut recorded = recorded.iter();
        recorded.any(|recorded| {
            recorded.version == migration.version && !recorded.goes_on(&migration.record())
        })
    };
    let pending = migrations
        .iter()
        .filter(|migration| !is_recorded(migration));
    // All scripts are checked before any of them runs.
    let scripts: Vec<_> = pending
        .map(|migration| {
            let sql = script(&migration.sql, migration.in_transaction).map_err(|error| {
                Error::query(format!(
                    "line {} of {}: {}",
                    error.line, migration.name, error.message
                ))
                .with_context(CONTEXT)
                .with_hint(error.hint)
            })?;
            Ok((migration, sql))
        })
        .collect::<Result<_>>()?;
    for (migration, sql) in &scripts {
        tracing::event!(
            target: "bowline::migrations", tracing::Level::INFO,
            migration = migration.name, "running the migration {}", migration.name
        );
        let started = Instant::now();
        let one = Step {
            record: migration.record(),
            sql,
            in_transaction: migration.in_transaction,
            direction: Direction::Up,
            lock_timeout: None,
        };
        let observer = Events(&migration.name);
        let wait = LockWait::default();
        run_step(
            session,
            &table,
            one,
            wait,
            deadline,
            Some(config),
            &observer,
        )
        .map_err(|failed| failed.into_error(migration))?;
        tracing::event!(
            target: "bowline::migrations", tracing::Level::INFO,
            migration = migration.name, "ran the migration {} in {:.0?}", migration.name, started.elapsed()
        );
    }
    Ok(scripts
        .iter()
        .map(|(migration, _)| migration.name.clone())
        .collect())
}

/// Fails if a migration has stopped halfway, and warns of those that were edited after they ran.
fn check(migrations: &[Embedded], recorded: &[Recorded]) -> Result<()> {
    let goes_on = |recorded: &Recorded| {
        let mut migrations = migrations.iter();
        migrations.any(|migration| {
            migration.version == recorded.version && recorded.goes_on(&migration.record())
        })
    };
    let mut unfinished = recorded.iter().filter(|recorded| recorded.is_unfinished);
    if let Some(unfinished) = unfinished.find(|recorded| !goes_on(recorded)) {
        let name = unfinished.name.as_ref().unwrap_or(&unfinished.version);
        return Err(Error::query(format!(
            "the migration {name} has begun and not finished, so it is not known what it has changed"
        ))
        .with_context(CONTEXT)
        .with_hint("find out, and tell it with `bowline migrate resolve`"));
    }
    for migration in migrations {
        let found = recorded
            .iter()
            .find(|found| found.version == migration.version);
        if found.is_some_and(|found| found.is_edited(&migration.record())) {
            tracing::event!(
                target: "bowline::migrations", tracing::Level::WARN,
                migration = migration.name, "the migration {} was edited after it ran", migration.name
            );
        }
    }
    Ok(())
}

/// Reports what happens while a migration runs.
struct Events<'a>(&'a str);

impl Observer for Events<'_> {
    fn statement_done(&self, done: usize) {
        tracing::event!(
            target: "bowline::migrations", tracing::Level::DEBUG,
            migration = self.0, done, "ran statement {done} of {}", self.0
        );
    }

    fn batch_done(&self, rows: u64, total: Option<u64>) {
        tracing::event!(
            target: "bowline::migrations", tracing::Level::DEBUG,
            migration = self.0, rows, total, "the backfill of {} has done {rows} rows", self.0
        );
    }

    fn blocked(&self, by: &Blocker) {
        tracing::event!(
            target: "bowline::migrations", tracing::Level::WARN,
            migration = self.0, pid = by.pid, "{} waits for a lock that {by} holds", self.0
        );
    }

    fn begins_again(&self, attempt: u32, pause: Duration) {
        tracing::event!(
            target: "bowline::migrations", tracing::Level::WARN,
            migration = self.0, attempt, "a lock was not free in time: {} begins again in {pause:.1?}", self.0
        );
    }
}

impl StepError {
    fn into_error(self, migration: &Embedded) -> Error {
        let backfilled = self.backfilled.filter(|_| !self.changed_nothing);
        let is_part_done = backfilled.is_none()
            && !migration.in_transaction
            && self.error.outcome() == Outcome::NotCommitted;
        let error = self
            .error
            .with_context(format!("failed to run the migration {}", migration.name));
        if let Some(rows) = backfilled
            && error.hint().is_none()
        {
            return error.with_hint(format!(
                "its batches are done for {rows} rows, and the next run goes on after them"
            ));
        }
        if is_part_done && error.hint().is_none() {
            return error
                .with_hint("it does not run in a transaction, so a part of it may be applied");
        }
        error
    }
}

fn report_holder(holder: Option<&LockHolder>) {
    let holder = holder.map_or_else(|| "another session".to_owned(), described);
    tracing::event!(
        target: "bowline::migrations", tracing::Level::INFO,
        "waiting until {holder} has run its migrations"
    );
}

fn described(holder: &LockHolder) -> String {
    format!(
        "process {} ({} of {})",
        holder.pid, holder.application, holder.user
    )
}

/// Returns the time until the deadline.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
