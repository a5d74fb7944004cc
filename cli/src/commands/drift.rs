//! `bowline drift`: whether a database is still what its migrations made of it.

use clap::Args;

use super::diff;
use super::migrate::MigrationHistory;
use crate::error::CliError;
use crate::introspect::{Asked, introspect};
use crate::migrations::{Migration, read_folder};
use crate::project::Project;
use crate::source::{Fallback, connect, of_migrations};
use crate::ui;
use bowline_catalog::compare::{Settled, judged};

/// Compare a live database with the migrations that have run on it; exit with 1 if it has drifted.
///
/// Says in words what somebody changed by hand, or with --sql as the statements that undo it. Tables, types,
/// sequences, views, functions, triggers, policies, row level security and privileges are compared; owners,
/// default privileges, event triggers, publications, operators, casts, settings of storage and some more are not,
/// which the answer lists. Changes nothing: where only the server can tell
/// whether two texts are one expression, it makes a temporary view of each in a transaction that is rolled back.
/// Migrations that have not run yet are no drift.
///
/// Example: bowline drift --database-url postgres://app@db.example.com/app
#[derive(Debug, Args)]
pub(crate) struct Drift {
    /// The database; else DATABASE_URL, from the environment or from a file .env, and PG* variables.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Print the SQL that would mend it; nothing is run.
    #[arg(long)]
    sql: bool,
    /// Print JSON, as `bowline diff` does; left is what the migrations say, right is the database.
    #[arg(long, conflicts_with = "sql")]
    json: bool,
    /// Ask no other server, also where a migration cannot be followed.
    #[arg(long)]
    offline: bool,
}

pub(crate) fn run(arguments: &Drift, project: &Project) -> Result<(), CliError> {
    let migrations = read_folder(&project.migrations)?;
    let mut session = connect(arguments.database_url.as_deref())?;
    let there = introspect(&mut session)?;
    let history = MigrationHistory::read(&mut session)?;
    let (ran, pending): (Vec<Migration>, Vec<Migration>) = migrations
        .into_iter()
        .partition(|migration| history.ran(&migration.version).is_some());
    for version in history.unknown(&ran) {
        ui::note(format!(
            "{version} has run, but is not in the folder: what it made is taken for drift"
        ));
    }
    if !pending.is_empty() {
        let count = ui::counted(pending.len(), "migration");
        ui::note(format!("{count} not run yet: `bowline migrate run`"));
    }
    let fallback = Fallback {
        offline: arguments.offline,
        database_url: None,
    };
    let expected = of_migrations(&ran, project, &fallback)?;
    let mut asked = Asked::with_catalog(&mut session);
    let comparison = judged(&expected, &there, Some(&mut asked), &mut Settled::default());
    diff::told(
        (&expected, "the migrations"),
        (&there, "the database"),
        comparison,
        diff::Form::of(arguments.sql, arguments.json),
    )
}
