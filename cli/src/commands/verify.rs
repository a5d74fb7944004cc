//! `bowline verify`: whether the migrations are what they are taken for, on a real server.

use clap::Args;
use serde::Serialize;

use crate::catalog::Catalog;
use crate::catalog::compare::compare;
use crate::catalog::replay::replay;
use crate::error::CliError;
use crate::migrations::{Migration, read_folder};
use crate::project::Project;
use crate::source::refused;
use crate::throwaway::Throwaway;
use crate::ui;

/// Run the migrations on a throwaway server: each up, down and up again, and compare with what was read from them.
///
/// Says where a down.sql does not undo its up.sql, and where what `bowline generate` reads from the files is not
/// what PostgreSQL makes of them. The database is dropped afterwards. Exits with 1 if anything differs.
///
/// Example: bowline verify
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The server for it, instead of a local one; a database of its own is made there, and dropped.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Run no down.sql.
    #[arg(long)]
    up_only: bool,
    /// Print JSON: an object with server, migrations (how many) and findings, a list of texts.
    #[arg(long)]
    json: bool,
}

/// What was found, for a program.
#[derive(Serialize)]
struct Report<'r> {
    server: &'r str,
    migrations: usize,
    findings: &'r [String],
}

pub(crate) fn run(arguments: &Verify, project: &Project) -> Result<(), CliError> {
    let migrations = read_folder(&project.migrations)?;
    let url = arguments.database_url.as_deref();
    let progress = ui::Progress::start("starting a server to try the migrations on");
    let mut trial = Trial {
        url,
        throwaway: Throwaway::create(url)?,
        wrong: Vec::new(),
    };
    let server = trial.throwaway.server();
    let mut there = Catalog::default();
    for (place, migration) in migrations.iter().enumerate() {
        progress.now(format!(
            "{} ({} of {})",
            migration.name,
            place + 1,
            migrations.len()
        ));
        let before = std::mem::take(&mut there);
        trial.throwaway.run(migration)?;
        there = trial.throwaway.catalog()?;
        if migration.down.is_some() && !arguments.up_only {
            trial.down_and_up(&migrations[..=place], &before, &there)?;
        }
    }
    drop(progress);
    let irreversible = migrations.iter().filter(|found| found.down.is_none());
    let irreversible = irreversible.count();
    if irreversible > 0 && !arguments.up_only {
        let count = ui::counted(irreversible, "migration");
        ui::note(format!("{count} without a down.sql"));
    }
    let replayed = replay(&migrations);
    if replayed.refusals.is_empty() {
        let differences = compare(&replayed.catalog, &there);
        if !differences.is_empty() {
            let from = first_apart(&migrations, url)?;
            trial.note(&from, "what was read", &server, &differences);
        }
    } else {
        let report = refused(&replayed.refusals).report;
        ui::note(format!("what cannot be followed is not compared\n{report}"));
    }
    if arguments.json {
        ui::json(&Report {
            server: &server,
            migrations: migrations.len(),
            findings: &trial.wrong,
        })?;
    } else {
        trial.wrong.iter().for_each(ui::result);
    }
    if trial.wrong.is_empty() {
        let count = ui::counted(migrations.len(), "migration");
        ui::status(format!("{count} verified on {server}"));
        return Ok(());
    }
    let count = ui::counted(trial.wrong.len(), "finding");
    Err(CliError::failed(format!("{count} on {server}")))
}

/// The migrations on a server, and what was found wrong with them.
struct Trial<'a> {
    url: Option<&'a str>,
    throwaway: Throwaway,
    wrong: Vec<String>,
}

impl Trial<'_> {
    /// Undoes the last of these migrations and does it again.
    fn down_and_up(
        &mut self,
        migrations: &[Migration],
        before: &Catalog,
        after: &Catalog,
    ) -> Result<(), CliError> {
        let Some(last) = migrations.last() else {
            return Ok(());
        };
        if let Err(error) = self.throwaway.revert(last) {
            self.wrong.push(error.told());
            return self.anew(migrations);
        }
        let restored = self.throwaway.catalog()?;
        let differences = compare(before, &restored);
        if !differences.is_empty() {
            self.note(
                &last.name,
                "the schema before it",
                "the schema after its down.sql",
                &differences,
            );
            return self.anew(migrations);
        }
        if let Err(error) = self.throwaway.run(last) {
            let why = format!("{}, the second time", error.told());
            self.wrong.push(why);
            return self.anew(migrations);
        }
        let again = self.throwaway.catalog()?;
        let differences = compare(after, &again);
        if !differences.is_empty() {
            self.note(
                &last.name,
                "after it",
                "after it, down and up again",
                &differences,
            );
            return self.anew(migrations);
        }
        Ok(())
    }

    fn note(
        &mut self,
        migration: &str,
        left: &str,
        right: &str,
        differences: &[crate::catalog::compare::Difference],
    ) {
        let words = differences
            .iter()
            .map(|difference| format!("{migration}: {}", difference.words(left, right)));
        self.wrong.extend(words);
    }

    /// A database in which these migrations have run, and nothing else.
    fn anew(&mut self, migrations: &[Migration]) -> Result<(), CliError> {
        self.throwaway = Throwaway::create(self.url)?;
        for migration in migrations {
            self.throwaway.run(migration)?;
        }
        Ok(())
    }
}

/// The first migration after which replay and server are apart.
fn first_apart(migrations: &[Migration], url: Option<&str>) -> Result<String, CliError> {
    let mut throwaway = Throwaway::create(url)?;
    for (place, migration) in migrations.iter().enumerate() {
        throwaway.run(migration)?;
        let replayed = replay(&migrations[..=place]).catalog;
        if !compare(&replayed, &throwaway.catalog()?).is_empty() {
            return Ok(migration.name.clone());
        }
    }
    Ok("the migrations".to_owned())
}
