//! `bowline new`: the files of a migration to be written.

use std::fs;
use std::path::Path;

use bowline::commit_keys;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

use crate::error::CliError;
use crate::migrations::{Migration, read_folder};
use crate::project::Project;
use crate::ui;

/// Write the two files of a new migration, up.sql and down.sql, in a folder named after now and NAME.
///
/// The version is that of diesel's own command, the time in UTC: 2026-01-31-120000_add_email. No version is taken
/// that a migration has already. The files hold comments only; fill them in, then run `bowline generate`.
///
/// Example: bowline new add_email_to_accounts
#[derive(Debug, Args)]
pub(crate) struct New {
    /// What it changes, in letters, digits, _ and -: add_email_to_accounts.
    #[arg(value_parser = name, required_unless_present = "commit_keys", conflicts_with = "commit_keys")]
    name: Option<String>,
    /// Write the migration of commit keys instead: a table by which a transaction whose answer was lost is found
    /// again (docs/ARCHITECTURE.md, "a commit that is not answered").
    #[arg(long)]
    commit_keys: bool,
}

/// What the files say.
struct Texts {
    name: String,
    up: String,
    down: String,
}

/// The name of the migration of commit keys.
const COMMIT_KEYS: &str = "create_commit_keys";

pub(crate) fn run(arguments: &New, project: &Project) -> Result<(), CliError> {
    let folder = &project.migrations;
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    let migrations = read_folder(folder)?;
    let texts = match &arguments.name {
        Some(name) => to_be_filled_in(name),
        None => {
            let makes_them = |migration: &&Migration| {
                migration
                    .up
                    .text
                    .contains("CREATE TABLE __bowline_commit_keys")
            };
            if let Some(migration) = migrations.iter().find(makes_them) {
                return Err(CliError::failed(format!(
                    "{} makes the table of commit keys already",
                    migration.name
                )));
            }
            Texts {
                name: COMMIT_KEYS.to_owned(),
                up: commit_keys::MIGRATION.to_owned(),
                down: commit_keys::REVERT.to_owned(),
            }
        }
    };
    let version = version(Utc::now(), &migrations);
    let made = folder.join(format!("{version}_{}", texts.name));
    // Fails where another has just taken the name.
    fs::create_dir(&made).map_err(|error| cannot_write(&made, &error))?;
    for (file, text) in [("up.sql", &texts.up), ("down.sql", &texts.down)] {
        let path = made.join(file);
        fs::write(&path, text).map_err(|error| cannot_write(&path, &error))?;
        let shown = path.strip_prefix(&project.root).unwrap_or(&path);
        ui::result(format!("wrote {}", shown.display()));
    }
    let plain = version.replace('-', "");
    if let Some(later) = migrations.last().filter(|last| last.version > plain) {
        ui::note(format!(
            "{} stands behind the new migration, since the text of its version is greater",
            later.name
        ));
    }
    ui::status(if arguments.commit_keys {
        "run `bowline migrate run`; bowline::commit_keys says how to use them"
    } else {
        "fill them in, then run `bowline generate` and `bowline migrate run`"
    });
    Ok(())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> CliError {
    CliError::failed(format!("cannot write {}: {error}", path.display()))
}

fn to_be_filled_in(name: &str) -> Texts {
    let title = name.replace(['_', '-'], " ");
    Texts {
        name: name.to_owned(),
        up: format!(
            "-- {title}
--
-- Runs in a transaction of its own. What PostgreSQL takes in no transaction (CREATE INDEX CONCURRENTLY) goes alone
-- into a migration with a file metadata.toml beside it that says: run_in_transaction = false
"
        ),
        down: format!(
            "-- Undoes: {title}
--
-- `bowline verify` tries it. Remove this file if there is no way back.
"
        ),
    }
}

/// A version that no migration has: now, or so many seconds later.
fn version(now: DateTime<Utc>, migrations: &[Migration]) -> String {
    let taken = |version: &str| {
        let plain = version.replace('-', "");
        migrations
            .iter()
            .any(|migration| migration.version == plain)
    };
    // One of so many more than there are migrations is free.
    (0..=migrations.len())
        .filter_map(|later| now.checked_add_signed(TimeDelta::seconds(i64::try_from(later).ok()?)))
        .map(|moment| moment.format("%Y-%m-%d-%H%M%S").to_string())
        .find(|version| !taken(version))
        .unwrap_or_default()
}

/// A name that is a folder's on every system, and stays one word in a shell.
fn name(text: &str) -> Result<String, String> {
    const LONGEST: usize = 100;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let wrong = text.chars().find(|c| !is_allowed(*c));
    match wrong {
        Some(' ') if text.chars().all(|c| c == ' ' || is_allowed(c)) => Err(format!(
            "it names a folder, so write {}",
            text.split_whitespace().collect::<Vec<_>>().join("_")
        )),
        Some(c) => Err(format!(
            "it names a folder, so {c:?} cannot be in it: use letters, digits, _ and -"
        )),
        None if text.is_empty() => Err("say what it changes: add_email_to_accounts".to_owned()),
        None if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) => {
            Err("it has to begin with a letter or a digit".to_owned())
        }
        None if text.len() > LONGEST => Err(format!("it is longer than {LONGEST} characters")),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::migrations::SqlFile;

    #[test]
    fn a_version_that_is_taken_is_not_taken_again() {
        let now = DateTime::from_timestamp(1_769_860_799, 0).expect("a moment");
        let migration = |version: &str| Migration {
            version: version.to_owned(),
            name: format!("{version}_a"),
            path: PathBuf::new(),
            up: SqlFile {
                path: PathBuf::new(),
                text: String::new(),
            },
            down: None,
            run_in_transaction: true,
        };
        assert_eq!(version(now, &[]), "2026-01-31-115959");
        assert_eq!(
            version(
                now,
                &[migration("20260131115959"), migration("20260131120000")]
            ),
            "2026-01-31-120001"
        );
    }

    #[test]
    fn a_name_is_one_word() {
        assert_eq!(name("add_email-2"), Ok("add_email-2".to_owned()));
        for wrong in [
            "",
            "../up",
            "add email",
            "_a",
            "-a",
            "a.b",
            "ä",
            "a\n",
            &"a".repeat(101),
        ] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(
            name("add email"),
            Err("it names a folder, so write add_email".to_owned())
        );
        assert_eq!(
            name("add email!"),
            Err(
                "it names a folder, so ' ' cannot be in it: use letters, digits, _ and -"
                    .to_owned()
            )
        );
    }
}
