//! `bowline migrate`: run, revert and list migrations, by diesel_migrations.

mod history;
mod lock;
mod order;
mod revert;
mod run;
mod status;
mod to;

use std::time::Duration;

use bowline::migrating::Bookkeeping;
use bowline::{Config, Session};
use clap::{Args, Subcommand};

use crate::connection::{self, Connected};
use crate::error::CliError;
use crate::migrations::{Migration, read_folder};
use crate::project::Project;
use crate::step::{self, Way, step};
use crate::ui;
use history::History;

pub(super) use history::History as MigrationHistory;

/// Run, revert or list the migrations of a database.
///
/// Uses the table of diesel's own command. Each migration runs in a transaction of its own, unless its metadata.toml
/// says otherwise. Who changes something holds a lock of the session (pg_advisory_lock), so that two runs of this
/// command follow one another; diesel's own command does not know it.
///
/// Example: bowline migrate run
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    #[command(subcommand)]
    action: Action,
    /// The database; else DATABASE_URL, from the environment or from a file .env, and PG* variables.
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// How long to wait for another who runs migrations.
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
}

pub(crate) fn run(arguments: &Migrate, project: &Project) -> Result<(), CliError> {
    // Before anything is connected to: a folder that is wrong changes nothing.
    let migrations = read_folder(&project.migrations)?;
    let config = connection::config(arguments.database_url.as_deref())?;
    if let Action::Status(arguments) = &arguments.action {
        return status::run(arguments, &mut connect(&config)?.session, &migrations);
    }
    let mut work = Work {
        connected: connect(&config)?,
        migrations: &migrations,
        patience: Duration::from_secs(arguments.wait),
    };
    ui::notices::show();
    match &arguments.action {
        Action::Run(_) => run::run(&mut work),
        Action::Revert(arguments) => revert::revert(arguments, &mut work),
        Action::Redo(arguments) => revert::redo(arguments, &mut work),
        Action::To(arguments) => to::run(arguments, &mut work),
        Action::Status(_) => Ok(()),
    }
}

/// Runs all migrations of a folder on a database; for those who have just made it.
pub(super) fn run_all(config: &Config, migrations: &[Migration]) -> Result<(), CliError> {
    run::run(&mut Work {
        connected: connect(config)?,
        migrations,
        patience: Duration::ZERO,
    })
}

fn connect(config: &Config) -> Result<Connected, CliError> {
    let config = config.clone().application_name("bowline migrate");
    let mut connected = connection::connect(&config)?;
    // DDL on large tables takes its time; a day is a bound all the same.
    connected.session.within(Duration::from_secs(24 * 60 * 60));
    Ok(connected)
}

/// A database, the folder, and how long to wait for others.
struct Work<'m> {
    connected: Connected,
    migrations: &'m [Migration],
    patience: Duration,
}

/// A database on which nobody else runs migrations, and what has run on it.
struct Alone<'a> {
    session: &'a mut Session,
    table: Bookkeeping,
    history: History,
    migrations: &'a [Migration],
}

impl Work<'_> {
    /// Does it while nobody else does such a thing, with what has run by then.
    fn alone(
        &mut self,
        work: impl FnOnce(&mut Alone<'_>) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let migrations = self.migrations;
        lock::locked(&mut self.connected, self.patience, |session| {
            let table = Bookkeeping::prepare(session)?;
            let history = History::of(&table, session)?;
            work(&mut Alone {
                session,
                table,
                history,
                migrations,
            })
        })
    }
}

/// Goes through migrations one after the other, and says of each what was done and how long it took.
fn each(
    session: &mut Session,
    table: &Bookkeeping,
    migrations: &[&Migration],
    way: Way,
) -> Result<(), CliError> {
    // What cannot be run is refused before anything runs.
    for migration in migrations {
        step::sql(migration, way)?;
    }
    let (doing, did) = match way {
        Way::Up => ("running", "ran"),
        Way::Down => ("reverting", "reverted"),
    };
    for (place, migration) in migrations.iter().enumerate() {
        let progress = ui::Progress::start(format!(
            "{doing} {} ({} of {})",
            migration.name,
            place + 1,
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
