//! `bowline db`: creates, drops and recreates the database of a project.

use std::time::Duration;

use bowline::{Config, Session, SqlState, StatementDsl as _};
use clap::{Args, Subcommand};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};

use super::migrate;
use crate::connection::{DatabaseArgs, connect};
use crate::error::{CliError, failed, read_only_hint};
use crate::migrations::refuse_of_other_tools;
use crate::project::Project;
use crate::ui::{self, Answer};
use bowline_catalog::definition::quoted;

/// Create, drop or recreate the database that DATABASE_URL names.
///
/// Connects to the database postgres of the same server, or to template1. Dropping asks for
/// confirmation; without a terminal it needs --yes.
///
/// Example: bowline db create
#[derive(Debug, Args)]
pub(crate) struct Db {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create the database, unless it exists.
    ///
    /// Example: bowline db create --database-url postgres://app@localhost/app
    Create,
    /// Drop the database with all its data.
    ///
    /// Fails while other sessions are connected to it, unless --force ends them. A missing database
    /// is not a failure.
    ///
    /// Example: bowline db drop --yes
    Drop(Destroy),
    /// Drop the database, create it again, and run all migrations.
    ///
    /// Example: bowline db reset
    Reset(Destroy),
}

#[derive(Debug, Args)]
struct Destroy {
    /// Do not ask for confirmation.
    #[arg(short, long)]
    yes: bool,
    /// End other sessions that are connected to it.
    #[arg(long)]
    force: bool,
}

/// The time limit for creating a database, which copies a template.
const LIMIT: Duration = Duration::from_secs(10 * 60);

pub(crate) fn run(
    arguments: &Db,
    project: impl FnOnce() -> Result<Project, CliError>,
) -> Result<(), CliError> {
    let config = arguments.database.config()?;
    if let Action::Drop(_) | Action::Reset(_) = &arguments.action
        && !config.names_database()
    {
        // The default is the database with the role's name, such as postgres.
        return Err(
            CliError::failed("the URL names no database, so nothing is dropped")
                .hint("name it at the end of the URL: postgres://user@host:5432/database"),
        );
    }
    let target = Target {
        database: config.database_name()?,
        server: config.server_name()?,
        config,
    };
    match &arguments.action {
        Action::Create => target.create(&mut target.maintenance()?),
        Action::Drop(how) => target.drop(&mut target.maintenance()?, how, "drop"),
        Action::Reset(how) => {
            // Read first, so that an invalid folder destroys nothing.
            let migrations = project()?.read_migrations()?.to_vec();
            refuse_of_other_tools(&migrations)?;
            let mut session = target.maintenance()?;
            target.drop(&mut session, how, "drop and recreate")?;
            target.create(&mut session)?;
            drop(session);
            migrate::run_all(&target.config, &migrations)
        }
    }
}

/// A database, and its server.
struct Target {
    database: String,
    server: String,
    config: Config,
}

impl Target {
    /// Connects to another database of the server, since a session cannot drop its own.
    fn maintenance(&self) -> Result<Session, CliError> {
        let connect_to = |dbname: &str| {
            let config = self.config.clone().dbname(dbname);
            connect(&config.application_name("bowline db")).map(|connected| connected.session)
        };
        let postgres = if self.database == "postgres" {
            connect_to("template1")
        } else {
            connect_to("postgres")
        };
        let session = match postgres {
            // Some servers have no such database, or do not let every role connect to it.
            Err(error)
                if matches!(
                    error.sqlstate(),
                    Some(SqlState::INVALID_CATALOG_NAME | SqlState::INSUFFICIENT_PRIVILEGE)
                ) =>
            {
                connect_to("template1")
            }
            other => other,
        };
        let mut session = session?;
        session.set_timeout(LIMIT);
        Ok(session)
    }

    fn exists(&self, session: &mut Session) -> Result<bool, CliError> {
        let query = bowline::sql_query("SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1");
        Ok(session.run(query.bind::<Text, _>(self.database.clone()).affected())? > 0)
    }

    fn create(&self, session: &mut Session) -> Result<(), CliError> {
        let (database, server) = (&self.database, &self.server);
        if self.exists(session)? {
            ui::note(format!(
                "the database {database} already exists on {server}"
            ));
            return Ok(());
        }
        let progress = ui::Progress::start(format!("creating the database {database}"));
        let created = session.batch_execute(&format!("CREATE DATABASE {}", quoted(database)));
        drop(progress);
        created.map_err(|error| {
            let failed = failed(&self.described("create"), &error);
            let hint = read_only_hint(&bowline::Error::from(error));
            hint.into_iter().fold(failed, CliError::hint)
        })?;
        ui::status(format!("created the database {database} on {server}"));
        Ok(())
    }

    fn drop(&self, session: &mut Session, how: &Destroy, verb: &str) -> Result<(), CliError> {
        let (database, server) = (&self.database, &self.server);
        if !self.exists(session)? {
            ui::note(format!(
                "the database {database} does not exist on {server}"
            ));
            return Ok(());
        }
        let sessions = self.sessions(session)?;
        if !how.yes {
            self.ask(verb, sessions, how)?;
        }
        let force = if how.force { " WITH (FORCE)" } else { "" };
        let progress = ui::Progress::start(format!("dropping the database {database}"));
        let dropped = session.batch_execute(&format!("DROP DATABASE {}{force}", quoted(database)));
        drop(progress);
        dropped.map_err(|error| {
            let what = self.described("drop");
            let failed = failed(&what, &error);
            let error = bowline::Error::from(error);
            let is_in_use = error.sqlstate() == Some(SqlState::OBJECT_IN_USE);
            let hint = (is_in_use && !how.force)
                .then_some("pg_stat_activity lists the connected sessions; --force ends them");
            let hints = hint.into_iter().chain(read_only_hint(&error));
            hints.fold(failed, CliError::hint)
        })?;
        ui::status(format!("dropped the database {database} on {server}"));
        Ok(())
    }

    /// Returns the number of sessions that are connected to it.
    fn sessions(&self, session: &mut Session) -> Result<i64, CliError> {
        #[derive(bowline::Row)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            sessions: i64,
        }
        let query = bowline::sql_query(
            "SELECT count(*) AS sessions FROM pg_catalog.pg_stat_activity WHERE datname = $1",
        );
        let count = session.run(query.bind::<Text, _>(self.database.clone()).one::<Count>())?;
        Ok(count.sessions)
    }

    fn ask(&self, verb: &str, sessions: i64, how: &Destroy) -> Result<(), CliError> {
        let (database, server) = (&self.database, &self.server);
        let sessions = usize::try_from(sessions).unwrap_or_default();
        let ended = if how.force && sessions > 0 {
            format!(", and end {} in it", ui::counted(sessions, "session"))
        } else {
            String::new()
        };
        let what = format!("{verb} the database {database} on {server}");
        match ui::ask(&format!("{what}{ended}? All its data is lost.")) {
            Answer::Yes => Ok(()),
            Answer::No => Err(CliError::failed("nothing was dropped")),
            Answer::NoTerminal => Err(CliError::failed(format!(
                "did not {what}: there is no terminal to ask for confirmation"
            ))
            .hint("pass --yes to do it without confirmation")),
        }
    }

    fn described(&self, verb: &str) -> String {
        format!("{verb} the database {} on {}", self.database, self.server)
    }
}
