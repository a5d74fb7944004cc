//! A temporary database in which migrations run.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bowline::__generated::migrating::Bookkeeping;
use bowline::{Config, Session};
use diesel::connection::SimpleConnection as _;

use crate::catalog_file::of_json;
use crate::connection::{ServerArgs, connect};
use crate::error::{CliError, failed};
use crate::introspect::introspect;
use crate::migrations::Migration;
use crate::step::{Attempts, Way, step};
use crate::ui;
use bowline_catalog::Catalog;
use bowline_catalog::alter::alter_script;
use bowline_catalog::compare::compare;
use bowline_plan::paths::shown_path;

/// The time limit for each call. DDL on empty tables is fast, but a migration may do more.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// A temporary database; dropping this drops it.
pub(crate) struct Throwaway {
    /// `None` only while this is being dropped.
    session: Option<Session>,
    /// diesel's table in it; `None` only while this is being created.
    table: Option<Bookkeeping>,
    maintenance: Session,
    /// The configuration of further connections to the database.
    config: Config,
    name: String,
}

impl Throwaway {
    /// Creates a database on a server, whose role has to be allowed to create databases.
    pub(crate) fn create(server: &ServerArgs) -> Result<Self, CliError> {
        let config = server.config()?;
        let mut maintenance = connect(&config)?.session;
        maintenance.set_timeout(LIMIT);
        let moment = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let name = format!("bowline_{}_{:x}", std::process::id(), moment.as_nanos());
        maintenance
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .map_err(|error| failed("create a temporary database", &error))?;
        let mut created = Self {
            session: None,
            table: None,
            maintenance,
            config: config.dbname(&name),
            name,
        };
        let mut session = connect(&created.config)?.session;
        session.set_timeout(LIMIT);
        created.table = Some(Bookkeeping::prepare(&mut session)?);
        created.session = Some(session);
        Ok(created)
    }

    /// Creates the objects of a catalog. Returns the number of statements that the server refused,
    /// for example because a role or an extension is missing.
    pub(crate) fn make(&mut self, catalog: &Catalog) -> Result<usize, CliError> {
        let nothing = Catalog::default();
        let script = alter_script(catalog, &nothing, &compare(catalog, &nothing));
        let session = self.session()?;
        if session.batch_execute(&script).is_ok() {
            return Ok(0);
        }
        // A view that uses a later view, or a default that calls a function, needs another pass.
        let mut left: Vec<&str> = bowline_sql::statements(&script)
            .map(|statement| statement.text())
            .collect();
        // Each pass removes a statement, or it is the last pass.
        loop {
            let before = left.len();
            left.retain(|statement| session.batch_execute(statement).is_err());
            if left.len() == before {
                return Ok(left.len());
            }
        }
    }

    /// Returns the name and version of the server: `PostgreSQL 15.18`.
    pub(crate) fn server(&self) -> String {
        let version = self.maintenance.server_version();
        format!("PostgreSQL {}.{}", version / 10_000, version % 10_000)
    }

    /// Returns the name of the database.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the major version of the server.
    pub(crate) fn major(&self) -> u32 {
        u32::try_from(self.maintenance.server_version() / 10_000).unwrap_or_default()
    }

    /// Connects once more.
    pub(crate) fn another_session(&self) -> Result<Session, CliError> {
        let mut session = connect(&self.config)?.session;
        session.set_timeout(LIMIT);
        Ok(session)
    }

    /// Reads the catalog.
    pub(crate) fn catalog(&mut self) -> Result<Catalog, CliError> {
        introspect(self.session()?)
    }

    /// Runs a migration, or creates the objects of a catalog in its place.
    pub(crate) fn run(&mut self, migration: &Migration) -> Result<(), CliError> {
        if migration.is_catalog() {
            let catalog = of_json(&migration.up.text, &migration.up.path)?;
            let refused = self.make(&catalog)?;
            if refused > 0 {
                return Err(CliError::failed(format!(
                    "{} refuses {} of {}",
                    self.server(),
                    ui::counted(refused, "statement"),
                    shown_path(&migration.path)
                ))
                .hint("install the extensions and create the roles that the schema uses"));
            }
            return Ok(());
        }
        self.step(migration, Way::Up)
    }

    /// Reverts the migration that ran last.
    pub(crate) fn revert(&mut self, migration: &Migration) -> Result<(), CliError> {
        self.step(migration, Way::Down)
    }

    fn step(&mut self, migration: &Migration, way: Way) -> Result<(), CliError> {
        match (&mut self.session, &self.table) {
            (Some(session), Some(table)) => step(session, table, migration, way, Attempts::once()),
            _ => Err(dropped()),
        }
    }

    pub(crate) fn session(&mut self) -> Result<&mut Session, CliError> {
        self.session.as_mut().ok_or_else(dropped)
    }
}

fn dropped() -> CliError {
    CliError::failed("the temporary database does not exist any more")
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        self.session = None;
        // If this fails, a local server is removed with the database. On another server it stays,
        // under a name that begins with bowline_.
        self.maintenance
            .batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .ok();
    }
}
