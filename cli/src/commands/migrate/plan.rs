//! `bowline migrate plan`.

pub(in crate::commands) mod effect;
mod live;
pub(in crate::commands) mod measure;

use std::ops::Range;

use clap::Args;
use serde::Serialize;

use super::connect;
use super::history::History;
use super::order::check_late_migrations;
use crate::connection::{DatabaseArgs, ServerArgs};
use crate::error::CliError;
use crate::migrations::{Migration, prepared, refuse_of_other_tools};
use crate::project::Project;
use crate::source::up_to;
use crate::step::{self, Way};
use crate::throwaway::Throwaway;
use crate::ui::{self, Style};
use bowline::Session;
use bowline_plan::project::MigrateSettings;
use effect::Effect;
use live::Live;

/// Show what the pending migrations will do: each statement with the locks that it takes, and
/// whether it rewrites or scans a table.
///
/// Nothing is changed in the database. The migrations run on a throwaway server, where locks, files
/// and scans are measured after each statement, on the schema as it is then. Its tables have no
/// rows but those that migrations insert, so it is not measured how long a statement takes; the
/// size of a table and the sessions that use it now are read from the database. Locks of a
/// migration are held until it ends. Tables that a pending migration creates are left out, since no
/// session uses them yet.
///
/// Example: bowline migrate plan --database-url postgres://app@db.example.com/app
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// Plan the migrations after VERSION, without asking a database; 0 plans all.
    #[arg(long, value_name = "VERSION")]
    after: Option<String>,
    /// The server for the measurement [default: a local server that is started for it].
    #[arg(long, value_name = "URL")]
    server_url: Option<String>,
    /// Fail if the measurement is on another major version than the database's, or than `postgres`
    /// in bowline.toml.
    #[arg(long)]
    strict: bool,
    /// Print the SQL that will run, with the effects as comments.
    #[arg(long)]
    sql: bool,
    /// Print JSON: an object with measured_on, refused (why `run` runs none of them, if it does
    /// not), and migrations with version, name, in_transaction and statements; each of these with
    /// sql, batches (the rows of one) and effects (relation, lock, blocks, rewrites, empties,
    /// scans, rows, bytes, sessions).
    #[arg(long, conflicts_with = "sql")]
    json: bool,
}

/// The plan, as JSON.
#[derive(Serialize)]
struct Report {
    /// The server of the measurement: `PostgreSQL 15.18`.
    measured_on: String,
    /// What the server could not show, since it lacks an extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    unproved: Option<String>,
    /// Why `bowline migrate run` runs none of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<String>,
    migrations: Vec<Planned>,
}

/// A migration to run.
#[derive(Serialize)]
struct Planned {
    version: String,
    name: String,
    in_transaction: bool,
    statements: Vec<PlannedStatement>,
}

/// A statement to run.
#[derive(Serialize)]
pub(in crate::commands) struct PlannedStatement {
    pub(in crate::commands) sql: String,
    /// Its position in the file, in bytes.
    #[serde(skip)]
    pub(in crate::commands) span: Range<usize>,
    /// Whether it was measured. A statement that runs outside of transactions is measured only if
    /// it waits for other sessions.
    measured: bool,
    /// The rows of a batch, if it runs in batches, each in a transaction of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    batches: Option<u32>,
    pub(in crate::commands) effects: Vec<Effect>,
}

pub(super) fn run(
    arguments: &Plan,
    database: &DatabaseArgs,
    project: &Project,
) -> Result<(), CliError> {
    let as_written = project.read_migrations()?;
    let migrations = prepared(as_written)?;
    let mut refused = Vec::new();
    let (mut live, (ran, pending)) = match &arguments.after {
        Some(after) => (None, after_version(&migrations, after)?),
        None => {
            if !migrations.iter().all(Migration::has_history) {
                refuse_of_other_tools(&migrations)?;
            }
            let mut session = connect(&database.config()?)?.session;
            let history = super::read_history(&mut session, as_written)?;
            refused = refusals(&history, &mut session, as_written, project.settings.migrate);
            let parts = migrations
                .iter()
                .partition(|migration| history.ran(&migration.version).is_some());
            (Some(Live::new(session)), parts)
        }
    };
    for why in &refused {
        ui::note(format!(
            "`bowline migrate run` runs nothing as it is: {why}"
        ));
    }
    // What is in the way was said.
    if pending.is_empty() && !refused.is_empty() {
        return Ok(());
    }
    if pending.is_empty() {
        ui::status(format!(
            "{}, none pending",
            ui::counted(migrations.len(), "migration")
        ));
        return Ok(());
    }
    let server = ServerArgs::of(arguments.server_url.as_deref());
    let progress = ui::Progress::start("starting a server for the measurement");
    let mut throwaway = Throwaway::create(&server)?;
    let target = match &live {
        Some(live) => Some(live.major()),
        None => project.settings.postgres,
    };
    check_version(&throwaway, target, arguments.strict)?;
    for migration in &ran {
        progress.now(format!("{} (has run)", migration.name));
        throwaway.run(migration).map_err(unable)?;
    }
    let mut planned = measure::all(&mut throwaway, &pending, |name| {
        progress.now(name.to_owned());
    })?;
    drop(progress);
    if let Some(live) = &mut live {
        let statements = planned
            .iter_mut()
            .flat_map(|planned| &mut planned.statements);
        live.complete(statements.flat_map(|statement| &mut statement.effects))?;
    }
    let report = Report {
        measured_on: throwaway.server(),
        unproved: throwaway.unproved(),
        refused,
        migrations: planned,
    };
    if let Some(unproved) = &report.unproved {
        ui::note(unproved);
    }
    if arguments.json {
        return ui::json(&report);
    }
    for migration in &report.migrations {
        match arguments.sql {
            true => print_sql(migration),
            false => print(migration),
        }
    }
    ui::status(format!(
        "{} pending, measured on {}",
        ui::counted(report.migrations.len(), "migration"),
        report.measured_on
    ));
    Ok(())
}

