//! One migration on a database, up or down, by diesel's harness: its transaction, its table of what has run.
//!
//! diesel would keep of a failure what the server said; here it is shown in the file, with what was done and what not.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::ops::ControlFlow;

use bowline::{Session, SimpleQueryMessage, SqlState, StatementDsl as _};
use diesel::connection::BoxableConnection;
use diesel::migration::{MigrationMetadata, MigrationName, MigrationVersion};
use diesel::pg::Pg;
use diesel::sql_types::Text;
use diesel_migrations::MigrationHarness as _;

use crate::error::CliError;
use crate::migrations::{Migration, SqlFile};
use crate::sql_error::{Written, explained};
use crate::ui;

/// Which way a migration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

impl Way {
    fn verb(self) -> &'static str {
        match self {
            Self::Up => "run",
            Self::Down => "revert",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Up => "up.sql",
            Self::Down => "down.sql",
        }
    }
}

/// Runs or reverts a migration, and keeps diesel's table in step.
pub(crate) fn step(session: &mut Session, migration: &Migration, way: Way) -> Result<(), CliError> {
    let file = file(migration, way)?;
    let invalid = if migration.run_in_transaction {
        Vec::new()
    } else {
        invalid_indexes(session)?
    };
    let step = Step {
        migration,
        file,
        name: Name(migration),
        stopped: RefCell::new(None),
    };
    let done = match way {
        Way::Up => session.run_migration(&step),
        Way::Down => session.revert_migration(&step),
    };
    let Err(error) = done else {
        return Ok(());
    };
    // Where the file ended the transaction itself, diesel tells only that it cannot roll back.
    let stopped = step
        .stopped
        .take()
        .unwrap_or_else(|| Stopped::behind(error));
    let path = ui::shown_path(&file.path);
    let what = format!("{} {}", way.verb(), migration.name);
    let written = Written {
        path: &path,
        text: &file.text,
    };
    let failed = explained(&what, &stopped.error, written, stopped.done);
    let left = left_behind(session, migration, &stopped, &invalid);
    let remedy = match &stopped.error {
        bowline::Error::Timeout(_) | bowline::Error::Conflict(_) => {
            "run again once others are out of the way".to_owned()
        }
        error if error.sqlstate() == Some(SqlState::ACTIVE_SQL_TRANSACTION) => {
            outside_of_transactions(migration).to_owned()
        }
        _ => format!("mend its {} and run again", way.file()),
    };
    Err(failed.hint(format!("{left}: {remedy}")))
}

/// The file of that way, which has to be there and say something.
pub(crate) fn file(migration: &Migration, way: Way) -> Result<&SqlFile, CliError> {
    let name = &migration.name;
    let file = match way {
        Way::Up => Some(&migration.up),
        Way::Down => migration.down.as_ref(),
    };
    let file = file.ok_or_else(|| {
        CliError::failed(format!("{name} has no down.sql, so it cannot be reverted"))
            .hint("write a migration that undoes it, or its down.sql")
    })?;
    if file.text.is_empty() {
        return Err(
            CliError::failed(format!("the {} of {name} is empty", way.file()))
                .hint("write what it does; where that is nothing, a comment says why"),
        );
    }
    Ok(file)
}

/// What to do with a statement that PostgreSQL takes in no transaction, such as CREATE INDEX CONCURRENTLY.
fn outside_of_transactions(migration: &Migration) -> &'static str {
    if migration.run_in_transaction {
        "move the statement, alone, to a migration with a file metadata.toml that says run_in_transaction = false"
    } else {
        "leave the statement alone in its file, since several of one file are one transaction"
    }
}

