//! `bowline migrate`: runs, reverts and lists migrations, compatibly with diesel's own command.

mod history;
mod import_sqlx;
mod lock;
mod order;
mod revert;
mod run;
mod sqlx;
mod status;
mod to;

use std::time::Duration;

use bowline::__generated::migrating::Bookkeeping;
use bowline::{Config, Session};
use clap::{Args, Subcommand};

use crate::connection::{self, Connected, DatabaseArgs};
use crate::error::CliError;
use crate::migrations::Migration;
use crate::project::Project;
use crate::step::{self, Way, step};
use crate::ui;
use bowline_plan::paths::shown_path;
use history::History;

/// Run, revert or list the migrations of a database.
///
/// Uses the table of diesel's own command. Each migration runs in a transaction of its own, unless
/// its metadata.toml sets run_in_transaction = false. A run that changes something holds an
/// advisory lock, so that two runs of this command do not overlap; diesel's own command does not
/// take that lock.
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
}

#[derive(Debug, Subcommand)]
enum Action {
    Run(run::Run),
    Revert(revert::Revert),
    Redo(revert::Redo),
    To(to::To),
    Status(status::Status),
    ImportSqlx(import_sqlx::ImportSqlx),
}

pub(crate) fn run(arguments: &Migrate, project: &Project) -> Result<(), CliError> {
    if let Action::ImportSqlx(arguments) = &arguments.action {
        arguments.finish_move(&project.migrations)?;
    }
    // Read before connecting, so that an invalid folder changes nothing.
    let migrations = project.read_migrations()?;
    let config = arguments.database.config()?;
    if let Action::Status(arguments) = &arguments.action {
        return status::run(arguments, &mut connect(&config)?.session, migrations);
    }
    if !matches!(arguments.action, Action::ImportSqlx(_))
        && let Some(flat) = migrations.iter().find(|migration| migration.is_flat())
    {
        let path = shown_path(&flat.path);
        return Err(CliError::failed(format!(
            "{path} is a flat file, and `bowline migrate` runs migrations that are folders"
        ))
        .hint("run flat files with the tool that they are from, such as `sqlx migrate run`; `bowline migrate import-sqlx` takes over sqlx's"));
    }
    let mut work = Work {
        connected: connect(&config)?,
        migrations,
        patience: Duration::from_secs(arguments.wait),
    };
    ui::notices::show();
    match &arguments.action {
        Action::Run(_) => run::run(&mut work),
        Action::Revert(arguments) => revert::revert(arguments, &mut work),
        Action::Redo(arguments) => revert::redo(arguments, &mut work),
        Action::To(arguments) => to::run(arguments, &mut work),
        Action::ImportSqlx(arguments) => import_sqlx::run(arguments, &mut work),
        Action::Status(_) => Ok(()),
    }
}

/// Reads the history, without creating a table where it is missing. The history of flat migrations
/// is in sqlx's table.
pub(super) fn read_history(
    session: &mut Session,
    migrations: &[Migration],
) -> Result<History, CliError> {
    if migrations.iter().any(Migration::is_flat) {
        return match sqlx::SqlxTable::find(session)? {
            Some(table) => table.history(session, migrations),
            None => Ok(History::default()),
        };
    }
    match Bookkeeping::find(session)? {
        Some(table) => Ok(History::of(&table, session)?),
        None => Ok(History::default()),
    }
}

/// Runs all migrations on a database that was just created.
pub(super) fn run_all(config: &Config, migrations: &[Migration]) -> Result<(), CliError> {
    ui::notices::show();
    run::run(&mut Work {
        connected: connect(config)?,
        migrations,
        patience: Duration::ZERO,
    })
}

fn connect(config: &Config) -> Result<Connected, CliError> {
    let config = config.clone().application_name("bowline migrate");
    let mut connected = connection::connect(&config)?;
    // DDL on large tables can take hours.
    connected
        .session
        .set_timeout(Duration::from_secs(24 * 60 * 60));
    Ok(connected)
}

/// A database, the migrations, and the time to wait for the lock.
struct Work<'m> {
    connected: Connected,
    migrations: &'m [Migration],
    patience: Duration,
}

/// A database whose lock is held, and the migrations that have run on it.
struct Locked<'a> {
    session: &'a mut Session,
    table: Bookkeeping,
    history: History,
    migrations: &'a [Migration],
}

impl Work<'_> {
    /// Takes the lock, reads the history, and does the work while holding the lock.
    fn locked(
        &mut self,
        work: impl FnOnce(&mut Locked<'_>) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let migrations = self.migrations;
        lock::locked(&mut self.connected, self.patience, |session| {
            let table = Bookkeeping::prepare(session)?;
            let history = History::of(&table, session)?;
            if history.is_empty() {
                refuse_history_of_sqlx(session)?;
            }
            work(&mut Locked {
                session,
                table,
                history,
                migrations,
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

/// Runs or reverts migrations one by one, and prints each with the time it took.
fn each(
    session: &mut Session,
    table: &Bookkeeping,
    migrations: &[&Migration],
    way: Way,
) -> Result<(), CliError> {
    // Files that cannot be run are refused before anything runs.
    for migration in migrations {
        step::sql(migration, way)?;
    }
    let (doing, did) = match way {
        Way::Up => ("running", "ran"),
        Way::Down => ("reverting", "reverted"),
    };
    for (index, migration) in migrations.iter().enumerate() {
        let progress = ui::Progress::start(format!(
            "{doing} {} ({} of {})",
            migration.name,
            index + 1,
            migrations.len()
        ));
        let started = std::time::Instant::now();
        let done = step(session, table, migration, way);
        drop(progress);
        done?;
        ui::status(format!(
            "{did} {} ({:.0?})",
            migration.name,
            started.elapsed()
        ));
    }
    Ok(())
}
