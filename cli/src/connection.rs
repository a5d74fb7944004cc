//! Connections of the command: the options, and connecting, also through a pooler such as
//! PgBouncer.

use std::time::Duration;

use bowline::__generated::migrating::is_behind_pooler;
use bowline::testing::LocalServer;
use bowline::{Config, Session};
use clap::Args;

use crate::error::CliError;

/// The option `--database-url`, whose help says what a command uses it for.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DatabaseUrl {
    #[arg(long = "database-url", id = "database_url", value_name = "URL")]
    url: Option<String>,
}

impl DatabaseUrl {
    /// Returns the URL, if the option is given.
    pub(crate) fn given(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

/// A database to work on.
#[derive(Debug, Clone, Default, Args)]
#[command(mut_arg("database_url", |url| url.global(true).help(
    "The database [default: DATABASE_URL in the environment or in .env, and PG* variables]"
)))]
pub(crate) struct DatabaseArgs {
    #[command(flatten)]
    database_url: DatabaseUrl,
}

impl DatabaseArgs {
    /// Returns true if the option is given, so that the environment is not read.
    pub(crate) fn is_given(&self) -> bool {
        self.database_url.given().is_some()
    }

    /// Returns the configuration from the option, or else from the environment.
    pub(crate) fn config(&self) -> bowline::Result<Config> {
        match self.database_url.given() {
            Some(url) => Config::from_url(url),
            None => Config::from_env(),
        }
    }
}

/// A server on which the command creates a database for itself.
#[derive(Debug, Clone, Default, Args)]
#[command(mut_arg("database_url", |url| url.help(
    "The server on which to create a temporary database [default: a local server that is started \
     for it]"
)))]
pub(crate) struct ServerArgs {
    #[command(flatten)]
    database_url: DatabaseUrl,
}

impl ServerArgs {
    /// Returns the server with this URL, or a local one.
    pub(crate) fn of(url: Option<&str>) -> Self {
        Self {
            database_url: DatabaseUrl {
                url: url.map(str::to_owned),
            },
        }
    }

    /// Returns true if the caller names a server.
    pub(crate) fn is_named(&self) -> bool {
        self.database_url.given().is_some()
    }

    /// Returns the URL of the server; starts a local one if none is given.
    pub(crate) fn url(&self) -> Result<String, CliError> {
        match self.database_url.given() {
            Some(url) => Ok(url.to_owned()),
            None => Ok(LocalServer::start()?.url("postgres")),
        }
    }

    /// Returns the configuration of the server; starts a local one if none is given.
    pub(crate) fn config(&self) -> Result<Config, CliError> {
        match self.database_url.given() {
            Some(url) => Ok(Config::from_url(url)?),
            None => Ok(LocalServer::start()?.config("postgres")),
        }
    }
}

/// A connection, which may go through a pooler.
pub(crate) struct Connected {
    pub session: Session,
    /// True if the connection goes through a pooler in transaction mode, which does not keep the
    /// state of a session.
    pub is_pooled: bool,
}

/// Connects, and detects a pooler. If there is one, connects again without start-up options, which
/// poolers refuse or ignore. Statements get no names, since a pooler would keep them for others.
pub(crate) fn connect(config: &Config) -> bowline::Result<Connected> {
    // What is found out below is not refused before.
    let direct = config.clone().statement_cache(0).pooler(false);
    let pooled = |direct: Config| -> bowline::Result<Connected> {
        Ok(Connected {
            session: Session::connect(&direct.pooler(true))?,
            is_pooled: true,
        })
    };
    match Session::connect(&direct) {
        Ok(mut session) => {
            if is_behind_pooler(&mut session)? {
                drop(session);
                return pooled(direct);
            }
            Ok(Connected {
                session,
                is_pooled: false,
            })
        }
        Err(error) if refuses_options(&error) => pooled(direct),
        Err(error) => Err(error),
    }
}

/// Connects to read the catalog of a database.
pub(crate) fn connect_to_read(config: &Config) -> bowline::Result<Session> {
    // A catalog with thousands of tables takes minutes.
    const LIMIT: Duration = Duration::from_secs(5 * 60);
    let mut session = connect(config)?.session;
    session.set_timeout(LIMIT);
    Ok(session)
}

/// Returns true if a pooler refuses the start-up options of a connection.
fn refuses_options(error: &bowline::Error) -> bool {
    error.message().contains("unsupported startup parameter")
}

/// Returns true for an error that says how a pooler is declared.
pub(crate) fn names_pooler(error: &bowline::Error) -> bool {
    let hint = error.hint();
    hint.is_some_and(|hint| hint.contains("Config::pooler(true)"))
}
