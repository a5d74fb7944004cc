//! How r2d2 makes and judges sessions; public for those who bring a pool of their own.

use std::sync::Arc;

use crate::config::Config;
use crate::error::Error;
use crate::session::types::TypeCache;
use crate::session::{Session, after};

/// Makes sessions for r2d2, and tells whether one is still good without asking the server.
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

/// A session in the pool, or why there is none.
///
/// r2d2 keeps a failure to connect to itself, as a text, and tries again while who asked waits. As a
/// slot it goes to who asked, at once and whole.
#[derive(Debug)]
pub struct Slot(Result<Session, Option<Error>>);

impl Slot {
    /// The error of a failed connect; given once.
    pub fn take_failure(&mut self) -> Option<Error> {
        match &mut self.0 {
            Ok(_) => None,
            Err(failure) => Some(
                failure
                    .take()
                    .unwrap_or_else(|| Error::unavailable("connecting failed")),
            ),
        }
    }

    pub(super) fn session(&self) -> &Session {
        self.0
            .as_ref()
            .expect("a failed slot is never handed out: `Pool::get` takes its failure")
    }

    pub(super) fn session_mut(&mut self) -> &mut Session {
        self.0
            .as_mut()
            .expect("a failed slot is never handed out: `Pool::get` takes its failure")
    }
}

impl r2d2::ManageConnection for SessionManager {
    type Connection = Slot;
    type Error = Error;

    fn connect(&self) -> Result<Slot, Error> {
        let session = Session::connect_sharing(
            &self.config,
            Arc::clone(&self.types),
            after(self.config.connect_timeout),
        );
        Ok(Slot(session.map_err(Some)))
    }

    fn is_valid(&self, slot: &mut Slot) -> Result<(), Error> {
        match &slot.0 {
            Ok(session) if session.was_closed() => {
                Err(Error::unavailable("the server closed the connection"))
            }
            _ => Ok(()),
        }
    }

    fn has_broken(&self, slot: &mut Slot) -> bool {
        slot.0
            .as_ref()
            .map_or(true, |session| session.is_broken() || !session.is_idle())
    }
}
