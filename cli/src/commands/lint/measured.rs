//! `--measure`: what the statements of migrations do on a server, for those of which no rule knows
//! by name what they do.
//!
//! `migrate plan` measures: the locks that a statement holds, the files that it replaces, the
//! scans.

use std::ops::Range;

use crate::commands::migrate::plan::effect::{Blocks, Effect};
use crate::commands::migrate::plan::measure;
use crate::connection::ServerArgs;
use crate::error::CliError;
use crate::migrations::Migration;
use crate::throwaway::Throwaway;
use crate::ui;
use bowline_catalog::lint::{Finding, Rule};

/// What was measured.
#[derive(Default)]
pub(super) struct Measured {
    /// The server: `PostgreSQL 15.18`; `None` if there was none.
    pub(super) on: Option<String>,
    statements: Vec<Measurement>,
    /// Why the measurement is not complete.
    pub(super) failure: Option<CliError>,
}

/// A statement of which something was measured.
struct Measurement {
    file: usize,
    span: Range<usize>,
    is_truncate: bool,
    effects: Vec<Effect>,
}

/// Measures some of the migrations, by their index. The others run first, since the database has
/// them. If there is no server, or it refuses a migration, the result holds the error.
pub(super) fn measure(
    migrations: &[Migration],
    new: &[usize],
    server_url: Option<&str>,
) -> Measured {
    let mut measured = Measured::default();
    measured.failure = measured.run(migrations, new, server_url).err();
    measured
}

impl Measured {
    fn run(
        &mut self,
        migrations: &[Migration],
        new: &[usize],
        server_url: Option<&str>,
    ) -> Result<(), CliError> {
        if new.is_empty() {
            return Ok(());
        }
        let progress = ui::Progress::start("starting a server for the measurement");
        let mut throwaway = Throwaway::create(&ServerArgs::of(server_url))?;
        self.on = Some(throwaway.server());
        let old = (0..migrations.len()).filter(|index| !new.contains(index));
        for index in old {
            progress.now(migrations[index].name.clone());
            throwaway.run(&migrations[index])?;
        }
        for index in new {
            let migration = &migrations[*index];
            progress.now(migration.name.clone());
            let statements = measure::alone(&mut throwaway, migration)?;
            let statements = statements.into_iter().map(|statement| Measurement {
                file: *index,
                span: statement.span,
                is_truncate: bowline_sql::first_word(&statement.sql)
                    .is_some_and(|word| word.is_word("truncate")),
                effects: statement.effects,
            });
            self.statements.extend(statements);
        }
        if let Some(unproved) = throwaway.unproved() {
            ui::note(unproved);
        }
        Ok(())
    }

    /// Returns the findings on statements of which no rule tells that they make programs wait.
    pub(super) fn findings(&self, named: &[Finding]) -> Vec<Finding> {
        let is_named = |it: &&Measurement| {
            let mut named = named.iter();
            named.any(|finding| {
                let is_of_it = finding.file == it.file && it.span.contains(&finding.span.start);
                is_of_it && finding.rule.is_about_waits()
            })
        };
        let unnamed = self.statements.iter().filter(|it| !is_named(it));
        unnamed.filter_map(Measurement::finding).collect()
    }

    /// Fails if the measurement is not complete.
    pub(super) fn conclude(self) -> Result<(), CliError> {
        match self.failure {
            None => Ok(()),
            Some(error) => {
                let what = match self.on {
                    None => "the migrations were not measured".to_owned(),
                    Some(server) => format!("not all migrations were measured on {server}"),
                };
                let message = format!("{what}: {}", error.message);
                Err(CliError { message, ..error })
            }
        }
    }
}

impl Measurement {
    fn finding(&self) -> Option<Finding> {
        // TRUNCATE replaces the file by an empty one, and builds its indexes, which takes no time.
        if self.is_truncate {
            return None;
        }
        let rewrites = |effect: &&Effect| effect.rewrites;
        let scans = |effect: &&Effect| effect.scans && waits(effect.blocks).is_some();
        let rewritten: Vec<&Effect> = self.effects.iter().filter(rewrites).collect();
        let scanned: Vec<&Effect> = self.effects.iter().filter(scans).collect();
        let (rule, what, effects) = match rewritten.is_empty() {
            false => (Rule::MeasuredRewrite, "written anew", rewritten),
            true => (Rule::MeasuredScan, "read", scanned),
        };
        // The strongest lock is the first.
        let first = effects.first()?;
        let waiting = waits(first.blocks)?;
        let tables: Vec<&str> = effects.iter().map(|it| it.relation.as_str()).collect();
        let tables = bowline_sql::one_line(&tables.join(", "));
        let is_held = first.is_held;
        let held = match is_held {
            true => format!(
                ", since an earlier statement of the migration holds {} on it",
                first.lock.name()
            ),
            false => String::new(),
        };
        Some(Finding {
            file: self.file,
            span: self.span.clone(),
            rule,
            message: format!("all rows of {tables} are {what} while {waiting} wait{held}"),
            steps: Vec::new(),
            help: match is_held {
                true => "give it a migration of its own, so that the lock ends before it",
                false => "run it while little uses the table; `bowline migrate plan` has the size of the table and the sessions that use it",
            }
            .to_owned(),
        })
    }
}

/// Returns who waits for a lock, in words; `None` if no program does.
fn waits(blocks: Blocks) -> Option<&'static str> {
    match blocks {
        Blocks::Nothing | Blocks::Ddl => None,
        Blocks::Writes => Some("writers"),
        Blocks::ReadsAndWrites => Some("readers and writers"),
    }
}
