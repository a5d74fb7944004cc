//! How r2d2 makes and judges sessions, for those who bring a pool of their own.

use std::sync::Arc;

use crate::command::types::TypeCache;
use crate::config::Config;
use crate::deadline::after;
use crate::error::Error;
use crate::session::Session;

/// Makes sessions for an `r2d2::Pool`, and tells whether one is still good without asking the server.
///
/// [`Database`](crate::Database) has a pool already, which promises more than r2d2 does.
#[derive(Debug)]
pub struct SessionManager {
    config: Config,
    types: Arc<TypeCache>,
}

impl SessionManager {
    /// Makes sessions by this configuration; they share what is known of the database's types.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            types: Arc::default(),
        }
    }
}

impl r2d2::ManageConnection for SessionManager {
    type Connection = Session;
    type Error = Error;

    fn connect(&self) -> Result<Session, Error> {
        Session::connect_sharing(
            &self.config,
            Arc::clone(&self.types),
            after(self.config.connect_timeout),
        )
    }

    fn is_valid(&self, session: &mut Session) -> Result<(), Error> {
        if session.was_closed() {
            return Err(Error::unavailable("the server closed the connection"));
        }
        Ok(())
    }

    fn has_broken(&self, session: &mut Session) -> bool {
        !session.check_in(self.config.call_timeout)
    }
}
