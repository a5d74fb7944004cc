//! Templates: databases that were migrated once, to be copied.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use diesel::sql_types::{BigInt, Text};

use super::LocalServerError;
use super::runtime_folder::fingerprint;
use super::server::TestServer;
use crate::config::Config;
use crate::error::Result;
use crate::migrations::migrate_folder;
use crate::session::Session;
use crate::sqlstate::SqlState;
use crate::statement::StatementDsl as _;

/// A database that was migrated once, to be copied. Its name has a fingerprint of the migrations.
#[derive(Debug)]
pub(super) struct Template {
    name: String,
    migrations: PathBuf,
}

/// The key of the advisory lock under which templates are created; any number would do.
const LOCK: i64 = 0x626f_776c;

/// The version from which on `CREATE DATABASE` has strategies.
const HAS_STRATEGIES: i32 = 150_000;

impl Template {
    /// Returns the template of a folder, which is read as a whole.
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

    /// Returns the template of a folder that is read once in a process.
    pub(super) fn remembered(migrations: &str) -> Result<Arc<Self>, LocalServerError> {
        static READ: Mutex<BTreeMap<String, Arc<Template>>> = Mutex::new(BTreeMap::new());
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(template) = read.get(migrations) {
            return Ok(Arc::clone(template));
        }
        let template = Arc::new(Self::of(Path::new(migrations))?);
        read.insert(migrations.to_owned(), Arc::clone(&template));
        Ok(template)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name of the copy that all sandboxes share, since a template may not be in use
    /// while it is copied.
    pub(super) fn shared_copy(&self) -> String {
        format!("{}_shared", self.name)
    }

    /// Creates the copy that all sandboxes share, unless it exists.
    pub(super) fn make_shared_copy(&self, server: &TestServer) -> Result<(), LocalServerError> {
        self.make(server)?;
        let name = self.shared_copy();
        server.admin.run(|session| {
            locked(session, |session| {
                if exists(session, &name)? {
                    return Ok(());
                }
                self.copy_now(server, session, &name)
            })
        })?;
        Ok(())
    }

    /// Creates a database of this name from the template.
    pub(super) fn copy(&self, server: &TestServer, name: &str) -> Result<(), LocalServerError> {
        self.make(server)?;
        let copy = || {
            server
                .admin
                .run(|session| self.copy_now(server, session, name))
        };
        match copy() {
            Err(error) if error.sqlstate() == Some(SqlState::INVALID_CATALOG_NAME) => {
                // The template was dropped since.
                self.forget(server);
                self.make(server)?;
                Ok(copy()?)
            }
            copied => Ok(copied?),
        }
    }

    fn copy_now(&self, server: &TestServer, session: &mut Session, name: &str) -> Result<()> {
        // Copying files takes half of the time, unless the checkpoint for it writes to a disk.
        let strategy = if server.is_temporary() && session.server_version() >= HAS_STRATEGIES {
            " STRATEGY file_copy"
        } else {
            ""
        };
        let template = &self.name;
        run(
            session,
            format!("CREATE DATABASE {name} TEMPLATE {template}{strategy}"),
        )
    }

    /// Creates the template, unless it exists; the server is asked once in a process.
    fn make(&self, server: &TestServer) -> Result<(), LocalServerError> {
        let mut known = server
            .templates
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if known.contains(&self.name) {
            return Ok(());
        }
        let mut failed = None;
        server.admin.run(|session| {
            locked(session, |session| {
                if exists(session, &self.name)? {
                    return Ok(());
                }
                let making = format!("{}_making", self.name);
                run(session, format!("DROP DATABASE IF EXISTS {making}"))?;
                run(session, format!("CREATE DATABASE {making}"))?;
                failed = migrate(&server.config(&making), &self.migrations).err();
                if failed.is_some() {
                    return Ok(());
                }
                run(
                    session,
                    format!("ALTER DATABASE {making} RENAME TO {}", self.name),
                )
            })
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        known.insert(self.name.clone());
        Ok(())
    }

    fn forget(&self, server: &TestServer) {
        let mut known = server
            .templates
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.remove(&self.name);
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

/// Runs a statement without parameters.
pub(super) fn run(session: &mut Session, sql: String) -> Result<()> {
    session.run(crate::sql_query(sql).affected())?;
    Ok(())
}

fn exists(session: &mut Session, name: &str) -> Result<bool> {
    let query = crate::sql_query("SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1")
        .bind::<Text, _>(name);
    Ok(session.run(query.affected())? > 0)
}

/// Runs work under the lock of the server, which lasts at most as long as the session.
fn locked<T>(session: &mut Session, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
    let call =
        |function: &str| crate::sql_query(format!("SELECT {function}($1)")).bind::<BigInt, _>(LOCK);
    session.run(call("pg_advisory_lock").affected())?;
    let done = work(session);
    session.run(call("pg_advisory_unlock").affected())?;
    done
}

/// Collects all files below a directory, or the one file in its place, with their contents.
fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) -> std::io::Result<()> {
    if folder.is_file() {
        files.push((folder.to_owned(), fs::read(folder)?));
        return Ok(());
    }
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
