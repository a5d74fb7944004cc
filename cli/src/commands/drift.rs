//! `bowline drift`: differences between a database and the migrations that have run on it.

use clap::Args;

use super::diff;
use super::migrate::read_history;
use crate::connection::{DatabaseArgs, connect_to_read};
use crate::error::CliError;
use crate::introspect::{ComparisonServer, introspect};
use crate::migrations::Migration;
use crate::project::Project;
use crate::source::{Fallback, of_migrations};
use crate::ui;
use bowline_catalog::compare::{EqualTexts, compare_with};

/// Compare a live database with the migrations that have run on it; exit with 1 if it has drifted.
///
/// Lists what was changed by hand, or with --sql the statements that undo it. Compares tables,
/// types, sequences, views, functions, triggers, policies, row level security and privileges. Not
/// compared are owners, default privileges, event triggers, publications, operators, casts, storage
/// parameters and some others, which the output lists. Changes nothing: where only the server can
/// decide whether two texts are the same expression, it creates a temporary view of each in a
/// transaction that is rolled back. Pending migrations are not drift.
///
/// Example: bowline drift --database-url postgres://app@db.example.com/app
#[derive(Debug, Args)]
pub(crate) struct Drift {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print the SQL that would remove the drift; nothing is run.
    #[arg(long)]
    sql: bool,
    /// Print JSON as `bowline diff` does; left is the migrations, right is the database.
    #[arg(long, conflicts_with = "sql")]
    json: bool,
    /// Use no other server, even if a migration cannot be followed.
    #[arg(long)]
    offline: bool,
}

pub(crate) fn run(arguments: &Drift, project: &Project) -> Result<(), CliError> {
    let migrations = project.read_migrations()?;
    let mut session = connect_to_read(&arguments.database.config()?)?;
    let found = introspect(&mut session)?;
    let history = read_history(&mut session, migrations)?;
    let (ran, pending): (Vec<Migration>, Vec<Migration>) =
        migrations.iter().cloned().partition(|migration| {
            !migration.has_history() || history.ran(&migration.version).is_some()
        });
    for version in history.unknown(&ran) {
        ui::note(format!(
            "{version} has run but is not in the folder, so its changes are reported as drift"
        ));
    }
    if !pending.is_empty() {
        let count = ui::counted(pending.len(), "migration");
        ui::note(format!("{count} pending: `bowline migrate run`"));
    }
    let fallback = Fallback::local(arguments.offline);
    let expected = of_migrations(&ran, project, &fallback)?;
    let mut server = ComparisonServer::with_catalog(&mut session);
    let comparison = compare_with(
        &expected,
        &found,
        Some(&mut server),
        &mut EqualTexts::default(),
    );
    diff::report(
        (&expected, "the migrations"),
        (&found, "the database"),
        comparison,
        diff::Form::of(arguments.sql, arguments.json),
    )
}
