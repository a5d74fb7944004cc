//! `bowline migrate`: the migrations of the project on a database, in diesel's own format and table.

use std::time::Instant;

use bowline::{Config, Session};
use clap::{Args, Subcommand};
use diesel::migration::{Migration as _, MigrationSource as _};
use diesel::pg::Pg;
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};

use crate::error::{CliError, failed};
use crate::migrations::{Migration, read_folder};
use crate::project::Project;
use crate::ui;

/// Run, revert or list the migrations on the database that DATABASE_URL names.
///
/// The folder's format and the table of what has run are diesel's own, so diesel's command can be used on
/// the same database in turn. Each migration runs in a transaction of its own, unless its metadata.toml
/// says otherwise.
///
/// Example: bowline migrate run
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    #[command(subcommand)]
    action: Action,
    /// The database; else DATABASE_URL, from the environment or from a file .env, and PG* variables.
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run what has not run yet, in order.
    Run,
    /// Revert the migration that ran last.
    Revert,
    /// List the migrations and which of them have run; changes nothing.
    Status,
}

pub(crate) fn run(arguments: &Migrate, project: &Project) -> Result<(), CliError> {
    // Before anything is connected to: a folder that is wrong changes nothing.
    let migrations = read_folder(&project.migrations)?;
    let config = match &arguments.database_url {
        Some(url) => Config::from_url(url)?,
        None => Config::from_env()?,
    };
    let mut session = Session::connect(&config)?;
    // DDL on large tables takes its time; a day is a bound all the same.
    session.within(std::time::Duration::from_secs(24 * 60 * 60));
    match arguments.action {
        Action::Run => run_pending(&mut session, &migrations, project),
        Action::Revert => revert(&mut session, &migrations, project),
        Action::Status => status(&mut session, &migrations),
    }
}

fn run_pending(
    session: &mut Session,
    migrations: &[Migration],
    project: &Project,
) -> Result<(), CliError> {
    let source = source(project)?;
    let pending = session
        .pending_migrations(source)
        .map_err(|error| failed("list the migrations", &*error))?;
    for migration in &pending {
        let name = migration.name().to_string();
        let started = Instant::now();
        session.run_migration(migration).map_err(|error| {
            failed(&format!("run {name}"), &*error).hint(unfinished(migrations, &name))
        })?;
        ui::status(format!("ran {name} ({:.0?})", started.elapsed()));
    }
    let all = if migrations.len() == 1 {
        "1 migration".to_owned()
    } else {
        format!("{} migrations", migrations.len())
    };
    ui::status(format!("{all}, {} run now", pending.len()));
    Ok(())
}

/// What a failed migration leaves behind.
fn unfinished(migrations: &[Migration], name: &str) -> &'static str {
    let in_transaction = migrations
        .iter()
        .find(|migration| migration.name == name)
        .is_none_or(|migration| migration.run_in_transaction);
    if in_transaction {
        "nothing of it was done: mend its up.sql and run again"
    } else {
        "it does not run in a transaction, so a part of it may be done: look before you run again"
    }
}

fn revert(
    session: &mut Session,
    migrations: &[Migration],
    project: &Project,
) -> Result<(), CliError> {
    let applied = session
        .applied_migrations()
        .map_err(|error| failed("list what has run", &*error))?;
    let Some(last) = applied.into_iter().map(|version| version.to_string()).max() else {
        ui::status("nothing has run, so there is nothing to revert");
        return Ok(());
    };
    let migration = migrations
        .iter()
        .find(|migration| migration.version == last)
        .ok_or_else(|| {
            CliError::failed(format!(
                "the migration {last} has run, but is not in {}",
                project.migrations.display()
            ))
            .hint("get the version of the code that has it")
        })?;
    if migration.down.is_none() {
        return Err(CliError::failed(format!(
            "{} has no down.sql, so it cannot be reverted",
            migration.name
        ))
        .hint("write a migration that undoes it, or its down.sql"));
    }
    let found: Vec<_> = source(project)?
        .migrations()
        .map_err(|error| failed("read the migrations", &*error))?;
    let found: Option<&Box<dyn diesel::migration::Migration<Pg>>> = found
        .iter()
        .find(|found| found.name().to_string() == migration.name);
    let found = found
        .ok_or_else(|| CliError::failed(format!("diesel does not find {}", migration.name)))?;
    session
        .revert_migration(found)
        .map_err(|error| failed(&format!("revert {}", migration.name), &*error))?;
    ui::status(format!("reverted {}", migration.name));
    Ok(())
}

fn status(session: &mut Session, migrations: &[Migration]) -> Result<(), CliError> {
    let applied = applied(session)?;
    for migration in migrations {
        let mark = if applied.contains(&migration.version) {
            "ran    "
        } else {
            "pending"
        };
        ui::result(format!("{mark}  {}", migration.name));
    }
    for version in applied.iter().filter(|version| {
        migrations
            .iter()
            .all(|migration| migration.version != **version)
    }) {
        ui::result(format!("ran      {version} (not in the folder)"));
    }
    Ok(())
}

/// What has run, asked without making diesel's table where it is not there: a status changes nothing.
pub(super) fn applied(session: &mut Session) -> Result<Vec<String>, CliError> {
    use bowline::StatementDsl as _;
    use diesel::sql_types::Text;

    #[derive(diesel::QueryableByName)]
    struct Version {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let there =
        bowline::sql("SELECT 1 WHERE to_regclass('__diesel_schema_migrations') IS NOT NULL")
            .affected();
    if session.run(there)? == 0 {
        return Ok(Vec::new());
    }
    let query = bowline::sql(
        "SELECT version::text AS version FROM __diesel_schema_migrations ORDER BY version",
    );
    Ok(session
        .run(query.all::<Version>())?
        .into_iter()
        .map(|row| row.version)
        .collect())
}

fn source(project: &Project) -> Result<FileBasedMigrations, CliError> {
    FileBasedMigrations::from_path(&project.migrations)
        .map_err(|error| failed("read the migrations", &error))
}
