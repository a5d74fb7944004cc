//! `bowline migrate`: runs, reverts and lists migrations, compatibly with diesel's own command.

mod baseline;
mod history;
mod import_sqlx;
mod lock;
mod observer;
mod order;
pub(super) mod plan;
mod resolve;
mod revert;
mod run;
mod sqlx;
mod status;
mod to;

use std::time::Duration;

use bowline::__generated::migrating::{Bookkeeping, LockWait};
use bowline::{Config, Session};
use clap::{Args, Subcommand};

use crate::connection::{self, Connected, DatabaseArgs};
use crate::error::CliError;
use crate::migrations::{Migration, refuse_of_other_tools};
use crate::project::Project;
use crate::step::{self, Attempts, Way, step};
use crate::ui;
use bowline_plan::project::MigrateSettings;
use history::History;
use observer::Shown;

/// Run, revert or list the migrations of a database.
///
/// Uses the table of diesel's own command, and __bowline_migrations beside it for what that does
/// not record: which text ran, by whom, and whether it stopped halfway. Each migration runs in a
/// transaction of its own, unless its metadata.toml sets run_in_transaction = false. A run that
/// changes something holds an advisory lock, so that two runs of this command do not overlap;
/// diesel's own command does not take that lock.
///
/// While a statement waits for a lock, others that come for the same table wait behind it. So it
/// waits 5 seconds, and the migration begins again, 10 times in all. The sessions that hold the
/// lock are named. CREATE INDEX CONCURRENTLY waits without a limit, since it blocks no reader and
/// no writer. statement_timeout does not apply.
///
/// Example: bowline migrate run
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    database: DatabaseArgs,
    /// The time to wait for another run of migrations to end.
    #[arg(long, global = true, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(0..=86_400))]
    wait: u64,
    /// The time that a migration waits for a lock on a table before it begins again; 0 for no
    /// limit.
    #[arg(long, global = true, value_name = "SECONDS", default_value = "5", value_parser = clap::value_parser!(u64).range(0..=86_400))]
    lock_timeout: u64,
    /// The number of times that a migration begins in all, if a lock is not free in time.
    #[arg(long, global = true, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    lock_attempts: u32,
}

#[derive(Debug, Subcommand)]
enum Action {
    Run(run::Run),
    Revert(revert::Revert),
    Redo(revert::Redo),
    To(to::To),
    Status(status::Status),
    Plan(plan::Plan),
    Resolve(resolve::Resolve),
    Baseline(baseline::Baseline),
    ImportSqlx(import_sqlx::ImportSqlx),
}

impl Migrate {
    fn lock_wait(&self) -> LockWait {
        LockWait {
            timeout: (self.lock_timeout > 0).then(|| Duration::from_secs(self.lock_timeout)),
            attempts: self.lock_attempts,
        }
    }
}

pub(crate) fn run(arguments: &Migrate, project: &Project) -> Result<(), CliError> {
    if let Action::ImportSqlx(arguments) = &arguments.action {
        arguments.finish_move(&project.migrations)?;
    }
    if let Action::Plan(plan) = &arguments.action {
        return plan::run(plan, &arguments.database, project);
    }
    if let Action::Run(run) = &arguments.action
        && let Some(against) = &run.against
    {
        crate::commands::check::refuse_breaks(against, project)?;
    }
    // Read before connecting, so that an invalid folder changes nothing.
    let migrations = project.read_migrations()?;
    let config = arguments.database.config()?;
    if let Action::Status(arguments) = &arguments.action {
        if !migrations.iter().any(Migration::is_sqlxs) {
            refuse_of_other_tools(migrations)?;
        }
        let mut session = connect(&config)?.session;
        return status::run(
            arguments,
            &mut session,
            migrations,
            project.settings.migrate,
        );
    }
    if !matches!(arguments.action, Action::ImportSqlx(_)) {
        refuse_of_other_tools(migrations)?;
    }
    let mut work = Work {
        connected: connect(&config)?,
        config: &config,
        migrations,
        settings: project.settings.migrate,
        patience: Duration::from_secs(arguments.wait),
        lock_wait: arguments.lock_wait(),
    };
    ui::notices::show();
    match &arguments.action {
        Action::Run(_) => run::run(&mut work),
        Action::Revert(arguments) => revert::revert(arguments, &mut work),
        Action::Redo(arguments) => revert::redo(arguments, &mut work),
        Action::To(arguments) => to::run(arguments, &mut work),
        Action::Resolve(arguments) => resolve::run(arguments, &mut work),
        Action::Baseline(arguments) => baseline::run(arguments, &mut work, project),
        Action::ImportSqlx(arguments) => import_sqlx::run(arguments, &mut work),
        Action::Status(_) | Action::Plan(_) => Ok(()),
    }
}

