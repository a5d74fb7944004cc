//! `bowline verify`: tests the migrations on a real server.

mod functions;
mod inline;
mod queries;

pub(super) use inline::statements as inline_statements;

use clap::Args;
use diesel::connection::SimpleConnection as _;
use serde::Serialize;

use crate::catalog_file::of_json;
use crate::connection::ServerArgs;
use crate::emit::Statement;
use crate::error::{CliError, failed};
use crate::introspect::ComparisonServer;
use crate::migrations::{Migration, Tool, prepared};
use crate::project::Project;
use crate::source::refused;
use crate::step::{self, Way};
use crate::throwaway::Throwaway;
use crate::ui;
use bowline_catalog::Catalog;
use bowline_catalog::compare::{Comparison, EqualTexts, compare, compare_with};
use bowline_catalog::replay::{Replayed, replay_each};

/// Run the migrations on a throwaway server, each up, down and up again, and compare the results.
///
/// Reports each down.sql that does not revert its up.sql, each difference between what `bowline
/// generate` reads from the files and what PostgreSQL creates, and each statement of a generated
/// function, of `query!` or of `query_as!` that the server does not accept. Each query file,
/// `query!` and `query_as!` is run on generated rows and rolled back: its types, the number of its
/// rows and its columns with NULL are compared with what was inferred. The database is dropped
/// afterwards. The exit code is 1 if anything differs.
///
/// With --functions, a program calls each generated function with made-up values, and reports those
/// that the server refuses.
///
/// Example: bowline verify
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    server: ServerArgs,
    /// Do not run down.sql files.
    #[arg(long)]
    up_only: bool,
    /// Also call each generated function, by a program that cargo builds in the target folder.
    #[arg(long)]
    functions: bool,
    /// Print JSON: an object with server, migrations (their number), compared, functions (the
    /// number of those that were called), unproved (a text, if the server lacks Citus), and
    /// findings, a list of texts.
    #[arg(long)]
    json: bool,
}

/// The result, as JSON.
#[derive(Serialize)]
struct Report<'r> {
    server: &'r str,
    migrations: usize,
    /// True if replay could follow all statements, so that its catalog was compared with the
    /// server's.
    compared: bool,
    /// The number of queries of query files, `query!` and `query_as!` that were checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    queries: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    functions: Option<usize>,
    /// What the server could not show, since it lacks an extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    unproved: Option<&'r str>,
    findings: &'r [String],
}

pub(crate) fn run(arguments: &Verify, project: &Project) -> Result<(), CliError> {
    let migrations = prepared(project.read_migrations()?)?;
    if !arguments.up_only {
        // A down.sql that cannot run is refused before anything runs, like an up.sql.
        for migration in migrations.iter().filter(|found| found.down.is_some()) {
            step::sql(migration, Way::Down)?;
        }
    }
    let mut steps = Vec::new();
    let replayed = match &migrations[..] {
        [only] if only.is_catalog() => {
            let catalog = of_json(&only.up.text, &only.up.path)?;
            steps.push(catalog.clone());
            Replayed {
                catalog,
                refusals: Vec::new(),
            }
        }
        _ => replay_each(
            migrations.iter().map(|migration| &migration.up),
            |_, catalog| steps.push(catalog.clone()),
        ),
    };
    let is_followed = replayed.refusals.is_empty();
    let progress = ui::Progress::start("starting a server for the migrations");
    let mut trial = Trial {
        migrations: &migrations,
        server: &arguments.server,
        throwaway: Throwaway::create(&arguments.server)?,
        steps: if is_followed { steps } else { Vec::new() },
        findings: Vec::new(),
        not_compared: Vec::new(),
        equal: EqualTexts::default(),
    };
    let server = trial.throwaway.server();
    for (index, migration) in migrations.iter().enumerate() {
        progress.now(format!(
            "{} ({} of {})",
            migration.name,
            index + 1,
            migrations.len()
        ));
        trial.up(index)?;
        if !arguments.up_only && migration.down.is_some() {
            trial.down_and_up(index)?;
        }
    }
    drop(progress);
    let irreversible = migrations
        .iter()
        .filter(|found| found.down.is_none() && found.tool == Tool::Diesel);
    let irreversible = irreversible.count();
    if irreversible > 0 && !arguments.up_only {
        let count = ui::counted(irreversible, "migration");
        ui::note(format!("{count} without a down.sql"));
    }
    if is_followed {
        trial.compare_with_replay(&replayed.catalog, &server)?;
        trial
            .not_compared
            .iter()
            .for_each(|what| ui::note(format!("not compared: {what}")));
    } else {
        let report = refused(&replayed.refusals).report;
        ui::note("statements that cannot be followed are not compared");
        ui::report(&report);
    }
    if is_followed && project.settings.folder.join("mod.rs").exists() {
        for statement in super::generate::statements(&replayed.catalog, project)? {
            trial.prepare(&statement)?;
        }
    }
    let mut queries = None;
    if is_followed {
        let sources = inline::statements(&project.package, &project.root);
        for statement in &sources {
            trial.prepare(statement)?;
        }
        queries = Some(trial.compare_queries(project, &replayed.catalog, &sources)?);
    }
    let unproved = trial.throwaway.unproved();
    if let Some(unproved) = &unproved {
        ui::note(unproved);
    }
    let functions = match arguments.functions {
        true => Some(trial.call_functions(is_followed.then_some(&replayed.catalog), project)?),
        false => None,
    };
    if arguments.json {
        ui::json(&Report {
            server: &server,
            migrations: migrations.len(),
            compared: is_followed,
            queries,
            functions,
            unproved: unproved.as_deref(),
            findings: &trial.findings,
        })?;
    } else {
        trial.findings.iter().for_each(ui::coloured_result);
    }
    if trial.findings.is_empty() {
        let count = ui::counted(migrations.len(), "migration");
        if let Some(queries) = queries.filter(|count| *count > 0) {
            ui::status(format!(
                "{} checked on {server}",
                ui::counted(queries, "query")
            ));
        }
        if let Some(functions) = functions {
            let functions = ui::counted(functions, "function");
            ui::status(format!("{functions} called on {server}"));
        }
        ui::status(if is_followed {
            format!("{count} verified on {server}")
        } else {
            format!("{count} ran on {server}; the schema read from them was not compared")
        });
        return Ok(());
    }
    let count = ui::counted(trial.findings.len(), "finding");
    Err(CliError::failed(format!("{count} on {server}")))
}