/// Returns the reasons for which `bowline migrate run` would run nothing, each with its hint.
fn refusals(
    history: &History,
    session: &mut Session,
    migrations: &[Migration],
    settings: MigrateSettings,
) -> Vec<String> {
    let pending = history.pending(migrations);
    let checks = [
        history.refuse_unfinished(session, migrations),
        history.check_texts(migrations, &pending, settings.edited),
        check_late_migrations(&pending, history, settings.late),
    ];
    let errors = checks.into_iter().filter_map(Result::err);
    errors
        .map(|error| format!("{}; {}", error.message, error.hints.join("; ")))
        .collect()
}

type Parts<'m> = (Vec<&'m Migration>, Vec<&'m Migration>);

/// Returns the migrations up to a version, and those after it.
fn after_version<'m>(migrations: &'m [Migration], after: &str) -> Result<Parts<'m>, CliError> {
    let kept = match up_to(migrations, Some(after)) {
        Ok(kept) => kept.len(),
        Err(_) if after == "0" => 0,
        Err(error) => return Err(error),
    };
    let (ran, pending) = migrations.split_at(kept);
    Ok((ran.iter().collect(), pending.iter().collect()))
}

/// Compares the version of the measurement with that of the database.
fn check_version(throwaway: &Throwaway, target: Option<u32>, strict: bool) -> Result<(), CliError> {
    let measured = throwaway.major();
    let Some(target) = target.filter(|target| *target != measured) else {
        return Ok(());
    };
    let what = format!(
        "the measurement is on PostgreSQL {measured}, and the database has PostgreSQL {target}"
    );
    if strict {
        return Err(CliError::failed(what).hint(
            "install that version and name its server with --server-url, or its programs with BOWLINE_PG_BIN",
        ));
    }
    ui::note(what);
    Ok(())
}

/// Returns the error for a migration that has run on the database and does not on the throwaway
/// server.
fn unable(error: CliError) -> CliError {
    error.hint(
        "the server of the measurement needs the extensions and roles that the migrations use: install them there, or name another with --server-url",
    )
}

/// Prints a migration in words.
fn print(migration: &Planned) {
    let outside = if migration.in_transaction {
        ""
    } else {
        ", without a transaction"
    };
    ui::coloured_result(format!(
        "{}{outside}",
        Style::Bold.paint(ui::one_line(&migration.name))
    ));
    for statement in &migration.statements {
        ui::result(format!("  {}", bowline_sql::one_line(&statement.sql)));
        for line in lines(statement) {
            ui::result(format!("    {line}"));
        }
    }
}

/// Prints a migration as SQL.
fn print_sql(migration: &Planned) {
    ui::result(format!("-- {}", ui::one_line(&migration.name)));
    for statement in &migration.statements {
        for line in lines(statement) {
            ui::result(format!("-- {line}"));
        }
        ui::result(format!("{};", statement.sql));
    }
}

/// Returns the effects of a statement in words, one line for each.
fn lines(statement: &PlannedStatement) -> Vec<String> {
    if !statement.measured {
        return vec!["not measured: it runs outside of transactions".to_owned()];
    }
    let batches = statement
        .batches
        .map(|rows| format!("in batches of {rows} rows, each in a transaction of its own"));
    let effects = statement.effects.iter().map(Effect::to_string);
    batches.into_iter().chain(effects).collect()
}

impl Planned {
    fn new(migration: &Migration, statements: Vec<PlannedStatement>) -> Self {
        Self {
            version: migration.version.clone(),
            name: migration.name.clone(),
            in_transaction: migration.run_in_transaction,
            statements,
        }
    }
}

impl PlannedStatement {
    fn new(sent: &Sent, effects: Vec<Effect>) -> Self {
        Self {
            sql: sent.sql.clone(),
            span: sent.span.clone(),
            measured: true,
            batches: sent.batches,
            effects,
        }
    }
}

/// A statement of a migration, as it will be sent.
struct Sent {
    sql: String,
    /// Its position in the file, in bytes.
    span: Range<usize>,
    /// The rows of a batch, if it runs in batches.
    batches: Option<u32>,
}

fn statements(migration: &Migration) -> Result<Vec<Sent>, CliError> {
    let sql = step::sql(migration, Way::Up)?;
    let mut backfills = step::backfills(&sql, migration).into_iter();
    let sent = bowline_sql::statements(&sql).map(|statement| Sent {
        sql: statement.text().to_owned(),
        span: statement.start()..statement.start() + statement.text().len(),
        batches: backfills.next().map(|backfill| backfill.rows),
    });
    Ok(sent.collect())
}
