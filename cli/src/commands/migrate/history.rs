//! The migrations that have run on a database, and what is recorded of them: by diesel's table and
//! `__bowline_migrations`, or by sqlx's for flat migrations.

use std::collections::BTreeMap;

use bowline::__generated::migrating::{Bookkeeping, Recorded};
use bowline::Session;

use crate::error::CliError;
use crate::migrations::Migration;
use crate::step::drops_of_invalid_indexes;
use crate::ui;
use bowline_plan::project::Edited;

/// The versions that have run, each with its time: `2026-01-31 12:00:00`, in the time zone of the
/// session that ran it.
#[derive(Debug, Default)]
pub(crate) struct History(BTreeMap<String, Ran>);

/// What is recorded of a migration that has run.
#[derive(Debug)]
pub(crate) struct Ran {
    /// When it ran, or began.
    pub run_on: String,
    /// True if it began and did not finish, and does not go on by itself.
    pub has_failed: bool,
    /// True for a backfill that began, and goes on with the next run.
    pub goes_on: bool,
    /// True if the text that ran was another one than that of the folder.
    pub is_edited: bool,
    /// The row of `__bowline_migrations`, if there is one.
    pub recorded: Option<Recorded>,
}

impl FromIterator<(String, Ran)> for History {
    fn from_iter<T: IntoIterator<Item = (String, Ran)>>(rows: T) -> Self {
        Self(rows.into_iter().collect())
    }
}

impl History {
    /// Reads the history that this command and diesel's have recorded.
    pub(super) fn of(
        table: &Bookkeeping,
        session: &mut Session,
        migrations: &[Migration],
    ) -> bowline::Result<Self> {
        let rows = table.recorded(session)?.into_iter();
        Ok(rows
            .map(|recorded| {
                let mut found = migrations.iter();
                let found = found.find(|migration| migration.version == recorded.version);
                let goes_on = found.is_some_and(|found| recorded.goes_on(&found.record()));
                let ran = Ran {
                    run_on: recorded.run_on.clone(),
                    has_failed: recorded.is_unfinished && !goes_on,
                    goes_on,
                    is_edited: found.is_some_and(|found| recorded.is_edited(&found.record())),
                    recorded: recorded.origin.is_some().then(|| recorded.clone()),
                };
                (recorded.version, ran)
            })
            .collect())
    }

    /// Fails if a migration began and did not finish.
    pub(super) fn refuse_unfinished(
        &self,
        session: &mut Session,
        migrations: &[Migration],
    ) -> Result<(), CliError> {
        let Some((version, ran)) = self.0.iter().find(|(_, ran)| ran.has_failed) else {
            return Ok(());
        };
        let name = name_of(version, ran, migrations);
        if ran.recorded.as_ref().is_some_and(Recorded::is_backfill) {
            return Err(CliError::failed(format!(
                "the backfill {name} began at {} with another text, and did not finish",
                ran.run_on
            ))
            .hint(format!(
                "restore that text to go on after its last batch; or give it up with `bowline \
                 migrate resolve {name} --rolled-back`, which keeps what its batches have changed, \
                 and begin again"
            )));
        }
        let mut found = migrations.iter();
        let left = match found.find(|migration| migration.version == *version) {
            Some(migration) => drops_of_invalid_indexes(session, &migration.up.text)?,
            None => String::new(),
        };
        if !left.is_empty() {
            return Err(CliError::failed(format!(
                "{name} began at {} and did not finish, and left an invalid index",
                ran.run_on
            ))
            .hint(format!(
                "run {left}, and then `bowline migrate resolve {name} --rolled-back`"
            )));
        }
        Err(CliError::failed(format!(
            "{name} began at {} and did not finish, so a part of its changes may be there",
            ran.run_on
        ))
        .hint(format!(
            "find out, then say so: `bowline migrate resolve {name} --applied` if all of them are \
             there, --rolled-back if none is"
        )))
    }

    /// Checks the texts before a run: those of migrations that have run, against what ran, and
    /// those of pending ones, against migrations that have another version now.
    pub(super) fn check_texts(
        &self,
        migrations: &[Migration],
        pending: &[&Migration],
        edited: Edited,
    ) -> Result<(), CliError> {
        let names: Vec<&str> = migrations
            .iter()
            .filter(|migration| {
                self.get(&migration.version)
                    .is_some_and(|ran| ran.is_edited)
            })
            .map(|migration| migration.name.as_str())
            .collect();
        if let Some(first) = names.first() {
            let what = counted_versions(
                &names,
                "was edited after it ran",
                "were edited after they ran",
            );
            match edited {
                Edited::Warn => ui::note(what),
                Edited::Refuse => {
                    return Err(CliError::failed(what).hint(format!(
                        "restore the text that ran, and write a new migration for the change; if \
                         the schema is the same, `bowline migrate resolve {first} --accept-edit`"
                    )));
                }
            }
        }
        for migration in pending {
            if let Some(recorded) = self.earlier(migration, migrations) {
                let name = &migration.name;
                let earlier = recorded.name.as_ref().unwrap_or(&recorded.version);
                return Err(CliError::failed(format!(
                    "{name} has the text of {earlier}, which has run and is not in the folder"
                ))
                .hint(format!(
                    "if it was renamed, `bowline migrate resolve {name} --applied`"
                )));
            }
        }
        Ok(())
    }

