//! A database that is made for one question and dropped after it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bowline::Session;
use bowline::migrating::Bookkeeping;
use bowline::testing::LocalServer;
use diesel::connection::SimpleConnection as _;

use crate::connection;
use crate::error::{CliError, failed};
use crate::introspect::introspect;
use crate::migrations::Migration;
use crate::step::{Way, step};
use bowline_catalog::Catalog;
use bowline_catalog::compare::compare;
use bowline_catalog::mend::mend;

/// DDL on empty tables is quick, but a migration may do more.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// An empty database, gone when this is dropped.
pub(crate) struct Throwaway {
    /// `None` only while it is dropped.
    session: Option<Session>,
    /// diesel's table in it; `None` only while it is made.
    table: Option<Bookkeeping>,
    maintenance: Session,
    name: String,
}

impl Throwaway {
    /// On the server that a URL names, whose user has to be allowed to make databases; else on a local one.
    pub(crate) fn create(url: Option<&str>) -> Result<Self, CliError> {
        let config = match url {
            Some(url) => connection::config(Some(url))?,
            None => LocalServer::start()?.config("postgres"),
        };
        let mut maintenance = connection::connect(&config)?.session;
        maintenance.within(LIMIT);
        let moment = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let name = format!("bowline_{}_{:x}", std::process::id(), moment.as_nanos());
        maintenance
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .map_err(|error| failed("create a throwaway database", &error))?;
        let mut made = Self {
            session: None,
            table: None,
            maintenance,
            name,
        };
        let mut session = connection::connect(&config.dbname(&made.name))?.session;
        session.within(LIMIT);
        made.table = Some(Bookkeeping::prepare(&mut session)?);
        made.session = Some(session);
        Ok(made)
    }

    /// Creates the objects of a catalog. Returns how many statements the server refused: a role or an extension may be
    /// missing.
    pub(crate) fn make(&mut self, catalog: &Catalog) -> Result<usize, CliError> {
        let nothing = Catalog::default();
        let script = mend(catalog, &nothing, &compare(catalog, &nothing));
        let session = self.session()?;
        if session.batch_execute(&script).is_ok() {
            return Ok(0);
        }
        // A view on a later view, or a default that calls a function, needs another pass.
        let mut left: Vec<&str> = bowline_sql::statements(&script)
            .map(|statement| statement.text())
            .collect();
        // Each pass removes a statement or is the last.
        loop {
            let before = left.len();
            left.retain(|statement| session.batch_execute(statement).is_err());
            if left.len() == before {
                return Ok(left.len());
            }
        }
    }

    /// The server, in words: `PostgreSQL 15.18`.
    pub(crate) fn server(&self) -> String {
        let version = self.maintenance.server_version();
        format!("PostgreSQL {}.{}", version / 10_000, version % 10_000)
    }

    /// What it holds now.
    pub(crate) fn catalog(&mut self) -> Result<Catalog, CliError> {
        introspect(self.session()?)
    }

    /// Runs a migration.
    pub(crate) fn run(&mut self, migration: &Migration) -> Result<(), CliError> {
        self.step(migration, Way::Up)
    }

    /// Undoes the migration that ran last.
    pub(crate) fn revert(&mut self, migration: &Migration) -> Result<(), CliError> {
        self.step(migration, Way::Down)
    }

    fn step(&mut self, migration: &Migration, way: Way) -> Result<(), CliError> {
        match (&mut self.session, &self.table) {
            (Some(session), Some(table)) => step(session, table, migration, way),
            _ => Err(gone()),
        }
    }

    pub(crate) fn session(&mut self) -> Result<&mut Session, CliError> {
        self.session.as_mut().ok_or_else(gone)
    }
}

fn gone() -> CliError {
    CliError::failed("the database that was made for this is gone")
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        self.session = None;
        // What cannot be dropped now goes with the server, or is named as what it is.
        self.maintenance
            .batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .ok();
    }
}
