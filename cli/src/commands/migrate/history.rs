//! The migrations that have run on a database, and when, as diesel's table records it, or sqlx's for
//! flat migrations.

use std::collections::BTreeMap;

use bowline::__generated::migrating::Bookkeeping;
use bowline::Session;

use crate::migrations::Migration;
use crate::ui;

/// The versions that have run, each with its time: `2026-01-31 12:00:00`, in the time zone of the
/// session that ran it.
#[derive(Debug, Default)]
pub(crate) struct History(BTreeMap<String, Ran>);

/// The record of a migration that has run.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The time at which it ran.
    pub run_on: String,
    /// True if it began and did not finish. diesel's table does not record that.
    pub has_failed: bool,
    /// True if the text that ran differs from that in the folder. diesel's table does not record
    /// that.
    pub is_edited: bool,
}

impl FromIterator<(String, Ran)> for History {
    fn from_iter<T: IntoIterator<Item = (String, Ran)>>(rows: T) -> Self {
        Self(rows.into_iter().collect())
    }
}

impl History {
    /// Reads the history from diesel's table.
    pub(super) fn of(table: &Bookkeeping, session: &mut Session) -> bowline::Result<Self> {
        let rows = table.ran(session)?.into_iter();
        Ok(rows
            .map(|(version, run_on)| {
                let ran = Ran {
                    run_on,
                    has_failed: false,
                    is_edited: false,
                };
                (version, ran)
            })
            .collect())
    }

    /// Returns the time at which a version ran; `None` if it has not run.
    pub(crate) fn ran(&self, version: &str) -> Option<&str> {
        self.get(version).map(|ran| ran.run_on.as_str())
    }

    /// Returns the record of a version; `None` if it has not run.
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

    /// Returns the versions whose text was edited after they ran.
    pub(super) fn edited(&self) -> impl Iterator<Item = &str> {
        self.versions_with(|ran| ran.is_edited)
    }

    fn versions_with(&self, holds: impl Fn(&Ran) -> bool) -> impl Iterator<Item = &str> {
        let found = self.0.iter().filter(move |(_, ran)| holds(ran));
        found.map(|(version, _)| version.as_str())
    }

    /// Returns the versions, in order.
    pub(crate) fn versions(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.keys().map(String::as_str)
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
