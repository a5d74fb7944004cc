//! Opens and checks sessions for r2d2, for programs that use another pool than this crate's.

use std::sync::Arc;

use crate::command::types::TypeCache;
use crate::config::Config;
use crate::deadline::after;
use crate::error::Error;
use crate::session::Session;
use crate::wire::executor::block_on;

/// A manager that opens sessions for an `r2d2::Pool`, and checks them without a round trip.
///
/// [`Database`](crate::Database) has a pool already, which guarantees more than r2d2's.
#[derive(Debug)]
pub struct SessionManager {
    config: Config,
    types: Arc<TypeCache>,
}

impl SessionManager {
    /// Returns a manager of sessions with this configuration; they share one cache of the
    /// database's types.
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
        !block_on(session.check_in(self.config.call_timeout))
    }
}
