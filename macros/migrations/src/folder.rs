//! The migrations of a folder, in the order in which they run, and the query files of a folder.
//!
//! Two migrations with the same version are an error here. diesel would run only one of them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::file::{FolderError, SqlFile, unreadable};
use crate::flat::{self, Flat};
use crate::migration::{Migration, version_of};
use crate::tool::Tool;

/// The folder in which `bowline migrate import-sqlx --move-files` prepares the folders of flat
/// migrations. It exists until all of them are in their places and the flat files are deleted.
pub const MOVING: &str = ".import-sqlx";

/// Returns the migrations of a folder, in the order in which diesel runs them.
///
/// If it has no folders of migrations, flat files are read: `1_a.sql`, or `1_a.up.sql` with
/// `1_a.down.sql`, or `V1__a.sql`. They run in the order of their numbers, and files that are
/// repeated after each change (`R__a.sql`) at the end. Of a file with sections for both ways, such
/// as `-- migrate:up`, only the one for up is read.
///
/// A file in place of the folder, which creates the whole schema, is one migration without a
/// version.
///
/// Fails if only a part of the flat files is in folders, because a move was interrupted, and if
/// there are migrations that are not SQL.
pub fn read_folder(folder: &Path) -> Result<Vec<Migration>, FolderError> {
    if folder.is_file() {
        let end = folder.extension().unwrap_or_default();
        if end != "sql" && end != "json" {
            return Err(FolderError::new(
                format!(
                    "{} is neither a folder nor a .sql or .json file",
                    folder.display()
                ),
                "name a folder of migrations, the output of `pg_dump --schema-only`, or that of \
                 `bowline catalog`",
            ));
        }
        return Ok(SqlFile::read(folder)?.map(schema).into_iter().collect());
    }
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut folders: Vec<Migration> = Vec::new();
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            folders.push(read_migration(path, name)?);
        } else {
            files.push((path, name));
        }
    }
    let mut migrations = folders;
    if migrations.is_empty() {
        let mut flat = flat::read(folder, files)?;
        flat.sort_by(|a, b| a.order.cmp(&b.order));
        migrations = flat.into_iter().map(Flat::into_migration).collect();
    } else {
        if folder.join(MOVING).exists() {
            return Err(FolderError::new(
                format!(
                    "the flat files of {} are moved into folders only in part",
                    folder.display()
                ),
                "run `bowline migrate import-sqlx --move-files` again, which moves the rest",
            ));
        }
        migrations.sort_by(|a, b| (&a.version, &a.name).cmp(&(&b.version, &b.name)));
    }
    let mut pairs = migrations.iter().zip(migrations.iter().skip(1));
    if let Some((first, second)) = pairs.find(|(first, second)| first.version == second.version) {
        return Err(FolderError::new(
            format!(
                "{} and {} have one version, {}",
                first.name, second.name, first.version
            ),
            format!(
                "rename one of them: {} would run only one",
                first.tool.name()
            ),
        ));
    }
    Ok(migrations)
}

/// Returns a file that creates the whole schema as the only migration.
fn schema(up: SqlFile) -> Migration {
    let name = up.path.file_name().unwrap_or_default();
    Migration {
        version: String::new(),
        name: name.to_string_lossy().into_owned(),
        path: up.path.clone(),
        up,
        down: None,
        tool: Tool::Schema,
    }
}

/// Returns the query files of a folder, sorted by name. There are none if the folder does not
/// exist.
pub fn read_queries(folder: &Path) -> Result<Vec<SqlFile>, FolderError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, &error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let is_hidden = path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden && path.extension().is_some_and(|end| end == "sql") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    let read = paths.iter().map(|path| SqlFile::read(path));
    read.filter_map(Result::transpose).collect()
}

fn read_migration(path: PathBuf, name: String) -> Result<Migration, FolderError> {
    let version = version_of(&name);
    if version.is_empty() {
        return Err(FolderError::new(
            format!("{} has no version", path.display()),
            "name it like 2026-01-31-120000_create_accounts",
        ));
    }
    let (up, tool) = match SqlFile::read(&path.join("up.sql"))? {
        Some(up) => (Some(up), Tool::Diesel),
        None => (SqlFile::read(&path.join("migration.sql"))?, Tool::Prisma),
    };
    let up = up.ok_or_else(|| {
        FolderError::new(
            format!("{} has no up.sql", path.display()),
            "write it, or remove the folder",
        )
    })?;
    let down = SqlFile::read(&path.join("down.sql"))?;
    Ok(Migration {
        version,
        name,
        path,
        up,
        down,
        tool,
    })
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
    fn flat_files_are_read_where_there_are_no_folders() {
        let files = [
            ("2_b.up.sql", "SELECT 2;"),
            ("2_b.down.sql", "SELECT 0;"),
            ("10_c.sql", "-- no-transaction\nSELECT 3;"),
            ("1_a.sql", "SELECT 1;"),
            ("notes.sql", ""),
            ("README.md", ""),
        ];
        let found = read_folder(folder(&files).path()).expect("a good folder");
        let shown: Vec<_> = found
            .iter()
            .map(|found| {
                (
                    &*found.name,
                    found.down.is_some(),
                    found.runs_in_transaction(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("1_a", false, true),
                ("2_b", true, true),
                ("10_c", false, false)
            ]
        );
        assert!(found.iter().all(|found| found.tool == Tool::Sqlx));
        let both = [files.as_slice(), &[("3_d/up.sql", "")]].concat();
        let found = read_folder(folder(&both).path()).expect("a good folder");
        assert_eq!((found.len(), &*found[0].name), (1, "3_d"));
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
    fn a_folder_without_up_sql_or_version_is_an_error() {
        assert_eq!(
            error(&[("1_a/down.sql", "")]),
            "migrations/1_a has no up.sql"
        );
        assert_eq!(error(&[("_a/up.sql", "")]), "migrations/_a has no version");
    }

    #[test]
    fn only_a_folder_that_does_not_exist_is_missing() {
        let folder = folder(&[("1_a/down.sql", ""), ("file", "")]);
        let missing = |path: &str| {
            let error = read_folder(&folder.path().join(path)).expect_err("a refusal");
            error.is_missing()
        };
        assert!(missing("nowhere"));
        assert!(!missing("file") && !missing("."));
    }

    #[test]
    fn a_down_file_does_not_count() {
        let fingerprint = |down| {
            let folder = folder(&[("1_a/up.sql", "SELECT 1;"), ("1_a/down.sql", down)]);
            read_folder(folder.path()).expect("a good folder")[0].fingerprint()
        };
        assert_eq!(fingerprint("SELECT 2;"), fingerprint("SELECT 3;"));
    }
}
