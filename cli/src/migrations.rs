//! The migrations of a project: the folder, and the metadata of each.
//!
//! diesel ignores a `metadata.toml` that it cannot read, and takes an empty one for
//! `run_in_transaction = false`. Here both are errors that name the file.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

use bowline::__generated::migrating::Record;
pub(crate) use bowline_migrations::{FolderError, SqlFile, Tool};
use serde::Deserialize;

use crate::error::CliError;
use crate::ui;
use bowline_plan::paths::shown_path;

/// One migration.
///
/// It is a folder as diesel has them, or what another tool has in its place: [`Tool`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Migration {
    /// The part of the name before the first `_`, without `-`. Migrations run in the order of this
    /// text.
    pub version: String,
    /// The name of the folder, or that of a flat file without its ending.
    pub name: String,
    /// The folder, or the flat file.
    pub path: PathBuf,
    /// The SQL that runs it.
    pub up: SqlFile,
    /// The SQL that reverts it, if there is any.
    pub down: Option<SqlFile>,
    /// True if the migration runs in a transaction.
    pub run_in_transaction: bool,
    /// The tool that its files are named for, which runs it.
    pub tool: Tool,
}

impl Migration {
    /// Returns what is recorded of it when it runs.
    pub(crate) fn record(&self) -> Record<'_> {
        Record {
            version: &self.version,
            name: &self.name,
            fingerprint: self.up.fingerprint(),
        }
    }

    /// Returns true for a flat file as sqlx has it.
    pub(crate) fn is_sqlxs(&self) -> bool {
        self.tool == Tool::Sqlx
    }

    /// Returns true if it can be read in a database which of these migrations have run.
    pub(crate) fn has_history(&self) -> bool {
        matches!(self.tool, Tool::Diesel | Tool::Sqlx)
    }

    /// Returns true for a catalog in JSON, in place of migrations.
    pub(crate) fn is_catalog(&self) -> bool {
        self.up.is_json()
    }
}

/// Fails for migrations that another tool runs.
pub(crate) fn refuse_of_other_tools(migrations: &[Migration]) -> Result<(), CliError> {
    let Some(other) = migrations.iter().find(|other| other.tool != Tool::Diesel) else {
        return Ok(());
    };
    let path = shown_path(&other.path);
    if other.tool == Tool::Schema {
        return Err(CliError::failed(format!(
            "the schema is that of {path}, which is not a folder of migrations"
        ))
        .hint("the owner of the schema migrates it; name a folder of migrations to run them"));
    }
    let tool = other.tool.name();
    Err(CliError::failed(format!(
        "{path} is a migration of {tool}, and `bowline migrate` runs migrations that are folders \
         with up.sql"
    ))
    .hint(match other.tool {
        Tool::Sqlx => "run it with its tool, such as `sqlx migrate run`; `bowline migrate import-sqlx` takes over sqlx's".to_owned(),
        _ => format!("run it with {tool}; `bowline generate` reads it where it is"),
    }))
}

/// `metadata.toml` of a migration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    run_in_transaction: bool,
}

impl From<FolderError> for CliError {
    fn from(error: FolderError) -> Self {
        Self::failed(error.to_string()).hint(error.hint())
    }
}

/// Reads the migrations of a folder, in the order in which diesel runs them.
pub(crate) fn read_folder(folder: &Path) -> Result<Vec<Migration>, FolderError> {
    static NOTED: Once = Once::new();
    let migrations = bowline_migrations::read_folder(folder)?.into_iter();
    let is_diesels = migrations
        .as_slice()
        .iter()
        .all(|migration| migration.tool == Tool::Diesel);
    if is_diesels {
        NOTED.call_once(|| ignored(folder).iter().for_each(ui::note));
    }
    migrations
        .map(|migration| {
            Ok(Migration {
                run_in_transaction: match migration.tool {
                    Tool::Diesel => read_metadata(&migration.path.join("metadata.toml"))?,
                    _ => migration.runs_in_transaction(),
                },
                version: migration.version,
                name: migration.name,
                path: migration.path,
                up: migration.up,
                down: migration.down,
                tool: migration.tool,
            })
        })
        .collect()
}

