//! `bowline new`: the files of a new migration.

mod inverse;
mod safe;

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
/// With --safe the SQL is written too: the statement in the steps that are safe while programs use
/// the database, each a migration with its down.sql. They are those of `bowline lint`, and replay
/// proves that they end at the schema of the statement.
///
/// Example: bowline new add_email_to_accounts
/// Example: bowline new --safe "ALTER TABLE accounts ALTER COLUMN email SET NOT NULL"
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The name, of letters, digits, _ and -: add_email_to_accounts.
    #[arg(value_parser = name, required_unless_present_any = ["commit_keys", "safe"], conflicts_with = "commit_keys")]
    name: Option<String>,
    /// Write the migration of commit keys instead: a table that shows whether a transaction whose
    /// answer was lost has committed (docs/decisions/transactions.md).
    #[arg(long)]
    commit_keys: bool,
    /// Write the safe steps of a statement. NAME is made of its words if it is not given.
    #[arg(long, value_name = "SQL", conflicts_with = "commit_keys")]
    safe: Option<String>,
}

/// The name of a migration and the text of its files.
struct Texts {
    name: String,
    up: String,
    /// `None` for a migration that cannot be reverted.
    down: Option<String>,
    in_transaction: bool,
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
    let all = match (&arguments.safe, &arguments.name) {
        (Some(sql), name) => {
            safe::migrations(sql, name.as_deref(), project, project.read_migrations()?)?
        }
        (None, Some(name)) => vec![template(name)],
        (None, None) => vec![commit_keys(&migrations)?],
    };
    let versions = versions(Utc::now(), &migrations, all.len());
    for (texts, version) in all.iter().zip(&versions) {
        write(texts, version, project)?;
    }
    let Some(version) = versions.first() else {
        return Ok(());
    };
    let plain = version.replace('-', "");
    if let Some(later) = migrations.last().filter(|last| last.version > plain) {
        ui::note(format!(
            "{} comes after the new migration: its version is greater",
            later.name
        ));
    }
    ui::status(if arguments.commit_keys {
        "run `bowline migrate run`; the documentation of bowline::commit_keys explains how to use them"
    } else if arguments.safe.is_some() {
        "read them, then run `bowline generate` and `bowline migrate plan`"
    } else {
        "write the SQL, then run `bowline generate` and `bowline migrate run`"
    });
    Ok(())
}

/// Returns the migration of commit keys; fails if there is one.
fn commit_keys(migrations: &[Migration]) -> Result<Texts, CliError> {
    let creates_them = |migration: &&Migration| {
        migration
            .up
            .text
            .contains("CREATE TABLE __bowline_commit_keys")
    };
    match migrations.iter().find(creates_them) {
        Some(migration) => Err(CliError::failed(format!(
            "{} already creates the table of commit keys",
            migration.name
        ))),
        None => Ok(Texts {
            name: COMMIT_KEYS.to_owned(),
            up: commit_keys::MIGRATION.to_owned(),
            down: Some(commit_keys::REVERT.to_owned()),
            in_transaction: true,
        }),
    }
}

/// Writes the folder of a migration.
fn write(texts: &Texts, version: &str, project: &Project) -> Result<(), CliError> {
    let folder = project.migrations.join(format!("{version}_{}", texts.name));
    // Fails if another process has just created the folder.
    fs::create_dir(&folder).map_err(|error| cannot_write(&folder, &error))?;
    let metadata = (!texts.in_transaction).then_some("run_in_transaction = false\n");
    let files = [
        ("up.sql", Some(texts.up.as_str())),
        ("down.sql", texts.down.as_deref()),
        ("metadata.toml", metadata),
    ];
    for (file, text) in files {
        let Some(text) = text else { continue };
        let path = folder.join(file);
        fs::write(&path, text).map_err(|error| cannot_write(&path, &error))?;
        let shown = path.strip_prefix(&project.root).unwrap_or(&path);
        ui::result(format!("wrote {}", shown.display()));
    }
    if texts.down.is_none() {
        ui::note(format!(
            "{} has no down.sql: what it drops cannot be brought back",
            texts.name
        ));
    }
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
        down: Some(format!(
            "-- Reverts: {title}
--
-- `bowline verify` tests it. Delete this file if the migration cannot be reverted.
"
        )),
        in_transaction: true,
    }
}

/// Returns versions that no migration has, in order: of the time, and of the seconds after it.
fn versions(now: DateTime<Utc>, migrations: &[Migration], number: usize) -> Vec<String> {
    let taken = |version: &String| {
        let plain = version.replace('-', "");
        migrations
            .iter()
            .any(|migration| migration.version == plain)
    };
    // There are more candidates than migrations, so that enough of them are free.
    (0..migrations.len() + number)
        .filter_map(|later| now.checked_add_signed(TimeDelta::seconds(i64::try_from(later).ok()?)))
        .map(|moment| moment.format("%Y-%m-%d-%H%M%S").to_string())
        .filter(|version| !taken(version))
        .take(number)
        .collect()
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
        assert_eq!(versions(now, &[], 1), ["2026-01-31-115959"]);
        assert_eq!(
            versions(
                now,
                &[migration("20260131115959"), migration("20260131120001")],
                2
            ),
            ["2026-01-31-120000", "2026-01-31-120002"]
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
