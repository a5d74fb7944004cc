//! The folder of a package's migrations, by the settings that the command `bowline` reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::LocalServerError;

const MIGRATIONS: &str = "migrations";

/// Returns the folder of a package's migrations: that of the setting `source` in `bowline.toml`, or
/// of `[migrations_directory]` in `diesel.toml`, else the nearest folder `migrations` in the
/// package or above it. A process reads the settings of a package once.
///
/// Panics, like a failed test, if the settings cannot be read.
pub fn migrations_of(package: &str) -> String {
    static READ: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = read.get(package) {
        return found.clone();
    }
    match source(Path::new(package)) {
        Ok(found) => {
            let found = found.display().to_string();
            read.insert(package.to_owned(), found.clone());
            found
        }
        Err(error) => {
            drop(read);
            panic!("{error}")
        }
    }
}

/// Returns the source of a package's schema.
fn source(package: &Path) -> Result<PathBuf, LocalServerError> {
    let above = |file: &str| {
        let mut folders = package.ancestors();
        folders.find(|folder| folder.join(file).is_file())
    };
    if let Some((folder, source)) = source_of_settings(package)? {
        return Ok(folder.join(source));
    }
    if let Some(root) = above("diesel.toml") {
        let diesel = read(&root.join("diesel.toml"))?.unwrap_or_default();
        if let Some(directory) = text(&diesel, &["migrations_directory", "dir"]) {
            return Ok(root.join(directory));
        }
    }
    let mut folders = package.ancestors().map(|folder| folder.join(MIGRATIONS));
    let found = folders.find(|folder| folder.is_dir());
    Ok(found.unwrap_or_else(|| package.join(MIGRATIONS)))
}

/// Returns the setting `source` of the nearest settings, and the folder to which it is relative.
/// Settings apply as a whole, and above the root of the workspace there are none.
fn source_of_settings(package: &Path) -> Result<Option<(PathBuf, String)>, LocalServerError> {
    for folder in package.ancestors() {
        if let Some(settings) = read(&folder.join("bowline.toml"))? {
            let source = text(&settings, &["source"]);
            return Ok(source.map(|source| (folder.to_owned(), source)));
        }
        let Some(manifest) = read(&folder.join("Cargo.toml"))? else {
            continue;
        };
        for of in ["package", "workspace"] {
            if value(&manifest, &[of, "metadata", "bowline"]).is_some() {
                let source = text(&manifest, &[of, "metadata", "bowline", "source"]);
                return Ok(source.map(|source| (folder.to_owned(), source)));
            }
        }
        if manifest.contains_key("workspace") {
            break;
        }
    }
    Ok(None)
}

/// Reads a settings file; returns `None` if it does not exist.
fn read(path: &Path) -> Result<Option<toml::Table>, LocalServerError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LocalServerError::io("cannot read", path, &error)),
    };
    text.parse().map(Some).map_err(|error: toml::de::Error| {
        LocalServerError::new(
            format!("{}: {}", path.display(), error.message()),
            "run `bowline generate`, which shows the line",
        )
    })
}

fn value<'t>(table: &'t toml::Table, path: &[&str]) -> Option<&'t toml::Value> {
    let (first, rest) = path.split_first()?;
    let found = table.get(*first)?;
    match rest {
        [] => Some(found),
        rest => value(found.as_table()?, rest),
    }
}

fn text(table: &toml::Table, path: &[&str]) -> Option<String> {
    value(table, path)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Returns the source of the package `a` among these files, relative to their folder.
    fn found(files: &[(&str, &str)]) -> String {
        static FOLDERS: AtomicUsize = AtomicUsize::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("bowline_source_{}_{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(folder.join("a")).expect("a folder");
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        let source = source(&folder.join("a"));
        fs::remove_dir_all(&folder).expect("it is gone");
        match source {
            Ok(found) => {
                let below = found.strip_prefix(&folder).expect("a path below it");
                below.display().to_string()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_test_has_the_migrations_of_the_settings() {
        let own = ("a/bowline.toml", "source = \"../db\"");
        assert_eq!(found(&[own]), "a/../db");
        assert_eq!(found(&[own, ("a/migrations/x", "")]), "a/../db");
        let workspace = ("Cargo.toml", "[workspace]\nmembers = [\"a\"]");
        let shared = ("bowline.toml", "source = \"sql\"");
        assert_eq!(found(&[workspace, shared]), "sql");
        // The nearest settings apply as a whole.
        assert_eq!(found(&[shared, ("a/bowline.toml", "")]), "a/migrations");
        // Settings of a folder above the workspace are of another project.
        assert_eq!(
            found(&[shared, ("a/Cargo.toml", "[workspace]")]),
            "a/migrations"
        );
        let metadata = "[package.metadata.bowline]\nsource = \"schema.sql\"";
        assert_eq!(found(&[("a/Cargo.toml", metadata)]), "a/schema.sql");
        let diesel = ("diesel.toml", "[migrations_directory]\ndir = \"db\"");
        assert_eq!(found(&[diesel]), "db");
        assert_eq!(found(&[]), "a/migrations");
        assert_eq!(found(&[("migrations/x", "")]), "migrations");
    }

    #[test]
    fn settings_that_cannot_be_read_are_an_error() {
        let error = found(&[("a/bowline.toml", "source = ")]);
        assert!(error.contains("a/bowline.toml: "), "{error}");
    }
}