/// Returns the SQL to send for a file; fails with the line if it cannot run as a migration.
pub(crate) fn runnable(file: &SqlFile, in_transaction: bool) -> Result<Cow<'_, str>, CliError> {
    if file.is_json() {
        return Ok(Cow::Borrowed(&file.text));
    }
    bowline_migrations::script(&file.text, in_transaction).map_err(|wrong| {
        let path = shown_path(&file.path);
        CliError::failed(format!("{path} cannot run as a migration"))
            .report(ui::underlined(
                &wrong.message,
                &path,
                &file.text,
                wrong.span,
            ))
            .hint(wrong.hint)
    })
}

/// Returns the migrations with the SQL to send; fails with all lines that cannot run in a
/// migration.
pub(crate) fn prepared(migrations: &[Migration]) -> Result<Vec<Migration>, CliError> {
    let mut wrong: Vec<CliError> = Vec::new();
    let mut sent = |file: &SqlFile, in_transaction| match runnable(file, in_transaction) {
        Ok(text) => SqlFile {
            path: file.path.clone(),
            text: text.into_owned(),
        },
        Err(error) => {
            wrong.push(error);
            file.clone()
        }
    };
    let prepared = migrations
        .iter()
        .map(|migration| Migration {
            up: sent(&migration.up, migration.run_in_transaction),
            ..migration.clone()
        })
        .collect();
    let number = wrong.len();
    let mut wrong = wrong.into_iter();
    let Some(first) = wrong.next() else {
        return Ok(prepared);
    };
    if number == 1 {
        return Err(first);
    }
    let reports: Vec<String> = std::iter::once(&first)
        .chain(wrong.as_slice())
        .map(|error| error.report.trim_end().to_owned())
        .collect();
    Err(CliError {
        message: format!("{number} files cannot run as migrations"),
        report: reports.join("\n\n"),
        ..first
    })
}

/// Returns a note on SQL files in the folder itself, where other tools have their migrations.
fn ignored(folder: &Path) -> Option<String> {
    let entries = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    let is_sql =
        |path: &PathBuf| path.extension().is_some_and(|end| end == "sql") && path.is_file();
    let mut files: Vec<PathBuf> = entries.filter(is_sql).collect();
    files.sort();
    let first = files.first()?;
    let which = match files.len() {
        1 => format!("{} is", shown_path(first)),
        number => format!("{} and {} more are", shown_path(first), number - 1),
    };
    let up = first.with_extension("").join("up.sql");
    Some(format!(
        "{which} ignored: as for diesel, a migration is a folder with the SQL in {}",
        shown_path(&up)
    ))
}

fn read_metadata(path: &Path) -> Result<bool, FolderError> {
    let Some(file) = SqlFile::read(path)? else {
        return Ok(true);
    };
    let metadata: Metadata = toml::from_str(&file.text).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            file.text[..span.start.min(file.text.len())]
                .matches('\n')
                .count()
                + 1
        });
        let what = error
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        FolderError::new(
            format!("{}:{line} is not valid: {what}", path.display()),
            "write `run_in_transaction = true` or `run_in_transaction = false`, or remove the file",
        )
    })?;
    Ok(metadata.run_in_transaction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_that_diesel_would_misread_is_an_error() {
        let error = |metadata: &str| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let migration = folder.path().join("1_a");
            fs::create_dir(&migration).expect("a folder");
            fs::write(migration.join("up.sql"), "").expect("a file");
            fs::write(migration.join("metadata.toml"), metadata).expect("a file");
            let error = read_folder(folder.path()).expect_err("a refusal");
            let here = folder.path().display().to_string();
            error.to_string().replace(&here, "migrations")
        };
        assert_eq!(
            error(""),
            "migrations/1_a/metadata.toml:1 is not valid: missing field `run_in_transaction`"
        );
        assert!(
            error("run_in_transactions = true").contains("unknown field `run_in_transactions`")
        );
        assert!(
            error("# a\nrun_in_transaction = maybe")
                .starts_with("migrations/1_a/metadata.toml:2 is not valid")
        );
    }
}