/// Reads the history, without creating a table where it is missing. The history of flat migrations
/// is in sqlx's table.
pub(super) fn read_history(
    session: &mut Session,
    migrations: &[Migration],
) -> Result<History, CliError> {
    if migrations.iter().any(Migration::is_sqlxs) {
        return match sqlx::SqlxTable::find(session)? {
            Some(table) => table.history(session, migrations),
            None => Ok(History::default()),
        };
    }
    match Bookkeeping::find(session)? {
        Some(table) => Ok(History::of(&table, session, migrations)?),
        None => Ok(History::default()),
    }
}

/// Runs all migrations on a database that was just created.
pub(super) fn run_all(config: &Config, migrations: &[Migration]) -> Result<(), CliError> {
    ui::notices::show();
    run::run(&mut Work {
        connected: connect(config)?,
        config,
        migrations,
        settings: MigrateSettings::default(),
        patience: Duration::ZERO,
        lock_wait: LockWait::default(),
    })
}

fn connect(config: &Config) -> Result<Connected, CliError> {
    let config = config.clone().application_name("bowline migrate");
    let mut connected = connection::connect(&config)?;
    connected.session.set_timeout(step::LIMIT);
    Ok(connected)
}

/// A database, the migrations, and the times to wait.
struct Work<'m> {
    connected: Connected,
    config: &'m Config,
    migrations: &'m [Migration],
    settings: MigrateSettings,
    /// The time to wait for another run of migrations to end.
    patience: Duration,
    /// The wait of a migration for the locks of its statements.
    lock_wait: LockWait,
}

/// A database whose lock is held, and the migrations that have run on it.
struct Locked<'a> {
    session: &'a mut Session,
    config: &'a Config,
    table: Bookkeeping,
    history: History,
    migrations: &'a [Migration],
    settings: MigrateSettings,
    lock_wait: LockWait,
}

impl Work<'_> {
    /// Takes the lock, reads the history, and does the work while holding the lock. Fails if a
    /// migration has stopped halfway.
    fn locked(
        &mut self,
        work: impl FnOnce(&mut Locked<'_>) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let migrations = self.migrations;
        self.locked_in_any_state(|locked| {
            if locked.table.lacks_history() {
                ui::note("this role may not write to __bowline_migrations, so what runs is recorded in diesel's table only");
            }
            locked
                .history
                .refuse_unfinished(locked.session, migrations)?;
            work(locked)
        })
    }

    /// Takes the lock, reads the history, and does the work while holding the lock.
    fn locked_in_any_state(
        &mut self,
        work: impl FnOnce(&mut Locked<'_>) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let (migrations, settings) = (self.migrations, self.settings);
        let (config, lock_wait) = (self.config, self.lock_wait);
        lock::locked(&mut self.connected, self.patience, |session| {
            let table = Bookkeeping::prepare(session)?;
            let history = History::of(&table, session, migrations)?;
            if history.is_empty() {
                refuse_history_of_sqlx(session)?;
            }
            work(&mut Locked {
                session,
                config,
                table,
                history,
                migrations,
                settings,
                lock_wait,
            })
        })
    }
}

/// Fails if sqlx has run migrations: they would run a second time.
fn refuse_history_of_sqlx(session: &mut Session) -> Result<(), CliError> {
    if !sqlx::has_run(session)? {
        return Ok(());
    }
    Err(CliError::failed(
        "sqlx has run migrations on this database, and `bowline migrate` has run none",
    )
    .hint("run `bowline migrate import-sqlx` first, which takes over sqlx's history"))
}

impl Locked<'_> {
    /// Runs or reverts migrations one by one, and prints each with the time it took.
    fn each(&mut self, migrations: &[&Migration], way: Way) -> Result<(), CliError> {
        // Files that cannot be run are refused before anything runs.
        for migration in migrations {
            step::sql(migration, way)?;
        }
        let (doing, did) = match way {
            Way::Up => ("running", "ran"),
            Way::Down => ("reverting", "reverted"),
        };
        for (index, migration) in migrations.iter().enumerate() {
            let (name, total) = (&migration.name, migrations.len());
            let head = format!("{doing} {name} ({} of {total})", index + 1);
            let observer = Shown::start(head, migration, way, self.lock_wait)?;
            let started = std::time::Instant::now();
            let attempts = Attempts {
                wait: self.lock_wait,
                config: Some(self.config),
                observer: &observer,
            };
            let done = step(self.session, &self.table, migration, way, attempts);
            drop(observer);
            done?;
            ui::status(format!("{did} {name} ({:.0?})", started.elapsed()));
        }
        Ok(())
    }
}
