//! `TestDatabase`: a migrated database for one test.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::LocalServerError;
use super::server::TestServer;
use super::spares;
use super::template::{Template, run};
use crate::Database;
use crate::config::Config;

/// A migrated database for one test. Dropping this value drops the database.
#[derive(Debug)]
pub struct TestDatabase {
    server: Arc<TestServer>,
    name: String,
}

impl TestDatabase {
    /// Creates a copy of the database that these migrations create. The migrations run once for a
    /// server, however many tests there are.
    ///
    /// From a process's second database on, the next copies are created in the background, if the
    /// server is a [`LocalServer`](super::LocalServer).
    pub fn create(migrations: &Path) -> Result<Self, LocalServerError> {
        Self::of_template(&Arc::new(Template::of(migrations)?))
    }

    pub(super) fn of_template(template: &Arc<Template>) -> Result<Self, LocalServerError> {
        static DATABASES: AtomicU32 = AtomicU32::new(0);
        let server = TestServer::find()?;
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}_{}_{number}", template.name(), std::process::id());
        // A named server would keep the copies that no test has used.
        let spares = if server.is_temporary() { number } else { 0 };
        if spares == 0 || !spares::claim(template, &server, &name)? {
            template.copy(&server, &name)?;
        }
        spares::replenish(template, &server, spares);
        Ok(Self { server, name })
    }

    /// Returns a pool of sessions of this database.
    pub fn open(&self) -> Result<Database, LocalServerError> {
        Ok(self.config().open()?)
    }

    /// Returns the name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the configuration that connects to this database.
    pub fn config(&self) -> Config {
        self.server.config(&self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A database that cannot be dropped is removed with the server.
        self.server.admin.run(|session| run(session, drop)).ok();
    }
}
