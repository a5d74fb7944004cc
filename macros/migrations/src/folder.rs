//! The folder of the migrations, read in diesel's order.
//!
//! Two migrations with the same version are an error here. diesel would run only one of them.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// One migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The part of the name before the first `_`, without `-`. Migrations run in the order of this
    /// text.
    pub version: String,
    /// The name of the folder, or that of a flat file without its ending.
    pub name: String,
    /// The folder, or the flat file.
    pub path: PathBuf,
    /// The SQL that runs the migration.
    pub up: SqlFile,
    /// The SQL that reverts the migration, if there is any.
    pub down: Option<SqlFile>,
}

impl Migration {
    /// Returns the fingerprint of `up.sql`. `down.sql` is not included, since it does not shape the
    /// schema.
    pub fn fingerprint(&self) -> u64 {
        crate::fingerprint(&self.up.text)
    }

    /// Returns true for a file in the folder of the migrations itself, as sqlx has them.
    pub fn is_flat(&self) -> bool {
        self.path == self.up.path
    }

    /// Returns true if a flat migration runs in a transaction: it does not begin with sqlx's
    /// `-- no-transaction`.
    pub fn runs_in_transaction(&self) -> bool {
        !(self.is_flat() && self.up.text.starts_with("-- no-transaction"))
    }
}

/// A file of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The text of the file, without a byte order mark.
    pub text: String,
}

impl SqlFile {
    /// Reads the file; returns `None` if it does not exist.
    pub fn read(path: &Path) -> Result<Option<Self>, FolderError> {
        match fs::read_to_string(path) {
            // A byte order mark is not a part of the text.
            Ok(mut text) => {
                if text.starts_with('\u{feff}') {
                    text.remove(0);
                }
                Ok(Some(Self {
                    path: path.to_owned(),
                    text,
                }))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FolderError::new(
                format!("cannot read {}: {error}", path.display()),
                "it has to be a file of UTF-8 text",
            )),
        }
    }
}

/// An error in a folder of migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderError {
    message: String,
    hint: String,
    is_missing: bool,
}

impl FolderError {
    /// Creates an error from a sentence and a hint.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
            is_missing: false,
        }
    }

    /// Returns true if the folder of migrations does not exist.
    pub fn is_missing(&self) -> bool {
        self.is_missing
    }

    /// Returns the hint.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FolderError {}

/// The folder in which `bowline migrate import-sqlx --move-files` prepares the folders of flat
/// migrations. It exists until all of them are in their places and the flat files are deleted.
pub const MOVING: &str = ".import-sqlx";

/// Returns the migrations of a folder, in the order in which diesel runs them.
///
/// If it has no migrations of diesel's, flat files are read: `1_a.sql`, or `1_a.up.sql` with
/// `1_a.down.sql`. They run in the order of their numbers, as with sqlx.
///
/// Fails if only a part of the flat files is in folders, because a move was interrupted.
pub fn read_folder(folder: &Path) -> Result<Vec<Migration>, FolderError> {
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut migrations: Vec<Migration> = Vec::new();
    let mut flat: Vec<Migration> = Vec::new();
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
            migrations.push(read_migration(path, name)?);
        } else {
            flat.extend(read_flat(path, &name)?);
        }
    }
    if migrations.is_empty() {
        migrations = flat;
        migrations.sort_by_key(|migration| {
            let digits = migration.version.trim_start_matches('0');
            (digits.len(), digits.to_owned(), migration.name.clone())
        });
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
            "rename one of them: diesel would run only one",
        ));
    }
    Ok(migrations)
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

fn unreadable(folder: &Path, error: &std::io::Error) -> FolderError {
    let folder = folder.display();
    if error.kind() == std::io::ErrorKind::NotFound {
        return FolderError {
            is_missing: true,
            ..FolderError::new(
                format!("the folder {folder} does not exist"),
                "check the folder's name in diesel.toml",
            )
        };
    }
    FolderError::new(
        format!("cannot read {folder}: {error}"),
        "check the folder's name in diesel.toml, and its permissions",
    )
}

/// Returns the version in the name of a migration, as diesel reads it.
pub fn version_of(name: &str) -> String {
    name.split('_').next().unwrap_or_default().replace('-', "")
}

fn read_migration(path: PathBuf, name: String) -> Result<Migration, FolderError> {
    let version = version_of(&name);
    if version.is_empty() {
        return Err(FolderError::new(
            format!("{} has no version", path.display()),
            "name it like 2026-01-31-120000_create_accounts",
        ));
    }
    let up = SqlFile::read(&path.join("up.sql"))?.ok_or_else(|| {
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
    })
}

/// Reads a flat migration; returns `None` for a file that is not one.
fn read_flat(path: PathBuf, name: &str) -> Result<Option<Migration>, FolderError> {
    let Some(name) = name.strip_suffix(".sql") else {
        return Ok(None);
    };
    let version = version_of(name);
    let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || !name.contains('_') || name.ends_with(".down") {
        return Ok(None);
    }
    let Some(up) = SqlFile::read(&path)? else {
        return Ok(None);
    };
    let reversible = name.strip_suffix(".up");
    let down = reversible.map(|name| path.with_file_name(format!("{name}.down.sql")));
    Ok(Some(Migration {
        version,
        name: reversible.unwrap_or(name).to_owned(),
        down: down.map(|path| SqlFile::read(&path)).transpose()?.flatten(),
        path,
        up,
    }))
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
        assert!(found.iter().all(Migration::is_flat));
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
    fn a_folder_without_up_sql_or_without_a_version_is_an_error() {
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
