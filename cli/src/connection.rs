//! Connections of the command, also through a pooler (PgBouncer, say).

use bowline::migrating::is_behind_pooler;
use bowline::{Config, Session};

use crate::error::CliError;

/// A connection, and what stands between it and the server.
pub(crate) struct Connected {
    pub session: Session,
    /// Whether a pooler in transaction mode does: then nothing that is said for the session stays with it.
    pub is_pooled: bool,
}

/// The configuration of a URL, else of DATABASE_URL and the PG* variables.
pub(crate) fn config(url: Option<&str>) -> bowline::Result<Config> {
    match url {
        Some(url) => Config::from_url(url),
        None => Config::from_env(),
    }
}

/// Connects, and finds out whether a pooler stands in between: then without start-up options, which it refuses or
/// passes over. No statement gets a name, since a pooler would keep it for others.
pub(crate) fn connect(config: &Config) -> Result<Connected, CliError> {
    let direct = config.clone().statement_cache(0);
    let pooled = |direct: Config| -> Result<Connected, CliError> {
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
        Err(error) => Err(error.into()),
    }
}

/// Whether a pooler refuses what a connection says when it is made.
pub(crate) fn refuses_options(error: &bowline::Error) -> bool {
    error.message().contains("unsupported startup parameter")
}
