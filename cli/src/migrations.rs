//! A folder of migrations, read as diesel reads it, but strictly.
//!
//! diesel takes a `metadata.toml` that it cannot read for one that says nothing, one that says nothing
//! for `run_in_transaction = false`, and of two migrations with one version it runs one. Here each of
//! these is an error that names the file.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Migration {
    /// What stands before the first `_`, without `-`; migrations run in the order of its text.
    pub version: String,
    /// The name of the folder.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    /// What the migration does.
    pub up: SqlFile,
    /// What undoes it, if anything does.
    pub down: Option<SqlFile>,
    /// Whether it runs in a transaction of its own.
    pub run_in_transaction: bool,
}

/// A file of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SqlFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// What is wrong with a folder of migrations.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct FolderError {
    message: String,
    /// What to do.
    pub hint: String,
}

/// `metadata.toml` of a migration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    run_in_transaction: bool,
}

/// The migrations of a folder, in the order in which diesel runs them.
pub(crate) fn read_folder(folder: &Path) -> Result<Vec<Migration>, FolderError> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        fail(
            format!("cannot read {}: {error}", path.display()),
            "look at the folder's name in diesel.toml and at its permissions",
        )
    };
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut migrations: Vec<Migration> = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if name.starts_with('.') || !path.is_dir() {
            continue;
        }
        migrations.push(read_migration(path, name)?);
    }
    migrations.sort_by(|a, b| (&a.version, &a.name).cmp(&(&b.version, &b.name)));
    if let Some([first, second]) = migrations
        .array_windows()
        .find(|[first, second]| first.version == second.version)
    {
        return Err(fail(
            format!(
                "{} and {} have one version, {}",
                first.name, second.name, first.version
            ),
            "rename one of them: diesel would run only one",
        ));
    }
    Ok(migrations)
}

fn read_migration(path: PathBuf, name: String) -> Result<Migration, FolderError> {
    let version = name.split('_').next().unwrap_or_default().replace('-', "");
    if version.is_empty() {
        return Err(fail(
            format!("{} has no version", path.display()),
            "name it like 2026-01-31-120000_create_accounts",
        ));
    }
    let up = read_sql(&path.join("up.sql"))?;
    let up = up.ok_or_else(|| {
        fail(
            format!("{} has no up.sql", path.display()),
            "write it, or remove the folder",
        )
    })?;
    let down = read_sql(&path.join("down.sql"))?;
    let run_in_transaction = read_metadata(&path.join("metadata.toml"))?;
    Ok(Migration {
        version,
        name,
        path,
        up,
        down,
        run_in_transaction,
    })
}

fn read_sql(path: &Path) -> Result<Option<SqlFile>, FolderError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(SqlFile {
            path: path.to_owned(),
            text,
        })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fail(
            format!("cannot read {}: {error}", path.display()),
            "it has to be a file of UTF-8 text",
        )),
    }
}

fn read_metadata(path: &Path) -> Result<bool, FolderError> {
    let Some(file) = read_sql(path)? else {
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
        fail(
            format!("{}:{line} cannot be followed: {what}", path.display()),
            "write `run_in_transaction = true` or `run_in_transaction = false`, or remove the file",
        )
    })?;
    Ok(metadata.run_in_transaction)
}

fn fail(message: String, hint: &str) -> FolderError {
    FolderError {
        message,
        hint: hint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        folder
    }

    fn error(files: &[(&str, &str)]) -> String {
        let folder = folder(files);
        let error = read_folder(folder.path()).expect_err("a refusal");
        error
            .to_string()
            .replace(&folder.path().display().to_string(), "migrations")
    }

    #[test]
    fn migrations_are_ordered_by_version_without_dashes() {
        let folder = folder(&[
            ("2017-09-23-182408_b/up.sql", ""),
            ("20170309122510_a/up.sql", ""),
            (".hidden/x", ""),
            ("notes.md", ""),
        ]);
        let names: Vec<_> = read_folder(folder.path())
            .expect("a good folder")
            .into_iter()
            .map(|migration| migration.name)
            .collect();
        assert_eq!(names, ["20170309122510_a", "2017-09-23-182408_b"]);
    }

    #[test]
    fn two_migrations_with_one_version_are_an_error() {
        let message = error(&[("2026-01-01_a/up.sql", ""), ("20260101_b/up.sql", "")]);
        assert_eq!(
            message,
            "2026-01-01_a and 20260101_b have one version, 20260101"
        );
    }

    #[test]
    fn metadata_that_diesel_would_misread_is_an_error() {
        let metadata = |text| error(&[("1_a/up.sql", ""), ("1_a/metadata.toml", text)]);
        assert_eq!(
            metadata(""),
            "migrations/1_a/metadata.toml:1 cannot be followed: missing field `run_in_transaction`"
        );
        assert!(
            metadata("run_in_transactions = true").contains("unknown field `run_in_transactions`")
        );
        assert!(
            metadata("# a\nrun_in_transaction = maybe")
                .starts_with("migrations/1_a/metadata.toml:2 cannot be followed")
        );
    }

    #[test]
    fn a_folder_without_up_sql_is_an_error() {
        assert_eq!(
            error(&[("1_a/down.sql", "")]),
            "migrations/1_a has no up.sql"
        );
    }
}