/// What of a migration that failed is in the database.
fn left_behind(
    session: &mut Session,
    migration: &Migration,
    stopped: &Stopped,
    before: &[String],
) -> String {
    use bowline::Outcome;
    if stopped.committed {
        return "what stands before its last COMMIT was done, nothing else".to_owned();
    }
    match stopped.error.outcome() {
        Outcome::Committed => return "all of it was done, but not noted as run".to_owned(),
        Outcome::Unknown => return "whether it was done is not known, so look first".to_owned(),
        Outcome::NotCommitted => {}
    }
    if migration.run_in_transaction {
        return "nothing of it was done".to_owned();
    }
    // A CREATE INDEX CONCURRENTLY that fails leaves its index behind, which is of no use but costs each write.
    let left: Vec<String> = invalid_indexes(session)
        .unwrap_or_default()
        .into_iter()
        .filter(|index| !before.contains(index))
        .collect();
    if left.is_empty() {
        "it does not run in a transaction, so a part of it may be done".to_owned()
    } else {
        let drops: Vec<String> = left
            .iter()
            .map(|index| format!("DROP INDEX {index};"))
            .collect();
        format!(
            "it left what is of no use, so first run {}",
            drops.join(" ").trim_end_matches(';')
        )
    }
}

/// The indexes that a failed CREATE INDEX CONCURRENTLY has left, by the names that SQL takes.
fn invalid_indexes(session: &mut Session) -> bowline::Result<Vec<String>> {
    #[derive(diesel::QueryableByName)]
    struct Index {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let query = "SELECT indexrelid::pg_catalog.regclass::text AS name FROM pg_catalog.pg_index WHERE NOT indisvalid";
    let found = session.run(bowline::sql(query).all::<Index>())?;
    Ok(found.into_iter().map(|index| index.name).collect())
}

/// A migration as diesel's harness takes it.
struct Step<'m> {
    migration: &'m Migration,
    file: &'m SqlFile,
    name: Name<'m>,
    /// Where and why its file stopped.
    stopped: RefCell<Option<Stopped>>,
}

impl Step<'_> {
    fn run_file(
        &self,
        connection: &mut dyn BoxableConnection<Pg>,
    ) -> diesel::migration::Result<()> {
        let session = connection
            .downcast_mut::<Session>()
            .ok_or("the connection is none of bowline's")?;
        let (mut done, mut committed) = (0, false);
        session
            .simple_query(&self.file.text, |message| {
                if let SimpleQueryMessage::CommandComplete(tag) = message {
                    done += 1;
                    committed |= tag == "COMMIT";
                }
                ControlFlow::Continue(())
            })
            .map_err(|error| {
                let told = format!("failed to {error}");
                self.stopped.replace(Some(Stopped {
                    error,
                    done,
                    committed,
                }));
                told.into()
            })
    }
}

impl diesel::migration::Migration<Pg> for Step<'_> {
    fn run(&self, connection: &mut dyn BoxableConnection<Pg>) -> diesel::migration::Result<()> {
        self.run_file(connection)
    }

    fn revert(&self, connection: &mut dyn BoxableConnection<Pg>) -> diesel::migration::Result<()> {
        self.run_file(connection)
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        self
    }

    fn name(&self) -> &dyn MigrationName {
        &self.name
    }
}

impl MigrationMetadata for Step<'_> {
    fn run_in_transaction(&self) -> bool {
        self.migration.run_in_transaction
    }
}

struct Name<'m>(&'m Migration);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)
    }
}

impl MigrationName for Name<'_> {
    fn version(&self) -> MigrationVersion<'_> {
        self.0.version.as_str().into()
    }
}

/// Where a file stopped.
#[derive(Debug)]
struct Stopped {
    error: bowline::Error,
    /// How many of its statements had succeeded.
    done: usize,
    /// Whether one of them was a COMMIT.
    committed: bool,
}

impl Stopped {
    /// What is no failure of the file's is one of diesel's table or of the commit, behind all statements.
    fn behind(error: Box<dyn Error + Send + Sync>) -> Self {
        let error = match error.downcast::<diesel::result::Error>() {
            Ok(error) => *error,
            Err(error) => diesel::result::Error::QueryBuilderError(error),
        };
        Self {
            error: error.into(),
            done: usize::MAX,
            committed: false,
        }
    }
}