/// The migrations on a server, and the findings.
///
/// Reading the server's catalog takes most of the time, so it is read once after each down.sql and
/// once at the end. After each up.sql the catalog of replay is used, until a difference is found.
struct Trial<'a> {
    migrations: &'a [Migration],
    server: &'a ServerArgs,
    throwaway: Throwaway,
    /// The catalog after each migration: that of replay, or the server's if replay cannot follow.
    steps: Vec<Catalog>,
    findings: Vec<String>,
    /// Objects that could not be compared at the end.
    not_compared: Vec<String>,
    equal: EqualTexts,
}

impl Trial<'_> {
    /// Runs a migration, and reads the server's catalog if replay has none.
    fn up(&mut self, index: usize) -> Result<(), CliError> {
        self.throwaway.run(&self.migrations[index])?;
        if self.steps.len() == index {
            self.steps.push(self.throwaway.catalog()?);
        }
        Ok(())
    }

    /// Reverts the migration that ran last, and runs it again.
    fn down_and_up(&mut self, index: usize) -> Result<(), CliError> {
        let migration = &self.migrations[index];
        if let Err(error) = self.throwaway.revert(migration) {
            self.findings.push(error.as_text());
            return self.recreate(index + 1);
        }
        let restored = self.throwaway.catalog()?;
        let before = index.checked_sub(1).map(|before| &self.steps[before]);
        let before = before.cloned().unwrap_or_default();
        if !self.compare(&before, &restored)?.differences.is_empty() {
            self.recreate(index)?;
            let truth = self.throwaway.catalog()?;
            let differences = compare(&truth, &restored);
            let left = "the schema before it";
            let right = "the schema after its down.sql";
            self.note(&migration.name, left, right, &differences);
            return self.throwaway.run(migration);
        }
        if let Err(error) = self.throwaway.run(migration) {
            let why = format!("{}, the second time", error.as_text());
            self.findings.push(why);
            return self.recreate(index + 1);
        }
        Ok(())
    }

    /// Lets the server prepare a statement of a generated function or of a source file.
    fn prepare(&mut self, statement: &Statement) -> Result<(), CliError> {
        let Statement { function, sql, .. } = statement;
        if !can_be_prepared(sql) {
            return Ok(());
        }
        let session = self.throwaway.session()?;
        let prepare = format!("PREPARE bowline_verify AS {sql}");
        match session.batch_execute(&prepare) {
            Ok(()) => session
                .batch_execute("DEALLOCATE bowline_verify")
                .map_err(|error| failed("discard a prepared statement", &error)),
            Err(error) => {
                let error = bowline::Error::from(error);
                let why = format!("the server refuses {function}: {error}");
                self.findings.push(ui::escaped(&why).into());
                Ok(())
            }
        }
    }

    /// Calls each generated function; returns their number.
    fn call_functions(
        &mut self,
        catalog: Option<&Catalog>,
        project: &Project,
    ) -> Result<usize, CliError> {
        let _progress = ui::Progress::start("calling the generated functions");
        let plan = match catalog {
            Some(catalog) => super::generate::plan_of(catalog, project)?,
            None => super::generate::plan_of(&self.throwaway.catalog()?, project)?,
        };
        self.throwaway
            .session()?
            .batch_execute(functions::WITHOUT_FOREIGN_KEYS)
            .map_err(|error| failed("remove the foreign keys of the throwaway database", &error))?;
        let server = functions::Server {
            url: self.server.url()?,
            database: self.throwaway.name().to_owned(),
        };
        let called = functions::call(project, &plan, &server)?;
        for note in &called.notes {
            ui::note(ui::escaped(note));
        }
        let findings = called.findings.iter();
        self.findings
            .extend(findings.map(|finding| ui::escaped(finding).to_string()));
        Ok(called.functions)
    }

    /// Compares what was inferred of each query with the server's answers on generated rows.
    fn compare_queries(
        &mut self,
        project: &Project,
        replayed: &Catalog,
        sources: &[Statement],
    ) -> Result<usize, CliError> {
        let (inferred, refused) = queries::inferred(project, replayed, sources)?;
        if refused > 0 {
            ui::note(format!(
                "{} not checked: `bowline generate` and the compiler say why",
                ui::counted(refused, "query")
            ));
        }
        if inferred.is_empty() {
            return Ok(0);
        }
        let found = self.throwaway.catalog()?;
        let session = self.throwaway.session()?;
        let wrong = queries::contradictions(session, replayed, &found, &inferred)?;
        let wrong = wrong.iter().map(|words| ui::escaped(words).into());
        self.findings.extend(wrong);
        Ok(inferred.len())
    }

    /// Compares the server's catalog with that of replay. Differences that the down.sql files left
    /// are separated from those of replay.
    fn compare_with_replay(&mut self, replayed: &Catalog, server: &str) -> Result<(), CliError> {
        let found = self.throwaway.catalog()?;
        let comparison = self.compare(replayed, &found)?;
        self.not_compared = comparison.not_compared;
        if comparison.differences.is_empty() {
            return Ok(());
        }
        self.throwaway = Throwaway::create(self.server)?;
        let mut first_different = None;
        for (index, migration) in self.migrations.iter().enumerate() {
            self.throwaway.run(migration)?;
            if first_different.is_none() {
                let (step, made) = (self.steps[index].clone(), self.throwaway.catalog()?);
                if !self.compare(&step, &made)?.differences.is_empty() {
                    first_different = Some(migration.name.clone());
                }
            }
        }
        let fresh = self.throwaway.catalog()?;
        let from = first_different.unwrap_or_else(|| "the migrations".to_owned());
        let wrong = self.compare(replayed, &fresh)?.differences;
        self.note(&from, "the migrations as read", server, &wrong);
        let left = compare(&fresh, &found);
        let twice = "after each was run, reverted and run again";
        self.note("the migrations", "after each was run once", twice, &left);
        Ok(())
    }

    /// Compares two catalogs. The server decides whether different texts are the same expression.
    fn compare(&mut self, expected: &Catalog, found: &Catalog) -> Result<Comparison, CliError> {
        let expected = &self.throwaway.expected(expected);
        let session = self.throwaway.session()?;
        let equal = &mut self.equal;
        let mut server = ComparisonServer::with_catalog(session);
        Ok(compare_with(expected, found, Some(&mut server), equal))
    }

    fn note(
        &mut self,
        migration: &str,
        left: &str,
        right: &str,
        differences: &[bowline_catalog::compare::Difference],
    ) {
        let words = differences.iter().map(|difference| {
            let words = difference.sentence(left, right);
            format!("{migration}: {}", ui::escaped(&words))
        });
        self.findings.extend(words);
    }

    /// Creates a new database, and runs the first migrations on it.
    fn recreate(&mut self, count: usize) -> Result<(), CliError> {
        self.throwaway = Throwaway::create(self.server)?;
        for migration in &self.migrations[..count] {
            self.throwaway.run(migration)?;
        }
        Ok(())
    }
}

/// Returns true for the statements that PREPARE takes. REFRESH and CALL are none of them.
fn can_be_prepared(sql: &str) -> bool {
    let first = bowline_sql::tokens(sql).next();
    first.is_some_and(|first| {
        [
            "select", "insert", "update", "delete", "merge", "values", "with", "table",
        ]
        .iter()
        .any(|word| first.is_word(word))
            || first.text() == "("
    })
}
