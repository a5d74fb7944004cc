//! The server that tests use, and this process's sessions and templates on it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::kept_sessions::KeptSessions;
use super::{LocalServer, LocalServerError};
use crate::config::Config;

/// The server that tests use: the one that `BOWLINE_TEST_URL` names, else a [`LocalServer`].
#[derive(Debug)]
pub(super) struct TestServer {
    address: Address,
    /// Sessions of the database `postgres`, on which databases are created and dropped.
    pub(super) admin: KeptSessions,
    /// The templates that exist on the server.
    pub(super) templates: Mutex<BTreeSet<String>>,
}

#[derive(Debug)]
enum Address {
    Local(LocalServer),
    Named(Box<Config>),
}

/// The server that this process found last.
static FOUND: Mutex<Option<Arc<TestServer>>> = Mutex::new(None);

impl TestServer {
    /// Returns the server; starts it if there is none.
    pub(super) fn find() -> Result<Arc<Self>, LocalServerError> {
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = found.as_ref().filter(|server| server.is_there()) {
            return Ok(Arc::clone(server));
        }
        let address = match std::env::var("BOWLINE_TEST_URL") {
            Ok(url) if !url.is_empty() => Address::Named(Box::new(Config::from_url(&url)?)),
            _ => Address::Local(LocalServer::start()?),
        };
        let server = Arc::new(Self {
            admin: KeptSessions::new(address.config("postgres")),
            address,
            templates: Mutex::default(),
        });
        *found = Some(Arc::clone(&server));
        Ok(server)
    }

    /// Returns the configuration that connects to this database.
    pub(super) fn config(&self, dbname: &str) -> Config {
        self.address.config(dbname)
    }

    /// Returns whether the server, with all of its databases, ends after the tests.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self.address, Address::Local(_))
    }

    /// Returns whether a local server still runs. A named one is not asked.
    fn is_there(&self) -> bool {
        match &self.address {
            Address::Local(server) => server.pid().is_some(),
            Address::Named(_) => true,
        }
    }
}

impl Address {
    fn config(&self, dbname: &str) -> Config {
        match self {
            Self::Local(server) => server.config(dbname),
            Self::Named(config) => config.clone().dbname(dbname),
        }
    }
}
