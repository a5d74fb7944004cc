//! Finds PostgreSQL's programs.
//!
//! Asking a program for its version starts a process. So the result of a search is kept in a file.
//! The search is repeated once one of the searched directories has changed.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::LocalServerError;
use super::runtime_folder::{fingerprint, runtime_folder, write_whole};

/// The directory of `initdb` and `postgres`, and their version.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    pub(super) folder: PathBuf,
    /// The version, such as `15.18`.
    pub(super) version: String,
}

/// The variable that names the directory to use instead of searching for one.
const OVERRIDE: &str = "BOWLINE_PG_BIN";

/// The extension of the file with the result of a search.
const REMEMBERED: &str = "binaries";

impl Binaries {
    /// Returns the newest installed programs, or those in the directory that `BOWLINE_PG_BIN`
    /// names.
    pub(super) fn find() -> Result<Self, LocalServerError> {
        let file = remembered_in();
        if let Some(found) = file.as_ref().and_then(|file| Self::remembered(file)) {
            return Ok(found);
        }
        // The times are read first: a change during the search makes the next process search again.
        let changes = changes();
        let found = Self::search()?;
        let lines = found
            .folder
            .to_str()
            .zip(stamp(&found.folder, &changes))
            .map(|(folder, stamp)| format!("{folder}\n{}\n{stamp:x}\n", found.version));
        if let (Some(file), Some(lines)) = (file, lines) {
            // Without the file, the next process searches too.
            write_whole(&file, &lines).ok();
        }
        Ok(found)
    }

    /// Returns the result of an earlier search, if the searched directories have not changed since.
    fn remembered(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let mut lines = text.lines();
        let (folder, version) = (PathBuf::from(lines.next()?), lines.next()?.to_owned());
        let known = u64::from_str_radix(lines.next()?, 16).ok()?;
        let is_fresh = stamp(&folder, &changes())? == known;
        is_fresh.then_some(Self { folder, version })
    }

    /// Returns whether this file has the result of a search.
    pub(super) fn are_remembered_in(file: &Path) -> bool {
        file.extension()
            .is_some_and(|extension| extension == REMEMBERED)
    }

    fn search() -> Result<Self, LocalServerError> {
        if let Some(folder) = env::var_os(OVERRIDE) {
            let folder = PathBuf::from(folder);
            return Self::in_folder(&folder).ok_or_else(|| {
                LocalServerError::new(
                    format!(
                        "{OVERRIDE} names {}, which does not contain initdb and postgres",
                        folder.display()
                    ),
                    "name the folder that holds both, or unset it",
                )
            });
        }
        let mut found: Vec<Self> = candidates()
            .iter()
            .filter_map(|folder| Self::in_folder(folder))
            .collect();
        found.sort_by_key(|binaries| numbers(&binaries.version));
        found.pop().ok_or_else(|| {
            LocalServerError::new(
                "no PostgreSQL server is installed",
                format!(
                    "install one (Debian: apt-get install postgresql; Fedora: dnf install postgresql-server; macOS: brew install postgresql), \
                     or name the folder of its programs in {OVERRIDE}"
                ),
            )
        })
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn in_folder(folder: &Path) -> Option<Self> {
        if !folder.join("initdb").is_file() {
            return None;
        }
        let answer = Command::new(folder.join("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
        let version = text
            .split_whitespace()
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        Some(Self {
            folder: folder.to_owned(),
            version: version.to_owned(),
        })
    }
}

/// Returns the file with the result of a search for the current environment variables.
fn remembered_in() -> Option<PathBuf> {
    let variables = ["PATH", OVERRIDE].map(|name| env::var_os(name).unwrap_or_default());
    let key = fingerprint(
        variables
            .iter()
            .flat_map(|value| [value.as_encoded_bytes(), b"\n"]),
    );
    Some(runtime_folder().ok()?.join(format!("{key:x}.{REMEMBERED}")))
}

/// Returns the time of the last change of each directory that is searched.
fn changes() -> Vec<Option<(i64, i64)>> {
    let parents = VERSIONED.iter().map(|(parent, _)| PathBuf::from(parent));
    path_folders()
        .into_iter()
        .chain(parents)
        .map(|folder| {
            let found = fs::metadata(folder).ok()?;
            Some((found.mtime(), found.mtime_nsec()))
        })
        .collect()
}

/// Returns a hash of these times and of the programs in a directory; `None` if the programs do not
/// exist.
fn stamp(folder: &Path, changes: &[Option<(i64, i64)>]) -> Option<u64> {
    let mut parts = format!("{changes:?}");
    for name in ["initdb", "postgres"] {
        let found = fs::metadata(folder.join(name)).ok()?;
        let program = (found.ino(), found.size(), found.mtime(), found.mtime_nsec());
        parts.push_str(&format!("{program:?}"));
    }
    Some(fingerprint([parts.as_bytes()]))
}

fn path_folders() -> Vec<PathBuf> {
    env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default()
}

/// The directories that contain a directory for each version, and the path of the programs in that:
/// of Debian, Fedora, Homebrew on Apple silicon and on Intel, Postgres.app.
const VERSIONED: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
];

fn candidates() -> Vec<PathBuf> {
    let mut folders = path_folders();
    if let Ok(answer) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(PathBuf::from(
            String::from_utf8_lossy(&answer.stdout).trim(),
        ));
    }
    for (parent, below) in VERSIONED {
        let entries = std::fs::read_dir(parent)
            .into_iter()
            .flatten()
            .filter_map(Result::ok);
        let of_postgres = entries.filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with("pgsql-")
                || name.starts_with("postgresql")
                || name.starts_with(|c: char| c.is_ascii_digit())
        });
        folders.extend(of_postgres.map(|entry| entry.path().join(below)));
    }
    folders
}

fn numbers(version: &str) -> Vec<u32> {
    version
        .split('.')
        .map(|part| {
            part.chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
                .parse()
                .unwrap_or(0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(numbers("9.6.24") < numbers("15.18"));
        assert!(numbers("18beta1") > numbers("17.2"));
    }
}
