//! A temporary database in which migrations run.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bowline::__generated::migrating::Bookkeeping;
use bowline::{Config, Session, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Bool;

use crate::catalog_file::of_json;
use crate::connection::{ServerArgs, connect};
use crate::error::{CliError, failed};
use crate::introspect::introspect;
use crate::migrations::Migration;
use crate::step::{Attempts, Way, step};
use crate::ui;
use bowline_catalog::alter::alter_script;
use bowline_catalog::compare::compare;
use bowline_catalog::replay::citus_statements;
use bowline_catalog::{Catalog, SQLX_TABLE};
use bowline_plan::paths::shown_path;

#[derive(bowline::Row)]
struct Can {
    #[diesel(sql_type = Bool)]
    can: bool,
}

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
    /// Whether migrations can create the extension Citus; `None` until one does.
    has_citus: Option<bool>,
    /// The statements of Citus that were left out, since the server lacks it.
    left_out: usize,
    /// Whether sqlx's table was created.
    has_sqlx_table: bool,
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
            has_citus: None,
            left_out: 0,
            has_sqlx_table: false,
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
        let uses_citus = catalog.is_distributed() || catalog.extensions.contains("citus");
        if uses_citus && !self.has_citus()? {
            self.left_out += 1;
        }
        let catalog = &self.expected(catalog);
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

    /// Returns what remains unproved because the server lacks Citus, if a migration uses it.
    pub(crate) fn unproved(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "{} has no Citus, so the statements of Citus were left out: how the tables are \
                 distributed, and what Citus refuses of them, is not proved; a server with citus in \
                 shared_preload_libraries proves it: name it with --database-url",
                self.server()
            )
        })
    }

    /// Returns the catalog that this server makes of a schema: without Citus, it distributes
    /// nothing.
    pub(crate) fn expected(&self, catalog: &Catalog) -> Catalog {
        let catalog = catalog.clone();
        match self.has_citus {
            Some(false) => catalog.without_citus(),
            _ => catalog,
        }
    }

    /// Returns true if the server can create the extension Citus: it is installed, and loaded at
    /// the start.
    fn has_citus(&mut self) -> Result<bool, CliError> {
        if let Some(known) = self.has_citus {
            return Ok(known);
        }
        let question = "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citus')
                AND current_setting('shared_preload_libraries') ~ '(^|[ ,])citus($|[ ,])' AS can";
        let answer = self.session()?.run(sql_query(question).one::<Can>());
        let can = answer
            .map_err(|error| CliError::failed(error.to_string()))?
            .can;
        self.has_citus = Some(can);
        Ok(can)
    }

    /// Returns true for a statement of Citus that is left out, since the server lacks it.
    pub(crate) fn leaves_out(&mut self, statement: &str) -> Result<bool, CliError> {
        let is_left_out = !citus_statements(statement).is_empty() && !self.has_citus()?;
        self.left_out += usize::from(is_left_out);
        Ok(is_left_out)
    }

    /// Returns a migration without its statements of Citus, if the server lacks Citus.
    fn runnable<'m>(&mut self, migration: &'m Migration) -> Result<Cow<'m, Migration>, CliError> {
        let files = [Some(&migration.up), migration.down.as_ref()];
        let mut of_citus = files.into_iter().flatten();
        if !of_citus.any(|file| !citus_statements(&file.text).is_empty()) || self.has_citus()? {
            return Ok(Cow::Borrowed(migration));
        }
        let mut without = migration.clone();
        for file in [Some(&mut without.up), without.down.as_mut()] {
            let Some(file) = file else {
                continue;
            };
            for range in citus_statements(&file.text) {
                self.left_out += 1;
                // Lines and positions stay, for messages.
                let blank: String = file.text[range.clone()]
                    .chars()
                    .map(|c| {
                        if c == '\n' {
                            "\n".to_owned()
                        } else {
                            " ".repeat(c.len_utf8())
                        }
                    })
                    .collect();
                file.text.replace_range(range, &blank);
            }
        }
        Ok(Cow::Owned(without))
    }

    /// Creates sqlx's table if this is a migration of sqlx that names it: sqlx creates it before
    /// the first migration.
    pub(crate) fn prepare_for(&mut self, migration: &Migration) -> Result<(), CliError> {
        let names_it = migration.is_sqlxs() && migration.up.text.contains(SQLX_TABLE);
        if !names_it || self.has_sqlx_table {
            return Ok(());
        }
        let create = format!(
            "CREATE TABLE IF NOT EXISTS public.{SQLX_TABLE} (
                 version bigint PRIMARY KEY, description text NOT NULL,
                 installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL,
                 checksum bytea NOT NULL, execution_time bigint NOT NULL)"
        );
        self.session()?
            .batch_execute(&create)
            .map_err(|error| failed(&format!("create {SQLX_TABLE}"), &error))?;
        self.has_sqlx_table = true;
        Ok(())
    }

    fn step(&mut self, migration: &Migration, way: Way) -> Result<(), CliError> {
        self.prepare_for(migration)?;
        let migration = &*self.runnable(migration)?;
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
