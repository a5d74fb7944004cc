//! Finds PostgreSQL's programs.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::LocalServerError;

/// The directory of `initdb` and `postgres`, and their version.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    pub(super) folder: PathBuf,
    /// The version, such as `15.18`.
    pub(super) version: String,
}

/// The variable that names the directory to use instead of searching for one.
const OVERRIDE: &str = "BOWLINE_PG_BIN";

impl Binaries {
    /// Returns the newest installed programs, or those in the directory that `BOWLINE_PG_BIN`
    /// names.
    pub(super) fn find() -> Result<Self, LocalServerError> {
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

fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default();
    if let Ok(answer) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(PathBuf::from(
            String::from_utf8_lossy(&answer.stdout).trim(),
        ));
    }
    // Debian, Fedora, Homebrew on Apple silicon and on Intel, Postgres.app.
    let versioned = [
        ("/usr/lib/postgresql", "bin"),
        ("/usr", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ];
    for (parent, below) in versioned {
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