    /// Returns the record of a migration with the text of this one that is not in the folder.
    pub(super) fn earlier(
        &self,
        migration: &Migration,
        migrations: &[Migration],
    ) -> Option<&Recorded> {
        let is_same = |recorded: &&Recorded| {
            let ran = recorded.fingerprint.as_deref();
            ran.is_some_and(|ran| migration.record().is_same_as(ran))
        };
        let unknown = self.unknown(migrations);
        let mut recorded = unknown.filter_map(|version| self.get(version)?.recorded.as_ref());
        recorded.find(is_same)
    }

    /// Fails if a backfill began and did not finish: it would go on at a schema that is another one
    /// by then.
    pub(super) fn refuse_revert(&self, migrations: &[Migration]) -> Result<(), CliError> {
        let Some((version, ran)) = self.0.iter().find(|(_, ran)| ran.goes_on) else {
            return Ok(());
        };
        let name = name_of(version, ran, migrations);
        Err(CliError::failed(format!(
            "the backfill {name} began and did not finish, so nothing before it can be reverted"
        ))
        .hint(format!(
            "finish it with `bowline migrate run`, or give it up with `bowline migrate resolve \
             {name} --rolled-back`, which keeps what its batches have changed"
        )))
    }

    /// Returns the time at which a version ran; `None` if it has not run to its end.
    pub(crate) fn ran(&self, version: &str) -> Option<&str> {
        let ran = self.get(version).filter(|ran| !ran.goes_on);
        ran.map(|ran| ran.run_on.as_str())
    }

    /// Returns the record of a version; `None` if it has not begun.
    pub(super) fn get(&self, version: &str) -> Option<&Ran> {
        self.0.get(version)
    }

    /// Returns true if no migration is recorded.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the versions that began and did not finish.
    pub(super) fn failed(&self) -> impl Iterator<Item = &str> {
        self.versions_with(|ran| ran.has_failed)
    }

    /// Returns the versions of backfills that began, and go on with the next run.
    pub(super) fn going_on(&self) -> impl Iterator<Item = &str> {
        self.versions_with(|ran| ran.goes_on)
    }

    /// Returns the versions whose text was edited after they ran.
    pub(super) fn edited(&self) -> impl Iterator<Item = &str> {
        self.versions_with(|ran| ran.is_edited)
    }

    fn versions_with(&self, holds: impl Fn(&Ran) -> bool) -> impl Iterator<Item = &str> {
        let found = self.0.iter().filter(move |(_, ran)| holds(ran));
        found.map(|(version, _)| version.as_str())
    }

    /// Returns the versions, in order, without backfills that go on.
    pub(crate) fn versions(&self) -> impl DoubleEndedIterator<Item = &str> {
        let ran = self.0.iter().filter(|(_, ran)| !ran.goes_on);
        ran.map(|(version, _)| version.as_str())
    }

    /// Returns the versions that are not in the folder.
    pub(crate) fn unknown<'a>(
        &'a self,
        migrations: &'a [Migration],
    ) -> impl DoubleEndedIterator<Item = &'a str> {
        self.versions().filter(|version| {
            migrations
                .iter()
                .all(|migration| migration.version != *version)
        })
    }

    /// Returns the migrations of the folder that have not run, in order.
    pub(crate) fn pending<'m>(&self, migrations: &'m [Migration]) -> Vec<&'m Migration> {
        migrations
            .iter()
            .filter(|migration| self.ran(&migration.version).is_none())
            .collect()
    }

    /// Prints a note on versions that have run but are not in the folder.
    pub(super) fn note_unknown(&self, migrations: &[Migration]) {
        let last = migrations.last().map_or("", |last| last.version.as_str());
        let (ahead, between): (Vec<&str>, Vec<&str>) = self
            .unknown(migrations)
            .partition(|version| *version > last);
        if !ahead.is_empty() {
            ui::note(format!(
                "the database is ahead of the folder: {} not in it; a newer version of the code has {}",
                counted_versions(&ahead, "has run and is", "have run and are"),
                if ahead.len() == 1 { "it" } else { "them" }
            ));
        }
        if !between.is_empty() {
            ui::note(format!(
                "{} not in the folder: deleted, renamed, or of another branch",
                counted_versions(&between, "has run and is", "have run and are")
            ));
        }
    }
}

/// Returns the name of a migration, in the folder or as it was recorded.
fn name_of(version: &str, ran: &Ran, migrations: &[Migration]) -> String {
    let mut found = migrations.iter();
    let found = found.find(|migration| migration.version == version);
    let recorded = || ran.recorded.as_ref()?.name.clone();
    found
        .map(|found| found.name.clone())
        .or_else(recorded)
        .unwrap_or_else(|| version.to_owned())
}

/// Returns a list with its verb: `1 has run`, `1, 2 have run`. It is cut after the first versions.
pub(super) fn counted_versions(versions: &[&str], one: &str, several: &str) -> String {
    const SHOWN: usize = 5;
    match versions {
        [version] => format!("{version} {one}"),
        versions if versions.len() <= SHOWN => format!("{} {several}", versions.join(", ")),
        versions => format!(
            "{} and {} more {several}",
            versions[..SHOWN].join(", "),
            versions.len() - SHOWN
        ),
    }
}
