//! What has run on a database, and when, as diesel's table has it.

use std::collections::BTreeMap;

use bowline::Session;
use bowline::migrating::Bookkeeping;

use crate::migrations::Migration;
use crate::ui;

/// The versions that have run, each with when it ran: `2026-01-31 12:00:00`, in the time zone of who ran it.
#[derive(Debug, Default)]
pub(crate) struct History(BTreeMap<String, String>);

impl History {
    /// Asked without making diesel's table where it is not there: to look changes nothing.
    pub(crate) fn read(session: &mut Session) -> bowline::Result<Self> {
        match Bookkeeping::find(session)? {
            Some(table) => Self::of(&table, session),
            None => Ok(Self::default()),
        }
    }

    /// What diesel's table has.
    pub(super) fn of(table: &Bookkeeping, session: &mut Session) -> bowline::Result<Self> {
        table.ran(session).map(Self)
    }

    /// When it ran, if it has.
    pub(crate) fn ran(&self, version: &str) -> Option<&str> {
        self.0.get(version).map(String::as_str)
    }

    /// The versions, in order.
    pub(crate) fn versions(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Those of which the folder has nothing.
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

    /// Those of the folder that have not run, in order.
    pub(crate) fn pending<'m>(&self, migrations: &'m [Migration]) -> Vec<&'m Migration> {
        migrations
            .iter()
            .filter(|migration| self.ran(&migration.version).is_none())
            .collect()
    }

    /// Says which versions have run that the folder does not have.
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

/// `1 has run`, `1, 2 and 3 have run`; of many, the first ones.
fn counted_versions(versions: &[&str], one: &str, several: &str) -> String {
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
