//! `TestDatabase`: a migrated database for one test, copied from a template that was migrated once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};

use super::runtime_folder::fingerprint;
use super::{LocalServer, LocalServerError};
use crate::config::Config;
use crate::migrations::migrate_folder;
use crate::session::Session;
use crate::{Database, StatementDsl as _};

/// A migrated database for one test. Dropping this value drops the database.
#[derive(Debug)]
pub struct TestDatabase {
    server: Server,
    name: String,
}

/// The server that tests use: the one that `BOWLINE_TEST_URL` names, else a [`LocalServer`].
#[derive(Debug, Clone)]
pub(super) enum Server {
    Local(LocalServer),
    Named(Config),
}

impl Server {
    pub(super) fn find() -> Result<Self, LocalServerError> {
        match std::env::var("BOWLINE_TEST_URL") {
            Ok(url) if !url.is_empty() => Ok(Self::Named(Config::from_url(&url)?)),
            _ => LocalServer::start().map(Self::Local),
        }
    }

    pub(super) fn config(&self, dbname: &str) -> Config {
        match self {
            Self::Local(server) => server.config(dbname),
            Self::Named(config) => config.clone().dbname(dbname),
        }
    }
}

impl TestDatabase {
    /// Creates a copy of the database that these migrations create. The migrations run once for a
    /// server, however many tests there are.
    pub fn create(migrations: &Path) -> Result<Self, LocalServerError> {
        static DATABASES: AtomicU32 = AtomicU32::new(0);
        let server = Server::find()?;
        let template = Template::of(migrations)?;
        let mut session = Session::connect(&server.config("postgres"))?;
        template.make(&server, &mut session)?;
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}_{}_{number}", template.name, std::process::id());
        copy(&mut session, &template.name, &name)?;
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
        // A database that cannot be dropped is removed with the server.
        if let Ok(mut session) = Session::connect(&self.server.config("postgres")) {
            session
                .batch_execute(&format!(
                    "DROP DATABASE IF EXISTS {} WITH (FORCE)",
                    self.name
                ))
                .ok();
        }
    }
}

/// A database that was migrated once, to be copied.
pub(super) struct Template {
    name: String,
    migrations: PathBuf,
}

/// The key of the advisory lock under which templates are created; any number would do.
const LOCK: i64 = 0x626f_776c;

impl Template {
    pub(super) fn of(migrations: &Path) -> Result<Self, LocalServerError> {
        let mut files = Vec::new();
        collect(migrations, &mut files)
            .map_err(|error| LocalServerError::io("cannot read", migrations, &error))?;
        files.sort();
        let parts = files
            .iter()
            .flat_map(|(path, text)| [path.as_os_str().as_encoded_bytes(), text.as_slice()]);
        Ok(Self {
            name: format!("bowline_{:x}", fingerprint(parts)),
            migrations: migrations.to_owned(),
        })
    }

    /// Creates the template, unless it exists.
    fn make(&self, server: &Server, session: &mut Session) -> Result<(), LocalServerError> {
        locked(session, |session| {
            if exists(session, &self.name)? {
                return Ok(());
            }
            let making = format!("{}_making", self.name);
            run(session, &format!("DROP DATABASE IF EXISTS {making}"))?;
            run(session, &format!("CREATE DATABASE {making}"))?;
            migrate(&server.config(&making), &self.migrations)?;
            run(
                session,
                &format!("ALTER DATABASE {making} RENAME TO {}", self.name),
            )
        })
    }

    /// Returns the copy that all sandboxes share, since a template may not be in use while it is
    /// copied.
    pub(super) fn shared_copy(&self, server: &Server) -> Result<String, LocalServerError> {
        let mut session = Session::connect(&server.config("postgres"))?;
        self.make(server, &mut session)?;
        let name = format!("{}_shared", self.name);
        locked(&mut session, |session| {
            if exists(session, &name)? {
                Ok(())
            } else {
                copy(session, &self.name, &name)
            }
        })?;
        Ok(name)
    }
}

fn migrate(config: &Config, folder: &Path) -> Result<(), LocalServerError> {
    let failed = |error: String| {
        LocalServerError::new(
            format!("the migrations of {} failed: {error}", folder.display()),
            "fix the migration",
        )
    };
    // The migrations run as the command runs them, so a test has the schema that a deployment has.
    migrate_folder(config, folder).map_err(|error| failed(error.to_string()))?;
    Ok(())
}

fn copy(session: &mut Session, from: &str, to: &str) -> Result<(), LocalServerError> {
    run(session, &format!("CREATE DATABASE {to} TEMPLATE {from}"))
}

fn run(session: &mut Session, sql: &str) -> Result<(), LocalServerError> {
    session.batch_execute(sql).map_err(crate::Error::from)?;
    Ok(())
}

fn exists(session: &mut Session, name: &str) -> Result<bool, LocalServerError> {
    let query = crate::sql_query("SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1")
        .bind::<Text, _>(name);
    Ok(session.run(query.affected())? > 0)
}

fn locked<T>(
    session: &mut Session,
    work: impl FnOnce(&mut Session) -> Result<T, LocalServerError>,
) -> Result<T, LocalServerError> {
    session.run(
        crate::sql_query("SELECT pg_advisory_lock($1)")
            .bind::<BigInt, _>(LOCK)
            .affected(),
    )?;
    let done = work(session);
    session.run(
        crate::sql_query("SELECT pg_advisory_unlock($1)")
            .bind::<BigInt, _>(LOCK)
            .affected(),
    )?;
    done
}

/// Collects all files below a directory, with their contents.
fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push((path.clone(), fs::read(&path)?));
        }
    }
    Ok(())
}
