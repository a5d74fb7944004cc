//! `bowline verify`: whether the migrations are what they are taken for, on a real server.

use clap::Args;
use serde::Serialize;

use crate::error::CliError;
use crate::introspect::Asked;
use crate::migrations::{Migration, prepared, read_folder};
use crate::project::Project;
use crate::source::refused;
use crate::step::{self, Way};
use crate::throwaway::Throwaway;
use crate::ui;
use bowline_catalog::Catalog;
use bowline_catalog::compare::{Comparison, Settled, compare, judged};
use bowline_catalog::replay::replay_each;

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
    /// Whether all statements could be followed, and so what was read from them was compared with the server.
    compared: bool,
    findings: &'r [String],
}

pub(crate) fn run(arguments: &Verify, project: &Project) -> Result<(), CliError> {
    let migrations = prepared(&read_folder(&project.migrations)?)?;
    if !arguments.up_only {
        // Before any of them runs, as the others.
        for migration in migrations.iter().filter(|found| found.down.is_some()) {
            step::sql(migration, Way::Down)?;
        }
    }
    let mut steps = Vec::new();
    let replayed = replay_each(
        migrations.iter().map(|migration| &migration.up),
        |_, catalog| steps.push(catalog.clone()),
    );
    let is_followed = replayed.refusals.is_empty();
    let url = arguments.database_url.as_deref();
    let progress = ui::Progress::start("starting a server to try the migrations on");
    let mut trial = Trial {
        migrations: &migrations,
        url,
        throwaway: Throwaway::create(url)?,
        steps: if is_followed { steps } else { Vec::new() },
        wrong: Vec::new(),
        not_compared: Vec::new(),
        settled: Settled::default(),
    };
    let server = trial.throwaway.server();
    for (place, migration) in migrations.iter().enumerate() {
        progress.now(format!(
            "{} ({} of {})",
            migration.name,
            place + 1,
            migrations.len()
        ));
        trial.up(place)?;
        if !arguments.up_only && migration.down.is_some() {
            trial.down_and_up(place)?;
        }
    }
    drop(progress);
    let irreversible = migrations.iter().filter(|found| found.down.is_none());
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
        ui::note("what cannot be followed is not compared");
        ui::report(&report);
    }
    if arguments.json {
        ui::json(&Report {
            server: &server,
            migrations: migrations.len(),
            compared: is_followed,
            findings: &trial.wrong,
        })?;
    } else {
        trial.wrong.iter().for_each(ui::coloured_result);
    }
    if trial.wrong.is_empty() {
        let count = ui::counted(migrations.len(), "migration");
        ui::status(if is_followed {
            format!("{count} verified on {server}")
        } else {
            format!("{count} ran on {server}, and what is read from them was not compared")
        });
        return Ok(());
    }
    let count = ui::counted(trial.wrong.len(), "finding");
    Err(CliError::failed(format!("{count} on {server}")))
}

/// The migrations on a server, and what was found wrong with them.
///
/// To look at a server is what takes the time, so it is looked at once after each down.sql and once at the end;
/// what it holds after each up.sql is what replay says, until a difference shows: then the server is asked.
struct Trial<'a> {
    migrations: &'a [Migration],
    url: Option<&'a str>,
    throwaway: Throwaway,
    /// The catalog after each migration: what replay says, or where that does not follow, the server.
    steps: Vec<Catalog>,
    wrong: Vec<String>,
    /// What could not be compared at the end.
    not_compared: Vec<String>,
    settled: Settled,
}

impl Trial<'_> {
    /// Runs a migration; where replay does not say what it makes, the server does.
    fn up(&mut self, place: usize) -> Result<(), CliError> {
        self.throwaway.run(&self.migrations[place])?;
        if self.steps.len() == place {
            self.steps.push(self.throwaway.catalog()?);
        }
        Ok(())
    }

    /// Undoes the migration that ran last, and does it again.
    fn down_and_up(&mut self, place: usize) -> Result<(), CliError> {
        let migration = &self.migrations[place];
        if let Err(error) = self.throwaway.revert(migration) {
            self.wrong.push(error.told());
            return self.anew(place + 1);
        }
        let restored = self.throwaway.catalog()?;
        let before = place.checked_sub(1).map(|before| &self.steps[before]);
        let before = before.cloned().unwrap_or_default();
        if !self.judge(&before, &restored)?.differences.is_empty() {
            self.anew(place)?;
            let truth = self.throwaway.catalog()?;
            let differences = compare(&truth, &restored);
            let left = "the schema before it";
            let right = "the schema after its down.sql";
            self.note(&migration.name, left, right, &differences);
            return self.throwaway.run(migration);
        }
        if let Err(error) = self.throwaway.run(migration) {
            let why = format!("{}, the second time", error.told());
            self.wrong.push(why);
            return self.anew(place + 1);
        }
        Ok(())
    }

    /// What is there now beside what replay says; what the downs have left is told from what replay got wrong.
    fn compare_with_replay(&mut self, replayed: &Catalog, server: &str) -> Result<(), CliError> {
        let there = self.throwaway.catalog()?;
        let comparison = self.judge(replayed, &there)?;
        self.not_compared = comparison.not_compared;
        if comparison.differences.is_empty() {
            return Ok(());
        }
        self.throwaway = Throwaway::create(self.url)?;
        let mut first_apart = None;
        for (place, migration) in self.migrations.iter().enumerate() {
            self.throwaway.run(migration)?;
            if first_apart.is_none() {
                let (step, made) = (self.steps[place].clone(), self.throwaway.catalog()?);
                if !self.judge(&step, &made)?.differences.is_empty() {
                    first_apart = Some(migration.name.clone());
                }
            }
        }
        let fresh = self.throwaway.catalog()?;
        let from = first_apart.unwrap_or_else(|| "the migrations".to_owned());
        let wrong = self.judge(replayed, &fresh)?.differences;
        self.note(&from, "what was read", server, &wrong);
        let left = compare(&fresh, &there);
        let twice = "after each ran, was undone and ran again";
        self.note("the migrations", "after each ran once", twice, &left);
        Ok(())
    }

    /// What differs from what is there now, to the server that has it.
    fn judge(&mut self, expected: &Catalog, there: &Catalog) -> Result<Comparison, CliError> {
        let session = self.throwaway.session()?;
        let settled = &mut self.settled;
        Ok(judged(
            expected,
            there,
            Some(&mut Asked::with_catalog(session)),
            settled,
        ))
    }

    fn note(
        &mut self,
        migration: &str,
        left: &str,
        right: &str,
        differences: &[bowline_catalog::compare::Difference],
    ) {
        let words = differences.iter().map(|difference| {
            let words = difference.words(left, right);
            format!("{migration}: {}", ui::escaped(&words))
        });
        self.wrong.extend(words);
    }

    /// A database in which so many migrations have run, and nothing else.
    fn anew(&mut self, count: usize) -> Result<(), CliError> {
        self.throwaway = Throwaway::create(self.url)?;
        for migration in &self.migrations[..count] {
            self.throwaway.run(migration)?;
        }
        Ok(())
    }
}
