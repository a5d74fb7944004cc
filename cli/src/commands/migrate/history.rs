//! What has run on a database, and when, as diesel's table has it.

use std::collections::BTreeMap;

use bowline::{Session, StatementDsl as _};
use diesel::migration::MigrationConnection as _;
use diesel::sql_types::Text;

use crate::error::{CliError, failed};
use crate::migrations::Migration;
use crate::ui;

/// The versions that have run, each with when it ran: `2026-01-31 12:00:00`, in the time zone of who ran it.
#[derive(Debug, Default)]
pub(crate) struct History(BTreeMap<String, String>);

impl History {
    /// Asked without making diesel's table where it is not there: to look changes nothing.
    pub(crate) fn read(session: &mut Session) -> bowline::Result<Self> {
        #[derive(diesel::QueryableByName)]
        struct Ran {
            #[diesel(sql_type = Text)]
            version: String,
            #[diesel(sql_type = Text)]
            run_on: String,
        }
        if !is_there(session)? {
            return Ok(Self::default());
        }
        let ran = bowline::sql(
            "SELECT version::text AS version, to_char(run_on, 'YYYY-MM-DD HH24:MI:SS') AS run_on
             FROM __diesel_schema_migrations",
        );
        let ran = session.run(ran.all::<Ran>())?;
        Ok(Self(
            ran.into_iter()
                .map(|ran| (ran.version, ran.run_on))
                .collect(),
        ))
    }

    /// Makes diesel's table, unless it is there.
    pub(super) fn prepare(session: &mut Session) -> Result<(), CliError> {
        if !is_there(session)? {
            session
                .setup()
                .map_err(|error| failed("make the table of what has run", &error))?;
        }
        Ok(())
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

fn is_there(session: &mut Session) -> bowline::Result<bool> {
    let there = "SELECT 1 WHERE to_regclass('__diesel_schema_migrations') IS NOT NULL";
    Ok(session.run(bowline::sql(there).affected())? > 0)
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
