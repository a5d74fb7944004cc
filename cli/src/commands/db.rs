//! `bowline db`: make, drop and remake the database of a project.

use std::time::Duration;

use bowline::{Config, Session, SqlState, StatementDsl as _};
use clap::{Args, Subcommand};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};

use super::migrate;
use crate::connection;
use crate::error::{CliError, failed};
use crate::migrations::read_folder;
use crate::project::Project;
use crate::ui::{self, Answer};
use bowline_catalog::definition::quoted;

/// Make, drop or remake the database that DATABASE_URL names.
///
/// Connects to the database postgres of the same server for it, else to template1. What destroys asks before it does,
/// and without a terminal does nothing unless --yes is said.
///
/// Example: bowline db create
#[derive(Debug, Args)]
pub(crate) struct Db {
    #[command(subcommand)]
    action: Action,
    /// The database; else DATABASE_URL, from the environment or from a file .env, and PG* variables.
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make the database, unless it is there.
    ///
    /// Example: bowline db create --database-url postgres://app@localhost/app
    Create,
    /// Drop the database with all that is in it.
    ///
    /// Fails while others are connected to it, unless --force ends their sessions. That it is not there is no failure.
    ///
    /// Example: bowline db drop --yes
    Drop(Destroy),
    /// Drop the database, make it anew, and run all migrations.
    ///
    /// Example: bowline db reset
    Reset(Destroy),
}

#[derive(Debug, Args)]
struct Destroy {
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// End the sessions of others.
    #[arg(long)]
    force: bool,
}

/// A database is copied from a template, which may be large.
const LIMIT: Duration = Duration::from_secs(10 * 60);

pub(crate) fn run(
    arguments: &Db,
    project: impl FnOnce() -> Result<Project, CliError>,
) -> Result<(), CliError> {
    let config = connection::config(arguments.database_url.as_deref())?;
    if let Action::Drop(_) | Action::Reset(_) = &arguments.action
        && !config.names_database()
    {
        // It would be the database of the role's name, such as postgres.
        return Err(
            CliError::failed("the URL names no database, so nothing is dropped")
                .hint("name it at the end of the URL: postgres://user@host:5432/database"),
        );
    }
    let place = Place {
        database: config.database_name()?,
        server: config.server_name()?,
        config,
    };
    match &arguments.action {
        Action::Create => place.create(&mut place.maintenance()?),
        Action::Drop(how) => place.drop(&mut place.maintenance()?, how, "drop"),
        Action::Reset(how) => {
            // Before anything is dropped: a folder that is wrong destroys nothing.
            let migrations = read_folder(&project()?.migrations)?;
            let mut session = place.maintenance()?;
            place.drop(&mut session, how, "drop and remake")?;
            place.create(&mut session)?;
            drop(session);
            migrate::run_all(&place.config, &migrations)
        }
    }
}

/// A database, and the server it is on.
struct Place {
    database: String,
    server: String,
    config: Config,
}

impl Place {
    /// A session in another database of the server: one's own cannot be dropped.
    fn maintenance(&self) -> Result<Session, CliError> {
        let connect = |dbname: &str| {
            let config = self.config.clone().dbname(dbname);
            Session::connect(&config.application_name("bowline db"))
        };
        let postgres = if self.database == "postgres" {
            connect("template1")
        } else {
            connect("postgres")
        };
        let session = match postgres {
            // There is none on some servers, or not for everybody.
            Err(error)
                if matches!(
                    error.sqlstate(),
                    Some(SqlState::INVALID_CATALOG_NAME | SqlState::INSUFFICIENT_PRIVILEGE)
                ) =>
            {
                connect("template1")
            }
            other => other,
        };
        let mut session = session?;
        session.within(LIMIT);
        Ok(session)
    }

    fn is_there(&self, session: &mut Session) -> Result<bool, CliError> {
        let query = bowline::sql("SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1");
        Ok(session.run(query.bind::<Text, _>(self.database.clone()).affected())? > 0)
    }

    fn create(&self, session: &mut Session) -> Result<(), CliError> {
        let (database, server) = (&self.database, &self.server);
        if self.is_there(session)? {
            ui::note(format!(
                "the database {database} is there already, on {server}"
            ));
            return Ok(());
        }
        let progress = ui::Progress::start(format!("making the database {database}"));
        let made = session.batch_execute(&format!("CREATE DATABASE {}", quoted(database)));
        drop(progress);
        made.map_err(|error| self.failed("make", &error, None))?;
        ui::status(format!("made the database {database} on {server}"));
        Ok(())
    }

    fn drop(&self, session: &mut Session, how: &Destroy, verb: &str) -> Result<(), CliError> {
        let (database, server) = (&self.database, &self.server);
        if !self.is_there(session)? {
            ui::note(format!("there is no database {database} on {server}"));
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
        let hint = (!how.force)
            .then_some("pg_stat_activity lists the connected sessions; --force ends them");
        dropped.map_err(|error| self.failed("drop", &error, hint))?;
        ui::status(format!("dropped the database {database} on {server}"));
        Ok(())
    }

    /// How many sessions others have there.
    fn sessions(&self, session: &mut Session) -> Result<i64, CliError> {
        #[derive(bowline::Row)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            sessions: i64,
        }
        let query = bowline::sql(
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
        match ui::ask(&format!("{what}{ended}? All that is in it is lost.")) {
            Answer::Yes => Ok(()),
            Answer::No => Err(CliError::failed("nothing was dropped")),
            Answer::Nobody => Err(CliError::failed(format!(
                "refused to {what}: there is no terminal to ask"
            ))
            .hint("say --yes, if that is what you want")),
        }
    }

    fn failed(&self, verb: &str, error: &diesel::result::Error, hint: Option<&str>) -> CliError {
        let what = format!("{verb} the database {} on {}", self.database, self.server);
        let failed = failed(&what, error);
        match hint {
            Some(hint) => failed.hint(hint),
            None => failed,
        }
    }
}
