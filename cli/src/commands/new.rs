//! `bowline new`: the files of a new migration.

use std::fs;
use std::path::Path;

use bowline::commit_keys;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

use crate::error::CliError;
use crate::migrations::{Migration, read_folder, refuse_of_other_tools};
use crate::project::Project;
use crate::ui;

/// Write up.sql and down.sql of a new migration, in a folder named after the time and NAME.
///
/// The version has the format of diesel's own command, in UTC: 2026-01-31-120000_add_email. It is
/// always a new one. The files contain only comments; write the SQL, then run `bowline generate`.
///
/// Example: bowline new add_email_to_accounts
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The name, of letters, digits, _ and -: add_email_to_accounts.
    #[arg(value_parser = name, required_unless_present = "commit_keys", conflicts_with = "commit_keys")]
    name: Option<String>,
    /// Write the migration of commit keys instead: a table that shows whether a transaction whose
    /// answer was lost has committed (docs/decisions/transactions.md).
    #[arg(long)]
    commit_keys: bool,
}

/// The name of a migration and the text of its files.
struct Texts {
    name: String,
    up: String,
    down: String,
}

/// The name of the migration of commit keys.
const COMMIT_KEYS: &str = "create_commit_keys";

pub(crate) fn run(arguments: &New, project: &Project) -> Result<(), CliError> {
    let folder = &project.migrations;
    if folder.is_file() {
        refuse_of_other_tools(project.read_migrations()?)?;
    }
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    let migrations = read_folder(folder)?;
    let texts = match &arguments.name {
        Some(name) => template(name),
        None => {
            let creates_them = |migration: &&Migration| {
                migration
                    .up
                    .text
                    .contains("CREATE TABLE __bowline_commit_keys")
            };
            if let Some(migration) = migrations.iter().find(creates_them) {
                return Err(CliError::failed(format!(
                    "{} already creates the table of commit keys",
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
    let folder = folder.join(format!("{version}_{}", texts.name));
    // Fails if another process has just created the folder.
    fs::create_dir(&folder).map_err(|error| cannot_write(&folder, &error))?;
    for (file, text) in [("up.sql", &texts.up), ("down.sql", &texts.down)] {
        let path = folder.join(file);
        fs::write(&path, text).map_err(|error| cannot_write(&path, &error))?;
        let shown = path.strip_prefix(&project.root).unwrap_or(&path);
        ui::result(format!("wrote {}", shown.display()));
    }
    let plain = version.replace('-', "");
    if let Some(later) = migrations.last().filter(|last| last.version > plain) {
        ui::note(format!(
            "{} comes after the new migration: its version is greater",
            later.name
        ));
    }
    ui::status(if arguments.commit_keys {
        "run `bowline migrate run`; the documentation of bowline::commit_keys explains how to use them"
    } else {
        "write the SQL, then run `bowline generate` and `bowline migrate run`"
    });
    Ok(())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> CliError {
    CliError::failed(format!("cannot write {}: {error}", path.display()))
}

fn template(name: &str) -> Texts {
    let title = name.replace(['_', '-'], " ");
    Texts {
        name: name.to_owned(),
        up: format!(
            "-- {title}
--
-- Runs in a transaction of its own. A statement that cannot run in a transaction (CREATE INDEX
-- CONCURRENTLY) needs a migration of its own, with a file metadata.toml beside its up.sql that
-- contains: run_in_transaction = false
"
        ),
        down: format!(
            "-- Reverts: {title}
--
-- `bowline verify` tests it. Delete this file if the migration cannot be reverted.
"
        ),
    }
}

/// Returns a version that no migration has: the time, or some seconds later.
fn version(now: DateTime<Utc>, migrations: &[Migration]) -> String {
    let taken = |version: &str| {
        let plain = version.replace('-', "");
        migrations
            .iter()
            .any(|migration| migration.version == plain)
    };
    // There are more candidates than migrations, so one of them is free.
    (0..=migrations.len())
        .filter_map(|later| now.checked_add_signed(TimeDelta::seconds(i64::try_from(later).ok()?)))
        .map(|moment| moment.format("%Y-%m-%d-%H%M%S").to_string())
        .find(|version| !taken(version))
        .unwrap_or_default()
}

/// Accepts names that are valid for a folder on every system, and one word in a shell.
fn name(text: &str) -> Result<String, String> {
    const MAX_LENGTH: usize = 100;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let wrong = text.chars().find(|c| !is_allowed(*c));
    match wrong {
        Some(' ') if text.chars().all(|c| c == ' ' || is_allowed(c)) => Err(format!(
            "it is the name of a folder; use {}",
            text.split_whitespace().collect::<Vec<_>>().join("_")
        )),
        Some(c) => Err(format!(
            "{c:?} is not allowed; use letters, digits, _ and -"
        )),
        None if text.is_empty() => {
            Err("it is empty; name what it changes: add_email_to_accounts".to_owned())
        }
        None if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) => {
            Err("it must begin with a letter or a digit".to_owned())
        }
        None if text.len() > MAX_LENGTH => {
            Err(format!("it is longer than {MAX_LENGTH} characters"))
        }
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::migrations::{SqlFile, Tool};

    #[test]
    fn a_version_is_always_new() {
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
            tool: Tool::Diesel,
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
            Err("it is the name of a folder; use add_email".to_owned())
        );
        assert_eq!(
            name("add email!"),
            Err("' ' is not allowed; use letters, digits, _ and -".to_owned())
        );
    }
}
